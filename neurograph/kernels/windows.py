"""Cells that are not sums of products: maxima with their winners, roots of squares, and squared distances.

Batch innermost a cell is one neuron, in all samples of the block; channels innermost it is a run of neurons (`LANES`), sample by sample.
"""

from __future__ import annotations

from typing import Any

from neurograph.kernels.code import (
    ASSIGN,
    CELL,
    CONTINUE,
    COUNT,
    FINAL,
    GATE,
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
    ROOT,
    SOURCE,
    START,
    TABLES,
    TAPS,
    TARGET,
    TRACE,
    WEIGHT,
    WEIGHTS,
    WITH_BIAS,
)
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import (
    Pointer,
    add,
    any_nonzero,
    divide,
    first_max,
    first_max_at,
    fma,
    fma_where,
    get,
    integers,
    keep_where_equal,
    keep_where_positive,
    load,
    number,
    put,
    relu,
    root,
    splat,
    subtract,
    total,
    values,
    width,
    zero,
)
from neurograph.kernels.tiles import load_some, store_some

ONE_AT = 0
"""Address of the neuron that is always 1."""


@inner
def _lanes(context: Pointer, row: Pointer, like: Any) -> int:
    """Length of a cell: a run of neurons, or batch innermost the samples of one."""
    return get(row, LANES) if number(context, PASS_STEP) else width(like)


@inner
def _begin(mem: Pointer, w: Pointer, z_at: int, bias: int, how: int, like: Any) -> Any:
    if how & CONTINUE:
        return load(mem, z_at, like)
    if how & WITH_BIAS:
        return splat(w, bias, like)
    return like


@inner
def _finish(mem: Pointer, at: int, plane: int, lanes: int, how: int, z: Any) -> None:
    if how & KEEP_Z:
        store_some(mem, at + plane, lanes, z)
    if how & FINAL:
        store_some(mem, at, lanes, relu(z) if how & RECTIFY else z)


def maximum(context: Pointer, row: Pointer) -> None:
    """The largest a of every cell, and the number of the tap it came from: the first of equals, or the first NaN."""
    like, step, apart = zero(context), number(context, NEURON_STEP), number(context, PASS_STEP)
    mem, ints, plane = values(context, MEMORY), integers(context, TABLES), number(context, PLANE) * step
    one, lanes = splat(mem, ONE_AT, like), _lanes(context, row, like)
    how = get(row, HOW) | (KEEP_Z if number(context, MODE) & TRACE else 0)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
        for turn in range(number(context, PASSES)):
            for lane in range(0, lanes, width(like)):
                shift = turn * apart + lane
                target, source = get(ints, cell + TARGET) * step + shift, get(ints, cell + SOURCE) * step + shift
                best = load(mem, source + get(ints, first) * step, like)
                winner, counter = like, like
                for tap in range(first + 2, last, 2):
                    counter = add(counter, one)
                    a = load(mem, source + get(ints, tap) * step, like)
                    winner = first_max_at(best, a, winner, counter)
                    best = first_max(best, a)
                store_some(mem, target + 3 * plane, lanes - lane, winner)
                _finish(mem, target, plane, lanes - lane, how, best)


def maximum_back(context: Pointer, row: Pointer) -> None:
    """δ to the winner, nothing to the others.

    Where windows do not overlap it is written, not added (`ASSIGN`); behind a ReLU that nobody else reads it passes the ReLU on
    the way (`GATE`: the winner is positive, or its slope is 0).
    """
    like, step, apart = zero(context), number(context, NEURON_STEP), number(context, PASS_STEP)
    mem, ints, plane = values(context, MEMORY), integers(context, TABLES), number(context, PLANE) * step
    one, lanes, how = splat(mem, ONE_AT, like), _lanes(context, row, like), get(row, HOW)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
        for turn in range(number(context, PASSES)):
            for lane in range(0, lanes, width(like)):
                shift = turn * apart + lane
                target = get(ints, cell + TARGET) * step + shift
                source = get(ints, cell + SOURCE) * step + shift + 2 * plane
                d = load(mem, target + 2 * plane, like)
                winner, counter = load(mem, target + 3 * plane, like), like
                if how & GATE:
                    d = keep_where_positive(load(mem, target, like), d)
                for tap in range(first, last, 2):
                    where = source + get(ints, tap) * step
                    e = keep_where_equal(winner, counter, d)
                    store_some(mem, where, lanes - lane, e if how & ASSIGN else add(load(mem, where, like), e))
                    counter = add(counter, one)


