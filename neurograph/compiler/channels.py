"""Steps as instructions for kernels with channels innermost: lanes as vectors, tied cells as tiles, winners as lists.

What a nest becomes follows from its axes alone. Lanes that are neighbours in memory and in their weights: a *tile*. An axis along
which sources and targets are neighbours: a *run*. Anything else, and every table: tiles of one lane.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Box, sources_of
from neurograph.compiler.cells import Cells, cells_of_nest, cells_of_table
from neurograph.compiler.emit import ALWAYS, FORWARD_OPS, Instruction, Part, StepEmitter
from neurograph.compiler.gather import Gathered
from neurograph.compiler.plan import ONE, Axis, Nest, PlanProjection
from neurograph.compiler.storage import HALF, WHOLE
from neurograph.kernels import code as c
from neurograph.kernels.formulas import IDENTITY, RELU
from neurograph.kernels.tiles import CHUNKS, WINDOW
from neurograph.kernels.tiles import TILE as TILE_CELLS

Index = NDArray[np.int64]
SUMS = ("weighted", "sum", "mean")
TILE, RUN = "tile", "run"


@dataclass(frozen=True)
class LanePart(Part):
    """A part, and what its cells are."""

    form: str = TILE
    nest: int = -1
    """Its number in the projection; −1 for a table."""

    @property
    def half(self) -> int:
        """What is added to its operations: half vectors, where they waste less."""
        lanes = self.cells.lanes
        wasted_less = 0.65 * -(-lanes // HALF) < -(-lanes // WHOLE)
        return c.HALF if wasted_less else 0

    @property
    def vector(self) -> int:
        """Lanes of its vectors."""
        return HALF if self.half else WHOLE


@dataclass(frozen=True)
class Behind:
    """A maximum behind a step, as lists of winners: per group of cells its pairs (maximum, anchors of its candidates)."""

    pairs: tuple[Index, ...]
    anchors: tuple[Index, ...]
    gates: bool


class ChannelEmitter(StepEmitter):
    """Emits one step for kernels with channels innermost."""

    parts: list[LanePart]  # type: ignore[assignment]
    behind: Behind | None = None
    gathers: Mapping[tuple[int, int, int], Gathered] = MappingProxyType({})
    """(Step, projection, nest) → how its errors are gathered."""

    steps: Mapping[int, str] = MappingProxyType({})
    """Part → the parameter that it alone uses."""

    is_pooling = is_pooled = False
    """Whether this step's tiles take the maximum behind; whether the step before does so."""

    is_listed = False
    """Whether the step before takes its winners from lists, so that only traces want their δ written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.biases is not None and not all(self.biases.begin_alike(part.cells) for part in self.parts if not part.is_bias):
            self.fuses_bias = False
            self.is_direct = self._is_direct()
            self.rectifies = False

    # -- what a nest becomes --------------------------------------------------------------------------------------------
    def _parts(self, j: int, projection: PlanProjection) -> list[LanePart]:  # type: ignore[override]
        constant = self.constants.one()
        if self.step.op == "mean":
            constant = self.constants.place(1.0 / float(self.step.divisor or 1.0))
        is_bias = projection.source == ONE
        trains = not is_bias and any(name not in self.inputs for name, _ in sources_of(projection))
        found: list[LanePart] = []
        for k, nest in enumerate(projection.nests):
            source = self.arena.source(self.number, j, projection)
            axis, form = self._axis(nest, source, is_bias)
            plain = cells_of_nest(nest, self.box, source, constant, axis)
            cells = self._stored(plain) if nest.weight is not None else plain
            if cells is None:
                axis, form = None, TILE
                plain = cells_of_nest(nest, self.box, source, constant)
                cells = self._spelled_out(plain)
            start = self._place(cells)
            found.append(LanePart(j, plain, cells, start, nest.weight is not None, trains, is_bias, form, k))
        if projection.table is not None and projection.table.n_neurons:
            boxes = tuple(self.arena.source(self.number, j, projection, k) for k in range(len(sources_of(projection))))
            plain = cells_of_table(projection.table, self.box, boxes, constant)
            weighted = projection.table.weight is not None
            cells = self._with_places(plain) if weighted else plain
            found.append(LanePart(j, plain, cells, self._place(cells), weighted, trains, is_bias))
        return found

    def _axis(self, nest: Nest, source: Box, is_bias: bool) -> tuple[Axis | None, str]:
        """The axis along which a cell lies, and the form that this gives it."""
        best: tuple[Axis | None, str] = None, TILE
        for axis in nest.axes:
            if axis.count == 1 or axis.step * int(self.box.steps[axis.along]) != 1:
                continue
            moved = int(np.array(axis.source, dtype=np.int64) @ source.steps) if any(axis.source) else 0
            weight = 0 if nest.weight is None else self.storage.step(nest.weight, axis.weight)
            takes_lanes = self.step.op == "weighted" or is_bias
            if takes_lanes and not any(axis.source) and weight == 1:
                form = TILE
            elif self.step.op != "rbf" and moved == 1 and weight in (0, 1):
                form = RUN
            else:
                continue
            if best[0] is None or axis.count > best[0].count:
                best = axis, form
        return best

    def _stored(self, cells: Cells) -> Cells | None:
        """Cells with weights where they are stored; None where their steps depend on where they start."""
        taps = cells.taps[:, 1]
        if not self.storage.rows(cells.weight, taps):
            return None
        anchor, step = int(cells.weight[0]), 0
        if cells.lanes > 1:
            found = self.storage.step(anchor, cells.weight_step)
            if found is None:
                return None
            step = found
        placed = self.storage.place(cells.weight)
        moved = self.storage.place(anchor + taps) - placed[0]
        return replace(cells, weight=placed, taps=np.stack([cells.taps[:, 0], moved], axis=1), weight_step=step)

    def _spelled_out(self, cells: Cells) -> Cells:
        """Every cell with taps of its own, as in a table."""
        n, n_taps = len(cells.target), len(cells.taps)
        sources = (cells.source[:, None] + cells.taps[:, 0]).reshape(-1)
        weights = self.storage.place((cells.weight[:, None] + cells.taps[:, 1]).reshape(-1))
        zero = np.zeros(n, dtype=np.int64)
        taps = np.stack([sources, weights], axis=1)
        return Cells(cells.target, zero, zero, taps, np.arange(n, dtype=np.int64) * n_taps, cells.n_taps)

    def _with_places(self, cells: Cells) -> Cells:
        taps = np.stack([cells.taps[:, 0], self.storage.place(cells.taps[:, 1])], axis=1)
        return replace(cells, taps=taps)

    # -- forward with the maximum behind ----------------------------------------------------------------------------------
    def _pools(self, pool: ChannelEmitter) -> bool:
        """Whether each tile may take the maximum of its windows, so that this step's own values are written for traces only."""
        assert self.behind is not None
        cells = [part.cells for part in pool.parts]
        whole = all((shown.n_taps == WINDOW).all() for shown in cells)
        apart = pool.step.route is not None and pool.step.route.assigns
        enough = all(len(pairs) * WINDOW >= TILE_CELLS for pairs in self.behind.pairs)
        plain = pool.activation == IDENTITY and not pool.keeps_z and pool.is_direct
        return whole and apart and enough and plain and self._is_final()

    def forward(self) -> None:
        """Views, sums, activation; and the maximum behind, where nobody looks between."""
        self.when = c.TRACE if self.is_pooled or self.is_pooling else ALWAYS
        super().forward()
        if self.behind is None or not self.is_pooling:
            return
        (part,) = [part for part in self.parts if not part.is_bias]
        how = (c.WITH_BIAS if self.fuses_bias else 0) | (c.RECTIFY if self.rectifies else 0)
        for number, group in enumerate(range(0, len(part.cells.target), part.cells.tied)):
            pairs, anchors = self.behind.pairs[number], self.behind.anchors[number]
            self._add(
                c.LANES_POOLED + part.half,
                c.QUIET,
                part,
                how,
                start=self.listing.table(anchors),
                count=len(pairs),
                extra=self.listing.table(pairs[:, 0]),
                shift=part.start + group * c.CELL,
            )

    # -- forward ----------------------------------------------------------------------------------------------------------
    def _add(
        self, op: int, when: int, part: Part, how: int = 0, to: list[Instruction] | None = None, **fields: int
    ) -> None:
        cells = part.cells
        bias_step = self.biases.step(cells) if self.biases is not None and cells.lanes > 1 else 0
        given = {
            "tied": cells.tied,
            "lanes": cells.lanes,
            "target_step": cells.target_step,
            "weight_step": cells.weight_step,
            "bias_step": bias_step,
            "how": how,
            **fields,
        }
        start, count = given.pop("start", part.start), given.pop("count", len(cells.target))
        self.listing.add(op, when, start, count, to, **given)

    def _forward_op(self, part: LanePart) -> int:
        if part.is_bias or self.step.op in SUMS:
            return (c.LANES_DOT if part.form == TILE else c.RUN_DOT) + part.half
        return FORWARD_OPS[self.step.op] + part.half

    # -- backward ---------------------------------------------------------------------------------------------------------
    def backward(self) -> None:
        """δ to the sources and to the weights."""
        for part in self.parts:
            if self.step.op == "max":
                when = self._when_sources(part) | (c.TRACE if self.is_listed else 0)
                self._add(c.MAX_BACK + part.half, when, part, self._route())
            elif self.step.op == "l2":
                self._add(c.SQUARES_BACK + part.half, self._when_sources(part), part)
            elif self.step.op == "rbf" and not part.is_bias:
                self._add(c.DISTANCE_BACK + part.half, c.BACKWARD, part)
            elif part.is_bias:
                if self.behind is None:
                    self._add(c.LANES_BIAS + part.half, c.BACKWARD, part)
            elif self.behind is not None:
                self._winners(part, self.behind)
            elif part.form == RUN:
                self._add(c.RUN_SOURCES + part.half, self._when_sources(part), part)
                if part.weighted:
                    self._add(c.RUN_WEIGHTS + part.half, c.BACKWARD, part)
            else:
                self._tiles_back(part)
        for j, projection in enumerate(self.step.projections):
            self._copy_views(j, projection, c.COPY_BACK)

    def _tiles_back(self, part: LanePart) -> None:
        stepped = self.is_stepped(part)
        when = c.SPREAD if stepped else 0
        if part.cells.tied == 1:
            self._add(c.LANES_SOURCES_ONE_BY_ONE + part.half, self._when_sources(part) | when, part)
        elif (self.number, part.projection, part.nest) in self.gathers:
            self._gather(part, self.gathers[self.number, part.projection, part.nest])
        else:
            self._chunks_back(part)
        if part.weighted:
            self._add(c.LANES_WEIGHTS + part.half, c.BACKWARD | (c.SUM if stepped else 0), part)
        if stepped:
            self._keep(part)
            how = c.SOURCES_TOO if part.trains_source else 0
            self._add(c.LANES_STEP + part.half, c.BACKWARD | c.STEP, part, how)

    def _keep(self, part: LanePart) -> None:
        """Keep a sample's share of the gradient, and apply those of all samples later."""
        cells, listing = part.cells, self.listing
        least, most = int(cells.taps[:, 0].min()), int(cells.taps[:, 0].max())
        given = {"extra": listing.kept, "weight_step": least, "target_step": most - least + 1}
        listing.kept += _whole(most - least + 1)
        self._add(c.KEEP + part.half, c.BACKWARD | c.LATER, part, shift=listing.kept, **given)
        self._add(c.APPLY + part.half, c.BACKWARD | c.LATER, part, to=listing.after, shift=listing.kept, **given)
        listing.kept += _whole(cells.lanes)

    def is_stepped(self, part: Part) -> bool:
        """Whether a single sample may change this part's weights on the spot: nobody else uses them, and its lanes are whole rows."""
        name = self.steps.get(id(part))
        if name is None or not isinstance(part, LanePart) or part.form != TILE or part.is_bias or self.behind is not None:
            return False
        stored = self.storage.parameters[name]
        rows = stored.parameter.shape[0] if stored.parameter.shape else 1
        return self.step.op == "weighted" and len(part.cells.target) == 1 and stored.apart > 0 and part.cells.lanes == rows

    def _chunks_back(self, part: LanePart) -> None:
        """Errors of the sources, chunk by chunk, through packed weights."""
        cells, vector = part.cells, part.vector
        chunks, taps = _chunks(cells, vector)
        listed = [len(chunks), *[number for start, length in chunks for number in (start, length)]]
        lane = np.arange(cells.lanes, dtype=np.int64)
        begin = self.listing.packed
        when = self._when_sources(part)
        for group in range(0, len(cells.target), cells.tied):
            self._pack(cells, group, taps, part.half, cells.lanes * vector, vector, when)
        self._add(
            c.LANES_SOURCES + part.half,
            when,
            part,
            extra=self.listing.table(np.array(listed)),
            shift=begin,
            bias_step=self.listing.table(np.stack([lane, lane * vector], axis=1)),
        )

    def _gather(self, part: LanePart, needs: Gathered) -> None:
        """Errors of the sources, each from the targets that read it."""
        cells, projection = part.cells, self.step.projections[part.projection]
        nest, source = projection.nests[part.nest], self.arena.source(self.number, part.projection, projection)
        half = c.HALF if needs.channels <= HALF else 0
        vector, lanes = HALF if half else WHOLE, np.arange(cells.lanes, dtype=np.int64)
        taps, first = nest.taps.source.array, np.array(nest.source[1:], dtype=np.int64)
        lowest = int(taps[:, 0].min())
        spatial = np.stack(np.unravel_index(np.arange(prod(source.shape[1:])), source.shape[1:]), axis=1)
        offsets = np.add.outer(-(first + needs.places) @ self.box.steps[1:], lanes).reshape(-1)
        listed = self.listing.table(np.stack([offsets, np.arange(len(offsets)) * vector], axis=1))
        at = np.full((len(needs.places), -(-needs.channels // vector) * vector), -1, dtype=np.int64)
        for i, place in enumerate(needs.places):
            mine = np.flatnonzero((taps[:, 1:] == place).all(axis=1))
            at[i, taps[mine, 0] - lowest] = mine
        for group in range(0, len(cells.target), cells.tied):
            packed = self.listing.packed
            for begin in range(0, at.shape[1], vector):
                chunk = at[:, begin : begin + vector]
                self._pack(cells, group, chunk, half, cells.lanes * vector, vector, c.BACKWARD)
            bases = int(cells.target[group]) + spatial @ self.box.steps[1:]
            errors = int(cells.source[group]) + lowest + (spatial - first) @ source.steps[1:]
            self.listing.add(
                c.LANES_GATHER + half,
                c.BACKWARD,
                self.listing.table(np.stack([bases, errors], axis=1)),
                len(spatial),
                tied=len(offsets),
                lanes=needs.channels,
                extra=listed,
                shift=packed,
            )

    def _pack(
        self, cells: Cells, group: int, taps: Index, half: int, chunk_step: int, lane_step: int, when: int
    ) -> None:
        """An instruction that packs one group's weights, `taps` of shape (chunks, vector)."""
        places = np.where(taps >= 0, cells.weight[group] + cells.taps[taps, 1], -1)
        self.listing.add(
            c.PACK + half,
            when,
            self.listing.table(places),
            len(taps),
            to=self.listing.before,
            lanes=cells.lanes,
            target_step=chunk_step,
            weight_step=lane_step,
            shift=self.listing.packed,
        )
        self.listing.packed += taps.size * cells.lanes

    # -- winners ----------------------------------------------------------------------------------------------------------
    def _winners(self, part: LanePart, behind: Behind) -> None:
        """Gradient and errors from the winners of the maximum behind."""
        cells, vector = part.cells, part.vector
        chunks, taps = _chunks(cells, vector)
        while len(chunks) % CHUNKS:
            chunks.append(chunks[-1])
            taps = np.concatenate([taps, np.full((1, vector), -1)])
        starts = self.listing.table(np.array([start for start, _ in chunks]))
        has_bias = any(other.is_bias for other in self.parts)
        for number, group in enumerate(range(0, len(cells.target), cells.tied)):
            packed, gradient = self.listing.packed, self.listing.gradient
            self._pack(cells, group, taps, part.half, vector, taps.size, c.BACKWARD)
            anchors = self.listing.table(behind.anchors[number])
            pairs = behind.pairs[number] + np.array([0, anchors])
            how = (c.GATE if behind.gates else 0) | (c.SOURCES_TOO if part.trains_source else 0)
            bias = 0
            if has_bias:
                assert self.biases is not None
                bias, how = int(self.biases.of(cells.target[group : group + 1])[0]), how | c.WITH_BIAS
            self.listing.add(
                c.WINNERS + part.half,
                c.BACKWARD,
                self.listing.table(pairs),
                len(pairs),
                lanes=cells.lanes,
                how=how,
                extra=starts,
                shift=packed,
                target_step=len(chunks),
                weight_step=gradient,
                bias_step=bias,
            )
            self.listing.scratch = max(self.listing.scratch, len(pairs))
            places = np.where(taps >= 0, cells.weight[group] + cells.taps[taps, 1], -1)
            self.listing.add(
                c.UNPACK + part.half,
                c.BACKWARD,
                self.listing.table(places),
                len(taps),
                to=self.listing.last,
                lanes=cells.lanes,
                target_step=vector,
                weight_step=taps.size,
                shift=gradient,
            )
            self.listing.gradient += taps.size * cells.lanes

    def follow(self, pool: ChannelEmitter) -> None:
        """Take δ from the winners of the maximum that alone reads this step, where its cells fit."""
        mains = [part for part in self.parts if not part.is_bias]
        if len(mains) != 1 or len(pool.parts) == 0 or self.step.op != "weighted" or not self.is_direct:
            return
        part = mains[0]
        fits = part.form == TILE and part.weighted and part.cells.tied > 1
        fits &= self.activation == IDENTITY or (
            self.activation == RELU and pool.activation in (IDENTITY, RELU)
        )
        fits &= len(self.parts) == 1 or self.fuses_bias
        if not fits or self.keeps_z:
            return
        found = self._candidates(part, pool)
        if found is None:
            return
        self.behind, pool.is_listed = found, True
        self.is_pooling = pool.is_pooled = self._pools(pool)
        self.when_slope |= c.TRACE

    def _candidates(self, part: LanePart, pool: ChannelEmitter) -> Behind | None:
        cells, filters = part.cells, part.cells.lanes * (len(part.cells.target) // part.cells.tied)
        if self.box.shape[0] != filters or self.box.extents[0] != filters:
            return None
        if any(other.form != RUN or other.cells.lanes != filters for other in pool.parts):
            return None
        maxima = np.concatenate([other.cells.target for other in pool.parts])
        n_taps = np.concatenate([other.cells.n_taps for other in pool.parts])
        shown = np.concatenate([_sources(other.cells) for other in pool.parts]) - self.box.start
        if shown.min() < 0 or shown.max() + filters > self.box.size:
            return None  # a view of this step's neurons, not they themselves
        rows = np.stack([maxima, np.cumsum(n_taps) - n_taps], axis=1)
        pairs: list[Index] = []
        anchors: list[Index] = []
        for group in range(0, len(cells.target), cells.tied):
            anchor_of = np.full(self.box.size, -1, dtype=np.int64)
            mine = slice(group, group + cells.tied)
            anchor_of[cells.target[mine] - self.box.start] = cells.source[mine]
            channel = int((cells.target[group] - self.box.start) % self.box.extents[0])
            found = anchor_of[shown + channel]
            if (found < 0).any():
                return None
            pairs.append(rows + np.array([channel, 0]))
            anchors.append(found)
        return Behind(tuple(pairs), tuple(anchors), self.activation == RELU)


def _whole(places: int) -> int:
    """So many places as whole vectors."""
    return -(-places // WHOLE) * WHOLE


def _sources(cells: Cells) -> Index:
    """Source addresses of all taps, cell after cell."""
    before = np.cumsum(cells.n_taps) - cells.n_taps
    tap = np.arange(int(cells.n_taps.sum())) + np.repeat(cells.first_tap - before, cells.n_taps)
    found: Index = np.repeat(cells.source, cells.n_taps) + cells.taps[tap, 0]
    return found


def _chunks(cells: Cells, vector: int) -> tuple[list[tuple[int, int]], Index]:
    """Taps as stretches of neighbouring sources, cut into vectors: (source offset, length) of each, and the taps it holds (−1: none)."""
    order = np.argsort(cells.taps[:, 0], kind="stable")
    offsets = cells.taps[order, 0]
    breaks = np.flatnonzero(np.diff(offsets) != 1) + 1
    chunks: list[tuple[int, int]] = []
    held: list[Index] = []
    for stretch in np.split(np.arange(len(order)), breaks):
        for first in range(0, len(stretch), vector):
            piece = stretch[first : first + vector]
            chunks.append((int(offsets[piece[0]]), len(piece)))
            held.append(np.pad(order[piece], (0, vector - len(piece)), constant_values=-1))
    return chunks, np.array(held, dtype=np.int64)
