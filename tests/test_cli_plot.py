"""`neurograph plot`: a picture for everything that suits a run or a spec, and one message for every fault."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.cli import main
from neurograph.cli.replay import replay
from neurograph.training import History, load_run

pytest.importorskip("matplotlib", reason="plots need matplotlib")

NET = """
name = "net"
input = [1, 4, 4]
layer = [
  {name = "conv", kind = "conv", filters = 2, kernel = 2, activation = "relu"},
  {name = "drop", kind = "dropout", keep = 0.8},
  {name = "out", kind = "dense", units = 10},
]
loss = {kind = "cross_entropy"}
data = {set = "digits", resize = [4, 4], validation = 0.5}
train = {epochs = 3, batch_size = 8, optimizer = "sgd", learning_rate = 0.2, momentum = 0.9, schedule = "linear"}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, trained by the textbook engine on a few digits."""
    folder = tmp_path_factory.mktemp("plots")
    (folder / "net.toml").write_text(NET)
    arguments = ["--engine", "textbook", "--limit", "48", "--out", str(folder / "run"), "--quiet"]
    assert main(["train", str(folder / "net.toml"), *arguments]) == 0
    return folder / "run"


@pytest.fixture
def plot(capsys: pytest.CaptureFixture[str]) -> Any:
    """The command; returns its exit code, what it printed, and what it complained about."""

    def called(*arguments: object) -> tuple[int, str, str]:
        code = main(["plot", *map(str, arguments)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return called


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Figures that the command would write, in order: making a picture of each takes most of a test's time."""
    figures: list[Any] = []

    def save(figure: Any, path: Path) -> Path:
        figures.append(figure)
        path.touch()
        return path

    monkeypatch.setattr(ng.viz.plots, "save", save)
    return figures


def test_a_run_has_every_picture_in_its_folder(run: Path, unwritten: list[Any], plot: Any) -> None:
    code, out, _ = plot(run)
    assert code == 0
    names = [
        "curves",
        "receptive",
        "filters-conv",
        "filters-out",
        "maps",
        "maps-conv",
        "confusion",
        "mistakes",
        "histograms",
        "updates",
    ]
    assert out.split() == [str(run / "plots" / f"{name}.png") for name in names]
    assert len(unwritten) == len(names)
    assert load_run(run).history.step == 9  # the folder is a run as before


