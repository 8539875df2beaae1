"""Which arrays a network's numbers live in: shapes by layer, the inputs, the heads, and where each neuron sits.

Both engines speak of the same places because both ask here; the numbers themselves each computes alone.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, TypeGuard

from neurograph.errors import UnknownName, suggest
from neurograph.graph.address import Node, node_id, parse_address, write_node
from neurograph.graph.losses import Loss
from neurograph.graph.topology import Topology

if TYPE_CHECKING:
    from neurograph.graph.neuron_graph import NeuronGraph

Shape = tuple[int, ...]
Place = tuple[Hashable, tuple[int, ...]]
"""A neuron's place: population name and index."""


@dataclass(frozen=True)
class Port:
    """A group of neurons that is fed or read as one array: an input, or a head.

    `members` are the places of its columns in order; None where the port is exactly the population `name`.
    """

    name: Hashable
    shape: Shape
    members: tuple[Place, ...] | None = None
    loss: Loss | None = None
    kind: str = "weighted"
    activation: str = "identity"

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """Names, shapes and places of a network.

    Attributes
    ----------
    shapes : mapping
        Population → shape, inputs first, in order. A hand-made neuron is a population of shape ().
    inputs, heads : tuple of Port
    """

    shapes: Mapping[Hashable, Shape]
    inputs: tuple[Port, ...]
    heads: tuple[Port, ...]
    renamed: Mapping[Node, Place] | None = None
    """Node id → place, where node ids do not follow from the place (relabelled graphs)."""

    def place(self, key: Any) -> Place:
        """The place of a neuron given as node id or as written (``"conv1[0,3,4]"``).

        Raises
        ------
        UnknownName
            With the valid ranges, or the nearest known name.
        """
        if self.renamed is not None and _hashable(key) and key in self.renamed:
            return self.renamed[key]
        if _hashable(key) and self.shapes.get(key) == ():
            return key, ()
        if isinstance(key, str):
            parsed = parse_address(key)
            if parsed is not None:
                return self._checked(*parsed)
        if isinstance(key, tuple) and len(key) > 1 and key[0] in self.shapes:
            return self._checked(key[0], tuple(key[1:]))
        if isinstance(key, str) and key in self.shapes:
            raise UnknownName(
                f"'{key}' is a layer of shape {_times(self.shapes[key])}; name one neuron, such as {self._example(key)}."
            )
        raise UnknownName(
            f"no neuron {write_node(key)}{suggest(str(key).split('[')[0], self._names)} (layers: {self._known})"
        )

    def _checked(self, name: Hashable, index: tuple[int, ...]) -> Place:
        if name not in self.shapes:
            raise UnknownName(f"no layer '{name}'{suggest(str(name), self._names)} (layers: {self._known})")
        shape = self.shapes[name]
        if len(index) != len(shape) or not all(0 <= i < n for i, n in zip(index, shape, strict=False)):
            ranges = ",".join(f"0…{n - 1}" for n in shape)
            raise UnknownName(f"no neuron {write_node((name, *index))}: '{name}' has neurons {name}[{ranges}].")
        return name, index

    def _example(self, name: str) -> str:
        return write_node(node_id(name, tuple(n // 2 for n in self.shapes[name])))

    @cached_property
    def _names(self) -> list[str]:
        return [str(name) for name in self.shapes]

    @property
    def _known(self) -> str:
        return ", ".join(self._names[:20]) + (", …" if len(self._names) > 20 else "")


def is_graph(network: object) -> TypeGuard[NeuronGraph]:
    """Whether a network is written out; asked without loading NetworkX, which whoever has a graph has loaded."""
    module = sys.modules.get("neurograph.graph.neuron_graph")
    return module is not None and isinstance(network, module.NeuronGraph)


def layout_of(network: Topology | NeuronGraph) -> Layout:
    """The layout of a topology or a graph; equal for a topology and the graph built from it."""
    return _of_topology(network) if isinstance(network, Topology) else _of_graph(network)


def _of_topology(topology: Topology) -> Layout:
    shapes: dict[Hashable, Shape] = {name: population.shape for name, population in topology.populations.items()}
    populations = [p for p in topology.populations.values() if p.is_input]
    if topology.is_hand_drawn:
        inputs: tuple[Port, ...] = (
            Port("input", (len(populations),), tuple((p.name, ()) for p in populations), kind="input"),
        )
    else:
        inputs = tuple(Port(p.name, p.shape, kind="input") for p in populations)
    heads = []
    for head, members in zip(topology.heads, topology.outputs, strict=True):
        first = topology.populations[members[0]]
        places = tuple((m, ()) for m in members) if head.name is None else None
        shape = (len(members),) if head.name is None else first.shape
        heads.append(Port(head.name, shape, places, head.loss, first.kind, first.activation))
    return Layout(shapes, inputs, tuple(heads))


def _of_graph(graph: NeuronGraph) -> Layout:
    nodes = graph.nodes
    declared: Mapping[Hashable, Shape] = graph.graph.get("shapes", {})
    shapes: dict[Hashable, Shape] = {}
    renamed: dict[Node, Place] = {}
    input_ports: dict[Hashable, list[Place]] = {}
    by_hand = "input" if "input" not in declared else "input by hand"
    for node in graph.in_order():
        data = nodes[node]
        if data.get("kind") == "constant":
            continue
        layer = data.get("layer")
        place: Place = (node, ()) if layer is None else (layer, tuple(data["index"]))
        shapes.setdefault(place[0], () if layer is None else declared[layer])
        if node_id(*place) != node:
            renamed[node] = place
        if data.get("kind") == "input":
            input_ports.setdefault(by_hand if layer is None else layer, []).append(place)
    inputs = [
        Port(name, (len(places),), tuple(places), kind="input")
        if name == by_hand
        else Port(name, shapes[name], kind="input")
        for name, places in input_ports.items()
    ]
    return Layout(shapes, tuple(inputs), tuple(_heads(graph, shapes)), renamed or None)


def _heads(graph: NeuronGraph, shapes: Mapping[Hashable, Shape]) -> list[Port]:
    heads = []
    for number, head in enumerate(graph.heads):
        members = graph.outputs(number)
        if not members:
            continue
        first = graph.nodes[members[0]]
        common = (head.loss, first["kind"], first["activation"])
        if head.name is None:
            places = tuple(
                (m, ())
                if graph.nodes[m].get("layer") is None
                else (graph.nodes[m]["layer"], tuple(graph.nodes[m]["index"]))
                for m in members
            )
            heads.append(Port(None, (len(members),), places, *common))
        else:
            heads.append(Port(head.name, shapes[head.name], None, *common))
    return heads


def _hashable(key: Any) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape))
