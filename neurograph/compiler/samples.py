"""Steps with samples innermost: small nests and tables of a projection become one instruction, and sums of products become strips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import sources_of
from neurograph.compiler.cells import Cells, cells_of_nest, continuing, run_of
from neurograph.compiler.emit import FORWARD_OPS, Part, StepEmitter
from neurograph.compiler.placing import NOWHERE
from neurograph.compiler.plan import PlanProjection
from neurograph.compiler.strips import NARROW_LIMIT, Strips, as_table, row_strips, use_strips
from neurograph.kernels import code as c
from neurograph.kernels.code import N_PLANES, PLANE_Z
from neurograph.kernels.strips import ACROSS

Index = NDArray[np.int64]

SMALL = 4096
"""Edges of a nest that gains more by sharing an instruction, and loads, with its neighbours than by its own regularity."""

SHARED = 2
"""Edges a weight, on average, from which on gradients are summed weight by weight and not neuron by neuron."""


@dataclass(frozen=True)
class StripPart(Part):
    """A part whose sums are strips."""

    rows: Strips
    uses: Strips | None
    """By weight, where that pays."""


@dataclass(frozen=True)
class RunPart(Part):
    """A part whose cells are runs of neighbours that read neighbours."""


class SampleEmitter(StepEmitter):
    """Emits one step with samples innermost."""

    def _parts(self, j: int, projection: PlanProjection) -> list[Part]:
        if runs := self._runs(j, projection):
            return runs
        found = super()._parts(j, projection)
        is_nest = len(found) == len(projection.nests) == 1
        loose = [part for part in found if not (part.is_bias or is_nest) and _is_loose(part.cells)]
        kept = [part for part in found if not any(part is other for other in loose)]
        kept = [replace(part, start=super(SampleEmitter, self)._place(part.cells)) for part in kept]
        if not loose:
            return kept
        return [*kept, self._loose_part(j, _joined([part.cells for part in loose]), loose[0])]

    def _runs(self, j: int, projection: PlanProjection) -> list[Part]:
        """All nests of sums and means as runs; nothing where one is none, or too small."""
        if self.step.op not in ("sum", "mean") or projection.table is not None:
            return []
        constant = self.constants.one()
        if self.step.op == "mean":
            constant = self.constants.place(1.0 / float(self.step.divisor or 1.0))
        source, found = self.arena.source(self.number, j, projection), []
        trains = any(name not in self.inputs for name, _ in sources_of(projection))
        for nest in projection.nests:
            run = run_of(nest, self.box, source)
            if run is None or nest.weight is not None:
                return []
            cells = cells_of_nest(nest, self.box, source, constant, run, continuing(nest, self.box, source, run))
            if int(cells.n_taps.sum()) * cells.lanes < SMALL:
                return []
            found.append(RunPart(j, cells, cells, super()._place(cells), False, trains, False))
        return list(found)

    def _place(self, cells: Cells) -> int:
        """Nowhere yet: cells that are joined with others need no place of their own."""
        return NOWHERE

    def _loose_part(self, j: int, cells: Cells, like: Part) -> Part:
        """All loose neurons of a projection."""
        weighted, trains = like.weighted, like.trains_source
        furthest = max(N_PLANES * self.arena.size, int(cells.taps[:, 1].max()), self.constants.zero())
        if FORWARD_OPS[self.step.op] != c.DOT or furthest >= NARROW_LIMIT:
            return Part(j, cells, cells, super()._place(cells), weighted, trains, False)
        row = np.repeat(np.arange(len(cells.target), dtype=np.int64), cells.n_taps)
        source, weight = cells.taps[:, 0], cells.taps[:, 1]
        uses = None
        if weighted and len(weight) >= SHARED * len(np.unique(weight)):
            uses = use_strips(cells.target[row], source, weight, PLANE_Z * self.arena.size)
        spread = prod(self.box.extents[1:])
        place = cells.target - self.box.start
        order = np.lexsort((place // spread, place % spread))
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        biases = np.zeros(len(order), dtype=np.int64) if self.biases is None else self.biases.of(cells.target)
        rows = row_strips(rank[row], source, weight, cells.target[order], biases[order], self.constants.zero())
        return StripPart(j, cells, cells, NOWHERE, weighted, trains, False, rows, uses)

    def _add(self, op: int, when: int, part: Part, how: int = 0) -> None:
        if isinstance(part, RunPart):
            super()._add(c.RUN_DOT if op == c.DOT else c.RUN_SOURCES, when, part, how)
        elif not isinstance(part, StripPart):
            super()._add(op, when, part, how)
        elif op == c.DOT:
            self._add_strips(c.STRIPS_DOT, when, part.rows, how)
        elif op == c.DOT_SOURCES:
            self._add_strips(c.STRIPS_SOURCES, when, part.rows, how)
        elif part.uses is not None:
            self._add_strips(c.STRIPS_WEIGHTS, when, part.uses, how)
        else:
            self._add_strips(c.STRIPS_WEIGHTS_ONCE, when, part.rows, how)

    def _add_strips(self, op: int, when: int, strips: Strips, how: int) -> None:
        for narrow, count, lanes in ((strips.across, strips.n_across, ACROSS), (strips.alone, strips.n_alone, 1)):
            if count:
                self.listing.add(op, when, self._start(narrow), count, lanes=lanes, how=how)

    def _start(self, narrow: NDArray[np.int32]) -> int:
        """Where strips stand among the tables, in narrow integers; several instructions read the same."""
        if id(narrow) not in self._starts:
            self._starts[id(narrow)] = 2 * self.listing.table(as_table(narrow))
        return self._starts[id(narrow)]

    @cached_property
    def _starts(self) -> dict[int, int]:
        """By the identity of narrow integers that a part holds."""
        return {}


def _is_loose(cells: Cells) -> bool:
    """Whether cells are rows of a table already, or so few that they may as well be."""
    return not cells.source.any() or int(cells.n_taps.sum()) * cells.lanes < SMALL


def _joined(parts: list[Cells]) -> Cells:
    """Cells of several parts as rows of one table, their taps absolute."""
    rows = [_rows(cells) for cells in parts]
    targets, taps, n_taps = (np.concatenate([row[k] for row in rows]) for k in range(3))
    zero = np.zeros(len(targets), dtype=np.int64)
    return Cells(targets, zero, zero, taps, np.cumsum(n_taps) - n_taps, n_taps)


def _rows(cells: Cells) -> tuple[Index, Index, Index]:
    """Targets, taps one row after the other, and how many taps each has."""
    n_taps = np.repeat(cells.n_taps, cells.lanes)
    lane = np.arange(cells.lanes, dtype=np.int64)
    source = (cells.source[:, None] + lane * cells.source_step).reshape(-1)
    weight = (cells.weight[:, None] + lane * cells.weight_step).reshape(-1)
    first = np.repeat(cells.first_tap, cells.lanes)
    row = np.repeat(np.arange(len(n_taps)), n_taps)
    at = np.arange(len(row)) - np.repeat(np.cumsum(n_taps) - n_taps, n_taps) + first[row]
    taps = cells.taps[at] + np.stack([source[row], weight[row]], axis=1)
    return cells.targets().reshape(-1), taps, n_taps
