"""The way back of `nests`: Σ over cells to the sources and to the weights; four lanes at a time share what they load.

Cells of one group (`tied` in a row) use the same weights, so their share of the gradient is summed in registers before it is written once.
"""

from __future__ import annotations

from typing import Any

from neurograph.kernels.code import (
    CELL,
    COUNT,
    GRADIENT,
    LANES,
    MEMORY,
    N_TAPS,
    PLANE,
    SOURCE,
    START,
    TABLES,
    TAPS,
    TARGET,
    TARGET_STEP,
    TIED,
    WEIGHT,
    WEIGHT_STEP,
    WEIGHTS,
)
from neurograph.kernels.jit import inner
from neurograph.kernels.processor import has
from neurograph.kernels.simd import (
    Pointer,
    any_nonzero,
    fma_where,
    get,
    integers,
    load,
    number,
    offset,
    put,
    splat,
    store,
    total,
    values,
    width,
    zero,
)

MANY_REGISTERS = has("avx512f")
"""Whether sixteen sums stay in registers, so that a load of δ serves twice as many of them."""


def dot_sources(context: Pointer, row: Pointer) -> None:
    """Σ δ·w onto the errors of the sources; lanes whose δ is zero in every sample are passed over."""
    like, plane = zero(context), number(context, PLANE)
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    n = width(like)
    lanes, t_step, w_step = get(row, LANES), get(row, TARGET_STEP), get(row, WEIGHT_STEP)
    errors = 2 * plane
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        source, first, last = get(ints, cell + SOURCE) + errors, get(ints, cell + TAPS), get(ints, cell + N_TAPS)
        last = first + 2 * last
        for lane in range(0, lanes, 4):
            if lane > 0 and lane + 1 == lanes:
                continue  # it was the fifth of the four before
            target = get(ints, cell + TARGET) + lane * t_step + errors
            d0 = load(mem, target * n, like)
            d1, d2, d3 = like, like, like
            l1, l2, l3 = 0, 0, 0
            if lane + 1 < lanes:
                d1, l1 = load(mem, (target + t_step) * n, like), 1
            if lane + 2 < lanes:
                d2, l2 = load(mem, (target + 2 * t_step) * n, like), 2
            if lane + 3 < lanes:
                d3, l3 = load(mem, (target + 3 * t_step) * n, like), 3
            d4 = load(mem, (target + 4 * t_step) * n, like) if lane + 5 == lanes else like
            if not (any_nonzero(d0) or any_nonzero(d1) or any_nonzero(d2) or any_nonzero(d3) or any_nonzero(d4)):
                continue
            w0 = get(ints, cell + WEIGHT) + lane * w_step
            w1, w2, w3 = w0 + l1 * w_step, w0 + l2 * w_step, w0 + l3 * w_step
            if lane + 5 == lanes:
                w4 = w0 + 4 * w_step
                for tap in range(first, last, 2):
                    where, k = (source + get(ints, tap)) * n, get(ints, tap + 1)
                    e = fma_where(d0, splat(w, w0 + k, like), load(mem, where, like))
                    e = fma_where(d1, splat(w, w1 + k, like), e)
                    e = fma_where(d2, splat(w, w2 + k, like), e)
                    e = fma_where(d3, splat(w, w3 + k, like), e)
                    store(mem, where, fma_where(d4, splat(w, w4 + k, like), e))
                continue
            if l1 == 0:
                for tap in range(first, last, 2):
                    where = (source + get(ints, tap)) * n
                    store(mem, where, fma_where(d0, splat(w, w0 + get(ints, tap + 1), like), load(mem, where, like)))
                continue
            for tap in range(first, last, 2):
                where, k = (source + get(ints, tap)) * n, get(ints, tap + 1)
                e = fma_where(d0, splat(w, w0 + k, like), load(mem, where, like))
                e = fma_where(d1, splat(w, w1 + k, like), e)
                e = fma_where(d2, splat(w, w2 + k, like), e)
                store(mem, where, fma_where(d3, splat(w, w3 + k, like), e))


