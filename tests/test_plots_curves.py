"""Training curves: what is drawn are the numbers of the history, and the marks stand where they belong."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.errors import DrawingError, UsageError
from neurograph.training import Epoch, History
from tests.plotted import texts

pytest.importorskip("matplotlib", reason="plots need matplotlib")


def history(losses: list[float], held_out: list[float] | None = None, rates: list[float] | None = None) -> History:
    """Epochs with these losses; validation accuracy falls as the validation loss rises."""
    rows = []
    for i, loss in enumerate(losses):
        watched = (
            {} if held_out is None else {"validation_loss": held_out[i], "validation_accuracy": 1 - held_out[i] / 2}
        )
        rows.append(Epoch(i + 1, 10 * (i + 1), loss, learning_rate=0.1 if rates is None else rates[i], **watched))
    return History(rows)


def lines(axes: Any, gid: str) -> list[tuple[list[float], list[float]]]:
    found = [line for line in axes.lines if line.get_gid() == gid]
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in found]


def test_lines_are_the_numbers_of_the_history() -> None:
    loss, accuracy = ng.viz.plots.curves(history([0.9, 0.5, 0.4], [0.8, 0.3, 0.6])).axes
    assert lines(loss, "loss") == [([1, 2, 3], [0.9, 0.5, 0.4])]
    assert lines(loss, "validation_loss") == [([1, 2, 3], [0.8, 0.3, 0.6])]
    ((epochs, shares),) = lines(accuracy, "validation_accuracy")
    assert epochs == [1, 2, 3]
    assert shares == pytest.approx([60, 85, 70])
    assert lines(accuracy, "accuracy") == []  # nothing was measured, so nothing is drawn


def test_star_stands_at_the_best_epoch() -> None:
    loss, accuracy = ng.viz.plots.curves(history([0.9, 0.5, 0.4], [0.8, 0.3, 0.6])).axes
    assert lines(loss, "best") == [([2], [0.3])]
    assert lines(accuracy, "best") == [([2], [85])]


def test_learning_rate_has_a_panel_only_where_it_changed() -> None:
    assert len(ng.viz.plots.curves(history([1, 1])).axes) == 1
    loss, rate = ng.viz.plots.curves(history([1, 1, 1], rates=[0.1, 0.1, 0.01])).axes
    assert lines(rate, "learning_rate") == [([1, 2, 3], [0.1, 0.1, 0.01])]
    assert loss.get_title(loc="left").startswith("Loss")


@pytest.mark.parametrize(
    ("rates", "scale"), [([0.1, 0.1, 0.01, 0.01, 0.001, 0.001], "log"), ([0.1, 0.09, 0.07, 0.04, 0.01, 1e-9], "linear")]
)
def test_a_rate_that_falls_by_steps_is_logarithmic_and_a_cosine_is_not(rates: list[float], scale: str) -> None:
    run = history([1] * 6, rates=rates)
    for figure in (ng.viz.plots.curves(run), ng.viz.plots.curves(run, run)):
        assert figure.axes[-1].get_yscale() == scale


@pytest.mark.parametrize(("prepare", "word"), [({}, "test"), ({"validation": 0.1}, "validation")])
def test_curves_of_a_run_say_by_which_samples_it_was_judged(prepare: dict[str, float], word: str) -> None:
    arguments = {"settings": {"epochs": 2, "prepare": prepare}}
    run: Any = SimpleNamespace(history=history([1, 1], [0.5, 0.4]), folder=Path("a"), arguments=arguments)
    for figure in (ng.viz.plots.curves(run), ng.viz.plots.curves(run, run, labels=["a", "b"])):
        assert [text for text in texts(figure) if text in ("test", "validation")] == [word]


@pytest.mark.parametrize(
    ("epochs", "patience", "is_marked"), [(9, 2, True), (9, 3, False), (4, 2, False), (9, None, False)]
)
def test_early_stop_is_marked_where_patience_ended_the_training(
    epochs: int, patience: int | None, is_marked: bool
) -> None:
    run = SimpleNamespace(
        history=history([0.9, 0.5, 0.4, 0.3], [0.8, 0.3, 0.6, 0.7]),
        folder=Path("runs/a"),
        arguments={"settings": {"epochs": epochs, "patience": patience}},
    )
    figure = ng.viz.plots.curves(run)
    assert lines(figure.axes[0], "stop") == ([([4, 4], [0, 1])] if is_marked else [])
    assert ("stopped early: epoch 4" in texts(figure.legends[0])) is is_marked


def test_several_runs_have_a_colour_each_and_their_names() -> None:
    figure = ng.viz.plots.curves(
        history([0.9, 0.5], [0.8, 0.3]), history([0.7, 0.6], [0.5, 0.4]), labels=["plain", "$dropout$"]
    )
    training = [line for line in figure.axes[0].lines if line.get_gid() == "loss"]
    held_out = [line for line in figure.axes[0].lines if line.get_gid() == "validation_loss"]
    assert [line.get_color() for line in training] == [line.get_color() for line in held_out]
    assert len({line.get_color() for line in training}) == 2
    assert {"plain: 85 % (epoch 2)", "$dropout$: 80 % (epoch 2)", "best epoch"} <= set(texts(figure.legends[0]))


def test_a_loss_that_is_no_number_is_a_gap_and_a_steep_one_logarithmic() -> None:
    axes = ng.viz.plots.curves(history([9.0, float("nan"), float("inf"), 0.1])).axes[0]
    assert np.array_equal(lines(axes, "loss")[0][1], [9.0, np.nan, np.nan, 0.1], equal_nan=True)
    assert axes.get_yscale() == "log"
    assert ng.viz.plots.curves(history([0.9, 0.5])).axes[0].get_yscale() == "linear"


@pytest.mark.parametrize(
    ("given", "labels", "error", "message"),
    [
        ([], [], DrawingError, "curves: nothing to draw; give a run or a history."),
        ([History()], [], DrawingError, "run 1: no epoch is finished yet, so there is no curve. Train on: --resume."),
        ([history([1])], ["a", "b"], UsageError, "curves: 2 labels for 1 trainings; give one for each, or none."),
    ],
)
def test_what_cannot_be_drawn_is_said(
    given: list[History], labels: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        ng.viz.plots.curves(*given, labels=labels)
    assert str(caught.value) == message
