"""Transfer learning: what a network takes from another, what stays frozen, and both from the command line."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.cli import main
from neurograph.errors import ParameterError, UnknownName

BODY = """
name = "net"
input = [1, 8, 8]
[[layer]]
name = "conv1"
kind = "conv"
filters = 2
kernel = 3
activation = "relu"
[[layer]]
name = "conv2"
kind = "conv"
filters = 3
kernel = 3
stride = 2
activation = "relu"
[[layer]]
name = "fc"
kind = "dense"
units = {units}
[loss]
kind = "cross_entropy"
[train]
learning_rate = 0.1
batch_size = 16
"""
TEN, FIVE = BODY.format(units=10), BODY.format(units=5)


# -- functions --------------------------------------------------------------------------------------------------------
def test_equal_names_and_shapes_are_taken_and_the_rest_is_told() -> None:
    old = ng.initialise(ng.lay_out(ng.load(TEN)), seed=1)
    new = ng.initialise(ng.lay_out(ng.load(FIVE)), seed=2)
    fresh = new["fc.weight"]
    found = new.take_from(old)
    assert found.taken == ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias")
    assert found.fresh == {
        "fc.weight": "its shape is 5×12 here and 10×12 there",
        "fc.bias": "its shape is 5 here and 10 there",
    }
    assert found.unused == ("fc.weight", "fc.bias")
    np.testing.assert_array_equal(new["conv2.weight"], old["conv2.weight"])
    np.testing.assert_array_equal(new["fc.weight"], fresh)


def test_slots_without_an_edge_stay_0_and_what_is_to_be_left_is_left() -> None:
    params = ng.Parameters({"a": [1.0, 0.0], "b": [2.0]})
    found = params.take_from({"a": np.array([5.0, 6.0]), "b": np.array([7.0])}, ["b"], {"a": np.array([True, False])})
    assert (params["a"].tolist(), params["b"].tolist()) == ([5.0, 0.0], [2.0])
    assert str(found) == "taken: a\nfresh: b (it was to be left)"
    assert found.fresh == {"b": "it was to be left"}


def test_values_that_are_not_finite_are_not_taken() -> None:
    params = ng.Parameters({"a": [1.0], "b": [1.0]})
    with pytest.raises(ParameterError, match=r"^b: the values to be taken are not all finite"):
        params.take_from({"a": np.array([5.0]), "b": np.array([np.nan])})
    assert params["a"].tolist() == [1.0]


def test_layers_and_parameters_are_frozen_by_name() -> None:
    params = ng.initialise(ng.lay_out(ng.load(TEN)))
    assert params.freeze("conv1", "fc.bias") == ("conv1.weight", "conv1.bias", "fc.bias")
    assert [name for name, trainable in params.trainable.items() if trainable] == [
        "conv2.weight",
        "conv2.bias",
        "fc.weight",
    ]
    with pytest.raises(UnknownName, match=r"^no layer or parameter 'conv3' .*did you mean 'conv"):
        params.freeze("conv3")


@pytest.mark.parametrize("which", ["textbook", "float32", "float64"])
def test_nothing_moves_a_frozen_weight_not_even_its_momentum(which: str) -> None:
    topology = ng.lay_out(ng.load(TEN))
    params = ng.initialise(topology, seed=3)
    engine: Any = (
        ng.ReferenceEngine(ng.build(topology), params)
        if which == "textbook"
        else ng.compile(topology, params, dtype=which, threads=1)
    )
    x, y = np.random.default_rng(0).uniform(0, 1, (4, 1, 8, 8)), np.array([0, 3, 9, 5])
    optimizer = ng.SGD(learning_rate=0.1, momentum=0.9, weight_decay=0.1, l2=0.5, n_samples=4)
    engine.train_step(x, y, optimizer)  # everything has a velocity now
    params.freeze("conv1")
    before = {name: np.array(values) for name, values in params.items()}
    velocity = {name: np.array(values) for name, values in optimizer.state().items() if "conv1" in name}
    for _ in range(3):
        engine.train_step(x, y, optimizer)
    assert len(velocity) == 2
    for name, values in params.items():
        assert np.array_equal(values, before[name]) == name.startswith("conv1"), name
    for name, values in velocity.items():
        np.testing.assert_array_equal(optimizer.state()[name], values)
    params.set_trainable(["conv1.weight"], True)
    engine.train_step(x, y, optimizer)
    assert not np.array_equal(params["conv1.weight"], before["conv1.weight"])


# -- the command line -------------------------------------------------------------------------------------------------
def run(*arguments: Any) -> tuple[int, str, str]:
    """Exit code, what was printed, and the message."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = main([str(a) for a in arguments])
    return code, out.getvalue(), error.getvalue()


def run_json(*arguments: Any) -> Any:
    code, out, error = run(*arguments, "--json")
    assert code == 0, error
    return json.loads(out)


