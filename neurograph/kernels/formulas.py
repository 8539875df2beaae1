"""The activations and their slopes, for one number in double precision, accurate to a few units in the last place.

Compiled without any reordering: `gelu` splits numbers into halves, which reordering would undo. Codes are positions in
`neurograph.ops.words.ACTIVATIONS`.
"""

from __future__ import annotations

import math

from neurograph.kernels.jit import exact
from neurograph.ops.words import ACTIVATIONS, LEAK

IDENTITY, RELU, LEAKY_RELU, ELU, SOFTPLUS, GELU, SILU, SIGMOID, TANH, SCALED_TANH, SOFTMAX = range(len(ACTIVATIONS))

AMPLITUDE = 1.7159
SPLITTER = 134217729.0  # 2²⁷ + 1: halves a double
ROOT_HALF = math.sqrt(0.5)
ROOT_HALF_REST = -4.833646656726457e-17  # √½ − ROOT_HALF
TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
ONE_OVER_ROOT_2PI = 1 / math.sqrt(2 * math.pi)
HUGE = 1e150
"""Beyond this the Gaussian is 0 or 1 in every digit, and splitting would overflow."""


@exact
def sigmoid(z: float) -> float:
    """1 / (1 + e^−z)."""
    if z >= 0:
        return 1.0 / (1.0 + math.exp(-z))
    e = math.exp(z)
    return e / (1.0 + e)


@exact
def _upper_half(z: float) -> float:
    big = SPLITTER * z
    return big - (big - z)


@exact
def normal_below(z: float) -> float:
    """Φ(z) = ½·erfc(−z/√2), with the rounding error of z/√2 made good: erfc magnifies it by z²."""
    if not abs(z) < HUGE:
        return z if z != z else (1.0 if z > 0 else 0.0)
    x = -z * ROOT_HALF
    upper, c_upper = _upper_half(-z), _upper_half(ROOT_HALF)
    lower, c_lower = -z - upper, ROOT_HALF - c_upper
    rest = ((upper * c_upper - x) + upper * c_lower + lower * c_upper) + lower * c_lower - z * ROOT_HALF_REST
    return 0.5 * (math.erfc(x) - TWO_OVER_ROOT_PI * math.exp(-x * x) * rest)


@exact
def normal_density(z: float) -> float:
    """φ(z) = e^(−z²/2) / √(2π), with z² split so that no rounding error is exponentiated."""
    if not abs(z) < HUGE:
        return z if z != z else 0.0
    upper = _upper_half(z)
    return ONE_OVER_ROOT_2PI * math.exp(-0.5 * upper * upper) * math.exp(-0.5 * (z - upper) * (z + upper))


@exact
def value(code: int, z: float) -> float:
    """f(z); NaN stays NaN."""
    if code == RELU:
        return 0.0 if z <= 0 else z
    if code == LEAKY_RELU:
        return z if z > 0 else LEAK * z
    if code == ELU:
        return z if z > 0 else math.expm1(z)
    if code == SOFTPLUS:
        return math.log1p(math.exp(z)) if z <= 0 else z + math.log1p(math.exp(-z))
    if code == GELU:
        return z * normal_below(z)
    if code == SILU:
        return z * sigmoid(z)
    if code == SIGMOID:
        return sigmoid(z)
    if code == TANH:
        return math.tanh(z)
    if code == SCALED_TANH:
        return AMPLITUDE * math.tanh(2.0 * z / 3.0)
    return z


@exact
def slope(code: int, z: float, a: float) -> float:
    """f′(z), from z and a = f(z)."""
    if code == RELU:
        return 1.0 if z > 0 else 0.0
    if code == LEAKY_RELU:
        return 1.0 if z > 0 else LEAK
    if code == ELU:
        return 1.0 if z > 0 else math.exp(z)
    if code == SOFTPLUS:
        return sigmoid(z)
    if code == GELU:
        return normal_below(z) + z * normal_density(z)
    if code == SILU:
        return sigmoid(z) + z * sigmoid(z) * sigmoid(-z)
    if code == SIGMOID:
        return a * (1.0 - a)
    if code == TANH:
        return (1.0 - a) * (1.0 + a)
    if code == SCALED_TANH:
        return 2.0 / 3.0 / AMPLITUDE * (AMPLITUDE - a) * (AMPLITUDE + a)
    return 1.0
