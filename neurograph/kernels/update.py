"""Updates of flat weights by flat gradients, bit for bit what `neurograph.training.optimizers` does array by array.

Compiled (`exact`) without reordering or fusing, since NumPy does neither. The gradient arrives in parts, one a slot; they are added in order.
The weights are cut into stretches, which several threads share; no number depends on who takes which.
"""

from __future__ import annotations

from typing import Any

from neurograph.kernels.code import (
    FORM,
    N_PARTS,
    N_RANGES,
    N_SLOTS,
    PART,
    RANGES,
    RULE,
    SECOND_STATE,
    SLOT_STEP,
    SLOTS,
    STATE,
    WEIGHTS,
)
from neurograph.kernels.jit import exact
from neurograph.kernels.simd import (
    Pointer,
    first_max,
    get,
    integers,
    keep_where_positive,
    load,
    number,
    root,
    splat,
    spread,
    values,
    width,
    zero,
)
from neurograph.kernels.tiles import minus, plus, ratio, store_some, times

PLAIN, MOMENTUM, CLASSICAL, NESTEROV, CLASSICAL_NESTEROV, ADAM, ADAGRAD, RMSPROP, RMSPROP_MOMENTUM = range(9)
"""Forms of an update; their numbers begin with the divisor of the gradient. From `ADAM` on, roots are taken."""

BEFORE = 16
L1, L2, CLIP, DECAY = BEFORE, 2 * BEFORE, 4 * BEFORE, 8 * BEFORE
"""Added to a form: what comes before it."""

OF_L1, OF_L2, LOWEST, KEPT_PART = 8, 9, 10, 11
"""Their numbers: λ₁/m, 2λ₂/m, the least that a number of the gradient may be, and what decay leaves of a weight."""

N_NUMBERS = 12

RANGE = 3
"""Integers of a range: its first weight, its end, and the bits of a form that count in it (biases know no penalties and no decay)."""

OF_WEIGHTS, OF_BIASES = -1, BEFORE - 1 + CLIP

STRETCH = 1024
"""Weights that are updated at a time: few enough for the nearest cache."""


def update(context: Pointer, row: Pointer) -> None:
    """One part's stretches of all ranges."""
    like, ranges, stretch = zero(context), integers(context, RANGES), 0
    for line in range(0, RANGE * number(context, N_RANGES), RANGE):
        end, form = get(ranges, line + 1), number(context, FORM) & get(ranges, line + 2)
        for first in range(get(ranges, line), end, STRETCH):
            stretch += 1
            if stretch % number(context, N_PARTS) == number(context, PART):
                _stretch(context, first, min(end, first + STRETCH), form, like)


@exact
def _stretch(context: Pointer, first: int, end: int, form: int, like: Any) -> None:
    """A vector of weights after the other: the gradient's parts are added, divided by the first number of the rule, and applied."""
    w, slots, rule = values(context, WEIGHTS), values(context, SLOTS), values(context, RULE)
    share, rate, kept = splat(rule, 0, like), splat(rule, 1, like), splat(rule, 2, like)
    for i in range(first, end, width(like)):
        g = load(slots, i, like)
        for slot in range(1, number(context, N_SLOTS)):
            g = plus(g, load(slots, slot * number(context, SLOT_STEP) + i, like))
        g = ratio(g, share)
        if (form & (BEFORE - 1)) >= ADAM:
            v = _rooted(context, load(w, i, like), g, i, end - i, form)
        else:
            v = moved(load(w, i, like), g, rule, values(context, STATE), i, end - i, rate, kept, form)
        store_some(w, i, end - i, v)


