"""Sums over edges that fill no nest: forward, to the sources and to the weights, from strips of narrow integers.

A strip is up to `ACROSS` owners that mostly share what they meet. Forward, the owners are neurons, what they meet is sources, and each
pair has a weight; for gradients the owners are weights, what they meet is targets, and each pair has a source. What is shared is
loaded once for all owners. A pair without an edge has a weight that is 0, or a source that is. An owner that shares too little is a
strip by itself (`LANES` of the instruction is 1). `neurograph.compiler.strips` writes them.
"""

from __future__ import annotations

from typing import Any

from neurograph.kernels.code import (
    COUNT,
    GRADIENT,
    HOW,
    KEEP_Z,
    LANES,
    MEMORY,
    MODE,
    PLANE,
    START,
    TABLES,
    TRACE,
    WEIGHTS,
)
from neurograph.kernels.jit import inner
from neurograph.kernels.narrow import short
from neurograph.kernels.nests import begin, finish
from neurograph.kernels.simd import (
    Pointer,
    add,
    any_nonzero,
    fma,
    fma_where,
    get,
    integers,
    load,
    number,
    put,
    splat,
    store,
    total,
    values,
    width,
    zero,
)
from neurograph.kernels.totals import add_totals

ACROSS = 4
"""Owners of a strip."""
PAIR, TAP = 2, 1 + ACROSS
"""Integers of what is met: by one owner, and by several."""


def dot(context: Pointer, row: Pointer) -> None:
    """Σ w·a of the neurons of every strip: (met, neurons, targets, biases), then (source, weights)."""
    like, plane = zero(context), number(context, PLANE)
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    how = get(row, HOW) | (KEEP_Z if number(context, MODE) & TRACE else 0)
    at = get(row, START)
    for _ in range(get(row, COUNT)):
        met = short(ints, at)
        if get(row, LANES) == 1:
            _dot_single(like, mem, w, ints, at + 1, met, plane, how)
            at += 3 + PAIR * met
        else:
            _dot_across(like, mem, w, ints, at + 1, met, plane, how)
            at += 2 + 2 * ACROSS + TAP * met


@inner
def _dot_single(like: Any, mem: Pointer, w: Pointer, ints: Pointer, at: int, met: int, plane: int, how: int) -> None:
    n = width(like)
    z0, z1, z2, z3 = begin(like, mem, w, plane, short(ints, at), short(ints, at + 1), how), like, like, like
    tap, last = at + 2, at + 2 + PAIR * met
    while tap + 4 * PAIR <= last:
        z0 = fma(load(mem, short(ints, tap) * n, like), splat(w, short(ints, tap + 1), like), z0)
        z1 = fma(load(mem, short(ints, tap + 2) * n, like), splat(w, short(ints, tap + 3), like), z1)
        z2 = fma(load(mem, short(ints, tap + 4) * n, like), splat(w, short(ints, tap + 5), like), z2)
        z3 = fma(load(mem, short(ints, tap + 6) * n, like), splat(w, short(ints, tap + 7), like), z3)
        tap += 4 * PAIR
    while tap < last:
        z0 = fma(load(mem, short(ints, tap) * n, like), splat(w, short(ints, tap + 1), like), z0)
        tap += PAIR
    finish(mem, plane, short(ints, at), how, add(add(z0, z1), add(z2, z3)))


@inner
def _dot_across(like: Any, mem: Pointer, w: Pointer, ints: Pointer, at: int, met: int, plane: int, how: int) -> None:
    n, neurons, to, biases = width(like), short(ints, at), at + 1, at + 1 + ACROSS
    z0 = begin(like, mem, w, plane, short(ints, to), short(ints, biases), how)
    z1 = begin(like, mem, w, plane, short(ints, to + 1), short(ints, biases + 1), how)
    z2 = begin(like, mem, w, plane, short(ints, to + 2), short(ints, biases + 2), how)
    z3 = begin(like, mem, w, plane, short(ints, to + 3), short(ints, biases + 3), how)
    first = at + 1 + 2 * ACROSS
    for tap in range(first, first + TAP * met, TAP):
        a = load(mem, short(ints, tap) * n, like)
        z0 = fma(splat(w, short(ints, tap + 1), like), a, z0)
        z1 = fma(splat(w, short(ints, tap + 2), like), a, z1)
        z2 = fma(splat(w, short(ints, tap + 3), like), a, z2)
        z3 = fma(splat(w, short(ints, tap + 4), like), a, z3)
    finish(mem, plane, short(ints, to), how, z0)
    if neurons > 1:
        finish(mem, plane, short(ints, to + 1), how, z1)
    if neurons > 2:
        finish(mem, plane, short(ints, to + 2), how, z2)
    if neurons > 3:
        finish(mem, plane, short(ints, to + 3), how, z3)


