"""The neuron kinds' formulas: z from inputs and weights, and its derivatives along every in-edge. Nothing else.

One contract for every kind. `a` are the numbers that arrive along the in-edges, in fan-in order, `w` the weights on those edges
(empty where the kind has none), `b` the bias (0 without one), `z` what the kind made of them. Activations are in
`activations.py`; who adds up what, and in which order, is in `passes.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from operator import mul
from typing import Protocol

Numbers = Sequence[float]


class Rule(Protocol):
    """What a neuron kind computes."""

    def z(self, a: Numbers, w: Numbers, b: float) -> float:
        """The pre-activation."""

    def dz_da(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        """∂z/∂a_j, one an in-edge."""

    def dz_dw(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        """∂z/∂w_j, one an in-edge; empty where the kind has no weights."""


class Weighted:
    """z = Σ w_j·a_j + b."""

    def z(self, a: Numbers, w: Numbers, b: float) -> float:
        return float(sum(map(mul, w, a)) + b)

    def dz_da(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        return w

    def dz_dw(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        return a


class Unweighted:
    """What the kinds without weights have in common."""

    def dz_dw(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        return ()


class Sum(Unweighted):
    """z = Σ a_j."""

    def z(self, a: Numbers, w: Numbers, b: float) -> float:
        return float(sum(a))

    def dz_da(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        return [1.0] * len(a)


class Max(Unweighted):
    """z = max a_j; the winner, the first of equals, passes δ on alone."""

    def z(self, a: Numbers, w: Numbers, b: float) -> float:
        return a[winner(a)]

    def dz_da(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        slopes = [0.0] * len(a)
        slopes[winner(a)] = 1.0
        return slopes


class Mean(Unweighted):
    """z = Σ a_j / divisor: K² in networks from specs, the number of in-edges in hand-made ones."""

    def __init__(self, divisor: float) -> None:
        self.divisor = divisor

    def z(self, a: Numbers, w: Numbers, b: float) -> float:
        return sum(a) / self.divisor

    def dz_da(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        return [1.0 / self.divisor] * len(a)


class L2(Unweighted):
    """z = √Σ a_j²; where z is 0 it has no slope, and passes on 0."""

    def z(self, a: Numbers, w: Numbers, b: float) -> float:
        return sqrt(sum(map(mul, a, a)))

    def dz_da(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        return [0.0] * len(a) if z == 0 else [a_j / z for a_j in a]


class Rbf:
    """z = Σ (a_j − w_j)²: the squared distance between what arrives and what the weights expect."""

    def z(self, a: Numbers, w: Numbers, b: float) -> float:
        return float(sum((a_j - w_j) * (a_j - w_j) for a_j, w_j in zip(a, w, strict=True)))

    def dz_da(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        return [2 * (a_j - w_j) for a_j, w_j in zip(a, w, strict=True)]

    def dz_dw(self, a: Numbers, w: Numbers, z: float) -> Numbers:
        return [2 * (w_j - a_j) for a_j, w_j in zip(a, w, strict=True)]


def winner(a: Numbers) -> int:
    """Which in-edge a maximum comes from: the first NaN if there is one, else the first of the largest.

    Examples
    --------
    >>> winner([1.0, 3.0, 3.0]), winner([1.0, float("nan"), 3.0])
    (1, 1)
    """
    best = 0
    for j, a_j in enumerate(a):
        if a_j != a_j:
            return j
        if a_j > a[best]:
            best = j
    return best


def rule_of(kind: str, n_inputs: int, divisor: float | None = None) -> Rule:
    """The rule of one neuron.

    Parameters
    ----------
    kind : str
        One of `neurograph.ops.words.NEURON_KINDS` that computes; inputs and constants have their value from outside.
    n_inputs : int
        Number of in-edges.
    divisor : float, optional
        For mean; None: the number of in-edges.
    """
    return Mean(n_inputs if divisor is None else divisor) if kind == "mean" else RULES[kind]


RULES: dict[str, Rule] = {"weighted": Weighted(), "sum": Sum(), "max": Max(), "l2": L2(), "rbf": Rbf()}
"""The kinds whose rule needs to know nothing of its neuron; `rule_of` adds mean, which needs a divisor."""