def dot_weights(context: Pointer, row: Pointer) -> None:
    """Σ δ·a onto the gradient: over the samples of a vector and the tied cells of a group, then once per weight."""
    like, plane = zero(context), number(context, PLANE)
    mem, gradient, ints = values(context, MEMORY), values(context, GRADIENT), integers(context, TABLES)
    lanes = get(row, LANES)
    for group in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, get(row, TIED) * CELL):
        end = group + get(row, TIED) * CELL
        first = get(ints, group + TAPS)
        last = first + 2 * get(ints, group + N_TAPS)
        for lane in range(0, lanes, 4):
            left = lanes - lane
            shift = lane * get(row, TARGET_STEP)
            weight = get(ints, group + WEIGHT) + lane * get(row, WEIGHT_STEP)
            if left < 3:
                for one in range(left):
                    delta, to = shift + one * get(row, TARGET_STEP) + 2 * plane, weight + one * get(row, WEIGHT_STEP)
                    _weights_single(like, mem, gradient, ints, group, end, first, last, delta, to)
            else:
                steps = (get(row, TARGET_STEP), get(row, WEIGHT_STEP))
                _weights_lanes(
                    like, mem, gradient, ints, group, end, first, last, shift + 2 * plane, weight, left, steps
                )


@inner
def _weights_single(
    like: Any,
    mem: Pointer,
    gradient: Pointer,
    ints: Pointer,
    group: int,
    end: int,
    first: int,
    last: int,
    shift: int,
    weight: int,
) -> None:
    """One lane, eight taps at a time while there are so many, then four; where fewer are left, the last is computed again and not written."""
    n = width(like)
    eights = first + (last - first) // 16 * 16 if MANY_REGISTERS else first
    for tap in range(first, eights, 16):
        o0, o1, o2, o3 = get(ints, tap), get(ints, tap + 2), get(ints, tap + 4), get(ints, tap + 6)
        p0, p1, p2, p3 = get(ints, tap + 8), get(ints, tap + 10), get(ints, tap + 12), get(ints, tap + 14)
        g0, g1, g2, g3, h0, h1, h2, h3 = like, like, like, like, like, like, like, like
        for cell in range(group, end, CELL):
            source = get(ints, cell + SOURCE)
            d = load(mem, (get(ints, cell + TARGET) + shift) * n, like)
            g0 = fma_where(d, load(mem, (source + o0) * n, like), g0)
            g1 = fma_where(d, load(mem, (source + o1) * n, like), g1)
            g2 = fma_where(d, load(mem, (source + o2) * n, like), g2)
            g3 = fma_where(d, load(mem, (source + o3) * n, like), g3)
            h0 = fma_where(d, load(mem, (source + p0) * n, like), h0)
            h1 = fma_where(d, load(mem, (source + p1) * n, like), h1)
            h2 = fma_where(d, load(mem, (source + p2) * n, like), h2)
            h3 = fma_where(d, load(mem, (source + p3) * n, like), h3)
        _add_taps(gradient, offset(ints, tap), weight, g0, g1, g2, g3)
        _add_taps(gradient, offset(ints, tap + 8), weight, h0, h1, h2, h3)
    for tap in range(eights, last, 8):
        left = (last - tap) // 2
        o0, o1 = get(ints, tap), get(ints, tap + 2 * min(1, left - 1))
        o2, o3 = get(ints, tap + 2 * min(2, left - 1)), get(ints, tap + 2 * min(3, left - 1))
        g0, g1, g2, g3 = like, like, like, like
        for cell in range(group, end, CELL):
            source = get(ints, cell + SOURCE)
            d = load(mem, (get(ints, cell + TARGET) + shift) * n, like)
            g0 = fma_where(d, load(mem, (source + o0) * n, like), g0)
            g1 = fma_where(d, load(mem, (source + o1) * n, like), g1)
            g2 = fma_where(d, load(mem, (source + o2) * n, like), g2)
            g3 = fma_where(d, load(mem, (source + o3) * n, like), g3)
        put(gradient, weight + get(ints, tap + 1), get(gradient, weight + get(ints, tap + 1)) + total(g0))
        if left > 1:
            put(gradient, weight + get(ints, tap + 3), get(gradient, weight + get(ints, tap + 3)) + total(g1))
        if left > 2:
            put(gradient, weight + get(ints, tap + 5), get(gradient, weight + get(ints, tap + 5)) + total(g2))
        if left > 3:
            put(gradient, weight + get(ints, tap + 7), get(gradient, weight + get(ints, tap + 7)) + total(g3))


@inner
def _add_taps(gradient: Pointer, taps: Pointer, weight: int, g0: Any, g1: Any, g2: Any, g3: Any) -> None:
    w0, w1, w2, w3 = weight + get(taps, 1), weight + get(taps, 3), weight + get(taps, 5), weight + get(taps, 7)
    put(gradient, w0, get(gradient, w0) + total(g0))
    put(gradient, w1, get(gradient, w1) + total(g1))
    put(gradient, w2, get(gradient, w2) + total(g2))
    put(gradient, w3, get(gradient, w3) + total(g3))


