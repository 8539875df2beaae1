"""Vectors mean the same in LLVM and in NumPy, formulas are accurate to a few units in the last place, kernels check their twins."""

from __future__ import annotations

import ctypes
from typing import Any

import numba
import numpy as np
import pytest

from neurograph.kernels import code as c
from neurograph.kernels import formulas, simd
from neurograph.kernels.jit import COMPILED, by_address
from neurograph.verification import formulas as wide

WIDTH_OF_TEST = 16
N_OPERANDS, N_RESULTS = 4, 16
SPECIALS = [0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 3.5, -2.25, 1e30, -1e-30, 7.0, 0.5, -0.5, 2.0, -8.0]


def every_operation(context: Any, row: Any) -> None:
    """Each operation on the operands a, b, v, n that stand at the start of the memory; results behind them."""
    like, mem = simd.zero(context), simd.values(context, c.MEMORY)
    n = simd.width(like)
    a, b = simd.load(mem, 0, like), simd.load(mem, n, like)
    v, w = simd.load(mem, 2 * n, like), simd.load(mem, 3 * n, like)
    simd.store(mem, 4 * n, simd.add(a, b))
    simd.store(mem, 5 * n, simd.subtract(a, b))
    simd.store(mem, 6 * n, simd.divide(a, b))
    simd.store(mem, 7 * n, simd.fma(a, b, v))
    simd.store(mem, 8 * n, simd.fma_where(a, b, v))
    simd.store(mem, 9 * n, simd.relu(a))
    simd.store(mem, 10 * n, simd.root(a))
    simd.store(mem, 11 * n, simd.first_max(a, b))
    simd.store(mem, 12 * n, simd.first_max_at(a, b, v, w))
    simd.store(mem, 13 * n, simd.keep_where_equal(a, b, v))
    simd.store(mem, 14 * n, simd.keep_where_positive(a, v))
    simd.store(mem, 15 * n, simd.splat(mem, 2 * n + 3, like))
    simd.put(mem, 16 * n, simd.total(v))
    simd.put(mem, 16 * n + 1, 1.0 if simd.any_nonzero(a) else 0.0)
    simd.put(mem, 16 * n + 2, 1.0 if simd.any_nonzero(like) else 0.0)


def run(kernel: Any, memory: np.ndarray, width: int) -> None:
    """Call a kernel of this test on a memory."""
    found = by_address(kernel, simd.context_type(str(memory.dtype), width), instruction=True)
    context: Any = np.zeros(c.N_CONTEXT, np.int64) if COMPILED else [0] * c.N_CONTEXT
    context[c.MEMORY], context[c.WIDTH] = (memory.ctypes.data if COMPILED else memory), width
    if COMPILED:
        row = np.zeros(c.FIELDS, np.int64)
        ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(found)(context.ctypes.data, row.ctypes.data)
    else:
        with np.errstate(all="ignore"):
            found(context, np.zeros(c.FIELDS, np.int64))


def takes_over(m: float, x: float) -> bool:
    """Whether x replaces the running maximum m."""
    return not np.isnan(m) and (np.isnan(x) or x > m)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [16, 4])
def test_every_operation_means_what_its_words_say(dtype: str, width: int) -> None:
    rng = np.random.default_rng(0)
    a = np.array(SPECIALS[:width], dtype)
    b = rng.permutation(np.array(SPECIALS, dtype))[:width]
    v, w = rng.standard_normal(width).astype(dtype), rng.standard_normal(width).astype(dtype)
    memory = np.concatenate([a, b, v, w, np.full((N_RESULTS + 1 - N_OPERANDS) * width, -99, dtype)])
    run(every_operation, memory, width)
    found = memory[4 * width :].reshape(-1, width)
    with np.errstate(all="ignore"):
        over = np.array([takes_over(m, x) for m, x in zip(a, b, strict=True)])
        expected = [
            a + b,
            a - b,
            np.array([p / q if q != 0 else 0 for p, q in zip(a, b, strict=True)], dtype),
            None,
            None,
            np.array([0 if p <= 0 else p for p in a], dtype),
            np.sqrt(a),
            np.where(over, b, a),
            np.where(over, w, v),
            np.where(a == b, v, 0),
            np.where(a > 0, v, 0),
            np.full(width, v[3]),
        ]
        exact, product = a.astype(np.longdouble) * b + v, np.abs(a.astype(np.longdouble) * b) + np.abs(v)
    for row, wanted in zip(found, expected, strict=False):
        if wanted is not None:
            np.testing.assert_array_equal(row, wanted)
    u = np.finfo(dtype).eps
    for row, guarded in ((found[3], False), (found[4], True)):
        for k in range(width):
            if guarded and a[k] == 0:
                assert row[k] == v[k]
            elif np.isfinite(exact[k]) and abs(exact[k]) < np.finfo(dtype).max:
                assert abs(row[k] - exact[k]) <= u * product[k]
            else:
                np.testing.assert_equal(float(row[k]), float(exact[k]))
    assert abs(found[12, 0] - v.sum(dtype=np.float64)) <= width * u * np.abs(v).sum()
    assert found[12, 1:3].tolist() == [1.0, 0.0]


