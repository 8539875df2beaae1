"""What one edge adds to z, what it hands back of δ, and the slope of an activation: the numbers on a neuron's card.

Plain scalar formulas for explaining. The engines do not use them, so a card that adds up is one more check of an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import erf, exp, fsum, isfinite, pi, sqrt, tanh

from neurograph.errors import suggest
from neurograph.ops.words import LEAK

FORMULAS = {
    "input": "given",
    "constant": "a fixed padding value",
    "weighted": "Σ w·a",
    "sum": "Σ a",
    "mean": "Σ a / n",
    "max": "the largest a of the window",
    "l2": "√Σ a²",
    "rbf": "Σ (a − w)²",
}
"""Neuron kind → how it makes z of what it reads."""

PRODUCTS = {"weighted": "w·a", "sum": "a", "mean": "a/n", "max": "a", "l2": "a²", "rbf": "(a−w)²"}
"""Neuron kind → what one edge adds, as a column heading."""


def addend(kind: str, a: float, w: float | None, divisor: float) -> float:
    """What one in-edge adds to z (for max: its candidate; for l2: the square under the root).

    Examples
    --------
    >>> addend("weighted", 3.0, 0.5, 1.0), addend("mean", 3.0, None, 4.0), addend("rbf", 3.0, 1.0, 1.0)
    (1.5, 0.75, 4.0)
    """
    if kind == "weighted" and w is not None:
        return w * a
    if kind == "rbf" and w is not None:
        return (a - w) ** 2
    if kind == "mean":
        return a / divisor
    return a * a if kind == "l2" else a


def handed_back(kind: str, delta: float, a: float, w: float | None, z: float, divisor: float, wins: bool) -> float:
    """What one out-edge hands back: δ of the target times ∂z_target/∂a; exactly 0 where that δ is 0.

    Parameters
    ----------
    kind : str
        The target's kind; `delta` and `z` are the target's too, `a` and `w` the edge's.
    wins : bool
        For max: whether this edge carries the winner.

    Examples
    --------
    >>> handed_back("weighted", 2.0, 3.0, 0.5, 1.5, 1.0, wins=False)
    1.0
    >>> handed_back("max", 2.0, 3.0, None, 3.0, 1.0, wins=True), handed_back("l2", 2.0, 3.0, None, 5.0, 1.0, wins=False)
    (2.0, 1.2)
    """
    if delta == 0:
        return 0.0
    if kind == "weighted" and w is not None:
        return delta * w
    if kind == "rbf" and w is not None:
        return delta * 2 * (a - w)
    if kind == "max":
        return delta if wins else 0.0
    if kind == "l2":
        return delta * a / z if z != 0 else 0.0
    return delta / divisor if kind == "mean" else delta


def total(numbers: Iterable[float]) -> float:
    """The sum, rounded once; exact for fractions; NaN where a number is not finite.

    Examples
    --------
    >>> total([0.1] * 10), total([Fraction(1, 3)] * 3), total([float("inf"), 1.0])
    (1.0, Fraction(1, 1), nan)
    """
    found = list(numbers)
    if any(isinstance(value, Fraction) for value in found):
        return sum(found)
    return fsum(found) if all(map(isfinite, found)) else float("nan")


def is_finite(value: float | Fraction) -> bool:
    """Whether a number is finite; fractions are, also those that no float can hold.

    Examples
    --------
    >>> is_finite(1.0), is_finite(float("nan")), is_finite(Fraction(10) ** 400)
    (True, False, True)
    """
    return isinstance(value, Fraction) or isfinite(value)


def slope(activation: str, z: float) -> float:
    """f′(z) of an elementwise activation.

    Examples
    --------
    >>> slope("relu", 0.0), slope("relu", 2.0), slope("sigmoid", 0.0), slope("leaky_relu", 0.0)
    (0.0, 1.0, 0.25, 0.01)

    Raises
    ------
    KeyError
        For softmax, which has no slope of its own, and for unknown words.
    """
    if activation not in SLOPES:
        raise KeyError(f"no slope of '{activation}'{suggest(activation, SLOPES)}")
    return SLOPES[activation](z)


def sigmoid(z: float) -> float:
    """1 / (1 + e^−z), without overflow."""
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


def _gelu(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2))) + z * exp(-z * z / 2) / sqrt(2 * pi)


def _tanh(z: float) -> float:
    return (1 - tanh(z)) * (1 + tanh(z))


SLOPES: dict[str, Callable[[float], float]] = {
    "identity": lambda z: 1.0,
    "relu": lambda z: 1.0 if z > 0 else 0.0,
    "leaky_relu": lambda z: 1.0 if z > 0 else LEAK,
    "elu": lambda z: 1.0 if z > 0 else exp(z),
    "softplus": sigmoid,
    "gelu": _gelu,
    "silu": lambda z: sigmoid(z) * (1 + z * (1 - sigmoid(z))),
    "sigmoid": lambda z: sigmoid(z) * sigmoid(-z),
    "tanh": _tanh,
    "scaled_tanh": lambda z: 1.7159 * 2 / 3 * _tanh(2 * z / 3),
}
"""Elementwise activation → its derivative."""
