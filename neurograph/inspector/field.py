"""What a neuron sees of the input: the box of its receptive field, and the numbers in it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.layout import Layout, Place
from neurograph.graph.neighbourhood import fan_in
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Projection, Topology
from neurograph.inspector.neuron import node_at

Array = NDArray[Any]
Axes = tuple[set[int], ...]
"""Coordinates that are seen, axis by axis."""


@dataclass(frozen=True)
class Seen:
    """The part of one input that a neuron sees.

    Attributes
    ----------
    name : hashable
        The input.
    box : tuple of (first, last)
        Along each axis of the input.
    values : tuple of tuple of tuple of float
        The numbers in the box, channel by channel, row by row; NaN where an input was removed.
    """

    name: Hashable
    box: tuple[tuple[int, int], ...]
    values: tuple[tuple[tuple[float, ...], ...], ...]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns; a sequence has one row."""
        return len(self.values[0]), len(self.values[0][0])


def receptive_values(network: Topology | NeuronGraph, layout: Layout, place: Place, inputs: Any) -> tuple[Seen, ...]:
    """What a neuron sees of every input that has positions; plain features and hand-drawn inputs have none.

    Parameters
    ----------
    inputs : mapping
        Input → its values in one sample.
    """
    positioned = {port.name: port.shape for port in layout.inputs if port.members is None and len(port.shape) > 1}
    if not positioned or place[0] in positioned:
        return ()
    on_the_way = _in_topology(network, place) if isinstance(network, Topology) else _in_graph(network, layout, place)
    found = []
    for name in positioned:
        if name in on_the_way:
            box = tuple((min(axis), max(axis)) for axis in on_the_way[name])
            found.append(Seen(name, box, _cut(np.asarray(inputs[name], dtype=np.float64), box)))
    return tuple(found)


def _cut(values: Array, box: tuple[tuple[int, int], ...]) -> tuple[tuple[tuple[float, ...], ...], ...]:
    part = values[tuple(slice(first, last + 1) for first, last in box)]
    framed = part if part.ndim == 3 else part[:, None, :]
    return tuple(tuple(tuple(row) for row in channel) for channel in framed.tolist())


def _in_topology(topology: Topology, place: Place) -> dict[Hashable, Axes]:
    """Coordinates seen of every population behind a neuron, axis by axis; no neuron is enumerated."""
    name, index = place
    seen: dict[Hashable, Axes] = {name: tuple({i} for i in index)}
    order = list(topology.populations)
    for target in reversed(order[: order.index(str(name)) + 1]):
        for projection in topology.into(target) if target in seen else ():
            axes = _through(topology, projection, seen[target])
            if all(axes):
                known = seen.get(projection.source)
                seen[projection.source] = axes if known is None else _joined(known, axes)
    return seen


def _through(topology: Topology, projection: Projection, seen: Axes) -> Axes:
    extents = topology.populations[projection.source].shape
    framed = (*seen, *[{0}] * (len(projection.axes) - len(seen)))
    found = []
    for axis, targets, extent in zip(projection.axes, framed, extents, strict=True):
        sources: set[int] = set()
        for target in targets:
            sources.update(i for i in axis.into(target).source.tolist() if 0 <= i < extent)  # padding is not input
            if len(sources) == extent:
                break  # nothing left to find: a dense layer's first unit sees all
        found.append(sources)
    return tuple(found)


def _joined(one: Axes, other: Axes) -> Axes:
    return tuple(a | b for a, b in zip(one, other, strict=True))


def _in_graph(graph: NeuronGraph, layout: Layout, place: Place) -> dict[Hashable, Axes]:
    """The same by walking back along the edges, as an edited graph needs it."""
    seen: dict[Hashable, Axes] = {}
    todo, known = [place], {place}
    while todo:
        name, index = todo.pop()
        if name not in layout.shapes:
            continue  # a padded position
        seen[name] = _joined(seen[name], tuple({i} for i in index)) if name in seen else tuple({i} for i in index)
        for wire in fan_in(graph, node_at(layout, (name, index))):
            if wire.from_place not in known:
                known.add(wire.from_place)
                todo.append(wire.from_place)
    return seen
