"""What happens to neurons one by one: copies within the arena, activations and their slopes, soft maxima.

Neurons come as runs: pairs (first address, how many). In either layout (see `code`) a run is, in each pass, one stretch of
memory, which vectors walk; the last of them may be partly filled.
"""

from __future__ import annotations

import math

import numpy as np

from neurograph.kernels.code import (
    COUNT,
    DROPOUT,
    EXTRA,
    HOW,
    MEMORY,
    MODE,
    NEURON_STEP,
    NUMBERS,
    PASS_STEP,
    PASSES,
    PLANE,
    ROOT,
    SAMPLE_STEP,
    SHIFT,
    START,
    TABLES,
    VALID,
    WEIGHTS,
)
from neurograph.kernels.formulas import gelu, gelu_slope, slope, value
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import (
    Pointer,
    fma_where,
    get,
    integers,
    load_part,
    multiply,
    number,
    put,
    reals,
    root,
    splat,
    spread,
    store_part,
    values,
    width,
    zero,
)


def fill(context: Pointer, row: Pointer) -> None:
    """The number ``w[EXTRA]`` into runs."""
    like, step = zero(context), number(context, NEURON_STEP)
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), width(like)
    filling = splat(values(context, WEIGHTS), get(row, EXTRA), like)
    for turn in range(number(context, PASSES)):
        for run in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
            first = (get(ints, run) + get(row, SHIFT)) * step + turn * number(context, PASS_STEP)
            length = get(ints, run + 1) * step
            for i in range(0, length, n):
                store_part(mem, first + i, 1, length - i, filling)


@inner
def _is_masked(context: Pointer, row: Pointer) -> bool:
    return get(row, EXTRA) >= 0 and number(context, MODE) & DROPOUT != 0


def copy(context: Pointer, row: Pointer) -> None:
    """Activations into a view of them: triples (from, to, how many).

    Behind a dropout times mask/keep, which stands in the view's z; ``numbers[EXTRA]`` is keep, and the masks were loaded there.
    """
    like, step = zero(context), number(context, NEURON_STEP)
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), width(like)
    plane, masked = number(context, PLANE) * step, _is_masked(context, row)
    kept = spread(1.0 / get(reals(context, NUMBERS), get(row, EXTRA)) if masked else 1.0, like)
    for turn in range(number(context, PASSES)):
        skip = turn * number(context, PASS_STEP)
        for run in range(get(row, START), get(row, START) + 3 * get(row, COUNT), 3):
            source, target = get(ints, run) * step + skip, get(ints, run + 1) * step + skip
            length = get(ints, run + 2) * step
            for i in range(0, length, n):
                a = load_part(mem, source + i, 1, length - i, like)
                if masked:
                    factor = multiply(load_part(mem, target + i + plane, 1, length - i, like), kept)
                    store_part(mem, target + i + plane, 1, length - i, factor)
                    a = multiply(a, factor)
                store_part(mem, target + i, 1, length - i, a)


def copy_back(context: Pointer, row: Pointer) -> None:
    """Errors of a view onto the errors of what it shows."""
    like, step = zero(context), number(context, NEURON_STEP)
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), width(like)
    plane, masked, one = number(context, PLANE) * step, _is_masked(context, row), spread(1.0, like)
    for turn in range(number(context, PASSES)):
        skip = turn * number(context, PASS_STEP) + 2 * plane
        for run in range(get(row, START), get(row, START) + 3 * get(row, COUNT), 3):
            source, target = get(ints, run) * step + skip, get(ints, run + 1) * step + skip
            length = get(ints, run + 2) * step
            for i in range(0, length, n):
                error = load_part(mem, target + i, 1, length - i, like)
                e = load_part(mem, source + i, 1, length - i, like)
                factor = load_part(mem, target + i - plane, 1, length - i, like) if masked else one
                store_part(mem, source + i, 1, length - i, fma_where(error, factor, e))


def activate(context: Pointer, row: Pointer) -> None:
    """Activations from z; where `ROOT` asks for it, z becomes √z first."""
    like, step = zero(context), number(context, NEURON_STEP)
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), width(like)
    plane, function = number(context, PLANE) * step, get(row, EXTRA)
    for turn in range(number(context, PASSES)):
        for run in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
            first = get(ints, run) * step + turn * number(context, PASS_STEP)
            length = get(ints, run + 1) * step
            if get(row, HOW) & ROOT:
                for i in range(0, length, n):
                    z = load_part(mem, first + plane + i, 1, length - i, like)
                    store_part(mem, first + plane + i, 1, length - i, root(z))
            for i in range(0, length, n):
                z = load_part(mem, first + plane + i, 1, length - i, like)
                store_part(mem, first + i, 1, length - i, value(function, z, z))


