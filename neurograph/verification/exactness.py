"""Whether every sum of a pass is exact in any order: Σ|terms| over the finest power of two among them stays below the mantissa.

A draw that fails here is rejected, not compared: its engines may rightly differ in the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.trace import Trace
from neurograph.verification.heads import Owed
from neurograph.verification.local import KIND, by_group
from neurograph.verification.passed import Passed
from neurograph.verification.wires import NONE, Index, Numbers, Wires, traits

Array = NDArray[Any]


def grain(x: Array) -> Array:
    """The power of two that divides each number: the value of its lowest set bit; infinite for 0.

    Examples
    --------
    >>> grain(np.array([6.0, 0.75, -8.0, 0.0])).tolist()
    [2.0, 0.25, 8.0, inf]
    """
    mantissa, exponent = np.frexp(np.asarray(x, dtype=np.float64))
    digits = np.ldexp(mantissa, 53).astype(np.int64)
    lowest = np.ldexp((digits & -digits).astype(np.float64), exponent - 53)
    return np.where(digits == 0, np.inf, lowest)


class Sum:
    """Terms of many sums, kept as absolute size and grain, so that products need not be representable."""

    def __init__(self, *factors: Array) -> None:
        shape = np.broadcast_shapes(*(f.shape for f in factors))
        self.size, self.grain = np.ones(shape), np.ones(shape)
        for factor in (np.asarray(given, dtype=np.float64) for given in factors):
            self.size = self.size * np.abs(factor)
            self.grain = self.grain * grain(factor)

    def per_group(self, group: Index, n: int) -> tuple[Array, Array]:
        """Σ sizes and the finest grain by group."""
        finest = by_group(np.minimum, self.grain, group, n)
        missing = np.bincount(group, minlength=n) == 0
        finest[missing] = np.inf
        return by_group(np.add, self.size, group, n), finest


def is_exact(
    numbers: Numbers,
    passed: Passed,
    trace: Trace,
    wires: Wires,
    owed: list[Owed],
    after: Mapping[str, Array],
    limit: float,
) -> bool:
    """Whether forward, backward, gradients and one update of this pass have only exact sums below `limit` (2⁵³ or 2²⁴).

    Parameters
    ----------
    after : mapping of str to ndarray
        Learning rate times gradient, by parameter: what the update subtracts.
    """
    return (
        _forward(numbers, passed, wires, limit)
        and _backward(numbers, passed, wires, owed, limit)
        and _gradients(numbers, passed, wires, limit)
        and _update(trace, after, limit)
    )


def _fits(size: Array, finest: Array, limit: float) -> bool:
    with np.errstate(invalid="ignore"):
        return bool(np.all(np.where(size == 0, 0, size / finest) < limit))


def _forward(numbers: Numbers, passed: Passed, wires: Wires, limit: float) -> bool:
    n = len(passed.a)
    kind = traits(numbers, wires.target).kind[:, None]
    weighted, rbf = kind == KIND["weighted"], kind == KIND["rbf"]
    arrived, w = np.asarray(passed.arrived(wires), np.float64), np.asarray(passed.weight(wires), np.float64)
    first = np.where(rbf, np.abs(arrived) + np.abs(w), arrived)
    fine = np.where(rbf, np.minimum(grain(arrived), grain(np.broadcast_to(w, arrived.shape))), grain(arrived))
    terms = Sum(first, np.where(weighted, w, np.where(rbf, first, 1.0)))
    terms.grain = fine * np.where(weighted, grain(w), np.where(rbf, fine, 1.0))
    size, finest = terms.per_group(wires.target, n)
    of = traits(numbers, np.arange(n))
    bias = np.where(of.bias != NONE, passed.w[of.bias], 0).astype(np.float64)[:, None]
    return _fits(size + np.abs(bias), np.minimum(finest, grain(bias)), limit)


def _backward(numbers: Numbers, passed: Passed, wires: Wires, owed: list[Owed], limit: float) -> bool:
    n = len(passed.a)
    delta = np.asarray(passed.delta[wires.target], np.float64)
    of = traits(numbers, wires.target)
    kind = of.kind[:, None]
    w, factor = np.asarray(passed.weight(wires), np.float64), np.asarray(passed.factor(wires), np.float64)
    spread = 2 * (np.abs(np.asarray(passed.arrived(wires), np.float64)) + np.abs(w))
    fine = np.minimum(grain(np.asarray(passed.arrived(wires), np.float64)), grain(np.broadcast_to(w, spread.shape)))
    share = np.where(np.isnan(of.divisor), 1.0, of.divisor)[:, None]
    slope = np.where(kind == KIND["weighted"], w, np.where(kind == KIND["rbf"], spread, 1 / share))
    terms = Sum(delta, slope, factor)
    terms.grain = np.where(kind == KIND["rbf"], grain(delta) * 2 * fine * grain(factor), terms.grain)
    size, finest = terms.per_group(wires.source, n)
    for head in owed:
        a = np.asarray(passed.a[head.which], np.float64)
        owes = np.asarray(head.delta, np.float64)
        if not _fits(np.abs(a) + np.abs(owes), np.minimum(grain(a), grain(owes)), limit / 8):
            return False
    return _fits(size, finest, limit)


def _gradients(numbers: Numbers, passed: Passed, wires: Wires, limit: float) -> bool:
    carrying = wires.where(wires.weight != NONE)
    delta = np.asarray(passed.delta[carrying.target], np.float64)
    arrived, w = np.asarray(passed.arrived(carrying), np.float64), np.asarray(passed.weight(carrying), np.float64)
    rbf = traits(numbers, carrying.target).kind[:, None] == KIND["rbf"]
    terms = Sum(delta, np.where(rbf, 2 * (np.abs(arrived) + np.abs(w)), arrived))
    fine = np.minimum(grain(arrived), grain(np.broadcast_to(w, arrived.shape)))
    terms.grain = np.where(rbf, grain(delta) * 2 * fine, terms.grain)
    size, finest = terms.per_group(carrying.weight, len(passed.w))
    of = traits(numbers, np.arange(len(passed.delta)))
    biased = np.flatnonzero(of.bias != NONE)
    biases = Sum(np.asarray(passed.delta[biased], np.float64))
    more, finer = biases.per_group(of.bias[biased], len(passed.w))
    return _fits((size + more).sum(axis=1), np.minimum(finest, finer).min(axis=1), limit)


def _update(trace: Trace, after: Mapping[str, Array], limit: float) -> bool:
    for name, change in after.items():
        w = trace.weights[name]
        if not _fits(np.abs(w) + np.abs(change), np.minimum(grain(w), grain(change)), limit):
            return False
    return True
