"""Two trainings in one folder: the second is refused, and told who holds it; nobody has to clear away after a crash."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_runs import run_at
from test_run_kills import forked

from neurograph.errors import RunError
from neurograph.training import locks
from neurograph.training.locks import Lock

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="another process is made by fork")


@contextmanager
def held_by_another(folder: Path) -> Iterator[int]:
    """The lock is held by another process; its number."""
    reading, writing = os.pipe()

    def hold() -> None:
        with Lock(folder):
            os.write(writing, b"held")
            time.sleep(60)

    child = forked(hold)
    assert os.read(reading, 4) == b"held"
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


def refused(folder: Path) -> str:
    with pytest.raises(RunError) as caught, Lock(folder):
        pass
    return str(caught.value)


@needs_fork
def test_the_second_is_refused_and_told_who_holds_it_until_he_is_no_more(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as child:
        assert refused(tmp_path) == (
            f"{tmp_path}: another training is going on here: process {child} on {socket.gethostname()}. "
            f"Wait for it, or stop it."
        )
    assert (tmp_path / ".lock").exists()  # it was killed
    with Lock(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()} {socket.gethostname()}\n"
        assert "going on here: this process." in refused(tmp_path)
    assert os.listdir(tmp_path) == []


def test_another_machine_is_believed(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("17 elsewhere\n")
    assert refused(tmp_path).endswith(
        f"going on here: process 17 on elsewhere. Wait for it, or stop it; if it trains no more, which cannot be seen from here, "
        f"remove {tmp_path / '.lock'}."
    )
    assert (tmp_path / ".lock").read_text() == "17 elsewhere\n"


@pytest.mark.parametrize("text", ["", "x y\n", "9" * 40, "\x00\xff", "12"])
def test_a_lock_that_says_nothing_is_taken(tmp_path: Path, text: str) -> None:
    (tmp_path / ".lock").write_text(text)
    with Lock(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()} {socket.gethostname()}\n"


@needs_fork
def test_where_the_file_system_has_no_locks_the_process_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(locks.NO_LOCKS[0], "No locks available")

    monkeypatch.setattr(locks, "flock", none)
    with held_by_another(tmp_path) as child:
        assert f"process {child} on" in refused(tmp_path)
    with Lock(tmp_path):
        assert str(os.getpid()) in (tmp_path / ".lock").read_text()


def test_a_lock_removed_by_hand_is_left_to_the_next(tmp_path: Path) -> None:
    first = Lock(tmp_path)
    with first:
        (tmp_path / ".lock").unlink()
        with Lock(tmp_path):
            pass


def test_what_a_killed_saver_left_is_cleared_away(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a")
    (run.folder / ".last.safetensors.17.tmp").write_bytes(b"half")
    with run.lock():
        assert not (run.folder / ".last.safetensors.17.tmp").exists()


def test_eight_at_once_are_one_at_a_time(tmp_path: Path) -> None:
    """Each of eight threads takes the lock when it can, and adds one to a number; every lock has a file of its own."""
    (tmp_path / "run").mkdir()
    total = [0]

    def add_five() -> None:
        done = 0
        while done < 5:
            try:
                with Lock(tmp_path / "run"):
                    seen = total[0]
                    time.sleep(0.001)
                    total[0] = seen + 1
                    done += 1
            except RunError:
                time.sleep(0.001)

    threads = [threading.Thread(target=add_five) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert total == [40]
    assert os.listdir(tmp_path / "run") == []
