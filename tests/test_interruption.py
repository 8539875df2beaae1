"""Ctrl-C, SIGTERM and SIGHUP: within a second, at a boundary between two updates, with everything kept; twice: at once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import PATHS, content, spec_text, trained
from softmax_regression import SoftmaxRegression

from neurograph.data import digits
from neurograph.training import SGD, History, Run, fit, load_run
from neurograph.training.history import Begun
from neurograph.training.interruption import Interrupted, Interruption, Leave
from neurograph.training.loop import SLOW

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here: a step is waited for")

(X, Y), TEST = digits()
OPTIONS: dict[str, Any] = {"batch_size": 100, "seed": 4, "epochs": 3, "validation": TEST}


class Slow(SoftmaxRegression):
    """Every step, or every look at validation samples, takes its time; Ctrl-C comes amid one of them."""

    def __init__(self, step_seconds: float = 0.0, judge_seconds: float = 0.0, at: int = -1, times: int = 1) -> None:
        super().__init__(64, 10, keep=0.9)
        self.step_seconds, self.judge_seconds = step_seconds, judge_seconds
        self.at, self.times, self.calls = at, times, 0

    def train_step(self, *arguments: Any, **options: Any) -> float:
        first = dict(self.params)
        loss = super().train_step(*arguments, **options)
        if self._comes():
            self.params.update({name: np.full_like(value, np.nan) for name, value in first.items()})  # amid an update
        self._wait(self.step_seconds)
        return loss

    def evaluate(self, *arguments: Any) -> Any:
        self._comes()
        self._wait(self.judge_seconds)
        return super().evaluate(*arguments)

    def _comes(self) -> bool:
        self.calls += 1
        if self.calls != self.at:
            return False
        self.asked = time.monotonic()
        for _ in range(self.times):
            signal.raise_signal(signal.SIGINT)
        return self.step_seconds > SLOW

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.001)


def stopped(engine: Slow, optimizer: SGD) -> tuple[History, Begun | None]:
    """Train until asked to stop; where it stands then."""
    kept: list[tuple[History, Begun | None]] = []
    with Interruption() as interruption:
        fit(
            engine, X, Y, optimizer=optimizer, interruption=interruption,
            on_pause=lambda history, begun: kept.append((history.copy(), begun)), **OPTIONS,
        )  # fmt: skip
    assert interruption.asked == signal.SIGINT
    assert time.monotonic() - engine.asked < 1
    return kept[-1]


def gone_on(engine: Slow, optimizer: SGD, history: History, begun: Begun | None) -> dict[str, Any]:
    """Train to the end with a new engine, from what is left of another."""
    resumed, own = SoftmaxRegression(64, 10, keep=0.9), SGD(0.5, momentum=0.9)
    resumed.params.update(engine.params)
    own.load_state(optimizer.state())
    return trained(resumed, own, fit(resumed, X, Y, optimizer=own, history=history, begun=begun, **OPTIONS))


def uninterrupted() -> dict[str, Any]:
    engine, optimizer = SoftmaxRegression(64, 10, keep=0.9), SGD(0.5, momentum=0.9)
    return trained(engine, optimizer, fit(engine, X, Y, optimizer=optimizer, **OPTIONS))


@pytest.mark.parametrize(
    ("seconds", "at", "step"),
    [
        ((0.0, 0.0), 7, 7),  # a quick step is brought to its end
        ((SLOW + 0.8, 0.0), 1, 0),  # a slow one is taken back: the first of all
        ((SLOW + 0.8, 0.0), 2, 1),  # and another
        ((0.0, 0.0), 16, 15),  # a quick look at validation samples
        ((0.0, 1.5), 16, 15),  # a slow one is broken off, and taken anew
    ],
)
def test_stops_within_a_second_at_a_boundary_and_goes_on_to_the_same_bits(
    seconds: tuple[float, float], at: int, step: int
) -> None:
    engine, optimizer = Slow(*seconds, at=at), SGD(0.5, momentum=0.9)
    history, begun = stopped(engine, optimizer)
    assert (begun.step if begun else history.step) == step
    assert all(np.isfinite(value).all() for value in engine.params.values())
    assert gone_on(engine, optimizer, history, begun) == uninterrupted()


def test_the_second_time_it_leaves_at_once_and_the_folder_is_whole(tmp_path: Path) -> None:
    engine, optimizer = Slow(at=20, times=2), SGD(0.5)
    run = Run.create(tmp_path / "a", spec_text(64, 10), {}, engine.params)
    with pytest.raises(Leave) as caught, Interruption() as interruption:
        fit(
            engine, X, Y, optimizer=optimizer, interruption=interruption,
            on_epoch=lambda history: run.save(engine.params, optimizer.state(), history), **OPTIONS,
        )  # fmt: skip
    assert caught.value.exit_code == 130
    assert len(load_run(run.folder).history) == 1


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    with contextlib.suppress(Interrupted), Interruption():
        raise Interrupted(signal.SIGTERM)
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_what_is_ignored_stays_ignored() -> None:
    """`nohup neurograph train` goes on when its terminal goes."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            signal.raise_signal(signal.SIGHUP)
            assert interruption.asked == 0
    finally:
        signal.signal(signal.SIGHUP, before)