def sources(context: Pointer, row: Pointer) -> None:
    """Σ δ·w onto the errors of the sources, from the strips of `dot`; those whose δ is zero in every sample are passed over."""
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    at = get(row, START)
    for _ in range(get(row, COUNT)):
        met = short(ints, at)
        if get(row, LANES) == 1:
            _sources_single(like, mem, w, ints, at + 1, met, errors)
            at += 3 + PAIR * met
        else:
            _sources_across(like, mem, w, ints, at + 2, met, errors)
            at += 2 + 2 * ACROSS + TAP * met


@inner
def _sources_single(like: Any, mem: Pointer, w: Pointer, ints: Pointer, at: int, met: int, errors: int) -> None:
    n = width(like)
    d = load(mem, (short(ints, at) + errors) * n, like)
    if any_nonzero(d):
        for tap in range(at + 2, at + 2 + PAIR * met, PAIR):
            where = (short(ints, tap) + errors) * n
            store(mem, where, fma_where(d, splat(w, short(ints, tap + 1), like), load(mem, where, like)))


@inner
def _sources_across(like: Any, mem: Pointer, w: Pointer, ints: Pointer, at: int, met: int, errors: int) -> None:
    n = width(like)
    d0 = load(mem, (short(ints, at) + errors) * n, like)
    d1 = load(mem, (short(ints, at + 1) + errors) * n, like)
    d2 = load(mem, (short(ints, at + 2) + errors) * n, like)
    d3 = load(mem, (short(ints, at + 3) + errors) * n, like)
    if not (any_nonzero(d0) or any_nonzero(d1) or any_nonzero(d2) or any_nonzero(d3)):
        return
    first = at + 2 * ACROSS
    for tap in range(first, first + TAP * met, TAP):
        where = (short(ints, tap) + errors) * n
        e = fma_where(d0, splat(w, short(ints, tap + 1), like), load(mem, where, like))
        e = fma_where(d1, splat(w, short(ints, tap + 2), like), e)
        e = fma_where(d2, splat(w, short(ints, tap + 3), like), e)
        store(mem, where, fma_where(d3, splat(w, short(ints, tap + 4), like), e))


def weights(context: Pointer, row: Pointer) -> None:
    """Σ δ·a of the weights of every strip: (met, weights, places), then (target, sources); each is written once."""
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, gradient, ints = values(context, MEMORY), values(context, GRADIENT), integers(context, TABLES)
    at = get(row, START)
    for _ in range(get(row, COUNT)):
        met = short(ints, at)
        if get(row, LANES) == 1:
            _weight_single(like, mem, gradient, ints, at + 1, met, errors)
            at += 2 + PAIR * met
        else:
            _weights_across(like, mem, gradient, ints, at + 1, met, errors)
            at += 2 + ACROSS + TAP * met


@inner
def _weight_single(like: Any, mem: Pointer, gradient: Pointer, ints: Pointer, at: int, met: int, errors: int) -> None:
    n, g0, g1 = width(like), like, like
    tap, last = at + 1, at + 1 + PAIR * met
    while tap + 2 * PAIR <= last:
        d0, d1 = load(mem, (short(ints, tap) + errors) * n, like), load(mem, (short(ints, tap + 2) + errors) * n, like)
        g0 = fma_where(d0, load(mem, short(ints, tap + 1) * n, like), g0)
        g1 = fma_where(d1, load(mem, short(ints, tap + 3) * n, like), g1)
        tap += 2 * PAIR
    if tap < last:
        d0 = load(mem, (short(ints, tap) + errors) * n, like)
        g0 = fma_where(d0, load(mem, short(ints, tap + 1) * n, like), g0)
    _put_total(gradient, short(ints, at), add(g0, g1))


