"""Schedules: the factor that lies over the learning rate at each step.

A schedule is a pure function of how many steps and epochs are done, of how many steps there will be, and of the history so far; it
remembers nothing, so a resumed training has the same rates to the last bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import cos, pi
from typing import Any, ClassVar

from neurograph.errors import UsageError, suggest
from neurograph.training.history import Epoch, History
from neurograph.training.optimizers.checked import fraction, positive, whole


class Schedule(ABC):
    """What becomes of the learning rate."""

    is_steady_in_epochs: ClassVar[bool] = True
    """Whether the factor changes between epochs only."""

    @abstractmethod
    def __call__(self, step: int, n_steps: int, epoch: int, history: History) -> float:
        """The factor of one step.

        Parameters
        ----------
        step : int
            Steps done.
        n_steps : int
            Steps in all.
        epoch : int
            Epochs done.
        history : History
            What they showed.
        """

    def __str__(self) -> str:
        told = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__.lower()}({told})" if told else type(self).__name__.lower()


@dataclass(frozen=True)
class Constant(Schedule):
    """The rate stays."""

    def __call__(self, step: int, n_steps: int, epoch: int, history: History) -> float:
        return 1.0


@dataclass(frozen=True)
class Linear(Schedule):
    """The rate falls in a line from 1 to `floor`, which it would reach behind the last step.

    Examples
    --------
    >>> [Linear()(step, 4, 0, History()) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """

    is_steady_in_epochs: ClassVar[bool] = False
    floor: float = 0.0

    def __post_init__(self) -> None:
        fraction("floor", self.floor)

    def __call__(self, step: int, n_steps: int, epoch: int, history: History) -> float:
        return 1.0 - (1 - self.floor) * (step / max(n_steps, 1))


@dataclass(frozen=True)
class Cosine(Schedule):
    """The rate falls along half a cosine from 1 to `floor`: slowly at first and at the end.

    Examples
    --------
    >>> [round(Cosine()(step, 4, 0, History()), 3) for step in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]

    References
    ----------
    I. Loshchilov, F. Hutter: SGDR, stochastic gradient descent with warm restarts. ICLR 2017, without the restarts.
    """

    is_steady_in_epochs: ClassVar[bool] = False
    floor: float = 0.0

    def __post_init__(self) -> None:
        fraction("floor", self.floor)

    def __call__(self, step: int, n_steps: int, epoch: int, history: History) -> float:
        return self.floor + (1 - self.floor) * (1 + cos(pi * step / max(n_steps, 1))) / 2


@dataclass(frozen=True)
class Step(Schedule):
    """The rate is multiplied by `gamma` after every `every` epochs.

    Examples
    --------
    >>> [round(Step(every=2)(0, 1, epoch, History()), 3) for epoch in range(5)]
    [1.0, 1.0, 0.1, 0.1, 0.01]
    """

    every: int = 10
    gamma: float = 0.1

    def __post_init__(self) -> None:
        whole("every", self.every), _gamma(self.gamma)

    def __call__(self, step: int, n_steps: int, epoch: int, history: History) -> float:
        return float(self.gamma ** (epoch // self.every))


@dataclass(frozen=True)
class Exponential(Schedule):
    """The rate is multiplied by `gamma` after every epoch.

    Examples
    --------
    >>> [Exponential(0.5)(0, 1, epoch, History()) for epoch in range(3)]
    [1.0, 0.5, 0.25]
    """

    gamma: float = 0.95

    def __post_init__(self) -> None:
        _gamma(self.gamma)

    def __call__(self, step: int, n_steps: int, epoch: int, history: History) -> float:
        return float(self.gamma**epoch)


@dataclass(frozen=True)
class Plateau(Schedule):
    """The rate is multiplied by `gamma` after every `patience` epochs in a row in which the loss did not get better.

    What is watched is the validation loss, without one the training loss. Better means lower than the best so far by more than a ten
    thousandth of it, as in PyTorch.

    Examples
    --------
    >>> seen = [Epoch(i, i, loss=loss) for i, loss in enumerate([1.0, 0.5, 0.6, 0.7, 0.4], 1)]
    >>> [Plateau(patience=2)(0, 1, n, History(seen[:n])) for n in range(6)]
    [1.0, 1.0, 1.0, 1.0, 0.1, 0.1]
    """

    patience: int = 5
    gamma: float = 0.1

    BETTER: ClassVar[float] = 1e-4

    def __post_init__(self) -> None:
        whole("patience", self.patience), _gamma(self.gamma)

    def __call__(self, step: int, n_steps: int, epoch: int, history: History) -> float:
        best, waited, falls = float("inf"), 0, 0
        for loss in map(_watched, history.epochs):
            better = loss < best * (1 - self.BETTER) if best > 0 else loss < best
            best, waited = (loss, 0) if better else (best, waited + 1)
            if waited == self.patience:
                waited, falls = 0, falls + 1
        return float(self.gamma**falls)


@dataclass(frozen=True)
class Warmup(Schedule):
    """The rate rises in a line over the first `steps` steps; the schedule `then` begins behind them.

    Examples
    --------
    >>> [Warmup(4)(step, 100, 0, History()) for step in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    >>> Warmup(4, Linear())(54, 104, 0, History())
    0.5

    References
    ----------
    P. Goyal et al.: Accurate, large minibatch SGD. 2017, section 2.2.
    """

    is_steady_in_epochs: ClassVar[bool] = False
    steps: int
    then: Schedule = Constant()

    def __post_init__(self) -> None:
        whole("steps", self.steps)

    def __call__(self, step: int, n_steps: int, epoch: int, history: History) -> float:
        later = self.then(max(0, step - self.steps), max(1, n_steps - self.steps), epoch, history)
        return later * min(1.0, (step + 1) / self.steps)

    def __str__(self) -> str:
        return f"warm-up over {self.steps} steps, then {self.then}"


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "linear": Linear,
    "step": Step,
    "plateau": Plateau,
    "cosine": Cosine,
    "exponential": Exponential,
}


def schedule_of(schedule: str | Schedule, warmup_steps: int = 0, **told: Any) -> Schedule:
    """A schedule by its word; one that is given as an object stays what it is.

    Parameters
    ----------
    schedule : str or Schedule
    warmup_steps : int
        Steps of warm-up in front of it.
    **told
        What the schedule is told, by name; None stands for the default.

    Raises
    ------
    UsageError
        If there is no such schedule, or a value is not allowed.

    Examples
    --------
    >>> schedule_of("step", every=3), schedule_of("cosine", warmup_steps=100)
    (Step(every=3, gamma=0.1), Warmup(steps=100, then=Cosine(floor=0.0)))
    """
    if isinstance(schedule, str):
        if schedule not in SCHEDULES:
            near = suggest(schedule, SCHEDULES)
            raise UsageError(f"unknown schedule '{schedule}'{near} (known: {', '.join(SCHEDULES)})")
        schedule = SCHEDULES[schedule](**_known(SCHEDULES[schedule], told))
    return Warmup(warmup_steps, schedule) if warmup_steps else schedule


def schedule_from(train: Mapping[str, Any]) -> Schedule:
    """The schedule that the keys of a spec's [train] say."""
    told = {key.removeprefix("schedule_"): value for key, value in train.items() if key.startswith("schedule_")}
    return schedule_of(train["schedule"], train.get("warmup_steps", 0), **told)


def _known(kind: type[Schedule], told: Mapping[str, Any]) -> dict[str, Any]:
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    given = {key: value for key, value in told.items() if value is not None}
    for key in given:
        if key not in known:
            takes = ", ".join(known) or "nothing"
            raise UsageError(f"schedule '{kind.__name__.lower()}': {key} is not for it; it takes {takes}.")
    return given


def _watched(epoch: Epoch) -> float:
    return epoch.loss if epoch.validation_loss is None else epoch.validation_loss


def _gamma(gamma: float) -> float:
    if positive("gamma", gamma) > 1:
        raise UsageError(f"gamma: found {gamma!r}; expected a number above 0 and at most 1.")
    return gamma
