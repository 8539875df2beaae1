"""[train] says which optimiser and schedule; what has no use there is refused with its line, and --set changes one for another."""

from __future__ import annotations

from typing import Any

import pytest

import neurograph as ng
from neurograph.errors import SpecError, UsageError
from neurograph.training.schedules import Cosine, Plateau, Step, Warmup
from neurograph.training.settings import Settings

NETWORK = """name = "net"
input = [4]
[[layer]]
name = "out"
kind = "dense"
units = 2
[loss]
kind = "cross_entropy"
[train]
"""


def settings(train: str, *assignments: str, **options: Any) -> Settings:
    return Settings.of(ng.load(NETWORK + train), assignments, **options)


@pytest.mark.parametrize(
    ("train", "faults"),
    [
        (
            'optimizer = "adam"\nmomentum = 0.9\nrho = 0.5',
            [
                ":11: [train] momentum is not of optimizer 'adam', which takes beta1, beta2, epsilon. Leave it out, or choose momentum, "
                "nesterov, rmsprop or sgd.",
                ":12: [train] rho is not of optimizer 'adam', which takes beta1, beta2, epsilon. Leave it out, or choose rmsprop.",
            ],
        ),
        (
            'optimizer = "gd"\nbatch_size = 8\nmomentum = 0.9',
            [
                ":11: [train] optimizer 'gd' takes all samples at once. Leave out batch_size, or choose sgd.",
                ":12: [train] momentum is not of optimizer 'gd', which takes a learning_rate only. Leave it out, or choose momentum, "
                "nesterov, rmsprop or sgd.",
            ],
        ),
        (
            "schedule_every = 3\nclip_norm = 1.0\nclip_value = 1.0",
            [
                ":10: [train] schedule_every is not of schedule 'constant'. Leave it out, or choose step.",
                ":12: [train] clip_norm and clip_value: a gradient is clipped by one of them. Leave one out.",
            ],
        ),
        (
            'optimizer = "momentum"\nmomentum = 0.0',
            [":11: [train] momentum 0 is no 'momentum'; give more than 0, or choose sgd."],
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_line(train: str, faults: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        ng.load(NETWORK + train)
    assert [line[line.index(":") :] for line in str(caught.value).splitlines()] == faults


def test_defaults_stay_unsaid_until_an_optimizer_is_made() -> None:
    given = settings('optimizer = "rmsprop"\nl2 = 0.5')
    assert (given.learning_rate, given.rho, given.momentum) == (0.01, None, None)
    assert repr(given.make_optimizer()) == "RMSProp(learning_rate=0.01, l2=0.5)"
    assert Settings.from_dict(given.as_dict()) == given


def test_schedules_are_made_of_their_keys() -> None:
    assert settings('schedule = "step"\nschedule_every = 3').make_schedule() == Step(every=3)
    made = settings(
        'schedule = "plateau"\nschedule_patience = 2\nschedule_gamma = 0.5\nwarmup_steps = 9'
    ).make_schedule()
    assert made == Warmup(9, Plateau(2, 0.5))


def test_another_optimizer_drops_what_was_said_of_the_old_one() -> None:
    train = 'optimizer = "sgd"\nlearning_rate = 0.5\nmomentum = 0.8\nweight_decay = 0.1'
    assert (
        repr(settings(train, "train.optimizer=adam").make_optimizer()) == "Adam(learning_rate=0.001, weight_decay=0.1)"
    )
    found = settings(train, "train.learning_rate=0.01", "train.optimizer=rmsprop", "train.momentum=0.3")
    assert repr(found.make_optimizer()) == "RMSProp(learning_rate=0.01, momentum=0.3, weight_decay=0.1)"


def test_kinds_of_descent_keep_their_rate() -> None:
    train = "learning_rate = 0.5\nmomentum = 0.8\nbatch_size = 8"
    nesterov = settings(train, "train.optimizer=nesterov").make_optimizer()
    assert repr(nesterov) == "SGD(learning_rate=0.5, momentum=0.8, nesterov=True)"
    whole = settings(train, "train.optimizer=gd").for_samples(70)
    assert (repr(whole.make_optimizer()), whole.batch_size) == ("SGD(learning_rate=0.5)", 70)
    assert settings(train).for_samples(70).batch_size == 8


def test_another_schedule_drops_the_keys_of_the_old_one() -> None:
    train = 'schedule = "step"\nschedule_every = 3\nschedule_gamma = 0.5'
    assert settings(train, "train.schedule=cosine", "train.schedule_floor=0.25").make_schedule() == Cosine(0.25)
    assert settings(train, "train.schedule=plateau").make_schedule() == Plateau()


@pytest.mark.parametrize(
    ("assignments", "options", "message"),
    [
        (
            ["train.rho=0.5"],
            {},
            "--set train.rho=0.5: rho is not of optimizer 'sgd', which takes momentum. Leave it out, or choose rmsprop.",
        ),
        (
            ["train.optimizer=gd"],
            {"batch_size": 9},
            "--batch-size 9: optimizer 'gd' takes all samples at once. Leave out batch_size, or choose sgd.",
        ),
        (
            ["train.clip_norm=2.0"],
            {},
            "--set train.clip_norm=2.0: clip_norm and clip_value: a gradient is clipped by one of them. Leave one out.",
        ),
    ],
)
def test_what_assignments_make_wrong_names_the_assignment(
    assignments: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        settings("clip_value = 1.0", *assignments, **options)
    assert str(caught.value) == message
