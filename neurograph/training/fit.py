"""Training a network: what is asked for is checked, counted and carried out by the loop, for any engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from neurograph.engine import Batch, Evaluation, check_reduction
from neurograph.errors import UsageError
from neurograph.training.batches import check_finite, count, take
from neurograph.training.history import Begun, History
from neurograph.training.interruption import Interruption
from neurograph.training.loop import Augment, Loop, Task, Trainable
from neurograph.training.optimizers import Optimizer, optimizer_of
from neurograph.training.schedules import Schedule, schedule_of

WATCHED = 10_000
"""Training samples on which accuracy is measured at most."""
PORTION = 1_000
"""Samples evaluated at once: bounds memory, and what a Ctrl-C has to wait for."""
EVERYTHING = "all"
"""The batch size of plain gradient descent: one update an epoch."""


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

    @classmethod
    def of(cls, loop: Loop) -> Progress:
        row, task = loop.row, loop.task
        ends = (row.epoch, task.n_epochs, row.step, task.n_steps, row.batch, task.n_batches)
        return cls(*ends, row.total / row.samples, row.samples, row.seconds)


def fit(
    engine: Trainable,
    x: Batch,
    y: Batch,
    epochs: int = 5,
    batch_size: int | str = 64,
    optimizer: Optimizer | str | None = None,
    seed: int = 0,
    validation: tuple[Batch, Batch] | None = None,
    *,
    schedule: str | Schedule = "constant",
    reduction: str = "mean",
    steps: int | None = None,
    limit: int | None = None,
    augment: Augment | None = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    watch: str | None = None,
    restore_best: bool | None = None,
    history: History | None = None,
    begun: Begun | None = None,
    best: Mapping[str, NDArray[Any]] | None = None,
    interruption: Interruption | None = None,
    on_step: Callable[[Progress], object] | None = None,
    on_epoch: Callable[[History], object] | None = None,
    on_pause: Callable[[History, Begun | None], object] | None = None,
    pause_every: float = 60.0,
) -> History:
    """Train a network.

    Parameters
    ----------
    engine : Program or ReferenceEngine
    x : array_like, shape (n, *input shape)
        Or a mapping by input name.
    y : array_like, shape (n,) or (n, *head shape)
        Or a mapping by head name.
    epochs : int
        Passes over the samples.
    batch_size : int or "all"
        Samples of one update; the last batch of an epoch may be smaller. ``"all"``: every one, plain gradient descent.
    optimizer : Optimizer or str, optional
        Or a word, such as ``"adam"``, for one with its usual hyperparameters. Default: ``SGD(learning_rate=0.1)``.
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
    augment : callable, optional
        ``augment(x, rows, epoch)`` gives the samples `x` as they are trained on; must depend on nothing but the samples, their row
        numbers and the number of epochs done.
    patience : int, optional
        Stop early: when so many epochs in a row were no better than the best before them.
    min_delta : float
        By how much an epoch must be better to count as better.
    watch : str, optional
        What tells better from worse: ``"validation_accuracy"``, ``"validation_loss"``, ``"accuracy"`` or ``"loss"``; default: the
        first of them that is measured.
    restore_best : bool, optional
        Leave the network with the weights of the best epoch instead of the last; default: if `patience` is given.
    history : History, optional
        Epochs already done: training goes on behind them (the optimizer must hold its state from then).
    begun : Begun, optional
        The epoch to go on with, as `on_pause` was given it.
    best : mapping of str to ndarray, optional
        Weights of the best epoch of `history`, for `restore_best`.
    interruption : Interruption, optional
        Who may ask training to stop at the next step; the epochs done are returned, and `on_pause` is given the rest.
    on_step, on_epoch : callable, optional
        Called after each step (of one sample: after some hundred) with a `Progress`, after each epoch with the `History` so far.
    on_pause : callable, optional
        Called amid an epoch with the history and what has begun: every `pause_every` seconds, and when asked to stop.

    Returns
    -------
    History

    Raises
    ------
    TrainingError
        If loss or weights leave the finite range, with the first neuron that did; the weights are then the last good ones kept.
    UsageError, BatchError
        If an argument does not fit, or a sample holds a value that is not finite.

    Notes
    -----
    A training is a function of weights, samples, settings and seed: one that goes on from `history`, `begun` and the optimizer's
    state has the same bits as one that was never stopped.
    """
    n = count(x, y)
    n = n if limit is None else min(n, _whole("limit", limit, 1))
    size = n if batch_size == EVERYTHING or optimizer == "gd" else min(n, _whole("batch_size", batch_size, 1))
    _whole("epochs", epochs, 0), _whole("seed", seed, 0), _whole("patience", 1 if patience is None else patience, 1)
    check_reduction(reduction)
    x, y = take(x, slice(n)), take(y, slice(n))
    check_finite(x, y)
    if validation is not None and (not isinstance(validation, tuple | list) or len(validation) != 2):
        raise UsageError(f"validation: found {type(validation).__name__}; expected a pair (xv, yv).")
    history = History(list(history.epochs) if history is not None else [], watch, min_delta)
    n_steps = history.steps_in_all(epochs, -(-n // size), None if steps is None else _whole("steps", steps, 0))
    optimizer = optimizer_of(optimizer)
    optimizer.train_on(n)
    task = Task(x, y, n, epochs, size, n_steps, seed, reduction, schedule_of(schedule), augment, patience)
    check_watch(watch, engine, validation or (x, y), validation is not None)
    restores = patience is not None if restore_best is None else restore_best
    if restores and history.epochs and best is None:
        raise UsageError("best: to restore the best weights, those of the best epoch so far are needed; found none.")
    loop = Loop(engine, optimizer, task, history, lambda: _judged(engine, x, y, validation), begun, interruption)
    loop.best = best
    loop.run(None if on_step is None else lambda loop: on_step(Progress.of(loop)), on_epoch, on_pause, pause_every)
    optimizer.scale = 1.0
    if restores and loop.best is not None and not loop.is_asked_to_stop and history.best is not history.epochs[-1]:
        engine.params.update(loop.best)
    return history


def check_watch(
    watch: str | None, engine: Trainable, judged: tuple[Batch, Batch], is_validated: bool, note: str = ""
) -> None:
    """Refuse, before any training, what no epoch would have a score for; `note` says more of the validation samples."""
    if watch is None or watch == "loss":
        return
    if watch.startswith("validation") != is_validated:
        there = "it is of the training samples, and measured only without validation samples" + note
        there = there if is_validated else "there are no validation samples"
        other = f"validation_{watch}" if is_validated else watch.removeprefix("validation_")
        raise UsageError(f"watch: '{watch}' cannot be watched: {there}. Watch {other}.")
    if watch.endswith("accuracy") and evaluate(engine, *(take(part, slice(1)) for part in judged)).accuracy is None:
        other = watch.replace("accuracy", "loss")
        raise UsageError(f"watch: '{watch}' cannot be watched: this network has none. Watch {other}.")


def _judged(engine: Trainable, x: Batch, y: Batch, validation: tuple[Batch, Batch] | None) -> dict[str, float | None]:
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
