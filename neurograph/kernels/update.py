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
from neurograph.kernels.simd import Pointer, get, integers, load, number, root, splat, values, width, zero
from neurograph.kernels.tiles import minus, plus, ratio, store_some, times

PLAIN, MOMENTUM, CLASSICAL, ADAM = range(4)
"""Forms of an update; their numbers begin with the divisor of the gradient."""

STRETCH = 1024
"""Weights that are updated at a time: few enough for the nearest cache."""


def update(context: Pointer, row: Pointer) -> None:
    """One part's stretches of all ranges."""
    like, ranges, stretch = zero(context), integers(context, RANGES), 0
    for line in range(number(context, N_RANGES)):
        end = get(ranges, 2 * line + 1)
        for first in range(get(ranges, 2 * line), end, STRETCH):
            stretch += 1
            if stretch % number(context, N_PARTS) == number(context, PART):
                _stretch(context, first, min(end, first + STRETCH), like)


@exact
def _stretch(context: Pointer, first: int, end: int, like: Any) -> None:
    """A vector of weights after the other: the gradient's parts are added, divided by the first number of the rule, and applied."""
    w, slots, rule = values(context, WEIGHTS), values(context, SLOTS), values(context, RULE)
    share, rate, kept = splat(rule, 0, like), splat(rule, 1, like), splat(rule, 2, like)
    for i in range(first, end, width(like)):
        g = load(slots, i, like)
        for slot in range(1, number(context, N_SLOTS)):
            g = plus(g, load(slots, slot * number(context, SLOT_STEP) + i, like))
        g = ratio(g, share)
        if number(context, FORM) == ADAM:
            v = _adam(context, load(w, i, like), g, i, end - i)
        else:
            v = moved(load(w, i, like), g, values(context, STATE), i, end - i, rate, kept, number(context, FORM))
        store_some(w, i, end - i, v)


@exact
def moved(w: Any, g: Any, state: Pointer, i: int, some: int, rate: Any, kept: Any, form: int) -> Any:
    """The weights w after their step with gradient g, of which `some` are changed.

    Plain: w − ηg. With momentum v ← μv + g, w − ηv. Classical: v ← μv − ηg, w + v.
    """
    if form == PLAIN:
        return minus(w, times(rate, g))
    v = times(kept, load(state, i, w))
    if form == CLASSICAL:
        v = minus(v, times(rate, g))
        store_some(state, i, some, v)
        return plus(w, v)
    v = plus(v, g)
    store_some(state, i, some, v)
    return minus(w, times(rate, v))


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
