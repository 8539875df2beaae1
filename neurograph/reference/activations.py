"""The activations a = f(z), and their slopes f′(z), written so that nothing cancels.

A slope may use z and a: σ′ = a(1−a) and tanh′ = (1−a)(1+a) are the textbook's and lose nothing, given a. Softmax is not here:
it looks at all outputs of its head at once (`losses.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from math import erfc, exp, expm1, log1p, pi, sqrt, tanh
from typing import NamedTuple

from neurograph.ops.words import LEAK

AMPLITUDE, STEEPNESS = 1.7159, 2 / 3
"""LeCun's squashing function: 1.7159·tanh(2z/3)."""


class Activation(NamedTuple):
    """A function and its slope."""

    value: Callable[[float], float]
    """f(z); NaN where z is NaN."""

    slope: Callable[[float, float], float]
    """f′(z), from z and a."""


def sigmoid(z: float) -> float:
    """1 / (1 + e^−z), without overflow on either side.

    Examples
    --------
    >>> sigmoid(0.0), sigmoid(-1000.0), sigmoid(1000.0)
    (0.5, 0.0, 1.0)
    """
    if z >= 0:
        return 1 / (1 + exp(-z))
    return exp(z) / (1 + exp(z))


def softplus(z: float) -> float:
    """log(1 + e^z).

    Examples
    --------
    >>> softplus(-1000.0), softplus(1000.0)
    (0.0, 1000.0)
    """
    return max(z, 0.0) + log1p(exp(-abs(z)))


def relu(z: float) -> float:
    """The larger of z and 0; written so that NaN stays NaN."""
    return 0.0 if z <= 0 else z


def leaky_relu(z: float) -> float:
    """The number itself right of 0, and 0.01 of it left of 0."""
    return z if z > 0 else LEAK * z


def elu(z: float) -> float:
    """The number itself right of 0, and e^z − 1 left of 0."""
    return z if z > 0 else expm1(z)


def normal_below(z: float) -> float:
    """Φ(z), the share of a standard normal below z; erfc keeps the left tail exact."""
    return 0.5 * erfc(-z / sqrt(2))


def normal_density(z: float) -> float:
    """φ(z), the density of a standard normal."""
    return exp(-0.5 * z * z) / sqrt(2 * pi)


def silu_slope(z: float, a: float) -> float:
    """σ + z·σ·(1−σ), with 1−σ(z) taken as σ(−z)."""
    return sigmoid(z) + z * sigmoid(z) * sigmoid(-z)


def scaled_tanh_slope(z: float, a: float) -> float:
    """A·S·(1−t)(1+t) with t = a/A."""
    return STEEPNESS / AMPLITUDE * (AMPLITUDE - a) * (AMPLITUDE + a)


FUNCTIONS: dict[str, Activation] = {
    "identity": Activation(lambda z: z, lambda z, a: 1.0),
    "relu": Activation(relu, lambda z, a: 1.0 if z > 0 else 0.0),
    "leaky_relu": Activation(leaky_relu, lambda z, a: 1.0 if z > 0 else LEAK),
    "elu": Activation(elu, lambda z, a: 1.0 if z > 0 else exp(z)),
    "softplus": Activation(softplus, lambda z, a: sigmoid(z)),
    "gelu": Activation(lambda z: z * normal_below(z), lambda z, a: normal_below(z) + z * normal_density(z)),
    "silu": Activation(lambda z: z * sigmoid(z), silu_slope),
    "sigmoid": Activation(sigmoid, lambda z, a: a * (1 - a)),
    "tanh": Activation(tanh, lambda z, a: (1 - a) * (1 + a)),
    "scaled_tanh": Activation(lambda z: AMPLITUDE * tanh(2 * z / 3), scaled_tanh_slope),
}
"""Every activation that a neuron can compute alone."""
