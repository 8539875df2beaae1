"""How speed changes with the batch, with width and with depth; what one more edge costs; and ten odd networks drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from neurograph.benchmark import flop, networks
from neurograph.benchmark.networks import Network
from neurograph.benchmark.ours import Ours, batches
from neurograph.benchmark.peers.registry import YARDSTICK
from neurograph.benchmark.race import Setting, race
from neurograph.benchmark.results import Against, Quantity, Result, Speed
from neurograph.benchmark.stopwatch import Spread, alternate, ratio, runner
from neurograph.graph.build import build
from neurograph.graph.initialise import initialise
from neurograph.graph.lay_out import lay_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.parameters import Parameters
from neurograph.spec import load

BATCHES = (1, 4, 16, 64, 256, 1024)
WIDTHS = (0.5, 1.0, 2.0, 4.0)
DEPTHS = (1, 2, 4, 8, 16)
EDGES = {"whole": 0, "1 deleted": -1, "10 deleted": -10, "100 deleted": -100, "1 added": 1}
"""What is done to LeNet-5's edges."""
DRAWN_TARGET = 6.0


def with_batch(setting: Setting, mode: str = "train", sizes: Sequence[int] = BATCHES) -> list[Result]:
    """LeNet-5 at batches from 1 to 1024, beside PyTorch."""
    few = _beside_yardstick(setting)
    return [speed for batch in sizes for speed in race("batch", networks.bundled("lenet5"), {mode: None}, batch, few)]


def with_width(setting: Setting, batch: int = 64) -> list[Result]:
    """LeNet-5 with half to four times its filters and units."""
    return _table({f"width-{factor:g}": networks.widened(factor) for factor in WIDTHS}, setting, batch)


def with_depth(setting: Setting, batch: int = 64) -> list[Result]:
    """One to sixteen convolutions behind each other."""
    return _table({f"depth-{n}": networks.deepened(n) for n in DEPTHS}, setting, batch)


def drawn(number: int, setting: Setting, batch: int = 64) -> list[Result]:
    """Odd networks drawn at random, and the worst of them."""
    few = _beside_yardstick(setting)
    found: list[Speed] = []
    for seed in range(number):
        found += race(f"drawn-{seed}", networks.drawn(seed), {"train": DRAWN_TARGET}, batch, few)
    reached = {speed.network: speed.reached for speed in found}
    ratios = {name: value for name, value in reached.items() if value is not None}
    if not ratios:
        return list(found)
    worst = min(ratios, key=lambda name: ratios[name])
    what = f"worst ratio to PyTorch of {len(ratios)} odd networks drawn at random"
    return [*found, Quantity("drawn-worst", what, ratios[worst], "×", DRAWN_TARGET, at_least=True, note=worst)]


def with_edges(setting: Setting, batch: int = 64) -> list[Result]:
    """LeNet-5 written out and edited by a few edges, each beside the one that is whole."""
    given = batches(load("lenet5"), batch)
    setting.say("lenet5 written out and edited")
    mine = {name: _edited(change, setting.threads) for name, change in EDGES.items()}
    rates = alternate(
        {name: runner(one, "train", given, setting.pace) for name, one in mine.items()}, setting.pace.rounds
    )
    whole = rates["whole"]
    found: list[Result] = []
    for name in EDGES:
        own = Spread.of(rates[name])
        share = setting.share(flop.training(mine[name].plan) * own.median, setting.threads)
        beside = () if name == "whole" else (Against("whole", Spread.of(whole), ratio(rates[name], whole)),)
        key, called = f"edge-{name.replace(' ', '-')}-train-{batch}", f"lenet5, {name}"
        found.append(Speed(key, called, "train", batch, setting.threads, own, share, beside))
    return found


def _edited(change: int, threads: int) -> Ours:
    """LeNet-5 with so many edges fewer, or one more."""
    topology = lay_out(load("lenet5"))
    graph, params = build(topology), initialise(topology)
    if change < 0:
        networks.without(graph, -change)
    elif change > 0:
        params = _with_one_more(graph, params)
    return Ours(graph, params, threads)


def _with_one_more(graph: NeuronGraph, params: Parameters) -> Parameters:
    """Join the first input pixel to a neuron deep inside, by a weight of its own."""
    graph.connect(("input", 0, 0, 0), ("conv2", 0, 0, 0), weight="extra", value=0.1)
    return Parameters({**params, "extra": 0.1})


def _table(made: Mapping[str, Network], setting: Setting, batch: int) -> list[Result]:
    few = _beside_yardstick(setting)
    return [speed for key, network in made.items() for speed in race(key, network, {"train": None}, batch, few)]


def _beside_yardstick(setting: Setting) -> Setting:
    """The same setting with PyTorch alone: tables of many lines say enough beside one peer."""
    peers = tuple(name for name in setting.peers if name == YARDSTICK)
    return Setting(peers, setting.threads, setting.pace, setting.machine, setting.say)


Table = Callable[[Setting], list[Result]]
TABLES: dict[str, Table] = {"batch": with_batch, "width": with_width, "depth": with_depth, "edge": with_edges}
