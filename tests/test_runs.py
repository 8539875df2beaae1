"""Run folders: they appear whole, keep the last two checkpoints and the best, and a training goes on from them to the same bits."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from small_runs import history, params, run_at, spec_text, trained
from softmax_regression import SoftmaxRegression

from neurograph.data import digits
from neurograph.errors import RunError, SaveError
from neurograph.training import SGD, History, Run, fit, load_run
from neurograph.training.fit import Progress
from neurograph.training.history import Begun
from neurograph.training.interruption import Interruption


def test_a_new_run_is_complete(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "runs" / "a", spec_text(), {"epochs": 3}, params())
    assert sorted(os.listdir(run.folder)) == ["arguments.json", "history.jsonl", "last.safetensors", "spec.toml"]
    assert (run.spec_text, run.arguments, len(run.history)) == (spec_text(), {"epochs": 3}, 0)
    assert run.checkpoint.parameters()["out.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert os.listdir(tmp_path / "runs") == ["a"]


def test_saving_keeps_the_last_two_and_the_best(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a")
    for n, accuracies in enumerate([(0.5,), (0.5, 0.9), (0.5, 0.9, 0.9), (0.5, 0.9, 0.9, 0.8)], 1):
        run.save(params(n), {}, history(*accuracies))
    found = {
        name: float(load_run(run.folder, name).checkpoint.values["out.bias"][0])
        for name in ("last", "previous", "best")
    }
    assert found == {"last": 4.0, "previous": 3.0, "best": 2.0}
    lines = (run.folder / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]
    assert sorted(os.listdir(run.folder)) == [
        "arguments.json", "best.safetensors", "history.jsonl", "last.safetensors", "previous.safetensors", "spec.toml",
    ]  # fmt: skip


def test_a_history_too_long_for_the_format_is_refused_and_what_was_kept_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_at(tmp_path / "a")
    run.save(params(), {}, history(0.5))
    size = (run.folder / "last.safetensors").stat().st_size
    monkeypatch.setattr("neurograph.training.tensors.MOST_HEADER", size)
    with pytest.raises(
        SaveError, match=rf"the format allows {size:,}; a new run can go on from these weights \(--init-from\)"
    ):
        run.save(params(), {}, history(*[0.5] * 9))
    assert len(load_run(run.folder).history) == 1


def test_a_damaged_last_checkpoint_gives_way_to_the_previous(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a")
    run.save(params(), {}, history(0.5))
    last = run.folder / "last.safetensors"
    last.write_bytes(last.read_bytes()[:-1])
    read = load_run(run.folder)
    assert len(read.history) == 0
    assert read.notice is not None
    assert read.notice.startswith(f"{last}: damaged: ")
    assert read.notice.endswith("The one before it is whole and takes its place: previous.safetensors.")
    last.unlink()
    read = load_run(run.folder)
    assert (
        read.notice
        == f"{last}: no such checkpoint. The one before it is whole and takes its place: previous.safetensors."
    )
    (run.folder / "previous.safetensors").unlink()
    with pytest.raises(RunError, match="no such checkpoint"):
        load_run(run.folder)


def test_a_checkpoint_of_another_spec_is_refused(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a")
    (run.folder / "spec.toml").write_bytes(spec_text().replace("units = 2", "units = 3").encode())
    with pytest.raises(RunError) as caught:
        load_run(run.folder)
    assert str(caught.value) == (
        f"{run.folder / 'last.safetensors'}: belongs to another spec than the one beside it; line 6: 'units = 3' here, "
        f"'units = 2' there. Put the spec back as it was, or begin a new run."
    )


def test_arguments_that_were_edited_are_refused(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a", epochs=3)
    path = run.folder / "arguments.json"
    whole = path.read_text()
    for text, told in (
        (whole.replace("3", "4", 1), "damaged, or edited by hand (SHA-256 differs). Put it back"),
        (whole[:-4], "damaged: JSONDecodeError"),
        ("[]", "damaged: TypeError"),
        ("{}", "damaged: KeyError"),
    ):
        path.write_text(text)
        with pytest.raises(RunError) as caught:
            Run(run.folder)
        assert str(caught.value).startswith(f"{path}: {told}")
    path.write_text(whole)
    Run(run.folder).change_arguments({"epochs": 9})
    assert Run(run.folder).arguments == {"epochs": 9}


def test_a_run_has_the_weights_it_was_told_to_keep(tmp_path: Path) -> None:
    for name, settings, kept in (
        ("a", {"keep": "best"}, "best"),
        ("b", {"keep": None, "patience": 2}, "best"),
        ("c", {"keep": "last", "patience": 2}, "last"),
        ("d", {}, "last"),
    ):
        run = run_at(tmp_path / name, settings=settings)
        assert load_run(run.folder).name == "last"
        for n, accuracies in enumerate([(0.5,), (0.5, 0.9), (0.5, 0.9, 0.8)]):
            run.save(params(n), {}, history(*accuracies))
        read = load_run(run.folder)
        assert read.name == kept
        assert len(read.history) == 3  # all of them, whichever weights it has
        assert read.parameters["out.bias"][0] == {"best": 1.0, "last": 2.0}[kept]


def test_amid_an_epoch_the_best_stays(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a")
    run.save(params(1), {}, history(0.5))
    run.save(params(2), {}, history(0.5), Begun(2, 13, 3, 48, 0.5, 1.0))
    assert load_run(run.folder, "best").parameters["out.bias"][0] == 1.0
    found = load_run(run.folder).checkpoint
    assert (found.begun, found.step, len(found.history)) == (Begun(2, 13, 3, 48, 0.5, 1.0), 13, 1)


def test_folders_that_are_no_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        load_run(tmp_path)
    assert str(caught.value) == f"{tmp_path}: not a run folder: spec.toml and arguments.json are expected in it."
    run = run_at(tmp_path / "a")
    with pytest.raises(RunError) as caught:
        load_run(run.folder, "first")
    assert str(caught.value) == f"{run.folder}: unknown checkpoint 'first' (known: last, previous, best)"
    with pytest.raises(RunError) as caught:
        load_run(run.folder, "best")
    assert str(caught.value) == f"{run.folder / 'best.safetensors'}: no such checkpoint."


def test_an_existing_folder_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert Run.create(tmp_path / "empty", spec_text(), {}, params()).spec_text == spec_text()
    (tmp_path / "file").write_text("mine")
    told = {
        "empty": f"is there already. Choose another --out, or go on with it: train --resume {tmp_path / 'empty'}",
        "file": "is a file; a run is kept in a folder of its own. Choose another --out.",
        ".": "is there already, and no run is kept in it. Choose another --out.",
    }
    for taken, message in told.items():
        with pytest.raises(RunError) as caught:
            Run.create(tmp_path / taken, spec_text(), {}, params())
        assert str(caught.value) == f"{tmp_path / taken}: {message}"
    assert (tmp_path / "file").read_text() == "mine"


def test_a_run_folder_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("neurograph.training.runs.os.replace", replace)
    with pytest.raises(RunError) as caught:
        run_at(tmp_path / "a")
    assert str(caught.value) == f"{tmp_path / 'a'}: the run folder cannot be made: No space left on device."
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("at", range(1, 60, 7))
def test_a_run_goes_on_to_the_same_bits(tmp_path: Path, at: int) -> None:
    """Train four epochs at a stretch; then again, stopped after some step, with nothing kept but the folder."""
    (x, y), test = digits()
    options = {"batch_size": 100, "seed": 2, "schedule": "linear", "validation": test, "epochs": 4}
    whole, optimizer = SoftmaxRegression(64, 10, keep=0.9), SGD(0.5, momentum=0.9)
    expected = trained(whole, optimizer, fit(whole, x, y, optimizer=optimizer, **options))

    engine, optimizer = SoftmaxRegression(64, 10, keep=0.9), SGD(0.5, momentum=0.9)
    run = Run.create(tmp_path / "a", spec_text(64, 10), {}, engine.params)

    def save(history: History, begun: Begun | None = None) -> None:
        run.save(engine.params, optimizer.state(), history, begun)

    asked = Interruption()

    def ask(progress: Progress) -> None:
        asked.asked = int(progress.step == at)

    hooks = {"on_step": ask, "on_epoch": save, "on_pause": save}
    fit(engine, x, y, optimizer=optimizer, interruption=asked, **hooks, **options)
    read = load_run(tmp_path / "a")
    assert read.checkpoint.step == at
    resumed, optimizer = SoftmaxRegression(64, 10, keep=0.9), SGD(0.5, momentum=0.9)
    resumed.params.update(read.checkpoint.values)
    optimizer.load_state(read.checkpoint.optimizer)
    begun = read.checkpoint.begun
    seen = fit(resumed, x, y, optimizer=optimizer, history=read.history, begun=begun, **options)
    assert trained(resumed, optimizer, seen) == expected
