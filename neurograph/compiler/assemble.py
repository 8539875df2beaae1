"""`make_image`: all steps of a plan as instructions, in the order in which a block of samples runs through them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Arena, make_arena
from neurograph.compiler.channels import ChannelEmitter
from neurograph.compiler.emit import Constants, Listing, StepEmitter
from neurograph.compiler.gather import gathered_nests
from neurograph.compiler.image import Head, Image
from neurograph.compiler.inventory import check, dropped, mask_columns, parameters, parameters_of
from neurograph.compiler.owing import LOSS_OPS, loss_numbers
from neurograph.compiler.pieces import pieces_of, pieces_of_box
from neurograph.compiler.placing import NOWHERE, Mask, Placing
from neurograph.compiler.plan import Plan
from neurograph.compiler.recording import marked, record_trace
from neurograph.compiler.samples import SampleEmitter
from neurograph.compiler.spills import spilt
from neurograph.compiler.storage import Storage, parameters_with_lanes
from neurograph.graph.layout import Layout
from neurograph.kernels import code as c

Index = NDArray[np.int64]


def make_image(plan: Plan, layout: Layout, inputs: Mapping[Hashable, Mask], channels: bool) -> Image:
    """Write a plan as instructions.

    Parameters
    ----------
    channels : bool
        Whether channels are innermost in memory, or the samples of a block.
    inputs : mapping
        Input layer → which of its places have a neuron; layers not listed are whole.

    Raises
    ------
    GraphError
        If a stencil reaches outside its source or its parameters.
    """
    return _Maker(plan, layout, inputs, channels).image()


class _Maker:
    """Holds what the instructions share while they are written."""

    def __init__(self, plan: Plan, layout: Layout, inputs: Mapping[Hashable, Mask], channels: bool) -> None:
        self.plan, self.layout, self.channels = plan, layout, channels
        self.gathers = gathered_nests(plan) if channels else {}
        self.arena: Arena = make_arena(plan, channels, self.gathers)
        self.storage = Storage(plan, parameters_with_lanes(plan) if channels else set())
        self.placing = Placing(plan, layout, self.arena, inputs)
        self.listing = Listing()
        self.constants = Constants(self.storage.n_weights)
        self.numbers: list[float] = []
        self.masks, self.n_mask_columns = mask_columns(plan)
        self.heads = self._heads()
        self.stepped: frozenset[str] = frozenset()

    def image(self) -> Image:
        self.listing.gradient = self.storage.n_weights
        emitters = self._emitters()
        self._link(emitters)
        self.listing.mark = (None, "forward")
        self._inputs()
        for emitter in emitters:
            self.listing.mark = (emitter.step.population, "forward")
            emitter.forward()
        self.listing.mark = (None, "forward")
        self._softmaxes()
        self.listing.mark = (None, "backward")
        self._clear(emitters)
        self._owed()
        for emitter in reversed(emitters):
            self.listing.mark = (emitter.step.population, "backward")
            emitter.slope()
            self._binary(emitter)
            emitter.backward()
        self.listing.mark = (None, "backward")
        self._clear_gradient()
        self.listing.add(c.UPDATE, c.BACKWARD, 0, 0, to=self.listing.after)
        self.listing.mark = (None, "forward")
        self._outputs()
        records, winners, n_columns = record_trace(self.placing, self.layout, self.listing, emitters, self.arena.size)
        check(emitters, self.arena, self.constants, self.plan.n_weights)
        code, tables, marks = self.listing.arrays()
        learnt, fixed = parameters(self.plan, emitters)
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
            dropped(emitters),
            learnt,
            fixed,
            self.storage,
            self.channels,
            (
                len(self.listing.before),
                len(self.listing.first),
                len(self.listing.last),
                len(self.listing.after),
            ),
            self.listing.packed,
            self.listing.gradient,
            self.stepped,
            self.listing.kept,
            self.listing.panel,
            marks,
        )

    # -- pieces -------------------------------------------------------------------------------------------------------
    def _emitters(self) -> list[StepEmitter]:
        observed = marked([head.addresses for head in self.heads], self.arena.size)
        routes = {step.population: step.route for step in self.plan.steps if step.route is not None}
        emitters: list[StepEmitter] = []
        for number, step in enumerate(self.plan.steps):
            box = self.arena.boxes[step.population]
            route = routes.get(step.fusion.pool) if step.fusion is not None else None
            emitters.append(
                (ChannelEmitter if self.channels else SampleEmitter)(
                    self.plan,
                    number,
                    self.arena,
                    self.listing,
                    self.constants,
                    self.numbers,
                    self.masks,
                    keeps_z=bool(observed[box.start : box.start + box.size].any()),
                    is_gated=route is not None and route.gates,
                    storage=self.storage,
                )
            )
        return emitters

    def _clear_gradient(self) -> None:
        """Gradients start at 0, except where nobody adds to them."""
        whole = np.array([[0, self.listing.gradient]], dtype=np.int64)
        spots = [self.storage.parameters[name] for name in self.stepped]
        stepped = np.array(sorted((s.start, s.start + s.size) for s in spots), dtype=np.int64).reshape(-1, 2)
        bounds = np.concatenate([[0], stepped.reshape(-1), [self.listing.gradient]]).reshape(-1, 2)
        for when, ranges in ((c.SUM, stepped), (0, bounds if len(stepped) else whole)):
            if len(ranges):
                self.listing.add(
                    c.CLEAR, c.BACKWARD | when, self.listing.table(ranges), len(ranges), to=self.listing.first
                )

    def _link(self, emitters: list[StepEmitter]) -> None:
        """Steps whose only reader is a maximum take δ from its winners."""
        by_name = {emitter.step.population: emitter for emitter in emitters}
        spills = spilt(self.plan, self.gathers)
        for emitter in emitters:
            pool = by_name.get(emitter.step.fusion.pool) if emitter.step.fusion is not None else None
            if isinstance(emitter, ChannelEmitter) and isinstance(pool, ChannelEmitter):
                emitter.follow(pool)
            if isinstance(emitter, ChannelEmitter):
                emitter.gathers, emitter.is_spilt = self.gathers, emitter.step.population in spills
        users: dict[str, list[object]] = {}
        for emitter in emitters:
            for part in emitter.parts:
                for name in parameters_of(self.plan, part):
                    users.setdefault(name, []).append(part)
        for emitter in emitters:
            if isinstance(emitter, ChannelEmitter):
                emitter.steps = {id(used[0]): name for name, used in users.items() if len(used) == 1}
        self.stepped = frozenset(
            emitter.steps[id(part)]
            for emitter in emitters
            if isinstance(emitter, ChannelEmitter)
            for part in emitter.parts
            if emitter.is_stepped(part)
        )

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
            box = self.placing.whole(port.name) if port.members is None else None
            if box is not None:
                blocks = [(0, pieces_of_box(box))]
            else:
                addresses = self.placing.port(port)
                present = np.flatnonzero(addresses != NOWHERE)
                blocks = _blocks(addresses[present], present)
            for first, pieces in blocks:
                self.listing.add(c.LOAD_INPUT, 0, self.listing.table(pieces), len(pieces), extra=column + first)
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
        """Errors start at 0, except where each is written once or never."""
        routes = {step.population: step.route for step in self.plan.steps if step.route is not None}
        ends = [0]
        for emitter in sorted(emitters, key=lambda emitter: emitter.box.start):
            route = routes.get(emitter.step.fusion.pool) if emitter.step.fusion is not None else None
            if route is not None and route.assigns:
                ends += [emitter.box.start, emitter.box.start + emitter.box.size]
        bounds = np.array([*ends, self.arena.size], dtype=np.int64).reshape(-1, 2)
        found = np.stack([bounds[:, 0], bounds[:, 1] - bounds[:, 0]], axis=1)[bounds[:, 1] > bounds[:, 0]]
        table = self.listing.table(found)
        self.listing.add(c.FILL, c.BACKWARD, table, len(found), extra=self.constants.zero(), shift=2 * self.arena.size)

    def _owed(self) -> None:
        """What the heads owe: errors from upstream or squares, and δ of the losses that know it at once."""
        for head in self.heads:
            table = self.listing.table(_pairs(head))
            self.listing.add(c.UPSTREAM_GRADIENT, c.UPSTREAM, table, len(head.groups))
            loss = head.port.loss
            if loss is not None and loss.kind == "mse":
                half = loss.form == "half_sum"
                n = len(head.addresses)
                self._loss(head, table, head.groups, (0.5, 1.0) if half else (1.0 / n, 2.0 / n))
        for head in self.heads:
            if head.port.activation == "softmax":
                self.listing.add(c.SOFTMAX_BACK, c.BACKWARD, self.listing.table(_groups(head)), len(head.groups))
        for head in self.heads:
            loss = head.port.loss
            if loss is not None and loss.kind in ("cross_entropy", "rbf_map"):
                self._loss(head, self.listing.table(_pairs(head)), head.groups, (1.0, 1.0))

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
                self._loss(head, table, (mine,), (1.0, 1.0))

    def _loss(self, head: Head, table: int, groups: tuple[Index, ...], factors: tuple[float, float]) -> None:
        assert head.port.loss is not None
        first = len(self.numbers)
        self.numbers.extend(loss_numbers(head.port.loss, factors, head.port, [head.columns[group] for group in groups]))
        self.listing.add(LOSS_OPS[head.port.loss.kind], c.TARGETS, table, len(groups), extra=first)

    def _outputs(self) -> None:
        for head in self.heads:
            for first, pieces in _blocks(head.addresses, head.columns):
                table = self.listing.table(pieces)
                self.listing.add(c.EXPORT, c.OUTPUTS, table, len(pieces), extra=head.first_column + first)


def _blocks(addresses: Index, columns: Index) -> list[tuple[int, Index]]:
    """Addresses in pieces, cut where the columns jump: (first column, pieces)."""
    if not len(addresses):
        return []
    cuts = np.flatnonzero(np.diff(columns) != 1) + 1
    return [(int(columns[part[0]]), pieces_of(addresses[part])) for part in np.split(np.arange(len(addresses)), cuts)]


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
