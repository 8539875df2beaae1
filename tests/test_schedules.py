"""Schedules: pure functions of steps, epochs and what the epochs showed."""

from __future__ import annotations

import numpy as np
import pytest

from neurograph.errors import UsageError
from neurograph.training import Epoch, History
from neurograph.training.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    Plateau,
    Schedule,
    Step,
    Warmup,
    schedule_from,
    schedule_of,
)

NONE = History()


def over(schedule: Schedule, n: int) -> list[float]:
    """The factors of all n steps and the one behind."""
    return [schedule(step, n, 0, NONE) for step in range(n + 1)]


def seen(*losses: float, validation: bool = True) -> History:
    rows = [Epoch(i, i, loss=9.0 / i, validation_loss=loss) for i, loss in enumerate(losses, 1)]
    return History(rows if validation else [Epoch(i, i, loss=loss) for i, loss in enumerate(losses, 1)])


def test_linear_falls_from_one_to_its_floor() -> None:
    factors = over(Linear(), 1000)
    assert (factors[0], factors[500], factors[1000]) == (1.0, 0.5, 0.0)
    assert over(Linear(floor=0.5), 4) == [1.0, 0.875, 0.75, 0.625, 0.5]
    assert over(Constant(), 3) == [1.0] * 4


def test_cosine_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50, eta_min=0.1)
    for step in range(50):
        assert Cosine(floor=0.1)(step, 50, 0, NONE) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12)
        optimizer.step()
        theirs.step()


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (Step(every=2, gamma=0.5), [1, 1, 0.5, 0.5, 0.25]),
        (Exponential(gamma=0.5), [1, 0.5, 0.25, 0.125, 0.0625]),
    ],
)
def test_some_change_between_epochs_only(schedule: Schedule, factors: list[float]) -> None:
    assert schedule.is_steady_in_epochs
    for step in (0, 7, 99):
        assert [schedule(step, 100, epoch, NONE) for epoch in range(5)] == factors


def test_plateau_divides_by_ten_after_epochs_without_a_better_validation_loss() -> None:
    """Epoch 3 is the second in a row that is not better than 0.5; then the waiting begins anew."""
    losses = (0.5, 0.5, 0.6, 0.49999, 0.7, 0.4, 0.4, 0.4)
    found = [Plateau(patience=2)(0, 1, n, seen(*losses[:n])) for n in range(9)]
    assert found == pytest.approx([1, 1, 1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001])


def test_plateau_watches_the_training_loss_where_nothing_is_validated() -> None:
    assert Plateau(patience=1)(0, 1, 2, seen(0.5, 0.6, validation=False)) == 0.1
    assert Plateau(patience=1)(0, 1, 2, seen(0.6, 0.5, validation=False)) == 1.0


def test_plateau_notices_losses_below_zero() -> None:
    assert Plateau(patience=1)(0, 1, 3, seen(-1.0, -2.0, -3.0)) == 1.0


def test_warm_up_comes_in_front_of_any_schedule() -> None:
    assert over(Warmup(4), 6) == [0.25, 0.5, 0.75, 1, 1, 1, 1]
    assert over(Warmup(2, Linear()), 6) == [0.5, 1, 1, 0.75, 0.5, 0.25, 0]
    assert Warmup(2, Step(every=1))(0, 6, 1, NONE) == pytest.approx(0.05)
    assert not Warmup(2).is_steady_in_epochs


def test_a_schedule_asked_twice_answers_the_same() -> None:
    history = seen(*np.random.default_rng(0).random(30))
    for schedule in (Plateau(2), Warmup(5, Cosine()), Step(3), Exponential(), Linear()):
        assert [schedule(s, 90, 30, history) for s in (80, 3, 80)][::2] == [schedule(80, 90, 30, history)] * 2


def test_words_and_objects_mean_the_same() -> None:
    assert schedule_of("linear") == Linear()
    assert schedule_of(Step(3)) == Step(3)
    assert schedule_of("plateau", gamma=0.5, patience=None) == Plateau(gamma=0.5)
    assert schedule_of(Linear(), warmup_steps=3) == Warmup(3, Linear())
    train = {"schedule": "step", "schedule_every": 4, "schedule_gamma": None, "warmup_steps": 10, "epochs": 3}
    assert schedule_from(train) == Warmup(10, Step(4))
    assert str(schedule_from(train)) == "warm-up over 10 steps, then step(every=4, gamma=0.1)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: schedule_of("linaer"),
            "unknown schedule 'linaer'; did you mean 'linear'? (known: constant, linear, step, plateau, cosine, exponential)",
        ),
        (lambda: schedule_of("linear", gamma=0.5), "schedule 'linear': gamma is not for it; it takes floor."),
        (lambda: schedule_of("constant", every=1), "schedule 'constant': every is not for it; it takes nothing."),
        (lambda: Step(every=0), "every: found 0; expected a whole number of at least 1."),
        (lambda: Step(gamma=0), "gamma: found 0; expected a finite number above 0."),
        (lambda: Exponential(gamma=1.5), "gamma: found 1.5; expected a number above 0 and at most 1."),
        (lambda: Plateau(patience=1.5), "patience: found 1.5; expected a whole number of at least 1."),  # type: ignore[arg-type]
        (lambda: Cosine(floor=1), "floor: found 1; expected a number of at least 0 and below 1."),
        (lambda: Warmup(0), "steps: found 0; expected a whole number of at least 1."),
    ],
)
def test_wrong_schedules_are_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value) == message
