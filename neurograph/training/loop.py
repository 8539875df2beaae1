"""The loop over epochs and mini-batches: where it stands, one step, an epoch's end, a pause, and being broken off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Batch, Engine, Evaluation
from neurograph.errors import TrainingError
from neurograph.training.ahead import Ahead
from neurograph.training.batches import dropout_seed, order, take
from neurograph.training.history import Begun, Epoch, History
from neurograph.training.interruption import Interrupted, Interruption, Leave
from neurograph.training.moments import Moment
from neurograph.training.optimizers import Optimizer
from neurograph.training.schedules import Schedule

Array = NDArray[Any]
Rows = NDArray[np.int64]

AT_ONCE, TURN = 1024, 0.1
"""Samples in the steps that a program takes in one call, where batches are smaller; and the seconds that the call may take."""
SLOW = 0.2
"""Seconds of a step from which a moment is kept before every one, so that breaking it off loses nothing."""


class Trainable(Engine, Protocol):
    """An engine that can judge itself."""

    def evaluate(self, x: Batch, target: Batch) -> Evaluation:
        """Mean loss per sample, and the share of right labels."""


Augment = Callable[[Any, Rows, int], Any]
"""``augment(x, rows, epoch)``: changed samples, a pure function of the samples' row numbers and the epochs done."""


