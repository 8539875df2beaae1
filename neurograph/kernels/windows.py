"""Cells that are not sums of products: maxima with their winners, roots of squares, and squared distances."""

from __future__ import annotations

from typing import Any

from neurograph.kernels.code import (
    ASSIGN,
    CELL,
    COUNT,
    GATE,
    HOW,
    N_TAPS,
    ROOT,
    SOURCE,
    START,
    TAPS,
    TARGET,
    WEIGHT,
)
from neurograph.kernels.jit import inner
from neurograph.kernels.nests import begin, finish
from neurograph.kernels.simd import (
    add,
    any_nonzero,
    at,
    divide,
    first_max,
    first_max_at,
    fma,
    fma_where,
    keep_where_equal,
    keep_where_positive,
    load,
    root,
    splat,
    store,
    subtract,
    total,
    width,
)

Array = Any
ONE_AT = 0
"""Address of the neuron that is always 1."""


@inner
def maximum(like: Any, mem: Array, ints: Array, row: Array, plane: int, how: int) -> None:
    """The largest a of every cell, and the number of the tap it came from: the first of equals, or the first NaN."""
    n = width(like)
    one = load(mem, ONE_AT, like)
    for cell in range(row[START], row[START] + row[COUNT] * CELL, CELL):
        target, source, first = at(ints, cell + TARGET), at(ints, cell + SOURCE), at(ints, cell + TAPS)
        best = load(mem, (source + at(ints, first)) * n, like)
        winner, number = like, like
        for tap in range(first + 2, first + 2 * at(ints, cell + N_TAPS), 2):
            number = add(number, one)
            a = load(mem, (source + at(ints, tap)) * n, like)
            winner = first_max_at(best, a, winner, number)
            best = first_max(best, a)
        store(mem, (target + 3 * plane) * n, winner)
        finish(mem, plane, target, how, best)


@inner
def maximum_back(like: Any, mem: Array, ints: Array, row: Array, plane: int) -> None:
    """δ to the winner, nothing to the others.

    Where windows do not overlap it is written, not added (`ASSIGN`); behind a ReLU that nobody else reads it passes the ReLU on
    the way (`GATE`: the winner is positive, or its slope is 0).
    """
    n = width(like)
    one = load(mem, ONE_AT, like)
    how = row[HOW]
    for cell in range(row[START], row[START] + row[COUNT] * CELL, CELL):
        target, first = at(ints, cell + TARGET), at(ints, cell + TAPS)
        source = at(ints, cell + SOURCE) + 2 * plane
        d = load(mem, (target + 2 * plane) * n, like)
        winner, number = load(mem, (target + 3 * plane) * n, like), like
        if how & GATE:
            d = keep_where_positive(load(mem, target * n, like), d)
        for tap in range(first, first + 2 * at(ints, cell + N_TAPS), 2):
            where = (source + at(ints, tap)) * n
            e = keep_where_equal(winner, number, d)
            store(mem, where, e if how & ASSIGN else add(load(mem, where, like), e))
            number = add(number, one)


@inner
def squares(like: Any, mem: Array, w: Array, ints: Array, row: Array, plane: int) -> None:
    """√Σ a² of every cell; the root is left to a later instruction where several sources are summed first."""
    n = width(like)
    how = row[HOW]
    for cell in range(row[START], row[START] + row[COUNT] * CELL, CELL):
        target, source, first = at(ints, cell + TARGET), at(ints, cell + SOURCE), at(ints, cell + TAPS)
        z = begin(like, mem, w, plane, target, 0, how)
        for tap in range(first, first + 2 * at(ints, cell + N_TAPS), 2):
            a = load(mem, (source + at(ints, tap)) * n, like)
            z = fma(a, a, z)
        finish(mem, plane, target, how, root(z) if how & ROOT else z)


@inner
def squares_back(like: Any, mem: Array, ints: Array, row: Array, plane: int) -> None:
    """δ·a/z to every source; 0 where z is 0."""
    n = width(like)
    for cell in range(row[START], row[START] + row[COUNT] * CELL, CELL):
        target, source, first = at(ints, cell + TARGET), at(ints, cell + SOURCE), at(ints, cell + TAPS)
        d = load(mem, (target + 2 * plane) * n, like)
        z = load(mem, (target + plane) * n, like)
        for tap in range(first, first + 2 * at(ints, cell + N_TAPS), 2):
            a = source + at(ints, tap)
            e = load(mem, (a + 2 * plane) * n, like)
            slope = divide(load(mem, a * n, like), z)
            store(mem, (a + 2 * plane) * n, fma_where(d, slope, e))


@inner
def distance(like: Any, mem: Array, w: Array, ints: Array, row: Array, plane: int) -> None:
    """Σ (a − w)² of every cell."""
    n = width(like)
    for cell in range(row[START], row[START] + row[COUNT] * CELL, CELL):
        target, source, first = at(ints, cell + TARGET), at(ints, cell + SOURCE), at(ints, cell + TAPS)
        weight = at(ints, cell + WEIGHT)
        z = begin(like, mem, w, plane, target, 0, row[HOW])
        for tap in range(first, first + 2 * at(ints, cell + N_TAPS), 2):
            gap = subtract(load(mem, (source + at(ints, tap)) * n, like), splat(w, weight + at(ints, tap + 1), like))
            z = fma(gap, gap, z)
        finish(mem, plane, target, row[HOW], z)


@inner
def distance_back(like: Any, mem: Array, w: Array, gradient: Array, ints: Array, row: Array, plane: int) -> None:
    """2(a − w)·δ to every source, and its negative to the weight."""
    n = width(like)
    for cell in range(row[START], row[START] + row[COUNT] * CELL, CELL):
        target, source, first = at(ints, cell + TARGET), at(ints, cell + SOURCE), at(ints, cell + TAPS)
        d = load(mem, (target + 2 * plane) * n, like)
        if not any_nonzero(d):
            continue
        for tap in range(first, first + 2 * at(ints, cell + N_TAPS), 2):
            a, k = source + at(ints, tap), at(ints, cell + WEIGHT) + at(ints, tap + 1)
            gap = subtract(load(mem, a * n, like), splat(w, k, like))
            e = fma_where(d, add(gap, gap), like)
            store(mem, (a + 2 * plane) * n, add(load(mem, (a + 2 * plane) * n, like), e))
            gradient[k] -= total(e)
