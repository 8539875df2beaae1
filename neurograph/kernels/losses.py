"""Losses of heads: their value, and what every output owes, for each sample of a block.

A head's list holds, per group (the outputs that one softmax spans), its size and then pairs (address, column of the target).
Its numbers are (weight, factor of the loss, factor of the error, j). All computing is in double precision.
"""

from __future__ import annotations

import math

import numpy as np

from neurograph.kernels.code import (
    COUNT,
    EXTRA,
    FIRST_SAMPLE,
    LOSS_SUM,
    MEMORY,
    NEURON_STEP,
    NUMBERS,
    PLANE,
    SAMPLE_STEP,
    START,
    TABLES,
    TARGET_COLUMNS,
    TARGETS_GIVEN,
    VALID,
)
from neurograph.kernels.formulas import exact_sigmoid
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import Pointer, get, integers, number, offset, put, reals, values


def add_upstream(context: Pointer, row: Pointer) -> None:
    """∂loss/∂a, given from outside, onto the errors of a head."""
    mem, ints, t = values(context, MEMORY), integers(context, TABLES), values(context, TARGETS_GIVEN)
    step, columns, at = number(context, NEURON_STEP), number(context, TARGET_COLUMNS), get(row, START)
    plane, line = 2 * number(context, PLANE) * step, number(context, FIRST_SAMPLE) * columns
    for _ in range(get(row, COUNT)):
        for pair in range(at + 1, at + 1 + 2 * get(ints, at), 2):
            for sample in range(number(context, VALID)):
                i = get(ints, pair) * step + plane + sample * number(context, SAMPLE_STEP)
                put(mem, i, get(mem, i) + get(t, line + sample * columns + get(ints, pair + 1)))
        at += 1 + 2 * get(ints, at)


def cross_entropy(context: Pointer, row: Pointer) -> None:
    """One head's cross-entropy of softmax; it goes onto δ."""
    ints, numbers = integers(context, TABLES), offset(reals(context, NUMBERS), get(row, EXTRA))
    at, summed = get(row, START), 0.0
    for _ in range(get(row, COUNT)):
        for sample in range(number(context, VALID)):
            summed += get(numbers, 1) * _cross_entropy(context, numbers, at, sample)
        at += 1 + 2 * get(ints, at)
    _add(context, get(numbers, 0) * summed)


def binary_cross_entropy(context: Pointer, row: Pointer) -> None:
    """One head's cross-entropy of sigmoids, summed over units; it goes onto δ."""
    ints, numbers = integers(context, TABLES), offset(reals(context, NUMBERS), get(row, EXTRA))
    at, summed = get(row, START), 0.0
    for _ in range(get(row, COUNT)):
        for sample in range(number(context, VALID)):
            summed += get(numbers, 1) * _binary(context, numbers, at, sample)
        at += 1 + 2 * get(ints, at)
    _add(context, get(numbers, 0) * summed)


def squared(context: Pointer, row: Pointer) -> None:
    """One head's squared error; it goes onto the errors ∂loss/∂a."""
    ints, numbers = integers(context, TABLES), offset(reals(context, NUMBERS), get(row, EXTRA))
    at, summed = get(row, START), 0.0
    for _ in range(get(row, COUNT)):
        for sample in range(number(context, VALID)):
            summed += get(numbers, 1) * _squared(context, numbers, at, sample)
        at += 1 + 2 * get(ints, at)
    _add(context, get(numbers, 0) * summed)


def rbf_map(context: Pointer, row: Pointer) -> None:
    """The loss of one head of distances; it goes onto δ."""
    ints, numbers = integers(context, TABLES), offset(reals(context, NUMBERS), get(row, EXTRA))
    at, summed = get(row, START), 0.0
    for _ in range(get(row, COUNT)):
        for sample in range(number(context, VALID)):
            summed += get(numbers, 1) * _rbf_map(context, numbers, at, sample)
        at += 1 + 2 * get(ints, at)
    _add(context, get(numbers, 0) * summed)


@inner
def _add(context: Pointer, loss: float) -> None:
    total = reals(context, LOSS_SUM)
    put(total, 0, get(total, 0) + loss)


@inner
def _strides(context: Pointer, sample: int) -> tuple[int, int, int, int]:
    """How far neurons, planes and this sample lie apart in the arena, and where its line of targets begins."""
    step, line = number(context, NEURON_STEP), number(context, FIRST_SAMPLE) + sample
    return (
        step,
        number(context, PLANE) * step,
        sample * number(context, SAMPLE_STEP),
        line * number(context, TARGET_COLUMNS),
    )


