"""Formulas marked `exact` are never reordered, whoever compiles them first: Numba hands a caller's flags down to its callees."""

from __future__ import annotations

import numba

from neurograph.kernels.jit import FLAGS, exact, inner


@exact
def lost_in_a_sum(a: float, b: float) -> float:
    """What rounding a + b loses; algebra without rounding makes it 0."""
    s = a + b
    return (a - (s - (s - a))) + (b - (s - a))


@inner
def called_from_a_fast_kernel(a: float, b: float) -> float:
    return lost_in_a_sum(a, b)


@numba.njit(fastmath=set(FLAGS))  # type: ignore[untyped-decorator]
def called_from_python(a: float, b: float) -> tuple[float, float]:
    return called_from_a_fast_kernel(a, b), lost_in_a_sum(a, b)


def test_exact_formulas_stay_exact_inside_fast_kernels() -> None:
    assert called_from_python(1.0, 1e-20) == (1e-20, 1e-20)
