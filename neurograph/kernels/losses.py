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
    HOW,
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
from neurograph.kernels.simd import Pointer, get, integers, number, put, reals, values

CROSS_ENTROPY, BINARY_CROSS_ENTROPY, SQUARED, RBF_MAP = range(4)


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


def add_loss(context: Pointer, row: Pointer) -> None:
    """One head's loss onto the loss sum. Squared errors go onto the errors ∂loss/∂a, the others onto δ."""
    mem, ints, t = values(context, MEMORY), integers(context, TABLES), values(context, TARGETS_GIVEN)
    step, columns, at = number(context, NEURON_STEP), number(context, TARGET_COLUMNS), get(row, START)
    numbers, line = reals(context, NUMBERS), number(context, FIRST_SAMPLE) * columns
    plane, kind, k = number(context, PLANE) * step, get(row, HOW), get(row, EXTRA)
    weight, value_factor, error_factor, j = (
        get(numbers, k),
        get(numbers, k + 1),
        get(numbers, k + 2),
        get(numbers, k + 3),
    )
    summed = 0.0
    for _ in range(get(row, COUNT)):
        size = get(ints, at)
        for sample in range(number(context, VALID)):
            here, place = line + sample * columns, sample * number(context, SAMPLE_STEP)
            if kind == CROSS_ENTROPY:
                summed += _cross_entropy(mem, t, ints, at + 1, size, step, plane, place, here, weight)
            elif kind == BINARY_CROSS_ENTROPY:
                summed += _binary(mem, t, ints, at + 1, size, step, plane, place, here, weight)
            elif kind == SQUARED:
                error = weight * error_factor
                summed += value_factor * _squared(mem, t, ints, at + 1, size, step, plane, place, here, error)
            else:
                summed += _rbf_map(mem, t, ints, at + 1, size, step, plane, place, here, weight, j)
        at += 1 + 2 * size
    loss = reals(context, LOSS_SUM)
    put(loss, 0, get(loss, 0) + weight * summed)


@inner
def _owe(mem: Pointer, i: int, owed: float) -> None:
    put(mem, i, get(mem, i) + owed)


@inner
def _squared(
    mem: Pointer,
    t: Pointer,
    ints: Pointer,
    at: int,
    size: int,
    step: int,
    plane: int,
    place: int,
    line: int,
    factor: float,
) -> float:
    """Σ (a − t)²."""
    summed = 0.0
    for pair in range(at, at + 2 * size, 2):
        i = get(ints, pair) * step + place
        gap = np.float64(get(mem, i)) - np.float64(get(t, line + get(ints, pair + 1)))
        summed += gap * gap
        _owe(mem, i + 2 * plane, factor * gap)
    return summed


@inner
def _cross_entropy(
    mem: Pointer,
    t: Pointer,
    ints: Pointer,
    at: int,
    size: int,
    step: int,
    plane: int,
    place: int,
    line: int,
    weight: float,
) -> float:
    """Log Σ e^z − Σ t·z, computed below the largest z so that nothing overflows; δ = p − t."""
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
def _binary(
    mem: Pointer,
    t: Pointer,
    ints: Pointer,
    at: int,
    size: int,
    step: int,
    plane: int,
    place: int,
    line: int,
    weight: float,
) -> float:
    """Σ max(z, 0) − t·z + log(1 + e^−|z|); δ = σ(z) − t."""
    summed = 0.0
    for pair in range(at, at + 2 * size, 2):
        i = get(ints, pair) * step + place
        z, wanted = np.float64(get(mem, i + plane)), np.float64(get(t, line + get(ints, pair + 1)))
        share = 1.0 - wanted if z > 0 else -wanted
        summed += math.log1p(math.exp(-abs(z))) + (share * z if share != 0 else 0.0)
        _owe(mem, i + 2 * plane, weight * (exact_sigmoid(z) - wanted))
    return summed


@inner
def _rbf_map(
    mem: Pointer,
    t: Pointer,
    ints: Pointer,
    at: int,
    size: int,
    step: int,
    plane: int,
    place: int,
    line: int,
    weight: float,
    j: float,
) -> float:
    """y_D + log(e^−j + Σ e^−y); δ_i = [i = D] − e^−y_i / (e^−j + Σ e^−y). Distances count from the smallest."""
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
