"""Where weights stand in a program's memory: in the plan's order, or with the tied groups innermost.

A parameter whose first axis is a step's lanes is stored with that axis innermost, so that the weights of neighbouring filters or
units are one vector. Seen from outside it is the same array: a view with other strides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from neurograph.compiler.plan import ONE, Plan, PlanParameter

Index = NDArray[np.int64]
Array = NDArray[Any]

HALF, WHOLE = 8, 16
"""Lanes of a vector."""

SQUARE = 256
"""Rows and groups that are turned at a time."""


@dataclass(frozen=True)
class Stored:
    """One parameter: element (group, i) of its rows stands at ``start + i·apart + group``; `apart` 0: in the plan's order."""

    parameter: PlanParameter
    start: int
    apart: int

    @property
    def size(self) -> int:
        """Places it takes up; those that hold no weight stay 0."""
        return self.parameter.row * self.apart if self.apart else self.parameter.size

    def view(self, flat: Array) -> Array:
        """The parameter as an array of its own shape, in the memory of `flat`."""
        shape = self.parameter.shape
        if not self.apart:
            return flat[self.start : self.start + self.parameter.size].reshape(shape)
        inner = [int(np.prod(shape[axis + 1 :], dtype=np.int64)) * self.apart for axis in range(1, len(shape))]
        strides = [flat.itemsize * step for step in (1, *inner)]
        return as_strided(flat[self.start :], shape, strides)

    def write(self, flat: Array, values: Array) -> None:
        """Set the parameter in the memory of `flat`; rows and groups change places square by square, each of which a cache holds."""
        if not self.apart:
            self.view(flat)[...] = values
            return
        groups, row = self.parameter.shape[0], self.parameter.row
        given = values.reshape(groups, row)
        lanes = flat[self.start : self.start + self.size].reshape(row, self.apart)[:, :groups].T
        for group in range(0, groups, SQUARE):
            for i in range(0, row, SQUARE):
                lanes[group : group + SQUARE, i : i + SQUARE] = given[group : group + SQUARE, i : i + SQUARE]


class Storage:
    """The places of all weights, and of the constants behind them.

    Parameters
    ----------
    plan : Plan
    lanes : set of str
        Parameters to store with their groups innermost.
    """

    def __init__(self, plan: Plan, lanes: set[str]) -> None:
        self.parameters: dict[str, Stored] = {}
        start = 0
        for parameter in plan.parameters:
            apart = _apart(parameter.shape[0]) if parameter.name in lanes else 0
            stored = Stored(parameter, whole(start) if apart else start, apart)
            self.parameters[parameter.name] = stored
            start = stored.start + stored.size
        self.n_weights, self._plan_size = whole(start) if lanes else start, plan.n_weights
        self._all = tuple(self.parameters.values())
        self._offsets = np.array([p.parameter.offset for p in self._all], dtype=np.int64)
        self._starts = np.array([p.start for p in self._all], dtype=np.int64)
        self._rows = np.array([p.parameter.row for p in self._all], dtype=np.int64)
        self._aparts = np.array([p.apart for p in self._all], dtype=np.int64)

    def of(self, addresses: Index) -> Index:
        """Index of the parameter that each address of the plan lies in; constants belong to the last."""
        found: Index = np.searchsorted(self._offsets, addresses, side="right") - 1
        return found

    def place(self, addresses: Index) -> Index:
        """Places of the plan's weight addresses; addresses behind the weights are constants."""
        if not self._all:
            return addresses - self._plan_size + self.n_weights
        which = self.of(addresses)
        inside = addresses - self._offsets[which]
        row, apart = self._rows[which], self._aparts[which]
        lanes = self._starts[which] + inside % row * apart + inside // row
        placed = np.where(apart > 0, lanes, self._starts[which] + inside)
        result: Index = np.where(addresses >= self._plan_size, addresses - self._plan_size + self.n_weights, placed)
        return result

    def rows(self, anchors: Index, taps: Index) -> bool:
        """Whether all weights ``anchor + tap`` lie in the row of one parameter that the anchor lies in."""
        which = self.of(anchors)
        if (which != which[0]).any() or (anchors >= self._plan_size).any():
            return False
        inside = (anchors - self._offsets[which]) % self._rows[which]
        return bool((inside + taps.min() >= 0).all() and (inside + taps.max() < self._rows[which]).all())

    def step(self, anchor: int, step: int) -> int | None:
        """How far apart two weights stand that the plan has `step` apart, in a row or a number of rows; None: it depends."""
        stored = self._all[int(self.of(np.array([anchor]))[0])]
        row = stored.parameter.row
        if not stored.apart:
            return step
        if step % row == 0:
            return step // row
        return step * stored.apart if abs(step) < row else None


def parameters_with_lanes(plan: Plan) -> set[str]:
    """Parameters whose rows are the lanes of some nest."""
    found = set()
    offsets = np.array([p.offset for p in plan.parameters], dtype=np.int64)
    for step in plan.steps:
        for projection in step.projections:
            for nest in projection.nests:
                if nest.weight is None or projection.source == ONE or step.op != "weighted":
                    continue
                parameter = plan.parameters[int(np.searchsorted(offsets, nest.weight, side="right")) - 1]
                if parameter.row > 1 and any(axis.weight == parameter.row and axis.count > 1 for axis in nest.axes):
                    found.add(parameter.name)
    return found


def _apart(groups: int) -> int:
    """Places from one row of groups to the next: whole vectors, and no multiple of 16 of them, whose rows would share a cache set."""
    if groups <= HALF:
        return HALF
    vectors = whole(groups) // WHOLE
    return WHOLE * (vectors if vectors % WHOLE else vectors + 1)


def whole(places: int) -> int:
    """So many places as whole vectors."""
    return -(-places // WHOLE) * WHOLE
