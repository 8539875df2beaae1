"""Nests and tables as cells: the flat form in which kernels walk them (see `neurograph.kernels.code`)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Box
from neurograph.compiler.plan import Axis, Nest, Table

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """Neurons that one instruction computes.

    Attributes
    ----------
    target, source, weight : ndarray, shape (cells,)
        Addresses of the first lane's target, of the source anchor and of the weight anchor.
    taps : ndarray, shape (taps, 2)
        Source and weight relative to the anchors.
    first_tap, n_taps : ndarray, shape (cells,)
        Each cell's part of `taps`.
    tied : int
        So many cells in a row have the same weights.
    lanes, target_step, weight_step, source_step : int
        Further neurons of a cell: sources `source_step` apart, weights `weight_step`.
    """

    target: Index
    source: Index
    weight: Index
    taps: Index
    first_tap: Index
    n_taps: Index
    tied: int = 1
    lanes: int = 1
    target_step: int = 0
    weight_step: int = 0
    source_step: int = 0

    @property
    def n_neurons(self) -> int:
        return len(self.target) * self.lanes

    def targets(self) -> Index:
        """Addresses of all neurons, shape (cells, lanes)."""
        return self.target[:, None] + np.arange(self.lanes, dtype=np.int64) * self.target_step

    def bounds(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Least and largest address that is read or written: targets, sources, weights."""
        least, most = self.taps.min(axis=0), self.taps.max(axis=0)
        return (
            self._reach(self.target, 0, 0, self.target_step),
            self._reach(self.source, int(least[0]), int(most[0]), self.source_step),
            self._reach(self.weight, int(least[1]), int(most[1]), self.weight_step),
        )

    def _reach(self, anchors: Index, least: int, most: int, step: int) -> tuple[int, int]:
        """Least and largest of ``anchor + tap + lane·step``."""
        last = (self.lanes - 1) * step
        return int(anchors.min()) + least + min(last, 0), int(anchors.max()) + most + max(last, 0)


def cells_of_nest(
    nest: Nest, target: Box, source: Box, constant: int, lanes: Axis | None = None, further: tuple[Axis, ...] = ()
) -> Cells:
    """The cells of a nest: its lanes stay together, its tied axes run fastest.

    Parameters
    ----------
    constant : int
        Address of the weight that edges without one use.
    lanes : Axis, optional
        The axis along which a cell lies; None: every neuron is a cell.
    further : tuple of Axis
        Axes that continue it: each begins where those before end.
    """
    axes = sorted(
        (axis for axis in nest.axes if axis is not lanes and axis not in further), key=lambda axis: axis.weight != 0
    )
    tied = 1
    t = target.address(np.array([nest.target], dtype=np.int64).reshape(1, -1))
    s = source.address(np.array([nest.source], dtype=np.int64).reshape(1, -1))
    w = np.array([constant if nest.weight is None else nest.weight], dtype=np.int64)
    for axis in axes:
        i = np.arange(axis.count, dtype=np.int64)[:, None]
        t = (t + i * (axis.step * target.steps[axis.along])).reshape(-1)
        s = (s + i * moved(axis, source)).reshape(-1)
        w = (w + i * axis.weight).reshape(-1)
        tied *= axis.count if axis.weight == 0 else 1
    offsets = nest.taps.source.array.reshape(len(nest.taps.source), -1) @ source.steps
    weights = np.zeros_like(offsets) if nest.taps.weight is None else nest.taps.weight.array
    taps = np.stack([offsets, weights], axis=1)
    zero = np.zeros(len(t), dtype=np.int64)
    n_taps = np.full(len(t), len(taps), dtype=np.int64)
    if lanes is None:
        return Cells(t, s, w, taps, zero, n_taps, tied)
    step = int(lanes.step * target.steps[lanes.along])
    count = lanes.count * prod(axis.count for axis in further)
    return Cells(t, s, w, taps, zero, n_taps, tied, count, step, lanes.weight, moved(lanes, source))


def cells_of_table(table: Table, target: Box, sources: tuple[Box, ...], constant: int) -> Cells:
    """One cell a row; its taps are absolute."""
    edges = np.zeros(len(table.source), dtype=np.int64)
    origin = np.zeros(len(edges), dtype=np.int64) if table.origin is None else table.origin.array
    for which, box in enumerate(sources):
        edges[origin == which] = box.address(table.source.array[origin == which])
    weight = np.full(len(edges), constant, dtype=np.int64) if table.weight is None else table.weight.array
    start = table.start.array
    zero = np.zeros(len(table.target), dtype=np.int64)
    taps = np.stack([edges, weight], axis=1)
    return Cells(target.address(table.target.array), zero, zero, taps, start[:-1].copy(), np.diff(start))


def lanes_of(nest: Nest) -> Axis | None:
    """The longest axis of neurons with the same sources."""
    lanes = [axis for axis in nest.axes if axis.word == "lanes" and axis.count > 1]
    return max(lanes, key=lambda axis: axis.count, default=None)


def run_of(nest: Nest, target: Box, source: Box) -> Axis | None:
    """The axis along which neighbours in memory read neighbours, with one weight or none."""
    steps = {axis: (axis.step * int(target.steps[axis.along]), moved(axis, source), axis.weight) for axis in nest.axes}
    runs = [axis for axis in nest.axes if axis.count > 1 and steps[axis] == (1, 1, 0)]
    return max(runs, key=lambda axis: axis.count, default=None)


def continuing(nest: Nest, target: Box, source: Box, run: Axis) -> tuple[Axis, ...]:
    """Axes that continue a run: from one to the next, targets and sources move by as much as is there already."""
    if run.weight != 0:
        return ()
    found: list[Axis] = []
    length = run.count
    for axis in sorted(nest.axes, key=lambda axis: axis.step * int(target.steps[axis.along])):
        steps = (axis.step * int(target.steps[axis.along]), moved(axis, source), axis.weight)
        if axis is not run and axis.count > 1 and steps == (length, length, 0):
            found.append(axis)
            length *= axis.count
    return tuple(found)


def moved(axis: Axis, source: Box) -> int:
    """By how many places sources move along an axis."""
    return int(np.array(axis.source, dtype=np.int64) @ source.steps) if any(axis.source) else 0
