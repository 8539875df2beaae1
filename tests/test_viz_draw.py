"""Choosing a view, writing a file, and doing without Graphviz."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from neurograph.viz.subject import Subject
from neurograph.viz.views import Wish, choose_view

import neurograph as ng
from neurograph.errors import DrawingError, UnknownName
from neurograph.viz import Drawn, draw, graphviz
from tests.viz_scenes import TWO_HEADS, inspector_of, scene_of, texts_of, topology_of

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz program dot")


@pytest.fixture
def no_graphviz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert graphviz.find() is None


def tool(folder: Path, name: str, script: str) -> None:
    """A program of that name that runs a shell script."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


# -- which view --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("spec", "around", "expected"),
    [
        ("four", None, "neurons"),
        ("mazur", None, "neurons"),
        ("xor", "out[0]", "neurons"),
        ("digits", None, "layers"),
        ("digits", "out[3]", "around"),
        ("alexnet", None, "layers"),
        ("vgg19", "conv5_4[0,3,3]", "around"),
    ],
)
def test_default_view_suits_the_size(spec: str, around: str | None, expected: str) -> None:
    assert choose_view(Subject(topology_of(spec)), Wish(around=around)) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"view": "neuron"},
            "--view neuron: unknown view; did you mean 'neurons'? (known: layers, maps, neurons, pipeline, around, group, "
            "windows, tied, toeplitz)",
        ),
        (
            {"overlay": "d"},
            "--overlay d: unknown (known: a, z, delta, weight, gradient, difference, none)",
        ),
        ({"path": "x.gif"}, "x.gif: the ending '.gif'; a picture ends in .svg, .png, .pdf or .dot."),
        ({"path": "x"}, "x: no ending; a picture ends in .svg, .png, .pdf or .dot."),
    ],
)
def test_unknown_words_are_named(options: dict[str, str], message: str) -> None:
    with pytest.raises(DrawingError) as caught:
        draw(topology_of("four"), options.pop("path", "x.svg"), **options)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_unknown_neuron_is_named(tmp_path: Path) -> None:
    for view in ("neurons", "around"):
        with pytest.raises(UnknownName) as caught:
            draw(topology_of("four"), tmp_path / "x.svg", view=view, around="conv[0,9,9]")
        assert (
            str(caught.value)
            == "no neuron conv[0,9,9]: 'conv' has neurons conv[0…0,0…5,0…5]. The nearest is conv[0,5,5]."
        )
    assert not list(tmp_path.iterdir())


def test_a_graph_made_by_hand_has_no_layers(tmp_path: Path) -> None:
    graph = ng.build(topology_of("mazur"))
    with pytest.raises(DrawingError) as caught:
        draw(graph, tmp_path / "x.svg", view="layers")
    assert str(caught.value) == "mazur: a neuron graph has no layers to draw; use view neurons or around."
    assert draw(graph, tmp_path / "x.dot").view == "neurons"


# -- files -------------------------------------------------------------------------------------------------------------
@needs_dot
@pytest.mark.parametrize(
    ("form", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"digraph network {")]
)
def test_every_form_is_written(tmp_path: Path, form: str, magic: bytes) -> None:
    path = tmp_path / f"x.{form}"
    drawn = draw(topology_of("mazur"), path, inspector=inspector_of("mazur"))
    assert drawn == Drawn(path, "neurograph" if form == "dot" else "Graphviz", "neurons")
    assert path.read_bytes().startswith(magic)


@needs_dot
def test_the_dot_file_alone_gives_the_same_picture(tmp_path: Path) -> None:
    draw(topology_of("four"), tmp_path / "x.dot", inspector=inspector_of("four"))
    draw(topology_of("four"), tmp_path / "x.svg", inspector=inspector_of("four"))
    done = subprocess.run(["dot", "-Tsvg", str(tmp_path / "x.dot")], capture_output=True, check=True, timeout=60)
    assert texts_of(done.stdout) == texts_of((tmp_path / "x.svg").read_bytes())


