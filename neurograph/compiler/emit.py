"""From steps to instructions: what each step of a plan does, forward and backward, in the interpreter's integer language.

Nothing here knows parameters' values, the batch or threads; it needs the plan, the arena and where the network's names sit.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Arena, runs, sources_of
from neurograph.compiler.biases import Biases
from neurograph.compiler.cells import Cells, cells_of_nest, cells_of_table, lanes_of
from neurograph.compiler.pieces import copies_of_box, pieces_of_box, runs_of_box
from neurograph.compiler.plan import ONE, Plan, PlanProjection, Step
from neurograph.compiler.storage import Storage
from neurograph.errors import GraphError
from neurograph.kernels import code as c
from neurograph.kernels.formulas import GELU, IDENTITY, RELU
from neurograph.ops.words import ACTIVATIONS

Index = NDArray[np.int64]
FORWARD_OPS = {"weighted": c.DOT, "sum": c.DOT, "mean": c.DOT, "max": c.MAX, "l2": c.SQUARES, "rbf": c.DISTANCE}
ALWAYS = 0


Mark = tuple[Hashable, str]
"""A population (None: no step's) and ``forward``, ``backward`` or another word: whose time an instruction takes."""
Instruction = tuple[Mark, list[int]]


@dataclass
class Listing:
    """Instructions and the tables they point into."""

    rows: list[Instruction] = field(default_factory=list)
    before: list[Instruction] = field(default_factory=list)
    """Instructions for one slot before all others begin."""

    first: list[Instruction] = field(default_factory=list)
    """For every slot, before its first block."""

    last: list[Instruction] = field(default_factory=list)
    """For every slot, behind its last block."""

    after: list[Instruction] = field(default_factory=list)
    """For some slots at once, when all are through."""

    tables: list[Index] = field(default_factory=list)
    size: int = 0
    packed: int = 0
    """Places of weights packed once more."""

    gradient: int = 0
    """Places of the gradient, those in packed order included."""

    kept: int = 0
    """Columns of what is kept of every sample for a later step."""

    panel: int = 0
    """Taps of the longest fan-in that is moved together."""

    mark: Mark = (None, "")
    """Which step is being written, and which phase of it."""

    def table(self, values: Index) -> int:
        """Add a table; returns where it starts."""
        start = self.size
        flat = np.ascontiguousarray(values, dtype=np.int64).reshape(-1)
        self.tables.append(flat)
        self.size += len(flat)
        return start

    def add(
        self, op: int, when: int, start: int, count: int, to: list[Instruction] | None = None, **fields: int
    ) -> None:
        """Add an instruction, to those of a block or `to` others; `fields` are names of `neurograph.kernels.code` in lower case."""
        row = [0] * c.FIELDS
        row[c.OP], row[c.WHEN], row[c.START], row[c.COUNT] = op, when, start, count
        for name, value in fields.items():
            row[getattr(c, name.upper())] = int(value)
        (self.rows if to is None else to).append((self.mark, row))

    def arrays(self) -> tuple[Index, Index, tuple[Mark, ...]]:
        """The code, all tables in one array, and what each instruction was written for."""
        tables = np.concatenate(self.tables) if self.tables else np.zeros(1, dtype=np.int64)
        every = [*self.before, *self.first, *self.rows, *self.last, *self.after]
        code = np.array([row for _, row in every], dtype=np.int64).reshape(-1, c.FIELDS)
        return code, tables, tuple(mark for mark, _ in every)


@dataclass
class Constants:
    """Fixed numbers behind the weights: 1 and 0, and what means divide by."""

    first: int
    values: list[float] = field(default_factory=lambda: [1.0, 0.0])

    def one(self) -> int:
        return self.first

    def zero(self) -> int:
        return self.first + 1

    def place(self, value: float) -> int:
        if value not in self.values:
            self.values.append(value)
        return self.first + self.values.index(value)


SUMS = ("weighted", "sum", "mean")
"""What kernels for sums of products compute."""


@dataclass(frozen=True)
class Part:
    """Cells of one nest or table of a step, as one instruction forward and up to two backward."""

    projection: int
    plain: Cells
    """With weight addresses of the plan."""

    cells: Cells
    """As the kernels see them."""

    start: int
    weighted: bool
    trains_source: bool
    is_bias: bool


class StepEmitter:
    """Emits one step.

    Parameters
    ----------
    number : int
        Of the step in its plan.
    keeps_z : bool
        Whether somebody reads z later: a loss, or a softmax.
    is_gated : bool
        Whether the maximum behind this step hands back δ itself (see `neurograph.compiler.route`).
    """

    def __init__(
        self,
        plan: Plan,
        number: int,
        arena: Arena,
        listing: Listing,
        constants: Constants,
        numbers: list[float],
        mask_columns: dict[tuple[str, object], int],
        keeps_z: bool,
        is_gated: bool,
        storage: Storage,
    ) -> None:
        self.plan, self.number, self.arena, self.listing = plan, number, arena, listing
        self.constants, self.numbers, self.mask_columns, self.storage = constants, numbers, mask_columns, storage
        self.step: Step = plan.steps[number]
        self.box = arena.boxes[self.step.population]
        self.activation = ACTIVATIONS.index(self.step.activation)
        self.inputs = {population.name for population in plan.inputs}
        members = self.step.members
        self.n_neurons = prod(self.box.shape) if members is None else len(members.array)
        self.neuron_runs = runs_of_box(self.box) if members is None else runs(np.sort(self.neurons))
        self.runs_at = listing.table(self.neuron_runs)
        self.keeps_z, self.is_gated = keeps_z, is_gated
        self.when, self.when_slope = ALWAYS, c.BACKWARD
        self.fuses_bias = self.step.fusion is not None and self.step.fusion.bias
        self.biases = Biases(self.step, self.box, storage, constants.zero()) if self.fuses_bias else None
        self.parts = [part for j, q in enumerate(self.step.projections) for part in self._parts(j, q)]
        self._look_at_parts()

    def _look_at_parts(self) -> None:
        """How sums begin and end."""
        self.is_direct = self._is_direct()
        self.is_chain = not self.is_direct and self._is_chain()
        fused = self.step.fusion is not None and self.step.fusion.activation
        self.rectifies = (self.is_direct or self.is_chain) and fused and self.activation == RELU

    # -- forward ------------------------------------------------------------------------------------------------------
    def forward(self) -> None:
        """Views, sums, activation."""
        for j, projection in enumerate(self.step.projections):
            self._copy_views(j, projection, c.COPY)
        if not self.is_direct and not self.is_chain:
            self.listing.add(
                c.FILL, ALWAYS, self.runs_at, len(self.neuron_runs), extra=self.constants.zero(), shift=self.arena.size
            )
        for part in self.parts:
            if not (part.is_bias and self.is_direct):
                self._forward_part(part)
        if self._needs_pass():
            how = c.ROOT if self.step.op == "l2" and not self.is_direct else 0
            op = c.GELU if self.activation == GELU else c.ACTIVATE
            self.listing.add(op, ALWAYS, self.runs_at, len(self.neuron_runs), extra=self.activation, how=how)

    def _needs_pass(self) -> bool:
        """Whether the activation is a pass of its own, behind the sums."""
        if self.step.op == "l2" and not self.is_direct:
            return True  # the root is left to the pass, whatever the activation
        return not self._is_final() and self.step.activation != "softmax"

    def _is_final(self) -> bool:
        """Whether the sums write a, so that no pass is needed behind them."""
        fused = self.step.fusion is not None and self.step.fusion.activation
        return (self.is_direct or self.is_chain) and fused and self.activation in (IDENTITY, RELU)

    def _forward_part(self, part: Part) -> None:
        how = 0
        if self.is_direct:
            how |= c.WITH_BIAS if self.fuses_bias else 0
            how |= c.ROOT if self.step.op == "l2" else 0
            how |= c.FINAL if self._is_final() else c.KEEP_Z
            how |= c.RECTIFY if self.rectifies else 0
            how |= c.KEEP_Z if self.keeps_z or self.step.op == "l2" else 0
        elif self.is_chain:
            begins, ends = part is self.parts[0], part is self.parts[-1] and self._is_final()
            how |= 0 if begins else c.CONTINUE
            how |= c.FINAL | (c.RECTIFY if self.rectifies else 0) if ends else 0
            how |= c.KEEP_Z if not ends or self.keeps_z else 0
        else:
            how = c.CONTINUE | c.KEEP_Z
        self._add(self._forward_op(part), self.when, part, how)

    def _forward_op(self, part: Part) -> int:
        return c.DOT if part.is_bias else FORWARD_OPS[self.step.op]

    def _add(self, op: int, when: int, part: Part, how: int = 0) -> None:
        cells = part.cells
        bias_step = self.biases.step(cells) if self.biases is not None and cells.lanes > 1 else 0
        self.listing.add(
            op,
            when,
            part.start,
            len(cells.target),
            tied=cells.tied,
            lanes=cells.lanes,
            target_step=cells.target_step,
            weight_step=cells.weight_step,
            bias_step=bias_step,
            how=how,
        )

    # -- backward -----------------------------------------------------------------------------------------------------
    def slope(self) -> None:
        """From ∂loss/∂a to δ."""
        if self.is_gated or self.step.activation in ("identity", "softmax"):
            return
        self.listing.add(
            c.GELU_SLOPE if self.activation == GELU else c.SLOPE,
            self.when_slope,
            self.runs_at,
            len(self.neuron_runs),
            extra=self.activation,
            how=0 if self.rectifies and not self.keeps_z else 1,
        )

    def backward(self) -> None:
        """δ to the sources and to the weights."""
        for part in self.parts:
            if self.step.op == "max":
                how = self._route()
                self._add(c.MAX_BACK, self._when_sources(part), part, how)
            elif self.step.op == "l2":
                self._add(c.SQUARES_BACK, self._when_sources(part), part)
            elif self.step.op == "rbf" and not part.is_bias:
                self._add(c.DISTANCE_BACK, c.BACKWARD, part)
            else:
                if not part.is_bias:
                    self._add(c.DOT_SOURCES, self._when_sources(part), part)
                if part.weighted:
                    self._add(c.DOT_WEIGHTS, c.BACKWARD, part)
        for j, projection in enumerate(self.step.projections):
            self._copy_views(j, projection, c.COPY_BACK)

    def _route(self) -> int:
        route = self.step.route
        if route is None or not route.assigns:
            return 0
        return c.ASSIGN | (c.GATE if route.gates else 0)

    def _when_sources(self, part: Part) -> int:
        """Errors of inputs are wanted by traces only."""
        return c.BACKWARD | (0 if part.trains_source else c.TRACE)

    # -- inner --------------------------------------------------------------------------------------------------------
    @property
    def neurons(self) -> Index:
        """Addresses of the step's neurons."""
        if self.step.members is None:
            return self.box.every()
        return self.box.address(self.step.members.array)

    def _is_direct(self) -> bool:
        """Whether each neuron's sum comes from one instruction, which can begin and end it."""
        others = [part for part in self.parts if not part.is_bias]
        single = sum(part.cells.n_neurons for part in others) == self.n_neurons
        if single and len(others) > 1:
            targets = np.concatenate([part.cells.targets().reshape(-1) for part in others])
            single = bool(np.bincount(targets - self.box.start, minlength=self.box.size).max() == 1)
        if self.step.op == "max":
            if not single:
                raise GraphError(
                    f"{self.step.population}: a maximum in several parts cannot be bound; its plan should join them."
                )
            return True
        has_bias = len(others) < len(self.parts)
        return single and self.step.fusion is not None and (self.fuses_bias or not has_bias)

    def _is_chain(self) -> bool:
        """Whether every part adds to every neuron's sum once: then the first may begin it and the last end it.

        A part has a neuron at most once: nests and table of a projection share none.
        """
        whole = all(part.cells.n_neurons == self.n_neurons for part in self.parts)
        return self.step.op in SUMS and len(self.parts) > 1 and whole

    def _parts(self, j: int, projection: PlanProjection) -> list[Part]:
        constant = self.constants.one()
        if self.step.op == "mean":
            constant = self.constants.place(1.0 / float(self.step.divisor or 1.0))
        is_bias = projection.source == ONE
        found: list[tuple[Cells, bool]] = []
        for nest in projection.nests:
            source = self.arena.source(self.number, j, projection)
            lanes = lanes_of(nest) if is_bias or self.step.op == "weighted" else None
            found.append((cells_of_nest(nest, self.box, source, constant, lanes), nest.weight is not None))
        if projection.table is not None and projection.table.n_neurons:
            boxes = tuple(self.arena.source(self.number, j, projection, k) for k in range(len(sources_of(projection))))
            found.append(
                (cells_of_table(projection.table, self.box, boxes, constant), projection.table.weight is not None)
            )
        trains = not is_bias and any(name not in self.inputs for name, _ in sources_of(projection))
        return [Part(j, cells, cells, self._place(cells), weighted, trains, is_bias) for cells, weighted in found]

    def _place(self, cells: Cells) -> int:
        taps_at = self.listing.table(cells.taps)
        table = np.zeros((len(cells.target), c.CELL), dtype=np.int64)
        table[:, c.TARGET], table[:, c.SOURCE], table[:, c.WEIGHT] = cells.target, cells.source, cells.weight
        table[:, c.TAPS], table[:, c.N_TAPS] = taps_at + 2 * cells.first_tap, cells.n_taps
        if self.biases is not None:
            table[:, c.BIAS] = self.biases.of(cells.target)
        return self.listing.table(table)

    def _copy_views(self, j: int, projection: PlanProjection, op: int) -> None:
        for k, (name, dropout) in enumerate(sources_of(projection)):
            view = self.arena.views.get((self.number, j, k))
            if view is None:
                continue
            column = -1
            if dropout is not None:
                self.numbers.append(float(self.plan.dropouts[dropout]))
                column = len(self.numbers) - 1
            triples = copies_of_box(self.arena.boxes[name], view)
            at = self.listing.table(triples)
            if op == c.COPY_BACK:
                when = c.BACKWARD | (c.TRACE if name in self.inputs else 0)
                self.listing.add(op, when, at, len(triples), extra=column)
                continue
            if projection.halo is not None:
                halo = self.storage.parameters[projection.halo].start
                whole = self.listing.table(np.array([[view.start, view.size]], dtype=np.int64))
                self.listing.add(c.FILL, ALWAYS, whole, 1, extra=halo)
            if dropout is not None:
                first, shown = self.mask_columns[dropout, name], pieces_of_box(view)
                table = self.listing.table(shown)
                self.listing.add(c.LOAD_MASK, c.DROPOUT, table, len(shown), extra=first, shift=self.arena.size)
            self.listing.add(op, ALWAYS, at, len(triples), extra=column)
