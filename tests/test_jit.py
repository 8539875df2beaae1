"""The one place of Numba's flags: what they keep, that nothing loads Numba early, and threads beside each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neurograph.kernels import jit

ROOT = Path(__file__).resolve().parent.parent
SMALL_RUN = """
import neurograph as ng, numpy as np
g = ng.NeuronGraph()
g.add_input("x"); g.add_neuron("o", activation="relu", bias="b"); g.connect("x", "o", weight="w", value=2.0)
g.set_outputs(["o"], loss="mse")
program = ng.compile(g, ng.initialise(g), threads=1)
print(program.forward([[1.0], [-1.0], [float("nan")]]).tolist(), program.backprop([[1.0]], [[0.0]]).loss)
"""
ANSWER = "[[2.0], [0.0], [nan]] 4.0"


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=ROOT,
    )


def test_flags_keep_nan_and_infinity() -> None:
    assert set(jit.FLAGS) == {"reassoc", "contract", "nsz", "arcp"}


@pytest.mark.parametrize(
    "names", ["neurograph", "neurograph.compiler", "neurograph.compiler.bind", "neurograph.training", "neurograph.cli"]
)
def test_importing_does_not_load_numba(names: str) -> None:
    found = run(f"import {names}, sys; import neurograph as ng; ng.compile, ng.plan; print('numba' in sys.modules)")
    assert (found.stdout, found.stderr) == ("False\n", "")


def test_kernels_also_run_as_plain_python(tmp_path: Path) -> None:
    found = run(SMALL_RUN, NUMBA_DISABLE_JIT="1", XDG_CACHE_HOME=str(tmp_path))
    assert (found.stdout.strip(), found.stderr) == (ANSWER, "")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not jit.COMPILED, reason="plain Python runs in one thread at a time")
def test_three_python_threads_may_run_programs_at_once() -> None:
    code = (
        SMALL_RUN
        + """
import threading
x = np.linspace(-1, 1, 500)[:, None]
expected = program.forward(x)
wrong = []
def work():
    for _ in range(30):
        if not np.array_equal(program_of_thread().forward(x), expected):
            wrong.append(1)
def program_of_thread():
    return ng.compile(g, ng.initialise(g), threads=2)
threads = [threading.Thread(target=work) for _ in range(3)]
[t.start() for t in threads]; [t.join() for t in threads]
print("wrong", len(wrong))
"""
    )
    found = run(code, NUMBA_THREADING_LAYER="workqueue")
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[-1] == "wrong 0"
