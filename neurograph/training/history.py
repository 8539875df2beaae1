"""What training has shown so far: one row an epoch, on screen and as a JSON line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from neurograph.errors import RunError


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

    @property
    def watched(self) -> float:
        """What tells a better epoch from a worse one (larger is better): accuracy where there is one, else −loss."""
        if self.validation_accuracy is not None:
            return self.validation_accuracy
        if self.validation_loss is not None:
            return -self.validation_loss
        return self.accuracy if self.accuracy is not None else -self.loss


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
        """The first of the best epochs (see `Epoch.watched`)."""
        return max(self.epochs, key=lambda epoch: epoch.watched)

    def lines(self) -> Iterator[str]:
        """One JSON object an epoch."""
        return (json.dumps(asdict(epoch)) for epoch in self.epochs)

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
        rows = [f"{'epoch':>5}  {'loss':>9}  {'accuracy':>8}  {'val. loss':>9}  {'val. acc.':>9}  {'seconds':>7}"]
        for e in self.epochs:
            accuracies = (
                f"{_percent(e.accuracy):>8}  {_number(e.validation_loss):>9}  {_percent(e.validation_accuracy):>9}"
            )
            rows.append(f"{e.epoch:>5}  {e.loss:>9.5f}  {accuracies}  {e.seconds:>7.2f}")
        return "\n".join(rows)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.5f}"
