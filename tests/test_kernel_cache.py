"""The files that compiled kernels are kept in: damaged, planted, crowded, or not writable at all, the answers stay right."""

from __future__ import annotations

import os
import pickle
import platform
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import pytest

from neurograph.kernels import cache, jit, processor
from neurograph.kernels.cache import BEING_WRITTEN, SUFFIX, KernelFiles

ROOT = Path(__file__).resolve().parent.parent
SMALL_RUN = """
import neurograph as ng, numpy as np
g = ng.NeuronGraph()
g.add_input("x"); g.add_neuron("o", activation="relu", bias="b"); g.connect("x", "o", weight="w", value=2.0)
g.set_outputs(["o"], loss="mse")
program = ng.compile(g, ng.initialise(g), threads=1)
print(program.forward([[1.0], [-1.0], [float("nan")]]).tolist(), program.backprop([[1.0]], [[0.0]]).loss)
"""
ANSWER = "[[2.0], [0.0], [nan]] 4.0\n"
KEY = ("float64(float64)", ("x86_64", "znver4", "+avx512f"), ("code", "closure"))
DATA = {"machine": b"code" * 20, "numbers": (1, 2.5)}
ADVICE = "Set XDG_CACHE_HOME to a folder of your own with room to write."
compiled_only = pytest.mark.skipif(not jit.COMPILED, reason="plain Python keeps no compiled code")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines said so far, as in a new process."""
    monkeypatch.setattr(cache, "_said", set())
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.fixture
def files(tmp_path: Path, said: Any) -> KernelFiles:
    return KernelFiles(tmp_path / "kernels", "nests.dot")


# -- one file ---------------------------------------------------------------------------------------------------------
def test_what_is_saved_is_loaded_by_its_key_alone(files: KernelFiles, said: Any) -> None:
    assert files.load(KEY) is None
    files.save(KEY, DATA)
    assert files.load(KEY) == DATA
    assert files.load(("float32(float32)", *KEY[1:])) is None
    assert KernelFiles(files.folder, "nests.other").load(KEY) is None
    assert [stat.S_IMODE(path.stat().st_mode) for path in (files.folder, files.path(KEY))] == [0o700, 0o600]
    assert said() == []


def test_every_truncation_and_every_flipped_bit_is_found_before_it_is_unpickled(
    files: KernelFiles, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.save(KEY, DATA)
    whole = files.path(KEY).read_bytes()
    flipped = [bytearray(whole) for _ in range(8 * len(whole))]
    for bit, content in enumerate(flipped):
        content[bit // 8] ^= 1 << bit % 8
    monkeypatch.setattr(cache, "pickle", None)
    for damaged in [*(whole[:n] for n in range(len(whole))), whole + b"\0", *flipped]:
        files.path(KEY).write_bytes(damaged)
        assert files.load(KEY) is None
        assert not files.path(KEY).exists()
    assert said() == [f"{files.folder}: damaged kernels were deleted and are compiled anew."]


def test_file_under_anothers_name_is_not_loaded(files: KernelFiles) -> None:
    other = ("float32(float32)", *KEY[1:])
    files.save(KEY, DATA)
    files.path(KEY).rename(files.path(other))
    assert files.load(other) is None


@pytest.mark.parametrize("plant", ["symlink", "open to others", "somebody else's", "folder"])
def test_planted_file_is_not_read(files: KernelFiles, plant: str, monkeypatch: pytest.MonkeyPatch, said: Any) -> None:
    files.save(KEY, DATA)
    path = files.path(KEY)
    if plant == "symlink":
        path.rename(path.with_suffix(".elsewhere"))
        path.symlink_to(path.with_suffix(".elsewhere"))
    elif plant == "open to others":
        path.chmod(0o666)
    elif plant == "folder":
        path.unlink()
        path.mkdir()
    else:
        monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
    monkeypatch.setattr(cache, "pickle", None)
    assert files.load(KEY) is None
    (line,) = said()
    assert line.startswith(f"{path}: a compiled kernel was not read (")


@pytest.mark.parametrize("failing", ["tempfile.mkstemp", "os.replace", "open"])
def test_failed_write_leaves_what_was_there_and_one_line(
    files: KernelFiles, failing: str, monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    files.save(KEY, DATA)

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if failing == "open":
            patch.setattr(cache, "open", full, raising=False)
        else:
            patch.setattr(failing, full)
        files.save(KEY, "newer")
        files.save((*KEY, "another"), "newer")
    assert files.load(KEY) == DATA
    assert [path.name for path in files.folder.iterdir()] == [files.path(KEY).name]
    problem = "compiled kernels are not kept, so every start compiles them anew: No space left on device"
    assert said() == [f"{files.folder}: {problem}. {ADVICE}"]


# -- what code depends on ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (cache, "__version__", "0.0.0"),
        (cache, "source_stamp", lambda: "other sources"),
        (numba, "__version__", "0.1"),
        (llvmlite, "__version__", "0.1"),
        (platform, "python_version", lambda: "3.99.0"),
        (platform, "python_implementation", lambda: "PyPy"),
        *[(numba.config, name, "changed") for name in cache.OPTIONS],
    ],
)
def test_another_maker_means_another_file(
    files: KernelFiles, where: Any, name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files.path(KEY)
    monkeypatch.setattr(where, name, value)
    assert files.path(KEY) != before


@pytest.mark.parametrize("part", [0, 1, 2])
def test_signature_processor_and_code_are_in_the_key(files: KernelFiles, part: int) -> None:
    changed = [*KEY]
    changed[part] = ("x86_64", "znver4", "-avx512f") if part == 1 else "changed"
    assert files.path(tuple(changed)) != files.path(KEY)


def test_key_says_processor_and_features_as_numba_tells_llvm(monkeypatch: pytest.MonkeyPatch) -> None:
    described = processor.described.__wrapped__
    assert described() == numba.core.registry.cpu_target.target_context.codegen().magic_tuple()
    monkeypatch.setattr(numba.config, "CPU_NAME", "znver9")
    monkeypatch.setattr(numba.config, "CPU_FEATURES", "-avx512f")
    assert described()[1:] == ("znver9", "-avx512f")


def test_changed_source_makes_a_new_stamp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stamp = cache.source_stamp.__wrapped__
    (tmp_path / "nests.py").write_text("a = 1")
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    first = stamp()
    (tmp_path / "nests.py").write_text("a = 2")
    assert stamp() != first


# -- the folder -------------------------------------------------------------------------------------------------------
def folder_in(base: Path, monkeypatch: pytest.MonkeyPatch) -> Path | None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(base))
    return cache.cache_folder.__wrapped__()


def test_folder_is_made_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Any) -> None:
    folder = folder_in(tmp_path / "new" / "base", monkeypatch)
    assert folder == tmp_path / "new" / "base" / "neurograph" / "kernels"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert said() == []


PRIVATE = "it is not a folder of this user alone (mode 0700)"


@pytest.mark.parametrize(
    ("trouble", "problem"),
    [
        ("mode 0777", PRIVATE),
        ("mode 0755", PRIVATE),
        ("symlink", PRIVATE),
        ("somebody else's", PRIVATE),
        ("file in the way", "Not a directory"),
        ("read-only", "Read-only file system"),
    ],
)
def test_folder_that_cannot_be_trusted_or_made_is_left_alone(
    trouble: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    folder = tmp_path / "neurograph" / "kernels"
    folder.mkdir(parents=True, mode=0o700)
    if trouble.startswith("mode"):
        folder.chmod(int(trouble.split()[1], 8))
    elif trouble == "symlink":
        folder.rename(tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere")
    elif trouble == "somebody else's":
        monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    elif trouble == "file in the way":
        shutil.rmtree(tmp_path / "neurograph")
        (tmp_path / "neurograph").write_text("")
    else:

        def refuse(*_: Any, **__: Any) -> None:
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(Path, "mkdir", refuse)
    assert folder_in(tmp_path, monkeypatch) is None
    assert said() == [
        f"{folder}: compiled kernels are not kept, so every start compiles them anew: {problem}. {ADVICE}"
    ]


def test_relative_folders_are_nobodys_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert folder_in(Path("here"), monkeypatch) == tmp_path / "home" / ".cache" / "neurograph" / "kernels"
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # no HOME, and a user the system does not know
    assert folder_in(Path(""), monkeypatch) is None
    assert [line.split(": ")[2] for line in said()] == [f"there is no home folder. {ADVICE}"]
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_folder_keeps_what_was_used_last(files: KernelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.folder.mkdir(mode=0o700)
    now, day = time.time(), 86_400.0
    for age in range(1, 9):
        path = files.folder / f"old.{age}{SUFFIX}"
        path.write_bytes(bytes(100))
        os.utime(path, (now - age * day, now - age * day))
    for name, age in (("killed", 2.0 * cache.ABANDONED), ("busy", 10.0)):
        path = files.folder / f"{name}{BEING_WRITTEN}"
        path.write_bytes(b"")
        os.utime(path, (now - age, now - age))
    cache._tidy.cache_clear()
    monkeypatch.setattr(cache, "ROOM", 570)
    files.save(KEY, bytes(100))
    left = {path.name for path in files.folder.iterdir()}
    assert left - {files.path(KEY).name} == {*(f"old.{age}{SUFFIX}" for age in range(1, 5)), f"busy{BEING_WRITTEN}"}


def test_loading_counts_as_use(files: KernelFiles) -> None:
    files.save(KEY, DATA)
    for age, fresh in ((10.0, False), (2 * cache.ABANDONED, True)):
        then = time.time() - age
        os.utime(files.path(KEY), (then, then))
        files.load(KEY)
        assert (files.path(KEY).stat().st_mtime > then + 1) == fresh


def test_flush_deletes_the_files_of_one_kernel(files: KernelFiles) -> None:
    other = KernelFiles(files.folder, "nests.other")
    for kept in (files, other):
        kept.save(KEY, DATA)
    files.flush()
    assert (files.load(KEY), other.load(KEY)) == (None, DATA)


# -- processes --------------------------------------------------------------------------------------------------------
def start(code: str, base: Path | str, *arguments: str) -> subprocess.Popen[str]:
    """Python in a process of its own, with its cache below `base`."""
    return subprocess.Popen(
        [sys.executable, *(arguments or ("-c", code))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(base)},
        cwd=ROOT,
    )


def run(code: str, base: Path | str, *arguments: str) -> tuple[str, str]:
    """What it printed on stdout and stderr."""
    return start(code, base, *arguments).communicate(timeout=240)


def kernels(base: Path) -> dict[str, int]:
    """Name → time of writing."""
    return {path.name: path.stat().st_mtime_ns for path in (base / "neurograph" / "kernels").iterdir()}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that one process has filled."""
    base = tmp_path_factory.mktemp("cache")
    assert run(SMALL_RUN, base) == (ANSWER, "")
    assert all(name.endswith(SUFFIX) for name in kernels(base))
    return base


