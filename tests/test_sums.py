"""Sums of several layers and means over neighbours, large enough to run as runs: both orders of memory and the textbook agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from written import toml

import neurograph as ng
from neurograph.kernels import code as c
from neurograph.kernels.jit import COMPILED

SAME = {"kind": "conv", "filters": 3, "kernel": 3, "padding": "same"}
NETWORKS: dict[str, list[dict[str, Any]]] = {
    "relu of two": [
        {**SAME, "name": "a", "activation": "relu"},
        {**SAME, "name": "b"},
        {"kind": "add", "name": "skip", "from": ["a", "b"], "activation": "relu"},
        {"kind": "maxpool", "window": 2},
    ],
    "tanh of three": [
        {**SAME, "name": "a"},
        {**SAME, "name": "b", "from": ["a"]},
        {**SAME, "name": "d", "from": ["a"], "kernel": 1},
        {"kind": "add", "name": "skip", "from": ["a", "b", "d"], "activation": "tanh"},
    ],
    "mean of neighbours": [
        {**SAME, "name": "a", "activation": "relu"},
        {"kind": "avgpool", "name": "skip", "window": 3, "stride": 1},
    ],
}
SIDE = 42
"""So that a sum of three channels has more edges than a table gains by joining others."""


def made(layers: list[dict[str, Any]]) -> Any:
    text = toml([1, SIDE, SIDE], [*layers, {"kind": "dense", "name": "out", "units": 2}], {"kind": "mse"})
    return ng.lay_out(ng.load(text))


def program(net: Any, innermost: str) -> Any:
    return ng.compile(net, ng.initialise(net, 1), "float64", 1, innermost=innermost)


@pytest.mark.skipif(not COMPILED, reason="plain Python takes minutes for these; drawn networks cover it")
@pytest.mark.parametrize("innermost", ["channels", "samples"])
@pytest.mark.parametrize("word", NETWORKS)
def test_sums_as_runs_are_the_textbooks(word: str, innermost: str) -> None:
    net = made(NETWORKS[word])
    engine = program(net, innermost)
    operations = set(engine._image.code[:, c.OP] % c.N_OPERATIONS)
    assert {c.RUN_DOT, c.RUN_SOURCES} <= operations
    textbook = ng.ReferenceEngine(ng.build(net), ng.initialise(net, 1))
    random = np.random.default_rng(0)
    x, y = random.standard_normal((2, 1, SIDE, SIDE)), random.standard_normal((2, 2))
    expected = textbook.backprop(x, y)
    for _ in range(2):  # the second time over what the first left in memory
        found = engine.backprop(x, y)
        for layer in ("a", "skip", "out"):
            for kind in ("z", "a", "delta"):
                np.testing.assert_allclose(
                    getattr(found, kind)[layer], getattr(expected, kind)[layer], rtol=1e-11, atol=1e-12, err_msg=f"{kind} {layer}"
                )  # fmt: skip
        for name, gradient in expected.gradient.items():
            np.testing.assert_allclose(found.gradient[name], gradient, rtol=1e-10, atol=1e-11, err_msg=name)


@pytest.mark.skipif(not COMPILED, reason="plain Python takes minutes for these; drawn networks cover it")
@pytest.mark.parametrize("word", NETWORKS)
def test_what_trains_has_the_gradient_that_is_traced(word: str) -> None:
    """Without a trace z is not kept, so slopes are taken from a; batches of all sizes."""
    net = made(NETWORKS[word])
    for innermost in ("channels", "samples"):
        for batch in (1, 17, 33):
            engines = [program(net, innermost) for _ in range(2)]
            random = np.random.default_rng(batch)
            x, y = random.standard_normal((batch, 1, SIDE, SIDE)), random.standard_normal((batch, 2))
            before = {name: np.array(value) for name, value in engines[0].params.items()}
            engines[0].train_step(x, y, ng.SGD(1.0))
            gradient = engines[1].backprop(x, y).gradient
            for name, value in engines[0].params.items():
                np.testing.assert_allclose(before[name] - value, gradient[name], rtol=1e-9, atol=1e-10, err_msg=name)
