"""Fifth pass, optional: clipped borders join the interior's nest through a zero halo.

Neurons at a border see fewer sources, so theirs are other stencils: up to (2·pad + 1) an axis. Such a stencil may adopt a
*template*, the stencil that most neurons (of its filter) have, if both agree by weight and every missing tap lies outside the
map for every neuron of the box; there it reads the zero halo, and stands for no edge. Boxes that then continue each other
become one; what adopts and joins nothing stays as it was. Only weighted sums are padded: zero is wrong for a maximum.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.bundle import Bundle
from neurograph.compiler.join import Box, join_boxes
from neurograph.compiler.plan import (
    ONE,
    Nest,
    Numbers,
    Plan,
    PlanParameter,
    PlanProjection,
    Position,
    Step,
    Table,
    Taps,
)

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


def pad(plan: Plan) -> Plan:
    """The same network, borders in the interior's nests.

    Examples
    --------
    >>> import neurograph as ng
    >>> exact = ng.plan(ng.lay_out(ng.load("lenet5")), optimise=False)
    >>> [[len(projection.nests) for projection in made.steps[0].projections] for made in (exact, pad(exact))]
    [[1, 25], [1, 1]]
    """
    return replace(plan, steps=tuple(_padded_step(plan, step) for step in plan.steps))


def _padded_step(plan: Plan, step: Step) -> Step:
    if step.op != "weighted":
        return step
    return replace(step, projections=tuple(_padded(plan, projection) for projection in step.projections))


def _padded(plan: Plan, projection: PlanProjection) -> PlanProjection:
    several = len({nest.taps for nest in projection.nests}) + (projection.table is not None) > 1
    if not several or projection.source == ONE or projection.halo is not None or projection.others:
        return projection
    stencils = _Stencils(plan, projection)
    adopted = [*stencils.of_nests(), *stencils.of_rows()]
    joined = join_boxes(adopted)
    nests = [box.was for box in joined if isinstance(box.was, Nest)]
    left = {box.was for box in joined}
    taken = [box.was for box in adopted if isinstance(box.was, int) and box.was not in left]
    table = _without(projection.table, taken)
    return replace(projection, nests=tuple(sorted(nests, key=lambda nest: nest.target)), table=table)


def _without(table: Table | None, rows: list[int]) -> Table | None:
    if table is None or not rows:
        return table
    return _as_bundle(table).take(np.delete(np.arange(table.n_neurons), rows)).as_table()


def _as_bundle(table: Table) -> Bundle:
    return Bundle(
        table.target.array, table.start.array, table.source.array, None if table.weight is None else table.weight.array
    )


class _Stencils:
    """The nests and table rows of a projection, and the templates they may adopt."""

    def __init__(self, plan: Plan, projection: PlanProjection) -> None:
        self.projection = projection
        self.extent = np.array(plan.population(projection.source).shape, dtype=np.int64)
        self.parameters = plan.parameters
        self.offsets = np.array([parameter.offset for parameter in plan.parameters], dtype=np.int64)

    # -- templates ----------------------------------------------------------------------------------------------------
    @cached_property
    def uses(self) -> dict[Taps, int]:
        """Stencil → how many neurons have it, most first, longer lists first where there is a choice."""
        uses: dict[Taps, int] = {}
        for nest in self.projection.nests:
            uses[nest.taps] = uses.get(nest.taps, 0) + nest.n_neurons
        if not uses and self.projection.table is not None:
            longest = int(np.argmax(np.diff(self.projection.table.start.array)))
            uses[self._taps_of_row(longest)] = 1
        return dict(sorted(uses.items(), key=lambda use: (-use[1], -len(use[0].source))))

    @cached_property
    def templates(self) -> list[Taps]:
        """What may be adopted: the stencil that most neurons have, and of each filter the stencil that most of it has."""
        numbers = {taps: number for number, taps in enumerate(self.uses)}
        filters = [(row, numbers[nest.taps], n) for nest in self.projection.nests for row, n in _filters(nest)]
        best: dict[int, tuple[int, int]] = {}
        for row, number, n in filters:
            best[row] = min(best.get(row, (0, number)), (-n, number))
        known = list(self.uses)
        return [known[number] for number in sorted({0, *(number for _, number in best.values())})]

    def _taps_of_row(self, row: int) -> Taps:
        table = self.projection.table
        assert table is not None
        edges = slice(*table.start.array[row : row + 2])
        source = table.source.array[edges]
        weight = table.weight.array[edges] if table.weight is not None else np.zeros(len(source), dtype=np.int64)
        return Taps(Numbers(source - source[0]), Numbers(weight - self._begin(weight)))

    def _begin(self, weight: Index) -> int:
        """Start of the row in which the weights lie, or the first of them."""
        parameter = self._parameter(int(weight.min()))
        begin = int(weight.min()) - (int(weight.min()) - parameter.offset) % parameter.row
        return begin if int(weight.max()) < begin + parameter.row else int(weight[0])

    def _parameter(self, address: int) -> PlanParameter:
        return self.parameters[int(np.searchsorted(self.offsets, address, side="right")) - 1]

    # -- adoption -----------------------------------------------------------------------------------------------------
    def of_nests(self) -> list[Box]:
        """Every nest, with the first template it can adopt."""
        return [Box(self._adopted(nest) or nest, nest) for nest in self.projection.nests]

    def of_rows(self) -> list[Box]:
        """The table's rows that can adopt a template, as boxes of one neuron."""
        table = self.projection.table
        if table is None or table.weight is None:
            return []
        boxes = []
        for row in range(table.n_neurons):
            edges = slice(*table.start.array[row : row + 2])
            begin = self._begin(table.weight.array[edges])
            source = table.source.array[edges]
            target: Position = tuple(table.target.array[row].tolist())
            nest = Nest(self._taps_of_row(row), target, tuple(source[0].tolist()), begin, ())
            adopted = self._adopted(nest)
            if adopted is not None:
                boxes.append(Box(adopted, row))
        return boxes

    def _adopted(self, nest: Nest) -> Nest | None:
        return next(filter(None, (self._adopt(nest, template) for template in self.templates)), None)

    def _adopt(self, nest: Nest, template: Taps) -> Nest | None:
        """The nest with the template's taps, or None where it cannot have them."""
        if nest.taps == template:
            return nest
        shift = self._alignment(nest, template)
        if shift is None:
            return None
        moved = replace(nest, taps=template, source=tuple(int(s) for s in np.array(nest.source) + shift))
        present = np.isin(_weights(template), _weights(nest.taps))
        low, high = _reach(moved)
        outside = (high < 0) | (low >= self.extent)
        return moved if (present | outside.any(axis=1)).all() else None

    def _alignment(self, nest: Nest, template: Taps) -> Index | None:
        """By how much the template's sources lie off the nest's, if taps of equal weight all say the same."""
        mine, theirs = _weights(nest.taps), _weights(template)
        if len(mine) >= len(theirs) or not self._is_in_row(nest, theirs):
            return None
        order = np.argsort(theirs)
        at = np.minimum(np.searchsorted(theirs, mine, sorter=order), len(theirs) - 1)
        matches = order[at]
        if (
            not np.array_equal(theirs[matches], mine)
            or len(np.unique(theirs)) < len(theirs)
            or len(np.unique(mine)) < len(mine)
        ):
            return None
        shifts = nest.taps.source.array - template.source.array[matches]
        return np.asarray(shifts[0]) if (shifts == shifts[0]).all() else None

    def _is_in_row(self, nest: Nest, weights: Index) -> bool:
        """True where the nest counts its weights from the start of a row, and the template stays within it."""
        assert nest.weight is not None
        parameter = self._parameter(nest.weight)
        at_start = (nest.weight - parameter.offset) % parameter.row == 0
        return at_start and int(weights.min()) >= 0 and int(weights.max()) < parameter.row


def _weights(taps: Taps) -> Index:
    assert taps.weight is not None, "a weighted sum has weights"
    return taps.weight.array


def _filters(nest: Nest) -> list[tuple[int, int]]:
    """The weight anchors of a nest, and how many neurons have each."""
    anchors, tied = np.array([nest.weight or 0], dtype=np.int64), 1
    for axis in nest.axes:
        if axis.weight:
            anchors = np.add.outer(np.arange(axis.count) * axis.weight, anchors).reshape(-1)
        else:
            tied *= axis.count
    return [(anchor, tied) for anchor in anchors.tolist()]


def _reach(nest: Nest) -> tuple[Index, Index]:
    """Per tap: the smallest and largest source position over all neurons of the box, shape (taps, rank)."""
    low = np.array(nest.source, dtype=np.int64) + nest.taps.source.array
    high = low.copy()
    for axis in nest.axes:
        walked = np.array(axis.source, dtype=np.int64) * (axis.count - 1)
        low += np.minimum(walked, 0)
        high += np.maximum(walked, 0)
    return low, high
