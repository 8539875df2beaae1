"""Several heads that learn from one data set, from the spec to the run: a digit, and whether it is odd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.errors import DataError, SpecError
from neurograph.graph.layout import layout_of
from neurograph.training.samples import samples_for
from neurograph.training.settings import Settings
from tests.test_transfer import run, run_json

ODD = [0, 1] * 5
NET = """
name = "two"
input = [1, 8, 8]
[[layer]]
name = "pool"
kind = "avgpool"
window = 2
[[layer]]
name = "digit"
kind = "dense"
units = 10
from = "pool"
[[layer]]
name = "odd"
kind = "dense"
units = {units}
from = "pool"
[[loss]]
kind = "cross_entropy"
of = "digit"
[[loss]]
kind = "{kind}"
of = "odd"
weight = 0.5
{labels}
class_weights = "balanced"
[train]
learning_rate = 0.5
batch_size = 20
"""
LABELS = f"labels = {ODD}"


def text(units: int = 1, kind: str = "binary_cross_entropy", labels: str = LABELS) -> str:
    return NET.format(units=units, kind=kind, labels=labels)


@pytest.mark.parametrize(("units", "kind"), [(1, "binary_cross_entropy"), (2, "cross_entropy"), (2, "mse")])
def test_every_head_has_its_own_targets(units: int, kind: str) -> None:
    spec = ng.load(text(units, kind))
    layout = layout_of(ng.lay_out(spec))
    samples: Any = samples_for(spec, layout, "digits", {"validation": 0.1}, limit=100)
    for _, y in ((samples.x, samples.y), samples.test, samples.validation):
        np.testing.assert_array_equal(y["odd"], y["digit"] % 2)
    assert (samples.n, samples.n_validation, samples.n_test) == (90, 10, 360)


@pytest.mark.parametrize("engine", ["textbook", "compiled"])
def test_two_heads_are_trained_resumed_and_judged(engine: str, tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text(text())
    asked = ("--data", "digits", "--limit", 100, "--engine", engine, "--threads", 1, "--out", tmp_path / "run")
    assert run("train", tmp_path / "two.toml", *asked, "--epochs", 2)[0] == 0
    assert run("train", "--resume", tmp_path / "run", "--epochs", 4)[0] == 0
    found = ng.load_run(tmp_path / "run")
    (_, y), _ = ng.data.digits()
    n_odd = int((y[:100] % 2).sum())
    counted = [100 / (2 * (100 - n_odd)), 100 / (2 * n_odd)]
    assert found.arguments["class_weights"] == {"odd": pytest.approx(counted)}
    assert found.program.layout.heads[1].loss.class_weights == tuple(found.arguments["class_weights"]["odd"])
    assert found.history.epochs[-1].loss < found.history.epochs[0].loss
    judged = run_json("evaluate", tmp_path / "two.toml", "--run", tmp_path / "run")
    (xt, yt), program = ng.data.digits()[1], found.program
    predicted = program.predict(xt)
    assert judged["heads"]["odd"] == pytest.approx(float((predicted["odd"] == yt % 2).mean()))
    assert judged["heads"]["digit"] == pytest.approx(float((predicted["digit"] == yt).mean()))
    assert judged["accuracy"] == pytest.approx(np.mean([judged["heads"]["odd"], judged["heads"]["digit"]]))
    assert judged["heads"]["odd"] > 0.6
    counts = np.array(judged["confusions"]["digit"])
    assert counts[3].tolist() == np.bincount(predicted["digit"][yt == 3], minlength=10).tolist()
    assert list(judged["confusions"]) == ["digit"]  # of a single unit's two classes the share says all
    assert "\ndigit:\nclass       n" in run("evaluate", tmp_path / "two.toml", "--run", tmp_path / "run")[1]
    assert judged["loss"] == pytest.approx(found.history.epochs[-1].validation_loss, rel=1e-5)


def test_both_heads_are_explained_from_data(tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text(text())
    code, out, error = run("explain", tmp_path / "two.toml", "odd[0]", "--data", "digits")
    assert code == 0, error
    assert "(digit: " in out
    assert "0.5 · (w · (σ(z) − t)), with the class weight w" in out


def test_a_head_may_know_fewer_classes_than_the_data() -> None:
    spec = ng.load(text(3, "cross_entropy", "labels = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]"))
    samples: Any = samples_for(spec, layout_of(ng.lay_out(spec)), "digits", {}, limit=50)
    np.testing.assert_array_equal(samples.y["odd"], np.minimum(samples.y["digit"] // 3, 2))


def data_fault(spec_text: str) -> str:
    spec = ng.load(spec_text)
    with pytest.raises(DataError) as caught:
        samples_for(spec, layout_of(ng.lay_out(spec)), "digits", Settings().prepare)
    return str(caught.value)


def test_labels_that_do_not_fit_are_refused() -> None:
    assert "labels has 2 numbers, the data 10 classes." in data_fault(text(labels="labels = [0, 1]"))
    assert "10 classes; 'odd' has 2 units. Give it 10, or say in its [loss] with labels" in data_fault(
        text(2, "cross_entropy", "")
    )
    with pytest.raises(SpecError, match=r"labels: found class 2; 'odd' has classes 0…1\."):
        ng.lay_out(ng.load(text(labels="labels = [0, 2]")))
    assert "'odd' learns values (mse), and the data has classes. Say in its [[loss]] what it learns" in data_fault(
        text(2, "mse", "")
    )
    assert "it has 2 units and the input 64 values. Give it as many." in data_fault(text(2, "mse", 'labels = "input"'))
    with pytest.raises(SpecError, match=r'labels = "input" goes with mse and binary_cross_entropy'):
        ng.lay_out(ng.load(text(64, "cross_entropy", 'labels = "input"')))


def test_a_head_may_learn_to_give_the_input_again() -> None:
    spec = ng.load(text(64, "mse", 'labels = "input"').replace('class_weights = "balanced"', ""))
    samples: Any = samples_for(spec, layout_of(ng.lay_out(spec)), "digits", {"validation": 5}, limit=50)
    for x, y in ((samples.x, samples.y), samples.test, samples.validation):
        np.testing.assert_array_equal(y["odd"], x.reshape(len(x), 64))
        assert y["digit"].dtype.kind in "iu"
