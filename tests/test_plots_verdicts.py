"""Confusion matrix and worst mistakes: counts, order and probabilities against the engine's own answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.errors import BatchError, DrawingError, LossError, NeurographError, UnknownName, UsageError
from tests.plotted import named, subject, texts

pytest.importorskip("matplotlib", reason="plots need matplotlib")

RBF = """
input = [3]
layer = [{name = "out", kind = "rbf", units = 3, weights = [[0, 0, 0], [1, 1, 1], [-1, -1, -1]]}]
loss = {kind = "rbf_map"}
"""
ONE_HOT = 'input = [3]\nlayer = [{name = "out", kind = "dense", units = 3}]\nloss = {kind = "mse", targets = [-1, 1]}'
FIELD = 'input = [1, 4, 4]\nlayer = [{name = "out", kind = "conv", filters = 3, kernel = 1, activation = "softmax"}]\nloss.kind = "cross_entropy"'


def engine(text: str) -> Any:
    topology = ng.lay_out(ng.load(text))
    return ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=3))


def answers(asked: Any, x: Any, y: Any) -> tuple[Any, list[str]]:
    """What the picture says: the counts as a table, and everything that is written, the title last."""
    figure = ng.viz.plots.confusion(asked, x, y)
    counts = named(figure, "counts").get_array()
    return np.ma.getdata(counts), [*texts(figure), figure.get_suptitle()]


@pytest.mark.parametrize("text", [RBF, ONE_HOT, FIELD])
def test_matrix_counts_what_was_taken_for_what(text: str) -> None:
    asked, draw = engine(text), np.random.default_rng(0)
    x = draw.normal(size=(30, *asked.layout.inputs[0].shape))
    y = draw.integers(0, 3, (30, *asked.layout.heads[0].shape[1:]))
    predicted = np.asarray(asked.predict(x))
    counts, told = answers(asked, x, y)
    wanted = [[int(np.sum((y == i) & (predicted == j))) for j in range(3)] for i in range(3)]
    assert counts.tolist() == wanted
    right, n = int(np.sum(y == predicted)), y.size
    assert told[-1].startswith(f"{right} of {n} right (")
    assert {str(count) for row in wanted for count in row if count} <= set(told)


def test_one_unit_has_the_classes_0_and_1() -> None:
    s = subject("layers")
    figure = ng.viz.plots.confusion(s.engine, s.x, s.y, "side")
    p = np.asarray(s.engine.forward(s.x)["side"]).reshape(-1)
    wanted = [[int(np.sum((s.y["side"] == i) & ((p >= 0.5) == j))) for j in (0, 1)] for i in (0, 1)]
    assert np.ma.getdata(named(figure, "counts").get_array()).tolist() == wanted


def test_one_hot_targets_are_classes_too() -> None:
    asked, draw = engine(ONE_HOT), np.random.default_rng(0)
    x, y = draw.normal(size=(9, 3)), draw.integers(0, 3, 9)
    assert answers(asked, x, np.where(np.eye(3)[y] > 0, 1.0, -1.0))[0].tolist() == answers(asked, x, y)[0].tolist()


def test_worst_mistake_gave_its_class_the_least_probability() -> None:
    s = subject("sequence", n=30)
    figure = ng.viz.plots.mistakes(s.engine, s.x, s.y, limit=4)
    logits = np.asarray(s.engine.forward(s.x))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predicted = p.argmax(axis=1)
    wrong = sorted(np.flatnonzero(predicted != s.y), key=lambda i: p[i, s.y[i]])
    assert len(wrong) > 4
    shown = [image.get_gid() for image in figure.axes[0].images]
    assert shown == [f"sample {i}" for i in wrong[:4]]
    for i in wrong[:4]:
        assert np.array_equal(np.ma.getdata(named(figure, f"sample {i}").get_array()), s.x[i])
    told = texts(figure)
    worst = wrong[0]
    assert told[told.index(f"sample {worst}") - 2] == f"{s.y[worst]} taken for {predicted[worst]}"
    assert told[told.index(f"sample {worst}") - 1].startswith(f"{100 * p[worst].max():.0f} %")
    assert f"Left out: {len(wrong) - 4} more." in " ".join(told)


def test_without_probabilities_the_outputs_are_compared() -> None:
    asked, draw = engine(RBF), np.random.default_rng(1)
    x, y = draw.normal(size=(20, 3)), draw.integers(0, 3, 20)
    distances = np.asarray(asked.forward(x))
    predicted = distances.argmin(axis=1)
    behind = [(distances[i, y[i]] - distances[i, predicted[i]], i) for i in np.flatnonzero(predicted != y)]
    figure = ng.viz.plots.mistakes(asked, x, y, limit=3)
    assert [image.get_gid() for image in figure.axes[0].images] == [
        f"sample {i}" for _, i in sorted(behind, reverse=True)[:3]
    ]


def test_no_mistake_is_said() -> None:
    asked = engine(ONE_HOT)
    x = np.random.default_rng(0).normal(size=(4, 3))
    y = np.asarray(asked.predict(x))
    assert "Every sample got its right label." in texts(ng.viz.plots.mistakes(asked, x, y))
    assert "No mistake" in texts(ng.viz.plots.confusion(asked, x, y))


def test_many_classes_are_colours_and_the_most_frequent_mistakes_a_list() -> None:
    counts = np.eye(60, dtype=int)
    counts[7, 9], counts[3, 1] = 8, 5
    figure = ng.viz.plots.matrix(counts, names=[f"class {i}" for i in range(60)])
    told = texts(figure)
    assert told[told.index("8") + 1 :][:3] == ["class 7 taken for class 9", "5", "class 3 taken for class 1"]
    assert "Left out: the 3,600 counts as numbers; they are written up to 20 classes." in told


def faults() -> list[tuple[Any, type[NeurographError], str]]:
    s, regression = subject("layers"), subject("drawn by hand")
    plots, field = ng.viz.plots, engine(FIELD)
    x, y = np.zeros((2, 1, 4, 4)), np.zeros((2, 4, 4), dtype=int)
    silent = engine('input = [3]\nlayer = [{name = "out", kind = "dense", units = 3}]')
    return [
        (
            lambda: plots.confusion(regression.engine, regression.x, regression.y),
            DrawingError,
            "'the output': its targets are numbers, not",
        ),
        (
            lambda: plots.mistakes(regression.engine, regression.x, regression.y),
            DrawingError,
            "'the output': its targets are numbers, not",
        ),
        (
            lambda: plots.mistakes(field, x, y),
            DrawingError,
            "'the output': a class at every position; mistakes are of whole samples.",
        ),
        (
            lambda: plots.confusion(s.engine, s.x, s.y),
            DrawingError,
            "several heads (classes, side); name one of them, as head.",
        ),
        (
            lambda: plots.confusion(s.engine, s.x, s.y, "clases"),
            UnknownName,
            "no head 'clases'; did you mean 'classes'?",
        ),
        (
            lambda: plots.confusion(s.engine, s.x, {"side": s.y["side"]}, "classes"),
            BatchError,
            "target: found ['side']; expected classes.",
        ),
        (
            lambda: plots.confusion(silent, np.zeros((1, 3)), np.zeros(1, int)),
            LossError,
            "'out' has no loss; add [loss] to the spec",
        ),
        (lambda: plots.matrix(np.zeros((2, 2), int)), DrawingError, "confusion: no samples, so nothing to count."),
        (
            lambda: plots.matrix(np.eye(2, dtype=int), names=["a"]),
            UsageError,
            "confusion: 1 names for 2 classes; give one for each",
        ),
    ]


def test_what_has_no_classes_is_refused_in_one_line() -> None:
    for fault, kind, message in faults():
        with pytest.raises(kind) as caught:
            fault()
        assert str(caught.value).startswith(message)
        assert "\n" not in str(caught.value)
