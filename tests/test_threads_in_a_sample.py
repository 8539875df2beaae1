"""Threads inside one sample: each computes a share of the lanes, to the same bits for any number of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from written import toml

import neurograph as ng
from neurograph.compiler import sharing
from neurograph.kernels.jit import COMPILED

pytestmark = pytest.mark.skipif(not COMPILED, reason="plain Python has one thread")

LAYERS = [
    {"kind": "conv", "name": "pooled", "filters": 37, "kernel": 3, "activation": "relu"},
    {"kind": "maxpool", "name": "pool", "window": 2},
    {"kind": "conv", "name": "conv", "filters": 21, "kernel": 2, "activation": "tanh"},
    {"kind": "dense", "name": "wide", "units": 300, "activation": "relu"},
    {"kind": "dense", "name": "out", "units": 5},
]
NET = ng.lay_out(ng.load(toml([2, 14, 14], LAYERS, {"kind": "cross_entropy"})))
X = np.random.default_rng(0).standard_normal((4, 2, 14, 14)).astype(np.float32)
Y = np.array([0, 3, 1, 2])


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LARGE", 1)


def program(threads: int, dtype: str = "float32") -> Any:
    made = ng.compile(NET, ng.initialise(NET, 1), dtype, threads, innermost="channels")
    made._runner.threads = threads  # as many as are asked for, whatever this machine has
    made._runner._shared = sharing.shared_stretches(made._image) if threads > 1 else []
    return made


def test_large_instructions_are_shared_and_the_others_stay_together() -> None:
    image = program(2)._image
    stretches = sharing.shared_stretches(image)
    assert sum(shared for _, _, shared in stretches) >= 5
    walked = [i for first, count, _ in stretches for i in range(first, first + count)]
    assert walked == list(range(image.parts[0], len(image.code) - image.parts[3]))
    assert not any(a[2] is b[2] is False for a, b in pairwise(stretches))


def test_small_networks_wake_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert sharing.shared_stretches(program(1)._image) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 3, 4])
@pytest.mark.parametrize("threads", [2, 3, 4])
def test_answers_have_the_same_bits_for_any_number_of_threads(threads: int, batch: int, dtype: str) -> None:
    alone, shared = program(1, dtype), program(threads, dtype)
    x = X.astype(dtype)
    for first in range(5 - batch):
        some = x[first : first + batch]
        np.testing.assert_array_equal(shared.forward(some), alone.forward(some))
    np.testing.assert_array_equal(shared.forward(x), alone.forward(x))
    assert shared.evaluate(x[:batch], Y[:batch]) == alone.evaluate(x[:batch], Y[:batch])


def test_training_between_answers_is_as_it_was() -> None:
    alone, shared = program(1), program(2)
    for engine in (alone, shared):
        optimizer = ng.SGD(0.01, momentum=0.9)
        for batch in (1, 3, 1):
            engine.forward(X[:1])
            engine.train_step(X[:batch], Y[:batch], optimizer)
    np.testing.assert_array_equal(shared.forward(X[:2]), alone.forward(X[:2]))
    np.testing.assert_array_equal(shared.backprop(X[:2], Y[:2]).z["conv"], alone.backprop(X[:2], Y[:2]).z["conv"])


def test_a_long_fan_in_far_apart_is_walked_as_memory_lies() -> None:
    """512 channels: neighbouring taps stand 512 places apart, and their weights are moved together."""
    layers = [
        {"kind": "conv", "name": "wide", "filters": 512, "kernel": 1},
        {"kind": "conv", "name": "far", "filters": 3, "kernel": 2, "activation": "relu"},
        {"kind": "maxpool", "name": "pool", "window": 2},
    ]
    net = ng.lay_out(ng.load(toml([1, 9, 9], layers, {"kind": "mse"})))
    x = np.random.default_rng(1).standard_normal((2, 1, 9, 9))
    found = ng.compile(net, ng.initialise(net, 1), "float64", 1, innermost="channels").backprop(
        x, upstream=np.ones((2, 3, 4, 4))
    )
    other = ng.compile(net, ng.initialise(net, 1), "float64", 1, innermost="samples").backprop(
        x, upstream=np.ones((2, 3, 4, 4))
    )
    np.testing.assert_allclose(found.a["pool"], other.a["pool"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.gradient["far.weight"], other.gradient["far.weight"], rtol=1e-11, atol=1e-11)