def times_slope(context: Pointer, row: Pointer) -> None:
    """δ = error·f′(z), in place; a zero error stays exactly 0.

    Where z was not stored (`HOW` = 0), a stands in: they agree in sign.
    """
    like, step = zero(context), number(context, NEURON_STEP)
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), width(like)
    plane, function = number(context, PLANE) * step, get(row, EXTRA)
    shift = plane if get(row, HOW) else 0
    for turn in range(number(context, PASSES)):
        for run in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
            first = get(ints, run) * step + turn * number(context, PASS_STEP)
            length = get(ints, run + 1) * step
            for i in range(0, length, n):
                errors = load_part(mem, first + 2 * plane + i, 1, length - i, like)
                z = load_part(mem, first + shift + i, 1, length - i, like)
                a = load_part(mem, first + i, 1, length - i, like)
                delta = fma_where(errors, slope(function, z, a), like)
                store_part(mem, first + 2 * plane + i, 1, length - i, delta)


def gaussian(context: Pointer, row: Pointer) -> None:
    """`activate` for gelu, number by number."""
    mem, ints, step = values(context, MEMORY), integers(context, TABLES), number(context, NEURON_STEP)
    plane = number(context, PLANE) * step
    for turn in range(number(context, PASSES)):
        for run in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
            first = get(ints, run) * step + turn * number(context, PASS_STEP)
            for i in range(first, first + get(ints, run + 1) * step):
                z = get(mem, i + plane)
                if get(row, HOW) & ROOT:
                    z = np.sqrt(z)
                    put(mem, i + plane, z)
                put(mem, i, gelu(np.float64(z)))


def times_gaussian_slope(context: Pointer, row: Pointer) -> None:
    """`times_slope` for gelu, number by number, from z."""
    mem, ints, step = values(context, MEMORY), integers(context, TABLES), number(context, NEURON_STEP)
    plane = number(context, PLANE) * step
    for turn in range(number(context, PASSES)):
        for run in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
            first = get(ints, run) * step + turn * number(context, PASS_STEP)
            for i in range(first, first + get(ints, run + 1) * step):
                error = np.float64(get(mem, i + 2 * plane))
                if error != 0:
                    put(mem, i + 2 * plane, error * gelu_slope(np.float64(get(mem, i + plane))))


def softmax(context: Pointer, row: Pointer) -> None:
    """p_i = e^z_i / Σ e^z_k over groups: the list holds, per group, its size and its members' addresses."""
    mem, ints, step = values(context, MEMORY), integers(context, TABLES), number(context, NEURON_STEP)
    plane, at = number(context, PLANE) * step, get(row, START)
    for _ in range(get(row, COUNT)):
        size = get(ints, at)
        for sample in range(number(context, VALID)):
            top, summed, place = -math.inf, 0.0, sample * number(context, SAMPLE_STEP)
            for k in range(at + 1, at + 1 + size):
                z = np.float64(get(mem, get(ints, k) * step + plane + place))
                if z > top or z != z:
                    top = z
            for k in range(at + 1, at + 1 + size):
                summed += math.exp(np.float64(get(mem, get(ints, k) * step + plane + place)) - top)
            for k in range(at + 1, at + 1 + size):
                i = get(ints, k) * step + place
                put(mem, i, math.exp(np.float64(get(mem, i + plane)) - top) / summed)
        at += size + 1


def softmax_back(context: Pointer, row: Pointer) -> None:
    """δ_i = p_i·(g_i − Σ g_k·p_k), in place of g."""
    mem, ints, step = values(context, MEMORY), integers(context, TABLES), number(context, NEURON_STEP)
    plane, at = 2 * number(context, PLANE) * step, get(row, START)
    for _ in range(get(row, COUNT)):
        size = get(ints, at)
        for sample in range(number(context, VALID)):
            common, place = 0.0, sample * number(context, SAMPLE_STEP)
            for k in range(at + 1, at + 1 + size):
                i = get(ints, k) * step + place
                common += np.float64(get(mem, i + plane)) * np.float64(get(mem, i))
            for k in range(at + 1, at + 1 + size):
                i = get(ints, k) * step + place
                put(mem, i + plane, np.float64(get(mem, i)) * (np.float64(get(mem, i + plane)) - common))
        at += size + 1
