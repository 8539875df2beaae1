"""A whole network's neurons and edges as arrays, layer by layer, for counting: from a topology in closed form, or from a graph.

Every neuron has a *column*: its place in one flat row of all neurons, layer after layer; behind them stand the constants of padded
borders. Every weight has a *slot* in one flat vector of all parameters.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import Node, node_id
from neurograph.graph.layout import Layout, Place
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Projection, Topology
from neurograph.ops.wiring import Blocks
from neurograph.ops.wiring import Wiring as Axis
from neurograph.parameters import Reference

Array = NDArray[Any]
Index = NDArray[np.int64]
NO_SLOT = -1
"""In an array of slots: no weight, or no bias."""


@dataclass(frozen=True, eq=False)
class Members:
    """The neurons of one layer, as arrays over its flattened shape; `there` is False where a graph has lost one."""

    kind: Array
    activation: Array
    bias: Index
    divisor: Array
    there: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FanIns:
    """All edges into one layer, sorted by target, then in fan-in order: flat target, column of the source, slot of the weight."""

    target: Index
    column: Index
    slot: Index

    @cached_property
    def number(self) -> Index:
        """Each edge's number in its target's fan-in."""
        first = np.searchsorted(self.target, self.target, side="left")
        found: Index = np.arange(len(self.target), dtype=np.int64) - first
        return found


class Wiring:
    """The arrays of one network.

    Parameters
    ----------
    network : Topology or NeuronGraph
    layout : Layout
    weights : mapping of str to ndarray
        As a trace has them.
    """

    def __init__(self, network: Topology | NeuronGraph, layout: Layout, weights: Mapping[str, Array]) -> None:
        self.network, self.layout = network, layout
        sizes = {name: prod(shape) for name, shape in layout.shapes.items()}
        self.offset = dict(zip(sizes, _starts(sizes.values()), strict=True))
        self.n_columns = sum(sizes.values())
        self._names, self._starts = list(self.offset), list(self.offset.values())
        self._first_slot = dict(zip(weights, _starts(w.size for w in weights.values()), strict=True))
        parts = [np.asarray(w, np.float64).reshape(-1) for w in weights.values()]
        self.weights: Array = np.concatenate([*parts, np.zeros(0)])
        self.constants: dict[Reference, int] = {}
        """Reference to a padded border's value → its column."""
        for reference in _constants(network):
            self.constants.setdefault(reference, self.n_columns + len(self.constants))

    def slot(self, reference: Reference | None) -> int:
        """Where a weight or bias stands in `weights`."""
        return NO_SLOT if reference is None else self._first_slot[reference[0]] + reference[1]

    def node(self, column: int) -> Node:
        """The neuron of a column."""
        name = self._names[bisect_right(self._starts, column) - 1]
        shape = self.layout.shapes[name]
        index = tuple(map(int, np.unravel_index(column - self.offset[name], shape))) if shape else ()
        return self._renamed.get((name, index), node_id(name, index))

    def members(self, name: Hashable) -> Members:
        """The neurons of one layer."""
        return _population(self, self.network, name) if isinstance(self.network, Topology) else self._of_graph(name)

    def fan_ins(self, name: Hashable) -> FanIns:
        """All edges into one layer; time and memory are those of the edges."""
        if isinstance(self.network, Topology):
            parts = [_edges(self, self.network, projection) for projection in self.network.into(str(name))]
            target, column, slot = (np.concatenate([np.zeros(0, np.int64), *part]) for part in _columns(parts))
        else:
            edges = [edge for node, flat in self._nodes.get(name, ()) for edge in self._into(self.network, node, flat)]
            target, column, slot = np.array(edges, dtype=np.int64).reshape(-1, 3).T
            return FanIns(target, column, slot)
        order = np.lexsort((column, target))
        return FanIns(target[order], column[order], slot[order])

    def n_in(self, name: Hashable) -> Index:
        """Number of in-edges of each neuron of a layer, without writing them out where a topology says it."""
        shape = self.layout.shapes[name]
        if not isinstance(self.network, Topology):
            return np.bincount(self.fan_ins(name).target, minlength=prod(shape)).astype(np.int64)
        found = np.zeros(prod(shape), dtype=np.int64)
        for projection in self.network.into(str(name)):
            product = np.ones(1, dtype=np.int64)
            for axis in projection.axes:
                product = np.outer(product, _n_in(axis)).reshape(-1)
            found += product
        return found

    # -- a graph ------------------------------------------------------------------------------------------------------
    @cached_property
    def _nodes(self) -> dict[Hashable, list[tuple[Node, int]]]:
        """Layer → its nodes in row-major order, with their flat positions."""
        assert isinstance(self.network, NeuronGraph)
        found: dict[Hashable, list[tuple[Node, int]]] = {}
        for node, kind in self.network.nodes(data="kind"):
            if kind != "constant":
                name, index = self.layout.place(node)
                found.setdefault(name, []).append((node, _flat_index(index, self.layout.shapes[name])))
        return {name: sorted(nodes, key=lambda pair: pair[1]) for name, nodes in found.items()}

    @cached_property
    def _renamed(self) -> dict[Place, Node]:
        return {place: node for node, place in (self.layout.renamed or {}).items()}

    def _into(self, graph: NeuronGraph, node: Node, flat: int) -> list[tuple[int, int, int]]:
        return [
            (flat, self._column(graph, source), self.slot(data.get("param"))) for source, data in graph.fan_in(node)
        ]

    def _column(self, graph: NeuronGraph, node: Node) -> int:
        data = graph.nodes[node]
        if data["kind"] == "constant":
            return self.constants[data["param"]]
        name, index = self.layout.place(node)
        return self.offset[name] + _flat_index(index, self.layout.shapes[name])

    def _of_graph(self, name: Hashable) -> Members:
        assert isinstance(self.network, NeuronGraph)
        size = prod(self.layout.shapes[name])
        found = Members(
            kind=np.full(size, "", dtype=object),
            activation=np.full(size, "", dtype=object),
            bias=np.full(size, NO_SLOT, dtype=np.int64),
            divisor=np.ones(size),
            there=np.zeros(size, dtype=bool),
        )
        for node, flat in self._nodes.get(name, ()):
            data = self.network.nodes[node]
            found.kind[flat], found.activation[flat], found.there[flat] = data["kind"], data["activation"], True
            found.bias[flat] = self.slot(data["bias"])
            if data["kind"] == "mean":
                given = data["divisor"]
                found.divisor[flat] = max(self.network.in_degree(node), 1) if given is None else given
        return found


