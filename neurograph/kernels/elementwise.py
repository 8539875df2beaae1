"""What happens to neurons one by one: copies in and out of the arena, activations and their slopes, soft maxima.

Neurons come as runs: pairs (first address, how many).
"""

from __future__ import annotations

import math

import numpy as np

from neurograph.kernels.code import (
    COUNT,
    DROPOUT,
    EXTRA,
    FIRST_SAMPLE,
    HOW,
    INPUT_COLUMNS,
    INPUTS,
    MASK_COLUMNS,
    MASKS,
    MEMORY,
    MODE,
    NUMBERS,
    OUTPUT,
    OUTPUT_COLUMNS,
    PLANE,
    ROOT,
    SHIFT,
    START,
    TABLES,
    VALID,
    WEIGHTS,
    WIDTH,
)
from neurograph.kernels.formulas import slope, value
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import Pointer, get, integers, number, put, reals, splat, store, values, zero


@inner
def _load(mem: Pointer, x: Pointer, ints: Pointer, row: Pointer, n: int, valid: int, line: int, columns: int) -> None:
    column = line * columns + get(row, EXTRA)
    for run in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
        first = get(ints, run) + get(row, SHIFT)
        for neuron in range(first * n, (first + get(ints, run + 1)) * n, n):
            for sample in range(n):
                put(mem, neuron + sample, get(x, column + sample * columns) if sample < valid else 0)
            column += 1


def load_input(context: Pointer, row: Pointer) -> None:
    """Columns of x, from column `EXTRA` on, into the arena; samples beyond the batch are 0."""
    mem, ints, x = values(context, MEMORY), integers(context, TABLES), values(context, INPUTS)
    n, valid, line = number(context, WIDTH), number(context, VALID), number(context, FIRST_SAMPLE)
    _load(mem, x, ints, row, n, valid, line, number(context, INPUT_COLUMNS))


def load_mask(context: Pointer, row: Pointer) -> None:
    """Columns of the masks, likewise."""
    mem, ints, x = values(context, MEMORY), integers(context, TABLES), values(context, MASKS)
    n, valid, line = number(context, WIDTH), number(context, VALID), number(context, FIRST_SAMPLE)
    _load(mem, x, ints, row, n, valid, line, number(context, MASK_COLUMNS))


def export(context: Pointer, row: Pointer) -> None:
    """Runs of the arena (shifted to a plane by `SHIFT`) into columns of the output, from column `EXTRA` on."""
    mem, ints, out = values(context, MEMORY), integers(context, TABLES), values(context, OUTPUT)
    n, columns = number(context, WIDTH), number(context, OUTPUT_COLUMNS)
    column = number(context, FIRST_SAMPLE) * columns + get(row, EXTRA)
    for run in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
        first = get(ints, run) + get(row, SHIFT)
        for neuron in range(first * n, (first + get(ints, run + 1)) * n, n):
            for sample in range(number(context, VALID)):
                put(out, column + sample * columns, get(mem, neuron + sample))
            column += 1


def fill(context: Pointer, row: Pointer) -> None:
    """The number ``w[EXTRA]`` into runs."""
    like, n = zero(context), number(context, WIDTH)
    mem, ints = values(context, MEMORY), integers(context, TABLES)
    filling = splat(values(context, WEIGHTS), get(row, EXTRA), like)
    for run in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
        first = get(ints, run) + get(row, SHIFT)
        for i in range(first * n, (first + get(ints, run + 1)) * n, n):
            store(mem, i, filling)


def copy(context: Pointer, row: Pointer) -> None:
    """Activations into a view of them: triples (from, to, how many).

    Behind a dropout times mask/keep, which stands in the view's z; ``numbers[EXTRA]`` is keep, and the masks were loaded there.
    """
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), number(context, WIDTH)
    plane = number(context, PLANE) * n
    masked = get(row, EXTRA) >= 0 and number(context, MODE) & DROPOUT != 0
    keep = get(reals(context, NUMBERS), get(row, EXTRA)) if masked else 1.0
    for run in range(get(row, START), get(row, START) + 3 * get(row, COUNT), 3):
        source, target = get(ints, run) * n, get(ints, run + 1) * n
        for i in range(get(ints, run + 2) * n):
            factor = 1.0
            if masked:
                factor = get(mem, target + i + plane) / keep
                put(mem, target + i + plane, factor)
            put(mem, target + i, get(mem, source + i) * factor)