@compiled_only
def test_second_start_compiles_nothing(filled: Path) -> None:
    before = kernels(filled)
    assert len(before) > 3
    assert run(SMALL_RUN, filled) == (ANSWER, "")
    assert kernels(filled) == before


START = """
import sys
import neurograph as ng
topology = ng.lay_out(ng.load("four"))
program = ng.compile(topology, ng.initialise(topology, seed=0), threads=1)
x = [[[[0.5] * 6] * 6]] * 8
loss = [program.train_step(x, [0, 1] * 4, ng.SGD(0.1)) for _ in range(3)]
print(loss)
print([name for name in ("networkx", "numba.np.linalg", "numba.np.arraymath", "scipy.linalg") if name in sys.modules])
"""


@compiled_only
def test_warm_start_loads_nothing_that_only_compiling_or_a_graph_needs(tmp_path: Path) -> None:
    cold, warm = (run(START, tmp_path)[0].splitlines() for _ in range(2))
    assert warm[0] == cold[0]
    assert "numba.np.linalg" in cold[1]
    assert warm[1] == "[]"


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "random": lambda content: random.Random(0).randbytes(len(content)),
    "a valid pickle": lambda content: pickle.dumps("planted"),
}


@compiled_only
@pytest.mark.parametrize(
    "damage", ["truncated", *(pytest.param(name, marks=pytest.mark.slow) for name in list(DAMAGES)[1:])]
)
def test_all_files_damaged_cost_one_line_and_one_compilation(filled: Path, damage: str) -> None:
    folder = filled / "neurograph" / "kernels"
    for path in folder.iterdir():
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert run(SMALL_RUN, filled) == (ANSWER, f"{folder}: damaged kernels were deleted and are compiled anew.\n")
    assert run(SMALL_RUN, filled) == (ANSWER, "")