# -- a topology -------------------------------------------------------------------------------------------------------
def _population(wiring: Wiring, topology: Topology, name: Hashable) -> Members:
    population = topology.populations[str(name)]
    bias = np.full(population.size, NO_SLOT, dtype=np.int64)
    if population.bias is not None:
        indices = np.indices(population.shape).reshape(-1, population.size)
        bias[:] = wiring.slot((population.bias.name, 0)) + np.array(population.bias.steps, np.int64) @ indices
    divisor = np.ones(population.size)
    if population.kind == "mean":
        divisor[:] = np.maximum(wiring.n_in(name), 1) if population.divisor is None else population.divisor
    kind = np.full(population.size, population.kind, dtype=object)
    activation = np.full(population.size, population.activation, dtype=object)
    return Members(kind, activation, bias, divisor, np.ones(population.size, dtype=bool))


def _edges(wiring: Wiring, topology: Topology, projection: Projection) -> tuple[Index, Index, Index]:
    """The edges of a projection: the product of its axes' links."""
    links = [axis.links() for axis in projection.axes]
    source, target = topology.populations[projection.source], topology.populations[projection.target]
    targets = _product([link.target for link in links], _steps(target.shape))
    columns = wiring.offset[source.name] + _product([link.source for link in links], _steps(source.shape))
    if projection.padding is not None:
        reach = zip(links, source.shape, strict=False)
        outside = _product([((k.source < 0) | (k.source >= n)).astype(np.int64) for k, n in reach], [1] * len(links))
        columns[outside > 0] = wiring.constants[projection.padding.parameter, 0]
    slots = np.full(len(targets), NO_SLOT, dtype=np.int64)
    if projection.weight is not None:
        first = wiring.slot((projection.weight, projection.weight_offset))
        slots = first + _product([link.weight for link in links], [1] * len(links))
    return targets, columns, slots


def _n_in(axis: Axis) -> Index:
    """How many wires of one axis end at each target coordinate."""
    if isinstance(axis, Blocks):
        return np.full(axis.n_targets, axis.sources, dtype=np.int64)
    return np.bincount(axis.links().target, minlength=axis.n_targets).astype(np.int64)


def _product(coordinates: Sequence[Index], steps: Sequence[int]) -> Index:
    """Σ coordinate·step over every combination of one entry an axis."""
    found = np.zeros(1, dtype=np.int64)
    for axis, coordinate in enumerate(coordinates):
        step = steps[axis] if axis < len(steps) else 0
        found = np.add.outer(found, coordinate * step).reshape(-1)
    return found


def _columns(parts: list[tuple[Index, Index, Index]]) -> list[list[Index]]:
    return [[part[i] for part in parts] for i in range(3)]


# -- small arithmetic -------------------------------------------------------------------------------------------------
def _steps(shape: tuple[int, ...]) -> list[int]:
    return [prod(shape[i + 1 :]) for i in range(len(shape))]


def _flat_index(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    return sum(i * step for i, step in zip(index, _steps(shape), strict=True))


def _starts(sizes: Any) -> list[int]:
    return [int(n) for n in np.cumsum([0, *sizes])[:-1]]


def _constants(network: Topology | NeuronGraph) -> list[Reference]:
    if isinstance(network, Topology):
        return [(p.padding.parameter, 0) for p in network.projections if p.padding is not None]
    return [data["param"] for _, data in network.nodes(data=True) if data["kind"] == "constant"]
