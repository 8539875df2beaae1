"""Sums of products over cells: forward, to the sources and to the weights; four lanes at a time share what they load.

A cell has one target, or `lanes` of them with the same sources and weights `weight_step` apart. Cells of one group (`tied` in a row)
use the same weights, so their share of the gradient is summed in registers before it is written once.
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
    PLANE,
    RECTIFY,
    SOURCE,
    START,
    TABLES,
    TAPS,
    TARGET,
    TARGET_STEP,
    TIED,
    TRACE,
    WEIGHT,
    WEIGHT_STEP,
    WEIGHTS,
    WITH_BIAS,
)
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import (
    Pointer,
    add,
    any_nonzero,
    fma,
    fma_where,
    get,
    integers,
    load,
    number,
    put,
    relu,
    splat,
    store,
    total,
    values,
    width,
    zero,
)


@inner
def begin(like: Any, mem: Pointer, w: Pointer, plane: int, target: int, bias: int, how: int) -> Any:
    """What a sum starts from: what it was, its bias, or 0."""
    if how & CONTINUE:
        return load(mem, (target + plane) * width(like), like)
    if how & WITH_BIAS:
        return splat(w, bias, like)
    return like


@inner
def finish(mem: Pointer, plane: int, target: int, how: int, z: Any) -> None:
    """Write a sum where it belongs."""
    n = width(z)
    if how & KEEP_Z:
        store(mem, (target + plane) * n, z)
    if how & FINAL:
        store(mem, target * n, relu(z) if how & RECTIFY else z)


def dot(context: Pointer, row: Pointer) -> None:
    """Σ w·a of every cell and lane."""
    like, plane = zero(context), number(context, PLANE)
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    how = get(row, HOW) | (KEEP_Z if number(context, MODE) & TRACE else 0)
    lanes, t_step, w_step, b_step = get(row, LANES), get(row, TARGET_STEP), get(row, WEIGHT_STEP), get(row, BIAS_STEP)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        if lanes == 1:
            _dot_single(like, mem, w, ints, cell, plane, how)
        else:
            for lane in range(0, lanes, 4):
                _dot_lanes(like, mem, w, ints, cell, plane, how, lane, lanes - lane, t_step, w_step, b_step)


@inner
def _dot_single(like: Any, mem: Pointer, w: Pointer, ints: Pointer, cell: int, plane: int, how: int) -> None:
    n = width(like)
    target, source, weight = get(ints, cell + TARGET), get(ints, cell + SOURCE), get(ints, cell + WEIGHT)
    first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
    z0 = begin(like, mem, w, plane, target, get(ints, cell + BIAS), how)
    z1, z2, z3 = like, like, like
    tap = first
    while tap + 8 <= last:
        z0 = fma(load(mem, (source + get(ints, tap)) * n, like), splat(w, weight + get(ints, tap + 1), like), z0)
        z1 = fma(load(mem, (source + get(ints, tap + 2)) * n, like), splat(w, weight + get(ints, tap + 3), like), z1)
        z2 = fma(load(mem, (source + get(ints, tap + 4)) * n, like), splat(w, weight + get(ints, tap + 5), like), z2)
        z3 = fma(load(mem, (source + get(ints, tap + 6)) * n, like), splat(w, weight + get(ints, tap + 7), like), z3)
        tap += 8
    while tap < last:
        z0 = fma(load(mem, (source + get(ints, tap)) * n, like), splat(w, weight + get(ints, tap + 1), like), z0)
        tap += 2
    finish(mem, plane, target, how, add(add(z0, z1), add(z2, z3)))


@inner
def _dot_lanes(
    like: Any,
    mem: Pointer,
    w: Pointer,
    ints: Pointer,
    cell: int,
    plane: int,
    how: int,
    lane: int,
    left: int,
    t_step: int,
    w_step: int,
    b_step: int,
) -> None:
    """Four lanes from `lane` on; where fewer are left, the last is computed again and not written."""
    n = width(like)
    l1, l2, l3 = min(1, left - 1), min(2, left - 1), min(3, left - 1)
    target = get(ints, cell + TARGET) + lane * t_step
    bias = get(ints, cell + BIAS) + lane * b_step
    source, w0 = get(ints, cell + SOURCE), get(ints, cell + WEIGHT) + lane * w_step
    w1, w2, w3 = w0 + l1 * w_step, w0 + l2 * w_step, w0 + l3 * w_step
    z0 = begin(like, mem, w, plane, target, bias, how)
    z1 = begin(like, mem, w, plane, target + l1 * t_step, bias + l1 * b_step, how)
    z2 = begin(like, mem, w, plane, target + l2 * t_step, bias + l2 * b_step, how)
    z3 = begin(like, mem, w, plane, target + l3 * t_step, bias + l3 * b_step, how)
    first = get(ints, cell + TAPS)
    for tap in range(first, first + 2 * get(ints, cell + N_TAPS), 2):
        a = load(mem, (source + get(ints, tap)) * n, like)
        k = get(ints, tap + 1)
        z0 = fma(splat(w, w0 + k, like), a, z0)
        z1 = fma(splat(w, w1 + k, like), a, z1)
        z2 = fma(splat(w, w2 + k, like), a, z2)
        z3 = fma(splat(w, w3 + k, like), a, z3)
    finish(mem, plane, target, how, z0)
    if left > 1:
        finish(mem, plane, target + t_step, how, z1)
    if left > 2:
        finish(mem, plane, target + 2 * t_step, how, z2)
    if left > 3:
        finish(mem, plane, target + 3 * t_step, how, z3)


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
            if not (any_nonzero(d0) or any_nonzero(d1) or any_nonzero(d2) or any_nonzero(d3)):
                continue
            w0 = get(ints, cell + WEIGHT) + lane * w_step
            w1, w2, w3 = w0 + l1 * w_step, w0 + l2 * w_step, w0 + l3 * w_step
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
            if left == 1:
                _weights_single(like, mem, gradient, ints, group, end, first, last, shift + 2 * plane, weight)
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
    """One lane, four taps at a time; where fewer are left, the last is computed again and not written."""
    n = width(like)
    for tap in range(first, last, 8):
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
    """Four lanes by two taps; where fewer are left, the last is computed again and not written."""
    n = width(like)
    t_step, w_step = steps
    t1, t2, t3 = min(1, left - 1) * t_step * n, min(2, left - 1) * t_step * n, min(3, left - 1) * t_step * n
    for tap in range(first, last, 4):
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
