"""A plan made runnable: instructions, tables and column maps, checked once, so that kernels need not check at all.

An image depends on the plan and on nothing else: not on weights, precision, batch or threads.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Arena, Box, make_arena, runs, sources_of
from neurograph.compiler.emit import Constants, Listing, StepEmitter
from neurograph.compiler.placing import NOWHERE, Mask, Placing
from neurograph.compiler.plan import ONE, Plan, PlanParameter
from neurograph.errors import GraphError
from neurograph.graph.layout import Layout, Port
from neurograph.kernels import code as c
from neurograph.kernels.losses import BINARY_CROSS_ENTROPY, CROSS_ENTROPY, RBF_MAP, SQUARED

Index = NDArray[np.int64]
LOSS_KINDS = {
    "cross_entropy": CROSS_ENTROPY,
    "binary_cross_entropy": BINARY_CROSS_ENTROPY,
    "mse": SQUARED,
    "rbf_map": RBF_MAP,
}


@dataclass(frozen=True)
class Head:
    """A head's neurons: addresses, the columns of its array they fill, and the groups that one softmax spans."""

    port: Port
    addresses: Index
    columns: Index
    groups: tuple[Index, ...]
    """Indices into `addresses`."""

    first_column: int
    """Where its columns start among those of all heads."""


@dataclass(frozen=True)
class Record:
    """A layer in a trace: which of its places have a neuron, and where their numbers stand among the exported columns."""

    name: Hashable
    shape: tuple[int, ...]
    places: Index | None
    """Row-major places that have a neuron; None: all."""

    first_column: int
    n_columns: int


@dataclass(frozen=True)
class Image:
    """Everything a program needs besides weights and samples."""

    plan: Plan
    layout: Layout
    plane: int
    code: Index
    tables: Index
    numbers: NDArray[np.float64]
    constants: tuple[float, ...]
    heads: tuple[Head, ...]
    records: tuple[Record, ...]
    winners: tuple[Record, ...]
    n_columns: int
    masks: dict[tuple[str, Hashable], int]
    """(dropout, plan population) → its first column among the masks."""

    n_mask_columns: int
    dropped: dict[tuple[str, Hashable], Index]
    """(dropout, plan population) → positions that somebody reads through it, row-major."""

    learnt: tuple[PlanParameter, ...]
    """Parameters that edges or biases refer to."""

    fixed: tuple[PlanParameter, ...]
    """Parameters that are values of padded positions only."""

    @property
    def n_trace_columns(self) -> int:
        """Columns of a trace: a, z, δ of every neuron, winners of the maxima."""
        return 3 * self.n_columns + sum(record.n_columns for record in self.winners)


def make_image(plan: Plan, layout: Layout, inputs: Mapping[Hashable, Mask]) -> Image:
    """Write a plan as instructions.

    Parameters
    ----------
    inputs : mapping
        Input layer → which of its places have a neuron; layers not listed are whole.

    Raises
    ------
    GraphError
        If a stencil reaches outside its source or its parameters.
    """
    return _Maker(plan, layout, inputs).image()


