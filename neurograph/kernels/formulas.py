"""The activations and their slopes, accurate to a few units in the last place: on vectors, in the program's precision.

`gelu` alone is computed number by number, in double precision and without any reordering: it splits numbers into halves, which
reordering would undo. Codes are positions in `neurograph.ops.words.ACTIVATIONS`.
"""

from __future__ import annotations

import math

from neurograph.kernels.exponentials import Machine, Number, exp, expm1, log1p, logistic, tanh
from neurograph.kernels.jit import exact
from neurograph.kernels.machines import one_of
from neurograph.ops.words import ACTIVATIONS, LEAK

IDENTITY, RELU, LEAKY_RELU, ELU, SOFTPLUS, GELU, SILU, SIGMOID, TANH, SCALED_TANH, SOFTMAX = range(len(ACTIVATIONS))

AMPLITUDE = 1.7159


# -- on vectors: from z and a = f(z); values are asked with z twice -----------------------------------------------------
def _relu(m: Machine, z: Number, a: Number) -> Number:
    return m.where(z < 0, 0.0, z)


def _relu_slope(m: Machine, z: Number, a: Number) -> Number:
    return m.where(z > 0, 1.0, 0.0)


def _leaky_relu(m: Machine, z: Number, a: Number) -> Number:
    return m.where(z > 0, z, z * LEAK)


def _leaky_relu_slope(m: Machine, z: Number, a: Number) -> Number:
    return m.where(z > 0, 1.0, LEAK)


def _elu(m: Machine, z: Number, a: Number) -> Number:
    return m.where(z > 0, z, expm1(m, m.where(z > 0, 0.0, z)))


def _elu_slope(m: Machine, z: Number, a: Number) -> Number:
    return exp(m, m.where(z > 0, 0.0, z))


def _softplus(m: Machine, z: Number, a: Number) -> Number:
    """The larger of z and 0, + log(1 + e^−|z|)."""
    return m.where(z < 0, 0.0, z) + log1p(m, exp(m, -m.size(z)))


def _softplus_slope(m: Machine, z: Number, a: Number) -> Number:
    return logistic(m, z)


def _silu(m: Machine, z: Number, a: Number) -> Number:
    return z * logistic(m, z)


def _silu_slope(m: Machine, z: Number, a: Number) -> Number:
    """σ(z) + z·σ(z)·σ(−z)."""
    t = exp(m, -m.size(z))
    p, q = m.where(z < 0, t, 1.0) / (t + 1.0), m.where(z < 0, 1.0, t) / (t + 1.0)
    return p + z * p * q


def _sigmoid(m: Machine, z: Number, a: Number) -> Number:
    return logistic(m, z)


def _sigmoid_slope(m: Machine, z: Number, a: Number) -> Number:
    return a * (1.0 - a)


def _tanh(m: Machine, z: Number, a: Number) -> Number:
    return tanh(m, z)


def _tanh_slope(m: Machine, z: Number, a: Number) -> Number:
    """(1 − a)(1 + a), which does not cancel."""
    return (1.0 - a) * (a + 1.0)


def _scaled_tanh(m: Machine, z: Number, a: Number) -> Number:
    return AMPLITUDE * tanh(m, 2.0 * z / 3.0)


def _scaled_tanh_slope(m: Machine, z: Number, a: Number) -> Number:
    return (2.0 / 3.0 / AMPLITUDE) * (AMPLITUDE - a) * (a + AMPLITUDE)


def _identity(m: Machine, z: Number, a: Number) -> Number:
    return z


def _one(m: Machine, z: Number, a: Number) -> Number:
    return m.where(z > 0, 1.0, 1.0)


VALUES = {
    RELU: _relu,
    LEAKY_RELU: _leaky_relu,
    ELU: _elu,
    SOFTPLUS: _softplus,
    SILU: _silu,
    SIGMOID: _sigmoid,
    TANH: _tanh,
    SCALED_TANH: _scaled_tanh,
}
SLOPES = {
    RELU: _relu_slope,
    LEAKY_RELU: _leaky_relu_slope,
    ELU: _elu_slope,
    SOFTPLUS: _softplus_slope,
    SILU: _silu_slope,
    SIGMOID: _sigmoid_slope,
    TANH: _tanh_slope,
    SCALED_TANH: _scaled_tanh_slope,
}

value = one_of(VALUES, _identity)
"""``value(code, z, z)`` is f(z), but for gelu. NaN stays NaN."""

slope = one_of(SLOPES, _one)
"""``slope(code, z, a)`` is f′(z), but for gelu."""


# -- number by number ---------------------------------------------------------------------------------------------------
SPLITTER = 134217729.0  # 2²⁷ + 1: halves a double
ROOT_HALF = math.sqrt(0.5)
ROOT_HALF_REST = -4.833646656726457e-17  # √½ − ROOT_HALF
TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
ONE_OVER_ROOT_2PI = 1 / math.sqrt(2 * math.pi)
HUGE = 1e150
"""Beyond this the Gaussian is 0 or 1 in every digit, and splitting would overflow."""


def sigmoid(z: float) -> float:
    """1 / (1 + e^−z), of one number."""
    if z >= 0:
        return 1.0 / (1.0 + math.exp(-z))
    e = math.exp(z)
    return e / (1.0 + e)


exact_sigmoid = exact(sigmoid)
"""The same, for kernels."""


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
def gelu(z: float) -> float:
    """z·Φ(z)."""
    return z * normal_below(z)


@exact
def gelu_slope(z: float) -> float:
    """Φ(z) + z·φ(z)."""
    return normal_below(z) + z * normal_density(z)
