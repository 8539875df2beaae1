"""A second process compiles some of what is missing, where much is and a core idles; without it everything is made all the same."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neurograph.kernels import code as c
from neurograph.kernels import first_time, jit
from tests.test_kernel_cache import kernels, run

OPERATIONS = [c.FILL, c.CLEAR, c.LANES_DOT, c.WINNERS + c.HALF, c.PACK, c.UNPACK, c.UPDATE]


class Process(io.BytesIO):
    """What stands for the other process: it remembers what it is told."""

    told: Any = None
    ended = waited = False

    @property
    def stdin(self) -> Process:
        return self

    def close(self) -> None:
        self.told = json.loads(self.getvalue())

    def terminate(self) -> None:
        self.ended = True

    def wait(self) -> None:
        self.waited = True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """Jobs that this process has done; on an idle machine with nothing on disk."""
    done: list[int] = []
    monkeypatch.setattr(first_time, "make", lambda job, dtype, width: done.append(job))
    monkeypatch.setattr(first_time, "COMPILED", True)
    monkeypatch.setattr(first_time, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(first_time, "_is_kept", lambda *_: False)
    monkeypatch.setattr(first_time, "_core_idles", lambda: True)
    monkeypatch.setattr(first_time, "may_help", lambda: True)
    return done


def test_both_do_the_same_jobs_from_either_end(made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    process, commands = Process(), []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: (commands.append(command), process)[1])
    first_time.compile_at_once(OPERATIONS, "float32", 16)
    assert sorted(made) == sorted([*OPERATIONS, first_time.LAUNCH])
    assert process.told == [sys.path, made[::-1], "float32", 16]
    assert made[-1] == first_time.LAUNCH
    assert commands[0][:2] == [sys.executable, "-I"]
    assert process.ended


def test_where_two_meet_the_jobs_are_small(made: list[int]) -> None:
    sizes = [
        first_time._size(first_time.function_of(operation, 16)[0], set())
        for operation in first_time._big_ones_outside(OPERATIONS)
    ]
    middle = sizes.index(min(sizes))
    assert sizes[: middle + 1] == sorted(sizes[: middle + 1], reverse=True)
    assert sizes[middle:] == sorted(sizes[middle:])
    assert sorted(sizes)[-2:] == sorted([sizes[0], sizes[-1]])


@pytest.mark.parametrize("why", ["few", "kept", "busy", "embedded", "no folder", "plain Python"])
def test_otherwise_nothing_is_done_ahead(why: str, made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    answers = {"kept": "_is_kept", "busy": "_core_idles", "embedded": "may_help", "no folder": "cache_folder"}
    if why in answers:
        value = {"kept": True, "no folder": None}.get(why, False)
        monkeypatch.setattr(first_time, answers[why], lambda *_: value)
    if why == "plain Python":
        monkeypatch.setattr(first_time, "COMPILED", False)
    first_time.compile_at_once(OPERATIONS[: first_time.MANY - 1] if why == "few" else OPERATIONS, "float32", 16)
    assert made == []


@pytest.mark.parametrize("trouble", ["cannot start", "ends at once"])
def test_without_the_other_this_one_does_all(trouble: str, made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Process):
        def write(self, _: Any) -> int:
            raise BrokenPipeError(32, "Broken pipe")

        def close(self) -> None:
            """Nothing was told."""

    def popen(*_: Any, **__: Any) -> Process:
        if trouble == "cannot start":
            raise OSError(11, "Resource temporarily unavailable")
        return Gone()

    monkeypatch.setattr(subprocess, "Popen", popen)
    first_time.compile_at_once(OPERATIONS, "float32", 16)
    assert sorted(made) == sorted([*OPERATIONS, first_time.LAUNCH])


@pytest.mark.parametrize(
    ("executable", "may"),
    [("/usr/bin/python3.12", True), ("C:/Python/pythonw.exe", True), ("/opt/blender", False), ("", False)],
)
def test_only_a_python_may_be_started(executable: str, may: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert first_time.may_help() == may
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert not first_time.may_help()


@pytest.mark.parametrize(("content", "n"), [("0.1 0.2 0.3 3/412 99", 3), ("0.1", 1), ("a b c d/e", 1), (None, 1)])
def test_running_threads_are_read_where_the_system_says(
    content: str | None, n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_time, "LOADS", tmp_path / "loadavg")
    if content is not None:
        first_time.LOADS.write_text(content)
    assert first_time._running() == n


@pytest.mark.parametrize(("running", "cores", "idles"), [(1, 2, True), (2, 2, False), (1, 1, False), (7, 8, True)])
def test_core_idles_where_fewer_threads_run_than_there_are_cores(
    running: int, cores: int, idles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_time, "_running", lambda: running)
    monkeypatch.setattr(first_time.os, "sched_getaffinity", lambda _: range(cores), raising=False)
    assert first_time._core_idles() == idles


REAL = """
import time
from neurograph.kernels import first_time, code as c
from neurograph.kernels.cache import cache_folder
def leave_it(job, dtype, width):
    until = time.time() + 100
    while not any(path.name.startswith("packing.clear") for path in cache_folder().iterdir()) and time.time() < until:
        time.sleep(0.05)
first_time.make, first_time.MANY, first_time._core_idles = leave_it, 1, lambda: True
first_time.compile_at_once([c.CLEAR], "float32", 16)
"""


@pytest.mark.skipif(not jit.COMPILED, reason="plain Python compiles nothing")
def test_second_process_fills_the_same_cache(tmp_path: Path) -> None:
    assert run(REAL, tmp_path) == ("", "")
    names = sorted(name.split("-")[0] for name in kernels(tmp_path))
    assert names == ["interpret.run_slot", "interpret.run_stretch", "packing.clear"]
