"""Which neurons stand together in a picture: layers, and for hand-drawn neurons themselves; and in which column."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import ceil

import networkx as nx

from neurograph.graph.address import Node
from neurograph.graph.neuron_graph import NeuronGraph

TALLEST_COLUMN = 14
"""Units of a dense layer in one column."""


@dataclass(frozen=True)
class Group:
    """Neurons drawn as one block.

    Attributes
    ----------
    name : hashable
        The layer, or the hand-drawn neuron itself.
    shape : tuple of int
        The layer's shape; () for a single neuron.
    nodes : tuple of node
        In row-major order; deleted neurons are None.
    kind, activation : str
        Of its first neuron.
    rank : int
        Column of the picture, inputs 0.
    """

    name: Hashable
    shape: tuple[int, ...]
    nodes: tuple[Node | None, ...]
    kind: str
    activation: str
    rank: int

    @property
    def is_single(self) -> bool:
        return self.shape == ()

    @property
    def grid(self) -> tuple[int, int, int]:
        """Planes, rows and columns that it is drawn in."""
        if len(self.shape) == 3:
            return self.shape[0], self.shape[1], self.shape[2]
        if len(self.shape) == 2:
            return 1, self.shape[0], self.shape[1]
        size = self.shape[0] if self.shape else 1
        columns = ceil(size / TALLEST_COLUMN)
        return 1, ceil(size / columns), columns


def groups_of(graph: NeuronGraph) -> list[Group]:
    """The groups of a graph in the network's own order."""
    members: dict[Hashable, list[Node]] = {}
    for node in graph.in_order():
        data = graph.nodes[node]
        if data.get("kind") != "constant":
            members.setdefault(node if data.get("layer") is None else data["layer"], []).append(node)
    depth = _depths(graph)
    deepest = {name: max(depth[node] for node in nodes) for name, nodes in members.items()}
    ranks = {d: rank for rank, d in enumerate(sorted(set(deepest.values())))}
    return [_group(graph, name, nodes, ranks[deepest[name]]) for name, nodes in members.items()]


def _group(graph: NeuronGraph, name: Hashable, nodes: list[Node], rank: int) -> Group:
    first = graph.nodes[nodes[0]]
    if first.get("layer") is None:
        return Group(name, (), (nodes[0],), first["kind"], first["activation"], rank)
    shape = tuple(graph.graph.get("shapes", {}).get(name, (len(nodes),)))
    places: list[Node | None] = [None] * _size(shape)
    for node in nodes:
        places[_flat(graph.nodes[node]["index"], shape)] = node
    return Group(name, shape, tuple(places), first["kind"], first["activation"], rank)


def _depths(graph: NeuronGraph) -> dict[Node, int]:
    depth: dict[Node, int] = {}
    for node in nx.topological_sort(graph):
        before = [depth[source] for source in graph.pred[node] if graph.nodes[source].get("kind") != "constant"]
        depth[node] = max(before, default=-1) + 1
    return depth


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size


def _flat(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    flat = 0
    for i, extent in zip(index, shape, strict=True):
        flat = flat * extent + i
    return flat
