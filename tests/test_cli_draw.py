"""`neurograph draw`: a file for every view and form, with and without Graphviz, and one message for every fault."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neurograph.cli import main
from tests.viz_scenes import TWO_HEADS, texts_of

ROOT = Path(__file__).resolve().parent.parent
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz program dot")


def drawn(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints; it must succeed."""
    assert main(["draw", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def shown(path: Path) -> str:
    return " ".join(" ".join(texts_of(path.read_bytes())).split())


@needs_dot
@pytest.mark.parametrize(
    ("arguments", "what", "words"),
    [
        (["four"], "the neurons of four", ["conv 3×3, padding 1, ReLU", "δ −0.025", "D and E", "sample 0 (a four), weights as given"]),
        (["four", "--around", "conv[0,3,1]"], "the neurons of four", ["δ = f′(z) · Σ δ·∂z/∂a = 1 · 0.2 = 0.2"]),
        (["four", "--view", "layers"], "the layers of four", ["max pool 2×2", "sees 4×4", "310 edges"]),
        (["four", "--view", "around", "--around", "conv[0,3,1]"], "the surroundings of conv[0,3,1] in four", ["Σ 255"]),
        (["mazur", "--values", "delta"], "the neurons of mazur", ["δ 0.138", "w5 = 0.4"]),
        (["sixteen", "--overlay", "difference"], "the neurons of sixteen", ["a by the textbook minus a by the compiled program"]),
        (["sixteen", "--group", "conv[0]"], "the uses of conv[0] in sixteen", ["one filter, 16 neurons", "conv[0,3,3]", "z −4 δ 0"]),
        (["four", "--layer", "conv"], "the weight matrix of conv in four", ["256 there (20%)", "9 different weights"]),
        (["four", "--view", "tied"], "three ways to connect one layer of four", ["1,296 edges, 1,296 weights", "256 edges, 9 weights"]),
        (["vgg19"], "the layers of vgg19", ["conv5_1 … conv5_4", "× 4"]),
        (["vgg19", "--no-fold"], "the layers of vgg19", ["conv5_2"]),
        (["four", "--around", "outputs[0]", "--depth", "3"], "the surroundings of outputs[0] in four", ["3 steps back and on"]),
        (["xor", "--sample", "1"], "the neurons of xor", ["sample 1 (0 xor 1)", "target 1"]),
        (["digits"], "the layers of digits", ["drop: keep 0.5", "cross entropy"]),
        (["digits", "--around", "pool[3,1,1]", "--sample", "7"], "the surroundings of pool[3,1,1] in digits", ["digits sample 7"]),
        (["alexnet"], "the layers of alexnet", ["conv 5×5, padding 2, 2 groups, ReLU", "672,424,832 edges"]),
        (["alexnet", "--around", "conv2[3,5,5]"], "the surroundings of conv2[3,5,5] in alexnet", ["1,200 edges in, 1 edge out"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value and value[0].islower() else "",
)  # fmt: skip
def test_draws_what_was_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], what: str, words: list[str]
) -> None:
    path = tmp_path / "x.svg"
    assert drawn(capsys, *arguments, "-o", str(path)) == f"{path}: {what}, drawn by Graphviz\n"
    text = shown(path)
    assert not [word for word in words if word not in text]


def test_what_was_written_can_be_read_by_a_machine(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "x.dot"
    told = json.loads(drawn(capsys, "four", "--view", "windows", "-o", str(path), "--json"))
    assert told == {"path": str(path), "view": "windows", "by": "neurograph"}


def test_default_file_is_named_after_the_network(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert drawn(capsys, "mazur").startswith("mazur.svg: the neurons of mazur, drawn by ")
    assert [path.name for path in tmp_path.iterdir()] == ["mazur.svg"]


def test_default_file_stays_in_this_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("mine.toml").write_text(TWO_HEADS.replace('"two-heads"', '"../../up & away"'), encoding="utf-8")
    assert drawn(capsys, "./mine.toml").startswith("..-..-up-away.svg: the layers of ../../up & away")
    assert sorted(path.name for path in Path().iterdir()) == ["..-..-up-away.svg", "mine.toml"]


def test_a_spec_of_ones_own_with_skips_and_heads(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = tmp_path / "mine.toml"
    spec.write_text(TWO_HEADS)
    drawn(capsys, str(spec), "-o", str(tmp_path / "x.svg"))
    assert {"binary", "cross", "add"} <= set(shown(tmp_path / "x.svg").split())


def test_free_text_of_a_spec_is_only_text(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    label = '<B>&"]; evil [label=\\N'
    spec = tmp_path / "mine.toml"
    spec.write_text(
        f"name = 'x'\ninput = [2]\n[[layer]]\nname = 'out'\nkind = 'dense'\nunits = 2\nlabel = '{label}'\n",
        encoding="utf-8",
    )
    for form, view in (("svg", "layers"), ("svg", "neurons"), ("dot", "neurons")):
        path = tmp_path / f"x.{form}"
        drawn(capsys, str(spec), "--view", view, "-o", str(path))
        if form == "svg":
            assert label in shown(path)


@pytest.mark.parametrize("path", ["", "/no/such/folder"])
@pytest.mark.parametrize("spec", ["four", "lenet5"])
def test_with_an_empty_path_pictures_are_drawn_all_the_same(tmp_path: Path, path: str, spec: str) -> None:
    command = [sys.executable, "-m", "neurograph", "draw", spec, "-o", str(tmp_path / "x.png")]
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    made = [found.name for found in tmp_path.iterdir()]
    if made == ["x.svg"]:  # neither dot nor pygraphviz
        assert done.stdout.splitlines() == [
            "No Graphviz here to make a .png (install graphviz, or pygraphviz); wrote SVG instead.",
            f"{tmp_path / 'x.svg'}: the {'neurons' if spec == 'four' else 'layers'} of {spec}, drawn by neurograph",
        ]
        assert spec in shown(tmp_path / "x.svg")
    else:
        assert made == ["x.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["four", "-o", "x.gif"], "x.gif: the ending '.gif'; a picture ends in .svg, .png, .pdf or .dot."),
        (["four", "--view", "layer"], "--view layer: unknown view; did you mean 'layers'? (known: layers, maps, neurons, pipeline, "
         "around, group, windows, tied, toeplitz)"),
        (["four", "--overlay", "x"], "--overlay x: unknown (known: a, z, delta, weight, gradient, difference, none)"),
        (["four", "--around", "conv[0,9,9]"], "no neuron conv[0,9,9]: 'conv' has neurons conv[0…0,0…5,0…5]. The nearest is conv[0,5,5]."),
        (["four", "--sample", "5"], "--sample 5: four carries the samples 0…0."),
        (["four", "-o", "missing/x.svg"], "missing/x.svg: No such file or directory."),
        (["four", "--group", "convx[0]"], "--group convx[0]: no filter of that name; did you mean 'conv'? (known: conv[0])"),
        (["four", "--layer", "out"], "no layer 'out'; did you mean 'outputs'? (layers with inputs: conv, pool, outputs)"),
        (["vgg19", "--overlay", "difference", "--view", "neurons"], "vgg19: --overlay difference runs the textbook engine as well, "
         "which takes 18,963,942,144 edges one by one; it is shown up to 500,000. Use neurograph verify, or another overlay."),
    ],
)  # fmt: skip
def test_faults_have_one_message(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["draw", *arguments]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", message + "\n")
    assert not list(tmp_path.iterdir())


def test_the_readmes_picture_is_what_the_command_draws(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    drawn(capsys, "four", "--around", "conv[0,3,1]", "-o", str(tmp_path / "four.svg"))
    kept = ROOT / "docs" / "images" / "four.svg"
    assert sorted(shown(tmp_path / "four.svg").split()) == sorted(shown(kept).split())
