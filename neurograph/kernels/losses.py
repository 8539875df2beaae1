"""Losses of heads: their value, and what every output owes, for each sample of a block.

A head's list holds, per group (the outputs that one softmax spans), its size and then pairs (address, column of the target).
Its numbers are (weight, factor of the loss, factor of the error, j).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurograph.kernels.code import COUNT, EXTRA, HOW, START
from neurograph.kernels.formulas import sigmoid
from neurograph.kernels.jit import inner

Array = Any

CROSS_ENTROPY, BINARY_CROSS_ENTROPY, SQUARED, RBF_MAP = range(4)


@inner
def add_upstream(mem: Array, t: Array, ints: Array, row: Array, n: int, plane: int, first: int, valid: int) -> None:
    """∂loss/∂a, given from outside, onto the errors of a head."""
    at = row[START]
    for _ in range(row[COUNT]):
        for pair in range(at + 1, at + 1 + 2 * ints[at], 2):
            for sample in range(valid):
                mem[(ints[pair] + 2 * plane) * n + sample] += t[first + sample, ints[pair + 1]]
        at += 1 + 2 * ints[at]


@inner
def add_loss(
    mem: Array, t: Array, numbers: Array, ints: Array, row: Array, n: int, plane: int, first: int, valid: int
) -> float:
    """One head's loss, summed over the block's samples. Squared errors go onto the errors ∂loss/∂a, the others onto δ."""
    at, kind = row[START], row[HOW]
    summed = 0.0
    for _ in range(row[COUNT]):
        size = ints[at]
        for sample in range(valid):
            if kind == CROSS_ENTROPY:
                summed += _cross_entropy(
                    mem, t, numbers, ints, at + 1, size, row[EXTRA], n, plane, sample, first + sample
                )
            elif kind == BINARY_CROSS_ENTROPY:
                summed += _binary(mem, t, numbers, ints, at + 1, size, row[EXTRA], n, plane, sample, first + sample)
            elif kind == SQUARED:
                summed += _squared(mem, t, numbers, ints, at + 1, size, row[EXTRA], n, plane, sample, first + sample)
            else:
                summed += _rbf_map(mem, t, numbers, ints, at + 1, size, row[EXTRA], n, plane, sample, first + sample)
        at += 1 + 2 * size
    return summed


@inner
def _squared(
    mem: Array,
    t: Array,
    numbers: Array,
    ints: Array,
    at: int,
    size: int,
    k: int,
    n: int,
    plane: int,
    sample: int,
    line: int,
) -> float:
    summed = 0.0
    for pair in range(at, at + 2 * size, 2):
        i = ints[pair] * n + sample
        gap = np.float64(mem[i]) - t[line, ints[pair + 1]]
        summed += gap * gap
        mem[i + 2 * plane * n] += numbers[k] * numbers[k + 2] * gap
    return summed * numbers[k] * numbers[k + 1]


@inner
def _cross_entropy(
    mem: Array,
    t: Array,
    numbers: Array,
    ints: Array,
    at: int,
    size: int,
    k: int,
    n: int,
    plane: int,
    sample: int,
    line: int,
) -> float:
    """Log Σ e^z − Σ t·z, computed below the largest z so that nothing overflows; δ = p − t."""
    top, summed, given, targets = -math.inf, 0.0, 0.0, 0.0
    for pair in range(at, at + 2 * size, 2):
        z = np.float64(mem[(ints[pair] + plane) * n + sample])
        if z > top or z != z:
            top = z
    for pair in range(at, at + 2 * size, 2):
        z, wanted = np.float64(mem[(ints[pair] + plane) * n + sample]) - top, t[line, ints[pair + 1]]
        summed += math.exp(z)
        targets += wanted
        if wanted != 0:
            given += wanted * z
    for pair in range(at, at + 2 * size, 2):
        i = ints[pair] * n + sample
        p = math.exp(np.float64(mem[i + plane * n]) - top) / summed
        mem[i + 2 * plane * n] += numbers[k] * (p - t[line, ints[pair + 1]])
    return (math.log(summed) - given + top * (1.0 - targets)) * numbers[k]


@inner
def _binary(
    mem: Array,
    t: Array,
    numbers: Array,
    ints: Array,
    at: int,
    size: int,
    k: int,
    n: int,
    plane: int,
    sample: int,
    line: int,
) -> float:
    """Σ max(z, 0) − t·z + log(1 + e^−|z|); δ = σ(z) − t."""
    summed = 0.0
    for pair in range(at, at + 2 * size, 2):
        i = ints[pair] * n + sample
        z, wanted = np.float64(mem[i + plane * n]), t[line, ints[pair + 1]]
        part = (1.0 - wanted) * z if z > 0 else -wanted * z
        summed += (0.0 if part != part and z == z else part) + math.log1p(math.exp(-abs(z)))
        mem[i + 2 * plane * n] += numbers[k] * (sigmoid(z) - wanted)
    return summed * numbers[k]


@inner
def _rbf_map(
    mem: Array,
    t: Array,
    numbers: Array,
    ints: Array,
    at: int,
    size: int,
    k: int,
    n: int,
    plane: int,
    sample: int,
    line: int,
) -> float:
    """y_D + log(e^−j + Σ e^−y); δ_i = [i = D] − e^−y_i / (e^−j + Σ e^−y). Distances count from the smallest."""
    least, given = numbers[k + 3], 0.0
    for pair in range(at, at + 2 * size, 2):
        y, wanted = np.float64(mem[(ints[pair] + plane) * n + sample]), t[line, ints[pair + 1]]
        if y < least or y != y:
            least = y
        if wanted != 0:
            given += wanted * y
    summed = math.exp(least - numbers[k + 3])
    for pair in range(at, at + 2 * size, 2):
        summed += math.exp(least - np.float64(mem[(ints[pair] + plane) * n + sample]))
    for pair in range(at, at + 2 * size, 2):
        i = ints[pair] * n + sample
        share = math.exp(least - np.float64(mem[i + plane * n])) / summed
        mem[i + 2 * plane * n] += numbers[k] * (t[line, ints[pair + 1]] - share)
    return (given + math.log(summed) - least) * numbers[k]
