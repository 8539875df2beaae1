"""What training has shown so far: one row an epoch, on screen and as a JSON line; which epoch was best, and whether to stop."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property
from math import isnan
from typing import Any

from neurograph.errors import RunError, UsageError, suggest
from neurograph.notebook import html_table

HEADS = ("epoch", "loss", "accuracy", "val. loss", "val. acc.", "seconds")

WATCHED = ("validation_accuracy", "validation_loss", "accuracy", "loss")
"""What may tell a better epoch from a worse one, the first that was measured by default."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training samples.

    Attributes
    ----------
    epoch : int
        From 1.
    step : int
        Updates done since the start.
    loss : float
        Mean loss per sample during the epoch, each batch before its update.
    accuracy : float or None
        Share of right labels on the training samples after the epoch (on the first 10,000; measured only without validation).
    validation_loss, validation_accuracy : float or None
        On the validation samples after the epoch.
    learning_rate : float
        Of the last step.
    seconds : float
        Time for training, without validation.
    samples : int
        Training samples seen in the epoch.
    """

    epoch: int
    step: int
    loss: float
    accuracy: float | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    learning_rate: float = 0.0
    seconds: float = 0.0
    samples: int = 0

    def __post_init__(self) -> None:
        _check_numbers(self)

    @cached_property
    def line(self) -> str:
        """The epoch as a JSON object, made once: a long history is written many times."""
        return json.dumps(vars(self))

    @property
    def watched(self) -> float:
        """What tells a better epoch from a worse one (larger is better): accuracy where there is one, else −loss."""
        return self.score(None)

    def score(self, watch: str | None) -> float:
        """How good the epoch was, larger is better: an accuracy, or −loss; NaN counts as −∞.

        Parameters
        ----------
        watch : str or None
            One of `WATCHED`; None: the first of them that was measured.

        Raises
        ------
        UsageError
            If that was not measured.
        """
        name = watch or next(name for name in WATCHED if getattr(self, name) is not None)
        value = getattr(self, name)
        if value is None:
            measured = ", ".join(key for key in WATCHED if getattr(self, key) is not None)
            raise UsageError(f"watch: '{name}' was not measured; choose among {measured}.")
        return -float("inf") if isnan(value) else -value if name.endswith("loss") else value


@dataclass(frozen=True)
class Begun:
    """An epoch that has begun and is not over: where to go on.

    Attributes
    ----------
    epoch : int
        From 1.
    step : int
        Updates done since the start.
    batch, samples : int
        Of this epoch, done.
    total : float
        Sum of the losses of those samples.
    seconds : float
        Time spent on them.
    """

    epoch: int
    step: int
    batch: int = 0
    samples: int = 0
    total: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        _check_numbers(self)

    def __str__(self) -> str:
        return f"epoch {self.epoch}, batch {self.batch:,}"


@dataclass
class History:
    """The epochs of a training, in order.

    Examples
    --------
    >>> history = History([Epoch(1, 100, loss=0.5, accuracy=0.8), Epoch(2, 200, loss=0.25, accuracy=0.9)])
    >>> history.loss, history.best.epoch
    ([0.5, 0.25], 2)
    >>> History.from_lines(history.lines()) == history
    True
    """

    epochs: list[Epoch] = field(default_factory=list)
    watch: str | None = None
    """What tells a better epoch from a worse one: one of `WATCHED`; None: as `Epoch.watched`."""
    min_delta: float = 0.0
    """By how much an epoch must be better than the best before it to take its place."""
    _best: tuple[int, Epoch | None] = field(default=(0, None), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.watch is not None and self.watch not in WATCHED:
            near = suggest(str(self.watch), WATCHED)
            raise UsageError(f"watch: unknown score '{self.watch}'{near} (known: {', '.join(WATCHED)})")
        delta: Any = self.min_delta
        if isinstance(delta, bool) or not isinstance(delta, int | float) or not 0 <= delta < float("inf"):
            raise UsageError(f"min_delta: found {delta!r}; expected a finite number of at least 0.")

    @property
    def loss(self) -> list[float]:
        """Training loss per epoch."""
        return [epoch.loss for epoch in self.epochs]

    @property
    def accuracy(self) -> list[float | None]:
        """Accuracy on the training samples per epoch."""
        return [epoch.accuracy for epoch in self.epochs]

    @property
    def validation_loss(self) -> list[float | None]:
        """Loss on the validation samples per epoch."""
        return [epoch.validation_loss for epoch in self.epochs]

    @property
    def validation_accuracy(self) -> list[float | None]:
        """Accuracy on the validation samples per epoch."""
        return [epoch.validation_accuracy for epoch in self.epochs]

    @property
    def step(self) -> int:
        """Updates done."""
        return self.epochs[-1].step if self.epochs else 0

    @property
    def best(self) -> Epoch:
        """The first of the best epochs."""
        seen, best = self._best
        if best is None or seen > len(self.epochs) or best not in self.epochs[best.epoch - 1 : best.epoch]:
            seen, best = 1, self.epochs[0]
        for epoch in self.epochs[seen:]:  # those since it was last asked
            if epoch.score(self.watch) > best.score(self.watch) + self.min_delta:
                best = epoch
        self._best = len(self.epochs), best
        return best

    def is_exhausted(self, patience: int | None) -> bool:
        """Whether none of the last `patience` epochs became the best one, so that training may as well stop.

        Examples
        --------
        >>> history = History([Epoch(n, n, loss) for n, loss in enumerate([0.5, 0.25, 0.375, 0.25], 1)])
        >>> history.is_exhausted(2), history.is_exhausted(3)
        (True, False)
        """
        return bool(self.epochs) and patience is not None and self.epochs[-1].epoch - self.best.epoch >= patience

    def steps_in_all(self, n_epochs: int, n_batches: int, most: int | None = None) -> int:
        """Updates of a training at its end: those done, and those of the epochs to come, each of `n_batches`.

        Parameters
        ----------
        n_epochs, n_batches : int
        most : int, optional
            Where it ends at the latest, also amid an epoch; an epoch that ended there has fewer, and stays as it is.

        Examples
        --------
        >>> History().steps_in_all(3, 10), History().steps_in_all(3, 10, most=5)
        (30, 5)
        >>> History([Epoch(1, 5, loss=0.5)]).steps_in_all(3, 10, most=100)
        25
        """
        n = self.step + max(0, n_epochs - len(self)) * n_batches
        return n if most is None else min(n, most)

    def copy(self) -> History:
        """The epochs so far; later ones do not join."""
        return History(list(self.epochs), self.watch, self.min_delta)

    def lines(self) -> Iterator[str]:
        """One JSON object an epoch."""
        return (epoch.line for epoch in self.epochs)

    @classmethod
    def from_lines(cls, lines: Iterable[str], where: str = "history") -> History:
        """Read what `lines` wrote.

        Raises
        ------
        RunError
            With the number of the line that is not a row.
        """
        epochs = []
        for number, line in enumerate(lines, 1):
            try:
                epochs.append(Epoch(**json.loads(line)))
            except (ValueError, TypeError):
                raise RunError(f"{where}:{number}: not a row of a history: {line.strip()!r:.60}.") from None
        return cls(epochs)

    def __len__(self) -> int:
        return len(self.epochs)

    def __str__(self) -> str:
        widths = (5, 9, 8, 9, 9, 7)
        return "\n".join(
            "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in self._rows()
        )

    def __repr__(self) -> str:
        if not self.epochs:
            return "<History: no epoch yet>"
        scores = [f"{head} {cell}" for head, cell in zip(HEADS, _cells(self.epochs[-1]), strict=True) if cell != "-"]
        return f"<History: {len(self)} epoch{'s' * (len(self) != 1)}, the last: {', '.join(scores[1:])}>"

    def _repr_html_(self) -> str:
        return html_table(self._rows())

    def _rows(self) -> list[tuple[str, ...]]:
        """The table: its head, and a row an epoch."""
        return [HEADS, *map(_cells, self.epochs)]


def _cells(e: Epoch) -> tuple[str, ...]:
    judged = _percent(e.accuracy), _number(e.validation_loss), _percent(e.validation_accuracy)
    return str(e.epoch), f"{e.loss:.5f}", *judged, f"{e.seconds:.2f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.5f}"


def _check_numbers(row: Any) -> None:
    """Raise TypeError where a row that was read holds anything but numbers."""
    for entry in fields(row):
        value = getattr(row, entry.name)
        kinds: Any = int if entry.type == "int" else float | int
        if isinstance(value, bool) or not (isinstance(value, kinds) or (value is None and "None" in str(entry.type))):
            raise TypeError(f"{entry.name} is {value!r:.20}")
        if value is not None and abs(value) >= 2**63 and not isinstance(value, float):
            raise TypeError(f"{entry.name} is a number of more than 64 bits")
