"""The pass `route`: which way δ takes back through maxima, to winners only or added onto all that windows share.

Pure, and optional: without it every maximum adds.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Box
from neurograph.compiler.cells import cells_of_nest
from neurograph.compiler.fuse import readers_of
from neurograph.compiler.plan import Nest, Plan, Position, Route, Step

Index = NDArray[np.int64]
FEW = 30
"""Nests of which every two are compared; clipped windows make 9 at most, and what is beyond was edited by hand."""


def route(plan: Plan) -> Plan:
    """Annotate every maximum whose source `fuse` found to be read by it alone."""
    producers = {
        step.fusion.pool: step for step in plan.steps if step.fusion is not None and step.fusion.pool is not None
    }
    readers = readers_of(plan)
    return replace(
        plan, steps=tuple(_routed(plan, step, producers.get(step.population), readers) for step in plan.steps)
    )


def _routed(plan: Plan, step: Step, producer: Step | None, readers: dict[Hashable, list[int]]) -> Step:
    if step.op != "max" or producer is None or len(readers[producer.population]) != 1:
        return step
    if _overlap(step, plan, producer.population):
        return replace(step, route=Route())
    gates = producer.activation == "relu" and step.activation == "identity"
    return replace(step, route=Route(assigns=True, gates=gates))


def _overlap(step: Step, plan: Plan, source: Hashable) -> bool:
    """Whether some source position lies in more than one window."""
    projection = step.projections[0]
    boxes = [_axes_of(nest) for nest in projection.nests[:FEW]]
    if projection.table is None and len(projection.nests) <= FEW and all(boxes):
        return any(_meets_itself(box) for box in boxes) or any(_meet(*pair) for pair in combinations(boxes, 2))
    return bool(_times_read(step, plan, source).max() > 1)


# -- in closed form ---------------------------------------------------------------------------------------------------
def _axes_of(nest: Nest) -> list[Index]:
    """Per source axis: the coordinates that the nest's windows read, as often as they do.

    The windows are the product of these where a window is a product of its coordinates, and every loop moves it along one
    axis. Elsewhere the answer is an empty list.
    """
    taps = nest.taps.source.array
    own = [np.unique(column) for column in taps.T]
    if prod(map(len, own)) != len(taps) or any(np.count_nonzero(axis.source) != 1 for axis in nest.axes):
        return []
    found = [first + offsets for first, offsets in zip(nest.source, own, strict=True)]
    for axis in nest.axes:
        (along,) = np.flatnonzero(axis.source)
        walked = np.arange(axis.count, dtype=np.int64) * axis.source[along]
        found[along] = np.add.outer(walked, found[along]).reshape(-1)
    return found


def _meets_itself(box: list[Index]) -> bool:
    return any(len(np.unique(axis)) < len(axis) for axis in box)


def _meet(first: list[Index], second: list[Index]) -> bool:
    return all(len(np.intersect1d(a, b)) for a, b in zip(first, second, strict=True))


# -- position by position ---------------------------------------------------------------------------------------------
def _times_read(step: Step, plan: Plan, source: Hashable) -> Index:
    """How many windows each source position lies in."""
    projection = step.projections[0]
    target, read = _tight(plan.population(step.population).shape), _tight(plan.population(source).shape)
    cells = [cells_of_nest(nest, target, read, 0) for nest in projection.nests]
    addresses = [(found.source[:, None] + found.taps[:, 0]).reshape(-1) for found in cells]
    if projection.table is not None:
        addresses.append(read.address(projection.table.source.array))
    counts: Index = np.bincount(np.concatenate(addresses), minlength=read.size)
    return counts


def _tight(shape: Position) -> Box:
    """A box without margins."""
    none = (0,) * len(shape)
    return Box(0, shape, none, none)
