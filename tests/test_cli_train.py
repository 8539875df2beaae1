"""`neurograph train` and `evaluate`, from the command line to the run folder; the textbook engine keeps these tests off kernels."""

from __future__ import annotations

import io
import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.cli import main
from neurograph.cli.evaluate import table, text
from neurograph.cli.progress import Table, clock
from neurograph.spec.data import AugmentSpec
from neurograph.spec.model import TrainSpec
from neurograph.training import Epoch, History, load_run
from neurograph.training.fit import Progress

NET = """
name = "net"
input = [1, 8, 8]

[[layer]]
name = "pool"
kind = "avgpool"
window = 2

[[layer]]
name = "out"
kind = "dense"
units = 10

[loss]
kind = "cross_entropy"

[data]
set = "digits"

[train]
epochs = 3
batch_size = 50
learning_rate = 0.5
momentum = 0.5
schedule = "linear"
"""
"""Small enough to be trained neuron by neuron in a second."""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "net.toml"
    path.write_text(NET)
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a command; its output, or its error message where it is to fail."""
    assert main([*arguments]) == code, capsys.readouterr().err
    shown = capsys.readouterr()
    return shown.out if code == 0 else shown.err.removesuffix("\n")


TEXTBOOK = ("--engine", "textbook", "--limit", "200")


# -- a lesson ---------------------------------------------------------------------------------------------------------
def test_mazur_is_a_lesson_to_every_printed_digit(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "train", "mazur", "--engine", "textbook", "--steps", "1")
    for line in (
        "  h1: z = 0.15·0.05 + 0.2·0.1 + 0.35 = 0.377500000",
        "      a = sigmoid(z) = 0.593269992",
        "  o1: z = 0.4·0.593269992 + 0.45·0.596884378 + 0.6 = 1.105905967",
        "      a = sigmoid(z) = 0.751365070   (target 0.01)",
        "      a = sigmoid(z) = 0.772928465   (target 0.99)",
        "  o1: δ = (a − t)·f′(z) = (0.75136507 − 0.01) · 0.186815602 = 0.138498562",
        "  h1: δ = f′(z)·Σ δ·w = 0.241300709 · (0.138498562·0.4 + -0.0380982365·0.5) = 0.008771355",
        "Loss E = 0.298371109",
        "  w5  ∂E/∂w = δ(o1)·a(h1) = 0.138498562·0.593269992 = 0.082167041",
        "      0.400000000 → 0.358916480",
        "  b1  fixed, stays 0.350000000",
        "Loss after the step: E = 0.291027774",
    ):
        assert f"\n{line}\n" in shown
    new = [line.split("→")[1].strip() for line in shown.splitlines() if "→" in line]
    assert new == [
        "0.149780716", "0.199561432", "0.249751144", "0.299502287",
        "0.358916480", "0.408666186", "0.511301270", "0.561370121",
    ]  # fmt: skip


def test_a_lesson_of_several_samples_divides_the_sum(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(
        'name = "two"\ninput = [1]\n[[layer]]\nname = "o"\nkind = "dense"\nunits = 1\nweights = [[2]]\nbias = [1]\n'
        '[loss]\nkind = "mse"\nform = "half_sum"\n[train]\nepochs = 1\nbatch_size = 2\nlearning_rate = 0.5\n'
        "[[sample]]\ninput = [1]\ntarget = [0]\n[[sample]]\ninput = [1]\ntarget = [2]\n"
    )
    shown = run(capsys, "train", str(path), "--engine", "textbook")
    assert "Forward, sample 1: input[0] = 1\n" in shown
    assert "\nLoss E = 2.500000000 (mean over 2 samples)\n" in shown
    assert "∂E/∂w = mean over samples of δ(o[0])·a(input[0]) = (3·1 + 1·1) / 2 = 2.000000000\n" in shown
    assert " 2.000000000 → 1.000000000\n" in shown
    assert " 1.000000000 → 0.000000000\n" in shown


def test_quiet_lessons_teach_nothing_and_train_all_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    assert run(capsys, "train", "mazur", "--engine", "textbook", "--quiet", "--out", out) == ""
    assert float(load_run(out).parameters["w5"]) == pytest.approx(0.35891648, abs=5e-9)


# -- training and its run folder --------------------------------------------------------------------------------------
def test_training_shows_a_line_an_epoch(capsys: pytest.CaptureFixture[str], spec: str) -> None:
    lines = run(capsys, "train", spec, *TEXTBOOK).splitlines()
    assert lines[0] == (
        "net on digits: 200 training and 360 test samples, 3 epochs, batches of 50, "
        "SGD(learning_rate=0.5, momentum=0.5), rate falling to 0, textbook engine, seed 0"
    )
    assert [line.split("  ")[0] for line in lines[1:4]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert lines[4].startswith("test accuracy ")
    assert lines[4].endswith("; weights not kept (--out DIR keeps them)")
    assert len(lines) == 5


def test_json_holds_what_was_shown(capsys: pytest.CaptureFixture[str], spec: str) -> None:
    result = json.loads(run(capsys, "train", spec, *TEXTBOOK, "--json"))
    assert result["name"] == "net"
    assert result["steps"] == 12
    assert result["settings"]["learning_rate"] == 0.5
    assert result["test_accuracy"] == result["epochs"][-1]["validation_accuracy"] > 0.2
    assert result["run"] is None


def test_options_and_assignments_win_over_the_spec(capsys: pytest.CaptureFixture[str], spec: str) -> None:
    arguments = (
        "--set",
        "train.epochs=1",
        "--set",
        "train.learning_rate=0.25",
        "--set",
        "data.low=-1",
        "--epochs",
        "1",
    )
    settings = json.loads(run(capsys, "train", spec, *TEXTBOOK, *arguments, "--json"))["settings"]
    assert (settings["epochs"], settings["learning_rate"], settings["momentum"]) == (1, 0.25, 0.5)
    assert (settings["prepare"]["low"], settings["prepare"]["high"]) == (-1.0, 1.0)


def test_seeds_decide_everything(capsys: pytest.CaptureFixture[str], spec: str) -> None:
    losses = [
        json.loads(run(capsys, "train", spec, *TEXTBOOK, "--epochs", "1", "--seed", seed, "--json"))["loss"]
        for seed in ("0", "0", "1")
    ]
    assert losses[0] == losses[1] != losses[2]


def test_first_weights_are_those_of_the_seed(capsys: pytest.CaptureFixture[str], spec: str, tmp_path: Path) -> None:
    run(capsys, "train", spec, *TEXTBOOK, "--epochs", "0", "--seed", "3", "--out", str(tmp_path / "run"))
    expected = ng.initialise(ng.lay_out(ng.load(spec)), seed=3)
    found = load_run(tmp_path / "run").parameters
    assert {name: found[name].tobytes() for name in found} == {name: expected[name].tobytes() for name in expected}


def test_a_run_is_kept_resumed_and_evaluated(capsys: pytest.CaptureFixture[str], spec: str, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "net"
    shown = run(capsys, "train", spec, *TEXTBOOK, "--out", str(folder))
    assert shown.splitlines()[-1].endswith(f"; kept in {folder}")
    assert sorted(path.name for path in folder.iterdir()) == [
        "arguments.json", "best.safetensors", "history.jsonl", "last.safetensors", "previous.safetensors", "spec.toml",
    ]  # fmt: skip
    assert (folder / "spec.toml").read_text() == NET

    again = run(capsys, "train", "--resume", str(folder)).splitlines()
    assert again[0] == f"{folder}: finished after 3 epochs; there is nothing to resume."
    assert again[1] == shown.splitlines()[-1]
    before = load_run(folder).arguments
    assert run(capsys, "train", "--resume", str(folder), "--epochs", "2", code=2) == (
        f"--epochs 2: {folder} has done 3 epochs; --epochs says how many in all. Five more: --epochs 8."
    )
    assert load_run(folder).arguments == before

    accuracy = load_run(folder).history.epochs[-1].validation_accuracy
    result = json.loads(run(capsys, "evaluate", spec, "--run", str(folder), "--engine", "textbook", "--json"))
    assert result["accuracy"] == pytest.approx(accuracy)
    counts = np.array(result["confusion"])
    assert counts.sum() == result["n"] == 360
    assert np.trace(counts) / 360 == pytest.approx(accuracy)
    assert counts.sum(axis=1).tolist() == np.bincount(ng.data.digits()[1][1]).tolist()
    first = run(capsys, "evaluate", spec, "--run", str(folder), "--engine", "textbook").splitlines()[0]
    assert first == f"digits, 360 test samples: accuracy {100 * result['accuracy']:.2f} %, loss {result['loss']:.5f}"


def test_an_interrupted_run_goes_on_to_the_same_bits(
    capsys: pytest.CaptureFixture[str], spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(capsys, "train", spec, *TEXTBOOK, "--out", str(whole))

    from neurograph.reference import ReferenceEngine

    real, calls = ReferenceEngine.train_step, [0]

    def interrupted(*arguments: Any, **options: Any) -> float:
        calls[0] += 1
        if calls[0] == 7:  # amid the second epoch of four steps
            signal.raise_signal(signal.SIGINT)
        return real(*arguments, **options)

    monkeypatch.setattr(ReferenceEngine, "train_step", interrupted)
    message = run(capsys, "train", spec, *TEXTBOOK, "--out", str(broken), code=130)
    assert message == (
        f"Kept: 1 epoch and 3 batches of the next. Go on with: neurograph train --resume {broken}\nInterrupted."
    )
    monkeypatch.undo()
    shown = run(capsys, "train", "--resume", str(broken))
    assert shown.splitlines()[0].endswith("seed 0, going on after 1 epoch and 3 batches")
    a, b = load_run(whole), load_run(broken)
    assert {n: v.tobytes() for n, v in a.parameters.items()} == {n: v.tobytes() for n, v in b.parameters.items()}
    assert {n: v.tobytes() for n, v in a.checkpoint.optimizer.items()} == {
        n: v.tobytes() for n, v in b.checkpoint.optimizer.items()
    }
    assert a.history.validation_loss == b.history.validation_loss


def test_resuming_with_other_data_is_refused(
    capsys: pytest.CaptureFixture[str], spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    run(capsys, "train", spec, *TEXTBOOK, "--epochs", "0", "--out", str(folder))
    began = load_run(folder).arguments
    now = began["data"]["sha256"]
    for data, told in (
        ({**began["data"], "sha256": "0123456789"}, "as many samples, but other values"),
        (
            {**began["data"], "sha256": "0123456789", "n": 1000, "n_test": 60},
            "1,000 training and 60 test samples then, 200 and 360 now",
        ),
    ):
        load_run(folder).change_arguments({**began, "data": data})
        assert run(capsys, "train", "--resume", str(folder), code=2) == (
            f"{folder}: the data is not what the run began with: 'digits': {told} (SHA-256 01234567… then, {now[:8]}… now). "
            f"Put it back, or begin a new run."
        )


def test_a_second_training_in_the_folder_is_refused(
    capsys: pytest.CaptureFixture[str], spec: str, tmp_path: Path
) -> None:
    from neurograph.training.locks import Lock

    folder = tmp_path / "run"
    run(capsys, "train", spec, *TEXTBOOK, "--epochs", "1", "--out", str(folder))
    with Lock(folder):
        assert run(capsys, "train", "--resume", str(folder), code=2) == (
            f"{folder}: another training is going on here: this process. Wait for it, or stop it."
        )
        load_run(folder)  # who only reads is no hindrance


def test_a_run_of_another_version_goes_on_with_a_notice(
    capsys: pytest.CaptureFixture[str], spec: str, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    run(capsys, "train", spec, *TEXTBOOK, "--epochs", "1", "--out", str(folder))
    last = load_run(folder).checkpoint
    replace(last, version="0.0.9").write(folder / "last.safetensors")
    assert main(["train", "--resume", str(folder), "--epochs", "2", "--quiet"]) == 0
    assert capsys.readouterr().err == (
        f"{folder}: written by neurograph 0.0.9; this is {ng.__version__}, so bits may differ.\n"
    )
    assert len(load_run(folder).history) == 2


def test_no_epochs_train_nothing(capsys: pytest.CaptureFixture[str], spec: str) -> None:
    assert run(capsys, "train", spec, *TEXTBOOK, "--epochs", "0").splitlines()[-1] == (
        "No step was asked for; nothing was trained."
    )


# -- mistakes ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "neurograph train: found neither SPEC nor --resume DIR. Say what to train, such as: train digits"),
        (
            ["digits", "--engine", "textbok"],
            "--engine: unknown engine 'textbok'; did you mean 'textbook'? (known: compiled, textbook)",
        ),
        (
            ["digits", "--data", "mnits"],
            "digits, data mnits: no data set 'mnits'; did you mean 'mnist'? (known: digits, mnist, fashion-mnist, "
            "kmnist, cifar-10, or the path of an .npz file or of a folder of IDX or CIFAR-10 files).",
        ),
        (
            ["lenet5", "--data", "digits"],
            "lenet5, data digits: samples of shape 1×8×8 do not fit the network's input, which is 1×28×28. "
            "Use other data, or [data] pad and resize in the spec.",
        ),
        (
            ["digits", "--set", "train.learnin_rate=3"],
            "--set train.learnin_rate=3: unknown key 'train.learnin_rate'; did you mean 'train.learning_rate'? (known: "
            f"{', '.join(f'train.{key}' for key in TrainSpec.model_fields)})",
        ),
        (
            ["digits", "--set", "augment.rotations=3"],
            "--set augment.rotations=3: unknown key 'augment.rotations'; did you mean 'augment.rotation'? (known: "
            f"{', '.join(f'augment.{key}' for key in AugmentSpec.model_fields)})",
        ),
        (
            ["digits", "--set", "tain.epochs=3"],
            "--set tain.epochs=3: unknown key 'tain.epochs'; did you mean 'train.epochs'? (known: train.…, data.…, augment.…)",
        ),
        (["digits", "--set", "train.momentum=3"], "--set train.momentum=3: input should be less than 1."),
        (
            ["digits", "--set", "train.optimizer=adm"],
            "--set train.optimizer=adm: input should be 'gd', 'sgd', "
            "'momentum', 'nesterov', 'adagrad', 'rmsprop', 'adam' or 'adamw'.",
        ),
        (
            ["digits", "--set", "train.beta1=0.5"],
            "--set train.beta1=0.5: beta1 is not of optimizer 'sgd', which takes momentum. "
            "Leave it out, or choose adam or adamw.",
        ),
        (
            ["digits", "--set", "train.optimizer=gd", "--batch-size", "8"],
            "--batch-size 8: optimizer 'gd' takes all samples at once. Leave out batch_size, or choose sgd.",
        ),
        (
            ["digits", "--set", "train.clip_norm=1", "--set", "train.clip_value=1"],
            "--set train.clip_value=1: clip_norm and clip_value: a gradient is clipped by one of them. Leave one out.",
        ),
        (
            ["digits", "--set", "train.optimizer=nesterov", "--set", "train.momentum=0.0"],
            "--set train.momentum=0.0: momentum 0 is no 'nesterov'; give more than 0, or choose sgd.",
        ),
        (
            ["digits", "--set", "train.schedule_every=3"],
            "--set train.schedule_every=3: schedule_every is not of schedule 'linear'. Leave it out, or choose step.",
        ),
        (["digits", "--set", "train.epochs=many"], "--set train.epochs=many: input should be a valid integer."),
        (
            ["four"],
            "four: sample 0 has no target, so there is no loss to train on. Add one to the spec, or name a data set: "
            "--data digits|mnist|FOLDER|FILE.npz.",
        ),
        (
            ["digits", "--resume", "runs/none", "--epochs", "3", "--set", "train.seed=1"],
            "--resume: goes on as the run began, which its folder remembers; drop --set, SPEC.",
        ),
        (
            ["--resume", "runs/none"],
            "runs/none: not a run folder: spec.toml and arguments.json are expected in it.",
        ),
    ],
)
def test_mistakes_are_told_in_one_message(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(capsys, "train", *arguments, code=2) == message


def test_the_headline_says_how_samples_are_augmented(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = tmp_path / "tiny.toml"
    layer = '[[layer]]\nname = "out"\nkind = "dense"\nunits = 2\n[loss]\nkind = "cross_entropy"\n'
    spec.write_text(f'name = "tiny"\ninput = [1, 4, 4]\n{layer}')
    np.savez(tmp_path / "own.npz", x=np.ones((10, 1, 4, 4)), y=np.arange(10) % 2)
    options = ["--engine", "textbook", "--steps", "1", "--set", "augment.noise=0.1"]
    assert main(["train", str(spec), "--data", str(tmp_path / "own.npz"), *options]) == 0
    assert ", augmented (noise=0.1), textbook engine" in capsys.readouterr().out


def test_evaluating_a_run_of_another_network_is_refused(
    capsys: pytest.CaptureFixture[str], spec: str, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    run(capsys, "train", spec, *TEXTBOOK, "--epochs", "0", "--out", str(folder))
    assert run(capsys, "evaluate", "digits", "--run", str(folder), code=2) == (
        f"{folder}: the network of this run, 'net', is not digits, or digits has changed since. "
        f"The run's own spec is {folder / 'spec.toml'}; name that one."
    )
    Path(spec).write_text(NET.replace("epochs = 3", "epochs = 4"))  # how it is trained is no part of a network
    assert run(capsys, "evaluate", spec, "--run", str(folder), "--checkpoint", "best", code=2) == (
        f"{folder / 'best.safetensors'}: no such checkpoint."
    )


# -- what is shown ----------------------------------------------------------------------------------------------------
def test_the_confusion_table_counts_rows_by_true_class() -> None:
    assert table(np.array([[3, 1], [0, 4]])) == [
        "class       n     right      0    1",
        "    0       4   75.00 %      3    1",
        "    1       4  100.00 %      .    4",
    ]
    many = np.eye(20, dtype=np.int64)
    many[3] = 0
    many[3, 7] = 5
    assert table(many)[4] == "    3       5    0.00 %    7 (5 times)"


def test_without_classes_only_the_loss_is_told() -> None:
    result = {"data": "its samples", "samples": "training", "n": 4, "loss": 0.25, "accuracy": None, "confusion": None}
    assert text(result) == "its samples, 4 training samples: loss 0.25000"


def test_the_table_has_a_row_an_epoch_and_marks_the_best() -> None:
    from rich.console import Console

    screen = io.StringIO()
    console = Console(file=screen, highlight=False, markup=False, soft_wrap=True)
    history = History()
    with Table(10, console=console) as table:
        for n, (loss, accuracy) in enumerate([(0.5, 0.75), (0.25, 0.5)], 1):
            table.step(Progress(n, 10, 5, 10, 5, 5, loss, 100, 0.1))
            history.epochs.append(Epoch(n, 5 * n, loss, None, 0.125, accuracy, 0.05, seconds=0.1, samples=100))
            table.epoch(history)
        table.say("done")
    assert screen.getvalue().splitlines()[:4] == [
        "epoch       loss  test loss  test acc.      rate  samples/s      time",
        " 1/10    0.50000    0.12500    75.00 %      0.05      1,000    0.10 s  best so far",
        " 2/10    0.25000    0.12500    50.00 %      0.05      1,000    0.10 s",
        "done",
    ]


def test_the_clock_counts_minutes() -> None:
    assert [clock(s) for s in (0, 59.9, 60, 3600)] == ["0:00", "0:59", "1:00", "60:00"]
