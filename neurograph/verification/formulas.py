"""Activations and their slopes once more, in extended precision and with error bounds: the yardstick for floats.

Written apart from both engines, so that a formula wrong in one of them is seen. `Wide` has 64 bits of mantissa where the machine
has such a type; elsewhere the yardstick is float64 like the rest, and the bounds' slack covers it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurograph.ops.words import LEAK

Wide = np.longdouble
Array = NDArray[Any]

A = Wide("1.7159")
S = Wide(2) / Wide(3)
ROOT_HALF = np.sqrt(Wide(2)) / 2
PI = Wide("3.14159265358979323846264338327950288")


class Slope(NamedTuple):
    """f′(z), and how far an engine's may be from it, in units of the rounding error u."""

    value: Array
    spread: Array


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^−z)."""
    small = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1 / (1 + small), small / (1 + small)))


def below(z: Array) -> Array:
    """Φ(z) = ½·erfc(−z/√2), corrected to first order for the rounding of the argument."""
    x = -z * ROOT_HALF
    rounded = np.asarray(x, dtype=np.float64)
    rest = x - rounded
    raw = np.array([math.erfc(value) for value in rounded.reshape(-1).tolist()], dtype=Wide).reshape(z.shape)
    return np.asarray((raw - 2 / np.sqrt(PI) * np.exp(-(x**2)) * rest) / 2)


def density(z: Array) -> Array:
    """φ(z)."""
    return np.asarray(np.exp(-z * z / 2) / np.sqrt(2 * PI))


VALUES: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "relu": lambda z: np.where(z > 0, z, Wide(0)),
    "leaky_relu": lambda z: np.where(z > 0, z, Wide(LEAK) * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "softplus": lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))),
    "gelu": lambda z: z * below(z),
    "silu": lambda z: z * sigmoid(z),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "scaled_tanh": lambda z: A * np.tanh(S * z),
}


def value(activation: str, z: Array) -> Array:
    """f(z); z is wide."""
    return VALUES[activation](z)


def value_bound(activation: str, z: Array, expected: Array, dtype: Any) -> Array:
    """4 ulp of f(z); for gelu also what rounding z/√2 does to its left tail, where erfc is steep."""
    ulp = np.spacing(np.abs(expected).astype(dtype)).astype(Wide)
    bound = 4 * ulp + underflow(dtype)
    if activation in ("identity", "relu"):
        return np.zeros_like(bound)
    if activation == "gelu":
        bound = bound + 2 * rounding(dtype) * np.abs(z * z * density(z)) * np.abs(z)
    return np.asarray(bound)


def slope(activation: str, z: Array, a: Array, dtype: Any) -> Slope:
    """f′ from an engine's own z and a.

    Where f′ may be had from a or from z (σ, tanh), the difference between the two, which comes from the rounding of a, counts as
    permitted.
    """
    u = rounding(dtype)
    one = np.ones_like(z)
    match activation:
        case "identity":
            return Slope(one, 0 * one)
        case "relu":
            return Slope(np.where(z > 0, one, 0 * one), 0 * one)
        case "leaky_relu":
            return Slope(np.where(z > 0, one, Wide(LEAK) * one), np.where(z > 0, 0 * one, Wide(LEAK) * one))
        case "elu":
            falling = np.exp(np.minimum(z, 0))
            return Slope(np.where(z > 0, one, falling), np.where(z > 0, 0 * one, 8 * falling))
        case "softplus":
            return Slope(sigmoid(z), 8 * sigmoid(z))
        case "silu":
            p, q = sigmoid(z), sigmoid(-z)
            return Slope(p + z * p * q, 8 * (p + np.abs(z * p * q)))
        case "gelu":
            p, q = below(z), z * density(z)
            steep = np.abs(z * density(z)) * (1 + z * z)
            return Slope(p + q, 8 * (np.abs(p) + np.abs(q)) + 2 * steep)
        case "sigmoid":
            return _either(a * (1 - a), sigmoid(z) * sigmoid(-z), u)
        case "tanh":
            return _either((1 - a) * (1 + a), 1 / np.cosh(np.clip(z, -5000, 5000)) ** 2, u)
        case "scaled_tanh":
            return _either(S / A * (A - a) * (A + a), A * S / np.cosh(np.clip(S * z, -5000, 5000)) ** 2, u, rough=A)
    raise KeyError(activation)


def _either(from_a: Array, from_z: Array, u: Array, rough: Any = 0) -> Slope:
    return Slope(from_a, 8 * np.abs(from_a) + 4 * rough + np.abs(from_a - from_z) / u)


def rounding(dtype: Any) -> Any:
    """u: the largest relative error of one rounding, 2⁻²⁴ or 2⁻⁵³."""
    return Wide(np.finfo(dtype).eps) / 2


def underflow(dtype: Any) -> Any:
    """What an engine may take for 0: e^−2000 is a number to the yardstick, and none to float64."""
    return Wide(np.finfo(dtype).smallest_normal)


def softmax(z: Array) -> Array:
    """Softmax over axis 0."""
    powers = np.exp(z - z.max(axis=0))
    return np.asarray(powers / powers.sum(axis=0))


def softmax_bound(z: Array, p: Array, dtype: Any) -> Array:
    """(8 + |z − max z|)·u·p."""
    bound = (8 + np.abs(z - z.max(axis=0))) * rounding(dtype) * p
    return np.asarray(bound + underflow(dtype))
