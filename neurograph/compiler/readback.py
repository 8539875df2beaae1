"""Reading a plan back as edges: what tests compare with the graph."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.plan import ONE, Edge, Nest, Plan, PlanProjection, Step, Table
from neurograph.parameters import Reference

Index = NDArray[np.int64]
Rows = tuple[Index, Index, "Index | None"]
"""Target positions, source positions, weight addresses: one row an edge."""


def edges(plan: Plan) -> Iterator[Edge]:
    """Every edge of a plan, and one from `ONE` per neuron with a bias; taps that fall in a zero halo are none.

    Notes
    -----
    Writes edges out: for plans of at most some million edges.
    """
    for step in plan.steps:
        for projection in step.projections:
            for nest in projection.nests:
                yield from _named(plan, step, projection, _rows_of_nest(nest), None)
            if projection.table is not None:
                origin = projection.table.origin
                yield from _named(
                    plan, step, projection, _rows_of_table(projection.table), None if origin is None else origin.array
                )


def _rows_of_nest(nest: Nest) -> Rows:
    target = np.array([nest.target], dtype=np.int64).reshape(1, -1)
    source = np.array([nest.source], dtype=np.int64).reshape(1, -1)
    weight = np.array([nest.weight or 0], dtype=np.int64)
    for axis in nest.axes:
        i = np.arange(axis.count, dtype=np.int64)
        along = np.zeros(target.shape[1], dtype=np.int64)
        along[axis.along] = axis.step
        target = _shifted(target, i[:, None] * along)
        source = _shifted(source, i[:, None] * np.array(axis.source, dtype=np.int64))
        weight = (i[:, None] * axis.weight + weight).reshape(-1)
    n_taps = len(nest.taps.source)
    every_source = (source[:, None, :] + nest.taps.source.array).reshape(len(source) * n_taps, source.shape[1])
    every_weight = None if nest.taps.weight is None else (weight[:, None] + nest.taps.weight.array).reshape(-1)
    return np.repeat(target, n_taps, axis=0), every_source, every_weight


def _shifted(positions: Index, shifts: Index) -> Index:
    """Every position under every shift, shifts slowest."""
    return (shifts[:, None, :] + positions).reshape(len(shifts) * len(positions), positions.shape[1])


def _rows_of_table(table: Table) -> Rows:
    target = np.repeat(table.target.array, np.diff(table.start.array), axis=0)
    return target, table.source.array, None if table.weight is None else table.weight.array


def _named(plan: Plan, step: Step, projection: PlanProjection, rows: Rows, origin: Index | None) -> Iterator[Edge]:
    target, source, weight = rows
    targets = _nodes(plan, step.population, target)
    if projection.source == ONE:
        sources: list[Hashable | None] = [ONE] * len(source)
    elif origin is None:
        sources = _nodes(plan, projection.source, source)
    else:
        sources = [None] * len(source)
        for number, (name, _) in enumerate([(projection.source, None), *projection.others]):
            mine = np.flatnonzero(origin == number)
            for row, node in zip(mine.tolist(), _nodes(plan, name, source[mine]), strict=True):
                sources[row] = node
    if projection.halo is not None:
        sources = _with_constants(plan, projection.halo, sources, source)
    references = [None] * len(target) if weight is None else references_of(plan, weight)
    for edge in zip(targets, sources, references, strict=True):
        if edge[1] is not None:
            yield edge[0], edge[1], edge[2], step.op


def _nodes(plan: Plan, population: Hashable, positions: Index) -> list[Hashable | None]:
    """Node ids by position; None outside the box."""
    shape = plan.population(population).shape
    rank = len(shape)
    inside = np.all((positions[:, :rank] >= 0) & (positions[:, :rank] < np.array(shape, dtype=np.int64)), axis=1)
    steps = np.array([prod(shape[axis + 1 :]) for axis in range(rank)], dtype=np.int64)
    flat = np.where(inside, positions[:, :rank] @ steps, prod(shape))
    return list(map([*plan.nodes(population), None].__getitem__, flat.tolist()))


def _with_constants(plan: Plan, halo: str, nodes: list[Hashable | None], positions: Index) -> list[Hashable | None]:
    """The same with the constants that sit outside the box."""
    found = list(nodes)
    for i, place in enumerate(map(tuple, positions.tolist())):
        if found[i] is None:
            found[i] = plan.constants.get((halo, place), (halo, *place))
    return found


def references_of(plan: Plan, addresses: Index) -> list[Reference | None]:
    """Parameter names and flat indices of weight addresses."""
    starts = np.array([parameter.offset for parameter in plan.parameters], dtype=np.int64)
    which = np.searchsorted(starts, addresses, side="right") - 1
    names = [parameter.name for parameter in plan.parameters]
    return [(names[k], i) for k, i in zip(which.tolist(), (addresses - starts[which]).tolist(), strict=True)]