@needs_dot
@pytest.mark.parametrize("view", ["neurons", "layers", "around"])
def test_graphviz_and_our_svg_say_the_same(tmp_path: Path, view: str) -> None:
    draw(topology_of("four"), tmp_path / "one.svg", view=view, inspector=inspector_of("four"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphviz, "find", lambda: None)
        assert (
            draw(topology_of("four"), tmp_path / "two.svg", view=view, inspector=inspector_of("four")).by
            == "neurograph"
        )
    one, two = (
        sorted(" ".join(t.split()) for t in texts_of((tmp_path / f"{n}.svg").read_bytes())) for n in ("one", "two")
    )
    assert [t for t in one if t] == [t for t in two if t]


# -- without Graphviz --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("spec", ["four", "lenet5", "alexnet", "vgg19", TWO_HEADS])
@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_svg_is_drawn_all_the_same(tmp_path: Path, spec: str) -> None:
    drawn = draw(topology_of(spec), tmp_path / "x.svg", folded=False)
    assert drawn.by == "neurograph"
    shown = " ".join(texts_of((tmp_path / "x.svg").read_bytes()))
    assert all(name in shown for name in topology_of(spec).populations)


@pytest.mark.usefixtures("no_graphviz")
@pytest.mark.parametrize("form", ["png", "pdf"])
def test_without_graphviz_other_forms_become_svg(tmp_path: Path, form: str) -> None:
    drawn = draw(topology_of("four"), tmp_path / f"x.{form}")
    assert drawn.path == tmp_path / "x.svg"
    assert [path.name for path in tmp_path.iterdir()] == ["x.svg"]


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_dot_is_written(tmp_path: Path) -> None:
    draw(topology_of("four"), tmp_path / "x.dot")
    assert (tmp_path / "x.dot").read_text(encoding="utf-8").startswith("digraph network {")


# -- when Graphviz misbehaves ------------------------------------------------------------------------------------------
def test_a_graphviz_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path / "bin", "dot", "exec sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(DrawingError) as caught:
        graphviz.run("digraph {}", "svg", timeout=0.3)
    assert str(caught.value) == "Graphviz took longer than 0.3 s and was stopped; draw less, or use --view layers."


def test_a_graphviz_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path / "bin", "dot", "echo 'no such plugin' >&2; exit 3")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(DrawingError) as caught:
        graphviz.run("digraph {}", "svg")
    assert str(caught.value) == "Graphviz failed (exit code 3): no such plugin"


def test_a_graphviz_that_writes_nothing_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path / "bin", "dot", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(DrawingError, match=r"wrote no svg; try -o with the ending \.svg"):
        graphviz.run("digraph {}", "svg")


@needs_dot
def test_a_broken_dot_text_is_an_error() -> None:
    with pytest.raises(DrawingError, match="Graphviz failed"):
        graphviz.run("digraph { a -> ", "svg")


def test_pygraphviz_is_asked_in_a_child_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the package, as far as the child uses it."""
    (tmp_path / "pygraphviz.py").write_text(
        "class AGraph:\n"
        "    def __init__(self, string): self.string = string\n"
        "    def draw(self, path, prog, format, args): open(path, 'w').write(f'{prog} {format} {args} {len(self.string)}')\n"
    )
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert graphviz.find() == "pygraphviz"
    assert graphviz.run("digraph {}", "svg", "neato", ("-n2",)) == b"neato svg -n2 10"
    assert "pygraphviz" not in sys.modules


def test_real_pygraphviz_draws_the_same_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", str(tmp_path))
    draw(topology_of("four"), tmp_path / "x.svg", inspector=inspector_of("four"))
    words = {line.words for shape in scene_of("four", "neurons").shapes for cell in shape.cells for line in cell.lines}
    assert {" ".join(text.split()) for text in texts_of((tmp_path / "x.svg").read_bytes())} >= {
        "255",
        "conv.weight",
    } & words


def test_a_notebook_shows_what_was_drawn(tmp_path: Path) -> None:
    topology = ng.lay_out(ng.load("xor"))
    drawn = ng.viz.draw(topology, tmp_path / "xor.svg")
    assert drawn._repr_svg_() == (tmp_path / "xor.svg").read_text(encoding="utf-8")
    assert drawn._repr_png_() is None
    assert ng.viz.draw(topology, tmp_path / "xor.dot")._repr_svg_() is None
