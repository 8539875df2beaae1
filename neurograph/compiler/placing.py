"""Between a network's names and a plan's positions: which address holds which neuron of which layer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Arena, Box
from neurograph.compiler.plan import Plan
from neurograph.graph.address import node_id
from neurograph.graph.layout import Layout, Place, Port

if TYPE_CHECKING:
    from neurograph.graph.neuron_graph import NeuronGraph

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]
NOWHERE = -1
"""Address of a place whose neuron was removed."""


class Placing:
    """Addresses by the network's own names.

    Parameters
    ----------
    plan : Plan
    layout : Layout
    arena : Arena
    inputs : mapping
        Input layer → which of its places have a neuron; layers not listed are whole. (A plan does not say.)
    """

    def __init__(self, plan: Plan, layout: Layout, arena: Arena, inputs: Mapping[Hashable, Mask]) -> None:
        self._plan, self._layout, self._arena = plan, layout, arena
        self._nodes = {place: node for node, place in (layout.renamed or {}).items()}
        self._known = {population.name: population for population in plan.populations}
        self._held = {**{name: mask for name, mask in inputs.items() if not mask.all()}, **_held(plan)}

    def whole(self, name: Hashable) -> Box | None:
        """The box that a layer's neurons fill, row-major and all of it; None where neurons were removed or stand elsewhere."""
        return self._arena.boxes[name] if self._is_box(name) and name not in self._held else None

    def population(self, name: Hashable) -> Index:
        """Addresses of a layer's neurons, row-major; `NOWHERE` where a neuron was removed."""
        shape = self._layout.shapes[name]
        if self._is_box(name):
            every: Index = self._arena.boxes[name].every()
            return np.where(self._held[name].reshape(-1), every, NOWHERE) if name in self._held else every
        if not shape:
            return np.array([self.place((name, ()))], dtype=np.int64)
        indices = np.stack(np.unravel_index(np.arange(prod(shape)), shape), axis=1).tolist()
        return np.array([self.place((name, tuple(index))) for index in indices], dtype=np.int64)

    def place(self, place: Place) -> int:
        """Address of one neuron."""
        name, index = place
        node = self._nodes.get(place, node_id(name, index))
        if node in self._plan.places:
            population, position = self._plan.places[node]
        elif name in self._known and self._known[name].nodes is None:
            population, position = name, index
            if population in self._held and not self._held[population][position]:
                return NOWHERE
        else:
            return NOWHERE
        return int(self._arena.boxes[population].address(np.array(position, dtype=np.int64)))

    def _is_box(self, name: Hashable) -> bool:
        found = self._known.get(name)
        return found is not None and found.nodes is None and found.shape == self._layout.shapes.get(name)

    def port(self, port: Port) -> Index:
        """Addresses of the columns of an input or a head."""
        if port.members is None:
            return self.population(port.name)
        return np.array([self.place(member) for member in port.members], dtype=np.int64)


def _held(plan: Plan) -> dict[Hashable, Mask]:
    """Which positions of a computed population have a neuron: those that some step computes. Whole populations are left out."""
    whole = {step.population for step in plan.steps if step.members is None}
    held: dict[Hashable, Mask] = {}
    for step in plan.steps:
        if step.members is not None and step.population not in whole:
            mask = held.setdefault(step.population, np.zeros(plan.population(step.population).shape, dtype=np.bool_))
            mask[tuple(step.members.array.T)] = True
    return {name: mask for name, mask in held.items() if not mask.all()}


def inputs_left(graph: NeuronGraph) -> dict[Hashable, Mask]:
    """Which places of each input layer of a graph still have their neuron."""
    shapes = graph.graph.get("shapes", {})
    left: dict[Hashable, Mask] = {}
    for _, data in graph.nodes(data=True):
        if data.get("kind") == "input" and data.get("layer") in shapes:
            layer = data["layer"]
            left.setdefault(layer, np.zeros(shapes[layer], dtype=np.bool_))[tuple(data["index"])] = True
    return left
