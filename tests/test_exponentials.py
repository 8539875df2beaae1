"""Exponentials and activations on vectors: how far from the truth, in units in the last place, and what becomes of special values."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from neurograph.kernels import code as c
from neurograph.kernels import exponentials, formulas, simd
from neurograph.kernels.jit import COMPILED, by_address
from neurograph.kernels.machines import one_of
from neurograph.ops.words import ACTIVATIONS
from neurograph.verification import formulas as wide

WIDTH_OF_TEST = 16
DTYPES = ["float32", "float64"]
BASIC = ["exp", "expm1", "log1p", "tanh", "logistic"]
SMOOTH = ["elu", "softplus", "silu", "sigmoid", "tanh", "scaled_tanh"]
TRUTH: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "logistic": wide.sigmoid,
}
PERMITTED = {"exp": 1.25, "expm1": 1.25, "log1p": 2, "tanh": 1.5, "logistic": 2.5}
"""Units in the last place. Measured over 10⁷ arguments: 1.04, 1.13, 1.97, 1.30 and 2.27."""

basic = one_of(
    {k: lambda m, x, y, name=name: getattr(exponentials, name)(m, x) for k, name in enumerate(BASIC)},
    lambda m, x, y: x,
)


def every_basic(context: Any, row: Any) -> None:
    """The function with number `EXTRA`, on `COUNT` vectors of the memory, in place."""
    like, mem = simd.zero(context), simd.values(context, c.MEMORY)
    for i in range(0, simd.get(row, c.COUNT) * simd.width(like), simd.width(like)):
        x = simd.load(mem, i, like)
        simd.store(mem, i, basic(simd.get(row, c.EXTRA), x, x))


def every_value(context: Any, row: Any) -> None:
    """The activation with code `EXTRA`, likewise."""
    like, mem = simd.zero(context), simd.values(context, c.MEMORY)
    for i in range(0, simd.get(row, c.COUNT) * simd.width(like), simd.width(like)):
        z = simd.load(mem, i, like)
        simd.store(mem, i, formulas.value(simd.get(row, c.EXTRA), z, z))


def every_slope(context: Any, row: Any) -> None:
    """Its slope, from its value that stands `SHIFT` vectors further."""
    like, mem = simd.zero(context), simd.values(context, c.MEMORY)
    n = simd.width(like)
    for i in range(0, simd.get(row, c.COUNT) * n, n):
        a = simd.load(mem, i + simd.get(row, c.SHIFT) * n, like)
        simd.store(mem, i, formulas.slope(simd.get(row, c.EXTRA), simd.load(mem, i, like), a))


def run(kernel: Any, which: int, x: np.ndarray, a: np.ndarray | None = None) -> np.ndarray:
    """A kernel of this test on numbers of any count."""
    vectors = -(-len(x) // WIDTH_OF_TEST)
    memory = np.zeros((2, vectors * WIDTH_OF_TEST), x.dtype)
    memory[0, : len(x)] = x
    memory[1, : len(x)] = x if a is None else a
    flat = memory.reshape(-1)
    found = by_address(kernel, simd.context_type(str(x.dtype), WIDTH_OF_TEST), instruction=True)
    context: Any = np.zeros(c.N_CONTEXT, np.int64) if COMPILED else [0] * c.N_CONTEXT
    context[c.MEMORY], context[c.WIDTH] = (flat.ctypes.data if COMPILED else flat), WIDTH_OF_TEST
    row = np.zeros(c.FIELDS, np.int64)
    row[c.COUNT], row[c.EXTRA], row[c.SHIFT] = vectors, which, vectors
    if COMPILED:
        ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(found)(context.ctypes.data, row.ctypes.data)
    else:
        with np.errstate(all="ignore"):
            found(context, row)
    return memory[0, : len(x)]


def on(name: str, *numbers: float, dtype: str) -> list[float]:
    """One of the basic functions on a few numbers."""
    found: list[float] = run(every_basic, BASIC.index(name), np.array(numbers, dtype)).astype(float).tolist()
    return found


def arguments(dtype: str, seed: int = 0) -> np.ndarray:
    """Dense grids, and numbers of every size down to the subnormal: random bit patterns."""
    rng = np.random.default_rng(seed)
    integers, bits = ("u4", 32) if dtype == "float32" else ("u8", 64)
    patterns = rng.integers(0, 2**bits - 1, 60_000, dtype=np.dtype(integers)).view(dtype)
    grids = [np.linspace(-low, low, 40_001) for low in (1e-3, 0.5, 1.0, 3.0, 12.0, 110.0, 750.0)]
    near = np.linspace(-60, 60, 4001) * np.log(2) / 2
    x = np.concatenate([*grids, near, rng.standard_normal(60_000) * 4]).astype(dtype)
    return np.concatenate([x, patterns[np.isfinite(patterns)]])[:: 1 if COMPILED else 29]


def units(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distances in units in the last place; 0 where the truth rounds to an infinity that was found."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = truth.astype(found.dtype)
        ulp = np.spacing(np.abs(rounded)).astype(wide.Wide)
        off = np.abs(found.astype(wide.Wide) - truth) / ulp
    return np.where(found == rounded, 0, np.where(np.isfinite(found) & np.isfinite(rounded), off, np.inf))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BASIC)
def test_basic_functions_are_within_their_units_in_the_last_place(name: str, dtype: str) -> None:
    x = arguments(dtype)
    if name == "expm1":
        x = -np.abs(x)
    elif name == "log1p":
        x = np.abs(x)[np.abs(x) <= 1]
    found = run(every_basic, BASIC.index(name), x)
    with np.errstate(over="ignore", under="ignore"):
        off = units(found, TRUTH[name](x.astype(wide.Wide)))
    worst = int(np.argmax(off))
    assert off[worst] <= PERMITTED[name], f"{name}({x[worst]!r}) = {found[worst]!r}: {off[worst]} units"
    assert off.mean() < 0.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values(dtype: str) -> None:
    inf, nan = float("inf"), float("nan")
    for name in BASIC:
        assert np.isnan(on(name, nan, -nan, dtype=dtype)).all(), name
    assert on("exp", 0.0, -0.0, -inf, inf, dtype=dtype) == [1.0, 1.0, 0.0, inf]
    assert on("expm1", 0.0, -0.0, -inf, -1e30, dtype=dtype) == [0.0, 0.0, -1.0, -1.0]
    assert on("log1p", 0.0, dtype=dtype) == [0.0]
    assert on("logistic", 0.0, -0.0, -inf, inf, dtype=dtype) == [0.5, 0.5, 0.0, 1.0]
    assert on("tanh", -inf, inf, -1e30, 1e30, dtype=dtype) == [-1.0, 1.0, -1.0, 1.0]
    assert np.signbit(on("tanh", 0.0, -0.0, dtype=dtype)).tolist() == [False, True]


@pytest.mark.parametrize("dtype", DTYPES)
def test_subnormal_numbers_survive(dtype: str) -> None:
    least = float(np.finfo(np.dtype(dtype)).smallest_subnormal)
    for name in ("tanh", "expm1", "log1p"):
        x = -7 * least if name == "expm1" else 7 * least
        assert on(name, x, dtype=dtype) == [x], name
    low = np.log(np.longdouble(least)) + 2
    assert on("exp", float(low), dtype=dtype) == [pytest.approx(float(np.exp(low)), abs=least, rel=0)]


@pytest.mark.parametrize(
    ("dtype", "last", "next_"), [("float32", 88.72283, 88.72284), ("float64", 709.782712893384, 709.7827128933841)]
)
def test_exp_overflows_where_it_must(dtype: str, last: float, next_: float) -> None:
    found = on("exp", last, next_, dtype=dtype)
    assert np.isfinite(found[0])
    assert found[0] > 0.999 * np.finfo(np.dtype(dtype)).max
    assert np.isinf(found[1])


# -- activations ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("word", [word for word in ACTIVATIONS if word not in ("gelu", "softmax")])
def test_activations_are_within_what_verification_permits(word: str, dtype: str) -> None:
    z = arguments(dtype, seed=1)
    a = run(every_value, ACTIVATIONS.index(word), z)
    with np.errstate(over="ignore", under="ignore"):
        truth = wide.value(word, z.astype(wide.Wide))
        off = np.abs(a.astype(wide.Wide) - truth)
        bound = wide.value_bound(word, z, truth, np.dtype(dtype))
    kept = np.isfinite(truth.astype(dtype))
    assert (off[kept] <= bound[kept]).all(), f"{word}: {z[kept][np.argmax(off[kept] - bound[kept])]!r}"
    if word in SMOOTH:
        strict = kept & (np.abs(truth) > 1000 * np.finfo(np.dtype(dtype)).smallest_normal)
        assert units(a, truth)[strict].max() <= 3.25


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("word", [word for word in ACTIVATIONS if word not in ("gelu", "softmax")])
def test_slopes_are_within_what_verification_permits(word: str, dtype: str) -> None:
    z = arguments(dtype, seed=2)
    z = z[np.abs(z) < 1e4]
    code = ACTIVATIONS.index(word)
    a = run(every_value, code, z)
    found = run(every_slope, code, z, a)
    with np.errstate(over="ignore", under="ignore"):
        wanted = wide.slope(word, z.astype(wide.Wide), a.astype(wide.Wide), np.dtype(dtype))
    bound = wanted.spread * wide.rounding(np.dtype(dtype)) + wide.underflow(np.dtype(dtype))
    off = np.abs(found.astype(wide.Wide) - wanted.value)
    assert (off <= bound).all(), f"{word}: slope at {z[np.argmax(off - bound)]!r}"


@pytest.mark.parametrize("word", [word for word in ACTIVATIONS if word not in ("gelu", "softmax")])
def test_nan_stays_nan(word: str) -> None:
    for dtype in DTYPES:
        assert np.isnan(run(every_value, ACTIVATIONS.index(word), np.array([np.nan], dtype))).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_slopes_at_zero_are_the_contract(dtype: str) -> None:
    zero = np.zeros(1, dtype)
    assert run(every_slope, formulas.RELU, zero).tolist() == [0.0]
    assert run(every_slope, formulas.LEAKY_RELU, zero).tolist() == [np.dtype(dtype).type(0.01)]
    assert run(every_slope, formulas.IDENTITY, zero).tolist() == [1.0]
