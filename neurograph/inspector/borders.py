"""Why a shared weight is used less often than its map has positions: windows that hang over the border."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from neurograph.graph.layout import Layout
from neurograph.graph.neighbourhood import fan_in
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.inspector.neuron import node_at
from neurograph.parameters import Reference

Index = tuple[int, ...]


def positions_of(
    network: Topology | NeuronGraph, layout: Layout, reference: Reference, targets: Sequence[object]
) -> int | None:
    """How many positions a weight's map has, where the border alone leaves some without this weight; else None.

    Parameters
    ----------
    targets : sequence of node ids
        The neurons that use the weight.
    """
    places = {layout.place(target) for target in targets}
    maps = {(name, index[:1]) for name, index in places}
    if len(maps) != 1:
        return None
    ((name, group),) = maps
    shape = layout.shapes[name][1:]
    if not shape or len(places) == prod(shape) or len(places) != len(targets):
        return None
    used = [index[1:] for _, index in places]
    box = [(min(axis), max(axis)) for axis in zip(*used, strict=True)]
    if prod(last - first + 1 for first, last in box) != len(places):
        return None  # not a rectangle: edges were removed, or the weight is not shared by position
    middle, corner = tuple((first + last) // 2 for first, last in box), _outside(box, shape)
    here, there = (_weights(network, layout, (name, (*group, *index))) for index in (middle, corner))
    return prod(shape) if reference in here and there < here else None


def _outside(box: Sequence[tuple[int, int]], shape: Index) -> Index:
    """A position that the rectangle leaves out: the middle, moved just over one side."""
    index = [(first + last) // 2 for first, last in box]
    for axis, ((first, last), n) in enumerate(zip(box, shape, strict=True)):
        if first > 0 or last < n - 1:
            index[axis] = first - 1 if first > 0 else last + 1
            return tuple(index)
    return tuple(index)


def _weights(network: Topology | NeuronGraph, layout: Layout, place: tuple[object, Index]) -> set[Reference | None]:
    """The weights that a neuron reads with; none where it was removed."""
    node = node_at(layout, place)
    if isinstance(network, NeuronGraph) and node not in network:
        return set()
    return {wire.param for wire in fan_in(network, node)}