def test_one_picture_is_a_file(run: Path, plot: Any, tmp_path: Path) -> None:
    assert plot(run, "--what", "curves", "-o", tmp_path / "new" / "a.svg") == (0, f"{tmp_path / 'new' / 'a.svg'}\n", "")
    assert (tmp_path / "new" / "a.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.usefixtures("unwritten")
def test_some_are_asked_for_and_told_as_json(run: Path, plot: Any, tmp_path: Path) -> None:
    code, out, _ = plot(
        run, "--what", "receptive, filters", "--layer", "out", "--format", "svg", "-o", tmp_path / "new", "--json"
    )
    written = [
        {"what": "receptive", "of": "", "file": str(tmp_path / "new" / "receptive.svg")},
        {"what": "filters", "of": "out", "file": str(tmp_path / "new" / "filters-out.svg")},
    ]
    assert code == 0
    assert json.loads(out) == {"written": written, "left_out": []}
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["filters-out.svg", "receptive.svg"]


@pytest.mark.usefixtures("unwritten")
def test_a_spec_has_what_needs_no_training(plot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert plot("mazur", "--quiet") == (0, "", "")
    files = ["filters-weights.png", "histograms.png", "maps.png", "receptive.png"]
    assert sorted(p.name for p in (tmp_path / "mazur-plots").iterdir()) == files
    code, out, _ = plot("vgg19", "-o", "large")
    assert code == 0
    assert out.splitlines()[0] == "large/receptive.png"
    assert "Left out: filters: 18,963,942,144 edges take a while; ask for it with --what." in out


def test_maps_are_of_the_sample_asked_for(run: Path, unwritten: list[Any], plot: Any, tmp_path: Path) -> None:
    _, (xt, yt) = ng.data.digits()
    assert plot(run, "--what", "maps", "--sample", 17, "-o", tmp_path / "a.png", "--quiet")[0] == 0
    assert unwritten[0].get_suptitle() == f"net: test sample 17 of digits (a {yt[17]}), layer by layer"
    wanted = ng.data.prepare(xt[17:18], (1, 4, 4), resize=[4, 4])
    assert np.allclose(unwritten[0].axes[0].images[0].get_array(), wanted[0, 0])


def test_replayed_steps_are_the_runs_own(run: Path) -> None:
    found = load_run(run, "last")
    kept: list[Any] = []

    def watch(params: Any) -> Any:
        kept.append(params)
        return lambda _: None

    replayed = replay(found, None, watch)
    assert str(replayed) == f"All {found.history.step} steps"
    assert found.history.step == 9  # 24 samples are held out of 48
    for name in found.parameters:
        assert np.array_equal(kept[0][name], found.parameters[name]), name
    first = replay(found, 4, watch)
    assert (first.steps, first.of, first.is_faithful) == (4, 9, True)
    found.__dict__["history"] = altered(found.history)
    assert str(replay(found, None, watch)) == "All 9 steps (not quite as they were: the losses differ)"


def altered(history: History) -> History:
    rows = [type(row)(**{**vars(row), "loss": row.loss * 1.5}) for row in history.epochs]
    return History(rows, history.watch, history.min_delta)


def test_curves_go_to_the_last_epoch_whatever_the_weights(run: Path, unwritten: list[Any], plot: Any) -> None:
    for checkpoint in ("best", "last"):
        assert plot(run, "--what", "curves,filters", "--checkpoint", checkpoint, "--quiet")[0] == 0
    assert [list(figure.axes[0].lines[0].get_xdata()) for figure in (unwritten[0], unwritten[3])] == [
        [1, 2, 3],
        [1, 2, 3],
    ]


@pytest.mark.usefixtures("unwritten")
def test_a_regression_has_the_others_and_says_what_it_lacks(plot: Any, tmp_path: Path) -> None:
    assert (
        main(["train", "mazur", "--engine", "textbook", "--epochs", "2", "--out", str(tmp_path / "run"), "--quiet"])
        == 0
    )
    code, out, _ = plot(tmp_path / "run", "-o", tmp_path / "plots")
    assert code == 0
    assert "Left out: confusion: 'the output': its targets are numbers, not classes (mse)" in out
    assert {"curves.png", "updates.png"} <= {p.name for p in (tmp_path / "plots").iterdir()}
    code, _, err = plot(tmp_path / "run", "--what", "curves,mistakes", "-o", tmp_path / "plots", "--quiet")
    assert code == 2
    assert err.startswith("--what mistakes: 'the output': its targets are numbers, not classes (mse)")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["RUN", "--what", "curve"], "--what curve: unknown plot; did you mean 'curves'? (known: curves, receptive,"),
        (["RUN", "--what", ","], "--what: names no plot (known: curves,"),
        (["RUN", "--what", "maps", "--sample", "360"], "--sample 360: there are the samples 0…359 (test samples)."),
        (["RUN", "--what", "filters", "--layer", "cnv"], "no layer 'cnv'; did you mean 'conv'?"),
        (["RUN", "--what", "filters", "--layer", "drop"], "no layer 'drop'"),
        (
            ["RUN", "-o", "FOLDER/a.png"],
            "--out FOLDER/a.png: holds one picture; name one with --what, or give a folder.",
        ),
        (
            ["RUN", "--what", "curves", "-o", "FOLDER/a.gif"],
            "FOLDER/a.gif: the ending '.gif'; a plot ends in .png, .svg or .pdf.",
        ),
        (["RUN", "--format", "jpg"], "--format jpg: unknown form; did you mean"),
        (["RUN", "--what", "curves", "-o", "FOLDER/file/a.png"], "FOLDER/file: File exists."),
        (["FOLDER"], "FOLDER: not a run folder: spec.toml and arguments.json are expected in it."),
        (["FOLDER/nothing"], "FOLDER/nothing: not a run folder: spec.toml and arguments.json are expected in it."),
        (["FOLDER/nothing.toml"], "FOLDER/nothing.toml: no such file."),
        (
            ["xor", "--what", "updates"],
            "--what updates: xor is a spec, and this needs a training. Name a run folder: neurograph plot",
        ),
        (["xor", "--checkpoint", "best"], "--checkpoint best: xor is a spec; only a run folder has checkpoints."),
    ],
)
def test_faults_are_told_in_one_line(arguments: list[str], message: str, run: Path, plot: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    code, out, err = plot(*[a.replace("RUN", str(run)).replace("FOLDER", str(tmp_path)) for a in arguments])
    assert (code, out) == (2, "")
    assert err.startswith(message.replace("FOLDER", str(tmp_path)))
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("unwritten")
def test_a_run_without_an_epoch_has_what_there_is(run: Path, plot: Any, tmp_path: Path) -> None:
    spec = run.parent / "net.toml"
    assert (
        main(
            [
                "train",
                str(spec),
                "--engine",
                "textbook",
                "--limit",
                "8",
                "--epochs",
                "0",
                "--out",
                str(tmp_path / "run"),
                "-q",
            ]
        )
        == 0
    )
    code, out, _ = plot(tmp_path / "run", "-o", tmp_path / "plots")
    assert code == 0
    assert "no epoch is finished yet, so there is no curve" in out
    assert "no epoch is finished yet, so there are no updates" in out
    shutil.rmtree(tmp_path / "run")
