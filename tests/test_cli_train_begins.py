"""Trainings that cannot be carried out leave no run folder; those whose reader or folder goes away say so and lose nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_runs import PATHS

from neurograph.cli import main
from neurograph.spec.model import TrainSpec
from neurograph.training import load_run

NET = """
name = "net"
input = [3]

[[layer]]
name = "out"
kind = "dense"
units = 2
"""
LOSS = '[loss]\nkind = "cross_entropy"\n'


@pytest.fixture
def data(tmp_path: Path) -> str:
    x = np.random.default_rng(0).random((12, 3))
    np.savez(tmp_path / "data.npz", x_train=x, y_train=np.arange(12) % 2, x_test=x, y_test=np.arange(12) % 2)
    return str(tmp_path / "data.npz")


def refusal(capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, *arguments: str) -> str:
    """What is said of a training that is refused, after nothing else was said and no folder made."""
    (tmp_path / "net.toml").write_text(text)
    given = ["train", str(tmp_path / "net.toml"), "--engine", "textbook", *arguments, "--out", str(tmp_path / "run")]
    assert main(given) == 2
    assert not (tmp_path / "run").exists()
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err.strip().replace(f"{tmp_path}{os.sep}", "")


def test_a_spec_without_loss_is_refused_with_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: str
) -> None:
    assert refusal(capsys, tmp_path, NET, "--data", data) == (
        "net.toml:5: 'out' has no loss, so there is nothing to train by. Add [loss] to the spec, such as "
        'kind = "cross_entropy" for classes, kind = "mse" for values.'
    )


@pytest.mark.parametrize("is_set", [True, False])
def test_a_score_that_nothing_will_have_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: str, is_set: bool
) -> None:
    text = f"{NET}{LOSS}" if is_set else f'{NET}{LOSS}[train]\nwatch = "accuracy"\n'
    arguments = ["--data", data, *(["--set", "train.watch=accuracy"] if is_set else [])]
    where = "--set train.watch=accuracy" if is_set else "net.toml:12"
    assert refusal(capsys, tmp_path, text, *arguments) == (
        f"{where}: 'accuracy' cannot be watched: it is of the training samples, and measured only without validation samples "
        f"(here the test samples stand in for them). Watch validation_accuracy."
    )


@pytest.mark.parametrize("table", ["train", "data"])
def test_an_option_in_the_wrong_table_is_told_where_it_belongs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, table: str
) -> None:
    told = refusal(capsys, tmp_path, f"{NET}{LOSS}[{table}]\nrotation = 10\n")
    assert f"net.toml:12: [{table}]: unknown option 'rotation'; it belongs in [augment] (known: " in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["digits", "--set", "train.rotation=10"],
            "--set train.rotation=10: unknown key 'train.rotation'; it belongs in [augment]: augment.rotation (known: "
            f"{', '.join(f'train.{key}' for key in TrainSpec.model_fields)})",
        ),
        (
            ["digits", "--patience", "3", "--set", "train.patience=4"],
            "--patience 3: --set train.patience=4 says otherwise; leave one of them out.",
        ),
        (
            ["digits", "--data", "mnist", "--set", "data.set=digits"],
            "--data mnist: --set data.set=digits says otherwise; leave one of them out.",
        ),
        (["digits", "--out", ""], "--out '': found no name; name a new folder, such as: --out runs/first"),
    ],
)
def test_what_is_said_twice_or_in_the_wrong_place_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["train", *arguments]) == 2
    assert capsys.readouterr().err.strip() == message


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is told in another way there")
@pytest.mark.parametrize("with_stderr", [False, True])
def test_a_closed_output_stops_training_and_the_epoch_is_kept(tmp_path: Path, data: str, with_stderr: bool) -> None:
    (tmp_path / "net.toml").write_text(NET + LOSS)
    arguments = ["net.toml", "--data", data, "--engine", "textbook", "--epochs", "5000", "--out", "run"]
    command = [sys.executable, "-m", "neurograph", "train", *arguments]
    stderr = subprocess.STDOUT if with_stderr else subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=PATHS, stdout=subprocess.PIPE, stderr=stderr) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(3)]
        child.stdout.close()
        told = b"" if child.stderr is None else child.stderr.read()
        assert child.wait(timeout=60) == 141
    assert lines[2].startswith(b"epoch    2/5000")
    epochs = len(load_run(tmp_path / "run", "last").history)
    assert 2 <= epochs < 5000
    kept = f"Kept: {epochs} epochs. Go on with: neurograph train --resume run"
    if not with_stderr:
        assert told.decode().strip() == f"The output was closed, so training stopped. {kept}"


def test_a_folder_that_goes_away_is_named_and_not_the_disk(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neurograph.cli import progress

    (tmp_path / "net.toml").write_text(NET + LOSS)
    run, moved = tmp_path / "run", tmp_path / "moved"
    monkeypatch.setattr(progress.Lines, "epoch", lambda *_: run.exists() and run.rename(moved))
    given = [str(tmp_path / "net.toml"), "--data", data, "--engine", "textbook", "--epochs", "3", "--out", str(run)]
    assert main(["train", *given]) == 1
    assert capsys.readouterr().err.strip() == (
        f"{run}: the run folder is gone: it was renamed, moved or removed. Training stopped; up to 1 epoch it was kept. "
        f"Put the folder back, or name it as it is called now: neurograph train --resume DIR"
    )
    assert len(load_run(moved, "last").history) == 1


def test_an_empty_checkpoint_is_called_empty(capsys: pytest.CaptureFixture[str], tmp_path: Path, data: str) -> None:
    (tmp_path / "net.toml").write_text(NET + LOSS)
    run = tmp_path / "run"
    given = [str(tmp_path / "net.toml"), "--data", data, "--engine", "textbook", "--epochs", "1", "--out", str(run)]
    assert main(["train", *given]) == 0
    (run / "best.safetensors").write_bytes(b"")
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "net.toml"), "--run", str(run), "--checkpoint", "best"]) == 2
    assert capsys.readouterr().err.strip() == f"{run / 'best.safetensors'}: damaged: it is empty."
