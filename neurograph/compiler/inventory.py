"""What a program touches, counted from its stencils: parameters, dropped neurons, and that no address lies outside."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Arena, Box, sources_of
from neurograph.compiler.cells import Cells
from neurograph.compiler.emit import Constants, Part, StepEmitter
from neurograph.compiler.plan import ONE, Plan, PlanParameter
from neurograph.errors import GraphError

Index = NDArray[np.int64]


def mask_columns(plan: Plan) -> tuple[dict[tuple[str, Hashable], int], int]:
    """(Dropout, population) → the first column of its masks; and how many columns there are."""
    columns: dict[tuple[str, Hashable], int] = {}
    total = 0
    for step in plan.steps:
        for projection in step.projections:
            for name, dropout in sources_of(projection):
                if dropout is not None and (dropout, name) not in columns:
                    columns[dropout, name] = total
                    total += plan.population(name).size
    return columns, total


def dropped(emitters: list[StepEmitter]) -> dict[tuple[str, Hashable], Index]:
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
                    run = np.arange(part.cells.lanes if part.cells.source_step else 1, dtype=np.int64)
                    for offset in np.unique(part.cells.taps[:, 0]):
                        read[np.add.outer(part.cells.source + offset, run * part.cells.source_step)] = True
                else:
                    read[part.cells.taps[:, 0]] = True
                found.setdefault((dropout, name), []).append(np.flatnonzero(read[view.every()]))
    return {key: np.unique(np.concatenate(parts)) for key, parts in found.items()}


def parameters(plan: Plan, emitters: list[StepEmitter]) -> tuple[tuple[PlanParameter, ...], tuple[PlanParameter, ...]]:
    """Parameters with edges, and those that only fill halos."""
    touched = {name for emitter in emitters for part in emitter.parts for name in parameters_of(plan, part)}
    halos = {q.halo for step in plan.steps for q in step.projections if q.halo is not None}
    learnt = tuple(p for p in plan.parameters if p.name in touched)
    fixed = tuple(p for p in plan.parameters if p.name in halos and p.name not in touched)
    return learnt, fixed


def parameters_of(plan: Plan, part: Part) -> list[str]:
    """Names of the parameters that a part's edges refer to."""
    if not part.weighted:
        return []
    _, _, (low, high) = part.plain.bounds()
    holding = [p.name for p in plan.parameters if p.offset <= low and high < p.offset + p.size]
    if holding:
        return holding
    every = np.unique(_weights_of(part.plain))
    return [p.name for p in plan.parameters if ((every >= p.offset) & (every < p.offset + p.size)).any()]


def _weights_of(cells: Cells) -> Index:
    lanes = np.arange(cells.lanes, dtype=np.int64) * cells.weight_step
    if cells.lanes > 1 or cells.weight.any() or cells.source.any():
        anchors = np.unique(cells.weight)
        weights: Index = (anchors[:, None, None] + lanes[:, None] + cells.taps[:, 1]).reshape(-1)
        return weights
    only: Index = cells.taps[:, 1]
    return only


def check(emitters: list[StepEmitter], arena: Arena, constants: Constants, n_learnt: int) -> None:
    """Every address that kernels will use without looking."""
    for emitter in emitters:
        for part in emitter.parts:
            if not len(part.cells.taps) or not len(part.cells.target):
                raise GraphError(f"{emitter.step.population}: a stencil without taps cannot be bound.")
            targets, sources, weights = part.cells.bounds()
            n_weights = constants.first + len(constants.values)
            if part.weighted:
                weights, n_weights = part.plain.bounds()[2], n_learnt
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
