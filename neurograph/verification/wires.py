"""The network as the checks see it: numbered neurons, and wires in columns, whole from a graph or sampled from a topology.

This is the third reading of a network, beside the textbook engine's and the compiler's; it shares with them only definitions
(`fan_in`, `Layout`, masks).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import Node, node_id, write_node
from neurograph.graph.layout import Layout, Place, layout_of
from neurograph.graph.neighbourhood import Wire, biased_neurons, fan_in, fan_out, uses
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Population, Topology
from neurograph.ops.words import ACTIVATIONS, NEURON_KINDS
from neurograph.parameters import Reference

Index = NDArray[np.int64]
Network = Topology | NeuronGraph
NONE = -1


@dataclass(frozen=True)
class Wires:
    """Edges in columns.

    Attributes
    ----------
    source, target : ndarray of int
        Neuron numbers.
    weight : ndarray of int
        Address in the flat space of all weights; −1 on unweighted edges.
    dropout : ndarray of int
        Number of the dropout layer; −1 for none.
    slot : ndarray of int
        The edge's number in its target's fan-in.
    """

    source: Index
    target: Index
    weight: Index
    dropout: Index
    slot: Index

    def __len__(self) -> int:
        return len(self.source)

    def where(self, mask: Any) -> Wires:
        """Some of the wires, by mask or by order."""
        return Wires(self.source[mask], self.target[mask], self.weight[mask], self.dropout[mask], self.slot[mask])


@dataclass(frozen=True)
class Numbers:
    """Numbers for neurons, constants, weights and dropout layers.

    A neuron's number is its row-major position in its population after all populations before it; constants follow, one a
    parameter that holds their value.
    """

    network: Network
    layout: Layout
    starts: Mapping[Hashable, int]
    n_neurons: int
    constants: tuple[Reference, ...]
    addresses: Mapping[str, int]
    dropouts: tuple[str, ...]
    nodes: Mapping[int, Node] | None = None
    """In a graph: number → node id. A place that is not in it lost its neuron."""

    known_traits: dict[int, tuple[int, int, int, float]] = field(default_factory=dict, repr=False, compare=False)
    """What `traits` has been asked before."""

    def of(self, place: Place) -> int:
        """Number of the neuron at a place."""
        name, index = place
        shape = self.layout.shapes[name]
        return self.starts[name] + (int(np.ravel_multi_index(index, shape)) if shape else 0)

    def place(self, number: int) -> Place:
        """Where a neuron sits."""
        name = self.population(number)
        shape = self.layout.shapes[name]
        return name, tuple(int(i) for i in np.unravel_index(number - self.starts[name], shape)) if shape else ()

    def population(self, number: int) -> Hashable:
        """The population of a neuron."""
        at = int(np.searchsorted(self._edges, number, side="right")) - 1
        return self._names[at]

    def written(self, number: int) -> str:
        """A neuron as people read it."""
        return write_node(self.node(number))

    def node(self, number: int) -> Node:
        """A neuron's node id."""
        return node_id(*self.place(number)) if self.nodes is None else self.nodes[number]

    def address(self, reference: Reference) -> int:
        """Flat address of a weight."""
        return self.addresses[reference[0]] + reference[1]

    def members(self, name: Hashable) -> Index:
        """Numbers of a population's neurons that exist, in order."""
        start = self.starts[name]
        every = range(start, start + prod(self.layout.shapes[name]))
        return np.array(every if self.nodes is None else [n for n in every if n in self.nodes], dtype=np.int64)

    @cached_property
    def _names(self) -> list[Hashable]:
        return list(self.starts)

    @cached_property
    def _edges(self) -> Index:
        return np.array(list(self.starts.values()), dtype=np.int64)


def number(network: Network) -> Numbers:
    """Give every neuron, constant, weight and dropout layer of a network its number."""
    layout = layout_of(network)
    starts: dict[Hashable, int] = {}
    total = 0
    for name, shape in layout.shapes.items():
        starts[name] = total
        total += prod(shape)
    addresses: dict[str, int] = {}
    room = 0
    for name, spec in network.parameters.items():
        addresses[name] = room
        room += prod(spec.shape)
    numbers = Numbers(network, layout, starts, total, _constants(network), addresses, tuple(network.dropouts))
    if not isinstance(network, NeuronGraph):
        return numbers
    return replace(numbers, nodes={numbers.of(place): node for node, place in _places(network)})


def _places(graph: NeuronGraph) -> Iterable[tuple[Node, Place]]:
    for node, data in graph.nodes(data=True):
        if data["kind"] != "constant":
            yield node, ((node, ()) if data.get("layer") is None else (data["layer"], tuple(data["index"])))


def _constants(network: Network) -> tuple[Reference, ...]:
    if isinstance(network, NeuronGraph):
        found = [param for _, param in network.nodes(data="param") if param is not None]
    else:
        found = [(p.padding.parameter, 0) for p in network.projections if p.padding is not None]
    return tuple(dict.fromkeys(found))


# -- what neurons are -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Traits:
    """What some neurons are, in columns: kind and activation as numbers of the words, bias address (−1: none), divisor."""

    kind: Index
    activation: Index
    bias: Index
    divisor: NDArray[np.float64]


