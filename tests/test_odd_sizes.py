"""Sizes that fill no vector, no tile and no block: equal to the textbook on whole numbers, and training steps within 10⁻¹².

Without the JIT the same sweep runs on the kernels' NumPy twins, which check every place they read or write.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from written import drawn, graph_of, toml

import neurograph as ng
from neurograph.kernels.contract import PANEL_CELLS
from tests.agreement import DTYPES, INNERMOST, JIT

Array = np.ndarray[Any, Any]
CHANNELS = (1, 3, 5, 7, 17)
BATCHES = (1, 2, 31, 33) if JIT else (1, 17)
POOL = {"kind": "maxpool", "window": 2}


def network(word: str, n: int) -> tuple[list[int], list[dict[str, Any]]]:
    """Input shape and layers; every layer under test reads another, so that its errors are computed too."""
    dense = {"kind": "dense", "units": n}
    conv = {"kind": "conv", "filters": n, "kernel": 2, "padding": [[0, 0], [1, 0]], "activation": "relu"}
    first = {"kind": "depthwise", "kernel": 1}
    made: dict[str, tuple[list[int], list[dict[str, Any]]]] = {
        "dense": ([n], [{**dense, "activation": "relu"}, dense, dense]),
        "conv": ([n, 4, 4], [first, conv]),
        "strided conv": ([n, 5, 4], [first, {**conv, "stride": 2}]),
        "conv with maxpool": ([n, 4, 3], [first, conv, POOL]),
        "conv behind maxpool": ([2, 5, 5], [conv, POOL, {**conv, "filters": 3}]),
        "conv over one channel": ([1, 4, 4], [{**conv, "filters": n}, {**conv, "filters": 1}]),
        "grouped conv": ([2 * n, 2, 3], [first, {**conv, "filters": 2 * n, "groups": 2}]),
        "grouped conv with maxpool": ([2 * n, 3, 3], [{**conv, "filters": 2 * n, "groups": 2}, POOL]),
        "depthwise": ([n, 4, 3], [first, {"kind": "depthwise", "kernel": 2, "multiplier": 2}]),
        "depthwise with maxpool": ([n, 4, 3], [first, {"kind": "depthwise", "kernel": [1, 2], "activation": "relu"}, POOL]),
        "one-dimensional conv": ([n, 5], [first, {"kind": "conv", "filters": n, "kernel": 3, "dilation": 2, "padding": 2}]),
        "one-dimensional conv with maxpool": ([n, 6], [first, {"kind": "conv", "filters": n, "kernel": 3}, POOL]),
    }  # fmt: skip
    return made[word]


WORDS = (
    "dense", "conv", "strided conv", "conv with maxpool", "conv behind maxpool", "conv over one channel", "grouped conv",
    "grouped conv with maxpool", "depthwise", "depthwise with maxpool", "one-dimensional conv", "one-dimensional conv with maxpool",
)  # fmt: skip


# -- exactly ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", CHANNELS)
@pytest.mark.parametrize("word", WORDS)
def test_odd_sizes_equal_the_textbook_on_whole_numbers(word: str, n: int) -> None:
    """Every number in both dtypes and both orders of memory; and what training stores instead of a trace, in the weights it leaves.

    The textbook runs once, on stretches of the largest batch whose gradients add up to those of the smaller ones.
    """
    shape, layers = network(word, n)
    graph = graph_of(shape, layers, {"kind": "mse", "form": "half_sum"})
    random = np.random.default_rng(n)
    params = ng.initialise(graph)
    for name in params:
        params[name] = random.integers(-1, 2, params[name].shape).astype(float)
    textbook = ng.ReferenceEngine(graph, params.copy())
    x = random.integers(-1, 2, (max(BATCHES), *shape)).astype(float)
    t = random.integers(-1, 2, textbook.forward(x[:1]).shape[1:]) + np.zeros((len(x), 1, 1, 1)[: len(shape) + 1])
    stretches = [
        textbook.backprop(x[a:b], t[a:b], reduction="sum") for a, b in zip((0, *BATCHES), BATCHES, strict=False)
    ]
    programs = [
        (ng.compile(graph, params.copy(), dtype, 1, innermost=innermost), (dtype, innermost))
        for dtype in DTYPES
        for innermost in INNERMOST
    ]
    for k, batch in enumerate(BATCHES):
        expected = stretches[: k + 1]
        gradient = {name: sum(trace.gradient[name] for trace in expected) for name in params}
        for program, about in programs:
            before = {name: program.params[name].copy() for name in params}
            program.train_step(x[:batch], t[:batch], ng.SGD(0.5), reduction="sum")
            for name in params:
                np.testing.assert_array_equal(
                    program.params[name], before[name] - gradient[name] / 2, err_msg=f"{about} {batch}: step of {name}"
                )
            program.params.update(before)
            found = program.backprop(x[:batch], t[:batch], reduction="sum")
            for what in ("z", "a", "delta"):
                for name, value in getattr(found, what).items():
                    wanted = np.concatenate([getattr(trace, what)[name] for trace in expected])
                    np.testing.assert_array_equal(value, wanted, err_msg=f"{about} {batch}: {what} of {name}")
            for name in params:
                np.testing.assert_array_equal(found.gradient[name], gradient[name], err_msg=f"{about} {batch}: {name}")


@pytest.mark.parametrize("filters", [3, 17] if JIT else [3])
def test_long_fan_ins_are_the_same_in_both_orders_of_memory(filters: int) -> None:
    """Their weights are moved together before many cells use them; with samples innermost nothing like it happens."""
    layers = [{"kind": "conv", "name": "c", "filters": filters, "kernel": 3, "activation": "relu"}]
    topology = ng.lay_out(ng.load(toml([31, 11, 10], layers)))
    assert PANEL_CELLS <= 9 * 8 < 3 * 9 * 8
    random, params = np.random.default_rng(0), ng.initialise(topology)
    for name in params:
        params[name] = random.integers(-1, 2, params[name].shape).astype(float)
    x = random.integers(-1, 2, (3, 31, 11, 10)).astype(float)
    ours, theirs = (ng.compile(topology, params, "float64", 1, innermost=innermost) for innermost in INNERMOST)
    np.testing.assert_array_equal(ours.forward(x), theirs.forward(x))
    traces = [engine.backprop(x, upstream=np.ones((3, filters, 9, 8)), reduction="sum") for engine in (ours, theirs)]
    for what in ("z", "a", "delta", "gradient"):
        for name, value in getattr(traces[1], what).items():
            np.testing.assert_array_equal(getattr(traces[0], what)[name], value, err_msg=f"{what} of {name}")


# -- training ---------------------------------------------------------------------------------------------------------
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: ng.SGD(0.125),
    "momentum": lambda: ng.SGD(0.125, momentum=0.75),
    "adam": lambda: ng.Adam(0.0625),
}


def trained(n: int) -> ng.NeuronGraph:
    """Both activations, a maximum, and dense layers whose weights are changed in the pass that computes their gradient."""
    layers = [
        {"kind": "conv", "filters": n, "kernel": 2, "activation": "tanh"},
        {"kind": "conv", "filters": n, "kernel": 2, "padding": 1, "activation": "relu"},
        {"kind": "maxpool", "window": 2},
        {"kind": "dense", "units": n, "activation": "tanh"},
        {"kind": "dense", "units": 3, "activation": "relu"},
    ]
    return graph_of([1, 4, 4], layers, {"kind": "mse", "form": "half_sum"})


def batches(batch: int) -> list[tuple[Array, Array]]:
    random = np.random.default_rng(batch)
    return [(random.standard_normal((batch, 1, 4, 4)), random.standard_normal((batch, 3))) for _ in range(2)]


@cache
def by_the_textbook(n: int, batch: int, optimizer: str) -> dict[str, Array]:
    graph = trained(n)
    engine, stepped = ng.ReferenceEngine(graph, drawn(graph)), OPTIMIZERS[optimizer]()
    for x, t in batches(batch):
        engine.train_step(x, t, stepped)
    return dict(engine.params)


@pytest.mark.parametrize("innermost", INNERMOST)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("n", "batch"), [(1, 33), (3, 31), (5, 2), (7, 1), (17, 1), (17, 2)])
def test_training_steps_are_the_textbooks(n: int, batch: int, optimizer: str, innermost: str) -> None:
    """Two steps, so that what an optimiser remembers counts too. Adam's ratio g/√v is as good as the smallest gradient is."""
    graph = trained(n)
    program, stepped = ng.compile(graph, drawn(graph), "float64", 1, innermost=innermost), OPTIMIZERS[optimizer]()
    for x, t in batches(batch):
        program.train_step(x, t, stepped)
    for name, expected in by_the_textbook(n, batch, optimizer).items():
        scale = np.abs(expected).max()
        np.testing.assert_allclose(program.params[name], expected, rtol=1e-12, atol=1e-12 * scale, err_msg=name)