class _Maker:
    """Holds what the instructions share while they are written."""

    def __init__(self, plan: Plan, layout: Layout, inputs: Mapping[Hashable, Mask]) -> None:
        self.plan, self.layout = plan, layout
        self.arena: Arena = make_arena(plan)
        self.placing = Placing(plan, layout, self.arena, inputs)
        self.listing = Listing()
        self.constants = Constants(plan.n_weights)
        self.numbers: list[float] = []
        self.masks, self.n_mask_columns = _mask_columns(plan)
        self.heads = self._heads()

    def image(self) -> Image:
        emitters = self._emitters()
        self._inputs()
        for emitter in emitters:
            emitter.forward()
        self._softmaxes()
        self._clear(emitters)
        self._owed()
        for emitter in reversed(emitters):
            emitter.slope()
            self._binary(emitter)
            emitter.backward()
        self._outputs()
        records, winners, n_columns = self._exports(emitters)
        _check(emitters, self.arena, self.constants)
        code, tables = self.listing.arrays()
        learnt, fixed = _parameters(self.plan, emitters)
        return Image(
            self.plan,
            self.layout,
            self.arena.size,
            code,
            tables,
            np.array(self.numbers or [0.0]),
            tuple(self.constants.values),
            self.heads,
            records,
            winners,
            n_columns,
            self.masks,
            self.n_mask_columns,
            _dropped(self.plan, emitters),
            learnt,
            fixed,
        )

    # -- pieces -------------------------------------------------------------------------------------------------------
    def _emitters(self) -> list[StepEmitter]:
        observed = np.zeros(self.arena.size, dtype=np.bool_)
        for head in self.heads:
            observed[head.addresses] = True
        routes = {step.population: step.route for step in self.plan.steps if step.route is not None}
        emitters = []
        for number, step in enumerate(self.plan.steps):
            box = self.arena.boxes[step.population]
            route = routes.get(step.fusion.pool) if step.fusion is not None else None
            emitters.append(
                StepEmitter(
                    self.plan,
                    number,
                    self.arena,
                    self.listing,
                    self.constants,
                    self.numbers,
                    self.masks,
                    keeps_z=bool(observed[box.every()].any()),
                    is_gated=route is not None and route.gates,
                )
            )
        return emitters

    def _heads(self) -> tuple[Head, ...]:
        heads, first = [], 0
        for port in self.layout.heads:
            addresses = self.placing.port(port)
            columns = np.flatnonzero(addresses != NOWHERE)
            spread = 1 if port.members is not None else prod(port.shape[1:])
            groups = tuple(np.flatnonzero(columns % spread == g) for g in np.unique(columns % spread))
            heads.append(Head(port, addresses[columns], columns, groups, first))
            first += port.size
        return tuple(heads)

    def _inputs(self) -> None:
        column = 0
        for port in self.layout.inputs:
            addresses = self.placing.port(port)
            present = np.flatnonzero(addresses != NOWHERE)
            for first, run in _blocks(addresses[present], present):
                self.listing.add(c.LOAD_INPUT, 0, self.listing.table(run), len(run), extra=column + first)
            column += port.size

    def _softmaxes(self) -> None:
        for head in self.heads:
            if head.port.activation == "softmax":
                table = self.listing.table(_groups(head))
                fused = all(
                    step.fusion is not None and step.fusion.loss
                    for step in self.plan.steps
                    if step.activation == "softmax" and step.population == head.port.name
                )
                by_loss = head.port.loss is not None and head.port.loss.kind == "cross_entropy"
                when = c.PROBABILITIES if fused and by_loss else 0
                self.listing.add(c.SOFTMAX, when, table, len(head.groups))

    def _clear(self, emitters: list[StepEmitter]) -> None:
        """Errors start at 0, except where each is written exactly once."""
        keep = np.ones(self.arena.size, dtype=np.bool_)
        routes = {step.population: step.route for step in self.plan.steps if step.route is not None}
        for emitter in emitters:
            route = routes.get(emitter.step.fusion.pool) if emitter.step.fusion is not None else None
            if route is not None and route.assigns and route.covers:
                keep[emitter.box.start : emitter.box.start + emitter.box.size] = False
        found = runs(np.flatnonzero(keep))
        zero = self.constants.zero()
        table = self.listing.table(found)
        self.listing.add(c.FILL, c.BACKWARD, table, len(found), extra=zero, shift=2 * self.arena.size)

    def _owed(self) -> None:
        """What the heads owe: errors from upstream or squares, and δ of the losses that know it at once."""
        for head in self.heads:
            table = self.listing.table(_pairs(head))
            self.listing.add(c.UPSTREAM_GRADIENT, c.UPSTREAM, table, len(head.groups))
            loss = head.port.loss
            if loss is not None and loss.kind == "mse":
                half = loss.form == "half_sum"
                n = len(head.addresses)
                self._loss(head, table, len(head.groups), (0.5, 1.0) if half else (1.0 / n, 2.0 / n))
        for head in self.heads:
            if head.port.activation == "softmax":
                self.listing.add(c.SOFTMAX_BACK, c.BACKWARD, self.listing.table(_groups(head)), len(head.groups))
        for head in self.heads:
            loss = head.port.loss
            if loss is not None and loss.kind in ("cross_entropy", "rbf_map"):
                self._loss(head, self.listing.table(_pairs(head)), len(head.groups), (1.0, 1.0))

    def _binary(self, emitter: StepEmitter) -> None:
        """Binary cross-entropy owes behind the slope of its own step, neuron by neuron."""
        for head in self.heads:
            loss = head.port.loss
            if loss is None or loss.kind != "binary_cross_entropy":
                continue
            mine = np.flatnonzero(np.isin(head.addresses, emitter.neurons))
            if len(mine):
                pairs = np.stack([head.addresses[mine], head.first_column + head.columns[mine]], axis=1)
                table = self.listing.table(np.concatenate([[len(mine)], pairs.reshape(-1)]))
                self._loss(head, table, 1, (1.0, 1.0))

    def _loss(self, head: Head, table: int, n_groups: int, factors: tuple[float, float]) -> None:
        loss = head.port.loss
        assert loss is not None
        self.numbers.extend([loss.weight, *factors, loss.j])
        kind = LOSS_KINDS[loss.kind]
        self.listing.add(c.LOSS, c.TARGETS, table, n_groups, how=kind, extra=len(self.numbers) - 4)

    def _outputs(self) -> None:
        for head in self.heads:
            for first, run in _blocks(head.addresses, head.columns):
                self.listing.add(
                    c.EXPORT, c.OUTPUTS, self.listing.table(run), len(run), extra=head.first_column + first
                )

    def _exports(self, emitters: list[StepEmitter]) -> tuple[tuple[Record, ...], tuple[Record, ...], int]:
        """What a trace takes out: a, z, δ of all neurons, and the winners of all maxima."""
        records, parts, column = [], [], 0
        for name, shape in self.layout.shapes.items():
            addresses = self.placing.population(name)
            present = np.flatnonzero(addresses != NOWHERE)
            places = None if len(present) == len(addresses) else present
            records.append(Record(name, shape, places, column, len(present)))
            parts.append(addresses[present])
            column += len(present)
        everyone = np.concatenate(parts)
        inputs = np.concatenate([self.placing.port(port) for port in self.layout.inputs])
        given = np.isin(everyone, inputs)
        for kind, shift in enumerate((c.PLANE_A, c.PLANE_Z, c.PLANE_D)):
            shifted = everyone + np.where(given & (shift == c.PLANE_Z), 0, shift * self.arena.size)
            self._export(shifted, kind * column)
        maxima = [emitter.neurons for emitter in emitters if emitter.step.op == "max"]
        is_max = np.isin(everyone, np.concatenate(maxima)) if maxima else np.zeros(len(everyone), dtype=np.bool_)
        winners, first = [], 3 * column
        for record in records:
            mine = np.flatnonzero(is_max[record.first_column : record.first_column + record.n_columns])
            if len(mine):
                places = mine if record.places is None else record.places[mine]
                winners.append(Record(record.name, record.shape, places, first, len(mine)))
                first += len(mine)
        self._export(everyone[is_max] + 3 * self.arena.size, 3 * column)
        return tuple(records), tuple(winners), column

    def _export(self, addresses: Index, column: int) -> None:
        found = runs(addresses)
        self.listing.add(c.EXPORT, c.TRACE, self.listing.table(found), len(found), extra=column)