# -- a process of its own -----------------------------------------------------------------------------------------------
CHILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us may have them ignored
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from neurograph.cli import main
sys.exit(main(sys.argv[1:]))
"""
TRAIN = ["train", "mazur", "--engine", "textbook", "--epochs", "1000000", "--set", "train.reduction=sum"]


def begun_child(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A training that would take days, at some time after it has done an epoch."""
    history = folder / "history.jsonl"
    before = history.stat().st_size if history.exists() else 0
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": PATHS}
    child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], **pipes)
    until = time.monotonic() + 100
    while not (history.exists() and history.stat().st_size > before):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    return child


def asked_to_stop(child: subprocess.Popen[str], number: int) -> float:
    """Seconds it takes to stop after a signal."""
    asked = time.monotonic()
    child.send_signal(number)
    child.wait(60)
    return time.monotonic() - asked


@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), pytest.param("SIGHUP", 129, marks=pytest.mark.slow)]
)
def test_a_command_that_is_asked_to_stop_says_how_to_go_on(tmp_path: Path, name: str, code: int) -> None:
    folder = tmp_path / "run"
    child = begun_child(folder, *TRAIN, "--out", str(folder))
    asked_to_stop(child, getattr(signal, name))
    shown = child.communicate()[1]
    assert child.returncode == code, shown
    assert f"Go on with: neurograph train --resume {folder}\nInterrupted.\n" in shown
    assert not [name for name in os.listdir(folder) if name.startswith(".")]
    assert load_run(folder).notice is None


@pytest.mark.slow
def test_200_interruptions_leave_a_boundary_within_a_second(tmp_path: Path) -> None:
    """Stopped 200 times at random moments and resumed each time: the steps are those of one long training."""
    random, folder, seconds = np.random.default_rng(1), tmp_path / "run", []
    arguments: tuple[str, ...] = (*TRAIN, "--out", str(folder))
    for _ in range(200):
        child = begun_child(folder, *arguments)
        time.sleep(float(random.uniform(0, 0.3)))
        seconds.append(asked_to_stop(child, signal.SIGINT))
        assert child.returncode == 130, child.communicate()
        child.communicate()
        arguments = ("train", "--resume", str(folder))
    found = load_run(folder).checkpoint
    assert np.median(seconds) < 1, sorted(seconds)  # with the time that a process needs to end, beside others
    whole, many = tmp_path / "whole", ["--steps", str(found.step), "--quiet", "--out", str(tmp_path / "whole")]
    assert subprocess.run([sys.executable, "-c", CHILD, *TRAIN, *many], env=PATHS, check=False).returncode == 0
    assert content(load_run(whole).checkpoint) == content(found)
