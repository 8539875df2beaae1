"""The same bits, whatever the threads: one SHA-256 of all weights after twenty training steps."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written import drawn, graph_of

import neurograph as ng
from neurograph.kernels.jit import COMPILED
from tests.editing import edit

pytestmark = pytest.mark.skipif(not COMPILED, reason="plain Python has no threads")

ROOT = Path(__file__).resolve().parent.parent
STEPS = 20
BATCHES = (64, 64, 37, 5)
"""In turn: four slots, all of them with a last block that is short, and a batch too small for all slots."""


def lenet5() -> Any:
    return ng.lay_out(ng.load("lenet5"))


def grouped() -> Any:
    layers = [
        {"kind": "conv", "filters": 6, "kernel": 3, "groups": 2, "padding": 1, "activation": "relu"},
        {"kind": "conv", "filters": 4, "kernel": 3, "dilation": 2, "padding": 2, "groups": 2, "activation": "tanh"},
        {"kind": "depthwise", "kernel": 2, "multiplier": 2},
        {"kind": "maxpool", "window": 2},
        {"kind": "dense", "units": 3},
    ]
    return graph_of([2, 8, 8], layers, {"kind": "cross_entropy"})


def edited() -> Any:
    layers = [
        {"kind": "conv", "filters": 3, "kernel": 3, "activation": "relu"},
        {"kind": "maxpool", "window": 2},
        {"kind": "dense", "units": 3},
    ]
    words = ("delete edge", "delete edge", "retie", "remove neuron", "add neuron", "own weight", "retie")
    graph = graph_of([2, 8, 8], layers, {"kind": "cross_entropy"})
    return edit(graph, [(word, seed) for seed, word in enumerate(words)])


def fingerprint(network: Any, threads: int, innermost: str) -> str:
    """The weights' digest after training with momentum."""
    params = drawn(network) if isinstance(network, ng.NeuronGraph) else ng.initialise(network, seed=0)
    program = ng.compile(network, params, "float32", threads, innermost=innermost)
    optimizer, random = ng.SGD(0.01, momentum=0.9), np.random.default_rng(1)
    shape = (1, 28, 28) if not isinstance(network, ng.NeuronGraph) else (2, 8, 8)
    for step in range(STEPS):
        batch = BATCHES[step % len(BATCHES)]
        x = random.standard_normal((batch, *shape))
        program.train_step(x, random.integers(0, 3, batch), optimizer)
    digest = hashlib.sha256()
    for name in sorted(params, key=str):
        digest.update(str(name).encode() + np.ascontiguousarray(program.params[name]).tobytes())
    assert all(np.isfinite(program.params[name]).all() for name in params)
    return digest.hexdigest()


CHILD = """
from tests.test_determinism import MAKERS, fingerprint
for make in MAKERS:
    network = make()
    print(*[fingerprint(network, threads, {innermost!r}) for threads in (1, 2, 4, 8, 8)])
"""
MAKERS = (lenet5, grouped, edited)


@pytest.mark.parametrize("innermost", ["channels", "samples"])
def test_weights_have_one_digest_whatever_the_threads(innermost: str) -> None:
    """1, 2, 4 and 8 threads (twice) in a process that is allowed 8 on any machine, against one thread here."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(innermost=innermost)],
        env={**os.environ, "PYTHONPATH": paths, "NUMBA_NUM_THREADS": "8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for make, line in zip(MAKERS, done.stdout.splitlines(), strict=True):
        assert set(line.split()) == {fingerprint(make(), 1, innermost)}, make.__name__
