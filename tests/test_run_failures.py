"""A full disk, a file that may not grow, no permission, no memory: one line, and what was kept before is whole."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from small_runs import PATHS, content, history, params, run_at

from neurograph.cli import main
from neurograph.errors import RunError, SaveError
from neurograph.training import Run, load_run

FULL = OSError(28, "No space left on device")


@contextmanager
def failing_at(call: int, names: tuple[str, ...] = ("fsync", "replace")) -> Iterator[list[int]]:
    """The so-and-so-many-th of these calls fails, and so does what comes after it: a disk stays full."""
    count = [0]

    def failing(real: Any) -> Any:
        def called(*arguments: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] >= call:
                raise FULL
            return real(*arguments, **options)

        return called

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, failing(getattr(os, name)))
        yield count


class FullDisk(io.FileIO):
    """A file of which so many bytes can be written."""

    room = 0

    def write(self, data: Any) -> int:
        if FullDisk.room < len(data):
            raise FULL
        FullDisk.room -= len(data)
        return super().write(data)


def saved(run: Run) -> SaveError | None:
    """Save a new state; what went wrong."""
    try:
        run.save(params(2), {}, history(0.5, 0.6))
    except SaveError as error:
        return error
    return None


def told(error: SaveError | None) -> tuple[str, int] | None:
    return None if error is None else (str(error), error.exit_code)


def test_whichever_call_fails_the_old_state_or_the_new_one_is_there(tmp_path: Path) -> None:
    for call in range(1, 100):
        run = run_at(tmp_path / str(call))
        run.save(params(1), {}, history(0.5))
        before = content(load_run(run.folder).checkpoint)
        with failing_at(call) as count:
            error = saved(run)
        assert (error is None) == (count[0] < call)
        assert told(error) in (None, (f"{run.folder}: the checkpoint cannot be written: No space left on device.", 1))
        read = load_run(run.folder)
        assert read.notice is None
        assert content(read.checkpoint) == before or len(read.history) == 2
        assert not list(run.folder.glob(".*.tmp"))
        if count[0] < call:
            break
    assert call > 9  # three files of fsync, rename, fsync of the folder; and a link


@pytest.mark.parametrize("room", range(0, 6000, 500))
def test_wherever_the_disk_is_full_the_old_state_or_the_new_one_is_there(tmp_path: Path, room: int) -> None:
    run = run_at(tmp_path / "a")
    run.save(params(1), {}, history(0.5))
    before = content(load_run(run.folder).checkpoint)

    def opened(path: Any, mode: str = "r", **options: Any) -> Any:
        return FullDisk(path, mode) if "w" in mode else io.open(path, mode, **options)  # noqa: UP020  the real one

    FullDisk.room = room
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.open", opened)
        error = saved(run)
    assert told(error) in (None, (f"{run.folder}: the checkpoint cannot be written: No space left on device.", 1))
    read = load_run(run.folder)
    assert content(read.checkpoint) == before or len(read.history) == 2
    assert not list(run.folder.glob(".*.tmp"))


def test_a_full_disk_stops_training_with_exit_code_1_and_the_way_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    arguments = ["train", "mazur", "--engine", "textbook", "--epochs", "30", "--save-every", "0", "--quiet"]
    real, calls = Run.write, [0]

    def write(self: Run, *checkpoints: Any) -> None:
        calls[0] += 1
        with failing_at(1 if calls[0] == 3 else 10_000):
            real(self, *checkpoints)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "write", write)
        assert main([*arguments, "--out", str(folder)]) == 1
    assert capsys.readouterr().err == (
        f"{folder}: the checkpoint cannot be written: No space left on device. Training stopped; what was kept before is whole: "
        f"1 epoch and 1 batch of the next. Make room, then go on with: neurograph train --resume {folder}\n"
    )
    assert main(["train", "--resume", str(folder), "--quiet"]) == 0
    assert main([*arguments, "--out", str(tmp_path / "whole")]) == 0
    assert content(load_run(folder).checkpoint) == content(load_run(tmp_path / "whole").checkpoint)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    for out, what in ((tmp_path / "file" / "run", f"{tmp_path / 'file'} is not a folder."), (Path("/proc/run"), "")):
        if not what and not Path("/proc/self").exists():
            continue
        assert main(["train", "mazur", "--engine", "textbook", "--epochs", "1", "--out", str(out)]) == 2
        shown = capsys.readouterr().err.splitlines()
        assert len(shown) == 1
        assert shown[0].startswith(f"{out}: the run folder cannot be made: {what}")


def test_a_run_in_a_folder_without_permission_is_one_line(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
        with pytest.raises(RunError) as caught, run.lock():
            pass
    assert str(caught.value) == f"{run.folder}: nothing can be written here: Permission denied."


# -- limits of the system -----------------------------------------------------------------------------------------------
LIMITED = """
import resource, signal, sys
import numpy as np
import neurograph.training, neurograph.reference, neurograph.cli.train, neurograph.spec, neurograph.graph.build
from neurograph.cli import main
kind, room, *arguments = sys.argv[1:]
if kind == "AS":
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + int(room), -1))
else:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), -1))
sys.exit(main(arguments))
"""
WIDE = 'name = "wide"\ninput = [64]\n[[layer]]\nname = "out"\nkind = "dense"\nunits = 300\n[loss]\nkind = "mse"\n[train]\nepochs = 9\n'


def limited(kind: str, room: int, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LIMITED, kind, str(room), *arguments]
    return subprocess.run(command, env={**PATHS, **more}, capture_output=True, text=True, timeout=120, check=False)


linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="limits are set as Linux has them")


@linux
def test_a_file_that_may_not_grow_leaves_what_was_kept(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert main(["train", "mazur", "--engine", "textbook", "--epochs", "1", "--quiet", "--out", str(folder)]) == 0
    before = content(load_run(folder).checkpoint)
    assert (folder / "arguments.json").stat().st_size < 2500 < (folder / "last.safetensors").stat().st_size
    done = limited("FSIZE", 2500, "train", "--resume", str(folder), "--epochs", "2", "--quiet")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done
    assert done.stderr.startswith(f"{folder}: the checkpoint cannot be written: File too large.")
    assert content(load_run(folder).checkpoint) == before


@linux
@pytest.mark.parametrize("room", [16, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 4, 32, 64))])
def test_too_little_memory_is_one_line(tmp_path: Path, room: int) -> None:
    """Training neuron by neuron on 1,437 samples, with so many MB more than the program itself takes."""
    folder, spec = tmp_path / "run", tmp_path / "wide.toml"
    units = WIDE.replace('"mse"', '"cross_entropy"')
    spec.write_text(units)
    arguments = [
        "train",
        str(spec),
        "--data",
        "digits",
        "--engine",
        "textbook",
        "--batch-size",
        "1437",
        "--out",
        str(folder),
    ]
    done = limited("AS", room << 20, *arguments, OPENBLAS_NUM_THREADS="1")
    assert done.returncode == 2, done
    last = done.stderr.splitlines()[-1]  # whether for the samples, for a batch, or for a library amid
    assert "ot enough memory" in last, done
    assert "(--limit)" in last
    assert "Traceback" not in done.stderr
    if folder.exists():
        assert load_run(folder).notice is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_screen_that_takes_nothing_loses_nothing(tmp_path: Path) -> None:
    """Nor is a home needed."""
    homeless = {**PATHS, "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent/cache"}
    folder = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "neurograph.cli",
        "train",
        "mazur",
        "--engine",
        "textbook",
        "--epochs",
        "3",
        "--out",
        str(folder),
    ]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, env=homeless, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert load_run(folder).spec.name == "mazur"
