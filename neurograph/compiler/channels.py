"""Steps as instructions for kernels with channels innermost: the maximum behind in the same tile, and the way back.

Errors go to the sources chunk by chunk, or are gathered, or come from lists of winners; gradients are added up, or what they are made of
is kept until all samples are through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import runs
from neurograph.compiler.behind import Behind, apart, find_behind
from neurograph.compiler.cells import Cells
from neurograph.compiler.chunks import chunks_of
from neurograph.compiler.emit import ALWAYS, Part
from neurograph.compiler.gather import Gathered
from neurograph.compiler.lanes import RUN, TILE, LaneEmitter, LanePart
from neurograph.compiler.storage import HALF, WHOLE, whole
from neurograph.kernels import code as c
from neurograph.kernels.formulas import IDENTITY, RELU
from neurograph.kernels.tiles import CHUNKS, WINDOW
from neurograph.kernels.tiles import TILE as TILE_CELLS

Index = NDArray[np.int64]


class ChannelEmitter(LaneEmitter):
    """Emits one step for kernels with channels innermost."""

    behind: Behind | None = None
    gathers: Mapping[tuple[int, int, int], Gathered] = MappingProxyType({})
    """(Step, projection, nest) → how its errors are gathered."""

    is_spilt = False
    """Whether readers leave errors in the margins of this step's neurons."""

    steps: Mapping[int, str] = MappingProxyType({})
    """Part → the parameter that it alone uses."""

    is_pooling = is_pooled = False
    """Whether this step's tiles take the maximum behind; whether the step before does so."""

    is_listed = False
    """Whether the step before takes its winners from lists, so that only traces want their δ written."""

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

    # -- backward ---------------------------------------------------------------------------------------------------------
    def backward(self) -> None:
        """δ to the sources and to the weights."""
        if self.is_spilt and any(number == self.number for number, _, _ in self.gathers):
            self._clear_margins()
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

    def _clear_margins(self) -> None:
        """Who gathers finds no δ beyond the border."""
        whole = np.arange(self.box.start, self.box.start + self.box.size, dtype=np.int64)
        margins = runs(np.setdiff1d(whole, self.box.every()))
        table = self.listing.table(margins)
        self.listing.add(
            c.FILL, c.BACKWARD, table, len(margins), extra=self.constants.zero(), shift=2 * self.arena.size
        )

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
        listing.kept += whole(most - least + 1)
        self._add(c.KEEP + part.half, c.BACKWARD | c.LATER, part, 0, None, shift=listing.kept, **given)
        order = np.argsort(cells.taps[:, 0], kind="stable")  # neighbours are read from the same rows
        given["start"] = self._place(replace(cells, taps=cells.taps[order]))
        self._add(c.APPLY + part.half, c.BACKWARD | c.LATER, part, 0, listing.after, shift=listing.kept, **given)
        listing.kept += whole(cells.lanes)

    def is_stepped(self, part: Part) -> bool:
        """Whether a single sample may change this part's weights on the spot: nobody else uses them, and its lanes are whole rows."""
        name = self.steps.get(id(part))
        if (
            name is None
            or not isinstance(part, LanePart)
            or part.form != TILE
            or part.is_bias
            or self.behind is not None
        ):
            return False
        stored = self.storage.parameters[name]
        rows = stored.parameter.shape[0] if stored.parameter.shape else 1
        return (
            self.step.op == "weighted" and len(part.cells.target) == 1 and stored.apart > 0 and part.cells.lanes == rows
        )

    def _chunks_back(self, part: LanePart) -> None:
        """Errors of the sources, chunk by chunk, through packed weights."""
        cells, vector = part.cells, part.vector
        chunks, taps = chunks_of(cells, vector)
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
        chunks, taps = chunks_of(cells, vector)
        while len(chunks) % CHUNKS:
            chunks.append(chunks[-1])
            taps = np.concatenate([taps, np.full((1, vector), -1)])
        starts = self.listing.table(np.array([start for start, _ in chunks]))
        has_bias = any(other.is_bias for other in self.parts)
        for number, group in enumerate(range(0, len(cells.target), cells.tied)):
            packed, gradient = self.listing.packed, self.listing.gradient
            self._pack(cells, group, taps, part.half, vector, taps.size, c.BACKWARD)
            anchors = self.listing.table(behind.anchors[number])
            pairs = apart(behind.pairs[number] + np.array([0, anchors]))
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
        fits &= self.activation == IDENTITY or (self.activation == RELU and pool.activation in (IDENTITY, RELU))
        fits &= len(self.parts) == 1 or self.fuses_bias
        if not fits or self.keeps_z:
            return
        if any(other.form != RUN for other in pool.parts):
            return
        found = find_behind(part.cells, self.box, [other.cells for other in pool.parts], self.activation == RELU)
        if found is None:
            return
        self.behind, pool.is_listed = found, True
        self.is_pooling = pool.is_pooled = self._pools(pool)
        self.when_slope |= c.TRACE
