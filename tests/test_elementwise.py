"""Kernels that work on neurons one by one do the same in both memory layouts, and touch nothing beside their neurons."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

from neurograph.kernels import code as c
from neurograph.kernels import formulas, simd
from neurograph.kernels.interpret import KERNELS
from neurograph.kernels.jit import COMPILED, by_address

WIDTH, NEURONS, SAMPLES = 16, 70, 5
UNTOUCHED = -77.0
RUNS = [[3, 1], [5, 18], [30, 33]]
PIECES = [[3, 1, 0, 1, 0, 1, 1], [5, 1, 0, 1, 0, 18, 1], [26, 2, 18, 2, 9, 4, 2], [64, 1, 0, 2, 3, 2, 1]]
"""A neuron, neighbours, three nested loops, and two neighbours twice."""
PLACES = [
    first + i * far + j * apart + k * step
    for first, a, far, b, apart, n, step in PIECES
    for i in range(a)
    for j in range(b)
    for k in range(n)
]
TRIPLES = [[1, 34, 20], [22, 60, 5]]
GROUPS = [3, 4, 9, 6, 2, 40, 41]
HEAD = [3, 4, 0, 9, 2, 6, 1, 2, 40, 3, 41, 4]


class Bench:
    """One block of samples in either layout.

    Parameters
    ----------
    dtype : str
    planes : ndarray, shape (4, NEURONS, SAMPLES)
    channels : bool
        Channels innermost; else samples innermost.
    """

    def __init__(self, dtype: str, planes: np.ndarray, channels: bool) -> None:
        self.dtype, self.channels = dtype, channels
        self.line = 4 * NEURONS + 3
        size = self.line * SAMPLES + 5 if channels else 4 * NEURONS * WIDTH
        self.memory = np.full(size, UNTOUCHED, dtype)
        self.view = (
            np.lib.stride_tricks.as_strided(
                self.memory, planes.shape, tuple(n * self.memory.itemsize for n in (NEURONS, 1, self.line))
            )
            if channels
            else self.memory.reshape(4, NEURONS, WIDTH)[:, :, :SAMPLES]
        )
        self.view[:] = planes
        self.beside = np.ones(size, np.bool_)
        places = np.arange(size).astype(dtype)
        mine = (
            np.lib.stride_tricks.as_strided(places, self.view.shape, self.view.strides)
            if channels
            else places.reshape(4, NEURONS, WIDTH)
        )
        self.beside[mine.astype(np.int64).reshape(-1)] = False
        self.loss = np.zeros(1)
        self.numbers = [0.8, 0.75, 1.5, 2.0, 0.0, 0.0, 1.0, 0.0]
        self.out = np.full((SAMPLES + 2, NEURONS + 4), UNTOUCHED, dtype)

    def run(self, op: int, table: Any, count: int, x: np.ndarray, mode: int = 0, **fields: int) -> None:
        """Carry out one instruction on sample 2 and those behind it."""
        context: Any = np.zeros(c.N_CONTEXT, np.int64) if COMPILED else [0] * c.N_CONTEXT
        ints = np.concatenate([[99, 99], np.array(table, np.int64).reshape(-1)])
        numbers = np.array([0.0, *self.numbers])
        weights = np.array([0, 0, 6.5], self.dtype)
        arrays = {
            c.MEMORY: self.memory,
            c.TABLES: ints,
            c.WEIGHTS: weights,
            c.NUMBERS: numbers,
            c.INPUTS: x.reshape(-1),
            c.MASKS: x.reshape(-1),
            c.TARGETS_GIVEN: x.reshape(-1),
            c.OUTPUT: self.out.reshape(-1),
            c.LOSS_SUM: self.loss,
        }
        for field, array in arrays.items():
            context[field] = array.ctypes.data if COMPILED else array
        context[c.INPUT_COLUMNS] = context[c.MASK_COLUMNS] = context[c.TARGET_COLUMNS] = x.shape[1]
        context[c.OUTPUT_COLUMNS] = self.out.shape[1]
        context[c.MODE], context[c.PLANE], context[c.WIDTH] = mode, NEURONS, WIDTH
        context[c.FIRST_SAMPLE], context[c.VALID] = 2, SAMPLES
        if self.channels:
            steps = {c.NEURON_STEP: 1, c.SAMPLE_STEP: self.line, c.PASSES: SAMPLES, c.PASS_STEP: self.line, c.BLOCK: 8}
        else:
            steps = {c.NEURON_STEP: WIDTH, c.SAMPLE_STEP: 1, c.PASSES: 1, c.PASS_STEP: 0, c.BLOCK: WIDTH}
        for field, step in steps.items():
            context[field] = step
        row = np.zeros(c.FIELDS, np.int64)
        row[c.START], row[c.COUNT] = 2, count
        for name, value in fields.items():
            row[getattr(c, name.upper())] = value
        kernel = by_address(KERNELS[op], simd.context_type(self.dtype, WIDTH), instruction=True)
        if COMPILED:
            ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(kernel)(context.ctypes.data, row.ctypes.data)
        else:
            with np.errstate(all="ignore"):
                kernel(context, row)
        assert (self.memory[self.beside] == UNTOUCHED).all()


LOSSES = {
    "cross_entropy": c.CROSS_ENTROPY,
    "binary_cross_entropy": c.BINARY_CROSS_ENTROPY,
    "squared": c.SQUARED,
    "rbf_map": c.RBF_MAP,
}

CASES: dict[str, dict[str, Any]] = {
    "load_input": {"op": c.LOAD_INPUT, "table": PIECES, "count": 4, "extra": 7},
    "load_mask": {"op": c.LOAD_MASK, "table": PIECES, "count": 4, "extra": 7, "shift": NEURONS},
    "fill": {"op": c.FILL, "table": RUNS, "count": 3, "extra": 2, "shift": NEURONS},
    "copy": {"op": c.COPY, "table": TRIPLES, "count": 2, "extra": -1},
    "copy_dropped": {"op": c.COPY, "table": TRIPLES, "count": 2, "extra": 1, "mode": c.DROPOUT},
    "copy_back": {"op": c.COPY_BACK, "table": TRIPLES, "count": 2, "extra": -1},
    "copy_back_dropped": {"op": c.COPY_BACK, "table": TRIPLES, "count": 2, "extra": 1, "mode": c.DROPOUT},
    "root": {"op": c.ACTIVATE, "table": RUNS, "count": 3, "extra": formulas.IDENTITY, "how": c.ROOT},
    "activate": {"op": c.ACTIVATE, "table": RUNS, "count": 3, "extra": formulas.TANH},
    "slope": {"op": c.SLOPE, "table": RUNS, "count": 3, "extra": formulas.SIGMOID, "how": 1},
    "slope_from_a": {"op": c.SLOPE, "table": RUNS, "count": 3, "extra": formulas.RELU},
    "softmax": {"op": c.SOFTMAX, "table": GROUPS, "count": 2},
    "softmax_back": {"op": c.SOFTMAX_BACK, "table": GROUPS, "count": 2},
    "upstream": {"op": c.UPSTREAM_GRADIENT, "table": HEAD, "count": 2},
    "export": {"op": c.EXPORT, "table": PIECES, "count": 4, "extra": 2, "shift": NEURONS},
    **{kind: {"op": op, "table": HEAD, "count": 2, "extra": 1} for kind, op in LOSSES.items()},
}


def expected(name: str, before: np.ndarray, x: np.ndarray) -> np.ndarray | None:
    """What the memory must hold afterwards, where a few lines of NumPy say it exactly."""
    planes = before.copy()
    places = np.concatenate([np.arange(first, first + count) for first, count in RUNS])
    if name in ("load_input", "load_mask"):
        planes[1 if name == "load_mask" else 0, PLACES] = x[2 : 2 + SAMPLES, 7 : 7 + len(PLACES)].T
    elif name == "fill":
        planes[1, places] = 6.5
    elif name == "root":
        planes[0, places] = planes[1, places] = np.sqrt(before[1, places])
    elif name == "slope_from_a":
        planes[2, places] = np.where(before[0, places] > 0, before[2, places], 0)
    elif name.startswith("copy"):
        for a, b, n in TRIPLES:
            source, view = slice(a, a + n), slice(b, b + n)
            if name == "copy":
                planes[0, view] = before[0, source]
            elif name == "copy_dropped":
                planes[1, view] = before[1, view] * planes.dtype.type(1.25)
                planes[0, view] = before[0, source] * planes[1, view]
            elif name == "copy_back":
                planes[2, source] += before[2, view]
            else:
                return None
    elif name == "upstream":
        for neuron, column in ((4, 0), (9, 2), (6, 1), (40, 3), (41, 4)):
            planes[2, neuron] += x[2 : 2 + SAMPLES, column]
    else:
        return None
    return planes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_both_layouts_mean_the_same(name: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    planes = (rng.random((4, NEURONS, SAMPLES)) - (0 if name == "root" else 0.5)).astype(dtype)
    planes[2, ::3] = 0
    if name.endswith("dropped"):
        planes[1] = planes[1] > 0
    x = rng.random((SAMPLES + 2, NEURONS)).astype(dtype)
    across, along = Bench(dtype, planes, channels=False), Bench(dtype, planes, channels=True)
    for bench in (across, along):
        bench.run(x=x, **CASES[name])
    np.testing.assert_allclose(along.view, across.view, rtol=float(4 * np.finfo(dtype).eps))
    np.testing.assert_allclose(along.loss, across.loss, rtol=1e-12)
    np.testing.assert_array_equal(along.out, across.out)
    wanted = expected(name, planes, x)
    if wanted is not None:
        np.testing.assert_array_equal(along.view, wanted)
    elif name != "export":
        assert (along.view != planes).any()


@pytest.mark.parametrize("channels", [True, False])
def test_export_writes_its_columns_of_valid_samples_only(channels: bool) -> None:
    rng = np.random.default_rng(1)
    planes = rng.random((4, NEURONS, SAMPLES)).astype("float32")
    bench = Bench("float32", planes, channels)
    bench.run(x=np.zeros((1, 1), "float32"), **CASES["export"])
    wanted = np.full_like(bench.out, UNTOUCHED)
    wanted[2 : 2 + SAMPLES, 2 : 2 + len(PLACES)] = planes[1, PLACES].T
    np.testing.assert_array_equal(bench.out, wanted)


def test_samples_beyond_the_batch_are_loaded_as_zero() -> None:
    bench = Bench("float32", np.zeros((4, NEURONS, SAMPLES), "float32"), channels=False)
    bench.run(x=np.ones((SAMPLES + 2, NEURONS), "float32"), **CASES["load_input"])
    rows = bench.memory.reshape(4, NEURONS, WIDTH)[0, 5:23]
    assert (rows[:, :SAMPLES] == 1).all()
    assert (rows[:, SAMPLES:] == 0).all()


# -- what heads owe ---------------------------------------------------------------------------------------------------
WEIGHT, VALUE_FACTOR, ERROR_FACTOR, J = 0.8, 0.75, 1.5, 2.0
"""The numbers of the head in `Bench.run`, from place 1 on."""


def owed(kind: str, z: np.ndarray, t: np.ndarray) -> tuple[Any, np.ndarray]:
    """Loss and δ of one group in one sample, as the textbook writes them."""
    if kind == "squared":
        return ((z - t) ** 2).sum(), z - t
    if kind == "binary_cross_entropy":
        p = 1 / (1 + np.exp(-z))
        return -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum(), p - t
    if kind == "cross_entropy":
        p = np.exp(z) / np.exp(z).sum()
        return -(t * z).sum() + np.log(np.exp(z).sum()), p - t
    below = np.exp(-J) + np.exp(-z).sum()
    return (t * z).sum() + np.log(below), t - np.exp(-z) / below


@pytest.mark.parametrize("channels", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", LOSSES)
def test_heads_owe_what_the_textbook_says(kind: str, dtype: str, channels: bool) -> None:
    rng = np.random.default_rng(3)
    planes = rng.normal(0, 2, (4, NEURONS, SAMPLES)).astype(dtype)
    x = rng.random((SAMPLES + 2, NEURONS)).astype(dtype)
    planes[2] = 0
    wanted, loss = planes.astype(np.longdouble), 0.0
    for s in range(SAMPLES):
        for neurons, columns in (([4, 9, 6], [0, 2, 1]), ([40, 41], [3, 4])):
            z = planes[0 if kind == "squared" else 1, neurons, s].astype(np.longdouble)
            value, delta = owed(kind, z, x[2 + s, columns].astype(np.longdouble))
            wanted[2, neurons, s] = WEIGHT * ERROR_FACTOR * delta
            loss += WEIGHT * VALUE_FACTOR * float(value)
    bench = Bench(dtype, planes, channels)
    bench.run(LOSSES[kind], HEAD, 2, x, extra=1)
    u = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(bench.view, wanted.astype(dtype), rtol=4 * u, atol=4 * u)
    assert bench.loss[0] == pytest.approx(loss, rel=1e-13)


@pytest.mark.parametrize("channels", [True, False])
@pytest.mark.parametrize("kind", LOSSES)
def test_heads_count_targets_and_classes_as_they_are_told(kind: str, channels: bool) -> None:
    """Label smoothing with ε = 0.3, off and on values of −1 and 3, and class weights: one an output, or two (absent, present)."""
    rng = np.random.default_rng(5)
    planes = rng.normal(0, 2, (4, NEURONS, SAMPLES))
    x, classes = rng.random((SAMPLES + 2, NEURONS)), rng.uniform(0.5, 3, 5)
    planes[2] = 0
    wanted, loss = planes.copy(), 0.0
    for s in range(SAMPLES):
        for neurons, columns, units in (([4, 9, 6], [0, 2, 1], [0, 1, 2]), ([40, 41], [3, 4], [3, 4])):
            t, w = x[2 + s, columns], classes[units]
            share = (t + 1) / 4
            smooth = 0.7 * t + 0.3 / (2 if kind == "binary_cross_entropy" else len(t))
            z, t = planes[0 if kind == "squared" else 1, neurons, s], smooth if kind.endswith("entropy") else t
            factor = 0.25 * (1 - share) + w * share if kind == "binary_cross_entropy" else (w * share).sum()
            if kind == "binary_cross_entropy":
                parts = [owed(kind, z[k : k + 1], t[k : k + 1]) for k in range(len(z))]
                value, delta = (
                    sum(f * v for f, (v, _) in zip(factor, parts, strict=True)),
                    np.concatenate([d for _, d in parts]),
                )
            else:
                value, delta = owed(kind, z, t)
                value = factor * value
            wanted[2, neurons, s] = WEIGHT * ERROR_FACTOR * factor * delta
            loss += WEIGHT * VALUE_FACTOR * float(value)
    bench = Bench("float64", planes, channels)
    pairs = [[0.25, w] for w in classes] if kind == "binary_cross_entropy" else classes
    bench.numbers = [WEIGHT, VALUE_FACTOR, ERROR_FACTOR, J, 0.3, -1.0, 4.0, 1.0, *np.ravel(pairs).tolist()]
    bench.run(LOSSES[kind], HEAD, 2, x, extra=1)
    np.testing.assert_allclose(bench.view, wanted, rtol=1e-13, atol=1e-14)
    assert bench.loss[0] == pytest.approx(loss, rel=1e-13)


@pytest.mark.parametrize("channels", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_and_its_errors_are_the_textbooks(dtype: str, channels: bool) -> None:
    planes = np.random.default_rng(4).normal(0, 30, (4, NEURONS, SAMPLES)).astype(dtype)
    bench = Bench(dtype, planes, channels)
    wanted = planes.astype(np.longdouble)
    for neurons in ([4, 9, 6], [40, 41]):
        powers = np.exp(wanted[1, neurons] - wanted[1, neurons].max(axis=0))
        wanted[0, neurons] = powers / powers.sum(axis=0)
    bench.run(c.SOFTMAX, GROUPS, 2, np.zeros((1, 1), dtype))
    u = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(bench.view, wanted.astype(dtype), rtol=40 * u)
    for neurons in ([4, 9, 6], [40, 41]):
        g, p = wanted[2, neurons], bench.view[0, neurons].astype(np.longdouble)
        wanted[2, neurons] = p * (g - (g * p).sum(axis=0))
    bench.run(c.SOFTMAX_BACK, GROUPS, 2, np.zeros((1, 1), dtype))
    np.testing.assert_allclose(bench.view[2], wanted[2].astype(dtype), rtol=4 * u, atol=100 * u)


def test_a_cross_entropy_of_huge_numbers_does_not_overflow() -> None:
    planes = np.zeros((4, NEURONS, SAMPLES), "float64")
    planes[1, [4, 9, 6]] = np.array([1e300, -1e300, 1e300])[:, None]
    planes[1, [40, 41]] = np.array([-1e4, -2e4])[:, None]
    x = np.zeros((SAMPLES + 2, NEURONS))
    x[:, [0, 3]] = 1
    bench = Bench("float64", planes, channels=False)
    bench.run(c.CROSS_ENTROPY, HEAD, 2, x, extra=1)
    assert bench.loss[0] == pytest.approx(WEIGHT * VALUE_FACTOR * SAMPLES * np.log(2), rel=1e-13)
    np.testing.assert_allclose(
        bench.view[2, [4, 9, 6], 0], WEIGHT * ERROR_FACTOR * np.array([-0.5, 0, 0.5]), rtol=1e-15
    )
    np.testing.assert_array_equal(bench.view[2, [40, 41], 0], 0)
