"""eˣ and its relatives, written once: for LLVM's vectors and, in runs without the JIT, for NumPy's arrays.

x is a number that knows ``+ - * /`` and ``< >``; `m`, a `Machine`, does what these cannot say. Every formula works in the
precision of its argument, and is within 2 units in the last place of the truth (`logistic`: 2.5), as `tests/test_exponentials.py`
measures. NaN stays NaN, and infinities give limits.

eˣ = 2ⁿ·eʳ with n the integer nearest to x/ln 2 and |r| ≤ ln 2 / 2; eʳ − 1 = r + r²·q(r), q a polynomial near the best there is.

References
----------
Cody & Waite, Software Manual for the Elementary Functions (1980); Muller, Elementary Functions (2016), chapters 5 and 11.
"""

from __future__ import annotations

from typing import Any, Protocol

Number = Any
LOG2_E = 1.4426950408889634

LN2_HIGH = 0.693359375
"""Few bits, so that n·LN2_HIGH is exact in either precision."""
LN2_LOW = -2.1219444005469058277e-4

# Coefficients from the lowest on: interpolation at Chebyshev's points in 40 digits, within a few hundredths of a unit in the last place.
# fmt: off
Q_SINGLE = (
    0.500000001374619679, 0.166666666819346215, 0.0416664621336151984, 0.00833331061545884096, 0.00139339587984820362,
    0.000198913337503093151,
)
Q_DOUBLE = (
    0.5, 0.166666666666666711, 0.0416666666666666699, 0.00833333333332593465, 0.00138888888888836051,
    0.000198412698755191006, 0.0000248015873260465295, 2.75572545172911356e-6, 2.75572730126134419e-7, 2.51055832110099912e-8,
    2.09149484783345549e-9,
)
"""(eʳ − 1 − r)/r² for |r| < 0.348."""

ATANH_SINGLE = (
    0.333333336602637062, 0.199998531659648587, 0.142961789971514189, 0.108532879004401863, 0.116121646120116744,
)
ATANH_DOUBLE = (
    0.333333333333333334, 0.199999999999997613, 0.142857142858000496, 0.111111110991183853, 0.0909090994898135719,
    0.0769227198243027464, 0.0666758931572462792, 0.0586713953065159873, 0.0542258919744000741, 0.0374607189777538365,
    0.0781528890046142522,
)
"""(atanh s / s − 1)/s² as a polynomial in s² ≤ 1/9."""

TANH_SINGLE = (
    -0.333333309319717947, 0.133330622913215928, -0.0539179395689676703, 0.0215210933305386744, -0.00773394150630156197,
    0.00176251730258265388,
)
TANH_DOUBLE = (
    -0.333333333333333283, 0.133333333333306619, -0.0539682539659081381, 0.0218694884549638147, -0.00886323406457528748,
    0.00359211222797636582, -0.0014557242757388241, 0.000589509312897499352, -0.000237439894570732909, 0.0000930593868084505287,
    -0.0000331268307557725285, 9.1438367252627356e-6, -1.37943114147693837e-6,
)
"""(tanh z / z − 1)/z² as a polynomial in z² ≤ 0.8²."""
# fmt: on


class Machine(Protocol):
    """What formulas need besides arithmetic."""

    is_double: bool
    """Which precision the numbers have."""

    def where(self, condition: Number, yes: Number, no: Number) -> Number:
        """`yes` where the condition holds, `no` elsewhere; either may be a Python number."""

    def size(self, x: Number) -> Number:
        """|x|."""

    def with_sign(self, x: Number, sign: Number) -> Number:
        """|x| with the sign of another number (of its zeros, too)."""

    def nearest(self, x: Number) -> tuple[Number, Any]:
        """The integer nearest to x: as a number, and as an exponent for the two below."""

    def power(self, exponent: Any) -> Number:
        """2ⁿ, where it is a normal number."""

    def scaled(self, x: Number, exponent: Any) -> Number:
        """x·2ⁿ for any n that `exp` meets; rounded once where it is subnormal."""


def polynomial(x: Number, coefficients: tuple[float, ...]) -> Number:
    """c₀ + c₁x + c₂x² + …, by Horner's rule."""
    found: Number = coefficients[-1]
    for c in coefficients[-2::-1]:
        found = found * x + c
    return found


def _reduced(m: Machine, x: Number) -> tuple[Number, Any]:
    """Of x = n·ln 2 + r: eʳ − 1, and n."""
    n, exponent = m.nearest(x * LOG2_E)
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    return r + r * r * polynomial(r, Q_DOUBLE if m.is_double else Q_SINGLE), exponent


def exp(m: Machine, x: Number) -> Number:
    """eˣ."""
    low, high = (-746.0, 710.0) if m.is_double else (-104.0, 89.0)
    x = m.where(x < low, low, m.where(x > high, high, x))
    rest, exponent = _reduced(m, x)
    return m.scaled(rest + 1.0, exponent)


def expm1(m: Machine, x: Number) -> Number:
    """eˣ − 1, for x ≤ 0."""
    rest, exponent = _reduced(m, m.where(x < -60.0, -60.0, x))
    power = m.power(exponent)
    return rest * power + (power - 1.0)


def log1p(m: Machine, t: Number) -> Number:
    """Log(1 + t), for 0 ≤ t ≤ 1: 2·atanh s with s = t/(2 + t)."""
    twice = t / (0.5 * t + 1.0)
    square = twice * twice * 0.25
    return twice + twice * (square * polynomial(square, ATANH_DOUBLE if m.is_double else ATANH_SINGLE))


def tanh(m: Machine, z: Number) -> Number:
    """Near 0 z + z³·p(z²), p a polynomial; from there on 1 − 2t/(1 + t) with t = e^−2|z|, and the sign of z."""
    size = m.size(z)
    square, t = z * z, exp(m, -2.0 * size)
    near = size + size * (square * polynomial(square, TANH_DOUBLE if m.is_double else TANH_SINGLE))
    return m.with_sign(m.where(size < 0.8, near, 1.0 - 2.0 * t / (t + 1.0)), z)


def logistic(m: Machine, z: Number) -> Number:
    """1 / (1 + e^−z)."""
    t = exp(m, -m.size(z))
    return m.where(z < 0, t, 1.0) / (t + 1.0)