def copy_back(context: Pointer, row: Pointer) -> None:
    """Errors of a view onto the errors of what it shows."""
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), number(context, WIDTH)
    plane = number(context, PLANE) * n
    masked = get(row, EXTRA) >= 0 and number(context, MODE) & DROPOUT != 0
    for run in range(get(row, START), get(row, START) + 3 * get(row, COUNT), 3):
        source, target = get(ints, run) * n, get(ints, run + 1) * n
        for i in range(get(ints, run + 2) * n):
            error = get(mem, target + i + 2 * plane)
            if error != 0:
                factor = get(mem, target + i + plane) if masked else 1.0
                put(mem, source + i + 2 * plane, get(mem, source + i + 2 * plane) + error * factor)


def activate(context: Pointer, row: Pointer) -> None:
    """Activations from z; where `ROOT` asks for it, z becomes √z first."""
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), number(context, WIDTH)
    plane, function = number(context, PLANE) * n, get(row, EXTRA)
    for run in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
        for i in range(get(ints, run) * n, (get(ints, run) + get(ints, run + 1)) * n):
            if get(row, HOW) & ROOT:
                put(mem, i + plane, math.sqrt(get(mem, i + plane)))
            put(mem, i, value(function, np.float64(get(mem, i + plane))))


def times_slope(context: Pointer, row: Pointer) -> None:
    """δ = error·f′(z), in place; a zero error stays exactly 0.

    Where z was not stored (`HOW` = 0), a stands in: they agree in sign.
    """
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), number(context, WIDTH)
    plane, function = number(context, PLANE) * n, get(row, EXTRA)
    shift = plane if get(row, HOW) else 0
    for run in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
        for i in range(get(ints, run) * n, (get(ints, run) + get(ints, run + 1)) * n):
            error = np.float64(get(mem, i + 2 * plane))
            if error != 0:
                put(
                    mem,
                    i + 2 * plane,
                    error * slope(function, np.float64(get(mem, i + shift)), np.float64(get(mem, i))),
                )


def softmax(context: Pointer, row: Pointer) -> None:
    """p_i = e^z_i / Σ e^z_k over groups: the list holds, per group, its size and its members' addresses."""
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), number(context, WIDTH)
    plane, at = number(context, PLANE) * n, get(row, START)
    for _ in range(get(row, COUNT)):
        size = get(ints, at)
        for sample in range(n):
            top, summed = -math.inf, 0.0
            for k in range(at + 1, at + 1 + size):
                z = np.float64(get(mem, get(ints, k) * n + plane + sample))
                if z > top or z != z:
                    top = z
            for k in range(at + 1, at + 1 + size):
                summed += math.exp(np.float64(get(mem, get(ints, k) * n + plane + sample)) - top)
            for k in range(at + 1, at + 1 + size):
                i = get(ints, k) * n + sample
                put(mem, i, math.exp(np.float64(get(mem, i + plane)) - top) / summed)
        at += size + 1


def softmax_back(context: Pointer, row: Pointer) -> None:
    """δ_i = p_i·(g_i − Σ g_k·p_k), in place of g."""
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), number(context, WIDTH)
    plane, at = 2 * number(context, PLANE) * n, get(row, START)
    for _ in range(get(row, COUNT)):
        size = get(ints, at)
        for sample in range(n):
            common = 0.0
            for k in range(at + 1, at + 1 + size):
                i = get(ints, k) * n + sample
                common += np.float64(get(mem, i + plane)) * np.float64(get(mem, i))
            for k in range(at + 1, at + 1 + size):
                i = get(ints, k) * n + sample
                put(mem, i + plane, np.float64(get(mem, i)) * (np.float64(get(mem, i + plane)) - common))
        at += size + 1
