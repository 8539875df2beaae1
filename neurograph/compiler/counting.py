"""How many neurons, edges, weights and floating-point operations a plan has, without writing an edge out."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.plan import ONE, Nest, Plan, PlanProjection, Position, Step

Index = NDArray[np.int64]
FLOP_PER_TAP = {"weighted": 2, "rbf": 3, "l2": 2}
"""Multiply and add; subtract, multiply and add; multiply and add. Others: one."""


def n_neurons(plan: Plan, step: Step) -> int:
    """Neurons that a step computes."""
    return plan.population(step.population).size if step.members is None else len(step.members)


def n_edges(plan: Plan, projection: PlanProjection) -> int:
    """Edges of a projection: taps that do not fall in a zero halo."""
    if projection.source == ONE or projection.halo is not None:
        return projection.n_edges
    shape = plan.population(projection.source).shape
    return sum(edges_of_nest(nest, shape) for nest in projection.nests) + (
        projection.table.n_edges if projection.table else 0
    )


def edges_of_nest(nest: Nest, shape: Position) -> int:
    """Taps of a nest that read a position inside the source's box of that shape.

    Notes
    -----
    Every axis of a discovered nest that moves the sources moves them along one source axis (shifts along several are counted
    position by position), so the count is a product over the source axes.
    """
    if any(np.count_nonzero(axis.source) > 1 for axis in nest.axes):
        return _counted(nest, shape)
    inside = np.ones(len(nest.taps.source), dtype=np.int64)
    for axis, extent in enumerate(shape):
        first = nest.source[axis] + nest.taps.source.array[:, axis]
        moved = _sums([(a.count, a.source[axis]) for a in nest.axes if a.source[axis]])
        offsets, which = np.unique(first, return_inverse=True)
        at = offsets[:, None] + moved
        inside *= np.count_nonzero((at >= 0) & (at < extent), axis=1)[which]
    still = prod(axis.count for axis in nest.axes if not any(axis.source))
    return int(inside.sum()) * still


def _counted(nest: Nest, shape: Position) -> int:
    at = np.array(nest.source, dtype=np.int64) + nest.taps.source.array
    for axis in nest.axes:
        steps = np.arange(axis.count, dtype=np.int64)[:, None, None] * np.array(axis.source, dtype=np.int64)
        at = (steps + at).reshape(-1, len(shape))
    return int(np.count_nonzero(((at >= 0) & (at < np.array(shape, dtype=np.int64))).all(axis=1)))


def _sums(loops: list[tuple[int, int]]) -> Index:
    """All sums of i·step over loops of (count, step)."""
    sums = np.zeros(1, dtype=np.int64)
    for count, step in loops:
        sums = np.add.outer(np.arange(count, dtype=np.int64) * step, sums).reshape(-1)
    return sums


def n_taps(step: Step) -> int:
    """Taps of a step without biases; those in a zero halo included, since they are computed."""
    return sum(projection.n_edges for projection in step.projections if projection.source != ONE)


def n_flop(step: Step) -> int:
    """Floating-point operations of a forward pass over one sample, activations not counted."""
    biases = sum(projection.n_edges for projection in step.projections if projection.source == ONE)
    return n_taps(step) * FLOP_PER_TAP.get(step.op, 1) + biases


def n_weights(step: Step) -> int:
    """Weights that the edges of a step carry, biases not counted; each once.

    Examples
    --------
    >>> import neurograph as ng
    >>> [n_weights(step) for step in ng.plan(ng.lay_out(ng.load("lenet5"))).steps]
    [150, 0, 2400, 0, 48000, 10080, 840]
    """
    return _length_of_union([_used(projection) for projection in step.projections if projection.source != ONE])


def n_parameters(plan: Plan) -> int:
    """Weights and biases of a plan, each once however often it is used.

    Examples
    --------
    >>> import neurograph as ng
    >>> n_parameters(ng.plan(ng.lay_out(ng.load("lenet5"))))
    61706
    """
    return _length_of_union([_used(projection) for step in plan.steps for projection in step.projections])


def _used(projection: PlanProjection) -> Index:
    """The weight addresses of a projection as half-open intervals, shape (intervals, 2)."""
    found = [_intervals(nest) for nest in projection.nests]
    if projection.table is not None and projection.table.weight is not None:
        addresses = np.unique(projection.table.weight.array)
        found.append(np.stack([addresses, addresses + 1], axis=1))
    return np.concatenate([np.zeros((0, 2), dtype=np.int64), *found])


def _intervals(nest: Nest) -> Index:
    if nest.weight is None or nest.taps.weight is None:
        return np.zeros((0, 2), dtype=np.int64)
    offsets = np.unique(nest.taps.weight.array)
    breaks = np.flatnonzero(np.diff(offsets) > 1)
    begins, ends = offsets[np.concatenate([[0], breaks + 1])], offsets[np.append(breaks, len(offsets) - 1)] + 1
    anchors = nest.weight + _sums([(axis.count, axis.weight) for axis in nest.axes if axis.weight])
    return np.stack([np.add.outer(anchors, begins).reshape(-1), np.add.outer(anchors, ends).reshape(-1)], axis=1)


def _length_of_union(parts: list[Index]) -> int:
    intervals = np.concatenate([np.zeros((0, 2), dtype=np.int64), *parts])
    if not len(intervals):
        return 0
    low, high = intervals[np.argsort(intervals[:, 0], kind="stable")].T
    reached = np.maximum.accumulate(high)
    begin = np.maximum(low[1:], reached[:-1])
    return int(high[0] - low[0] + np.maximum(high[1:] - begin, 0).sum())
