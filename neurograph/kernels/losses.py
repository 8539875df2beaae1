"""Losses of heads: their value, and what every output owes, for each sample of a block.

A head's list holds, per group (the outputs that one softmax spans), its size and then pairs (address, column of the target).
Its numbers are named below; behind them stand the class weights, one an output in the order of the list, or two (absent, present)
under binary cross-entropy. All computing is in double precision.
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

HEAD_WEIGHT, LOSS_FACTOR, ERROR_FACTOR, CONSTANT_CLASS, EPSILON, OFF, SPREAD, IS_WEIGHTED = range(8)
"""A head's numbers: its weight, what loss and error are multiplied by, j of rbf_map, ε of label smoothing, a one-hot target's off
value and how far on is from it, and whether class weights follow."""
N_NUMBERS = 8


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
    at, first, summed = get(row, START), N_NUMBERS, 0.0
    for _ in range(get(row, COUNT)):
        for sample in range(number(context, VALID)):
            summed += get(numbers, LOSS_FACTOR) * _cross_entropy(context, numbers, at, first, sample)
        at, first = at + 1 + 2 * get(ints, at), first + get(ints, at)
    _add(context, get(numbers, HEAD_WEIGHT) * summed)


def binary_cross_entropy(context: Pointer, row: Pointer) -> None:
    """One head's cross-entropy of sigmoids, summed over units; it goes onto δ."""
    ints, numbers = integers(context, TABLES), offset(reals(context, NUMBERS), get(row, EXTRA))
    at, first, summed = get(row, START), N_NUMBERS, 0.0
    for _ in range(get(row, COUNT)):
        for sample in range(number(context, VALID)):
            summed += get(numbers, LOSS_FACTOR) * _binary(context, numbers, at, first, sample)
        at, first = at + 1 + 2 * get(ints, at), first + 2 * get(ints, at)
    _add(context, get(numbers, HEAD_WEIGHT) * summed)


def squared(context: Pointer, row: Pointer) -> None:
    """One head's squared error; it goes onto the errors ∂loss/∂a."""
    ints, numbers = integers(context, TABLES), offset(reals(context, NUMBERS), get(row, EXTRA))
    at, first, summed = get(row, START), N_NUMBERS, 0.0
    for _ in range(get(row, COUNT)):
        for sample in range(number(context, VALID)):
            summed += get(numbers, LOSS_FACTOR) * _squared(context, numbers, at, first, sample)
        at, first = at + 1 + 2 * get(ints, at), first + get(ints, at)
    _add(context, get(numbers, HEAD_WEIGHT) * summed)


def rbf_map(context: Pointer, row: Pointer) -> None:
    """The loss of one head of distances; it goes onto δ."""
    ints, numbers = integers(context, TABLES), offset(reals(context, NUMBERS), get(row, EXTRA))
    at, first, summed = get(row, START), N_NUMBERS, 0.0
    for _ in range(get(row, COUNT)):
        for sample in range(number(context, VALID)):
            summed += get(numbers, LOSS_FACTOR) * _rbf_map(context, numbers, at, first, sample)
        at, first = at + 1 + 2 * get(ints, at), first + get(ints, at)
    _add(context, get(numbers, HEAD_WEIGHT) * summed)


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
def _squared(context: Pointer, numbers: Pointer, group: int, first: int, sample: int) -> float:
    """Σ (a − t)²."""
    mem, t, ints = values(context, MEMORY), values(context, TARGETS_GIVEN), integers(context, TABLES)
    step, plane, place, line = _strides(context, sample)
    at, size = group + 1, get(ints, group)
    factor = _class_factor(context, numbers, group, first, sample)
    weight = get(numbers, HEAD_WEIGHT) * get(numbers, ERROR_FACTOR) * factor
    summed = 0.0
    for pair in range(at, at + 2 * size, 2):
        i = get(ints, pair) * step + place
        gap = np.float64(get(mem, i)) - np.float64(get(t, line + get(ints, pair + 1)))
        summed += gap * gap
        _owe(mem, i + 2 * plane, weight * gap)
    return factor * summed


