"""Timing step by step: the same numbers as the program's own walk, and every instruction booked to its step."""

from __future__ import annotations

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


def test_every_step_takes_time_forward_and_those_with_weights_backward() -> None:
    one = program()
    launch = one._runner.launch
    found = step_seconds(one, *samples(32), SGD(0.1), seconds=0.05)
    assert one._runner.launch is launch
    assert set(found) == {(step.population, "forward") for step in one.plan.steps} | {
        *((step.population, "backward") for step in one.plan.steps if (step.population, "backward") in found),
        *((REST, phase) for phase in ("forward", "backward", "call")),
    }
    assert all(found[name, "forward"] > 0 for name in ("conv", "pool", "hidden"))
    assert all(found[name, "backward"] > 0 for name in ("conv", "hidden", "out"))
    assert 0 < sum(found.values()) < 1


def test_without_a_target_nothing_goes_backward() -> None:
    found = step_seconds(program(), samples(8)[0], None, SGD(0.1), seconds=0.02)
    assert found["conv", "forward"] > 0
    assert all(seconds == 0 for (_, phase), seconds in found.items() if phase == "backward")
