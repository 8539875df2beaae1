"""Sums of products over lanes, channels innermost: a vector holds neighbouring filters or units, which read the same sources.

A cell is `LANES` neurons; cells of one group (`TIED` in a row) have the same weights. A tile is `TILE` cells, of any samples of the block,
times one vector of lanes: sums stay in registers while the fan-in passes by. Forward, to the sources and to the weights are the same
contraction with its parts in other roles.
"""

from __future__ import annotations

import math
from typing import Any

from neurograph.kernels.code import (
    BIAS,
    BIAS_STEP,
    CELL,
    CONTINUE,
    COUNT,
    EXTRA,
    FINAL,
    GRADIENT,
    HOW,
    KEEP_Z,
    LANES,
    MEMORY,
    MODE,
    N_SHARES,
    N_TAPS,
    PLACES,
    PLANE,
    RECTIFY,
    SAMPLE_STEP,
    SCRATCH,
    SHARE,
    SHIFT,
    SOURCE,
    START,
    TABLES,
    TAPS,
    TARGET,
    TIED,
    TRACE,
    VALID,
    WEIGHT,
    WEIGHTS,
    WITH_BIAS,
)
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import (
    Pointer,
    add,
    get,
    integers,
    load,
    number,
    offset,
    put,
    relu,
    splat,
    spread,
    store,
    values,
    width,
    zero,
)
from neurograph.kernels.tiles import (
    TILE,
    WINDOW,
    row_tile,
    store_some,
    tile,
    tile_into,
    tile_onto,
    tile_pooled,
)

PANEL_CELLS = 64
"""From so many cells on, of all samples, weights are moved together first."""

LONGEST = 8192
"""Lanes of one cell whose sums are kept beside each other, so that rows of weights are read from end to end."""

TAPS_AT_ONCE = 16
"""Rows of weights that are read side by side, where one cell has more than `NEAR` of them."""

NEAR = 1 << 20


@inner
def place_cells(
    ints: Pointer, places: Pointer, group: int, tied: int, apart: int, cell: int, sample: int, some: int, sides: Any
) -> Any:
    """Where the next cells of a group stand: `TILE` places of one side, then of the other. Returns the cell and sample behind them.

    `sides`: per side a field of the cell and a shift. Where fewer than `TILE` are left the last is repeated.
    """
    first, first_shift, second, second_shift = sides
    a, b = 0, 0
    for p in range(TILE):
        if p < some:
            at = group + cell * CELL
            a = get(ints, at + first) + first_shift + sample * apart
            b = get(ints, at + second) + second_shift + sample * apart
            cell += 1
            if cell == tied:
                cell, sample = 0, sample + 1
        put(places, p, a)
        put(places, TILE + p, b)
    return cell, sample


def dot(context: Pointer, row: Pointer) -> None:
    """Σ w·a of every cell and lane."""
    like, n = zero(context), width(zero(context))
    w, ints = values(context, WEIGHTS), integers(context, TABLES)
    how = get(row, HOW) | (KEEP_Z if number(context, MODE) & TRACE else 0)
    lanes, tied, valid = get(row, LANES), get(row, TIED), number(context, VALID)
    is_plain = how & FINAL != 0 and how & CONTINUE == 0
    first, end = share(context, lanes, n)
    for group in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, tied * CELL):
        bias = get(ints, group + BIAS)
        if tied == 1 and valid == 1:
            _dot_once(context, group, lanes, how, get(row, BIAS_STEP), like)
            continue
        for lane in range(first, end, n):
            begin = like
            if how & WITH_BIAS:
                begin = load(w, bias + lane, like) if get(row, BIAS_STEP) else splat(w, bias, like)
            if is_plain and tied >= TILE and tied * valid >= PANEL_CELLS:
                _make_panel(context, group, lane, like)
                _dot_finished(context, group, tied, lane, lanes, how, begin)
            else:
                _dot_anywhere(context, group, tied, lane, lanes, how, begin)


