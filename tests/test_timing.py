"""Timing step by step: the same numbers as the program's own walk, and every instruction booked to its step."""

from __future__ import annotations

import os

import numpy as np
import pytest

from neurograph.compiler import compile
from neurograph.compiler.program import Program
from neurograph.compiler.timing import REST, Stopwatch, step_seconds
from neurograph.graph.initialise import initialise
from neurograph.graph.lay_out import lay_out
from neurograph.spec import load
from neurograph.training import SGD

TINY = """
name = "tiny"
input = [2, 7, 6]
layer = [
  { name = "conv", kind = "conv", filters = 3, kernel = 3, padding = 1, activation = "relu" },
  { name = "pool", kind = "maxpool", window = 2 },
  { name = "hidden", kind = "dense", units = 5, activation = "tanh" },
  { name = "out", kind = "dense", units = 4 },
]
loss = { kind = "cross_entropy" }
"""


def program(dtype: str = "float32") -> Program:
    topology = lay_out(load(TINY))
    return compile(topology, initialise(topology), dtype=dtype, threads=2)


def samples(batch: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.random((batch, 2, 7, 6), dtype=np.float32), random.integers(0, 4, batch)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 3, 70])
def test_walking_one_by_one_trains_to_the_same_bits(batch: int, dtype: str) -> None:
    x, y = samples(batch)
    plain, watched = program(dtype), program(dtype)
    watched._runner.launch = Stopwatch(watched._image)
    optimizers = SGD(0.1, momentum=0.9), SGD(0.1, momentum=0.9)
    for _ in range(3):
        losses = [p.train_step(x, y, o) for p, o in zip((plain, watched), optimizers, strict=True)]
        assert losses[0] == losses[1]
    for name, value in plain.params.items():
        assert np.array_equal(value, watched.params[name]), name
    assert np.array_equal(plain.forward(x), watched.forward(x))


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="takes minutes without the JIT")
def test_large_steps_take_time_forward_and_backward() -> None:
    topology = lay_out(load("lenet5"))
    one = compile(topology, initialise(topology), threads=1)
    launch = one._runner.launch
    x = np.random.default_rng(0).random((16, 1, 28, 28), dtype=np.float32)
    found = step_seconds(one, x, np.arange(16) % 10, SGD(0.01), seconds=0.05)
    assert one._runner.launch is launch
    assert {name for name, _ in found} == {REST, *(step.population for step in one.plan.steps)}
    assert {phase for name, phase in found if name is REST} == {"forward", "backward", "call"}
    for phase in ("forward", "backward"):
        assert all(found[name, phase] > 0 for name in ("conv1", "conv2", "fc1"))  # a pool may run inside another step
        assert found["conv2", phase] > found["fc3", phase]


def test_without_a_target_nothing_goes_backward() -> None:
    found = step_seconds(program(), samples(8)[0], None, SGD(0.1), seconds=0.02)
    assert found["conv", "forward"] > 0
    assert all(seconds == 0 for (_, phase), seconds in found.items() if phase == "backward")