@inner
def _owe(mem: Pointer, i: int, owed: float) -> None:
    put(mem, i, get(mem, i) + owed)


@inner
def _squared(context: Pointer, numbers: Pointer, group: int, sample: int) -> float:
    """Σ (a − t)²."""
    mem, t, ints = values(context, MEMORY), values(context, TARGETS_GIVEN), integers(context, TABLES)
    step, plane, place, line = _strides(context, sample)
    at, size, weight = group + 1, get(ints, group), get(numbers, 0) * get(numbers, 2)
    summed = 0.0
    for pair in range(at, at + 2 * size, 2):
        i = get(ints, pair) * step + place
        gap = np.float64(get(mem, i)) - np.float64(get(t, line + get(ints, pair + 1)))
        summed += gap * gap
        _owe(mem, i + 2 * plane, weight * gap)
    return summed


@inner
def _cross_entropy(context: Pointer, numbers: Pointer, group: int, sample: int) -> float:
    """Log Σ e^z − Σ t·z, computed below the largest z so that nothing overflows; δ = p − t."""
    mem, t, ints = values(context, MEMORY), values(context, TARGETS_GIVEN), integers(context, TABLES)
    step, plane, place, line = _strides(context, sample)
    at, size, weight = group + 1, get(ints, group), get(numbers, 0) * get(numbers, 2)
    top, summed, given, targets = -math.inf, 0.0, 0.0, 0.0
    for pair in range(at, at + 2 * size, 2):
        z = np.float64(get(mem, get(ints, pair) * step + plane + place))
        if z > top or z != z:
            top = z
    for pair in range(at, at + 2 * size, 2):
        z = np.float64(get(mem, get(ints, pair) * step + plane + place)) - top
        wanted = np.float64(get(t, line + get(ints, pair + 1)))
        summed += math.exp(z)
        targets += wanted
        if wanted != 0:
            given += wanted * z
    for pair in range(at, at + 2 * size, 2):
        i = get(ints, pair) * step + place
        p = math.exp(np.float64(get(mem, i + plane)) - top) / summed
        _owe(mem, i + 2 * plane, weight * (p - np.float64(get(t, line + get(ints, pair + 1)))))
    return math.log(summed) - given + top * (1.0 - targets)


@inner
def _binary(context: Pointer, numbers: Pointer, group: int, sample: int) -> float:
    """Σ max(z, 0) − t·z + log(1 + e^−|z|); δ = σ(z) − t."""
    mem, t, ints = values(context, MEMORY), values(context, TARGETS_GIVEN), integers(context, TABLES)
    step, plane, place, line = _strides(context, sample)
    at, size, weight = group + 1, get(ints, group), get(numbers, 0) * get(numbers, 2)
    summed = 0.0
    for pair in range(at, at + 2 * size, 2):
        i = get(ints, pair) * step + place
        z, wanted = np.float64(get(mem, i + plane)), np.float64(get(t, line + get(ints, pair + 1)))
        share = 1.0 - wanted if z > 0 else -wanted
        summed += math.log1p(math.exp(-abs(z))) + (share * z if share != 0 else 0.0)
        _owe(mem, i + 2 * plane, weight * (exact_sigmoid(z) - wanted))
    return summed


@inner
def _rbf_map(context: Pointer, numbers: Pointer, group: int, sample: int) -> float:
    """y_D + log(e^−j + Σ e^−y); δ_i = [i = D] − e^−y_i / (e^−j + Σ e^−y). Distances count from the smallest."""
    mem, t, ints = values(context, MEMORY), values(context, TARGETS_GIVEN), integers(context, TABLES)
    step, plane, place, line = _strides(context, sample)
    at, size, weight = group + 1, get(ints, group), get(numbers, 0) * get(numbers, 2)
    j = get(numbers, 3)
    least, given = j, 0.0
    for pair in range(at, at + 2 * size, 2):
        y = np.float64(get(mem, get(ints, pair) * step + plane + place))
        wanted = np.float64(get(t, line + get(ints, pair + 1)))
        if y < least or y != y:
            least = y
        if wanted != 0:
            given += wanted * y
    summed = math.exp(least - j)
    for pair in range(at, at + 2 * size, 2):
        summed += math.exp(least - np.float64(get(mem, get(ints, pair) * step + plane + place)))
    for pair in range(at, at + 2 * size, 2):
        i = get(ints, pair) * step + place
        share = math.exp(least - np.float64(get(mem, i + plane))) / summed
        _owe(mem, i + 2 * plane, weight * (np.float64(get(t, line + get(ints, pair + 1))) - share))
    return given + math.log(summed) - least
