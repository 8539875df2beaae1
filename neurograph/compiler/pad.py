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
    PlanProjection,
    Position,
    Step,
    Table,
    Taps,
)
from neurograph.compiler.translate import anchors

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]
CHUNK = 1_000_000
"""Taps laid over rows of a table at once."""


def pad(plan: Plan) -> Plan:
    """The same network, borders in the interior's nests.

    Examples
    --------
    >>> import neurograph as ng
    >>> exact = ng.plan(ng.lay_out(ng.load("lenet5")), until="fold")
    >>> [[len(projection.nests) for projection in made.steps[0].projections] for made in (exact, pad(exact))]
    [[1, 25], [1, 1]]
    """
    return replace(plan, steps=tuple(_padded_step(plan, step) for step in plan.steps))


def _padded_step(plan: Plan, step: Step) -> Step:
    if step.op != "weighted":
        return step
    return replace(step, projections=tuple(_padded(plan, projection) for projection in step.projections))


def _padded(plan: Plan, projection: PlanProjection) -> PlanProjection:
    alone = 0 if projection.table is None else projection.table.n_neurons
    n_stencils = len({nest.taps for nest in projection.nests}) + alone
    if n_stencils < 2 or projection.source == ONE or projection.halo is not None or projection.others:
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
        self.rows = None if projection.table is None else _as_bundle(projection.table)
        self.matches: dict[tuple[Taps, Taps], tuple[Position, Index] | None] = {}
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
        if not uses and self.rows is not None:
            uses[self._nest_of_row(int(np.argmax(self.rows.lengths))).taps] = 1
        return dict(sorted(uses.items(), key=lambda use: (-use[1], -len(use[0].source))))

    @cached_property
    def templates(self) -> list[Taps]:
        """What may be adopted: the stencil that most neurons have, and of each filter the stencil that most of it has."""
        known = list(self.uses)
        number = {taps: i for i, taps in enumerate(known)}
        filters = [_filters(nest) for nest in self.projection.nests]
        if not filters:
            return known[:1]
        anchor = np.concatenate([found for found, _ in filters])
        lengths = [len(found) for found, _ in filters]
        tied = np.repeat([count for _, count in filters], lengths)
        which = np.repeat([number[nest.taps] for nest in self.projection.nests], lengths)
        order = np.lexsort((which, -tied, anchor))
        _, first = np.unique(anchor[order], return_index=True)
        return [known[i] for i in sorted({0, *which[order][first].tolist()})]

    # -- adoption -----------------------------------------------------------------------------------------------------
    def of_nests(self) -> list[Box]:
        """Every nest, with the first template it can adopt."""
        return [Box(self._adopted(nest) or nest, nest) for nest in self.projection.nests]

    def of_rows(self) -> list[Box]:
        """The table's rows that can adopt a template, as boxes of one neuron."""
        if self.rows is None:
            return []
        worth = np.zeros(len(self.rows), dtype=np.bool_)
        for template in self.templates:
            worth |= self._may_adopt(self.rows, template)
        found = [(int(row), self._adopted(self._nest_of_row(int(row)))) for row in np.flatnonzero(worth)]
        return [Box(nest, row) for row, nest in found if nest is not None]

    def _may_adopt(self, rows: Bundle, template: Taps) -> Mask:
        """Rows as long as the template has taps inside the map, when laid over their first source. All others cannot adopt it."""
        assert rows.weight is not None
        first = rows.start[:-1]
        offset, known = rows.weight[first] - self.begin, _weights(template)
        order = np.argsort(known)
        at = order[np.minimum(np.searchsorted(known, offset, sorter=order), len(known) - 1)]
        origin = rows.source[first] - template.source.array[at]
        may = (known[at] == offset) & (rows.lengths <= len(known))
        for chunk in np.array_split(np.flatnonzero(may), 1 + int(may.sum()) * len(known) // CHUNK):
            places = origin[chunk, None, :] + template.source.array
            inside = ((places >= 0) & (places < self.extent)).all(axis=2).sum(axis=1)
            may[chunk] = inside == rows.lengths[chunk]
        return np.asarray(may)

    @cached_property
    def begin(self) -> Index:
        """Per row of the table: the address its weights count from."""
        assert self.rows is not None
        return anchors(self.rows, self.parameters)

    def _nest_of_row(self, row: int) -> Nest:
        assert self.rows is not None
        assert self.rows.weight is not None
        edges, begin = slice(*self.rows.start[row : row + 2]), int(self.begin[row])
        source, weight = self.rows.source[edges], self.rows.weight[edges]
        taps = Taps(Numbers(source - source[0]), Numbers(weight - begin))
        target: Position = tuple(self.rows.target[row].tolist())
        return Nest(taps, target, tuple(source[0].tolist()), begin, ())

    def _adopted(self, nest: Nest) -> Nest | None:
        return next(filter(None, (self._adopt(nest, template) for template in self.templates)), None)

    def _adopt(self, nest: Nest, template: Taps) -> Nest | None:
        """The nest with the template's taps, or None where it cannot have them."""
        if nest.taps == template:
            return nest
        match = self._match(nest.taps, template)
        if match is None or not self._is_in_row(nest, template):
            return None
        shift, missing = match
        moved = replace(nest, taps=template, source=tuple(a + b for a, b in zip(nest.source, shift, strict=True)))
        low, high = reach(moved, missing)
        outside = (high < 0) | (low >= self.extent)
        return moved if outside.any(axis=1).all() else None

    def _match(self, taps: Taps, template: Taps) -> tuple[Position, Index] | None:
        key = taps, template
        if key not in self.matches:
            self.matches[key] = match(taps, template)
        return self.matches[key]

    def _is_in_row(self, nest: Nest, template: Taps) -> bool:
        """True where the nest counts its weights from the start of a row, and the template stays within it."""
        assert nest.weight is not None
        parameter = self.parameters[int(np.searchsorted(self.offsets, nest.weight, side="right")) - 1]
        at_start = (nest.weight - parameter.offset) % parameter.row == 0
        weights = _weights(template)
        return at_start and int(weights.min()) >= 0 and int(weights.max()) < parameter.row


def match(taps: Taps, template: Taps) -> tuple[Position, Index] | None:
    """By how much a template's sources lie off a stencil's, if taps of equal weight all say the same; and what the stencil lacks.

    Returns
    -------
    shift : tuple of int
    missing : ndarray, shape (missing taps, rank)
        The template's source offsets that the stencil has not.
    """
    mine, theirs = _weights(taps), _weights(template)
    if len(mine) >= len(theirs):
        return None
    order = np.argsort(theirs, kind="stable")
    at = order[np.minimum(np.searchsorted(theirs, mine, sorter=order), len(theirs) - 1)]
    shifts = taps.source.array - template.source.array[at]
    if (theirs[at] != mine).any() or (shifts != shifts[0]).any():
        return None
    return tuple(shifts[0].tolist()), np.delete(template.source.array, at, axis=0)


def _weights(taps: Taps) -> Index:
    assert taps.weight is not None, "a weighted sum has weights"
    return taps.weight.array


def _filters(nest: Nest) -> tuple[Index, int]:
    """The weight anchors of a nest, and how many neurons have each."""
    found, tied = np.array([nest.weight or 0], dtype=np.int64), 1
    for axis in nest.axes:
        if axis.weight:
            found = np.add.outer(np.arange(axis.count) * axis.weight, found).reshape(-1)
        else:
            tied *= axis.count
    return found, tied


def reach(nest: Nest, offsets: Index) -> tuple[Index, Index]:
    """Per source offset: the smallest and largest position over all neurons of the box, shape (offsets, rank)."""
    low = np.array(nest.source, dtype=np.int64) + offsets
    high = low.copy()
    for axis in nest.axes:
        walked = np.array(axis.source, dtype=np.int64) * (axis.count - 1)
        low += np.minimum(walked, 0)
        high += np.maximum(walked, 0)
    return low, high
