"""Where every neuron of a program sits in memory: one address for its a, z, δ and winner, in four planes of equal layout.

Address 0 is the neuron that is always 1. Then come the populations as row-major boxes, with a margin wide enough for the halos that
nests read, and *views*: copies of a population as one projection sees it, behind a dropout or in a frame of fixed value.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.gather import Gathered
from neurograph.compiler.plan import ONE, Nest, Plan, PlanProjection, Position

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Box:
    """A population, or a view of one, in the arena."""

    start: int
    shape: Position
    lower: Position
    upper: Position
    channels: bool = False
    """Whether the first axis is innermost."""

    @property
    def extents(self) -> Position:
        """Shape with margins."""
        return tuple(low + n + up for low, n, up in zip(self.lower, self.shape, self.upper, strict=True))

    @property
    def size(self) -> int:
        return prod(self.extents)

    @property
    def steps(self) -> Index:
        """How far apart neighbours along each axis are."""
        extents = self.extents
        if self.channels and extents:
            outer = [prod(extents[axis + 1 :]) * extents[0] for axis in range(1, len(extents))]
            return np.array([1, *outer], dtype=np.int64)
        return np.array([prod(extents[axis + 1 :]) for axis in range(len(extents))], dtype=np.int64)

    def address(self, positions: Index) -> Index:
        """Addresses of positions, shape (…, rank) → (…,)."""
        rank = len(self.shape)
        shifted = positions[..., :rank] + np.array(self.lower, dtype=np.int64)
        addresses: Index = self.start + shifted @ self.steps
        return addresses

    def every(self) -> Index:
        """Addresses of all neurons, row-major."""
        addresses = np.full(1, self.start, dtype=np.int64)
        for low, n, step in zip(self.lower, self.shape, self.steps, strict=True):
            addresses = (addresses[:, None] + (low + np.arange(n, dtype=np.int64)) * step).reshape(-1)
        return addresses


ONE_BOX = Box(0, (), (), ())


@dataclass(frozen=True)
class Arena:
    """All boxes.

    Attributes
    ----------
    boxes : mapping
        Population → its own box.
    views : mapping
        (step number, projection number, source number) → the view through which that projection reads that source.
    size : int
        Neurons of a plane, margins and views included.
    """

    boxes: dict[Hashable, Box]
    views: dict[tuple[int, int, int], Box]
    size: int

    def source(self, step: int, number: int, projection: PlanProjection, which: int = 0) -> Box:
        """The box that a projection reads: its own view, or its source's box. `which` counts the sources of a joint table."""
        view = self.views.get((step, number, which))
        if view is not None:
            return view
        name, _ = sources_of(projection)[which]
        return ONE_BOX if name == ONE else self.boxes[name]


def sources_of(projection: PlanProjection) -> tuple[tuple[Hashable, str | None], ...]:
    """(Population, dropout) of each source; more than one for joint tables."""
    return (projection.source, projection.dropout), *projection.others


def reach(nest: Nest) -> tuple[Index, Index]:
    """The least and the largest source coordinates that a nest reads, per axis."""
    low = np.array(nest.source, dtype=np.int64) + nest.taps.source.array.min(axis=0)
    high = np.array(nest.source, dtype=np.int64) + nest.taps.source.array.max(axis=0)
    for axis in nest.axes:
        way = (axis.count - 1) * np.array(axis.source, dtype=np.int64)
        low, high = low + np.minimum(way, 0), high + np.maximum(way, 0)
    return low, high


def make_arena(
    plan: Plan, channels: bool = False, gathers: Mapping[tuple[int, int, int], Gathered] | None = None
) -> Arena:
    """Place every population and view of a plan: row-major, or with channels innermost and margins for what `gathers` errors."""
    shapes = {population.name: population.shape for population in plan.populations}
    margins = {name: _Margins(shape) for name, shape in shapes.items()}
    own: dict[tuple[int, int, int], _Margins] = {}
    for i, step in enumerate(plan.steps):
        for j, projection in enumerate(step.projections):
            for k, (name, dropout) in enumerate(sources_of(projection)):
                if name == ONE:
                    continue
                if dropout is not None or projection.halo is not None:
                    own[i, j, k] = _Margins(shapes[name])
                (own.get((i, j, k)) or margins[name]).widen(projection, k)
    for (i, _, _), needs in (gathers or {}).items():
        margins[plan.steps[i].population].grow(needs.lower, needs.upper)
    start = LINE if channels else 1
    boxes: dict[Hashable, Box] = {}
    views: dict[tuple[int, int, int], Box] = {}
    for name, margin in margins.items():
        boxes[name] = margin.box(start, channels)
        start = _behind(boxes[name])
    for key, margin in own.items():
        views[key] = margin.box(start, channels)
        start = _behind(views[key])
    return Arena(boxes, views, start)


LINE = 16
"""With channels innermost a box begins at a multiple of a vector."""


def _behind(box: Box) -> int:
    end = box.start + box.size
    return -(-end // LINE) * LINE if box.channels else end


class _Margins:
    """How far beyond its box a population is read."""

    def __init__(self, shape: Position) -> None:
        self.shape = shape
        self.low = np.zeros(len(shape), dtype=np.int64)
        self.high = np.array(shape, dtype=np.int64) - 1

    def widen(self, projection: PlanProjection, which: int) -> None:
        reached = [reach(nest) for nest in projection.nests]
        if projection.table is not None and len(projection.table.source):
            source = projection.table.source.array[:, : len(self.shape)]
            if projection.table.origin is not None:
                source = source[projection.table.origin.array == which]
            if len(source):
                reached.append((source.min(axis=0), source.max(axis=0)))
        for low, high in reached:
            self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)

    def grow(self, lower: Position, upper: Position) -> None:
        self.low = np.minimum(self.low, -np.array(lower, dtype=np.int64))
        self.high = np.maximum(self.high, np.array(self.shape) - 1 + np.array(upper, dtype=np.int64))

    def box(self, start: int, channels: bool) -> Box:
        lower = tuple(int(-n) for n in self.low)
        upper = tuple(int(high - (n - 1)) for high, n in zip(self.high, self.shape, strict=True))
        return Box(start, self.shape, lower, upper, channels)


def runs(addresses: Index) -> Index:
    """Addresses as pairs (first, how many), shape (runs, 2); order is kept.

    Examples
    --------
    >>> runs(np.array([4, 5, 6, 9, 1])).tolist()
    [[4, 3], [9, 1], [1, 1]]
    """
    if not len(addresses):
        return np.zeros((0, 2), dtype=np.int64)
    breaks = np.flatnonzero(np.diff(addresses) != 1) + 1
    starts = np.concatenate([[0], breaks])
    lengths = np.diff(np.concatenate([starts, [len(addresses)]]))
    return np.stack([addresses[starts], lengths], axis=1).astype(np.int64)
