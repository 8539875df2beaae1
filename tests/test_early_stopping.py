"""Early stopping: when nothing gets better for long enough training stops, and the best weights are the ones that stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from softmax_regression import SoftmaxRegression

from neurograph.cli import main
from neurograph.data import digits
from neurograph.engine import Evaluation
from neurograph.errors import UsageError
from neurograph.training import SGD, Epoch, History, fit, load_run

(X, Y), TEST = digits()
X, Y = X[:200], Y[:200]


class Scored(SoftmaxRegression):
    """Its scores were settled beforehand: (loss, accuracy) after each epoch."""

    def __init__(self, *scores: tuple[float, float]) -> None:
        super().__init__(64, 10)
        self.scores = list(scores)

    def evaluate(self, x: Any, target: Any) -> Evaluation:
        loss, accuracy = self.scores.pop(0)
        return Evaluation(loss, accuracy, len(x))


SCORES = [(0.9, 0.5), (0.8, 0.7), (0.7, 0.7), (0.6, 0.6), (0.5, 0.7), (0.4, 0.9)]


def trained(**options: Any) -> tuple[Scored, History, list[dict[str, np.ndarray]]]:
    """Six epochs at most; the engine, the history, and the weights after every epoch."""
    engine, weights = Scored(*SCORES), []
    keep = lambda _: weights.append(dict(engine.params))  # noqa: E731
    given = {"epochs": 6, "batch_size": 50, "optimizer": SGD(0.5), "validation": TEST, "on_epoch": keep, **options}
    return engine, fit(engine, X, Y, **given), weights


def same(params: Any, weights: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(params[name], weights[name]) for name in weights)


@pytest.mark.parametrize(
    ("options", "n_epochs", "best"),
    [
        ({"patience": 2}, 4, 2),  # 0.7 again is not better, 0.6 neither
        ({"patience": 3}, 5, 2),
        ({"patience": 4}, 6, 6),
        ({"patience": 2, "watch": "validation_loss"}, 6, 6),
        ({"patience": 2, "watch": "validation_loss", "min_delta": 0.15}, 6, 5),
        ({"patience": 1, "watch": "validation_loss", "min_delta": 0.15}, 2, 1),
        ({"patience": 2, "min_delta": 0.25}, 3, 1),
    ],
)
def test_stops_when_nothing_was_better_for_so_many_epochs(options: Any, n_epochs: int, best: int) -> None:
    engine, history, weights = trained(**options)
    assert (len(history), history.best.epoch) == (n_epochs, best)
    assert same(engine.params, weights[best - 1])


def test_the_best_weights_are_restored_only_if_asked_for() -> None:
    for options, kept in (
        ({}, 6),
        ({"patience": 2, "restore_best": False}, 4),
        ({"epochs": 4, "restore_best": True}, 2),
    ):
        engine, _, weights = trained(**options)
        assert same(engine.params, weights[kept - 1])
        assert sum(same(engine.params, some) for some in weights) == 1


def test_a_training_that_goes_on_stops_where_it_would_have(tmp_path: Path) -> None:
    """From the history of two epochs, and the weights of the best of them."""
    whole, expected, _ = trained(patience=3)
    first, history, weights = trained(epochs=2, optimizer=(optimizer := SGD(0.5, momentum=0.0)))
    second = Scored(*SCORES[2:])
    second.params.update(first.params)
    options: dict[str, Any] = {"epochs": 6, "batch_size": 50, "optimizer": optimizer, "validation": TEST, "patience": 3}
    found = fit(second, X, Y, history=history, best=weights[1], **options)
    assert [epoch.validation_accuracy for epoch in found.epochs] == [e.validation_accuracy for e in expected.epochs]
    assert same(second.params, dict(whole.params))
    with pytest.raises(UsageError) as caught:
        fit(second, X, Y, history=history, **options)
    assert str(caught.value) == (
        "best: to restore the best weights, those of the best epoch so far are needed; found none."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 0}, "patience: found 0; expected a whole number of at least 1."),
        ({"min_delta": -1.0}, "min_delta: found -1.0; expected a finite number of at least 0."),
        (
            {"watch": "validation_los"},
            "watch: unknown score 'validation_los'; did you mean 'validation_loss'? (known: validation_accuracy, "
            "validation_loss, accuracy, loss)",
        ),
        (
            {"watch": "accuracy"},
            "watch: 'accuracy' cannot be watched: it is of the training samples, and measured only without validation samples. "
            "Watch validation_accuracy.",
        ),
        (
            {"watch": "validation_loss", "validation": None},
            "watch: 'validation_loss' cannot be watched: there are no validation samples. Watch loss.",
        ),
    ],
)
def test_what_cannot_be_watched_is_refused(options: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        trained(**options)
    assert str(caught.value) == message


def test_an_accuracy_that_no_epoch_will_have_is_refused_before_training() -> None:
    class Scoreless(SoftmaxRegression):
        def evaluate(self, x: Any, target: Any) -> Evaluation:
            return Evaluation(0.5, None, len(x))

    for validation, watch, other in ((TEST, "validation_accuracy", "validation_loss"), (None, "accuracy", "loss")):
        engine = Scoreless(64, 10)
        with pytest.raises(UsageError) as caught:
            fit(engine, X, Y, validation=validation, watch=watch)
        assert str(caught.value) == f"watch: '{watch}' cannot be watched: this network has none. Watch {other}."
        assert not engine.seen
        assert len(fit(engine, X, Y, epochs=1, validation=validation, watch=other)) == 1


def test_a_score_that_was_not_measured_cannot_be_watched() -> None:
    with pytest.raises(UsageError) as caught:
        Epoch(1, 1, 0.5).score("accuracy")
    assert str(caught.value) == "watch: 'accuracy' was not measured; choose among loss."


def test_no_number_is_worse_than_any() -> None:
    nan = float("nan")
    history = History([Epoch(1, 1, nan), Epoch(2, 2, 9.0), Epoch(3, 3, nan)])
    assert history.best.epoch == 2
    history.epochs.append(Epoch(4, 4, 8.0))
    assert history.best.epoch == 4
    del history.epochs[1:]
    assert history.best.epoch == 1


def test_best_looks_at_every_epoch_once_and_is_the_first_of_equals() -> None:
    random = np.random.default_rng(0)
    history = History(min_delta=0.0)
    for n in range(1, 200):
        history.epochs.append(Epoch(n, n, float(random.integers(0, 50))))
        assert history.best is max(history.epochs, key=lambda epoch: epoch.watched)


# -- commands -----------------------------------------------------------------------------------------------------------
NET = """
name = "net"
input = [1, 8, 8]
[[layer]]
name = "out"
kind = "dense"
units = 10
[loss]
kind = "cross_entropy"
[data]
set = "digits"
validation = 40
"""


def test_a_run_that_stopped_early_has_its_best_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, folder = tmp_path / "net.toml", tmp_path / "run"
    spec.write_text(NET)
    arguments = ["train", str(spec), "--engine", "textbook", "--limit", "120", "--epochs", "30", "--patience", "1"]
    assert main([*arguments, "--set", "train.learning_rate=2.0", "--out", str(folder)]) == 0
    shown = capsys.readouterr().out.splitlines()
    run = load_run(folder)
    n, best = len(run.history), run.history.best
    assert n < 30
    assert shown[0].startswith("net on digits: 80 training, 40 validation and 360 test samples, 30 epochs")
    assert shown[-2] == f"Stopped early after {n} epochs: none since epoch {best.epoch} was better."
    assert shown[-1].startswith(f"best of {n} epochs: epoch {best.epoch}, test accuracy ")
    assert run.name == "best"
    assert main(["evaluate", str(spec), "--run", str(folder), "--engine", "textbook", "--json"]) == 0
    judged = json.loads(capsys.readouterr().out)
    assert judged["checkpoint"] == "best"
    assert f"test accuracy {100 * judged['accuracy']:.2f} %" in shown[-1]
    assert main(["train", "--resume", str(folder)]) == 0
    again = capsys.readouterr().out.splitlines()
    assert again == [f"{folder}: finished after {n} epochs; there is nothing to resume.", *shown[-2:]]
    assert main(["train", "--resume", str(folder), "--patience", "2", "--quiet"]) == 0
    assert len(load_run(folder).history) > n


def test_keep_is_one_of_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "digits", "--keep", "bets"]) == 2
    assert capsys.readouterr().err == "--keep: unknown choice 'bets'; did you mean 'best'? (known: best, last)\n"
