"""How often a run folder is written: seldom enough that writing takes a small share of the time, whatever the history's length."""

from __future__ import annotations

from typing import Any

import pytest

from neurograph.cli import keeping
from neurograph.cli.keeping import Keeping
from neurograph.training import History
from neurograph.training.history import Epoch


class Clock:
    """Stands still unless somebody takes his time."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class SlowRun:
    """Takes so long to write; every moment is the history's length."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock, self.seconds, self.written = clock, seconds, []

    def moment(self, params: Any, state: Any, history: History, begun: Any = None) -> Any:
        return type("Moment", (), {"history": history.copy(), "begun": begun})()

    def write(self, last: Any, best: Any) -> None:
        self.clock.now += self.seconds
        self.written.append(len(last.history))


def written(monkeypatch: pytest.MonkeyPatch, write_seconds: float, epoch_seconds: float, epochs: int) -> list[int]:
    """After which epochs a run was written."""
    clock, history = Clock(), History()
    run, engine = SlowRun(clock, write_seconds), type("Engine", (), {"params": {}})()
    optimizer = type("Optimizer", (), {"state": lambda self: {}})()
    job: Any = type(
        "Job", (), {"run": run, "engine": engine, "optimizer": optimizer, "history": history, "begun": None}
    )()
    monkeypatch.setattr(keeping, "time", clock)
    keeper = Keeping(job, lambda history: None)
    for n in range(1, epochs + 1):
        clock.now += epoch_seconds
        history.epochs.append(Epoch(n, n, loss=1 / n))
        keeper.epoch(history)
    keeper.write()
    return run.written


def test_long_epochs_are_all_written(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, 0.01, 1.5, 5) == [1, 2, 3, 4, 5]


def test_of_short_epochs_one_a_second_is_written_and_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, 0.0, 0.25, 10) == [1, 5, 9, 10]


def test_writing_takes_a_twentieth_of_the_time_where_it_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, 1.0, 1.0, 50) == [1, 21, 41, 50]
