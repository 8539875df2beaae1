"""Updates of flat weights by flat gradients, bit for bit what `neurograph.training.optimizers` does array by array.

Compiled without reordering or fusing, since NumPy does neither. The gradient arrives in parts, one a slot; they are added in order.
The weights are cut into stretches, which several threads share; no number depends on who takes which.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurograph.kernels.code import (
    FORM,
    N_PARTS,
    N_RANGES,
    N_SLOTS,
    PART,
    RANGES,
    RULE,
    SCRATCH,
    SECOND_STATE,
    SLOT_STEP,
    SLOTS,
    STATE,
    WEIGHTS,
)
from neurograph.kernels.jit import exact
from neurograph.kernels.simd import Pointer, get, integers, number, offset, put, values

PLAIN, MOMENTUM, CLASSICAL, ADAM = range(4)
"""Forms of an update; their numbers begin with the divisor of the gradient."""

STRETCH = 1024
"""Weights that are updated at a time: few enough for the nearest cache."""


def update(context: Pointer, row: Pointer) -> None:
    """One part's stretches of all ranges."""
    w, slots, state = values(context, WEIGHTS), values(context, SLOTS), values(context, STATE)
    g, rule, ranges = values(context, SCRATCH), values(context, RULE), integers(context, RANGES)
    form, stretch = number(context, FORM), 0
    for line in range(number(context, N_RANGES)):
        end = get(ranges, 2 * line + 1)
        for first in range(get(ranges, 2 * line), end, STRETCH):
            stretch += 1
            if stretch % number(context, N_PARTS) != number(context, PART):
                continue
            n = min(STRETCH, end - first)
            _gradient(g, offset(slots, first), number(context, N_SLOTS), number(context, SLOT_STEP), get(rule, 0), n)
            if form == PLAIN:
                _plain(offset(w, first), g, rule, n)
            elif form == MOMENTUM:
                _momentum(offset(w, first), g, rule, offset(state, first), n)
            elif form == CLASSICAL:
                _classical(offset(w, first), g, rule, offset(state, first), n)
            else:
                second = offset(values(context, SECOND_STATE), first)
                _adam(offset(w, first), g, rule, offset(state, first), second, n)


@exact
def _gradient(g: Pointer, slots: Pointer, n_slots: int, apart: int, share: Any, n: int) -> None:
    """The sum of all slots, divided by `share`."""
    for i in range(n):
        put(g, i, get(slots, i))
    for slot in range(1, n_slots):
        part = offset(slots, slot * apart)
        for i in range(n):
            put(g, i, get(g, i) + get(part, i))
    if share != 1:
        for i in range(n):
            put(g, i, get(g, i) / share)


@exact
def _plain(w: Pointer, g: Pointer, rule: Pointer, n: int) -> None:
    """W ← w − η·g."""
    rate = get(rule, 1)
    for i in range(n):
        put(w, i, get(w, i) - rate * get(g, i))


@exact
def _momentum(w: Pointer, g: Pointer, rule: Pointer, v: Pointer, n: int) -> None:
    """V ← μv + g, w ← w − ηv."""
    rate, kept = get(rule, 1), get(rule, 2)
    for i in range(n):
        new = kept * get(v, i) + get(g, i)
        put(v, i, new)
        put(w, i, get(w, i) - rate * new)


@exact
def _classical(w: Pointer, g: Pointer, rule: Pointer, v: Pointer, n: int) -> None:
    """V ← μv − ηg, w ← w + v."""
    rate, kept = get(rule, 1), get(rule, 2)
    for i in range(n):
        new = kept * get(v, i) - rate * get(g, i)
        put(v, i, new)
        put(w, i, get(w, i) + new)


@exact
def _adam(w: Pointer, g: Pointer, rule: Pointer, mean: Pointer, square: Pointer, n: int) -> None:
    """Adam. The numbers: divisor, η/(1 − β₁ᵗ), β₁, 1 − β₁, β₂, 1 − β₂, √(1 − β₂ᵗ), ε."""
    for i in range(n):
        m = get(mean, i) * get(rule, 2) + get(rule, 3) * get(g, i)
        v = get(square, i) * get(rule, 4) + get(rule, 5) * (get(g, i) * get(g, i))
        put(mean, i, m)
        put(square, i, v)
        below = np.sqrt(v) / get(rule, 6) + get(rule, 7)
        put(w, i, get(w, i) - get(rule, 1) * m / below)