def _blocks(addresses: Index, columns: Index) -> list[tuple[int, Index]]:
    """Addresses in runs, cut where the columns jump: (first column, runs)."""
    if not len(addresses):
        return []
    cuts = np.flatnonzero(np.diff(columns) != 1) + 1
    return [(int(columns[part[0]]), runs(addresses[part])) for part in np.split(np.arange(len(addresses)), cuts)]


def _groups(head: Head) -> Index:
    """Per group: its size, its addresses."""
    return np.concatenate([np.concatenate([[len(group)], head.addresses[group]]) for group in head.groups])


def _pairs(head: Head) -> Index:
    """Per group: its size, then (address, target column)."""
    parts = []
    for group in head.groups:
        pairs = np.stack([head.addresses[group], head.first_column + head.columns[group]], axis=1)
        parts.append(np.concatenate([[len(group)], pairs.reshape(-1)]))
    return np.concatenate(parts)


def _mask_columns(plan: Plan) -> tuple[dict[tuple[str, Hashable], int], int]:
    columns: dict[tuple[str, Hashable], int] = {}
    total = 0
    for step in plan.steps:
        for projection in step.projections:
            for name, dropout in sources_of(projection):
                if dropout is not None and (dropout, name) not in columns:
                    columns[dropout, name] = total
                    total += plan.population(name).size
    return columns, total


