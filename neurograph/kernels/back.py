"""Errors of sources, channels innermost: the contraction of `contract` on its way back, in the form that the geometry suits.

Targets spread chunk by chunk of neighbouring sources, or sources gather from the targets that read them, both through weights packed
the other way round; where cells share no weights every error is an inner product along the lanes.
"""

from __future__ import annotations

from neurograph.kernels.code import (
    BIAS_STEP,
    CELL,
    COUNT,
    EXTRA,
    LANES,
    MEMORY,
    N_TAPS,
    PACKED,
    PLACES,
    PLANE,
    SAMPLE_STEP,
    SCRATCH,
    SHIFT,
    SOURCE,
    START,
    TABLES,
    TAPS,
    TARGET,
    TIED,
    VALID,
    WEIGHT,
    WEIGHTS,
)
from neurograph.kernels.contract import place_cells
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import Pointer, add, get, integers, load, number, offset, put, values, width, zero
from neurograph.kernels.tiles import ROWS, TILE, inner_products, store_some, tile, tile_onto


def spread(context: Pointer, row: Pointer) -> None:
    """Σ w·δ onto the errors of the sources: chunk by chunk of neighbouring sources, through weights packed the other way round.

    `EXTRA` is the list of chunks: their number, then (source offset, length) of each. `SHIFT` is where the packed weights of the first
    group begin: per chunk, per lane, a vector. `BIAS_STEP` is the list of pairs (lane, lane·V).
    """
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, packed, ints = values(context, MEMORY), values(context, PACKED), integers(context, TABLES)
    out, places = values(context, SCRATCH), integers(context, PLACES)
    lanes, tied, n = get(row, LANES), get(row, TIED), width(like)
    apart, pairs, chunks = number(context, SAMPLE_STEP), get(row, BIAS_STEP), get(row, EXTRA)
    together = tied * number(context, VALID)
    weight = get(row, SHIFT)
    for group in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, tied * CELL):
        for chunk in range(chunks + 1, chunks + 1 + 2 * get(ints, chunks), 2):
            shift, length = get(ints, chunk) + errors, get(ints, chunk + 1)
            cell, sample = 0, 0
            for done in range(0, together, TILE):
                some = min(TILE, together - done)
                sides = (TARGET, errors, SOURCE, shift)
                cell, sample = place_cells(ints, places, group, tied, apart, cell, sample, some, sides)
                tile(
                    out,
                    mem,
                    places,
                    offset(packed, weight),
                    offset(ints, pairs),
                    offset(ints, pairs + 1),
                    2,
                    lanes,
                    like,
                )
                for p in range(some):
                    where = get(places, TILE + p)
                    store_some(mem, where, length, add(load(mem, where, like), load(out, p * n, like)))
            weight += lanes * n


def gather(context: Pointer, row: Pointer) -> None:
    """Σ w·δ onto the errors of one group's sources, each from the targets that read it.

    The list at `START` has `COUNT` pairs (where its targets are counted from, source), that at `EXTRA` for each of `TIED` targets its offset
    and its row of packed weights, which begin at `SHIFT`; `LANES` neighbouring channels share them.
    """
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), width(zero(context))
    out, places = values(context, SCRATCH), integers(context, PLACES)
    lanes, positions, count, taps = get(row, LANES), get(row, COUNT), get(row, TIED), offset(ints, get(row, EXTRA))
    left = positions % TILE
    for lane in range(0, lanes, n):
        w = offset(values(context, PACKED), get(row, SHIFT) + lane * count)
        for sample in range(number(context, VALID)):
            x = offset(mem, errors + sample * number(context, SAMPLE_STEP))
            e = offset(x, lane)
            for done in range(0, positions - left, TILE):
                pair = offset(ints, get(row, START) + 2 * done)
                tile_onto(e, offset(pair, 1), x, pair, 2, w, taps, offset(taps, 1), (2, count), lanes - lane, like)
            if left:
                last = offset(ints, get(row, START) + 2 * (positions - left))
                for p in range(TILE):
                    put(places, p, get(last, 2 * min(p, left - 1)))
                tile(out, x, places, w, taps, offset(taps, 1), 2, count, like)
                for p in range(left):
                    at = get(last, 2 * p + 1)
                    store_some(e, at, lanes - lane, add(load(e, at, like), load(out, p * n, like)))


def one_by_one(context: Pointer, row: Pointer) -> None:
    """The same where cells share no weights: every error is an inner product along the lanes."""
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    out, places = values(context, SCRATCH), integers(context, PLACES)
    lanes, valid, apart = get(row, LANES), number(context, VALID), number(context, SAMPLE_STEP)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        target, source = get(ints, cell + TARGET) + errors, get(ints, cell + SOURCE) + errors
        first, last = get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS)
        weight = get(ints, cell + WEIGHT)
        if valid == 1:
            for tap in range(first, last, 2 * TILE):
                for p in range(TILE):
                    put(places, p, weight + get(ints, min(tap + 2 * p, last - 2) + 1))
                inner_products(out, w, places, mem, target, target, lanes, like)
                for p in range(min(TILE, (last - tap) // 2)):
                    where = source + get(ints, tap + 2 * p)
                    put(mem, where, get(mem, where) + get(out, p))
            continue
        for done in range(0, valid, TILE):
            for p in range(TILE):
                put(places, p, target + min(done + p, valid - 1) * apart)
            some, here = min(TILE, valid - done), source + done * apart
            for tap in range(first, last, 2 * ROWS):
                other = min(tap + 2 * (ROWS - 1), last - 2)
                one, two = weight + get(ints, tap + 1), weight + get(ints, other + 1)
                inner_products(out, mem, places, w, one, two, lanes, like)
                _add_errors(mem, here + get(ints, tap), apart, out, 0, some)
                if other > tap:
                    _add_errors(mem, here + get(ints, other), apart, out, TILE, some)


@inner
def _add_errors(mem: Pointer, where: int, apart: int, out: Pointer, first: int, some: int) -> None:
    """One source's errors in some samples."""
    for p in range(some):
        at = where + p * apart
        put(mem, at, get(mem, at) + get(out, first + p))