@dataclass(frozen=True)
class Task:
    """What is to be done, checked and counted: samples, how they are batched, and how many steps there are."""

    x: Batch
    y: Batch
    n: int
    n_epochs: int
    batch_size: int
    n_steps: int
    seed: int
    reduction: str
    schedule: Schedule
    augment: Augment | None = None
    patience: int | None = None

    @property
    def n_batches(self) -> int:
        """In an epoch."""
        return -(-self.n // self.batch_size)


@dataclass
class Row:
    """An epoch in the making."""

    epoch: int
    step: int
    batch: int
    samples: int
    total: float
    seconds: float
    begin: float

    @classmethod
    def of(cls, begun: Begun) -> Row:
        return cls(**vars(begun), begin=time.perf_counter() - begun.seconds)

    def add(self, loss: float, size: int) -> None:
        self.step, self.batch, self.samples = self.step + 1, self.batch + 1, self.samples + size
        self.total += loss * size
        self.seconds = time.perf_counter() - self.begin

    @property
    def begun(self) -> Begun:
        return Begun(self.epoch, self.step, self.batch, self.samples, self.total, self.seconds)


class Loop:
    """A training under way.

    Parameters
    ----------
    engine : Program or ReferenceEngine
    optimizer : Optimizer
    task : Task
    history : History
        Epochs done; new ones join it.
    judge : callable
        Scores of the engine as it is, by the names that `Epoch` has for them.
    begun : Begun, optional
        The epoch to go on with.
    interruption : Interruption, optional
        Who may ask it to stop.
    """

    def __init__(
        self,
        engine: Trainable,
        optimizer: Optimizer,
        task: Task,
        history: History,
        judge: Callable[[], dict[str, float | None]],
        begun: Begun | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        self.engine, self.optimizer, self.task, self.history = engine, optimizer, task, history
        self.interruption, self._judge = interruption, judge
        self.row = Row.of(begun or Begun(len(history) + 1, history.step))
        self.best: Mapping[str, Array] | None = None
        self.in_turn = getattr(engine, "train_steps", None) if task.schedule.is_steady_in_epochs else None
        self._took = 0.0
        self._ahead = Ahead(self._made)

    def run(
        self,
        on_step: Callable[[Loop], object] | None,
        on_epoch: Callable[[History], object] | None,
        on_pause: Callable[[History, Begun | None], object] | None,
        pause_every: float,
    ) -> None:
        """Train to the end, or until asked to stop."""
        self._on_step, self._on_epoch, self._on_pause = on_step, on_epoch, on_pause
        self._pause_every = pause_every
        self.moment = Moment.of(self.engine, self.optimizer, self.row.begun)
        try:
            with self._ahead:
                while self._goes_on():
                    self._epoch()
        except Leave:
            raise
        except Interrupted:  # amid a step or an evaluation; the moment before it has been kept
            self.moment.restore(self.engine, self.optimizer)
            self.row = Row.of(self.moment.begun)
        if self.is_asked_to_stop and on_pause is not None:
            if self.row.batch:
                self._keep_moment()  # refuses weights that are not finite
            on_pause(self.history, self.row.begun if self.row.batch else None)

    @property
    def is_asked_to_stop(self) -> bool:
        return self.interruption is not None and self.interruption.asked != 0

    def _goes_on(self) -> bool:
        if self.is_asked_to_stop:
            return False
        if self.row.batch:  # an epoch that has begun is brought to its end, if only to judge it
            return True
        return self.row.step < self.task.n_steps and not self.history.is_exhausted(self.task.patience)

    # -- an epoch -----------------------------------------------------------------------------------------------------
    def _epoch(self) -> None:
        task, row = self.task, self.row
        is_over = row.samples == task.n or row.step >= task.n_steps
        self.set_rate(row.step - is_over, row.epoch)  # that of the last step is told with the epoch
        rows, pause_at = order(task.n, task.seed, row.epoch - 1), row.seconds + self._pause_every
        while row.samples < task.n and row.step < task.n_steps:
            size = self._n_at_once() * task.batch_size
            if task.augment is not None:
                self._ahead.following = rows[row.samples + size :]
            self._steps(rows[row.samples : row.samples + size])
            if self._on_step is not None:
                self._on_step(self)
            if self.is_asked_to_stop:
                return
            if row.seconds > pause_at:
                self._pause()
                pause_at = row.seconds + self._pause_every
        self._keep_moment()
        with freely(self.interruption):
            judged = self._judge()
        mean = row.total / row.samples
        facts: dict[str, Any] = {"learning_rate": self.optimizer.rate, "seconds": row.seconds, "samples": row.samples}
        self.history.epochs.append(Epoch(row.epoch, row.step, mean, **{**facts, **judged}))
        if self.history.best is self.history.epochs[-1]:
            self.best = self.moment.values
        self.row = Row.of(Begun(row.epoch + 1, row.step))
        if self._on_epoch is not None:
            self._on_epoch(self.history)

    def _n_at_once(self) -> int:
        """Steps to be taken in one go: whole batches, or the last of an epoch."""
        task, row = self.task, self.row
        if self.in_turn is None or self._took == 0:
            return 1
        whole = (task.n - row.samples) // task.batch_size
        return max(1, min(AT_ONCE // task.batch_size, int(TURN / self._took), task.n_steps - row.step, whole))

    def _pause(self) -> None:
        """Keep the moment, in memory and wherever else the caller keeps it; the clock stands still meanwhile."""
        self._keep_moment()
        if self._on_pause is not None:
            self._on_pause(self.history, self.row.begun)
        self.row.begin = time.perf_counter() - self.row.seconds

    def _keep_moment(self) -> None:
        moment = Moment.of(self.engine, self.optimizer, self.row.begun)
        if not moment.is_finite:
            raise self._not_finite(None, self.row.step)
        self.moment = moment

    # -- a step -------------------------------------------------------------------------------------------------------
    def _steps(self, rows: Rows) -> None:
        """One step, or several small ones."""
        if self._took > SLOW and self.interruption is not None:
            self._keep_moment()
        if not self.task.schedule.is_steady_in_epochs:
            self.set_rate(self.row.step, self.row.epoch)
        before, step = self.row.seconds, self.row.step
        if self.moment.begun.step == step:
            with freely(self.interruption):
                losses = self._train(rows)
        else:
            losses = self._train(rows)
        for loss in losses:
            if not isfinite(loss):
                raise self._not_finite(loss, self.row.step + 1)
            self.row.add(loss, min(self.task.batch_size, len(rows)))
        self._took = (self.row.seconds - before) / len(losses)

    def _train(self, rows: Rows) -> list[float]:
        """The mean loss of every step taken: one, or as many as there are batches."""
        row, size = self.row, self.task.batch_size
        if self.in_turn is not None and len(rows) > size:
            losses = self.in_turn(*self._batch(rows, row.epoch), self.optimizer, size, self.task.reduction)
            if losses is not None:
                return [loss / size for loss in losses] if self.task.reduction == "sum" else losses
            self.in_turn, rows = None, rows[:size]  # this network or optimiser cannot: one by one, then
        return [self.take_step(Step(row.step, row.epoch, row.batch + 1, rows))]

    def take_step(self, step: Step) -> float:
        """One update; returns the mean loss per sample."""
        x, y, seed = self.batch_of(step)
        loss = self.engine.train_step(x, y, self.optimizer, self.task.reduction, seed)
        return loss / len(step.rows) if self.task.reduction == "sum" else loss

    def batch_of(self, step: Step) -> tuple[Any, Any, int]:
        """What a step is given: samples, targets, seed of the dropout."""
        return *self._batch(step.rows, step.epoch), dropout_seed(self.task.seed, step.step)

    def _batch(self, rows: Rows, epoch: int) -> tuple[Any, Any]:
        batch: tuple[Any, Any] = self._ahead(rows, epoch)
        return batch

    def _made(self, rows: Rows, epoch: int) -> tuple[Any, Any]:
        x, augment = take(self.task.x, rows), self.task.augment
        return (x if augment is None else augment(x, rows, epoch - 1)), take(self.task.y, rows)

    def set_rate(self, step: int, epoch: int) -> None:
        """Have the schedule say the rate of a step (from 0) of an epoch (from 1)."""
        history = self.history
        if len(history) >= epoch:  # a step that is taken once more
            history = History(history.epochs[: epoch - 1], history.watch, history.min_delta)
        self.optimizer.scale = self.task.schedule(step, self.task.n_steps, epoch - 1, history)

    def _not_finite(self, loss: float | None, end: int) -> TrainingError:
        from neurograph.training.guilty import accuse

        return TrainingError(accuse(self, loss, end))


class Step(NamedTuple):
    """One update: its number from 0, its epoch and batch from 1, the rows of its samples."""

    step: int
    epoch: int
    batch: int
    rows: Rows


def steps_from(task: Task, begun: Begun) -> Iterator[Step]:
    """Steps as they follow upon a moment, without end."""
    step, epoch, start = begun.step, begun.epoch, begun.samples
    while True:
        rows = order(task.n, task.seed, epoch - 1)
        for first in range(start, task.n, task.batch_size):
            yield Step(step, epoch, first // task.batch_size + 1, rows[first : first + task.batch_size])
            step += 1
        epoch, start = epoch + 1, 0


def freely(interruption: Interruption | None) -> Any:
    """Where breaking off loses nothing."""
    return nullcontext() if interruption is None else interruption.freely()
