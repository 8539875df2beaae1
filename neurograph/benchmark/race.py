"""One race: neurograph and its peers on one network, checked to be the same, then timed in alternation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from neurograph.benchmark import flop
from neurograph.benchmark.agreeing import LIMIT, difference, losses, outputs_apart
from neurograph.benchmark.networks import Network
from neurograph.benchmark.ours import Ours, batches, ours
from neurograph.benchmark.peak import Machine
from neurograph.benchmark.peers.contender import Contender
from neurograph.benchmark.peers.layers import Untaught
from neurograph.benchmark.peers.registry import maker
from neurograph.benchmark.results import Against, Speed
from neurograph.benchmark.stopwatch import Pace, Spread, alternate, ratio, runner
from neurograph.graph.initialise import initialise
from neurograph.graph.lay_out import lay_out


@dataclass(frozen=True)
class Setting:
    """What all races share."""

    peers: tuple[str, ...]
    threads: int
    pace: Pace
    machine: Machine | None = None
    say: Callable[[str], object] = field(default=lambda line: None)
    """Told what is being measured."""

    def share(self, operations_per_second: float, threads: int) -> float | None:
        """Share of the measured peak of so many threads."""
        if self.machine is None:
            return None
        return operations_per_second / (self.machine.core_flops if threads == 1 else self.machine.flops)


@dataclass(frozen=True)
class Field:
    """Who races: ourselves, the peers that can, and why the others cannot."""

    mine: Ours
    peers: Mapping[str, Contender]
    differences: Mapping[str, float]
    untaught: Mapping[str, str]


def line_up(network: Network, batch: int, setting: Setting, threads: int, *, trains: bool = True) -> Field:
    """Make everybody with the same weights, and compare their losses over a few steps (or, if nobody trains, their outputs)."""
    given = batches(network.spec, batch)
    params = initialise(lay_out(network.spec))
    weights = dict(params)
    mine = ours(network, threads, params)
    first = losses(mine, given) if trains else []
    peers: dict[str, Contender] = {}
    differences: dict[str, float] = {}
    untaught: dict[str, str] = {}
    for name in setting.peers:
        setting.say(f"{network.name}, batch {batch}: {name}")
        try:
            made = maker(name)(network.spec, weights, threads)
            apart = difference(first, losses(made, given)) if trains else outputs_apart(mine, made, given[0])
        except Untaught as error:
            untaught[name] = str(error)
            continue
        except Exception as error:  # another project's fault (no C++ compiler, say) costs its column, not the run
            untaught[name] = f"failed: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
            continue
        peers[name] = made
        if not network.is_edited:
            differences[name] = apart
    return Field(mine, peers, differences, untaught)


def race(
    key: str,
    network: Network,
    modes: Mapping[str, float | None],
    batch: int,
    setting: Setting,
    *,
    ahead: tuple[str, ...] = (),
) -> list[Speed]:
    """Time a network in some modes (each with its target) at one batch; `ahead` of these peers it has to be."""
    threads = setting.threads
    who = line_up(network, batch, setting, threads, trains="train" in modes)
    given = batches(network.spec, batch)
    found = []
    for mode, target in modes.items():
        setting.say(f"{network.name}, {mode}, batch {batch}")
        contenders: dict[str, Contender] = {who.mine.name: who.mine, **who.peers}
        runs = {name: runner(contender, mode, given, setting.pace) for name, contender in contenders.items()}
        rates = alternate(runs, setting.pace.rounds)
        operations = flop.training(who.mine.plan) if mode == "train" else flop.forward(who.mine.plan)
        found.append(
            Speed(
                f"{key}-{mode}-{batch}",
                network.name,
                mode,
                batch,
                threads,
                Spread.of(rates[who.mine.name]),
                setting.share(operations * Spread.of(rates[who.mine.name]).median, threads),
                _against(who, rates, network.is_edited),
                target,
                ahead,
            )
        )
    return found


def _against(who: Field, rates: Mapping[str, Sequence[float]], stands_in: bool) -> tuple[Against, ...]:
    mine = rates[who.mine.name]
    raced = [
        Against(
            name,
            Spread.of(rates[name]),
            ratio(mine, rates[name]),
            who.differences.get(name),
            _note(who.differences.get(name), stands_in),
        )
        for name in who.peers
    ]
    return (*raced, *(Against(name, note=why) for name, why in who.untaught.items()))


def _note(apart: float | None, stands_in: bool) -> str:
    if stands_in:
        return "runs the network before its edges were deleted, which it cannot say"
    if apart is not None and not apart <= LIMIT:
        return f"does not train the same network: losses differ by {apart:.1g}"
    return ""
