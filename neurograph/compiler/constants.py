"""Where constant nodes sit: outside the box of the population they pad, as the halo that holds their value.

A constant made by hand pads nothing. It gets a place of its own outside the first population, and its edges a projection of
their own, so that the rest of the compiler knows only one kind of constant.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.plan import PlanParameter, PlanPopulation, Position
from neurograph.compiler.tabulate import Columns
from neurograph.errors import GraphError
from neurograph.graph.address import node_id, write_node

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Constants:
    """The constants of a graph, by neuron number."""

    halo: dict[int, str]
    """The parameter that holds the value."""

    population: dict[int, int]
    position: dict[int, Position]
    by_hand: frozenset[int]
    """Constants that pad nothing: their edges are kept apart."""

    names: dict[tuple[str, Position], Hashable]
    """(halo, position) → node id, where it is not ``(halo, *position)``."""


def place_constants(
    columns: Columns, populations: tuple[PlanPopulation, ...], parameters: tuple[PlanParameter, ...]
) -> Constants:
    """Find the place of every constant.

    Raises
    ------
    GraphError
        If a constant's value is not a parameter of one number.
    """
    number = {population.name: i for i, population in enumerate(populations)}
    sizes = {parameter.name: parameter.size for parameter in parameters}
    found = Constants({}, {}, {}, frozenset(), {})
    by_hand = []
    taken: set[tuple[str, int, Position]] = set()
    for i, neuron in enumerate(columns.attributes):
        if neuron.get("kind") != "constant":
            continue
        name = neuron["param"][0]
        if sizes.get(name) != 1:
            size = sizes.get(name, "no")
            raise GraphError(
                f"{write_node(columns.nodes[i])}: its value is in '{name}', which holds {size} numbers; it may hold 1."
            )
        padded, index = number.get(neuron.get("pads"), 0), tuple(neuron.get("index") or ())
        if (
            neuron.get("pads") not in number
            or not _outside(index, populations[padded].shape)
            or (name, padded, index) in taken
        ):
            by_hand.append(i)
            padded, index = 0, (-len(by_hand), *[0] * (len(populations[0].shape) - 1))
        taken.add((name, padded, index))
        found.halo[i], found.population[i], found.position[i] = name, padded, index
        if i in by_hand or columns.nodes[i] != node_id(name, index):
            found.names[name, index] = columns.nodes[i]
    return Constants(found.halo, found.population, found.position, frozenset(by_hand), found.names)


def _outside(index: Position, shape: Position) -> bool:
    return len(index) == len(shape) and not all(0 <= i < n for i, n in zip(index, shape, strict=True))
