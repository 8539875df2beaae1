"""Behind a maximum only winners have a δ: per filter a list of them, and every winner's fan-in as a few vectors.

The fan-in is cut into chunks of neighbouring sources; weights and gradient are kept fan-in-major for it, and exchanged with the
weights proper by `packing`.
"""

from __future__ import annotations

from neurograph.kernels.code import (
    BIAS_STEP,
    COUNT,
    EXTRA,
    GATE,
    GRADIENT,
    HOW,
    LANES,
    MEMORY,
    MODE,
    PACKED,
    PLACES,
    PLANE,
    SAMPLE_STEP,
    SCRATCH,
    SHIFT,
    SOURCES_TOO,
    START,
    TABLES,
    TARGET_STEP,
    TRACE,
    VALID,
    WEIGHT_STEP,
    WITH_BIAS,
)
from neurograph.kernels.simd import Pointer, get, integers, number, offset, put, values, width, zero
from neurograph.kernels.tiles import CHUNKS, gather, scatter


def winners(context: Pointer, row: Pointer) -> None:
    """The gradient of a step's weights and biases, and the errors of its sources, from the δ of the maximum behind it.

    The list at `START` has `COUNT` pairs: a maximum's address, and where the anchors of its candidates stand in the tables. The list at
    `EXTRA` has the chunks' source offsets, `TARGET_STEP` of them (a multiple of `CHUNKS`). `SHIFT` is where the packed weights begin, `WEIGHT_STEP`
    the same for the gradient; `BIAS_STEP` is the address of the first bias.
    """
    like, plane, how = zero(context), number(context, PLANE), get(row, HOW)
    mem, gradient, ints = values(context, MEMORY), values(context, GRADIENT), integers(context, TABLES)
    factors, places, packed = values(context, SCRATCH), integers(context, PLACES), values(context, PACKED)
    valid, apart = number(context, VALID), number(context, SAMPLE_STEP)
    first, last = get(row, START), get(row, START) + 2 * get(row, COUNT)
    n_chunks, n, chunks = get(row, TARGET_STEP), width(like), offset(ints, get(row, EXTRA))
    to_sources = how & SOURCES_TOO != 0 or number(context, MODE) & TRACE != 0
    e = offset(mem, 2 * plane)
    for lane in range(get(row, LANES)):
        found = 0
        for pair in range(first, last, 2):
            at, anchors = get(ints, pair) + lane, get(ints, pair + 1)
            for sample in range(valid):
                shift = sample * apart
                d = get(mem, at + shift + 2 * plane)
                winner = int(get(mem, at + shift + 3 * plane))
                put(factors, found, d)
                put(places, found, get(ints, anchors + winner) + shift)
                kept = d != 0 and (how & GATE == 0 or get(mem, at + shift) > 0)
                found += 1 if kept else 0
        if how & WITH_BIAS:
            where = get(row, BIAS_STEP) + lane
            total = get(gradient, where)
            for i in range(found):
                total += get(factors, i)
            put(gradient, where, total)
        begin = lane * n_chunks * n
        for j in range(0, n_chunks, CHUNKS):
            here = offset(chunks, j)
            gather(gradient, get(row, WEIGHT_STEP) + begin + j * n, mem, places, factors, found, here, like)
            if to_sources:
                scatter(e, places, factors, found, packed, get(row, SHIFT) + begin + j * n, here, like)
