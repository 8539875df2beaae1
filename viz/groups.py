"""Which neurons stand together in a picture: layers, and for hand-drawn neurons themselves; and in which column."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import ceil, prod

import networkx as nx

from neurograph.graph.address import Node
from neurograph.graph.neuron_graph import NeuronGraph

TALLEST_COLUMN = 14
"""Units of a dense layer in one column; of one with more than three columns of these, twice as many."""


@dataclass(frozen=True)
class Group:
    """Neurons drawn as one block.

    Attributes
    ----------
    name : hashable
        The layer, or the hand-drawn neuron itself.
    shape : tuple of int
        The shape of what is drawn of the layer; () for a single neuron.
    nodes : tuple of node
        In row-major order; deleted neurons are None.
    kind, activation : str
        Of its first neuron.
    rank : int
        Column of the picture, inputs 0.
    window : tuple of range, or None
        The part of the layer that is drawn; None for all of it.
    rim : int
        How many padded positions are drawn on every side.
    """

    name: Hashable
    shape: tuple[int, ...]
    nodes: tuple[Node | None, ...]
    kind: str
    activation: str
    rank: int
    window: tuple[range, ...] | None = None
    rim: int = 0

    @property
    def is_single(self) -> bool:
        return self.shape == ()

    @property
    def grid(self) -> tuple[int, int, int]:
        """Planes, rows and columns that it is drawn in."""
        if len(self.shape) == 3:
            return self.shape[0], self.shape[1], self.shape[2]
        if len(self.shape) == 2:
            return self.shape[0], self.shape[1], 1  # a sequence runs downwards, or its edges would cover one another
        size = self.shape[0] if self.shape else 1
        columns = ceil(size / (TALLEST_COLUMN if size <= 3 * TALLEST_COLUMN else 2 * TALLEST_COLUMN))
        return 1, ceil(size / columns), columns


def groups_of(graph: NeuronGraph) -> list[Group]:
    """The groups of a graph in the network's own order."""
    members: dict[Hashable, list[Node]] = {}
    for node in graph.in_order():
        data = graph.nodes[node]
        if data.get("kind") != "constant":
            members.setdefault(node if data.get("layer") is None else data["layer"], []).append(node)
    deepest = graph.graph.get("ranks") or _deepest(graph, members)
    deepest = {name: deepest[name] for name in members}
    ranks = {d: rank for rank, d in enumerate(sorted(set(deepest.values())))}
    return [_group(graph, name, nodes, ranks[deepest[name]]) for name, nodes in members.items()]


def _group(graph: NeuronGraph, name: Hashable, nodes: list[Node], rank: int) -> Group:
    first = graph.nodes[nodes[0]]
    if first.get("layer") is None:
        return Group(name, (), (nodes[0],), first["kind"], first["activation"], rank)
    shape = tuple(graph.graph.get("shapes", {}).get(name, (len(nodes),)))
    window = graph.graph.get("windows", {}).get(name)
    drawn = shape if window is None else tuple(len(span) for span in window)
    first_at = (0,) * len(shape) if window is None else tuple(span.start for span in window)
    places: list[Node | None] = [None] * prod(drawn)
    for node in nodes:
        at = tuple(i - start for i, start in zip(graph.nodes[node]["index"], first_at, strict=True))
        places[_flat(at, drawn)] = node
    return Group(
        name, drawn, tuple(places), first["kind"], first["activation"], rank, window if drawn != shape else None
    )


def _deepest(graph: NeuronGraph, members: dict[Hashable, list[Node]]) -> dict[Hashable, int]:
    depth = _depths(graph)
    return {name: max(depth[node] for node in nodes) for name, nodes in members.items()}


def _depths(graph: NeuronGraph) -> dict[Node, int]:
    """How many neurons stand before each on its longest road; neurons of a loop stand at one depth."""
    loops = nx.condensation(graph)
    depth: dict[int, int] = {}
    for loop in nx.topological_sort(loops):
        before = [depth[other] for other in loops.pred[loop] if not _is_constant(graph, loops.nodes[other]["members"])]
        depth[loop] = max(before, default=-1) + 1
    return {node: depth[loop] for node, loop in loops.graph["mapping"].items()}


def _is_constant(graph: NeuronGraph, members: set[Node]) -> bool:
    return all(graph.nodes[node].get("kind") == "constant" for node in members)


def _flat(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    flat = 0
    for i, extent in zip(index, shape, strict=True):
        flat = flat * extent + i
    return flat
