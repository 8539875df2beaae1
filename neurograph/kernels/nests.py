"""Sums of products over cells, forward; four lanes at a time share what they load.

A cell has one target, or `lanes` of them with the same sources and weights `weight_step` apart. The way back is in `nests_back`.
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
    fma,
    get,
    integers,
    load,
    number,
    relu,
    splat,
    store,
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
        target, weight, bias = get(ints, cell + TARGET), get(ints, cell + WEIGHT), get(ints, cell + BIAS)
        if lanes == 1:
            _dot_single(like, mem, w, ints, cell, plane, how, (target, weight, bias))
            continue
        for lane in range(0, lanes, 4):
            left, first = lanes - lane, (target + lane * t_step, weight + lane * w_step, bias + lane * b_step)
            if left == 1:
                break  # it was the fifth of the four before
            if left == 2:
                _dot_pair(like, mem, w, ints, cell, plane, how, first, (t_step, w_step, b_step))
            elif left == 5:
                _dot_five(like, mem, w, ints, cell, plane, how, first, (t_step, w_step, b_step))
            else:
                _dot_lanes(like, mem, w, ints, cell, plane, how, lane, left, t_step, w_step, b_step)


@inner
def _dot_single(
    like: Any, mem: Pointer, w: Pointer, ints: Pointer, cell: int, plane: int, how: int, lane: tuple[int, int, int]
) -> None:
    """One lane, four taps at a time."""
    n = width(like)
    target, weight, bias = lane
    source = get(ints, cell + SOURCE)
    first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
    z0 = begin(like, mem, w, plane, target, bias, how)
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
def _dot_pair(
    like: Any,
    mem: Pointer,
    w: Pointer,
    ints: Pointer,
    cell: int,
    plane: int,
    how: int,
    lane: tuple[int, int, int],
    steps: tuple[int, int, int],
) -> None:
    """Two lanes, two taps at a time."""
    n = width(like)
    target, w0, bias = lane
    source, w1 = get(ints, cell + SOURCE), w0 + steps[1]
    z0 = begin(like, mem, w, plane, target, bias, how)
    z1 = begin(like, mem, w, plane, target + steps[0], bias + steps[2], how)
    y0, y1 = like, like
    first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
    tap = first
    while tap + 4 <= last:
        a, b = load(mem, (source + get(ints, tap)) * n, like), load(mem, (source + get(ints, tap + 2)) * n, like)
        k, m = get(ints, tap + 1), get(ints, tap + 3)
        z0, z1 = fma(splat(w, w0 + k, like), a, z0), fma(splat(w, w1 + k, like), a, z1)
        y0, y1 = fma(splat(w, w0 + m, like), b, y0), fma(splat(w, w1 + m, like), b, y1)
        tap += 4
    if tap < last:
        a, k = load(mem, (source + get(ints, tap)) * n, like), get(ints, tap + 1)
        z0, z1 = fma(splat(w, w0 + k, like), a, z0), fma(splat(w, w1 + k, like), a, z1)
    finish(mem, plane, target, how, add(z0, y0))
    finish(mem, plane, target + steps[0], how, add(z1, y1))


@inner
def _dot_five(
    like: Any,
    mem: Pointer,
    w: Pointer,
    ints: Pointer,
    cell: int,
    plane: int,
    how: int,
    lane: tuple[int, int, int],
    steps: tuple[int, int, int],
) -> None:
    """The last five lanes: a fifth costs less beside four than by itself."""
    n = width(like)
    target, w0, bias = lane
    t_step, w_step, b_step = steps
    source = get(ints, cell + SOURCE)
    w1, w2, w3, w4 = w0 + w_step, w0 + 2 * w_step, w0 + 3 * w_step, w0 + 4 * w_step
    z0 = begin(like, mem, w, plane, target, bias, how)
    z1 = begin(like, mem, w, plane, target + t_step, bias + b_step, how)
    z2 = begin(like, mem, w, plane, target + 2 * t_step, bias + 2 * b_step, how)
    z3 = begin(like, mem, w, plane, target + 3 * t_step, bias + 3 * b_step, how)
    z4 = begin(like, mem, w, plane, target + 4 * t_step, bias + 4 * b_step, how)
    first = get(ints, cell + TAPS)
    for tap in range(first, first + 2 * get(ints, cell + N_TAPS), 2):
        a, k = load(mem, (source + get(ints, tap)) * n, like), get(ints, tap + 1)
        z0, z1 = fma(splat(w, w0 + k, like), a, z0), fma(splat(w, w1 + k, like), a, z1)
        z2, z3 = fma(splat(w, w2 + k, like), a, z2), fma(splat(w, w3 + k, like), a, z3)
        z4 = fma(splat(w, w4 + k, like), a, z4)
    finish(mem, plane, target, how, z0)
    finish(mem, plane, target + t_step, how, z1)
    finish(mem, plane, target + 2 * t_step, how, z2)
    finish(mem, plane, target + 3 * t_step, how, z3)
    finish(mem, plane, target + 4 * t_step, how, z4)


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
