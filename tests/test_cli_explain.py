"""`neurograph explain`: whole screens for the lectures' networks, every source of samples, every fault with its message."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from neurograph.cli import main

FOUR_B = """\
four, sample 0 (a four), weights as given

conv[0,3,1]: weighted neuron, relu

  z = Σ w·a
    source          a   w  w·a   of z     weight
    input[0,2,0]    0  -1     0     0     conv.weight[0,0,0,0]
    input[0,2,1]  255  -1  -255  -100.0%  conv.weight[0,0,0,1]
    input[0,2,2]    0  -1     0     0     conv.weight[0,0,0,2]
    input[0,3,0]    0   1     0     0     conv.weight[0,0,1,0]
    input[0,3,1]  255   1   255   100.0%  conv.weight[0,0,1,1]
    input[0,3,2]  255   1   255   100.0%  conv.weight[0,0,1,2]
    input[0,4,0]    0  -1     0     0     conv.weight[0,0,2,0]
    input[0,4,1]    0  -1     0     0     conv.weight[0,0,2,1]
    input[0,4,2]    0  -1     0     0     conv.weight[0,0,2,2]
  z = w[0,0,0,1]·input[0,2,1] + w[0,0,1,1]·input[0,3,1] + w[0,0,1,2]·input[0,3,2] + 6 more
    = (-1)·255 + 1·255 + 1·255 + 0
    = 255
    where w is conv.weight
  a = f(z) = relu(255) = 255

  δ = f′(z) · Σ δ(target)·∂z(target)/∂a
    target         δ  product
    pool[0,1,0]  0.2  0.2
    Σ = 0.2
    f′(z) = relu′(255) = 1
  δ = f′(z)·δ(pool[0,1,0])
    = 1·0.2
    = 0.2

  It sees rows 2…4, columns 0…2 of input.
       0    1    2
    2  0  255    0
    3  0  255  255
    4  0    0    0