@inner
def _weights_across(like: Any, mem: Pointer, gradient: Pointer, ints: Pointer, at: int, met: int, errors: int) -> None:
    n, to = width(like), at + 1
    g0, g1, g2, g3 = like, like, like, like
    for tap in range(to + ACROSS, to + ACROSS + TAP * met, TAP):
        d = load(mem, (short(ints, tap) + errors) * n, like)
        g0 = fma_where(d, load(mem, short(ints, tap + 1) * n, like), g0)
        g1 = fma_where(d, load(mem, short(ints, tap + 2) * n, like), g1)
        g2 = fma_where(d, load(mem, short(ints, tap + 3) * n, like), g2)
        g3 = fma_where(d, load(mem, short(ints, tap + 4) * n, like), g3)
    a, b, c, d = short(ints, to), short(ints, to + 1), short(ints, to + 2), short(ints, to + 3)
    add_totals(gradient, a, b, c, d, g0, g1, g2, g3)


def weights_once(context: Pointer, row: Pointer) -> None:
    """δ·a of weights that are hardly shared, from the strips of `dot`; those whose δ is zero in every sample are passed over."""
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, gradient, ints = values(context, MEMORY), values(context, GRADIENT), integers(context, TABLES)
    at = get(row, START)
    for _ in range(get(row, COUNT)):
        met = short(ints, at)
        if get(row, LANES) == 1:
            _once_single(like, mem, gradient, ints, at + 1, met, errors)
            at += 3 + PAIR * met
        else:
            _once_across(like, mem, gradient, ints, at + 2, met, errors)
            at += 2 + 2 * ACROSS + TAP * met


@inner
def _once_single(like: Any, mem: Pointer, gradient: Pointer, ints: Pointer, at: int, met: int, errors: int) -> None:
    n = width(like)
    d = load(mem, (short(ints, at) + errors) * n, like)
    if not any_nonzero(d):
        return
    tap, last = at + 2, at + 2 + PAIR * met
    while tap + 4 * PAIR <= last:
        g0 = fma_where(d, load(mem, short(ints, tap) * n, like), like)
        g1 = fma_where(d, load(mem, short(ints, tap + 2) * n, like), like)
        g2 = fma_where(d, load(mem, short(ints, tap + 4) * n, like), like)
        g3 = fma_where(d, load(mem, short(ints, tap + 6) * n, like), like)
        w0, w1, w2, w3 = short(ints, tap + 1), short(ints, tap + 3), short(ints, tap + 5), short(ints, tap + 7)
        add_totals(gradient, w0, w1, w2, w3, g0, g1, g2, g3)
        tap += 4 * PAIR
    while tap < last:
        _put_total(gradient, short(ints, tap + 1), fma_where(d, load(mem, short(ints, tap) * n, like), like))
        tap += PAIR


@inner
def _once_across(like: Any, mem: Pointer, gradient: Pointer, ints: Pointer, at: int, met: int, errors: int) -> None:
    """Pairs without an edge add to the place behind the gradient that belongs to the constant 0; nobody reads it."""
    n = width(like)
    d0 = load(mem, (short(ints, at) + errors) * n, like)
    d1 = load(mem, (short(ints, at + 1) + errors) * n, like)
    d2 = load(mem, (short(ints, at + 2) + errors) * n, like)
    d3 = load(mem, (short(ints, at + 3) + errors) * n, like)
    if not (any_nonzero(d0) or any_nonzero(d1) or any_nonzero(d2) or any_nonzero(d3)):
        return
    first = at + 2 * ACROSS
    for tap in range(first, first + TAP * met, TAP):
        a = load(mem, short(ints, tap) * n, like)
        w0, w1, w2, w3 = short(ints, tap + 1), short(ints, tap + 2), short(ints, tap + 3), short(ints, tap + 4)
        g0, g1, g2, g3 = fma_where(d0, a, like), fma_where(d1, a, like), fma_where(d2, a, like), fma_where(d3, a, like)
        add_totals(gradient, w0, w1, w2, w3, g0, g1, g2, g3)


@inner
def _put_total(gradient: Pointer, weight: int, g: Any) -> None:
    put(gradient, weight, get(gradient, weight) + total(g))