@pytest.fixture(scope="module")
def old_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transfer")
    (folder / "ten.toml").write_text(TEN)
    (folder / "five.toml").write_text(FIVE)
    asked = ("--data", "digits", "--limit", 32, "--epochs", 2, "--engine", "textbook", "--out", folder / "old")
    assert run("train", folder / "ten.toml", *asked)[0] == 0
    return folder


def five(folder: Path, *more: Any) -> tuple[Any, ...]:
    samples = folder / "five_samples.toml"
    if not samples.exists():
        rows = "".join(
            f"[[sample]]\ninput = {np.round(x, 2).ravel().tolist()}\ntarget = {y % 5}\n"
            for x, y in zip(*(part[:20] for part in ng.data.digits()[0]), strict=True)
        )
        samples.write_text(FIVE + rows)
    return ("train", samples, "--epochs", 2, "--engine", "textbook", *more)


def test_a_run_can_begin_with_another_ones_weights(old_run: Path) -> None:
    out = old_run / "tuned"
    found = run_json(*five(old_run, "--init-from", old_run / "old", "--freeze", "conv1,conv2", "--out", out))
    convolutions = ["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"]
    assert found["transfer"]["taken"] == found["transfer"]["frozen"] == convolutions
    assert found["transfer"]["fresh"]["fc.weight"] == "its shape is 5×12 here and 10×12 there"
    assert found["transfer"]["checkpoint"] == "last"
    old, new = ng.load_run(old_run / "old"), ng.load_run(out)
    assert new.arguments["transfer"] == found["transfer"]
    for name in convolutions:
        np.testing.assert_array_equal(new.parameters[name], old.parameters[name])
    assert {name for name, trainable in new.parameters.trainable.items() if trainable} == {"fc.weight", "fc.bias"}


def test_a_resumed_run_needs_nothing_of_the_old_one_and_stays_frozen(old_run: Path) -> None:
    options = ("--init-from", f"{old_run / 'old'}:best", "--freeze", "conv1")
    whole, halves = old_run / "whole", old_run / "halves"
    assert run(*five(old_run, *options, "--out", whole))[0] == 0
    assert run(*five(old_run, *options, "--out", halves, "--steps", 2))[0] == 0
    (old_run / "old").rename(old_run / "away")
    try:
        assert run("train", "--resume", halves, "--steps", 4)[0] == 0
    finally:
        (old_run / "away").rename(old_run / "old")
    one, other = ng.load_run(whole).parameters, ng.load_run(halves).parameters
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
    assert not other.trainable["conv1.weight"]


def test_what_was_taken_is_said(old_run: Path) -> None:
    code, out, _ = run(
        *five(old_run, "--init-from", f"{old_run / 'old'}:best", "--freeze", "conv1", "--freeze", "fc.bias")
    )
    assert code == 0
    assert "(best, after 2 epochs): conv1.weight, conv1.bias, conv2.weight, conv2.bias." in out.replace("\n", " ")
    assert "Fresh: fc.weight (its shape is 5×12 here and 10×12 there)" in out.replace("\n", " ")
    assert "Frozen: conv1.weight, conv1.bias, fc.bias." in out


FAULTS = [
    (("--freeze", "cnv1"), "--freeze: no layer or parameter 'cnv1' with weights of its own; did you mean 'conv1'?"),
    (("--freeze", "conv1,conv2,fc"), "--freeze conv1,conv2,fc: nothing of net is left to train."),
    (("--init-from", "nowhere"), "nowhere: not a run folder"),
]


@pytest.mark.parametrize(("options", "said"), FAULTS)
def test_mistakes_are_said_before_anything_is_made(old_run: Path, options: tuple[str, ...], said: str) -> None:
    code, _, error = run(*five(old_run, *options, "--out", old_run / "never"))
    assert code == 2
    assert said in error.replace("\n", " ")
    assert not (old_run / "never").exists()


def test_a_run_of_which_nothing_fits_is_refused(old_run: Path) -> None:
    other = old_run / "other.toml"
    other.write_text(TEN.replace("conv1", "a").replace("conv2", "b").replace('"fc"', '"c"'))
    code, _, error = run("train", other, "--data", "digits", "--limit", 5, "--init-from", old_run / "old")
    assert code == 2
    assert "nothing in it has the name and the shape of a parameter of net" in error.replace("\n", " ")


def test_resume_refuses_both_options(old_run: Path) -> None:
    code, _, error = run("train", "--resume", old_run / "old", "--freeze", "conv1")
    assert code == 2
    assert "drop --freeze" in error.replace("\n", " ")


def test_records_are_plain_data(old_run: Path) -> None:
    arguments = json.loads((old_run / "old" / "arguments.json").read_text())
    assert "transfer" not in arguments