One of its weights: neurograph explain four "conv.weight[0,0,0,1]"
"""
TINY = """
name = "tiny"
input = [1, 2, 2]
[[layer]]
name = "out"
kind = "dense"
units = 2
activation = "softmax"
[loss]
kind = "cross_entropy"
"""


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints; it must succeed."""
    assert main(["explain", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The message of a command that must fail as the user's mistake."""
    assert main(["explain", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err


def test_neuron_of_four_is_explained_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "four", "conv[0,3,1]") == FOUR_B


def test_weight_is_summed_over_all_the_specs_samples(capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "xor", "hidden.weight[0,0]")
    assert shown.startswith("xor, samples 0…3, weights as given\n")
    assert "mean over 4 samples: gradient = 0 / 4 = 0" in shown
    assert "sample 2" in said(capsys, "xor", "hidden.weight[0,0]", "--sample", "2").splitlines()[0]


def test_copies_of_a_shared_weight_stay_equal(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "four", "conv.weight[0,0,1,1]").endswith(
        "  Every one of the 36 copies of this weight gets this same sum, not its own part of it; so after the\n"
        "  update the copies are still equal: one weight, used 36 times.\n"
    )


def test_digits_are_as_many_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert "  δ = 0.1384985616\n" in said(capsys, "mazur", "o1", "--digits", "10")
    assert "  δ = 0.138\n" in said(capsys, "mazur", "o1", "--digits", "3")


def test_rows_are_as_many_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "four", "outputs[0]", "--rows", "2")
    assert "    … and 7 smaller in-edges, together -25.5 (6 of them exactly 0)\n" in shown


def test_json_is_the_card(capsys: pytest.CaptureFixture[str]) -> None:
    card = json.loads(said(capsys, "four", "conv[0,3,1]", "--json"))
    assert (card["network"], card["data"], card["weights"]) == ("four", "sample 0 (a four)", "weights as given")
    assert (card["neuron"], card["z"], card["delta"]) == ("conv[0,3,1]", 255.0, 0.2)
    assert card["terms"][4] == {
        "source": "input[0,3,1]", "a": 255.0, "w": 1.0, "product": 255.0, "weight": "conv.weight[0,0,1,1]"
    }  # fmt: skip
    weight = json.loads(said(capsys, "four", "conv.weight[0,0,1,1]", "--json"))
    assert (weight["gradient"], weight["n_copies"], len(weight["uses"])) == (44.625, 36, 36)


def test_data_set_of_the_spec_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "digits", "out[3]", "--sample", "7")
    assert shown.startswith("digits, digits sample 7 (a ")
    assert "untrained weights, seed 0\n" in shown
    assert "δ from the loss = p − t" in shown


def test_bundled_digits_stand_in_where_mnist_is_not_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NEUROGRAPH_MNIST", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert said(capsys, "mlp", "out[3]").startswith("mlp, digits sample 0 (a 0), resized, untrained weights, seed 0\n")


def test_random_input_where_nothing_fits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = tmp_path / "tiny.toml"
    spec.write_text(TINY.replace("[1, 2, 2]", "[2, 2, 2]"))
    shown = said(capsys, str(spec), "out[1]")
    assert shown.startswith("tiny, random input, seed 0, target: the first class, untrained weights, seed 0\n")
    assert "δ from the loss = p − t" in shown


def test_run_folder_gives_the_weights(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    assert main(["train", "mazur", "--engine", "textbook", "--steps", "1", "--out", run]) == 0
    capsys.readouterr()
    card = json.loads(said(capsys, "mazur", "w5", "--run", run, "--json"))
    assert card["value"] == pytest.approx(0.358916480, abs=5e-10)
    assert card["weights"] == f"weights of {run}"
    message = refused(capsys, "four", "conv[0,0,0]", "--run", run)
    assert message == (
        f"{run}: a run of another network than four, or of an older text of it. Its own spec is {run}/spec.toml; name that one.\n"
    )


def test_further_questions_name_the_spec_as_it_was_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = tmp_path / "my net.toml"
    spec.write_text(TINY)
    assert f"One of its weights: neurograph explain '{spec}' \"out.weight[" in said(capsys, str(spec), "out[1]")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["four", "cnv[0,0,0]"], "four: no neuron or weight 'cnv[0,0,0]'; did you mean 'conv'? "
         "(layers and parameters: input, conv, pool, outputs, conv.weight, outputs.weight)"),
        (["four", "conv[3]"], "no group conv[3]: 'conv' of shape 1×6×6 has groups conv[0…0]."),
        (["four", "loss"], "loss: this pass had no target, so there is no loss to explain. Give a target."),
        (["four", "conv", "--fractions"], "fractions: conv is a layer; fractions are for neurons and weights. Ask without fractions."),
        (["four", "conv[0,6,0]"], "no neuron conv[0,6,0]: 'conv' has neurons conv[0…0,0…5,0…5]."),
        (["four", "conv[0,0]"], "no neuron conv[0,0]: 'conv' has neurons conv[0…0,0…5,0…5]."),
        (["four", "conv.weight[9,0,0,0]"], "no weight 'conv.weight[9,0,0,0]': 'conv.weight' has slots "
         "conv.weight[0…0,0…0,0…2,0…2]."),
        (["four", "conv.weight"], "no weight 'conv.weight': 'conv.weight' has slots conv.weight[0…0,0…0,0…2,0…2]."),
        (["four", "conv[0,0,0]", "--sample", "1"], "--sample 1: four carries the samples 0…0."),
        (["digits", "out[0]", "--sample", "99999"], "--sample 99999: digits has the training samples 0…1,436."),
    ],
)  # fmt: skip
def test_faults_have_one_message(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert refused(capsys, *arguments) == message + "\n"


def test_unknown_spec_and_digits_out_of_range_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert "fuor" in refused(capsys, "fuor", "x")
    assert "--digits" in refused(capsys, "four", "conv[0,0,0]", "--digits", "99")


@pytest.mark.slow
def test_a_neuron_of_alexnet_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    card = json.loads(said(capsys, "alexnet", "conv2[3,5,5]", "--json"))
    assert len(card["terms"]) == 1200
    assert np.isclose(sum(term["product"] for term in card["terms"]) + card["bias"], card["z"], rtol=1e-3, atol=1e-4)
