"""docs/mnist.md tells what docs/mnist.json holds, and its commands can be given."""

from __future__ import annotations

import json
import shlex
import struct
from pathlib import Path

import numpy as np
import pytest

from benchmarks import mnist as made
from neurograph.cli import main
from neurograph.data.known import IDX_NAMES

RESULTS = json.loads(made.RESULTS.read_text(encoding="utf-8"))
PAGE = made.PAGE.read_text(encoding="utf-8")


def test_the_table_is_that_of_the_results() -> None:
    assert f"{made.BEGIN}\n{made.table(RESULTS)}\n{made.END}" in PAGE


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of MNIST's form: one black image of each class."""
    folder = tmp_path_factory.mktemp("ten")
    for name in IDX_NAMES:
        values = np.zeros((10, 28, 28), np.uint8) if "images" in name else np.arange(10, dtype=np.uint8)
        header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
        (folder / name).write_bytes(header + values.tobytes())
    return str(folder)


@pytest.mark.parametrize("row", RESULTS)
def test_each_command_can_be_given_and_asks_for_what_was_trained(
    row: str, ten: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *words = shlex.split(RESULTS[row]["command"])
    assert (command, RESULTS[row]["command"]) == ("neurograph", made.ROWS[row].command())
    assert main([*words, "--data", ten, "--steps", "0", "--json"]) == 0
    settings = json.loads(capsys.readouterr().out)["settings"]
    assert {run["epochs"] for run in RESULTS[row]["runs"]} == {settings["epochs"]}


@pytest.mark.parametrize("row", RESULTS)
def test_each_run_was_judged_after_its_last_epoch(row: str) -> None:
    runs = RESULTS[row]["runs"]
    assert [run["seed"] for run in runs] == list(range(len(runs)))
    for run in runs:
        assert len(run["wrong_after"]) == len(run["loss"]) == run["epochs"]
        assert run["wrong_after"][-1] == run["wrong"]


def test_lenet5_is_as_good_as_was_asked_for() -> None:
    def mean(row: str) -> float:
        wrong = [run["wrong"] for run in RESULTS[row]["runs"]]
        assert len(wrong) == 3
        return sum(wrong) / 3

    assert mean("lenet5") <= 100
    assert mean("lenet5-augmented") <= 70


def test_a_run_is_summed_up_once_it_is_finished(tmp_path: Path, ten: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "linear-0"
    words = ["train", "linear", "--engine", "textbook", "--data", ten, "--epochs", "2", "--out", str(folder), "--quiet"]
    assert main([*words, "--steps", "1"]) == 0
    assert made.summary(folder) is None
    assert main(["train", "--resume", str(folder), "--steps", "2", "--quiet"]) == 0
    summed = made.summary(folder)
    assert summed is not None
    assert (summed["seed"], summed["epochs"], summed["wrong"]) == (0, 2, 9_000)  # all images look alike: one is right
