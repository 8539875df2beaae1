"""A training has the same bits whether it was resumed or not, and with any number of threads, for every optimiser and schedule."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written import drawn, graph_of

import neurograph as ng
from neurograph.kernels.jit import COMPILED
from neurograph.training.schedules import Cosine, Exponential, Linear, Plateau, Schedule, Step, Warmup

pytestmark = pytest.mark.skipif(not COMPILED, reason="plain Python has no threads, and takes minutes")

ROOT = Path(__file__).resolve().parent.parent
MAKERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: ng.SGD(0.1),
    "nesterov": lambda: ng.SGD(0.1, momentum=0.9, nesterov=True, l1=0.5),
    "classical": lambda: ng.SGD(0.1, momentum=0.9, form="classical", weight_decay=0.1),
    "adagrad": lambda: ng.AdaGrad(0.1, l2=0.5),
    "rmsprop": lambda: ng.RMSProp(0.01, momentum=0.5, clip_value=0.1),
    "adam": lambda: ng.Adam(0.01, clip_norm=0.5),
    "adamw": lambda: ng.AdamW(0.01, weight_decay=0.1),
}
SCHEDULES: list[Schedule] = [
    Linear(),
    Cosine(0.1),
    Step(1, 0.5),
    Exponential(0.9),
    Plateau(patience=1, gamma=0.5),
    Warmup(7, Plateau(patience=1, gamma=0.5)),
    Warmup(3, Cosine()),
]
LAYERS = [
    {"kind": "conv", "name": "c", "filters": 3, "kernel": 3, "activation": "relu"},
    {"kind": "dense", "name": "h", "units": 40, "activation": "tanh"},
    {"kind": "dense", "name": "o", "units": 3},
]


def program(threads: int = 1) -> Any:
    graph = graph_of([1, 6, 6], LAYERS, {"kind": "cross_entropy"})
    return ng.compile(graph, drawn(graph), "float32", threads)


def samples() -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    return random.standard_normal((70, 1, 6, 6)).astype(np.float32), random.integers(0, 3, 70)


def digest(params: Any, optimizer: Any) -> str:
    """Of all weights and all that is remembered."""
    arrays = {**dict(params), **optimizer.state()}
    return hashlib.sha256(b"".join(key.encode() + arrays[key].tobytes() for key in sorted(arrays))).hexdigest()


@pytest.mark.parametrize(
    ("make", "schedule"),
    [(make, SCHEDULES[number % len(SCHEDULES)]) for number, make in enumerate(MAKERS.values())],
    ids=[f"{name}-{type(SCHEDULES[i % len(SCHEDULES)]).__name__}" for i, name in enumerate(MAKERS)],
)
@pytest.mark.parametrize("batch_size", [32, 1])
def test_a_resumed_training_has_the_same_bits(make: Callable[[], Any], schedule: Schedule, batch_size: int) -> None:
    """With batches of 1, whole runs of steps are compiled calls where the rate stays; the last batch of 32 is short."""
    (x, y), options = samples(), {"epochs": 3, "batch_size": batch_size, "seed": 3, "schedule": schedule}
    options["validation"] = (x[:20], y[:20])
    whole, optimizer, kept = program(), make(), []

    def keep(history: Any) -> None:
        values = {name: np.array(value) for name, value in whole.params.items()}
        kept.append((values, optimizer.state(), type(history)(list(history.epochs))))

    expected = ng.fit(whole, x, y, optimizer=optimizer, on_epoch=keep, **options)
    for values, state, history in kept[1:2]:
        resumed, second = program(), make()
        resumed.params.update(values)
        second.load_state(state)
        found = ng.fit(resumed, x, y, optimizer=second, history=history, **options)
        assert digest(resumed.params, second) == digest(whole.params, optimizer)
        assert [e.learning_rate for e in found.epochs] == [e.learning_rate for e in expected.epochs]


def digests(threads: int) -> list[str]:
    """One digest an optimiser, after steps of batches that fill four slots, one slot and a part of one."""
    (x, y), found = samples(), []
    for make in MAKERS.values():
        engine, optimizer = program(threads), make()
        optimizer.train_on(70)
        for size in (70, 20, 5, 1, 64):
            engine.train_step(x[:size], y[:size], optimizer)
        found.append(digest(engine.params, optimizer))
    return found


def test_every_optimizer_has_one_digest_whatever_the_threads() -> None:
    """In a process that is allowed 8 threads on any machine, against one thread here."""
    child = "from tests.test_optimizer_bits import digests\nfor n in (2, 4, 8):\n    print(*digests(n))\n"
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", child],
        env={**os.environ, "PYTHONPATH": paths, "NUMBA_NUM_THREADS": "8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [digests(1)] * 3
