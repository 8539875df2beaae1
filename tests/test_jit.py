"""The one place of Numba's flags: what they keep, where compiled code lies, and what happens when it cannot."""

from __future__ import annotations

import os
import stat
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


# -- compiled kernels on disk ------------------------------------------------------------------------------------------
compiled_only = pytest.mark.skipif(not jit.COMPILED, reason="plain Python keeps no compiled code")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that one process has filled."""
    base = tmp_path_factory.mktemp("cache")
    found = run(SMALL_RUN, XDG_CACHE_HOME=str(base))
    assert (found.stdout.strip(), found.stderr) == (ANSWER, "")
    return base


@compiled_only
def test_folder_is_the_owners_alone(filled: Path) -> None:
    folder = filled / "neurograph" / "kernels"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.glob("*.nbi"))


@compiled_only
def test_second_start_compiles_nothing(filled: Path) -> None:
    folder = filled / "neurograph" / "kernels"
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    found = run(SMALL_RUN, XDG_CACHE_HOME=str(filled))
    assert found.stdout.strip() == ANSWER
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@compiled_only
@pytest.mark.parametrize("damage", [b"not a pickle at all", None])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_damaged_file_is_deleted_and_compiled_anew(filled: Path, suffix: str, damage: bytes | None) -> None:
    folder = filled / "neurograph" / "kernels"
    victim = sorted(folder.glob(f"*.{suffix}"))[0]
    victim.write_bytes(victim.read_bytes()[:-20] if damage is None else damage)
    found = run(SMALL_RUN, XDG_CACHE_HOME=str(filled))
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == ANSWER
    assert "a damaged kernel was deleted and is compiled anew" in found.stderr
    healed = run(SMALL_RUN, XDG_CACHE_HOME=str(filled))
    assert (healed.stdout.strip(), healed.stderr) == (ANSWER, "")


@compiled_only
def test_folder_open_to_others_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "neurograph" / "kernels"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    found = run(SMALL_RUN, XDG_CACHE_HOME=str(tmp_path))
    assert found.stdout.strip() == ANSWER
    assert found.stderr.count("compiled kernels are not kept") == 1
    assert not list(folder.iterdir())


@compiled_only
def test_no_folder_at_all_means_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = run(SMALL_RUN, XDG_CACHE_HOME=str(tmp_path / "file"))
    assert found.stdout.strip() == ANSWER
    assert found.stderr.count("compiled kernels are not kept") == 1


@compiled_only
def test_changed_source_makes_a_new_stamp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stamp = jit.source_stamp.__wrapped__
    (tmp_path / "nests.py").write_text("a = 1")
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    first = stamp()
    (tmp_path / "nests.py").write_text("a = 2")
    assert stamp() != first


@compiled_only
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
