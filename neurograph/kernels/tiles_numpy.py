"""The operations of `tiles` in NumPy: what they mean, for runs without the JIT. Every access checks its bounds.

Pointers are arrays. `like` says how many lanes a vector has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.kernels.processor import has

Array = NDArray[Any]

TILE = 8 if has("avx512f") else 4
"""Sums that a tile keeps in registers: processors with AVX-512 have twice as many of them."""

ROWS = TILE // 4
"""Rows of weights that `inner_products` reads at a time, as far as the registers reach."""

WINDOW = 4
"""Cells of a window that `tile_pooled` takes the maximum of."""

CHUNKS = 5
"""Vectors of a fan-in that `gather` and `exchange` work on at a time."""

LISTED = 256
"""Windows that a list of winners sees at most."""


def _at(memory: Array, where: Any) -> Array:
    whole = getattr(memory, "whole", None)
    where = np.asarray(where) + (0 if whole is None else memory.start)  # type: ignore[attr-defined]
    memory = memory if whole is None else whole
    assert where.size == 0 or (where.min() >= 0 and where.max() < len(memory)), (
        f"places {where.min()}…{where.max()} of a memory of {len(memory)}"
    )
    return memory[where]


def _vectors(memory: Array, starts: Any, like: Array) -> Array:
    return _at(memory, np.asarray(starts)[..., None] + np.arange(len(like)))


def tile(
    out: Array, x: Array, bases: Array, w: Array, offsets: Array, rows: Array, step: int, count: int, begin: Array
) -> None:
    """``out[p] = begin + Σ_k x[bases[p] + offsets[k·step]] · w[rows[k·step] …]`` for p < `TILE`."""
    k = np.arange(count) * step
    numbers = _at(x, bases[:TILE, None] + offsets[k])
    out[: TILE * len(begin)] = (begin + numbers @ _vectors(w, rows[k], begin)).reshape(-1)


def inner_products(
    out: Array, x: Array, bases: Array, w: Array, first: int, second: int, count: int, like: Array
) -> None:
    """``out[p] = Σ_{i < count} x[bases[p] + i] · w[first + i]`` for p < `TILE`; with two `ROWS`, those of `second` behind them."""
    i = np.arange(count)
    for half, at in enumerate((first, second)[:ROWS]):
        out[half * TILE : (half + 1) * TILE] = _at(x, bases[:TILE, None] + i) @ _at(w, at + i)


def survivors(
    factors: Array, which: Array, x: Array, at: int, plane: int, first: int, anyway: int, count: int, like: Array
) -> None:
    """Of each of the first `count` maxima from `at` on: δ where it goes on, else 0, and the number of its winner, counted from `first`.

    It goes on where the maximum is positive, or `anyway`. Planes lie `plane` apart: activations, pre-activations, δ, winners.
    """
    a, d, winner = (load_some(x, at + k * plane, count, like) for k in (0, 2, 3))
    factors[: len(like)] = np.where((d != 0) & ((a > 0) | bool(anyway)), d, 0)
    which[: len(like)] = first + winner.astype(np.int64)


def gather(out: Array, x: Array, places: Array, factors: Array, count: int, chunks: Array, like: Array) -> None:
    """``out[j·V …] += Σ_i factors[i] · x[places[i] + chunks[j] …]`` for j < `CHUNKS`."""
    for j in range(CHUNKS):
        here = slice(j * len(like), (j + 1) * len(like))
        assert here.stop <= len(out)
        out[here] += factors[:count] @ _vectors(x, places[:count] + chunks[j], like)


def exchange(
    out: Array, w: Array, x: Array, behind: int, places: Array, factors: Array, count: int, chunks: Array, like: Array
) -> None:
    """`gather`, and ``x[behind + places[i] + chunks[j] …] += factors[i] · w[j·V …]`` for every i, and j < `CHUNKS`."""
    gather(out, x, places, factors, count, chunks, like)
    for j in range(CHUNKS):
        v = _vectors(w, j * len(like), like)
        for i in range(count):
            here = int(behind + places[i] + chunks[j])
            assert 0 <= here <= len(x) - len(like)
            x[here : here + len(like)] += factors[i] * v


def plain_row(w: Array, state: Array, delta: Array, a: Array, rate: Array, kept: Array, count: int) -> Array:
    """One row of `count` vectors of weights, all of one source with activation a: w ← w − η·a·δ. What comes back sums up to Σ w·δ.

    Every operation is rounded by itself, as in `neurograph.kernels.update.moved`. Nothing is remembered.
    """
    n = count * len(a)
    assert n <= min(len(w), len(delta))
    d, old = delta[:n].reshape(count, -1), w[:n].reshape(count, -1).copy()
    w[:n] = (old - rate * (a * d)).reshape(-1)
    error: Array = (old * d).sum(axis=0)
    return error


def momentum_row(w: Array, state: Array, delta: Array, a: Array, rate: Array, kept: Array, count: int) -> Array:
    """The same with momentum: v ← μv + a·δ, w ← w − η·v; `state` is v, `kept` μ."""
    n = count * len(a)
    assert n <= min(len(w), len(state), len(delta))
    d, old = delta[:n].reshape(count, -1), w[:n].reshape(count, -1).copy()
    v = kept * state[:n].reshape(count, -1) + a * d
    state[:n], w[:n] = v.reshape(-1), (old - rate * v).reshape(-1)
    error: Array = (old * d).sum(axis=0)
    return error


def turn(out: Array, x: Array, places: Array, like: Array) -> None:
    """``out[l·V + i] = x[places[i] + l]`` for i, l < V: V rows become columns, of zeros where a place is negative."""
    n = len(like)
    known = places[:n] >= 0
    rows = np.where(known[:, None], _vectors(x, np.where(known, places[:n], 0), like), 0)
    out[: n * n] = rows.T.reshape(-1)


def load_some(memory: Array, i: int, count: int, like: Array) -> Array:
    """The first `count` lanes of a vector, the others 0; nothing else is read."""
    count = min(count, len(like))
    assert 0 <= i <= len(memory) - count, f"vector at {i} outside a memory of {len(memory)}"
    found = np.zeros_like(like)
    found[:count] = memory[i : i + count]
    return found


def store_some(memory: Array, i: int, count: int, v: Array) -> None:
    """Write the first `count` lanes of a vector."""
    count = min(count, len(v))
    assert 0 <= i <= len(memory) - count, f"vector at {i} outside a memory of {len(memory)}"
    memory[i : i + count] = v[:count]


def row_tile(out: Array, x: Array, w: Array, offsets: Array, rows: Array, step: int, count: int, like: Array) -> None:
    """``out[v·V …] += Σ_k x[offsets[k·step]] · w[rows[k·step] + v·V …]`` for v < `TILE`."""
    k, lanes = np.arange(count) * step, np.arange(TILE * len(like))
    out[: len(lanes)] += _at(x, offsets[k]) @ _at(w, rows[k][:, None] + lanes)


def tile_into(
    out: Array, to: Array, x: Array, bases: Array, step: int, w: Array, offsets: Array, count: int, end: Any
) -> None:
    """`TILE` cells of one sample, finished and written.

    ``out[to[p·step] …] = max(floor, begin + Σ_k x[bases[p·step] + offsets[k]] · w[k·V …])``, the first lanes of it; `end` is
    (begin, floor, lanes, keep). NaN stays NaN. Where `keep` is not 0, the sums before their floor go so far behind.
    """
    begin, floor, lanes, keep = end
    p, k = np.arange(TILE) * step, np.arange(count)
    z = begin + _at(x, bases[p][:, None] + offsets[k]) @ _vectors(w, k * len(begin), begin)
    a = np.where(z <= floor, floor, z)
    for row, value, kept in zip(to[p], a, z, strict=True):
        store_some(out, int(row), lanes, value)
        if keep:
            store_some(out, int(row) + keep, lanes, kept)


def tile_pooled(
    out: Array, to: Array, winners: int, x: Array, bases: Array, w: Array, offsets: Array, count: int, end: Any
) -> None:
    """`TILE` cells, every `WINDOW` of them one window: the largest finished value of each.

    It goes to ``out[to[window] …]``, and `winners` behind it which cell it was: the first of equals, or the first NaN. `end` is as in
    `tile_into`.
    """
    begin, floor, lanes = end
    k = np.arange(count)
    z = begin + _at(x, bases[:TILE, None] + offsets[k]) @ _vectors(w, k * len(begin), begin)
    a = np.where(z <= floor, floor, z).reshape(TILE // WINDOW, WINDOW, -1)
    for window, cells in enumerate(a):
        winner = np.argmax(np.where(np.isnan(cells), np.inf, cells), axis=0)
        nan = np.isnan(cells)
        winner = np.where(nan.any(axis=0), np.argmax(nan, axis=0), winner)
        where = int(to[window])
        store_some(out, where, lanes, np.take_along_axis(cells, winner[None], axis=0)[0])
        store_some(out, where + winners, lanes, winner.astype(out.dtype))


def tile_onto(
    out: Array,
    to: Array,
    x: Array,
    bases: Array,
    step: int,
    w: Array,
    offsets: Array,
    rows: Array,
    walk: tuple[int, int],
    lanes: int,
    like: Array,
) -> None:
    """``out[to[p·step] …] += Σ_k x[bases[p·step] + offsets[k·walk]] · w[rows[k·walk] …]`` for p < `TILE`, the first `lanes` of it.

    `walk` is (distance in the lists, how many k).
    """
    p, k = np.arange(TILE) * step, np.arange(walk[1]) * walk[0]
    found = _at(x, bases[p][:, None] + offsets[k]) @ _vectors(w, rows[k], like)
    for row, value in zip(to[p], found, strict=True):
        before = load_some(out, int(row), lanes, like)
        store_some(out, int(row), lanes, before + value)


def times(a: Array, b: Array) -> Array:
    """a·b, rounded."""
    return a * b


def plus(a: Array, b: Array) -> Array:
    """The sum a + b, rounded."""
    return a + b


def minus(a: Array, b: Array) -> Array:
    """The difference a − b, rounded."""
    return a - b


def ratio(a: Array, b: Array) -> Array:
    """The quotient a / b, rounded."""
    return a / b
