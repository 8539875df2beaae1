"""Weights once more in another order, and gradients back from it: before the first block of a batch, and behind the last.

A packed weight belongs to a lane, a chunk of the fan-in and a place in that chunk's vector. Places without a weight hold 0.
"""

from __future__ import annotations

from neurograph.kernels.code import (
    COUNT,
    GRADIENT,
    LANES,
    PACKED,
    SHIFT,
    START,
    TABLES,
    TARGET_STEP,
    WEIGHT_STEP,
    WEIGHTS,
)
from neurograph.kernels.simd import Pointer, get, integers, put, store, values, width, zero


def pack(context: Pointer, row: Pointer) -> None:
    """Weights into their packed places.

    The list at `START` has, for each of `COUNT` chunks and each place of its vector, the address of the first lane's weight, or −1; other
    lanes' weights follow it one by one. Chunks stand `TARGET_STEP` apart, lanes `WEIGHT_STEP`, the first at `SHIFT`.
    """
    w, packed, ints, n = (
        values(context, WEIGHTS),
        values(context, PACKED),
        integers(context, TABLES),
        width(zero(context)),
    )
    for chunk in range(get(row, COUNT)):
        for lane in range(get(row, LANES)):
            where = get(row, SHIFT) + chunk * get(row, TARGET_STEP) + lane * get(row, WEIGHT_STEP)
            for i in range(n):
                at = get(ints, get(row, START) + chunk * n + i)
                if at >= 0:
                    put(packed, where + i, get(w, at + lane))


def unpack(context: Pointer, row: Pointer) -> None:
    """A gradient in packed order onto the gradient proper; the fields are those of `pack`."""
    gradient, ints, n = values(context, GRADIENT), integers(context, TABLES), width(zero(context))
    for chunk in range(get(row, COUNT)):
        for lane in range(get(row, LANES)):
            where = get(row, SHIFT) + chunk * get(row, TARGET_STEP) + lane * get(row, WEIGHT_STEP)
            for i in range(n):
                at = get(ints, get(row, START) + chunk * n + i)
                if at >= 0:
                    put(gradient, at + lane, get(gradient, at + lane) + get(gradient, where + i))


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
