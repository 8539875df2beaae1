"""Steps of a layer whose weights nobody else uses, without a gradient in memory.

One sample: errors of the sources, gradient and update in one pass over the weights. More of them: what the gradient is made of is kept
until all samples are through; then every weight's share is summed in registers and applied at once, some weights to each thread.
"""

from __future__ import annotations

from neurograph.kernels.code import (
    BATCH,
    CELL,
    COUNT,
    EXTRA,
    FIRST_SAMPLE,
    FORM,
    HOW,
    KEPT,
    KEPT_COLUMNS,
    KEPT_ROWS,
    LANES,
    MEMORY,
    N_PARTS,
    N_TAPS,
    PART,
    PLACES,
    PLANE,
    RULE,
    SAMPLE_STEP,
    SCRATCH,
    SHIFT,
    SOURCE,
    SOURCES_TOO,
    START,
    STATE,
    TABLES,
    TAPS,
    TARGET,
    TARGET_STEP,
    VALID,
    WEIGHT,
    WEIGHT_STEP,
    WEIGHTS,
)
from neurograph.kernels.simd import (
    Pointer,
    fma,
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
from neurograph.kernels.tiles import TILE, load_some, momentum_row, plain_row, ratio, store_some, tile, times
from neurograph.kernels.update import MOMENTUM, PLAIN, moved


def step(context: Pointer, row: Pointer) -> None:
    """Every weight by its own update, as `neurograph.kernels.update` does it; its error before that."""
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    state, rule, form = values(context, STATE), values(context, RULE), number(context, FORM)
    lanes, to_sources = get(row, LANES), get(row, HOW) & SOURCES_TOO != 0
    rate, kept = splat(rule, 1, like), splat(rule, 2, like)
    delta, n_vectors = values(context, SCRATCH), -(-lanes // width(like))
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        target, source = get(ints, cell + TARGET) + errors, get(ints, cell + SOURCE)
        for lane in range(0, lanes, width(like)):  # what stands behind the last lane is 0, and stays so
            store(delta, lane, load_some(mem, target + lane, lanes - lane, like))
        for tap in range(get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS), 2):
            a, at = splat(mem, source + get(ints, tap), like), get(ints, cell + WEIGHT) + get(ints, tap + 1)
            weights = offset(w, at)
            if form == MOMENTUM:
                error = momentum_row(weights, offset(state, at), delta, a, rate, kept, n_vectors)
            elif form == PLAIN:
                error = plain_row(weights, state, delta, a, rate, kept, n_vectors)
            else:
                error = like
                for lane in range(0, lanes, width(like)):
                    d, v = load(delta, lane, like), load(weights, lane, like)
                    error = fma(v, d, error)
                    v = moved(v, times(a, d), rule, state, at + lane, width(like), rate, kept, form)
                    store(weights, lane, v)
            if to_sources:
                where = source + get(ints, tap) + errors
                put(mem, where, get(mem, where) + total(error))


def keep(context: Pointer, row: Pointer) -> None:
    """Activations and δ of one cell into the row of every sample.

    `TARGET_STEP` sources from `WEIGHT_STEP` on go to column `EXTRA`, the lanes to column `SHIFT`.
    """
    like, columns = zero(context), number(context, KEPT_COLUMNS)
    mem, kept, ints = values(context, MEMORY), values(context, KEPT), integers(context, TABLES)
    cell, lanes, n_sources = get(row, START), get(row, LANES), get(row, TARGET_STEP)
    for sample in range(number(context, VALID)):
        shift = sample * number(context, SAMPLE_STEP)
        to = (number(context, FIRST_SAMPLE) + sample) * columns
        source = get(ints, cell + SOURCE) + get(row, WEIGHT_STEP) + shift
        target = get(ints, cell + TARGET) + 2 * number(context, PLANE) + shift
        for i in range(0, n_sources, width(like)):
            store_some(kept, to + get(row, EXTRA) + i, n_sources - i, load(mem, source + i, like))
        for lane in range(0, lanes, width(like)):
            store(kept, to + get(row, SHIFT) + lane, load_some(mem, target + lane, lanes - lane, like))


def apply(context: Pointer, row: Pointer) -> None:
    """One part's rows of weights by their own update, from what `keep` kept of all samples."""
    like, rows = zero(context), integers(context, KEPT_ROWS)
    w, kept, ints = values(context, WEIGHTS), values(context, KEPT), integers(context, TABLES)
    out, places, rule = values(context, SCRATCH), integers(context, PLACES), values(context, RULE)
    share, rate, kept_part = splat(rule, 0, like), splat(rule, 1, like), splat(rule, 2, like)
    cell, lanes, n = get(row, START), get(row, LANES), width(like)
    taps, n_taps = offset(ints, get(ints, cell + TAPS)), get(ints, cell + N_TAPS)
    x = offset(kept, get(row, EXTRA))
    tiles, part, parts = -(-n_taps // TILE), number(context, PART), number(context, N_PARTS)
    for first in range(tiles * part // parts * TILE, min(n_taps, tiles * (part + 1) // parts * TILE), TILE):
        some = min(TILE, n_taps - first)
        for p in range(TILE):
            put(places, p, get(taps, 2 * (first + min(p, some - 1))) - get(row, WEIGHT_STEP))
        for lane in range(0, lanes, n):
            delta = offset(kept, get(row, SHIFT) + lane)
            tile(out, x, places, delta, rows, rows, 1, number(context, BATCH), like)
            for p in range(some):
                at = get(ints, cell + WEIGHT) + get(taps, 2 * (first + p) + 1) + lane
                g = ratio(load(out, p * n, like), share)
                state = values(context, STATE)
                v = moved(load(w, at, like), g, rule, state, at, n, rate, kept_part, number(context, FORM))
                store(w, at, v)
