"""The pass `fuse`: bias, activation and loss move into the step that computes z, and the pooling that follows moves behind it.

Pure: a plan in, a plan with annotations out. A program runs a plan without them just as well, with every part as a pass of its own;
so switching the pass off bisects a fault.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.plan import ONE, Axis, Fusion, Nest, Plan, PlanPopulation, PlanProjection, Step

Index = NDArray[np.int64]
IN_THE_SUM = ("identity", "relu")
"""Activations that cost nothing where the sum is finished; the others are a pass of their own right behind."""


def fuse(plan: Plan) -> Plan:
    """Annotate every step with what it takes in.

    A map that anything besides one max pool reads stays a map of its own.
    """
    readers = readers_of(plan)
    writers: dict[Hashable, int] = {}
    for step in plan.steps:
        writers[step.population] = writers.get(step.population, 0) + 1
    heads = {name for name, _ in plan.outputs} | {name for spread in plan.spread.values() for name, _ in spread}
    losses = _heads_with_loss(plan)
    steps = []
    for step in plan.steps:
        reading = readers.get(step.population, [])
        alone = len(reading) == 1 and writers[step.population] == 1 and step.population not in heads
        pool = plan.steps[reading[0]].population if alone and is_plain_pool(plan.steps[reading[0]]) else None
        fusion = Fusion(
            bias=fits_bias(step, plan.population(step.population)),
            activation=step.activation in IN_THE_SUM,
            loss=step.population in losses and step.activation in ("identity", "softmax"),
            pool=pool,
        )
        steps.append(replace(step, fusion=fusion))
    return replace(plan, steps=tuple(steps))


def readers_of(plan: Plan) -> dict[Hashable, list[int]]:
    """Population → the steps that read it, each as often as it has projections from there."""
    readers: dict[Hashable, list[int]] = {}
    for number, step in enumerate(plan.steps):
        for projection in step.projections:
            for name in (projection.source, *(name for name, _ in projection.others)):
                if name != ONE:
                    readers.setdefault(name, []).append(number)
    return readers


def is_plain_pool(step: Step) -> bool:
    """A max pool that reads one map as it is."""
    plain = len(step.projections) == 1 and step.projections[0].dropout is None and not step.projections[0].others
    return step.op == "max" and step.members is None and plain


def _heads_with_loss(plan: Plan) -> set[Hashable]:
    names: set[Hashable] = set()
    for number, (head, (name, _)) in enumerate(zip(plan.heads, plan.outputs, strict=True)):
        if head.loss is not None and head.loss.kind == "cross_entropy" and number not in plan.spread:
            names.add(name)
    return names


# -- biases -----------------------------------------------------------------------------------------------------------
def fits_bias(step: Step, population: PlanPopulation) -> bool:
    """Whether along the lanes of every nest the biases are a constant number of weights apart, or all missing.

    Then a sum can begin with its bias; other biases are added by a pass of their own.
    """
    biases = [projection for projection in step.projections if projection.source == ONE]
    if not biases:
        return False
    if _is_one_box(biases[0], population):
        return True
    table = _bias_table(step, population)
    for projection in step.projections:
        if projection.source == ONE:
            continue
        for nest in projection.nests:
            lanes = [axis for axis in nest.axes if axis.word == "lanes"]
            if lanes and not _is_affine(table[_targets(nest, population.shape, lanes)]):
                return False
    return True


def _is_one_box(biases: PlanProjection, population: PlanPopulation) -> bool:
    """True where one nest gives every neuron its bias: then addresses are linear in the position, along lanes as along all else.

    So it is for every layer of a spec, whatever its size; the other cases were drawn by hand or edited.
    """
    if len(biases.nests) != 1 or biases.table is not None:
        return False
    (nest,) = biases.nests
    along = [axis.along for axis in nest.axes]
    return len(set(along)) == len(along) and nest.n_neurons == population.size


def _bias_table(step: Step, population: PlanPopulation) -> Index:
    """Per position, the address of its bias; −1 for none."""
    table = np.full(population.shape, -1, dtype=np.int64).reshape(-1)
    for projection in step.projections:
        if projection.source != ONE:
            continue
        for nest in projection.nests:
            assert nest.weight is not None
            assert nest.taps.weight is not None
            weights = np.array([nest.weight + int(nest.taps.weight.array[0])], dtype=np.int64)
            for axis in nest.axes:
                weights = (weights + np.arange(axis.count, dtype=np.int64)[:, None] * axis.weight).reshape(-1)
            table[_targets(nest, population.shape, []).reshape(-1)] = weights
        if projection.table is not None and projection.table.weight is not None:
            at = (
                np.ravel_multi_index(tuple(projection.table.target.array.T), population.shape)
                if population.shape
                else 0
            )
            table[at] = projection.table.weight.array
    return table


def _targets(nest: Nest, shape: tuple[int, ...], last: list[Axis]) -> Index:
    """Row-major positions of a nest's neurons; with the longest axis of `last` as a second dimension."""
    steps = [int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]
    inner = max(last, key=lambda axis: axis.count, default=None)
    positions = np.array([sum(i * step for i, step in zip(nest.target, steps, strict=True))], dtype=np.int64)
    for axis in nest.axes:
        if axis is not inner:
            shift = np.arange(axis.count, dtype=np.int64)[:, None] * (axis.step * steps[axis.along])
            positions = (positions + shift).reshape(-1)
    if inner is None:
        return positions[:, None]
    return positions[:, None] + np.arange(inner.count, dtype=np.int64) * (inner.step * steps[inner.along])


def _is_affine(addresses: Index) -> bool:
    """Whether every row goes up in one and the same constant step, or no neuron has a bias."""
    if (addresses < 0).any():
        return bool((addresses < 0).all())
    rises = np.diff(addresses, axis=1)
    return rises.size == 0 or bool((rises == rises[0, 0]).all())
