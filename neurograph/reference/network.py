"""A neuron graph as the textbook engine reads it: numbered neurons, each with its sources and the slots of its weights.

Reading happens once. Later changes of the graph are not seen; the weights are not here at all, they are read at every pass.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import prod

import networkx as nx

from neurograph.graph.address import Node
from neurograph.graph.layout import Layout, Place, Port, layout_of
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.parameters import Reference
from neurograph.reference.rules import Rule, rule_of

Box = tuple[list[int], list[int]]
"""Numbers of neurons, and their row-major positions in an array."""


@dataclass(frozen=True, slots=True)
class Neuron:
    """One neuron. Its in-edges, in fan-in order, are the columns of `sources` and, where the kind has weights, of `slots`."""

    number: int
    kind: str
    rule: Rule | None
    """None for inputs and constants, which have their value from outside."""

    activation: str
    sources: list[int]
    """Numbers of the neurons it reads."""

    slots: list[int]
    """Where its weights stand among all the weights; empty where the kind has none."""

    bias: int | None
    """Slot of its bias; a constant's value stands there too."""

    dropouts: list[tuple[int, str]]
    """(in-edge, dropout layer) for the in-edges that pass through one."""


@dataclass(frozen=True)
class Head:
    """Outputs that share a loss."""

    port: Port
    neurons: list[int]
    positions: list[int]
    """Row-major position of each neuron in the head's array."""

    groups: list[list[int]]
    """The neurons that one softmax spans: those at one position of a map, as indices into `neurons`."""

    activations: list[str]

    @property
    def n_classes(self) -> int:
        """How many classes its units stand for: its channels."""
        return self.port.shape[0] if self.port.shape else 1

    def classes(self, group: list[int]) -> list[int]:
        """The class of each neuron of a group: its channel in the head's array, whether or not others were removed."""
        spread = 1 if self.port.members is not None else prod(self.port.shape[1:])
        return [self.positions[k] // spread for k in group]


@dataclass(frozen=True)
class Network:
    """What a pass needs to know.

    Attributes
    ----------
    neurons : list of Neuron
        In topological order; a neuron's number is its place in this list.
    offsets : mapping
        Parameter → its first slot. Slots number all weights of all parameters in a row.
    constants : list of str
        Those of the parameters that hold the values of constant nodes only; they have no gradient.
    populations : mapping
        Population → its neurons.
    inputs : list of Box
        Per input port.
    dropped : mapping
        Dropout layer → population it reads → the neurons of that population that somebody reads through it.
    """

    layout: Layout
    neurons: list[Neuron]
    offsets: Mapping[str, int]
    constants: list[str]
    populations: Mapping[Hashable, Box]
    inputs: list[Box]
    heads: list[Head]
    dropped: Mapping[str, Mapping[Hashable, Box]]


def read_network(graph: NeuronGraph) -> Network:
    """Number the neurons of a valid graph and write down what each reads."""
    layout = layout_of(graph)
    numbers = {node: number for number, node in enumerate(nx.topological_sort(graph))}
    offsets, constants = _slots(graph)
    neurons = [_neuron(graph, node, numbers, offsets) for node in numbers]
    at = _numbers_at(graph, numbers)
    populations = _populations(layout, at)
    inputs = [_members(port, populations, at) for port in layout.inputs]
    heads = [_head(port, _members(port, populations, at), neurons) for port in layout.heads]
    dropped = _dropped(neurons, populations)
    return Network(layout, neurons, offsets, constants, populations, inputs, heads, dropped)


def _slots(graph: NeuronGraph) -> tuple[dict[str, int], list[str]]:
    learnt = {param[0] for _, _, param in graph.edges(data="param") if param is not None}
    learnt |= {bias[0] for _, bias in graph.nodes(data="bias") if bias is not None}
    constants = {param[0] for _, param in graph.nodes(data="param") if param is not None} - learnt
    offsets: dict[str, int] = {}
    total = 0
    for name, spec in graph.parameters.items():
        if name in learnt or name in constants:
            offsets[name] = total
            total += prod(spec.shape)
    return offsets, [name for name in offsets if name in constants]


def _neuron(graph: NeuronGraph, node: Node, numbers: Mapping[Node, int], offsets: Mapping[str, int]) -> Neuron:
    def slot(reference: Reference) -> int:
        return offsets[reference[0]] + reference[1]

    data = graph.nodes[node]
    kind = data["kind"]
    fan_in = graph.fan_in(node)
    value = data["param"] if kind == "constant" else data.get("bias")
    return Neuron(
        number=numbers[node],
        kind=kind,
        rule=None if kind in ("input", "constant") else rule_of(kind, len(fan_in), data.get("divisor")),
        activation=data["activation"] if kind != "constant" else "identity",
        sources=[numbers[source] for source, _ in fan_in],
        slots=[slot(edge["param"]) for _, edge in fan_in if edge.get("param") is not None],
        bias=None if value is None else slot(value),
        dropouts=[(j, edge["dropout"]) for j, (_, edge) in enumerate(fan_in) if edge.get("dropout") is not None],
    )


def _numbers_at(graph: NeuronGraph, numbers: Mapping[Node, int]) -> dict[Place, int]:
    at: dict[Place, int] = {}
    for node in graph.in_order():
        data = graph.nodes[node]
        if data["kind"] != "constant":
            layer = data.get("layer")
            at[(node, ()) if layer is None else (layer, tuple(data["index"]))] = numbers[node]
    return at


def _populations(layout: Layout, at: Mapping[Place, int]) -> dict[Hashable, Box]:
    populations: dict[Hashable, Box] = {name: ([], []) for name in layout.shapes}
    for (name, index), number in at.items():
        members, positions = populations[name]
        members.append(number)
        positions.append(flat_index(index, layout.shapes[name]))
    return populations


def flat_index(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Row-major position of an index in an array.

    Examples
    --------
    >>> flat_index((1, 0, 2), (2, 3, 4)), flat_index((), ())
    (14, 0)
    """
    flat = 0
    for i, extent in zip(index, shape, strict=True):
        flat = flat * extent + i
    return flat


def _members(port: Port, populations: Mapping[Hashable, Box], at: Mapping[Place, int]) -> Box:
    if port.members is None:
        return populations[port.name]
    return [at[place] for place in port.members], list(range(len(port.members)))


def _head(port: Port, box: Box, neurons: list[Neuron]) -> Head:
    numbers, positions = box
    spread = 1 if port.members is not None else prod(port.shape[1:])
    groups: dict[int, list[int]] = {}
    for k, position in enumerate(positions):
        groups.setdefault(position % spread, []).append(k)
    return Head(port, numbers, positions, list(groups.values()), [neurons[i].activation for i in numbers])


def _dropped(neurons: list[Neuron], populations: Mapping[Hashable, Box]) -> dict[str, dict[Hashable, Box]]:
    home = {
        number: (name, position)
        for name, (members, positions) in populations.items()
        for number, position in zip(members, positions, strict=True)
    }
    dropped: dict[str, dict[Hashable, dict[int, int]]] = {}
    for neuron in neurons:
        for j, dropout in neuron.dropouts:
            source = neuron.sources[j]
            name, position = home[source]
            dropped.setdefault(dropout, {}).setdefault(name, {})[source] = position
    return {
        dropout: {name: (list(found), list(found.values())) for name, found in sources.items()}
        for dropout, sources in dropped.items()
    }