@inner
def _weights_lanes(
    like: Any,
    mem: Pointer,
    gradient: Pointer,
    ints: Pointer,
    group: int,
    end: int,
    first: int,
    last: int,
    shift: int,
    weight: int,
    left: int,
    steps: Any,
) -> None:
    """Four lanes by four taps while there are so many, then by two; where fewer are left, the last is computed again and not written."""
    n = width(like)
    t_step, w_step = steps
    t1, t2, t3 = min(1, left - 1) * t_step * n, min(2, left - 1) * t_step * n, min(3, left - 1) * t_step * n
    fours = first + (last - first) // 8 * 8 if MANY_REGISTERS else first
    for tap in range(first, fours, 8):
        o0, o1, o2, o3 = get(ints, tap), get(ints, tap + 2), get(ints, tap + 4), get(ints, tap + 6)
        g0, g1, g2, g3, h0, h1, h2, h3 = like, like, like, like, like, like, like, like
        i0, i1, i2, i3, j0, j1, j2, j3 = like, like, like, like, like, like, like, like
        for cell in range(group, end, CELL):
            source = get(ints, cell + SOURCE)
            target = (get(ints, cell + TARGET) + shift) * n
            a, b = load(mem, (source + o0) * n, like), load(mem, (source + o1) * n, like)
            c, e = load(mem, (source + o2) * n, like), load(mem, (source + o3) * n, like)
            d = load(mem, target, like)
            g0, h0, i0, j0 = fma_where(d, a, g0), fma_where(d, b, h0), fma_where(d, c, i0), fma_where(d, e, j0)
            d = load(mem, target + t1, like)
            g1, h1, i1, j1 = fma_where(d, a, g1), fma_where(d, b, h1), fma_where(d, c, i1), fma_where(d, e, j1)
            d = load(mem, target + t2, like)
            g2, h2, i2, j2 = fma_where(d, a, g2), fma_where(d, b, h2), fma_where(d, c, i2), fma_where(d, e, j2)
            d = load(mem, target + t3, like)
            g3, h3, i3, j3 = fma_where(d, a, g3), fma_where(d, b, h3), fma_where(d, c, i3), fma_where(d, e, j3)
        _add_lanes(gradient, weight + get(ints, tap + 1), w_step, left, g0, g1, g2, g3)
        _add_lanes(gradient, weight + get(ints, tap + 3), w_step, left, h0, h1, h2, h3)
        _add_lanes(gradient, weight + get(ints, tap + 5), w_step, left, i0, i1, i2, i3)
        _add_lanes(gradient, weight + get(ints, tap + 7), w_step, left, j0, j1, j2, j3)
    for tap in range(fours, last, 4):
        two = tap + 2 < last
        o0, o1 = get(ints, tap), get(ints, tap + 2) if two else get(ints, tap)
        g0, g1, g2, g3, h0, h1, h2, h3 = like, like, like, like, like, like, like, like
        for cell in range(group, end, CELL):
            source = get(ints, cell + SOURCE)
            target = (get(ints, cell + TARGET) + shift) * n
            a, b = load(mem, (source + o0) * n, like), load(mem, (source + o1) * n, like)
            d = load(mem, target, like)
            g0, h0 = fma_where(d, a, g0), fma_where(d, b, h0)
            d = load(mem, target + t1, like)
            g1, h1 = fma_where(d, a, g1), fma_where(d, b, h1)
            d = load(mem, target + t2, like)
            g2, h2 = fma_where(d, a, g2), fma_where(d, b, h2)
            d = load(mem, target + t3, like)
            g3, h3 = fma_where(d, a, g3), fma_where(d, b, h3)
        _add_lanes(gradient, weight + get(ints, tap + 1), w_step, left, g0, g1, g2, g3)
        if two:
            _add_lanes(gradient, weight + get(ints, tap + 3), w_step, left, h0, h1, h2, h3)


@inner
def _add_lanes(gradient: Pointer, weight: int, w_step: int, left: int, g0: Any, g1: Any, g2: Any, g3: Any) -> None:
    put(gradient, weight, get(gradient, weight) + total(g0))
    put(gradient, weight + w_step, get(gradient, weight + w_step) + total(g1))
    if left > 2:
        put(gradient, weight + 2 * w_step, get(gradient, weight + 2 * w_step) + total(g2))
    if left > 3:
        put(gradient, weight + 3 * w_step, get(gradient, weight + 3 * w_step) + total(g3))
