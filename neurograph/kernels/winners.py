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

SOME = 64
"""Windows that a list should see, of one sample or of several: what they read is then still at hand when the next filter comes."""


def winners(context: Pointer, row: Pointer) -> None:
    """The gradient of a step's weights and biases, and the errors of its sources, from the δ of the maximum behind it.

    The list at `START` has `COUNT` pairs: a maximum's address, and where the anchors of its candidates stand in the tables; neighbours in
    it should be far apart, since who adds to what was just written waits for it. The list at
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
    e, anyway = offset(mem, 2 * plane), int(how & GATE == 0)
    few = max(1, SOME // get(row, COUNT))
    for begin in range(0, valid, few):
        for lane in range(get(row, LANES)):
            found = 0
            for sample in range(begin, min(begin + few, valid)):
                shift = sample * apart
                here = lane + shift
                for pair in range(first, last, 2):
                    at, anchors = get(ints, pair) + here, get(ints, pair + 1)
                    d = get(mem, at + 2 * plane)
                    put(factors, found, d)
                    put(places, found, get(ints, anchors + int(get(mem, at + 3 * plane))) + shift)
                    found += int(d != 0) & (int(get(mem, at) > 0) | anyway)  # a branch would be guessed wrong too often
            if how & WITH_BIAS:
                where = get(row, BIAS_STEP) + lane
                total = get(gradient, where)
                for i in range(found):
                    total += get(factors, i)
                put(gradient, where, total)
            packed_at = lane * n_chunks * n
            for j in range(0, n_chunks, CHUNKS):
                some, to = offset(chunks, j), packed_at + j * n
                gather(gradient, get(row, WEIGHT_STEP) + to, mem, places, factors, found, some, like)
                if to_sources:
                    scatter(e, places, factors, found, packed, get(row, SHIFT) + to, some, like)
