"""Second pass: neurons into populations (boxes of positions) and steps (neurons of equal layer, kind, activation, divisor).

A layer's neurons sit at their index in the layer's box. Hand-made neurons sit in lines: inputs in one, the outputs of a head
in one, the others by depth; within a line by insertion. A cycle among steps (an unrolled recurrence) is cut by depth.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.constants import Constants, place_constants
from neurograph.compiler.plan import PlanParameter, PlanPopulation, Position
from neurograph.compiler.schedule import depths, distinct_pairs, topological
from neurograph.compiler.tabulate import Columns
from neurograph.errors import GraphError
from neurograph.graph.address import Node, node_id, write_node

Index = NDArray[np.int64]


@dataclass(frozen=True)
class StepKey:
    """What the neurons of a step have in common."""

    population: int
    op: str
    activation: str
    divisor: float | None


@dataclass(frozen=True)
class Places:
    """Where every neuron sits, and which step computes it."""

    populations: tuple[PlanPopulation, ...]
    population: Index
    """Per neuron: its population's number; for constants, of the population they pad."""

    position: Index
    """Per neuron: its position, with trailing zeros up to the largest rank, shape (neurons, rank)."""

    constants: Constants

    step: Index
    """Per neuron: its step's number in topological order, or −1 for inputs and constants."""

    steps: tuple[StepKey, ...]


def populate(columns: Columns, shapes: Mapping[Hashable, Position], parameters: tuple[PlanParameter, ...]) -> Places:
    """Give every neuron a place and a step.

    Raises
    ------
    GraphError
        If two neurons claim one place, a neuron lies outside its layer, or the graph has a cycle.
    """
    depth = _Depth(columns)
    lines = _lines(columns, shapes, depth)
    populations = tuple(_box(name, members, columns, shapes) for name, members in lines.items())
    constants = place_constants(columns, populations, parameters)
    rank = max((len(population.shape) for population in populations), default=1)
    population = np.zeros(len(columns.nodes), dtype=np.int64)
    position = np.zeros((len(columns.nodes), rank), dtype=np.int64)
    for i, (box, members) in enumerate(zip(populations, lines.values(), strict=True)):
        population[members] = i
        if _is_line(box.name, columns.attributes[members[0]], shapes):
            position[members, 0] = np.arange(len(members))
        else:
            position[members, : len(box.shape)] = [columns.attributes[member]["index"] for member in members]
    for i, place in constants.position.items():
        population[i], position[i, : len(place)] = constants.population[i], place
    _check_places(columns, populations, population, position)
    step, steps = _steps(columns, population, depth)
    named = tuple(
        _with_nodes(box, members, columns, position) for box, members in zip(populations, lines.values(), strict=True)
    )
    return Places(named, population, position, constants, step, steps)


