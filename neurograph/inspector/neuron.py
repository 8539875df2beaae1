"""What the network says about one neuron, whether it is written out or in closed form: kind, activation, bias, divisor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neurograph.errors import UnknownName
from neurograph.graph.address import Node, node_id, parse_address, write_node
from neurograph.graph.layout import Layout, Place
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.parameters import Reference


@dataclass(frozen=True)
class Neuron:
    """One neuron's declaration. `divisor` is None where a mean divides by the number of its in-edges."""

    node: Node
    place: Place
    kind: str
    activation: str
    bias: Reference | None
    divisor: float | None


def find(network: Topology | NeuronGraph, layout: Layout, key: Any) -> Neuron:
    """The neuron given as node id or as written.

    Raises
    ------
    UnknownName
        With the valid ranges, or the nearest known name.
    """
    try:
        return at(network, layout, layout.place(key))
    except UnknownName as error:
        parsed = parse_address(key) if isinstance(key, str) else None
        shape = layout.shapes.get(parsed[0]) if parsed is not None else None
        if parsed is None or not shape or len(parsed[1]) != len(shape) or _inside(parsed[1], shape):
            raise
        nearest = tuple(min(max(i, 0), n - 1) for i, n in zip(parsed[1], shape, strict=True))
        raise UnknownName(f"{error} The nearest is {write_node((parsed[0], *nearest))}.") from None


def _inside(index: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return all(0 <= i < n for i, n in zip(index, shape, strict=True))


def at(network: Topology | NeuronGraph, layout: Layout, place: Place) -> Neuron:
    """The neuron at a place."""
    if isinstance(network, Topology):
        population = network.populations[str(place[0])]
        bias = None if population.bias is None else (population.bias.name, population.bias.index(place[1]))
        return Neuron(node_id(*place), place, population.kind, population.activation, bias, population.divisor)
    node = node_at(layout, place)
    if node not in network:
        raise UnknownName(f"no neuron {write_node(node)}: it was removed from this graph.")
    data = network.nodes[node]
    return Neuron(node, place, data["kind"], data["activation"], data.get("bias"), data.get("divisor"))


def node_at(layout: Layout, place: Place) -> Node:
    """The id of the node at a place, also in relabelled graphs."""
    for node, other in (layout.renamed or {}).items():
        if other == place:
            return node
    return node_id(*place)
