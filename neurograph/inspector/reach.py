"""What a change could reach: the neurons whose z, a or δ depend on what was changed, by structure alone, whatever the numbers are.

On a topology this is closed form: an axis at a time, since a projection is the product of its axes' wirings.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.layout import Layout, Place, Port
from neurograph.graph.neighbourhood import fan_in
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Projection, Topology
from neurograph.inspector.neuron import at
from neurograph.ops.wiring import Blocks, Wiring

Mask = NDArray[np.bool_]
Masks = dict[Hashable, Mask]
COUPLED = ("cross_entropy", "rbf_map")
"""Losses in which the δ of one output depends on the others."""


@dataclass(frozen=True)
class Seeds:
    """Where a change begins.

    Attributes
    ----------
    a : set of Place
        Neurons whose activation is set: inputs, and neurons that are held.
    z : set of Place
        Neurons one of whose weights, or whose bias, is changed.
    held : set of Place
        Those whose activation no longer depends on z.
    sources : set of Place
        Neurons that reach a target through a changed weight.
    has_target : bool
        Whether δ comes from a loss, which looks at the outputs, or from upstream, as given.
    """

    a: set[Place] = field(default_factory=set)
    z: set[Place] = field(default_factory=set)
    held: set[Place] = field(default_factory=set)
    sources: set[Place] = field(default_factory=set)
    has_target: bool = True


@dataclass(frozen=True)
class Reach:
    """Neurons whose z, a and δ could change, per population."""

    z: Masks
    a: Masks
    delta: Masks


def reach_of(network: Topology | NeuronGraph, layout: Layout, seeds: Seeds) -> Reach:
    """Follow a change forward, and from everything it touches backward.

    Notes
    -----
    On a topology in the time of the axes' links; on a graph in the time of its edges.
    """
    wiring: _Axes | _Edges = _Axes(network, layout) if isinstance(network, Topology) else _Edges(network, layout)
    z, a = _forward(wiring, layout, seeds)
    return Reach(z, a, _backward(wiring, layout, seeds, z, a))


def _forward(wiring: _Axes | _Edges, layout: Layout, seeds: Seeds) -> tuple[Masks, Masks]:
    z, a = _marked(layout, seeds.z), _marked(layout, seeds.a)
    for place in seeds.a:
        if wiring.is_input(place):
            z[place[0]][place[1]] = True
    wiring.spread(z, a, _marked(layout, seeds.held))
    for port in layout.heads:
        if port.activation == "softmax":
            _couple(port, z, a)
    return z, a


def _backward(wiring: _Axes | _Edges, layout: Layout, seeds: Seeds, z: Masks, a: Masks) -> Masks:
    delta = _marked(layout, seeds.sources | seeds.held)
    for port in layout.heads:
        if seeds.has_target or port.activation == "softmax":
            _couple(port, z, delta)
            _couple(port, a, delta)
    wiring.collect(z, a, delta)
    return delta


def _marked(layout: Layout, places: Iterable[Place]) -> Masks:
    masks: Masks = {name: np.zeros(shape, dtype=bool) for name, shape in layout.shapes.items()}
    for name, index in places:
        if name in masks:
            masks[name][index] = True
    return masks


def _couple(port: Port, of: Masks, into: Masks) -> None:
    """Where one output of a head is touched, so are those that share its softmax, or its loss."""
    together = port.activation == "softmax" or (port.loss is not None and port.loss.kind in COUPLED)
    if port.members is not None:
        touched = [bool(of[name][index]) for name, index in port.members]
        for (name, index), own in zip(port.members, touched, strict=True):
            into[name][index] |= any(touched) if together else own
        return
    mask = of[port.name]
    into[port.name] |= np.broadcast_to(mask.any(axis=0), mask.shape) if together else mask


class _Axes:
    """The wiring of a topology."""

    def __init__(self, topology: Topology, layout: Layout) -> None:
        self.topology = topology

    def is_input(self, place: Place) -> bool:
        return self.topology.populations[str(place[0])].is_input

    def spread(self, z: Masks, a: Masks, held: Masks) -> None:
        for name in self.topology.populations:
            for projection in self.topology.into(name):
                z[name] |= self._through(projection, a[projection.source], forward=True)
            a[name] |= z[name] & ~held[name]

    def collect(self, z: Masks, a: Masks, delta: Masks) -> None:
        for name in reversed(list(self.topology.populations)):
            population = self.topology.populations[name]
            for projection in self.topology.out_of(name):
                target = self.topology.populations[projection.target]
                moved = delta[projection.target] | (z[projection.target] if target.kind in ("max", "l2") else False)
                delta[name] |= self._through(projection, moved, forward=False)
                if target.kind in ("rbf", "l2"):
                    delta[name] |= a[name] & self._through(projection, np.ones_like(moved), forward=False)
            if not population.is_input and population.activation != "identity":
                delta[name] |= z[name]

    def _through(self, projection: Projection, mask: Mask, *, forward: bool) -> Mask:
        """Which targets have a marked source; backward: which sources have a marked target."""
        shapes = [self.topology.populations[name].shape for name in (projection.source, projection.target)]
        source, target = ((*shape, *[1] * (len(projection.axes) - len(shape))) for shape in shapes)
        found = mask.reshape(source if forward else target)
        for number, axis in enumerate(projection.axes):
            extent = (target if forward else source)[number]
            found = np.moveaxis(_along(axis, np.moveaxis(found, number, 0), extent, forward), 0, number)
        return found.reshape(shapes[1] if forward else shapes[0])


def _along(axis: Wiring, mask: Mask, extent: int, forward: bool) -> Mask:
    if isinstance(axis, Blocks):
        n_here, n_there = (axis.sources, axis.targets) if forward else (axis.targets, axis.sources)
        groups = np.logical_or.reduce(mask.reshape(axis.groups, n_here, *mask.shape[1:]), axis=1)
        repeated: Mask = np.repeat(groups, n_there, axis=0)
        return repeated
    links = axis.links()
    here, there = (links.source, links.target) if forward else (links.target, links.source)
    inside = (links.source >= 0) & (links.source < (mask.shape[0] if forward else extent))
    found = np.zeros((extent, *mask.shape[1:]), dtype=bool)
    np.logical_or.at(found, there[inside], mask[here[inside]])
    return found


class _Edges:
    """The wiring of a graph, edge by edge."""

    def __init__(self, graph: NeuronGraph, layout: Layout) -> None:
        import networkx as nx

        self.graph, self.layout = graph, layout
        self.order = [layout.place(n) for n in nx.topological_sort(graph) if graph.nodes[n]["kind"] != "constant"]
        self.neurons = {place: at(graph, layout, place) for place in self.order}
        self.sources = {
            place: [w.from_place for w in fan_in(graph, neuron.node) if w.from_place in self.neurons]
            for place, neuron in self.neurons.items()
        }

    def is_input(self, place: Place) -> bool:
        return self.neurons[place].kind == "input"

    def spread(self, z: Masks, a: Masks, held: Masks) -> None:
        for name, index in self.order:
            z[name][index] |= any(a[other][at_] for other, at_ in self.sources[name, index])
            a[name][index] |= z[name][index] & ~held[name][index]

    def collect(self, z: Masks, a: Masks, delta: Masks) -> None:
        for place in reversed(self.order):
            (name, index), neuron = place, self.neurons[place]
            if neuron.kind != "input" and neuron.activation != "identity":
                delta[name][index] |= z[name][index]
            moved = delta[name][index] or (neuron.kind in ("max", "l2") and z[name][index])
            for other, at_ in self.sources[place]:
                delta[other][at_] |= moved or (neuron.kind in ("rbf", "l2") and a[other][at_])