@inner
def _cross_entropy(context: Pointer, numbers: Pointer, group: int, first: int, sample: int) -> float:
    """Log Σ e^z − Σ t′·z, computed below the largest z so that nothing overflows; δ = p − t′, with smoothed targets t′."""
    mem, t, ints = values(context, MEMORY), values(context, TARGETS_GIVEN), integers(context, TABLES)
    step, plane, place, line = _strides(context, sample)
    at, size = group + 1, get(ints, group)
    factor = _class_factor(context, numbers, group, first, sample)
    weight = get(numbers, HEAD_WEIGHT) * get(numbers, ERROR_FACTOR) * factor
    kept, share = 1.0 - get(numbers, EPSILON), get(numbers, EPSILON) / size
    top, summed, given, targets = -math.inf, 0.0, 0.0, 0.0
    for pair in range(at, at + 2 * size, 2):
        z = np.float64(get(mem, get(ints, pair) * step + plane + place))
        if z > top or z != z:
            top = z
    for pair in range(at, at + 2 * size, 2):
        z = np.float64(get(mem, get(ints, pair) * step + plane + place)) - top
        wanted = kept * np.float64(get(t, line + get(ints, pair + 1))) + share
        summed += math.exp(z)
        targets += wanted
        if wanted != 0:
            given += wanted * z
    for pair in range(at, at + 2 * size, 2):
        i = get(ints, pair) * step + place
        p = math.exp(np.float64(get(mem, i + plane)) - top) / summed
        wanted = kept * np.float64(get(t, line + get(ints, pair + 1))) + share
        _owe(mem, i + 2 * plane, weight * (p - wanted))
    return factor * (math.log(summed) - given + top * (1.0 - targets))


@inner
def _binary(context: Pointer, numbers: Pointer, group: int, first: int, sample: int) -> float:
    """Σ max(z, 0) − t′·z + log(1 + e^−|z|); δ = σ(z) − t′, with smoothed targets t′; each times the weight of its class."""
    mem, t, ints = values(context, MEMORY), values(context, TARGETS_GIVEN), integers(context, TABLES)
    step, plane, place, line = _strides(context, sample)
    at, size, weight = group + 1, get(ints, group), get(numbers, HEAD_WEIGHT) * get(numbers, ERROR_FACTOR)
    kept, share = 1.0 - get(numbers, EPSILON), get(numbers, EPSILON) / 2
    summed = 0.0
    for pair in range(at, at + 2 * size, 2):
        i = get(ints, pair) * step + place
        z, given = np.float64(get(mem, i + plane)), np.float64(get(t, line + get(ints, pair + 1)))
        wanted = kept * given + share
        left = 1.0 - wanted if z > 0 else -wanted
        factor = _unit_factor(numbers, first + pair - at, given)
        summed += factor * (math.log1p(math.exp(-abs(z))) + (left * z if left != 0 else 0.0))
        _owe(mem, i + 2 * plane, weight * factor * (exact_sigmoid(z) - wanted))
    return summed


@inner
def _rbf_map(context: Pointer, numbers: Pointer, group: int, first: int, sample: int) -> float:
    """y_D + log(e^−j + Σ e^−y); δ_i = [i = D] − e^−y_i / (e^−j + Σ e^−y). Distances count from the smallest."""
    mem, t, ints = values(context, MEMORY), values(context, TARGETS_GIVEN), integers(context, TABLES)
    step, plane, place, line = _strides(context, sample)
    at, size = group + 1, get(ints, group)
    factor = _class_factor(context, numbers, group, first, sample)
    weight = get(numbers, HEAD_WEIGHT) * get(numbers, ERROR_FACTOR) * factor
    j = get(numbers, CONSTANT_CLASS)
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
    return factor * (given + math.log(summed) - least)


@inner
def _class_factor(context: Pointer, numbers: Pointer, group: int, first: int, sample: int) -> float:
    """Σ_c w_c·s_c, the weight of a sample's class, with s = (t − off)/(on − off); 1 without class weights."""
    if get(numbers, IS_WEIGHTED) == 0:
        return 1.0
    t, ints = values(context, TARGETS_GIVEN), integers(context, TABLES)
    _, _, _, line = _strides(context, sample)
    factor = 0.0
    for k in range(get(ints, group)):
        given = np.float64(get(t, line + get(ints, group + 2 + 2 * k)))
        factor += get(numbers, first + k) * (given - get(numbers, OFF)) / get(numbers, SPREAD)
    return factor


@inner
def _unit_factor(numbers: Pointer, at: int, given: float) -> float:
    """w_absent·(1 − s) + w_present·s, the weight of one unit's target; 1 without class weights."""
    if get(numbers, IS_WEIGHTED) == 0:
        return 1.0
    s = (given - get(numbers, OFF)) / get(numbers, SPREAD)
    return get(numbers, at) * (1.0 - s) + get(numbers, at + 1) * s