@exact
def moved(w: Any, g: Any, rule: Pointer, state: Pointer, i: int, some: int, rate: Any, kept: Any, form: int) -> Any:
    """The weights w after a step of descent with gradient g, of which `some` are changed.

    Plain: w − ηg. With momentum v ← μv + g, w − ηv; Nesterov's w − η(g + μv). Classical: v ← μv − ηg, w + v; Nesterov's w + μv − ηg.
    """
    if form >= BEFORE:
        g = penalised(w, g, rule, form)
        w = decayed(w, rule, form)
        form = form & (BEFORE - 1)
    if form == PLAIN:
        return minus(w, times(rate, g))
    v = times(kept, load(state, i, w))
    if form == CLASSICAL or form == CLASSICAL_NESTEROV:  # noqa: SIM109  kernels have no tuples
        g = times(rate, g)
        v = minus(v, g)
        store_some(state, i, some, v)
        return plus(w, v) if form == CLASSICAL else plus(w, minus(times(kept, v), g))
    v = plus(v, g)
    store_some(state, i, some, v)
    if form == NESTEROV:
        v = plus(g, times(kept, v))
    return minus(w, times(rate, v))


@exact
def penalised(w: Any, g: Any, rule: Pointer, form: int) -> Any:
    """The gradient g of weights w with (λ₁/m)·sign(w) and (2λ₂/m)·w, none of its numbers larger than allowed."""
    minus_one = spread(-1.0, w)
    if form & L1:
        up = splat(rule, OF_L1, w)
        g = plus(g, minus(keep_where_positive(w, up), keep_where_positive(times(w, minus_one), up)))
    if form & L2:
        g = plus(g, times(splat(rule, OF_L2, w), w))
    if form & CLIP:
        lowest = splat(rule, LOWEST, w)
        g = times(first_max(times(first_max(g, lowest), minus_one), lowest), minus_one)
    return g


@exact
def decayed(w: Any, rule: Pointer, form: int) -> Any:
    """What decay leaves of weights: (1 − η·d)·w."""
    return times(w, splat(rule, KEPT_PART, w)) if form & DECAY else w


@exact
def _rooted(context: Pointer, w: Any, g: Any, i: int, some: int, form: int) -> Any:
    """The weights after a step that is divided by a root of squared gradients."""
    rule = values(context, RULE)
    if form >= BEFORE:
        g = penalised(w, g, rule, form)
        w = decayed(w, rule, form)
        form = form & (BEFORE - 1)
    if form == ADAM:
        return _adam(context, w, g, i, some)
    squares, g_squared = values(context, STATE), times(g, g)
    if form == ADAGRAD:
        s = plus(load(squares, i, w), g_squared)
        store_some(squares, i, some, s)
        return minus(w, ratio(times(splat(rule, 1, w), g), plus(root(s), splat(rule, 2, w))))
    s = plus(times(load(squares, i, w), splat(rule, 2, w)), times(splat(rule, 3, w), g_squared))
    store_some(squares, i, some, s)
    below = plus(root(s), splat(rule, 4, w))
    if form == RMSPROP:
        return minus(w, ratio(times(splat(rule, 1, w), g), below))
    state = values(context, SECOND_STATE)
    v = plus(times(load(state, i, w), splat(rule, 5, w)), ratio(g, below))
    store_some(state, i, some, v)
    return minus(w, times(splat(rule, 1, w), v))


@exact
def _adam(context: Pointer, w: Any, g: Any, i: int, some: int) -> Any:
    """Adam. The numbers: divisor, η/(1 − β₁ᵗ), β₁, 1 − β₁, β₂, 1 − β₂, √(1 − β₂ᵗ), ε."""
    rule, mean, square = values(context, RULE), values(context, STATE), values(context, SECOND_STATE)
    m = plus(times(load(mean, i, w), splat(rule, 2, w)), times(splat(rule, 3, w), g))
    v = plus(times(load(square, i, w), splat(rule, 4, w)), times(splat(rule, 5, w), times(g, g)))
    store_some(mean, i, some, m)
    store_some(square, i, some, v)
    below = plus(ratio(root(v), splat(rule, 6, w)), splat(rule, 7, w))
    return minus(w, ratio(times(splat(rule, 1, w), m), below))
