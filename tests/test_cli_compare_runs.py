"""`neurograph compare`: what differed, and what came of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_runs import params, spec_text

from neurograph.cli import main
from neurograph.training import Epoch, History, Run
from neurograph.training.locks import Lock


def finished(
    folder: Path, text: str | None = None, n: int = 100, transfer: dict[str, object] | None = None, **settings: object
) -> Path:
    told = {"epochs": 3, "batch_size": 10, "limit": None, "prepare": {"low": 0.0}, **settings}
    data = {"name": "digits", "n": n, "n_test": 40, "sha256": f"{n:064}"}
    run = Run.create(folder, text or spec_text(), {"settings": told, "data": data, "transfer": transfer}, params())
    rows = [Epoch(i, 10 * i, 1 / i, None, 2 / i, 0.5 + 0.1 * (i == 2), 0.1, 50.0, 100) for i in (1, 2, 3)]
    history = History()
    for row in rows:
        history.epochs.append(row)
        run.save(params(), {}, history)
    return folder


def shown(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["compare", *map(str, arguments)]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_what_differs_comes_first_then_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = finished(tmp_path / "a", learning_rate=0.1)
    b = finished(tmp_path / "b", learning_rate=0.05, patience=1, epochs=9, prepare={"low": -1.0})
    assert shown(capsys, a, b) == (
        "                                        a                  b\n"
        "epochs                                  3                  9\n"
        "data.low                              0.0               -1.0\n"
        "learning_rate                         0.1               0.05\n"
        "patience                                -                  1\n"
        "\n"
        "epochs done                  3 (finished)  3 (stopped early)\n"
        "steps                                  30                 30\n"
        "best epoch                              2                  2\n"
        "loss at best epoch                0.50000            0.50000\n"
        "test loss at best epoch           1.00000            1.00000\n"
        "test accuracy at best epoch       60.00 %            60.00 %\n"
        "loss at last epoch                0.33333            0.33333\n"
        "test loss at last epoch           0.66667            0.66667\n"
        "test accuracy at last epoch       50.00 %            50.00 %\n"
        "time                           2 min 30 s         2 min 30 s\n"
        "samples/s                               2                  2\n"
    )


def test_networks_and_data_that_differ_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = finished(tmp_path / "a")
    b = finished(tmp_path / "b", spec_text().replace("cross_entropy", "mse"))
    c = finished(tmp_path / "c", n=101, prepare={"validation": 0.1})
    lines = {" ".join(line.split()) for line in shown(capsys, a, b, c).splitlines()}
    assert "training samples 100 100 101" in lines
    assert "held out are test samples test samples validation samples" in lines
    assert "spec - line 8: 'kind = \"mse\"' here, 'kind = \"cross_entropy\"' there -" in lines


def test_what_runs_began_with_and_froze_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = {"from": "runs/a", "checkpoint": "best", "epochs": 3, "frozen": ["conv1.weight", "conv1.bias"]}
    a, b, c = (
        finished(tmp_path / "a"),
        finished(tmp_path / "b", transfer=taken),
        finished(tmp_path / "c", transfer={"frozen": []}),
    )
    found = json.loads(shown(capsys, a, b, c, "--json"))
    assert found["differing"] == {
        "init-from": [None, "runs/a (best)", None],
        "freeze": [None, "conv1.weight, conv1.bias", None],
    }
    assert found["runs"][1]["transfer"] == taken


def test_json_has_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = finished(tmp_path / "a", seed=0), finished(tmp_path / "b", seed=1)
    with Lock(b):
        found = json.loads(shown(capsys, a, b, "--json"))
    assert found["differing"] == {"seed": [0, 1]}
    first = found["runs"][0]
    assert (first["run"], first["n_parameters"], first["state"]) == (str(a), 8, "finished")
    assert (first["best"]["epoch"], first["last"]["epoch"], first["samples_per_second"]) == (2, 3, 2.0)


def test_many_runs_have_a_row_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    folders = [finished(tmp_path / f"run number {i}", seed=i) for i in range(5)]
    lines = shown(capsys, *folders).splitlines()
    assert len(lines) == 6
    assert lines[3].startswith("run number 2     2  3 (finished)     30")


def test_runs_of_which_there_is_nothing_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        Run.create(tmp_path / name, spec_text(), {"settings": {"epochs": 3}, "data": {}}, params())
    with Lock(tmp_path / "b"):
        told = shown(capsys, tmp_path / "a", tmp_path / "b")
    assert "0 (unfinished, of 3)  0 (going on, of 3)" in told


def test_curves_are_drawn_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they look like is for the tests of plots."""
    from neurograph.viz import plots

    drawn: list[tuple[object, ...]] = []
    monkeypatch.setattr(plots, "curves", lambda *runs, labels: [len(run.history) for run in runs] + labels)
    monkeypatch.setattr(plots, "save", lambda *what: drawn.append(what))
    folders = [finished(tmp_path / name) for name in ("a", "b")]
    picture = tmp_path / "curves.svg"
    assert shown(capsys, *folders, "--plot", picture).endswith(f"\nCurves: {picture}\n")
    assert drawn == [([3, 3, "a", "b"], picture)]


def test_mistakes_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = finished(tmp_path / "a")
    for arguments, message in (
        ([a], f"compare: found one run, {a}; name at least two."),
        ([a, tmp_path], f"{tmp_path}: not a run folder: spec.toml and arguments.json are expected in it."),
    ):
        assert main(["compare", *map(str, arguments)]) == 2
        assert capsys.readouterr().err == f"{message}\n"
