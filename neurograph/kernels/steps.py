"""One sample's step of a layer whose weights nobody else uses: errors of the sources, gradient and update, in one pass over the weights."""

from __future__ import annotations

from typing import Any

from neurograph.kernels.code import (
    CELL,
    COUNT,
    FORM,
    HOW,
    LANES,
    MEMORY,
    N_TAPS,
    PLANE,
    RULE,
    SOURCE,
    SOURCES_TOO,
    START,
    STATE,
    TABLES,
    TAPS,
    TARGET,
    WEIGHT,
    WEIGHTS,
)
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import Pointer, fma, get, integers, load, number, put, splat, store, total, values, width, zero
from neurograph.kernels.tiles import load_some, minus, plus, times
from neurograph.kernels.update import CLASSICAL, PLAIN


def step(context: Pointer, row: Pointer) -> None:
    """Every weight by its own update, as `neurograph.kernels.update` does it; its error before that."""
    like, errors = zero(context), 2 * number(context, PLANE)
    mem, w, ints = values(context, MEMORY), values(context, WEIGHTS), integers(context, TABLES)
    state, rule, form = values(context, STATE), values(context, RULE), number(context, FORM)
    lanes, to_sources = get(row, LANES), get(row, HOW) & SOURCES_TOO != 0
    rate, kept = splat(rule, 1, like), splat(rule, 2, like)
    for cell in range(get(row, START), get(row, START) + get(row, COUNT) * CELL, CELL):
        target, source = get(ints, cell + TARGET) + errors, get(ints, cell + SOURCE)
        for tap in range(get(ints, cell + TAPS), get(ints, cell + TAPS) + 2 * get(ints, cell + N_TAPS), 2):
            a, at = splat(mem, source + get(ints, tap), like), get(ints, cell + WEIGHT) + get(ints, tap + 1)
            error = like
            for lane in range(0, lanes, width(like)):
                d, v = load_some(mem, target + lane, lanes - lane, like), load(w, at + lane, like)
                error = fma(v, d, error)
                store(w, at + lane, _moved(v, times(a, d), state, at + lane, rate, kept, form, like))
            if to_sources:
                where = source + get(ints, tap) + errors
                put(mem, where, get(mem, where) + total(error))


@inner
def _moved(v: Any, g: Any, state: Pointer, at: int, rate: Any, kept: Any, form: int, like: Any) -> Any:
    """The weights v after their step with gradient g."""
    if form == PLAIN:
        return minus(v, times(rate, g))
    velocity = times(kept, load(state, at, like))
    if form == CLASSICAL:
        velocity = minus(velocity, times(rate, g))
        store(state, at, velocity)
        return plus(v, velocity)
    velocity = plus(velocity, g)
    store(state, at, velocity)
    return minus(v, times(rate, velocity))
