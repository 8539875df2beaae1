"""Updates of flat weights by flat gradients, bit for bit what `neurograph.training.optimizers` does array by array.

Compiled without reordering or fusing, since NumPy does neither. The gradient arrives in parts, one a slot; they are added in order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurograph.kernels.jit import exact, stored

Array = Any

FIRST, END = range(2)
"""Columns of `ranges`: which weights may change."""


@exact
def _gradient(slots: Array, n_slots: int, i: int, share: Any) -> Any:
    g = slots[0, i]
    for slot in range(1, n_slots):
        g += slots[slot, i]
    return g / share


@stored
def sgd(w: Array, slots: Array, n_slots: int, ranges: Array, share: Any, rate: Any) -> None:
    """W ← w − η·g."""
    for line in range(len(ranges)):
        for i in range(ranges[line, FIRST], ranges[line, END]):
            w[i] -= rate * _gradient(slots, n_slots, i, share)


@stored
def momentum(
    w: Array, slots: Array, n_slots: int, ranges: Array, share: Any, rate: Any, kept: Any, classical: bool, v: Array
) -> None:
    """V ← μv + g, w ← w − ηv; classical: v ← μv − ηg, w ← w + v."""
    for line in range(len(ranges)):
        for i in range(ranges[line, FIRST], ranges[line, END]):
            g = _gradient(slots, n_slots, i, share)
            if classical:
                v[i] = kept * v[i] - rate * g
                w[i] += v[i]
            else:
                v[i] = kept * v[i] + g
                w[i] -= rate * v[i]


@stored
def adam(
    w: Array, slots: Array, n_slots: int, ranges: Array, share: Any, numbers: Array, mean: Array, square: Array
) -> None:
    """Adam. `numbers`: η/(1 − β₁ᵗ), β₁, 1 − β₁, β₂, 1 − β₂, √(1 − β₂ᵗ), ε, in the precision of the weights."""
    for line in range(len(ranges)):
        for i in range(ranges[line, FIRST], ranges[line, END]):
            g = _gradient(slots, n_slots, i, share)
            mean[i] = mean[i] * numbers[1] + numbers[2] * g
            square[i] = square[i] * numbers[3] + numbers[4] * (g * g)
            below = np.sqrt(square[i]) / numbers[5] + numbers[6]
            w[i] -= numbers[0] * mean[i] / below
