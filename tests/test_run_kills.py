"""Killed at any moment, a run loses nothing that was acknowledged, and goes on to the same bits."""

from __future__ import annotations

import hashlib
import os
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import content, history, params, run_at, spec_text, trained
from softmax_regression import SoftmaxRegression

from neurograph.data import digits
from neurograph.parameters import Parameters
from neurograph.training import SGD, Epoch, History, Run, fit, load_run
from neurograph.training.history import Begun

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nobody is killed here: no fork")

CALLS = ("open", "fsync", "replace", "link", "unlink", "close")
"""What a save asks the system for, besides writing into a file that has no name yet."""


def killed_at(call: int, act: Callable[[], object]) -> bool:
    """Do something in a child that is killed before the so-and-so-many-th system call; whether it came so far."""

    def counting() -> None:
        count = [0]
        for name in CALLS:
            setattr(os, name, _counted(getattr(os, name), count, call))
        act()

    code = os.waitstatus_to_exitcode(os.waitpid(forked(counting), 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


def forked(act: Callable[[], object]) -> int:
    """Do something in a child; its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer Pythons warn of fork beside threads
        child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def _counted(real: Any, count: list[int], call: int) -> Any:
    def counted(*arguments: Any, **options: Any) -> Any:
        count[0] += 1
        if count[0] == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)

    return counted


def test_killed_at_every_call_of_a_save_it_has_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    calls = 0
    for call in range(1, 100):
        run = run_at(tmp_path / str(call))
        run.save(params(1), {}, history(0.5))
        before = content(load_run(run.folder).checkpoint)
        was_killed = killed_at(call, lambda run=run: run.save(params(2), {}, history(0.5, 0.6)))  # type: ignore[misc]
        read = load_run(run.folder)
        assert read.notice is None
        after = content(read.checkpoint)
        assert after == before or after["value/out.bias"] == content_of_two()["value/out.bias"]
        with read.lock():
            assert not list(run.folder.glob(".*.tmp"))
        if not was_killed:
            break
        calls = call
    assert calls >= 12  # three files, each with its temporary, and a link


def content_of_two() -> dict[str, Any]:
    from neurograph.training.checkpoints import Checkpoint

    return content(Checkpoint.of(params(2), {}, History(), spec_text()))


def test_killed_at_every_call_a_new_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    for call in range(1, 100):
        folder = tmp_path / f"{call}" / "run"
        was_killed = killed_at(call, lambda folder=folder: run_at(folder))  # type: ignore[misc]
        if folder.exists():
            assert len(load_run(folder).history) == 0
        if not was_killed:
            break
        if not folder.exists():
            run_at(folder)  # what is left of the first try is cleared away
            assert os.listdir(folder.parent) == ["run"]
    assert call > 10


# -- at random moments --------------------------------------------------------------------------------------------------
def saver(folder: Path, pipe: int) -> None:
    """Save one state after the other, and say which has been kept."""
    run = Run(folder)
    n = run.history.step
    while True:
        n += 1
        store = Parameters({"out.weight": np.full((64, 64), float(n)), "out.bias": np.zeros(64)})
        run.save(store, {}, History([Epoch(n, n, 1.0 / n, validation_accuracy=1 - 1 / n)]))
        os.write(pipe, f"{n}\n".encode())


@pytest.mark.parametrize("kills", [12, pytest.param(1000, marks=pytest.mark.slow)])
def test_killing_a_saver_loses_nothing_that_was_acknowledged(tmp_path: Path, kills: int) -> None:
    start = Parameters({"out.weight": np.zeros((64, 64)), "out.bias": np.zeros(64)})
    run = Run.create(tmp_path / "a", spec_text(64, 64), {}, start)
    random, acknowledged, amid = np.random.default_rng(0), 0, 0
    for _ in range(kills):
        reading, writing = os.pipe()
        child = forked(lambda writing=writing: saver(run.folder, writing))  # type: ignore[misc]
        os.close(writing)
        with open(reading) as pipe:
            acknowledged = max(acknowledged, int(pipe.readline()))  # however busy the machine is, it has begun
            time.sleep(float(random.uniform(0, 0.02)))
            os.kill(child, signal.SIGKILL)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
            acknowledged = max([acknowledged, *map(int, pipe.read().split())])
        amid += bool(list(run.folder.glob(".*.tmp")))
        read = load_run(run.folder)
        assert read.notice is None
        step = read.history.step
        assert step in (acknowledged, acknowledged + 1)  # the one that was being said
        assert (read.checkpoint.values["out.weight"] == step).all()
        acknowledged = step
        with run.lock():
            assert not list(run.folder.glob(".*.tmp"))
    assert kills < 100 or amid > kills / 10  # many were killed amid a save; of a few, perhaps none


# -- and on from there --------------------------------------------------------------------------------------------------
(X, Y), TEST = digits()
OPTIONS: dict[str, Any] = {"batch_size": 100, "seed": 2, "validation": TEST, "epochs": 4}


def train_on(folder: Path, after: Callable[[int], object] = lambda _: None) -> dict[str, Any]:
    """Go on with the run in the folder to its end, keeping every step."""
    run = load_run(folder)
    with run.lock():
        engine, optimizer = SoftmaxRegression(64, 10, keep=0.9), SGD(0.5, momentum=0.9)
        engine.params.update(run.checkpoint.values)
        optimizer.load_state(run.checkpoint.optimizer)

        def save(history: History, begun: Begun | None = None) -> None:
            run.save(engine.params, optimizer.state(), history, begun)
            after(history.step if begun is None else begun.step)

        hooks: dict[str, Any] = {"on_epoch": save, "on_pause": save, "pause_every": 0.0}
        begun, past = run.checkpoint.begun, run.checkpoint.history
        seen = fit(engine, X, Y, optimizer=optimizer, history=past, begun=begun, **hooks, **OPTIONS)
    return trained(engine, optimizer, seen)


def sha256(everything: dict[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(everything.items())).encode()).hexdigest()


@pytest.mark.parametrize("points", [4, pytest.param(100, marks=pytest.mark.slow)])
def test_from_every_kill_point_the_end_has_one_digest(tmp_path: Path, points: int) -> None:
    """Killed before the n-th system call, resumed, and so on to the end: the same SHA-256 as without a kill."""
    start = SoftmaxRegression(64, 10).params
    expected = sha256(train_on(Run.create(tmp_path / "whole", spec_text(64, 10), {}, start).folder))
    random = np.random.default_rng(3)
    kills = runs = 0
    while kills < points:
        runs += 1
        run = Run.create(tmp_path / f"killed {runs}", spec_text(64, 10), {}, start)
        while killed_at(int(random.integers(20, 500)), lambda run=run: train_on(run.folder)):  # type: ignore[misc]
            kills += 1
        assert len(load_run(run.folder).history) == OPTIONS["epochs"]
        assert sha256(train_on(run.folder)) == expected