def _dropped(plan: Plan, emitters: list[StepEmitter]) -> dict[tuple[str, Hashable], Index]:
    """Which neurons each dropout layer lies over: those that somebody reads through it."""
    found: dict[tuple[str, Hashable], list[Index]] = {}
    for emitter in emitters:
        for part in emitter.parts:
            projection = emitter.step.projections[part.projection]
            for k, (name, dropout) in enumerate(sources_of(projection)):
                view: Box | None = emitter.arena.views.get((emitter.number, part.projection, k))
                if dropout is None or view is None:
                    continue
                read = np.zeros(emitter.arena.size, dtype=np.bool_)
                if part.cells.source.any():
                    for offset in np.unique(part.cells.taps[:, 0]):
                        read[part.cells.source + offset] = True
                else:
                    read[part.cells.taps[:, 0]] = True
                found.setdefault((dropout, name), []).append(np.flatnonzero(read[view.every()]))
    return {key: np.unique(np.concatenate(parts)) for key, parts in found.items()}


def _parameters(plan: Plan, emitters: list[StepEmitter]) -> tuple[tuple[PlanParameter, ...], tuple[PlanParameter, ...]]:
    """Parameters with edges, and those that only fill halos."""
    touched = np.zeros(len(plan.parameters), dtype=np.bool_)
    starts = np.array([parameter.offset for parameter in plan.parameters], dtype=np.int64)
    ends = np.array([parameter.offset + parameter.size for parameter in plan.parameters], dtype=np.int64)
    for emitter in emitters:
        for part in emitter.parts:
            if not part.weighted:
                continue
            _, _, (low, high) = part.cells.bounds()
            holding = np.flatnonzero((starts <= low) & (high < ends))
            if len(holding):
                touched[holding] = True
                continue
            every = np.unique(_weights_of(part.cells))
            touched |= np.array([bool(((every >= a) & (every < b)).any()) for a, b in zip(starts, ends, strict=True)])
    halos = {q.halo for step in plan.steps for q in step.projections if q.halo is not None}
    learnt = tuple(p for p, is_touched in zip(plan.parameters, touched, strict=True) if is_touched)
    fixed = tuple(
        p for p, is_touched in zip(plan.parameters, touched, strict=True) if p.name in halos and not is_touched
    )
    return learnt, fixed


def _weights_of(cells: Any) -> Index:
    lanes = np.arange(cells.lanes, dtype=np.int64) * cells.weight_step
    if cells.weight.any() or cells.source.any():
        anchors = np.unique(cells.weight)
        weights: Index = (anchors[:, None, None] + lanes[:, None] + cells.taps[:, 1]).reshape(-1)
        return weights
    only: Index = cells.taps[:, 1]
    return only


def _check(emitters: list[StepEmitter], arena: Arena, constants: Constants) -> None:
    """Every address that kernels will use without looking."""
    for emitter in emitters:
        for part in emitter.parts:
            if not len(part.cells.taps) or not len(part.cells.target):
                raise GraphError(f"{emitter.step.population}: a stencil without taps cannot be bound.")
            targets, sources, weights = part.cells.bounds()
            n_weights = constants.first + len(constants.values)
            for what, (low, high), end in (
                ("target", targets, arena.size),
                ("source", sources, arena.size),
                ("weight", weights, n_weights),
            ):
                if low < 0 or high >= end:
                    raise GraphError(
                        f"{emitter.step.population}: a stencil's {what}s reach from {low} to {high}; there are 0…{end - 1}."
                    )
            projection = emitter.step.projections[part.projection]
            if projection.source == ONE and sources != (0, 0):
                raise GraphError(f"{emitter.step.population}: a bias that does not come from the source 1.")


__all__ = ["Head", "Image", "Record", "make_image"]
