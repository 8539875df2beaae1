"""Sums of products over runs: neighbouring neurons read neighbouring sources.

So do averages, additions and depthwise filters. A cell is `LANES` neurons; weights are one number for all of them (`WEIGHT_STEP` 0) or,
channels innermost, neighbours too (1).
"""

from __future__ import annotations

from typing import Any

from neurograph.kernels.code import (
    BIAS,
    BIAS_STEP,
    CELL,
    CONTINUE,
    COUNT,
    FINAL,
    GRADIENT,
    HOW,
    KEEP_Z,
    LANES,
    MEMORY,
    MODE,
    N_TAPS,
    NEURON_STEP,
    PASS_STEP,
    PASSES,
    PLANE,
    RECTIFY,
    SAMPLE_STEP,
    SOURCE,
    START,
    TABLES,
    TAPS,
    TARGET,
    TIED,
    TRACE,
    VALID,
    WEIGHT,
    WEIGHT_STEP,
    WEIGHTS,
    WITH_BIAS,
)
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import (
    Pointer,
    add,
    fma,
    get,
    integers,
    load,
    number,
    put,
    relu,
    splat,
    total,
    values,
    width,
    zero,
)
from neurograph.kernels.tiles import load_some, store_some


@inner
def _weight(w: Pointer, at: int, lane: int, step: int, like: Any) -> Any:
    return load(w, at + lane, like) if step else splat(w, at, like)


def dot(context: Pointer, row: Pointer) -> None:
    """Σ w·a of every cell and lane."""
    like, n = zero(context), number(context, NEURON_STEP)
    mem, w, ints, plane = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES), _plane(context)
    how = get(row, HOW) | (KEEP_Z if number(context, MODE) & TRACE else 0)
    lanes, step, apart = get(row, LANES) * n, get(row, WEIGHT_STEP), number(context, PASS_STEP)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
        weight = get(ints, cell + WEIGHT)
        for turn in range(number(context, PASSES)):
            for lane in range(0, lanes, width(like)):
                target = get(ints, cell + TARGET) * n + turn * apart + lane
                source = get(ints, cell + SOURCE) * n + turn * apart + lane
                z = like
                if how & CONTINUE:
                    z = load(mem, target + plane, like)
                elif how & WITH_BIAS:
                    z = _weight(w, get(ints, cell + BIAS), lane, get(row, BIAS_STEP), like)
                for tap in range(first, last, 2):
                    v = _weight(w, weight + get(ints, tap + 1), lane, step, like)
                    z = fma(load(mem, source + get(ints, tap) * n, like), v, z)
                if how & KEEP_Z:
                    store_some(mem, target + plane, lanes - lane, z)
                if how & FINAL:
                    store_some(mem, target, lanes - lane, relu(z) if how & RECTIFY else z)


@inner
def _plane(context: Pointer) -> int:
    return number(context, PLANE) * number(context, NEURON_STEP)


def sources(context: Pointer, row: Pointer) -> None:
    """w·δ onto the error of every source."""
    like, n, errors = zero(context), number(context, NEURON_STEP), 2 * _plane(context)
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    lanes, step, apart = get(row, LANES) * n, get(row, WEIGHT_STEP), number(context, PASS_STEP)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
        weight = get(ints, cell + WEIGHT)
        for turn in range(number(context, PASSES)):
            for lane in range(0, lanes, width(like)):
                shift = errors + turn * apart + lane
                d, source = load(mem, get(ints, cell + TARGET) * n + shift, like), get(ints, cell + SOURCE) * n + shift
                for tap in range(first, last, 2):
                    where = source + get(ints, tap) * n
                    v = _weight(w, weight + get(ints, tap + 1), lane, step, like)
                    store_some(mem, where, lanes - lane, fma(d, v, load(mem, where, like)))


def weights(context: Pointer, row: Pointer) -> None:
    """Σ δ·a onto the gradient, over the tied cells and the samples; one number a tap where the lanes share it."""
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, gradient, ints = values(context, MEMORY), values(context, GRADIENT), integers(context, TABLES)
    lanes, step, apart = get(row, LANES), get(row, WEIGHT_STEP), number(context, SAMPLE_STEP)
    for group in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, get(row, TIED) * CELL):
        end = group + get(row, TIED) * CELL
        for tap in range(get(ints, group + TAPS), get(ints, group + TAPS) + 2 * get(ints, group + N_TAPS), 2):
            where = get(ints, group + WEIGHT) + get(ints, tap + 1)
            for lane in range(0, lanes, width(like)):
                even, odd = like, like
                for sample in range(number(context, VALID)):
                    shift = sample * apart + lane
                    for cell in range(group, end, CELL):
                        d = load_some(mem, get(ints, cell + TARGET) + errors + shift, lanes - lane, like)
                        a = load_some(mem, get(ints, cell + SOURCE) + get(ints, tap) + shift, lanes - lane, like)
                        even, odd = odd, fma(d, a, even)
                even = add(even, odd)
                if step:
                    here = where + lane
                    store_some(gradient, here, lanes - lane, add(load(gradient, here, like), even))
                else:
                    put(gradient, where, get(gradient, where) + total(even))
