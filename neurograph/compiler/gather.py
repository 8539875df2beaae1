"""Errors by gathering: where it is quicker for every source to collect from the targets that read it than for targets to spread.

Where targets lie as densely as sources (stride 1), the targets that read a source are a stencil too, the forward one turned round. At
borders it reaches beyond the targets, so their population gets a margin whose δ is always 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.plan import ONE, Nest, Plan, Position, Step
from neurograph.compiler.storage import HALF, WHOLE

Index = NDArray[np.int64]
CELLS, TILE_COST = 8, 28
"""Cells of a tile, and what starting and ending one costs, in vectors of products."""


@dataclass(frozen=True)
class Gathered:
    """A nest whose errors are gathered.

    Attributes
    ----------
    places : ndarray, shape (places, rank − 1)
        The distinct spatial offsets of its taps.
    channels : int
        Neighbouring channels that every place is read in.
    lower, upper : tuple of int
        The margins that its targets need, per axis.
    """

    places: Index
    channels: int
    lower: Position
    upper: Position


def gathered_nests(plan: Plan) -> dict[tuple[int, int, int], Gathered]:
    """(Step, projection, nest) → what it needs, for all nests whose errors are gathered.

    Inputs want no errors, and behind a maximum winners are quicker.
    """
    inputs = {population.name for population in plan.inputs}
    found = {}
    for i, step in enumerate(plan.steps):
        if step.op != "weighted" or (step.fusion is not None and step.fusion.pool is not None):
            continue
        for j, projection in enumerate(step.projections):
            if projection.source == ONE or projection.source in inputs:
                continue
            for k, nest in enumerate(projection.nests):
                needs = gathered(plan, step, nest, plan.population(projection.source).shape)
                if needs is not None and nest.weight is not None:
                    found[i, j, k] = needs
    return found


def gathered(plan: Plan, step: Step, nest: Nest, source: Position) -> Gathered | None:
    """What a nest needs for gathering; None where its geometry has no such stencil, or spreading is quicker."""
    shape = plan.population(step.population).shape
    if step.members is not None or len(shape) != len(source) or len(shape) < 2 or not _is_dense(nest, shape):
        return None
    taps = nest.taps.source.array
    places, counts = np.unique(taps[:, 1:], axis=0, return_counts=True)
    channels = int(counts[0])
    if (counts != channels).any() or not _channels_are_neighbours(taps, channels):
        return None
    lanes = max((axis.count for axis in nest.axes if axis.along == 0 and not any(axis.source)), default=1)
    spread = prod(shape[1:]) * _chunks(places, channels, channels == source[0]) * (lanes * _cost(lanes) + TILE_COST)
    gather = prod(source[1:]) * _vectors(channels) * (len(places) * lanes * _cost(channels) + TILE_COST)
    if gather >= spread:
        return None
    first = np.array(nest.source[1:], dtype=np.int64) + places
    lower = np.maximum(0, first.max(axis=0))
    upper = np.maximum(0, np.array(source[1:]) - 1 - first.min(axis=0) - (np.array(shape[1:]) - 1))
    return Gathered(places, channels, (0, *map(int, lower)), (0, *map(int, upper)))


def _is_dense(nest: Nest, shape: Position) -> bool:
    """Whether the nest computes all of its targets' positions, one source step for one target step."""
    spatial = {axis.along: axis for axis in nest.axes if axis.along > 0}
    for along in range(1, len(shape)):
        axis = spatial.get(along)
        unit = tuple(int(i == along) for i in range(len(shape)))
        if axis is None:
            if shape[along] != 1:
                return False
        elif axis.step != 1 or axis.count != shape[along] or axis.source != unit or axis.weight != 0:
            return False
    return not any(nest.target[1:])


def _channels_are_neighbours(taps: Index, channels: int) -> bool:
    first = int(taps[:, 0].min())
    return bool((np.unique(taps[:, 0]) == np.arange(first, first + channels)).all())


def _chunks(places: Index, channels: int, is_whole: bool) -> int:
    """Vectors of neighbouring sources that the fan-in falls into; next places are neighbours where every channel is read."""
    moved = np.diff(places, axis=0)
    jumps = (moved[:, -1] != 1) | (moved[:, :-1] != 0).any(axis=1)
    stretches = 1 + int(np.count_nonzero(jumps)) if is_whole else len(places)
    return stretches * _vectors(channels * len(places) // stretches)


def _vectors(places: int) -> int:
    return -(-places // (HALF if places <= HALF else WHOLE))


def _cost(lanes: int) -> float:
    return 0.65 if lanes <= HALF else 1.0
