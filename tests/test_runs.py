"""Run folders and checkpoints: whole or refused, and a training goes on from them to the same bits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from softmax_regression import SoftmaxRegression

from neurograph.data import digits
from neurograph.errors import RunError
from neurograph.parameters import Parameters
from neurograph.training import SGD, Epoch, History, Run, fit, load_run
from neurograph.training.checkpoints import Checkpoint

SPEC_TEXT = 'name = "fake"\ninput = [4]\r\n'
ROOT = Path(__file__).resolve().parent.parent


def params() -> Parameters:
    return Parameters({"w": np.arange(6.0).reshape(2, 3), "b": 0.5, "fixed": [1.0]}, {"fixed": False})


def history(*accuracies: float) -> History:
    return History([Epoch(i + 1, 10 * (i + 1), 1.0 / (i + 1), validation_accuracy=a) for i, a in enumerate(accuracies)])


def checkpoint() -> Checkpoint:
    state = {"velocity/w": np.ones((2, 3), np.float32), "steps/w": np.array(7)}
    return Checkpoint.of(params(), state, history(0.5, 0.75), "abc")


def test_a_checkpoint_comes_back_bit_by_bit(tmp_path: Path) -> None:
    path, written = tmp_path / "c.safetensors", checkpoint()
    written.write(path)
    read = Checkpoint.read(path)
    for found, expected in ((read.values, written.values), (read.optimizer, written.optimizer)):
        assert found.keys() == expected.keys()
        for name in expected:
            assert (found[name].dtype, found[name].shape) == (expected[name].dtype, expected[name].shape)
            assert found[name].tobytes() == np.asarray(expected[name]).tobytes()
    assert read.history == written.history
    assert (read.frozen, read.spec_sha256) == (("fixed",), "abc")
    assert read.parameters().trainable == {"w": True, "b": True, "fixed": False}


def test_parameters_read_a_checkpoint_too(tmp_path: Path) -> None:
    Checkpoint.of(params(), {}, History(), "").write(tmp_path / "c.safetensors")
    read = Parameters.load(tmp_path / "c.safetensors")
    assert read.keys() == params().keys()
    assert read.trainable["fixed"] is False


def test_every_truncation_of_a_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    checkpoint().write(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(RunError, match="damaged"):
            Checkpoint.read(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(RunError, match="damaged"):
        Checkpoint.read(path)


@pytest.mark.parametrize("every", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_every_bit_flip_of_a_checkpoint_is_refused_or_harmless(tmp_path: Path, every: int) -> None:
    """Harmless: a flip in the header's white space or in a name nobody reads leaves everything as written."""
    path, original = tmp_path / "c.safetensors", checkpoint()
    original.write(path)
    whole = path.read_bytes()
    survivors = 0
    for bit in range(0, 8 * len(whole), every):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(flipped))
        try:
            read = Checkpoint.read(path)
        except RunError:
            continue
        survivors += 1
        assert {n: a.tobytes() for n, a in read.values.items()} == {n: a.tobytes() for n, a in original.values.items()}
        assert {n: a.tobytes() for n, a in read.optimizer.items()} == {
            n: a.tobytes() for n, a in original.optimizer.items()
        }
        assert (read.history, read.frozen, read.spec_sha256) == (original.history, ("fixed",), "abc")
    assert survivors < 100


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    params().save(tmp_path / "plain.safetensors")
    with pytest.raises(RunError) as caught:
        Checkpoint.read(tmp_path / "plain.safetensors")
    assert str(caught.value) == (
        f"{tmp_path / 'plain.safetensors'}: not a checkpoint this version can read: "
        f"found 'another program's'; expected 'neurograph checkpoint 1'."
    )