@compiled_only
def test_command_line_says_in_one_plain_line_that_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out, err = run(
        "", tmp_path / "file", "-m", "neurograph", "train", "xor", "--epochs", "1", "--out", str(tmp_path / "r")
    )
    where = tmp_path / "file" / "neurograph" / "kernels"
    problem = "compiled kernels are not kept, so every start compiles them anew: Not a directory"
    assert [line for line in err.splitlines() if "kernels" in line] == [f"{where}: {problem}. {ADVICE}"]
    assert "Warning" not in err
    assert "Traceback" not in err
    assert out


READ_ONLY = """
import tempfile
def refuse(*_, **__):
    raise OSError(30, "Read-only file system")
tempfile.mkstemp = refuse
"""


@compiled_only
def test_read_only_cache_is_read(filled: Path) -> None:
    assert run(READ_ONLY + SMALL_RUN, filled) == (ANSWER, "")


SMALL_FILES = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000))
"""


@compiled_only
@pytest.mark.slow
@pytest.mark.parametrize(("preamble", "why"), [(READ_ONLY, "Read-only file system"), (SMALL_FILES, "File too large")])
def test_write_errors_cost_a_line_and_leave_no_part(tmp_path: Path, preamble: str, why: str) -> None:
    out, err = run(preamble + SMALL_RUN, tmp_path)
    folder = tmp_path / "neurograph" / "kernels"
    problem = f"compiled kernels are not kept, so every start compiles them anew: {why}"
    assert (out, err) == (ANSWER, f"{folder}: {problem}. {ADVICE}\n")
    assert all(name.endswith(SUFFIX) for name in kernels(tmp_path))
    assert run(SMALL_RUN, tmp_path) == (ANSWER, "")


@compiled_only
@pytest.mark.slow
def test_eight_cold_processes_at_once_fill_one_cache(tmp_path: Path) -> None:
    runs = [start(SMALL_RUN, tmp_path) for _ in range(8)]
    assert [one.communicate(timeout=600) for one in runs] == [(ANSWER, "")] * 8
    before = kernels(tmp_path)
    assert all(name.endswith(SUFFIX) for name in before)
    assert run(SMALL_RUN, tmp_path) == (ANSWER, "")
    assert kernels(tmp_path) == before


@compiled_only
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_killed_process_leaves_a_cache_that_works(tmp_path: Path, seed: int) -> None:
    killed = start(SMALL_RUN, tmp_path)
    time.sleep(random.Random(seed).uniform(0.8, 4.0))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert run(SMALL_RUN, tmp_path) == (ANSWER, "")
    assert run(SMALL_RUN, tmp_path) == (ANSWER, "")
