"""A random sparse graph, made by hand neuron by neuron; and the same network in PyTorch, which has two ways to say it.

Three layers of equal width behind each other, every neuron with 5 % of the layer before it as its sources, and ten outputs that read
everything. PyTorch runs it with sparse matrices, or with dense ones under a mask; the faster of the two is the peer.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.benchmark.agreeing import difference, losses
from neurograph.benchmark.ours import N_BATCHES, Ours
from neurograph.benchmark.peers.contender import LEARNING_RATE, MOMENTUM, Contender
from neurograph.benchmark.peers.registry import YARDSTICK
from neurograph.benchmark.race import Setting
from neurograph.benchmark.results import Against, Speed
from neurograph.benchmark.stopwatch import Spread, alternate, ratio, runner
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.parameters import Parameters

Array = NDArray[Any]
DENSITY, N_CLASSES = 0.05, 10


@dataclass(frozen=True)
class Block:
    """The edges into one layer: source and weight of every edge, row by row of equal length; and biases."""

    source: Array
    """Shape (neurons, sources of each)."""

    weight: Array
    bias: Array
    n_sources: int


def blocks(n_edges: int, seed: int = 0) -> tuple[Block, ...]:
    """About so many edges in three layers.

    Examples
    --------
    >>> [block.source.shape for block in blocks(2000)]
    [(100, 5), (100, 5), (10, 100)]
    """
    random = np.random.default_rng(seed)
    width = max(N_CLASSES, round((sqrt(N_CLASSES**2 + 8 * DENSITY * n_edges) - N_CLASSES) / (4 * DENSITY)))
    fan_in = max(1, round(DENSITY * width))

    def block(n: int, k: int) -> Block:
        chosen = np.stack([np.sort(random.choice(width, k, replace=False)) for _ in range(n)])
        weights = random.standard_normal((n, k)) * np.sqrt(2 / k)
        return Block(chosen, weights, np.zeros(n), width)

    return block(width, fan_in), block(width, fan_in), block(N_CLASSES, width)


def graph_of(parts: Sequence[Block]) -> tuple[NeuronGraph, Parameters]:
    """The blocks as a neuron graph, every edge a weight of its own; and their values."""
    graph = NeuronGraph(name="sparse")
    before = [f"x{i}" for i in range(parts[0].n_sources)]
    values: dict[str, Array] = {}
    for node in before:
        graph.add_input(node)
    for number, part in enumerate(parts, 1):
        weight, bias = f"w{number}", f"b{number}"
        values |= {weight: part.weight.reshape(-1), bias: part.bias}
        graph.set_parameter(weight, values[weight])
        graph.set_parameter(bias, values[bias])
        here = [f"n{number}_{i}" for i in range(len(part.source))]
        activation = "relu" if number < len(parts) else "identity"
        for i, node in enumerate(here):
            graph.add_neuron(node, activation=activation, bias=(bias, i))
        edges = enumerate((here[i], before[j]) for i, row in enumerate(part.source.tolist()) for j in row)
        graph.add_edges_from(
            (source, target, {"param": (weight, i), "port": 0, "dropout": None}) for i, (target, source) in edges
        )
        before = here
    graph.set_outputs(before, loss="cross_entropy")
    return graph, Parameters(values)


class TorchSparse:
    """The blocks in PyTorch, as sparse matrices or as dense ones under a mask."""

    def __init__(self, parts: Sequence[Block], threads: int, *, masked: bool) -> None:
        self.name = "masked" if masked else "sparse"
        self._torch: Any = importlib.import_module("torch")
        self._torch.set_num_threads(threads)
        make = self._masked if masked else self._sparse
        self._weights: list[Any] = []
        self._layers: list[Callable[[Any], Any]] = [make(part) for part in parts]
        self._optimizer = self._torch.optim.SGD(self._weights, lr=LEARNING_RATE, momentum=MOMENTUM)

    def _learnt(self, values: Array) -> Any:
        made = self._torch.tensor(values, dtype=self._torch.float32, requires_grad=True)
        self._weights.append(made)
        return made

    def _sparse(self, part: Block) -> Callable[[Any], Any]:
        torch, rows = self._torch, np.repeat(np.arange(len(part.source)), part.source.shape[1])
        indices = torch.tensor(np.stack([rows, part.source.reshape(-1)]))
        w, b, shape = self._learnt(part.weight.reshape(-1)), self._learnt(part.bias), (len(part.source), part.n_sources)

        def layer(x: Any) -> Any:
            matrix = torch.sparse_coo_tensor(indices, w, shape, is_coalesced=True, check_invariants=False)
            return torch.sparse.mm(matrix, x.T).T + b

        return layer

    def _masked(self, part: Block) -> Callable[[Any], Any]:
        torch = self._torch
        dense, present = np.zeros((2, len(part.source), part.n_sources))
        np.put_along_axis(dense, part.source, part.weight, axis=1)
        np.put_along_axis(present, part.source, 1.0, axis=1)
        w, b, mask = self._learnt(dense), self._learnt(part.bias), torch.tensor(present, dtype=torch.float32)
        return lambda x: torch.nn.functional.linear(x, w * mask, b)

    def _outputs(self, x: Any) -> Any:
        for layer in self._layers[:-1]:
            x = self._torch.relu(layer(x))
        return self._layers[-1](x)

    def ready(self, x: Array, y: Array) -> tuple[Any, Any]:
        return self._torch.from_numpy(x), self._torch.from_numpy(y)

    def train(self, batch: tuple[Any, Any]) -> Any:
        self._optimizer.zero_grad()
        loss = self._torch.nn.functional.cross_entropy(self._outputs(batch[0]), batch[1])
        loss.backward()
        self._optimizer.step()
        return loss.detach()

    def infer(self, batch: tuple[Any, Any]) -> Any:
        with self._torch.inference_mode():
            return self._outputs(batch[0])

    def wait(self) -> None:
        """On a CPU PyTorch never runs ahead."""


def measure(n_edges: int, setting: Setting, batch: int = 64) -> list[Speed]:
    """Train and infer the random sparse graph, beside PyTorch if that is among the peers."""
    parts = blocks(n_edges)
    setting.say(f"sparse graph of {n_edges:,} edges")
    graph, params = graph_of(parts)
    mine = Ours(graph, params, setting.threads)
    random = np.random.default_rng(0)
    given = [
        (random.random((batch, parts[0].n_sources), dtype=np.float32), random.integers(0, N_CLASSES, batch))
        for _ in range(N_BATCHES)
    ]
    first = losses(mine, given)
    peer = _faster(parts, given, setting, first) if YARDSTICK in setting.peers else None
    found = []
    for mode in ("train", "infer"):
        contenders: dict[str, Contender] = {"mine": mine} | ({"peer": peer[0]} if peer else {})
        runs = {name: runner(contender, mode, given, setting.pace) for name, contender in contenders.items()}
        rates = alternate(runs, setting.pace.rounds)
        size = sum(part.source.size for part in parts)
        flop = 2 * size if mode == "infer" else 6 * size - 2 * parts[0].source.size  # inputs are owed nothing
        own = Spread.of(rates["mine"])
        against: tuple[Against, ...] = ()
        if peer:
            how = f"PyTorch's way: {peer[0].name}"
            against = (Against(YARDSTICK, Spread.of(rates["peer"]), ratio(rates["mine"], rates["peer"]), peer[1], how),)
        name = f"sparse, {graph.number_of_edges():,} edges"
        share = setting.share(flop * own.median, setting.threads)
        found.append(Speed(f"sparse-{mode}-{batch}", name, mode, batch, setting.threads, own, share, against))
    return found


def _faster(
    parts: Sequence[Block], given: Sequence[tuple[Array, Array]], setting: Setting, first: Sequence[float]
) -> tuple[TorchSparse, float]:
    """PyTorch's faster way, and how far its losses are from ours."""
    ways = [TorchSparse(parts, setting.threads, masked=masked) for masked in (False, True)]
    apart = {way.name: difference(first, losses(way, given)) for way in ways}
    rates = {way.name: runner(way, "train", given, setting.pace)() for way in ways}
    best = max(ways, key=lambda way: rates[way.name])
    return best, apart[best.name]