@inner
def share(context: Pointer, lanes: int, together: int) -> Any:
    """First lane and end of this thread's share, in whole stretches of so many lanes."""
    shares, mine, stretches = max(1, number(context, N_SHARES)), number(context, SHARE), -(-lanes // together)
    return stretches * mine // shares * together, min(lanes, stretches * (mine + 1) // shares * together)


@inner
def _make_panel(context: Pointer, group: int, lane: int, like: Any) -> None:
    """A fan-in's weights for one vector of lanes, moved together in `SCRATCH`, and its offsets in `PLACES`: they pass by many times."""
    w, ints, n = values(context, WEIGHTS), integers(context, TABLES), width(like)
    panel, offsets, weight = values(context, SCRATCH), integers(context, PLACES), get(ints, group + WEIGHT) + lane
    taps = offset(ints, get(ints, group + TAPS))
    for k in range(get(ints, group + N_TAPS)):
        store(panel, k * n, load(w, weight + get(taps, 2 * k + 1), like))
        put(offsets, k, get(taps, 2 * k))


@inner
def _dot_finished(context: Pointer, group: int, tied: int, lane: int, lanes: int, how: int, begin: Any) -> None:
    """One vector of lanes of a group, written as tiles finish; the last tile of a sample repeats cells rather than be a short one."""
    mem, ints, offsets = values(context, MEMORY), integers(context, TABLES), integers(context, PLACES)
    floor, panel = spread(0.0 if how & RECTIFY else -math.inf, begin), values(context, SCRATCH)
    n_taps = get(ints, group + N_TAPS)
    keep = number(context, PLANE) if how & KEEP_Z else 0
    for sample in range(number(context, VALID)):
        x = offset(mem, sample * number(context, SAMPLE_STEP))
        for done in range(0, tied, TILE):
            cell = group + min(done, tied - TILE) * CELL
            tile_into(
                offset(x, lane),
                offset(ints, cell + TARGET),
                x,
                offset(ints, cell + SOURCE),
                CELL,
                panel,
                offsets,
                n_taps,
                (begin, floor, lanes - lane, keep),
            )


@inner
def _dot_anywhere(context: Pointer, group: int, tied: int, lane: int, lanes: int, how: int, begin: Any) -> None:
    """One vector of lanes of a group, in tiles of cells of any samples."""
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    out, places = values(context, SCRATCH), integers(context, PLACES)
    taps, weight, apart = get(ints, group + TAPS), get(ints, group + WEIGHT), number(context, SAMPLE_STEP)
    together, cell, sample = tied * number(context, VALID), 0, 0
    for done in range(0, together, TILE):
        some = min(TILE, together - done)
        cell, sample = place_cells(ints, places, group, tied, apart, cell, sample, some, (SOURCE, 0, TARGET, lane))
        tile(
            out,
            mem,
            places,
            offset(w, weight + lane),
            offset(ints, taps),
            offset(ints, taps + 1),
            2,
            get(ints, group + N_TAPS),
            begin,
        )
        for p in range(some):
            z = load(out, p * width(begin), begin)
            _finish(mem, get(places, TILE + p), number(context, PLANE), lanes - lane, how, z)


@inner
def _dot_once(context: Pointer, cell: int, lanes: int, how: int, bias_step: int, like: Any) -> None:
    """One cell of one sample: `TILE` vectors of lanes at a time, a few taps of all lanes before the next, as memory likes to be read."""
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    out, x = values(context, SCRATCH), offset(mem, get(ints, cell + SOURCE))
    first_tap, n_taps = get(ints, cell + TAPS), get(ints, cell + N_TAPS)
    target, bias, n = get(ints, cell + TARGET), get(ints, cell + BIAS), width(like)
    begin_share, end_share = share(context, lanes, TILE * n)
    for first in range(begin_share, end_share, LONGEST):
        end = min(end_share, first + LONGEST)
        for lane in range(first, first + -(-(end - first) // (TILE * n)) * TILE * n, n):
            begin = like
            if how & WITH_BIAS and lane < lanes:
                begin = load(w, bias + lane, like) if bias_step else splat(w, bias, like)
            store(out, lane - first, begin)
        some = max(n_taps, 1) if n_taps * (end - first) <= NEAR else TAPS_AT_ONCE
        for tap in range(0, n_taps, some):
            pair = offset(ints, first_tap + 2 * tap)
            for lane in range(first, end, TILE * n):
                weights = offset(w, get(ints, cell + WEIGHT) + lane)
                row_tile(offset(out, lane - first), x, weights, pair, offset(pair, 1), 2, min(some, n_taps - tap), like)
        for lane in range(first, end, n):
            _finish(mem, target + lane, number(context, PLANE), lanes - lane, how, load(out, lane - first, like))


@inner
def _finish(mem: Pointer, target: int, plane: int, lanes: int, how: int, z: Any) -> None:
    """Write sums where they belong."""
    if how & CONTINUE:
        z = add(z, load(mem, target + plane, z))
    if how & KEEP_Z:
        store_some(mem, target + plane, lanes, z)
    if how & FINAL:
        store_some(mem, target, lanes, relu(z) if how & RECTIFY else z)


def pooled(context: Pointer, row: Pointer) -> None:
    """Σ w·a of one group's cells, of which only the largest of every window is kept, and which it was.

    The list at `START` has `WINDOW` cells' sources for each of `COUNT` windows, that at `EXTRA` the windows' targets; `SHIFT` is one of
    the group's cells.
    """
    like, winners = zero(context), 3 * number(context, PLANE)
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    cell, lanes, how, windows = get(row, SHIFT), get(row, LANES), get(row, HOW), get(row, COUNT)
    bias, floor = get(ints, cell + BIAS), spread(0.0 if how & RECTIFY else -math.inf, like)
    offsets, panel, n_taps = integers(context, PLACES), values(context, SCRATCH), get(ints, cell + N_TAPS)
    first, end = share(context, lanes, width(like))
    for lane in range(first, end, width(like)):
        begin = like
        if how & WITH_BIAS:
            begin = load(w, bias + lane, like) if get(row, BIAS_STEP) else splat(w, bias, like)
        _make_panel(context, cell, lane, like)
        for sample in range(number(context, VALID)):
            x = offset(mem, sample * number(context, SAMPLE_STEP))
            for done in range(0, windows, TILE // WINDOW):
                window = min(done, windows - TILE // WINDOW)
                bases = offset(ints, get(row, START) + window * WINDOW)
                to = offset(ints, get(row, EXTRA) + window)
                end = (begin, floor, lanes - lane)
                tile_pooled(offset(x, lane), to, winners, x, bases, panel, offsets, n_taps, end)


def weights(context: Pointer, row: Pointer) -> None:
    """Σ δ·a onto the gradient: `TILE` taps times one vector of lanes, summed over the tied cells or, without them, over the samples."""
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, ints, apart = values(context, MEMORY), integers(context, TABLES), number(context, SAMPLE_STEP)
    lanes, tied, valid, n = get(row, LANES), get(row, TIED), number(context, VALID), width(like)
    samples = offset(integers(context, PLACES), 2 * TILE)
    for sample in range(valid):
        put(samples, sample, sample * apart)
    for group in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, tied * CELL):
        source, target = offset(ints, group + SOURCE), offset(ints, group + TARGET)
        for lane in range(0, lanes, n):
            if tied == 1:
                x, delta = offset(mem, get(source, 0)), offset(mem, get(target, 0) + errors + lane)
                _taps(context, group, lane, lanes, x, delta, samples, samples, (1, valid), like)
                continue
            for sample in range(valid):
                x, delta = offset(mem, sample * apart), offset(mem, sample * apart + errors + lane)
                _taps(context, group, lane, lanes, x, delta, source, target, (CELL, tied), like)


@inner
def _taps(
    context: Pointer,
    group: int,
    lane: int,
    lanes: int,
    x: Pointer,
    delta: Pointer,
    offsets: Pointer,
    rows: Pointer,
    walk: Any,
    like: Any,
) -> None:
    """All taps of a group, `TILE` at a time, the last few through a tile of their own."""
    ints, out, places = integers(context, TABLES), values(context, SCRATCH), integers(context, PLACES)
    taps, n_taps = get(ints, group + TAPS), get(ints, group + N_TAPS)
    gradient = offset(values(context, GRADIENT), get(ints, group + WEIGHT) + lane)
    for tap in range(0, n_taps - TILE + 1, TILE):
        pair = offset(ints, taps + 2 * tap)
        tile_onto(gradient, offset(pair, 1), x, pair, 2, delta, offsets, rows, walk, lanes - lane, like)
    left = n_taps % TILE
    if left == 0:
        return
    last = taps + 2 * (n_taps - left)
    for p in range(TILE):
        put(places, p, get(ints, last + 2 * min(p, left - 1)))
    tile(out, x, places, delta, offsets, rows, walk[0], walk[1], like)
    for p in range(left):
        where = get(ints, last + 2 * p + 1)
        store_some(gradient, where, lanes - lane, add(load(gradient, where, like), load(out, p * width(like), like)))


def bias(context: Pointer, row: Pointer) -> None:
    """Σ δ onto the gradient of biases: the cells' one tap reads the neuron that is always 1."""
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, gradient, ints = values(context, MEMORY), values(context, GRADIENT), integers(context, TABLES)
    lanes, tied, n = get(row, LANES), get(row, TIED), width(like)
    valid, apart = number(context, VALID), number(context, SAMPLE_STEP)
    for group in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, tied * CELL):
        weight = get(ints, group + WEIGHT) + get(ints, get(ints, group + TAPS) + 1)
        end = group + tied * CELL
        whole = group + (tied // 4) * 4 * CELL
        for lane in range(0, lanes, n):
            s0, s1, s2, s3 = like, like, like, like
            for sample in range(valid):
                shift = errors + lane + sample * apart
                for cell in range(group + TARGET, whole + TARGET, 4 * CELL):
                    s0 = add(s0, load(mem, get(ints, cell) + shift, like))
                    s1 = add(s1, load(mem, get(ints, cell + CELL) + shift, like))
                    s2 = add(s2, load(mem, get(ints, cell + 2 * CELL) + shift, like))
                    s3 = add(s3, load(mem, get(ints, cell + 3 * CELL) + shift, like))
                for cell in range(whole + TARGET, end + TARGET, CELL):
                    s0 = add(s0, load(mem, get(ints, cell) + shift, like))
            s0 = add(add(s0, s1), add(s2, s3))
            store_some(gradient, weight + lane, lanes - lane, add(load(gradient, weight + lane, like), s0))
