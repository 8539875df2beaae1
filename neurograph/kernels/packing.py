"""Weights once more in another order, and gradients back from it: before the first block of a batch, and behind the last.

A packed weight belongs to a lane, a chunk of the fan-in and a place in that chunk's vector. Places without a weight hold 0.
"""

from __future__ import annotations

from neurograph.kernels.code import (
    COUNT,
    GRADIENT,
    LANES,
    PACKED,
    PLACES,
    SCRATCH,
    SHIFT,
    START,
    TABLES,
    TARGET_STEP,
    WEIGHT_STEP,
    WEIGHTS,
)
from neurograph.kernels.simd import Pointer, add, get, integers, load, offset, put, store, values, width, zero
from neurograph.kernels.tiles import store_some, turn


def pack(context: Pointer, row: Pointer) -> None:
    """Weights into their packed places.

    The list at `START` has, for each of `COUNT` chunks and each place of its vector, the address of the first lane's weight, or −1; other
    lanes' weights follow it one by one. Chunks stand `TARGET_STEP` apart, lanes `WEIGHT_STEP`, the first at `SHIFT`.
    """
    like, lanes, apart = zero(context), get(row, LANES), get(row, WEIGHT_STEP)
    w, packed, out = values(context, WEIGHTS), values(context, PACKED), values(context, SCRATCH)
    n = width(like)
    for chunk in range(get(row, COUNT)):
        where = get(row, SHIFT) + chunk * get(row, TARGET_STEP)
        places = offset(integers(context, TABLES), get(row, START) + chunk * n)
        for lane in range(0, lanes, n):
            turn(out, offset(w, lane), places, like)
            for i in range(min(n, lanes - lane)):
                store(packed, where + (lane + i) * apart, load(out, i * n, like))


def unpack(context: Pointer, row: Pointer) -> None:
    """A gradient in packed order onto the gradient proper; the fields are those of `pack`."""
    like, lanes, apart = zero(context), get(row, LANES), get(row, WEIGHT_STEP)
    gradient, out, rows = values(context, GRADIENT), values(context, SCRATCH), integers(context, PLACES)
    n = width(like)
    for chunk in range(get(row, COUNT)):
        where = get(row, SHIFT) + chunk * get(row, TARGET_STEP)
        places = offset(integers(context, TABLES), get(row, START) + chunk * n)
        for lane in range(0, lanes, n):
            for i in range(n):
                put(rows, i, where + (lane + i) * apart if lane + i < lanes else -1)
            turn(out, gradient, rows, like)
            for i in range(n):
                at = get(places, i) + lane
                if get(places, i) >= 0:
                    store_some(gradient, at, lanes - lane, add(load(gradient, at, like), load(out, i * n, like)))


def clear(context: Pointer, row: Pointer) -> None:
    """Gradients start at 0: those of `COUNT` ranges, pairs (first, end)."""
    like, gradient, ints = zero(context), values(context, GRADIENT), integers(context, TABLES)
    for line in range(get(row, START), get(row, START) + 2 * get(row, COUNT), 2):
        first, end = get(ints, line), get(ints, line + 1)
        whole = first + (end - first) // width(like) * width(like)
        for i in range(first, whole, width(like)):
            store(gradient, i, like)
        for i in range(whole, end):
            put(gradient, i, 0)
