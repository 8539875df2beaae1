"""The lectures' rows about training: several tasks at once, dropout and the recipes of published networks, augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from textbook_rows import ROWS

import neurograph as ng
from neurograph.data import Augment
from neurograph.spec.update import HYPERPARAMETERS
from neurograph.training.settings import Settings
from tests.sweep import network

TRAINED = {"s4.bbox", "s4.recipes", "s4.augmentation"}
"""Rows that are reproduced here."""
ENGINES = ["textbook", "compiled"]


def engine_of(spec: Any, which: str) -> Any:
    topology = ng.lay_out(spec)
    params = ng.initialise(topology, seed=1)
    if which == "textbook":
        return ng.ReferenceEngine(ng.build(topology), params)
    return ng.compile(topology, params, dtype="float64", threads=1)


@pytest.mark.parametrize("which", ENGINES)
def test_class_and_box_are_learned_together(which: str) -> None:
    """s4.bbox: cross-entropy of the class plus L2 of the corners, eight numbers."""
    row = ROWS["s4.bbox"]
    assert row["loss"] == "cross-entropy(class) + L2(box)"
    spec = network(
        {"kind": "dense", "name": "body", "units": 5, "activation": "tanh"},
        {"kind": "dense", "name": "class", "units": 3, "from": "body"},
        {"kind": "dense", "name": "box", "units": row["box_coordinates"], "from": "body"},
        shape=[4],
        loss=[{"kind": "cross_entropy", "of": "class"}, {"kind": "mse", "form": "half_sum", "of": "box"}],
    )
    engine = engine_of(spec, which)
    random = np.random.default_rng(0)
    x, y, box = random.uniform(-1, 1, (6, 4)), random.integers(0, 3, 6), random.uniform(-1, 1, (6, 8))
    trace = engine.backprop(x, {"class": y, "box": box}, reduction="sum")
    z, a = trace.z["class"], trace.a["box"]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert trace.loss == pytest.approx(-np.log(p[np.arange(6), y]).sum() + 0.5 * ((a - box) ** 2).sum(), rel=1e-12)
    weights = engine.params
    owed = (p - np.eye(3)[y]) @ weights["class.weight"] + (a - box) @ weights["box.weight"]
    np.testing.assert_allclose(trace.delta["body"], owed * (1 - trace.a["body"] ** 2), rtol=1e-10, atol=1e-13)


def test_alexnet_is_trained_as_the_lecture_prints() -> None:
    """s4.recipes: dropout in the dense layers alone, with the lectures' keep probability; batch, momentum, rate and its fall."""
    row, spec = ROWS["s4.recipes"]["alexnet"], ng.load("alexnet")
    dropouts = [layer for layer in spec.layers if layer.kind == "dropout"]
    before = [spec.layers[spec.layers.index(layer) - 1] for layer in dropouts]
    assert {layer.kind for layer in before} == {"dense"}
    assert ng.lay_out(spec).dropouts == {layer.name: 1 - row["dropout"] for layer in dropouts}
    settings = Settings.of(spec, ["train.schedule=plateau"])
    assert (settings.batch_size, settings.momentum, settings.learning_rate) == (
        row["batch"],
        row["momentum"],
        row["lr"],
    )
    schedule = settings.make_schedule()
    assert row["lr_rule"] == "/10 on validation plateau"
    assert "0.1" in repr(schedule)
    assert "momentum" in HYPERPARAMETERS[settings.optimizer]
    assert {layer.activation for layer in spec.layers if layer.kind == "conv"} == {row["activation"]}


def test_the_lectures_augmentation_is_a_preset() -> None:
    """s4.augmentation: its ranges, under one name; the rotation's range is not printed there, and is a whole turn here."""
    row, augment = ROWS["s4.augmentation"], Augment(preset="lecture")
    assert augment.translation == tuple(row["translation_px"])
    assert augment.rescale == pytest.approx(tuple(row["rescale"]))
    assert augment.shear == tuple(row["shear_deg"])
    assert augment.stretch == pytest.approx(tuple(row["stretch"]))
    assert [augment.flip_horizontal, augment.flip_vertical] == [
        name in row["flip"] for name in ("horizontal", "vertical")
    ]
    assert augment.rotation == (0.0, 360.0)


# -- dropout ----------------------------------------------------------------------------------------------------------
def fitted(which: str, seed: int = 3, **options: Any) -> dict[str, Any]:
    """Weights after six steps, with dropout in front of and behind a hidden layer."""
    drop = {"kind": "dropout", **(options or {"keep": 0.6})}
    hidden = {"kind": "dense", "units": 7, "activation": "tanh"}
    spec = network(drop, hidden, drop, {"kind": "dense", "units": 3}, shape=[5], loss={"kind": "cross_entropy"})
    engine = engine_of(spec, which)
    random = np.random.default_rng(1)
    x, y = random.uniform(-1, 1, (12, 5)), random.integers(0, 3, 12)
    ng.fit(engine, x, y, epochs=2, batch_size=4, optimizer=ng.SGD(0.5, momentum=0.9), seed=seed)
    return {name: np.array(values) for name, values in engine.params.items()}


def test_both_engines_train_behind_the_same_masks() -> None:
    textbook, compiled = fitted("textbook"), fitted("compiled")
    for name, values in textbook.items():
        np.testing.assert_allclose(compiled[name], values, rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("which", ENGINES)
def test_dropout_follows_from_the_seed_and_changes_what_is_learned(which: str) -> None:
    first, again, kept = fitted(which), fitted(which), fitted(which, keep=1.0)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.allclose(first["n1.weight"], kept["n1.weight"])


def test_rate_is_one_minus_the_lectures_keep_probability() -> None:
    said, opposite = fitted("textbook", keep=0.75), fitted("textbook", rate=0.25)
    assert all(np.array_equal(said[name], opposite[name]) for name in said)