def traits(numbers: Numbers, which: Index) -> Traits:
    """Kind, activation, bias and divisor of these neurons (`divisor` is NaN where it is the in-degree)."""
    different, at = np.unique(which, return_inverse=True)
    known = numbers.known_traits
    for n in different.tolist():
        if n not in known:
            known[n] = _traits_of(numbers, n)
    rows = [known[n] for n in different.tolist()]
    kind, activation, bias, divisor = zip(*rows, strict=True) if rows else ((), (), (), ())
    columns = (np.array(kind, int)[at], np.array(activation, int)[at], np.array(bias, int)[at])
    return Traits(*columns, np.array(divisor, float)[at])


def _traits_of(numbers: Numbers, neuron: int) -> tuple[int, int, int, float]:
    if neuron >= numbers.n_neurons or (numbers.nodes is not None and neuron not in numbers.nodes):
        return NEURON_KINDS.index("constant"), ACTIVATIONS.index("identity"), NONE, np.nan
    name, index = numbers.place(neuron)
    network = numbers.network
    if isinstance(network, NeuronGraph):
        data = network.nodes[numbers.node(neuron)]
        kind, activation, bias, divisor = (
            data["kind"],
            data.get("activation", "identity"),
            data.get("bias"),
            data.get("divisor"),
        )
    else:
        population: Population = network.populations[str(name)]
        kind, activation, divisor = population.kind, population.activation, population.divisor
        bias = None if population.bias is None else (population.bias.name, population.bias.index(index))
    address = NONE if bias is None else numbers.address(bias)
    return (
        NEURON_KINDS.index(kind),
        ACTIVATIONS.index(activation),
        address,
        np.nan if divisor is None else float(divisor),
    )


# -- wires ------------------------------------------------------------------------------------------------------------
def every_wire(numbers: Numbers) -> Wires:
    """All wires of a graph, by target, then in fan-in order."""
    graph = numbers.network
    assert isinstance(graph, NeuronGraph)
    assert numbers.nodes is not None
    number_of = {node: number for number, node in numbers.nodes.items()}
    for node, param in graph.nodes(data="param"):
        if param is not None:
            number_of[node] = numbers.n_neurons + numbers.constants.index(param)
    dropout_of = {name: i for i, name in enumerate(numbers.dropouts)} | {None: NONE}
    rows = []
    for target in graph.in_order():
        for slot, (source, edge) in enumerate(graph.fan_in(target)):
            param = edge.get("param")
            weight = NONE if param is None else numbers.addresses[param[0]] + param[1]
            rows.append((slot, number_of[source], number_of[target], weight, dropout_of[edge.get("dropout")]))
    return _columns(rows)


def wires_into(numbers: Numbers, neurons: Iterable[int]) -> Wires:
    """The fan-in of some neurons."""
    rows = []
    for neuron in neurons:
        wires = fan_in(numbers.network, numbers.node(neuron))
        rows += [(slot, *_ends(numbers, wire)) for slot, wire in enumerate(wires)]
    return _columns(rows)


def wires_out_of(numbers: Numbers, neurons: Iterable[int]) -> Wires:
    """The fan-out of some neurons; slots are looked up only where a maximum reads them."""
    rows = []
    for neuron in neurons:
        wires = fan_out(numbers.network, numbers.node(neuron))
        rows += [(_slot(numbers, wire), *_ends(numbers, wire)) for wire in wires]
    return _columns(rows)


def wires_of_weight(numbers: Numbers, reference: Reference) -> tuple[Wires, Index]:
    """The edges that carry a weight, and the neurons whose bias it is."""
    rows = [(0, *_ends(numbers, wire)) for wire in uses(numbers.network, *reference)]
    biased = [numbers.of(place) for _, place in biased_neurons(numbers.network, reference)]
    return _columns(rows), np.array(biased, dtype=np.int64)


def _slot(numbers: Numbers, wire: Wire) -> int:
    network = numbers.network
    if isinstance(network, Topology) and network.populations[str(wire.to_place[0])].kind != "max":
        return 0
    return next(i for i, other in enumerate(fan_in(network, wire.target)) if other.source == wire.source)


def _ends(numbers: Numbers, wire: Wire) -> tuple[int, int, int, int]:
    name = wire.from_place[0]
    if name in numbers.starts:
        source = numbers.of(wire.from_place)
    elif isinstance(numbers.network, NeuronGraph):
        source = numbers.n_neurons + numbers.constants.index(numbers.network.nodes[wire.source]["param"])
    else:
        source = numbers.n_neurons + numbers.constants.index((str(name), 0))
    weight = NONE if wire.param is None else numbers.address(wire.param)
    dropout = NONE if wire.dropout is None else numbers.dropouts.index(wire.dropout)
    return source, numbers.of(wire.to_place), weight, dropout


def _columns(rows: list[tuple[int, int, int, int, int]]) -> Wires:
    table = np.array(rows, dtype=np.int64).reshape(-1, 5)
    return Wires(source=table[:, 1], target=table[:, 2], weight=table[:, 3], dropout=table[:, 4], slot=table[:, 0])