def test_a_new_run_is_complete(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "runs" / "a", SPEC_TEXT, {"epochs": 3}, params())
    assert sorted(os.listdir(run.folder)) == ["arguments.json", "history.jsonl", "last.safetensors", "spec.toml"]
    assert (run.spec_text, run.arguments, len(run.history)) == (SPEC_TEXT, {"epochs": 3}, 0)
    assert run.checkpoint.parameters()["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert os.listdir(tmp_path / "runs") == ["a"]


def test_saving_keeps_the_last_two_and_the_best(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "a", SPEC_TEXT, {}, params())
    store = params()
    for n, accuracies in enumerate([(0.5,), (0.5, 0.9), (0.5, 0.9, 0.9), (0.5, 0.9, 0.9, 0.8)], 1):
        store["b"] = float(n)
        run.save(store, {}, history(*accuracies))
    found = {name: float(load_run(run.folder, name).checkpoint.values["b"]) for name in ("last", "previous", "best")}
    assert found == {"last": 4.0, "previous": 3.0, "best": 2.0}
    lines = (run.folder / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]
    assert sorted(os.listdir(run.folder)) == [
        "arguments.json", "best.safetensors", "history.jsonl", "last.safetensors", "previous.safetensors", "spec.toml",
    ]  # fmt: skip


def test_a_damaged_last_checkpoint_gives_way_to_the_previous(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "a", SPEC_TEXT, {}, params())
    run.save(params(), {}, history(0.5))
    last = run.folder / "last.safetensors"
    last.write_bytes(last.read_bytes()[:-1])
    read = load_run(run.folder)
    assert len(read.history) == 0
    assert read.notice is not None
    assert read.notice.startswith(f"{last}: damaged: ")
    assert read.notice.endswith("The one before it is whole and takes its place: previous.safetensors.")
    (run.folder / "previous.safetensors").unlink()
    with pytest.raises(RunError, match="damaged"):
        load_run(run.folder)


def test_a_checkpoint_of_another_spec_is_refused(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "a", SPEC_TEXT, {}, params())
    (run.folder / "spec.toml").write_text("name = 'other'\n")
    with pytest.raises(RunError) as caught:
        load_run(run.folder)
    assert str(caught.value) == (
        f"{run.folder / 'last.safetensors'}: belongs to another spec than spec.toml beside it (SHA-256 differs)."
    )


def test_folders_that_are_no_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        load_run(tmp_path)
    assert str(caught.value) == f"{tmp_path}: not a run folder: spec.toml and arguments.json are expected in it."
    run = Run.create(tmp_path / "a", SPEC_TEXT, {}, params())
    with pytest.raises(RunError) as caught:
        load_run(run.folder, "first")
    assert str(caught.value) == f"{run.folder}: unknown checkpoint 'first' (known: last, previous, best)"
    with pytest.raises(RunError) as caught:
        load_run(run.folder, "best")
    assert str(caught.value) == f"{run.folder / 'best.safetensors'}: no such checkpoint."


def test_an_existing_folder_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert Run.create(tmp_path / "empty", SPEC_TEXT, {}, params()).spec_text == SPEC_TEXT
    for taken in ("empty", "file"):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(RunError) as caught:
            Run.create(tmp_path / taken, SPEC_TEXT, {}, params())
        assert str(caught.value) == (
            f"{tmp_path / taken}: is there already. Choose another --out, or go on with it: "
            f"train --resume {tmp_path / taken}"
        )
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("failing", range(1, 7))
def test_a_failing_write_leaves_the_old_run_readable(
    tmp_path: Path, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The k-th fsync of a save fails, for every k: what can be read afterwards was acknowledged, or is the new state whole."""
    run = Run.create(tmp_path / "a", SPEC_TEXT, {}, params())
    run.save(params(), {}, history(0.5))
    calls, real = [0], os.fsync

    def fsync(file: int) -> None:
        calls[0] += 1
        if calls[0] == failing:
            raise OSError(28, "No space left on device")
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(RunError) as caught:
        run.save(params(), {}, history(0.5, 0.6))
    assert str(caught.value) == f"{run.folder}: the checkpoint cannot be written: No space left on device."
    monkeypatch.undo()
    read = load_run(run.folder)
    assert read.notice is None
    assert len(read.history) in (1, 2)
    assert not [name for name in os.listdir(run.folder) if name.endswith(".tmp")]


def test_a_run_folder_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("neurograph.training.runs.os.replace", replace)
    with pytest.raises(RunError) as caught:
        Run.create(tmp_path / "a", SPEC_TEXT, {}, params())
    assert str(caught.value) == f"{tmp_path / 'a'}: the run folder cannot be made: No space left on device."
    assert os.listdir(tmp_path) == []


CHILD = """
import sys
import numpy as np
from neurograph.parameters import Parameters
from neurograph.training import Epoch, History, Run
run = Run(sys.argv[1])
n = run.history.step
print("ready", flush=True)
while True:
    n += 1
    params = Parameters({"w": np.full((64, 64), float(n))})
    run.save(params, {}, History([Epoch(n, n, 1.0 / n, validation_accuracy=1 - 1 / n)]))
"""


def test_killing_a_saver_loses_nothing(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "a", SPEC_TEXT, {}, Parameters({"w": np.zeros((64, 64))}))
    rng = np.random.default_rng(0)
    reached = 0
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(run.folder)], stdout=subprocess.PIPE, cwd=ROOT, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(float(rng.uniform(0.05, 0.3)))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        read = load_run(run.folder)
        assert read.notice is None
        step = read.history.step
        assert step >= reached
        assert (read.checkpoint.values["w"] == step).all()
        reached = step
    assert reached > 6


def test_a_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """Train four epochs at a stretch; then again, dropping everything but the folder after two."""
    (x, y), test = digits()
    options = {"batch_size": 100, "seed": 2, "schedule": "linear", "validation": test, "epochs": 4}
    whole, optimizer = SoftmaxRegression(64, 10, keep=0.9), SGD(0.5, momentum=0.9)
    expected = fit(whole, x, y, optimizer=optimizer, **options)

    class Stop(Exception):
        pass

    engine, optimizer = SoftmaxRegression(64, 10, keep=0.9), SGD(0.5, momentum=0.9)
    run = Run.create(tmp_path / "a", SPEC_TEXT, {}, engine.params)

    def save_then_stop(history: History) -> None:
        run.save(engine.params, optimizer.state(), history)
        if len(history) == 2:
            raise Stop

    with pytest.raises(Stop):
        fit(engine, x, y, optimizer=optimizer, on_epoch=save_then_stop, **options)
    read = load_run(tmp_path / "a")
    assert len(read.history) == 2
    resumed, optimizer = SoftmaxRegression(64, 10, keep=0.9), SGD(0.5, momentum=0.9)
    resumed.params.update(read.checkpoint.values)
    optimizer.load_state(read.checkpoint.optimizer)
    found = fit(resumed, x, y, optimizer=optimizer, history=read.history, **options)
    assert all(resumed.params[name].tobytes() == whole.params[name].tobytes() for name in whole.params)
    assert found.validation_loss == expected.validation_loss
