"""Cells that are not sums of products: maxima with their winners, roots of squares, and squared distances."""

from __future__ import annotations

from neurograph.kernels.code import (
    ASSIGN,
    CELL,
    COUNT,
    GATE,
    GRADIENT,
    HOW,
    KEEP_Z,
    MEMORY,
    MODE,
    N_TAPS,
    PLANE,
    ROOT,
    SOURCE,
    START,
    TABLES,
    TAPS,
    TARGET,
    TRACE,
    WEIGHT,
    WEIGHTS,
)
from neurograph.kernels.nests import begin, finish
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
    root,
    splat,
    store,
    subtract,
    total,
    values,
    width,
    zero,
)

ONE_AT = 0
"""Address of the neuron that is always 1."""


def maximum(context: Pointer, row: Pointer) -> None:
    """The largest a of every cell, and the number of the tap it came from: the first of equals, or the first NaN."""
    like, plane = zero(context), number(context, PLANE)
    mem, ints = values(context, MEMORY), integers(context, TABLES)
    n = width(like)
    one = load(mem, ONE_AT, like)
    how = get(row, HOW) | (KEEP_Z if number(context, MODE) & TRACE else 0)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        target, source, first = get(ints, cell + TARGET), get(ints, cell + SOURCE), get(ints, cell + TAPS)
        best = load(mem, (source + get(ints, first)) * n, like)
        winner, counter = like, like
        for tap in range(first + 2, first + 2 * get(ints, cell + N_TAPS), 2):
            counter = add(counter, one)
            a = load(mem, (source + get(ints, tap)) * n, like)
            winner = first_max_at(best, a, winner, counter)
            best = first_max(best, a)
        store(mem, (target + 3 * plane) * n, winner)
        finish(mem, plane, target, how, best)


def maximum_back(context: Pointer, row: Pointer) -> None:
    """δ to the winner, nothing to the others.

    Where windows do not overlap it is written, not added (`ASSIGN`); behind a ReLU that nobody else reads it passes the ReLU on
    the way (`GATE`: the winner is positive, or its slope is 0).
    """
    like, plane = zero(context), number(context, PLANE)
    mem, ints = values(context, MEMORY), integers(context, TABLES)
    n = width(like)
    one = load(mem, ONE_AT, like)
    how = get(row, HOW)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        target, first = get(ints, cell + TARGET), get(ints, cell + TAPS)
        source = get(ints, cell + SOURCE) + 2 * plane
        d = load(mem, (target + 2 * plane) * n, like)
        winner, counter = load(mem, (target + 3 * plane) * n, like), like
        if how & GATE:
            d = keep_where_positive(load(mem, target * n, like), d)
        for tap in range(first, first + 2 * get(ints, cell + N_TAPS), 2):
            where = (source + get(ints, tap)) * n
            e = keep_where_equal(winner, counter, d)
            store(mem, where, e if how & ASSIGN else add(load(mem, where, like), e))
            counter = add(counter, one)


def squares(context: Pointer, row: Pointer) -> None:
    """√Σ a² of every cell; the root is left to a later instruction where several sources are summed first."""
    like, plane = zero(context), number(context, PLANE)
    mem, ints = values(context, MEMORY), integers(context, TABLES)
    w = values(context, WEIGHTS)
    how = get(row, HOW) | (KEEP_Z if number(context, MODE) & TRACE else 0)
    n = width(like)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        target, source, first = get(ints, cell + TARGET), get(ints, cell + SOURCE), get(ints, cell + TAPS)
        z = begin(like, mem, w, plane, target, 0, how)
        for tap in range(first, first + 2 * get(ints, cell + N_TAPS), 2):
            a = load(mem, (source + get(ints, tap)) * n, like)
            z = fma(a, a, z)
        finish(mem, plane, target, how, root(z) if how & ROOT else z)


def squares_back(context: Pointer, row: Pointer) -> None:
    """δ·a/z to every source; 0 where z is 0."""
    like, plane = zero(context), number(context, PLANE)
    mem, ints = values(context, MEMORY), integers(context, TABLES)
    n = width(like)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        target, source, first = get(ints, cell + TARGET), get(ints, cell + SOURCE), get(ints, cell + TAPS)
        d = load(mem, (target + 2 * plane) * n, like)
        z = load(mem, (target + plane) * n, like)
        for tap in range(first, first + 2 * get(ints, cell + N_TAPS), 2):
            a = source + get(ints, tap)
            e = load(mem, (a + 2 * plane) * n, like)
            slope = divide(load(mem, a * n, like), z)
            store(mem, (a + 2 * plane) * n, fma_where(d, slope, e))


def distance(context: Pointer, row: Pointer) -> None:
    """Σ (a − w)² of every cell."""
    like, plane = zero(context), number(context, PLANE)
    mem, ints = values(context, MEMORY), integers(context, TABLES)
    w = values(context, WEIGHTS)
    how = get(row, HOW) | (KEEP_Z if number(context, MODE) & TRACE else 0)
    n = width(like)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        target, source, first = get(ints, cell + TARGET), get(ints, cell + SOURCE), get(ints, cell + TAPS)
        weight = get(ints, cell + WEIGHT)
        z = begin(like, mem, w, plane, target, 0, how)
        for tap in range(first, first + 2 * get(ints, cell + N_TAPS), 2):
            gap = subtract(load(mem, (source + get(ints, tap)) * n, like), splat(w, weight + get(ints, tap + 1), like))
            z = fma(gap, gap, z)
        finish(mem, plane, target, how, z)


def distance_back(context: Pointer, row: Pointer) -> None:
    """2(a − w)·δ to every source, and its negative to the weight."""
    like, plane = zero(context), number(context, PLANE)
    mem, ints = values(context, MEMORY), integers(context, TABLES)
    w, gradient = values(context, WEIGHTS), values(context, GRADIENT)
    n = width(like)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        target, source, first = get(ints, cell + TARGET), get(ints, cell + SOURCE), get(ints, cell + TAPS)
        d = load(mem, (target + 2 * plane) * n, like)
        if not any_nonzero(d):
            continue
        for tap in range(first, first + 2 * get(ints, cell + N_TAPS), 2):
            a, k = source + get(ints, tap), get(ints, cell + WEIGHT) + get(ints, tap + 1)
            gap = subtract(load(mem, a * n, like), splat(w, k, like))
            e = fma_where(d, add(gap, gap), like)
            store(mem, (a + 2 * plane) * n, add(load(mem, (a + 2 * plane) * n, like), e))
            put(gradient, k, get(gradient, k) - total(e))
