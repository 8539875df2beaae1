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


def test_a_run_is_asked_about_what_it_was_trained_on(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without [data] in the spec: the run's data and targets, prepared as the run prepared them, for whoever looks into it."""
    spec, run = tmp_path / "tiny.toml", tmp_path / "run"
    spec.write_text(TINY)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", x=rng.random((40, 1, 2, 2)) + 5, y=np.arange(40) % 2)
    options = ["--set", "data.normalise=standard", "--engine", "textbook", "--steps", "1", "--out", str(run), "--quiet"]
    assert main(["train", str(spec), "--data", str(tmp_path / "own.npz"), *options]) == 0
    shown = said(capsys, str(spec), "out[1]", "--run", str(run), "--sample", "3")
    assert f"{tmp_path / 'own.npz'} sample 3 (a " in shown
    assert main(["census", str(spec), "--run", str(run)]) == 0
    shown = capsys.readouterr().out
    assert " training samples of " in shown
    assert "input from -" in shown  # standardised, not 5…6


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
        (["four", "conv[0,6,0]"], "no neuron conv[0,6,0]: 'conv' has neurons conv[0…0,0…5,0…5]. "
         "The nearest is conv[0,5,0]."),
        (["four", "conv(0,3,1)"], "four: 'conv(0,3,1)' cannot be read. A neuron is written with its index in square brackets, "
         "such as conv[0,3,3]."),
        (["four", "conv.weight[0,0"], "four: 'conv.weight[0,0' cannot be read. A weight is written with its index in square "
         "brackets, such as conv.weight[0,0,1,1]."),
        (["four", "los"], "four: no neuron or weight 'los'; did you mean 'loss'? "
         "(layers and parameters: input, conv, pool, outputs, conv.weight, outputs.weight)"),
        (["four", "conv", "--compare"], "--compare conv: compares one neuron or one weight, such as conv1[0,3,4] or "
         "conv1.weight[0,0,2,1]."),
        (["four", "conv[0,3,1]", "--compare", "--fractions"], "--compare: engines compute in floating point; leave out --fractions."),
        (["four", "conv[0,3,1]", "--target", "3"], "--target 3: goes with --input; other samples carry their own."),
        (["mazur", "w5", "--optimizer", "adm"], "--optimizer adm: unknown; did you mean 'adam'? "
         "(known: gd, sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw)"),
        (["mazur", "w5", "--learning-rate", "-1"], "learning_rate: found -1.0; expected a finite number above 0."),
        (["four", "conv[0,0]"], "no neuron conv[0,0]: 'conv' has neurons conv[0…0,0…5,0…5]."),
        (["four", "conv.weight[9,0,0,0]"], "no weight 'conv.weight[9,0,0,0]': 'conv.weight' has slots "
         "conv.weight[0…0,0…0,0…2,0…2]. The nearest is conv.weight[0,0,0,0]."),
        (["four", "conv.weight"], "no weight 'conv.weight': 'conv.weight' has slots conv.weight[0…0,0…0,0…2,0…2]."),
        (["four", "conv[0,0,0]", "--sample", "1"], "--sample 1: four carries the samples 0…0."),
        (["digits", "out[0]", "--sample", "99999"], "--sample 99999: digits has the training samples 0…1,436."),
        (["lenet5", "fc1[3]", "--data", "digits", "--sample", "99999"], "--sample 99999: digits has the training samples 0…1,436."),
    ],
)  # fmt: skip
def test_faults_have_one_message(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert refused(capsys, *arguments) == message + "\n"


def test_unknown_spec_and_digits_out_of_range_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert "fuor" in refused(capsys, "fuor", "x")
    assert "--digits" in refused(capsys, "four", "conv[0,0,0]", "--digits", "99")


# -- the optimiser's step ------------------------------------------------------------------------------------------------
def test_a_weights_card_goes_on_to_the_step(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "    new w = w − η·gradient\n          = 0.4 − 0.5·0.08216704056\n          = 0.3589164797\n" in said(
        capsys, "mazur", "w5", "--digits", "10"
    )
    assert "the step of SGD(learning_rate=0.25)\n" in said(capsys, "mazur", "w5", "--learning-rate", "0.25")
    assert "the step of Adam(learning_rate=0.001)\n" in said(capsys, "mazur", "w5", "--optimizer", "adam")
    assert "the step" not in said(capsys, "mazur", "b1")  # fixed, so nobody steps
    exact = json.loads(said(capsys, "four", "conv.weight[0,0,1,1]", "--fractions", "--learning-rate", "0.1", "--json"))
    assert (exact["step"]["after"], exact["step"]["before"]) == ("-277/80", "1")


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (["--optimizer", "nesterov"], ["the step of SGD(learning_rate=0.5, momentum=0.9, nesterov=True)", "new w = w − η·(gradient + μ·new v)"]),
        (["--optimizer", "rmsprop"], ["the step of RMSProp(learning_rate=0.01)", "new s = ρ·s + (1 − ρ)·gradient²"]),
        (["--set", "train.l2=0.25"], ["g = gradient + 2·λ₂/m·w", "= 0.082167 + 2·0.25/1·0.4", "= 0.282167", "new w = w − η·g"]),
        (["--optimizer", "adamw", "--set", "train.clip_value=0.01"], ["clipped g = max(−c, min(c, gradient))", "decayed w = (1 − η·d)·w"]),
    ],
    ids=str,
)  # fmt: skip
def test_the_step_of_any_optimizer_is_written_out(
    capsys: pytest.CaptureFixture[str], options: list[str], lines: list[str]
) -> None:
    shown = [line.strip() for line in said(capsys, "mazur", "w5", *options).splitlines()]
    assert [line for line in lines if line not in shown] == []