def squares(context: Pointer, row: Pointer) -> None:
    """√Σ a² of every cell; the root is left to a later instruction where several sources are summed first."""
    like, step, apart = zero(context), number(context, NEURON_STEP), number(context, PASS_STEP)
    mem, ints, plane = values(context, MEMORY), integers(context, TABLES), number(context, PLANE) * step
    w, lanes = values(context, WEIGHTS), _lanes(context, row, like)
    how = get(row, HOW) | (KEEP_Z if number(context, MODE) & TRACE else 0)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
        for turn in range(number(context, PASSES)):
            for lane in range(0, lanes, width(like)):
                shift = turn * apart + lane
                target, source = get(ints, cell + TARGET) * step + shift, get(ints, cell + SOURCE) * step + shift
                z = _begin(mem, w, target + plane, 0, how, like)
                for tap in range(first, last, 2):
                    a = load(mem, source + get(ints, tap) * step, like)
                    z = fma(a, a, z)
                _finish(mem, target, plane, lanes - lane, how, root(z) if how & ROOT else z)


def squares_back(context: Pointer, row: Pointer) -> None:
    """δ·a/z to every source; 0 where z is 0."""
    like, step, apart = zero(context), number(context, NEURON_STEP), number(context, PASS_STEP)
    mem, ints, plane = values(context, MEMORY), integers(context, TABLES), number(context, PLANE) * step
    lanes = _lanes(context, row, like)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
        for turn in range(number(context, PASSES)):
            for lane in range(0, lanes, width(like)):
                shift = turn * apart + lane
                target, source = get(ints, cell + TARGET) * step + shift, get(ints, cell + SOURCE) * step + shift
                d, z = load(mem, target + 2 * plane, like), load(mem, target + plane, like)
                for tap in range(first, last, 2):
                    a = source + get(ints, tap) * step
                    e = load(mem, a + 2 * plane, like)
                    store_some(mem, a + 2 * plane, lanes - lane, fma_where(d, divide(load(mem, a, like), z), e))


def distance(context: Pointer, row: Pointer) -> None:
    """Σ (a − w)² of every cell."""
    like, step, apart = zero(context), number(context, NEURON_STEP), number(context, PASS_STEP)
    mem, ints, plane = values(context, MEMORY), integers(context, TABLES), number(context, PLANE) * step
    w, lanes = values(context, WEIGHTS), _lanes(context, row, like)
    how = get(row, HOW) | (KEEP_Z if number(context, MODE) & TRACE else 0)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
        weight = get(ints, cell + WEIGHT)
        for turn in range(number(context, PASSES)):
            for lane in range(0, lanes, width(like)):
                shift = turn * apart + lane
                target, source = get(ints, cell + TARGET) * step + shift, get(ints, cell + SOURCE) * step + shift
                z = _begin(mem, w, target + plane, 0, how, like)
                for tap in range(first, last, 2):
                    a = load(mem, source + get(ints, tap) * step, like)
                    gap = subtract(a, splat(w, weight + get(ints, tap + 1), like))
                    z = fma(gap, gap, z)
                _finish(mem, target, plane, lanes - lane, how, z)


def distance_back(context: Pointer, row: Pointer) -> None:
    """2(a − w)·δ to every source, and its negative to the weight."""
    like, step, apart = zero(context), number(context, NEURON_STEP), number(context, PASS_STEP)
    mem, ints, plane = values(context, MEMORY), integers(context, TABLES), number(context, PLANE) * step
    w, gradient, lanes = values(context, WEIGHTS), values(context, GRADIENT), _lanes(context, row, like)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
        weight = get(ints, cell + WEIGHT)
        for turn in range(number(context, PASSES)):
            for lane in range(0, lanes, width(like)):
                shift = turn * apart + lane
                target, source = get(ints, cell + TARGET) * step + shift, get(ints, cell + SOURCE) * step + shift
                d = load_some(mem, target + 2 * plane, lanes - lane, like)
                if not any_nonzero(d):
                    continue
                for tap in range(first, last, 2):
                    a, k = source + get(ints, tap) * step, weight + get(ints, tap + 1)
                    gap = subtract(load_some(mem, a, lanes - lane, like), splat(w, k, like))
                    term = fma_where(d, add(gap, gap), like)
                    e = load(mem, a + 2 * plane, like)
                    store_some(mem, a + 2 * plane, lanes - lane, add(e, term))
                    put(gradient, k, get(gradient, k) - total(term))