class _Depth:
    """Depth of every neuron, computed when somebody asks."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._depth: Index | None = None

    def __call__(self) -> Index:
        if self._depth is None:
            self._depth = depths(len(self._columns.nodes), self._columns.source, self._columns.target)
        return self._depth


# -- populations ------------------------------------------------------------------------------------------------------
def _lines(columns: Columns, shapes: Mapping[Hashable, Position], depth: _Depth) -> dict[Hashable, list[int]]:
    """Population name → its neurons, inputs first, then in the order of `shapes`, hand-made ones by depth."""
    layers: dict[Hashable, list[int]] = {}
    by_hand = []
    for i, neuron in enumerate(columns.attributes):
        if neuron.get("kind") == "constant":
            continue
        if _by_hand(neuron, shapes):
            by_hand.append(i)
        else:
            layers.setdefault(neuron["layer"], []).append(i)
    declared = [name for name in shapes if name in layers]
    found = {name: layers[name] for name in [*declared, *(name for name in layers if name not in shapes)]}
    for name, members in _hand_made_lines(by_hand, columns, depth).items():
        found[_free(name, found)] = members
    is_input = {name: columns.attributes[members[0]]["kind"] == "input" for name, members in found.items()}
    return {name: found[name] for name in sorted(found, key=lambda name: not is_input[name])}


def _free(name: str, taken: Mapping[Hashable, object]) -> str:
    return _free(f"{name} by hand", taken) if name in taken else name


def _hand_made_lines(neurons: list[int], columns: Columns, depth: _Depth) -> dict[str, list[int]]:
    keys: dict[int, tuple[int, int, int]] = {}
    for i in neurons:
        neuron = columns.attributes[i]
        if neuron["kind"] == "input":
            keys[i] = (0, 0, i)
        elif neuron.get("output"):
            keys[i] = (2, *neuron["output"])
        else:
            keys[i] = (1, int(depth()[i]), i)
    lines: dict[str, list[int]] = {}
    for i in sorted(neurons, key=keys.__getitem__):
        sort, which, _ = keys[i]
        name = "input" if sort == 0 else f"level {which}" if sort == 1 else f"output {which}" if which else "output"
        lines.setdefault(name, []).append(i)
    return lines


def _by_hand(neuron: Mapping[str, Any], shapes: Mapping[Hashable, Position]) -> bool:
    layer = neuron.get("layer")
    return layer is None or not neuron.get("index") or shapes.get(layer) == ()


def _is_line(name: Hashable, first: Mapping[str, Any], shapes: Mapping[Hashable, Position]) -> bool:
    return first.get("layer") != name or _by_hand(first, shapes)


def _box(name: Hashable, members: list[int], columns: Columns, shapes: Mapping[Hashable, Position]) -> PlanPopulation:
    if _is_line(name, columns.attributes[members[0]], shapes):
        return PlanPopulation(name, (len(members),))
    if name in shapes:
        return PlanPopulation(name, tuple(shapes[name]))
    highest = np.max([columns.attributes[member]["index"] for member in members], axis=0)
    return PlanPopulation(name, tuple(int(i) + 1 for i in highest))


def _with_nodes(box: PlanPopulation, members: list[int], columns: Columns, position: Index) -> PlanPopulation:
    """Write node ids into a box wherever they do not follow from the place."""
    rank = len(box.shape)
    places = [tuple(place) for place in position[members, :rank].tolist()]
    if all(columns.nodes[i] == node_id(box.name, place) for i, place in zip(members, places, strict=True)):
        return box
    nodes: list[Node | None] = [None] * prod(box.shape)
    for i, flat in zip(members, np.ravel_multi_index(tuple(position[members, :rank].T), box.shape), strict=True):
        nodes[int(flat)] = columns.nodes[i]
    return PlanPopulation(box.name, box.shape, tuple(nodes))


def _check_places(
    columns: Columns, populations: tuple[PlanPopulation, ...], population: Index, position: Index
) -> None:
    neurons = np.array([neuron.get("kind") != "constant" for neuron in columns.attributes], dtype=np.bool_)
    for number, box in enumerate(populations):
        members = np.flatnonzero(neurons & (population == number))
        inside = position[members, : len(box.shape)]
        wrong = np.flatnonzero(((inside < 0) | (inside >= np.array(box.shape))).any(axis=1))
        if len(wrong):
            raise GraphError(
                f"{write_node(columns.nodes[members[wrong[0]]])}: outside '{box.name}', which is {box.shape}."
            )
        flat = np.ravel_multi_index(tuple(inside.T), box.shape)
        taken, count = np.unique(flat, return_counts=True)
        if (count > 1).any():
            twins = members[flat == taken[np.argmax(count)]][:2]
            first, second = (write_node(columns.nodes[twin]) for twin in twins)
            raise GraphError(
                f"{first} and {second} both claim one place of '{box.name}'; give one of them another index."
            )


# -- steps ------------------------------------------------------------------------------------------------------------
def _steps(columns: Columns, population: Index, depth: _Depth) -> tuple[Index, tuple[StepKey, ...]]:
    keys: dict[tuple[Any, ...], int] = {}
    step = np.full(len(columns.nodes), -1, dtype=np.int64)
    degree = columns.in_degree
    for i, (neuron, of) in enumerate(zip(columns.attributes, population.tolist(), strict=True)):
        kind = neuron["kind"]
        if kind not in ("input", "constant"):
            divisor = _divisor(neuron, int(degree[i])) if kind == "mean" else None
            step[i] = keys.setdefault((of, kind, neuron.get("activation", "identity"), divisor), len(keys))
    order, step, made = _order([StepKey(*key) for key in keys], step, columns, depth)
    rank = np.empty(len(made) + 1, dtype=np.int64)
    rank[order], rank[-1] = np.arange(len(made)), -1
    return rank[step], tuple(made[i] for i in order)


def _divisor(neuron: Mapping[str, Any], in_degree: int) -> float:
    declared = neuron.get("divisor")
    return float(declared) if declared is not None else float(max(in_degree, 1))


def _order(keys: list[StepKey], step: Index, columns: Columns, depth: _Depth) -> tuple[list[int], Index, list[StepKey]]:
    """Steps in topological order; steps on a cycle are first split by the depth of their neurons."""
    pairs = _pairs(step, columns, len(keys))
    order, knotted = topological(len(keys), pairs)
    if not knotted:
        return order, step, keys
    finer: dict[tuple[int, int], int] = {}
    split = np.full_like(step, -1)
    for i, old in enumerate(step.tolist()):
        if old >= 0:
            split[i] = finer.setdefault((old, int(depth()[i]) if old in knotted else 0), len(finer))
    made = [keys[old] for old, _ in finer]
    order, _ = topological(len(made), _pairs(split, columns, len(made)))
    return order, split, made


def _pairs(step: Index, columns: Columns, n: int) -> list[tuple[int, int]]:
    source, target = step[columns.source], step[columns.target]
    reads = (source >= 0) & (target >= 0)
    return distinct_pairs(source[reads], target[reads], n)