def test_a_run_is_not_set(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    assert main(["train", "mazur", "--engine", "textbook", "--steps", "1", "--out", run]) == 0
    capsys.readouterr()
    assert refused(capsys, "mazur", "w5", "--run", run, "--set", "train.l2=1") == (
        "--set train.l2=1: a run's optimiser is as it was trained with; leave out --run or --set.\n"
    )


def test_a_runs_own_velocity_is_in_the_step(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    options = ["--engine", "textbook", "--steps", "2", "--epochs", "2", "--set", "train.momentum=0.5"]
    assert main(["train", "mazur", *options, "--out", run]) == 0
    capsys.readouterr()
    card = json.loads(said(capsys, "mazur", "w5", "--run", run, "--json"))
    ((kind, before, after),) = card["step"]["kept"]
    assert kind == "velocity"
    assert before != 0
    assert after == 0.5 * before + card["gradient"]
    assert card["step"]["after"] == card["value"] - 0.5 * after
    fresh = json.loads(said(capsys, "mazur", "w5", "--run", run, "--optimizer", "adam", "--json"))
    assert [kept[1] for kept in fresh["step"]["kept"]] == [0.0, 0.0, 0.0]


# -- a sample of one's own -----------------------------------------------------------------------------------------------
def test_input_file_of_every_kind_is_the_sample(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    values = np.arange(36, dtype=np.float32).reshape(6, 6)
    np.save(tmp_path / "x.npy", values)
    np.savez(tmp_path / "x.npz", input=values)
    (tmp_path / "x.csv").write_text("\n".join(",".join(str(v) for v in row) for row in values))
    (tmp_path / "x.txt").write_text(" ".join(str(int(v)) for v in values.reshape(-1)))
    for name in ("x.npy", "x.npz", "x.csv", "x.txt"):
        card = json.loads(said(capsys, "four", "conv[0,3,1]", "--input", str(tmp_path / name), "--json"))
        assert card["data"] == name
        assert card["delta"] is None
        assert [term["a"] for term in card["terms"]] == [12, 13, 14, 18, 19, 20, 24, 25, 26]
    card = json.loads(
        said(capsys, "four", "outputs[0]", "--input", str(tmp_path / "x.npy"), "--target", "7,-1", "--json")
    )
    assert card["delta"] == card["a"] - 7
    assert card["data"] == "x.npy, target 7,-1"


def test_target_of_a_classifier_is_a_class(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((8, 8)))
    card = json.loads(said(capsys, "digits", "loss", "--input", str(tmp_path / "x.npy"), "--target", "4", "--json"))
    assert [owed["target"] for owed in card["heads"][0]["outputs"]] == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert sum(owed["p"] for owed in card["heads"][0]["outputs"]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("x.csv", "1,2,3", [], "{path}: 3 numbers; input 'input' takes 36 (1×6×6)."),
        ("x.csv", "1,2\n3,zwei", [], "{path}:2: 'zwei' is no number; numbers between commas or blanks are expected."),
        ("x.csv", "nan," + "1," * 35, [], "{path}: number 1 is nan; finite numbers are expected."),
        ("x.npy", "no NumPy file", [], "{path}: damaged, or no NumPy file: "),
        ("x.csv", "1," * 36, ["--target", "a"], "--target a: expected a class such as 3, or numbers between commas such as 0.1,0.9."),
        ("x.csv", "1," * 36, ["--target", "1,2,3"], "--target 1,2,3: 3 numbers; the head has 2 units."),
        ("x.csv", "1," * 36, ["--sample", "0"], "--input {path}: is the sample; leave out --sample and --data."),
    ],
)  # fmt: skip
def test_faults_of_an_input_file_are_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, content: str, options: list[str], message: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    found = refused(capsys, "four", "conv[0,0,0]", "--input", str(path), *options)
    assert found.startswith(message.format(path=path))
    assert found.count("\n") == 1
    missing = refused(capsys, "four", "conv[0,0,0]", "--input", str(tmp_path / "none.npy"))
    assert missing == f"{tmp_path / 'none.npy'}: cannot be read: No such file or directory.\n"


@pytest.mark.slow
def test_a_neuron_of_alexnet_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    card = json.loads(said(capsys, "alexnet", "conv2[3,5,5]", "--json"))
    assert len(card["terms"]) == 1200
    assert np.isclose(sum(term["product"] for term in card["terms"]) + card["bias"], card["z"], rtol=1e-3, atol=1e-4)


def test_unknown_format_is_told_with_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "four", "loss", "--format", "pdf"]) == 2
    told = capsys.readouterr().err.splitlines()[0]
    assert (
        told == "neurograph explain: Invalid value for '--format': 'pdf' is not one of 'text', 'latex', 'html', 'json'."
    )
