"""Where the bias of every neuron of a step stands among the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import ONE_BOX, Box
from neurograph.compiler.cells import Cells, cells_of_nest, cells_of_table, lanes_of
from neurograph.compiler.plan import ONE, Nest, PlanProjection, Step
from neurograph.compiler.storage import Storage

Index = NDArray[np.int64]


class Biases:
    """The biases of one step, found by the address of a neuron: a formula where one nest gives every neuron its own, else a list.

    Parameters
    ----------
    step : Step
    box : Box
        Where the step's population stands.
    storage : Storage
    zero : int
        The weight address of 0, for neurons without a bias.
    """

    def __init__(self, step: Step, box: Box, storage: Storage, zero: int) -> None:
        self._box, self._storage = box, storage
        projections = [projection for projection in step.projections if projection.source == ONE]
        self._formula = self._closed_form(projections)
        self._list = None if self._formula is not None else self._spelled_out(projections, zero)

    def of(self, targets: Index) -> Index:
        """Weight addresses of the biases of neurons."""
        places = targets - self._box.start
        if self._list is not None:
            listed: Index = self._list[places]
            return listed
        assert self._formula is not None
        first, weights = self._formula
        found = np.full_like(places, first)
        for weight, step, extent, low in zip(
            weights, self._box.steps.tolist(), self._box.extents, self._box.lower, strict=True
        ):
            if weight:
                found += (places // step % extent - low) * weight
        return found

    def step(self, cells: Cells) -> int:
        """How far apart the biases of neighbouring lanes stand."""
        first, second = self.of(cells.target[0] + np.array([0, cells.target_step], dtype=np.int64))
        return int(second - first)

    def begin_alike(self, cells: Cells) -> bool:
        """Whether the cells of each group begin with the same biases, side by side or one for all lanes."""
        targets = cells.target[:, None] if self._list is None else cells.targets()
        by_group = self.of(targets).reshape(-1, cells.tied, targets.shape[1])
        steps = np.diff(by_group, axis=2) if self._list is not None else np.array([self.step(cells)][: cells.lanes - 1])
        return bool((by_group == by_group[:, :1]).all() and (steps.size == 0 or steps.max() == steps.min() in (0, 1)))

    # -- inner --------------------------------------------------------------------------------------------------------
    def _closed_form(self, projections: list[PlanProjection]) -> tuple[int, tuple[int, ...]] | None:
        """The first bias, and how far the biases of neighbours along each axis stand apart."""
        nests = [nest for projection in projections for nest in projection.nests]
        tables = [p.table for p in projections if p.table is not None and p.table.n_neurons]
        if len(nests) != 1 or tables or not self._is_whole(nests[0]):
            return None
        (nest,) = nests
        assert nest.weight is not None
        low = nest.weight + (0 if nest.taps.weight is None else int(nest.taps.weight.array[0]))
        apart = [0] * len(self._box.shape)
        for axis in nest.axes:
            apart[axis.along] = axis.weight
        high = low + sum(step * (count - 1) for step, count in zip(apart, self._box.shape, strict=True))
        ends = np.array([low, high], dtype=np.int64)
        if len(set(self._storage.of(ends).tolist())) > 1 or self._storage.step(low, 1) != 1:
            return None
        return int(self._storage.place(ends)[0]), tuple(apart)

    def _is_whole(self, nest: Nest) -> bool:
        """Whether a nest of biases has each neuron of the box once, and moves along each axis at one pace."""
        along = {axis.along: axis.count for axis in nest.axes}
        counts = tuple(along.get(axis, 1) for axis in range(len(self._box.shape)))
        simple = len(along) == len(nest.axes) and all(axis.step == 1 and axis.weight >= 0 for axis in nest.axes)
        return simple and counts == self._box.shape and not any(nest.target) and len(nest.taps.source) == 1

    def _spelled_out(self, projections: list[PlanProjection], zero: int) -> Index:
        addresses = np.full(self._box.size, -1, dtype=np.int64)
        for projection in projections:
            for cells in _cells(projection, self._box):
                lane = np.arange(cells.lanes, dtype=np.int64)
                weights = (cells.weight + cells.taps[cells.first_tap, 1])[:, None] + lane * cells.weight_step
                addresses[cells.targets() - self._box.start] = weights
        return np.where(addresses < 0, zero, self._storage.place(addresses))


def _cells(projection: PlanProjection, box: Box) -> list[Cells]:
    cells = [cells_of_nest(nest, box, ONE_BOX, 0, lanes_of(nest)) for nest in projection.nests]
    if projection.table is not None and projection.table.n_neurons:
        cells.append(cells_of_table(projection.table, box, (ONE_BOX,), 0))
    return cells
