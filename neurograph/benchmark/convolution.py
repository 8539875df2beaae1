"""A large dense convolution on one thread, forward and backward apart. The backward pass is a training step less a forward pass."""

from __future__ import annotations

from neurograph.benchmark import flop, networks
from neurograph.benchmark.ours import batches
from neurograph.benchmark.peers.contender import Contender
from neurograph.benchmark.race import Setting, line_up
from neurograph.benchmark.results import Against, Speed
from neurograph.benchmark.stopwatch import Spread, alternate, ratio, runner

TARGETS = {"forward": 0.95, "backward": 0.8}


def measure(setting: Setting, batch: int = 1) -> list[Speed]:
    """Forward and backward of 3×3×256→256 at 28×28."""
    network = networks.said(networks.LARGE_CONVOLUTION)
    who = line_up(network, batch, setting, 1)
    given = batches(network.spec, batch)
    everybody: dict[str, Contender] = {who.mine.name: who.mine, **who.peers}
    runs = {
        (name, mode): runner(contender, mode, given, setting.pace)
        for name, contender in everybody.items()
        for mode in ("infer", "train")
    }
    setting.say(f"{network.name}, forward and backward, one thread")
    flat = alternate({f"{name} {mode}": run for (name, mode), run in runs.items()}, setting.pace.rounds)
    forward = {name: flat[f"{name} infer"] for name in everybody}
    backward = {
        name: [_less(step, pass_) for step, pass_ in zip(flat[f"{name} train"], forward[name], strict=True)]
        for name in everybody
    }
    plan = who.mine.plan
    operations = {"forward": flop.forward(plan), "backward": flop.training(plan) - flop.forward(plan)}
    found = []
    for mode, rates in (("forward", forward), ("backward", backward)):
        own = Spread.of(rates[who.mine.name])
        against = tuple(
            Against(name, Spread.of(rates[name]), ratio(rates[who.mine.name], rates[name]), who.differences.get(name))
            for name in who.peers
        )
        share = setting.share(operations[mode] * own.median, 1)
        found.append(
            Speed(f"convolution-{mode}-{batch}", network.name, mode, batch, 1, own, share, against, TARGETS[mode])
        )
    return found


def _less(steps: float, passes: float) -> float:
    """Rate of the backward pass from those of a training step and a forward pass; noise cannot make it faster than a step twice over."""
    return 1 / max(1 / steps - 1 / passes, 0.5 / steps)
