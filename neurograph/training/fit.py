"""The loop over epochs and mini-batches, for any engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol

from neurograph.engine import Batch, Engine, Evaluation, check_reduction
from neurograph.errors import TrainingError, UsageError
from neurograph.training.batches import batches, check_finite, count, dropout_seed, take
from neurograph.training.history import Epoch, History
from neurograph.training.optimizers import SGD, Optimizer
from neurograph.training.schedules import Schedule, schedule_of

WATCHED = 10_000
"""Training samples on which accuracy is measured at most."""
PORTION = 1_000
"""Samples evaluated at once: bounds memory, and what a Ctrl-C has to wait for."""


AT_ONCE = 256
"""Steps of one sample that a program takes between two looks at the clock."""


class Trainable(Engine, Protocol):
    """An engine that can judge itself."""

    def evaluate(self, x: Batch, target: Batch) -> Evaluation:
        """Mean loss per sample, and the share of right labels."""


@dataclass(frozen=True)
class Progress:
    """Where training stands, as callbacks see it after each step.

    Attributes
    ----------
    epoch, n_epochs : int
        From 1.
    step, n_steps : int
        Updates done, of how many, from the start of the training.
    batch, n_batches : int
        Within the epoch, from 1.
    loss : float
        Mean loss per sample so far in this epoch.
    samples : int
        Samples seen in this epoch.
    seconds : float
        Time spent on them.
    """

    epoch: int
    n_epochs: int
    step: int
    n_steps: int
    batch: int
    n_batches: int
    loss: float
    samples: int
    seconds: float


def fit(
    engine: Trainable,
    x: Batch,
    y: Batch,
    epochs: int = 5,
    batch_size: int = 64,
    optimizer: Optimizer | None = None,
    seed: int = 0,
    validation: tuple[Batch, Batch] | None = None,
    *,
    schedule: str | Schedule = "constant",
    reduction: str = "mean",
    steps: int | None = None,
    limit: int | None = None,
    history: History | None = None,
    on_step: Callable[[Progress], object] | None = None,
    on_epoch: Callable[[History], object] | None = None,
) -> History:
    """Train a network.

    Parameters
    ----------
    engine : Program or ReferenceEngine
    x : array_like, shape (n, *input shape)
        Or a mapping by input name.
    y : array_like, shape (n,) or (n, *head shape)
        Or a mapping by head name.
    epochs, batch_size : int
        The last batch of an epoch may be smaller.
    optimizer : Optimizer, optional
        Default: ``SGD(learning_rate=0.1)``.
    seed : int
        Decides the order of samples in every epoch and the dropout of every step; weights were drawn before.
    validation : (xv, yv), optional
        Judged after every epoch. Without it, accuracy is measured on training samples.
    schedule : str or Schedule
        What becomes of the rate: a word such as ``"linear"`` (it falls to zero over all steps), or an object of
        `neurograph.training.schedules`.
    reduction : str
        ``"mean"``, or ``"sum"``: gradients are not divided by the batch.
    steps : int, optional
        Stop after so many updates in all, also amid an epoch.
    limit : int, optional
        Train on the first so many samples only.
    history : History, optional
        Epochs already done: training goes on behind them (the optimizer must hold its state from then).
    on_step, on_epoch : callable, optional
        Called after each step (of one sample: after some hundred) with a `Progress`, after each epoch with the `History` so far.

    Returns
    -------
    History

    Raises
    ------
    TrainingError
        If the loss leaves the finite range.
    UsageError, BatchError
        If an argument does not fit, or a sample holds a value that is not finite.
    """
    n = count(x, y)
    n = n if limit is None else min(n, _whole("limit", limit, 1))
    _whole("epochs", epochs, 0), _whole("batch_size", batch_size, 1), _whole("seed", seed, 0)
    check_reduction(reduction)
    x, y = take(x, slice(n)), take(y, slice(n))
    check_finite(x, y)
    n_batches = -(-n // batch_size)
    n_steps = epochs * n_batches if steps is None else min(epochs * n_batches, _whole("steps", steps, 0))
    schedule = schedule_of(schedule)
    optimizer = SGD(learning_rate=0.1) if optimizer is None else optimizer
    optimizer.train_on(n)
    history = History() if history is None else History(list(history.epochs))
    singly = getattr(engine, "train_singly", None) if batch_size == 1 and schedule.is_steady_in_epochs else None
    while history.step < n_steps:
        row = _Row(len(history) + 1, epochs, history.step, n_steps, n_batches)
        for drawn in batches(n, AT_ONCE if singly is not None else batch_size, seed, len(history)):
            optimizer.scale = schedule(row.step, n_steps, len(history), history)
            rows = drawn[: n_steps - row.step] if singly is not None else drawn
            loss = singly(take(x, rows), take(y, rows), optimizer) if singly is not None else None
            if loss is not None:
                row.add(loss, len(rows), len(rows))
            for some in [rows[i : i + batch_size] for i in range(0, len(rows) if loss is None else 0, batch_size)]:
                step_seed = dropout_seed(seed, row.step)
                step_loss = engine.train_step(take(x, some), take(y, some), optimizer, reduction, step_seed)
                row.add(step_loss / len(some) if reduction == "sum" else step_loss, len(some))
            if on_step is not None:
                on_step(row.progress())
            if row.step == n_steps:
                break
        history.epochs.append(row.finished(optimizer.rate, _judge(engine, x, y, validation)))
        if on_epoch is not None:
            on_epoch(history)
    optimizer.scale = 1.0
    return history


class _Row:
    """An epoch in the making."""

    def __init__(self, epoch: int, n_epochs: int, step: int, n_steps: int, n_batches: int) -> None:
        self.epoch, self.n_epochs, self.step, self.n_steps, self.n_batches = epoch, n_epochs, step, n_steps, n_batches
        self.batch = self.samples = 0
        self.total = 0.0
        self.begin = time.perf_counter()
        self.seconds = 0.0

    def add(self, loss: float, size: int, steps: int = 1) -> None:
        self.step, self.batch, self.samples = self.step + steps, self.batch + steps, self.samples + size
        self.total += loss * size
        self.seconds = time.perf_counter() - self.begin
        if not isfinite(loss):
            raise TrainingError(
                f"epoch {self.epoch}, batch {self.batch} of {self.n_batches}: the loss is {loss}, no longer a finite number. "
                f"Lower the learning rate, or look for values that are not numbers in the data."
            )

    @property
    def loss(self) -> float:
        return self.total / self.samples

    def progress(self) -> Progress:
        ends = (self.epoch, self.n_epochs, self.step, self.n_steps, self.batch, self.n_batches)
        return Progress(*ends, self.loss, self.samples, self.seconds)

    def finished(self, rate: float, judged: dict[str, float | None]) -> Epoch:
        return Epoch(
            self.epoch, self.step, self.loss, learning_rate=rate, seconds=self.seconds, samples=self.samples, **judged
        )


def _judge(engine: Trainable, x: Batch, y: Batch, validation: tuple[Batch, Batch] | None) -> dict[str, float | None]:
    if validation is None:
        return {"accuracy": evaluate(engine, take(x, slice(WATCHED)), take(y, slice(WATCHED))).accuracy}
    judged = evaluate(engine, *validation)
    return {"validation_loss": judged.loss, "validation_accuracy": judged.accuracy}


def evaluate(engine: Trainable, x: Batch, y: Batch) -> Evaluation:
    """Loss per sample and accuracy over any number of samples, a portion at a time."""
    n = count(x, y)
    parts = [
        engine.evaluate(take(x, slice(i, i + PORTION)), take(y, slice(i, i + PORTION))) for i in range(0, n, PORTION)
    ]
    loss = sum(part.loss * part.n_samples for part in parts) / n
    right = [part.accuracy * part.n_samples for part in parts if part.accuracy is not None]
    return Evaluation(loss, sum(right) / n if len(right) == len(parts) else None, n)


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{name}: found {value!r}; expected a whole number of at least {least}.")
    return value
