"""What nests become with channels innermost, and how they run forward.

That follows from a nest's axes alone. Lanes that are neighbours in memory and in their weights: a *tile*. An axis along which sources
and targets are neighbours: a *run*. Anything else, and every table: tiles of one lane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Box, sources_of
from neurograph.compiler.cells import Cells, cells_of_nest, cells_of_table, continuing, moved
from neurograph.compiler.emit import FORWARD_OPS, SUMS, Instruction, Part, StepEmitter
from neurograph.compiler.plan import ONE, Axis, Nest, PlanProjection
from neurograph.compiler.storage import HALF, WHOLE
from neurograph.kernels import code as c
from neurograph.kernels.tiles import TILE as TILE_CELLS

Index = NDArray[np.int64]
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


class LaneEmitter(StepEmitter):
    """Emits the parts of one step, and their forward pass."""

    parts: list[LanePart]  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.biases is not None and not all(
            self.biases.begin_alike(part.cells) for part in self.parts if not part.is_bias
        ):
            self.fuses_bias = False
            self._look_at_parts()

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
            further = continuing(nest, self.box, source, axis) if form == RUN and axis is not None else ()
            plain = cells_of_nest(nest, self.box, source, constant, axis, further)
            cells = self._stored(plain) if nest.weight is not None else plain
            if cells is None:
                axis, form = None, TILE
                plain = cells_of_nest(nest, self.box, source, constant)
                cells = self._spelled_out(plain)
            start = self._place(_by_source(cells) if form == TILE and cells.tied >= TILE_CELLS else cells)
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
            weight = 0 if nest.weight is None else self.storage.step(nest.weight, axis.weight)
            takes_lanes = self.step.op == "weighted" or is_bias
            if takes_lanes and not any(axis.source) and weight == 1:
                form = TILE
            elif self.step.op != "rbf" and moved(axis, source) == 1 and weight in (0, 1):
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

    def _forward_op(self, part: Part) -> int:
        assert isinstance(part, LanePart)
        if part.form == TILE and part.cells.tied >= TILE_CELLS:
            self.listing.panel = max(self.listing.panel, int(part.cells.n_taps.max()))
        if part.is_bias or self.step.op in SUMS:
            return (c.LANES_DOT if part.form == TILE else c.RUN_DOT) + part.half
        return FORWARD_OPS[self.step.op] + part.half


def _by_source(cells: Cells) -> Cells:
    """The same cells with their taps in the order in which sources stand in memory, so that neighbours follow upon each other.

    It is the order of the caches, too: one tap's source may stand a power of two of places from the next one's.
    """
    if (cells.n_taps != len(cells.taps)).any():
        return cells
    return replace(cells, taps=cells.taps[np.argsort(cells.taps[:, 0], kind="stable")])