@pytest.mark.skipif(COMPILED, reason="compiled code does not check; its addresses are checked when a plan is bound")
def test_twins_refuse_what_lies_outside() -> None:
    from neurograph.kernels import simd_numpy

    memory, like = np.zeros(8), np.zeros(4)
    for access in (
        lambda: simd_numpy.load(memory, 5, like),
        lambda: simd_numpy.load(memory, -1, like),
        lambda: simd_numpy.store(memory, 5, like),
        lambda: simd_numpy.get(memory, 8),
        lambda: simd_numpy.put(memory, -1, 0.0),
        lambda: simd_numpy.splat(memory, 8, like),
    ):
        with pytest.raises(AssertionError, match="outside a memory of 8"):
            access()


# -- formulas ---------------------------------------------------------------------------------------------------------
def compiled(formula: Any) -> Any:
    """A formula of kernels, made callable from Python as kernels call it."""

    def call(z: float) -> Any:
        return formula(z)

    return numba.njit(call) if COMPILED else formula


gelu, gelu_slope = compiled(formulas.gelu), compiled(formulas.gelu_slope)
normal_below, normal_density = compiled(formulas.normal_below), compiled(formulas.normal_density)

GRID = np.concatenate(
    [np.linspace(-12, 12, 4001), [0.0, -0.0, 1e-8, -1e-8, 1e-300, 30.0, -30.0, 700.0, -700.0, 1e4, -1e4]]
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelu_is_within_what_verification_permits(dtype: str) -> None:
    z = GRID.astype(dtype)
    found = np.array([gelu(float(x)) for x in z]).astype(dtype)
    expected = wide.value("gelu", z.astype(wide.Wide))
    ulp = np.spacing(np.abs(expected).astype(dtype)).astype(wide.Wide)
    tiny = np.finfo(dtype).smallest_normal
    assert (np.abs(found - expected) <= 4 * ulp + tiny).all()


def test_slope_of_gelu_is_accurate() -> None:
    found = np.array([gelu_slope(float(z)) for z in GRID])
    permitted = wide.slope("gelu", GRID.astype(wide.Wide), GRID.astype(wide.Wide), np.float64)
    tiny = np.finfo(np.float64).smallest_normal
    assert (np.abs(found - permitted.value) <= 2 * permitted.spread * wide.rounding(np.float64) + tiny).all()


def test_gelu_of_nan_is_nan() -> None:
    assert np.isnan(gelu(float("nan")))


def test_left_tail_of_gelu_keeps_its_digits() -> None:
    """Φ(−10) to twenty digits; −10/√2 rounded once costs a hundred units in the last place."""
    assert normal_below(-10.0) == pytest.approx(7.6198530241605260660e-24, rel=1e-15)
    assert normal_below(-37.0) == pytest.approx(5.7255712225245768397e-300, rel=2e-15)
    assert normal_density(37.0) == pytest.approx(2.1200654993475405e-298, rel=1e-15)


@pytest.mark.parametrize("z", [float("inf"), -float("inf"), 1e200, -1e200])
def test_gaussian_tails_do_not_overflow(z: float) -> None:
    assert normal_below(z) == (1.0 if z > 0 else 0.0)
    assert normal_density(z) == 0.0
