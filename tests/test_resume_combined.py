"""Runs in which everything is asked for at once are stopped anywhere, moved, and resumed: to the same bits as if nothing had been."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import content

from neurograph.cli import main
from neurograph.cli.progress import Silent
from neurograph.data import digits
from neurograph.training import load_run

NET = """
name = "net"
input = [1, 8, 8]
[[layer]]
name = "pool"
kind = "avgpool"
window = 2
[[layer]]
name = "body"
kind = "dense"
units = 6
activation = "tanh"
[[layer]]
name = "drop"
kind = "dropout"
keep = 0.75
[[layer]]
name = "digit"
kind = "dense"
units = 10
{odd}
[data]
set = "digits"
validation = 0.2
normalise = "standard"
[augment]
rotation = 10
translation = 1
[train]
epochs = 4
"""
ONE = '[loss]\nkind = "cross_entropy"\nclass_weights = "balanced"'
TWO = """
[[layer]]
name = "odd"
kind = "dense"
units = 1
from = "body"
[[loss]]
of = "digit"
kind = "cross_entropy"
class_weights = "balanced"
label_smoothing = 0.1
[[loss]]
of = "odd"
kind = "binary_cross_entropy"
class_weights = "balanced"
labels = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
"""
PLATEAU = ["schedule=plateau", "schedule_patience=1", "schedule_gamma=0.5"]
SINGLY = NET.replace('[[layer]]\nname = "drop"\nkind = "dropout"\nkeep = 0.75\n', "")
FREEZE = ["--freeze", "body.bias"]
CASES: dict[str, tuple[str, list[str], list[str], dict[int, str]]] = {
    # spec, what is set in [train], options, and the steps behind which Ctrl-C comes; 40 samples are trained on
    "batches": (
        NET.format(odd=ONE), ["batch_size=16", "optimizer=adam", "l2=0.01", *PLATEAU, "patience=2"], FREEZE,
        {3: "epoch 1, batch 3", 7: "epoch 3, batch 1"},
    ),
    "batches of one": (
        NET.format(odd=ONE), ["batch_size=1", "momentum=0.5", *PLATEAU, "epochs=2"], FREEZE, {53: "epoch 2, batch 13"},
    ),
    "batches of one, all in one call": (
        SINGLY.format(odd=ONE), ["batch_size=1", "learning_rate=0.01", *PLATEAU], [], {41: "epoch 2, batch "},
    ),
    "gradient descent": (
        NET.format(odd=ONE), ["optimizer=gd", "clip_norm=0.5", "schedule=cosine"], FREEZE, {2: "epoch 2, batch 1"},
    ),
    "two heads": (
        NET.format(odd=TWO), ["batch_size=16", "optimizer=nesterov", "patience=1", *PLATEAU], FREEZE,
        {6: "epoch 2, batch 3"},
    ),
}  # fmt: skip


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says behind which step it comes."""

    def comes_at(number: int) -> None:
        wanted = [number]

        def step(self: Silent, progress: Any) -> None:
            if wanted and progress.step >= wanted[0]:
                wanted.clear()
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(Silent, "step", step)

    return comes_at


def kept(folder: Path) -> list[dict[str, Any]]:
    return [content(load_run(folder, name).checkpoint) for name in ("last", "best")]


@pytest.mark.parametrize("case", CASES)
def test_whatever_is_asked_for_a_resumed_run_ends_with_the_same_bits(case: str, tmp_path: Path, ctrl_c: Any) -> None:
    text, assigned, options, stops = CASES[case]
    spec, other = tmp_path / "net.toml", tmp_path / "other"
    spec.write_text(text)
    common = ["train", str(spec), "--limit", "50", "--threads", "1", "--quiet"]
    assert main([*common, "--seed", "7", "--epochs", "1", "--out", str(other)]) == 0
    told = [word for assignment in assigned for word in ("--set", f"train.{assignment}")]
    begin = [*common, *told, "--init-from", str(other), *options]
    assert main([*begin, "--out", str(tmp_path / "whole")]) == 0
    expected = kept(tmp_path / "whole")
    assert ("body.bias" in expected[0]["frozen"]) == bool(options)
    for number, where in stops.items():
        ctrl_c(number)
        folder = tmp_path / f"stopped-{number}"
        assert main([*begin, "--out", str(folder)]) == 130
        assert str(load_run(folder, "last").checkpoint.begun).startswith(where)
        moved = folder.rename(tmp_path / f"moved-{number}")
        assert main(["train", "--resume", str(moved), "--quiet"]) == 0
        assert kept(moved) == expected


def test_data_that_was_moved_is_found_again_and_must_be_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, data, moved, run = (tmp_path / name for name in ("net.toml", "a.npz", "b.npz", "run"))
    spec.write_text(NET.format(odd=ONE).replace("validation = 0.2", ""))
    (x, y), _ = digits()
    np.savez(data, x=x[:40], y=y[:40], xt=x[40:60], yt=y[40:60])
    begin = ["train", str(spec), "--data", str(data), "--epochs", "1", "--threads", "1", "--out", str(run)]
    assert main([*begin, "--quiet"]) == 0
    data.rename(moved)
    again = ["train", "--resume", str(run), "--epochs", "2", "--quiet"]
    assert main(again) == 2
    told = capsys.readouterr().err
    assert told.endswith(f"No such file or directory. If it lies elsewhere now: train --resume {run} --data …\n")
    assert main([*again, "--data", str(moved)]) == 0
    assert main(["train", "--resume", str(run), "--epochs", "3", "--quiet"]) == 0  # it is remembered
    assert len(load_run(run).history) == 3
    assert main(["train", "--resume", str(run), "--epochs", "4", "--quiet", "--data", "digits"]) == 2
    assert f"{run}: the data is not what the run began with" in capsys.readouterr().err
