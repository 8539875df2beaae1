"""Behind a maximum only winners have a δ: per filter a list of them, and every winner's fan-in as a few vectors.

The fan-in is cut into chunks of neighbouring sources; weights and gradient are kept fan-in-major for it, and exchanged with the
weights proper by `packing`.

Lists are made in two walks without a branch, since every third would be guessed wrong: first every window for all lanes of a vector at
once, then every lane by itself, where who has no δ is overwritten by the next.
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
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import Pointer, get, integers, number, offset, put, values, width, zero
from neurograph.kernels.tiles import CHUNKS, LISTED, exchange, gather, survivors

SOME = 64
"""Windows that a list should see, of one sample or of several: what they read is then still at hand when the next filter comes."""


def winners(context: Pointer, row: Pointer) -> None:
    """The gradient of a step's weights and biases, and the errors of its sources, from the δ of the maximum behind it.

    The list at `START` has `COUNT` pairs: a maximum's address, and where the anchors of its candidates stand in the tables; neighbours in
    it should be far apart, since who adds to what was just written waits for it. The list at
    `EXTRA` has the chunks' source offsets, `TARGET_STEP` of them (a multiple of `CHUNKS`). `SHIFT` is where the packed weights begin, `WEIGHT_STEP`
    the same for the gradient; `BIAS_STEP` is the address of the first bias.
    """
    valid, lanes, n = number(context, VALID), get(row, LANES), width(zero(context))
    few = max(1, SOME // get(row, COUNT))
    for begin in range(0, valid, few):
        end = min(begin + few, valid)
        for first in range(0, get(row, COUNT), LISTED):
            last = min(first + LISTED, get(row, COUNT))
            for lane in range(0, lanes, n):
                _see(context, row, begin, end, first, last, lane)
                for i in range(min(n, lanes - lane)):
                    found = _list(context, begin, end, last - first, i)
                    _use(context, row, lane + i, found)


@inner
def _see(context: Pointer, row: Pointer, begin: int, end: int, first: int, last: int, lane: int) -> None:
    """Windows as rows of one vector: what δ they hand on, and where its anchor stands."""
    like, plane, ints = zero(context), number(context, PLANE), integers(context, TABLES)
    mem, factors, places = values(context, MEMORY), values(context, SCRATCH), integers(context, PLACES)
    lanes, anyway, i = get(row, LANES) - lane, int(get(row, HOW) & GATE == 0), 0
    for sample in range(begin, end):
        here = lane + sample * number(context, SAMPLE_STEP)
        for pair in range(get(row, START) + 2 * first, get(row, START) + 2 * last, 2):
            at, anchors = get(ints, pair) + here, get(ints, pair + 1)
            survivors(offset(factors, i), offset(places, i), mem, at, plane, anchors, anyway, lanes, like)
            i += width(like)


@inner
def _list(context: Pointer, begin: int, end: int, count: int, lane: int) -> int:
    """Those of a lane's windows that have a δ, behind the rows: it, and its anchor. How many there are."""
    n, ints, found, i = width(zero(context)), integers(context, TABLES), 0, lane
    factors, places = values(context, SCRATCH), integers(context, PLACES)
    listed, anchors = offset(factors, LISTED * n), offset(places, LISTED * n)
    for sample in range(begin, end):
        shift = sample * number(context, SAMPLE_STEP)
        for _ in range(count):
            d = get(factors, i)
            put(listed, found, d)
            put(anchors, found, get(ints, get(places, i)) + shift)
            found += int(d != 0)
            i += n
    return found


@inner
def _use(context: Pointer, row: Pointer, lane: int, found: int) -> None:
    """What the list of a lane brings to its bias, its weights and its sources."""
    like, n, how = zero(context), width(zero(context)), get(row, HOW)
    mem, gradient, packed = values(context, MEMORY), values(context, GRADIENT), values(context, PACKED)
    factors, anchors = offset(values(context, SCRATCH), LISTED * n), offset(integers(context, PLACES), LISTED * n)
    chunks, n_chunks = offset(integers(context, TABLES), get(row, EXTRA)), get(row, TARGET_STEP)
    to_sources = how & SOURCES_TOO != 0 or number(context, MODE) & TRACE != 0
    if how & WITH_BIAS:
        where = get(row, BIAS_STEP) + lane
        total = get(gradient, where)
        for i in range(found):
            total += get(factors, i)
        put(gradient, where, total)
    for j in range(0, n_chunks, CHUNKS):
        some, at = offset(chunks, j), (lane * n_chunks + j) * n
        out = offset(gradient, get(row, WEIGHT_STEP) + at)
        if to_sources:
            w = offset(packed, get(row, SHIFT) + at)
            exchange(out, w, mem, 2 * number(context, PLANE), anchors, factors, found, some, like)
        else:
            gather(out, mem, anchors, factors, found, some, like)
