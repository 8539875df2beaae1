"""Plots of networks and passes: what the figures hold are the network's own numbers, for layers, sequences and drawn neurons."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

import neurograph as ng
from neurograph.errors import DrawingError, UnknownName, UsageError
from neurograph.graph.address import node_id
from neurograph.graph.receptive import middle
from neurograph.training import Epoch, History
from tests.plotted import SUBJECTS, named, subject, texts

pytest.importorskip("matplotlib", reason="plots need matplotlib")
ROOT = Path(__file__).resolve().parent.parent


def values(image: Any) -> Any:
    """What an image shows, NaN where it is masked."""
    return np.ma.filled(image.get_array().astype(float), np.nan)


def figures(name: str, everything: bool) -> dict[str, Any]:
    """Every plot of a network; of those for single layers all, or one."""
    plots, s = ng.viz.plots, subject(name)
    made = {
        "receptive": plots.receptive(s.topology),
        "maps": plots.maps(s.trace, 1),
        "histograms": plots.histograms(s.trace),
    }
    most = None if everything else 1
    made |= {
        f"filters of {layer}": plots.filters(s.topology, s.params, layer) for layer in plots.weighted(s.topology)[:most]
    }
    made |= {f"maps of {one.name}": plots.maps(s.trace, 1, one.name) for one in plots.strata(s.trace)[:most]}
    watch = plots.Ratios(s.topology, {name: np.array(values) for name, values in s.params.items()})
    watch.steps, watch.rows = [1, 2], {name: [1e-3, 2e-3] for name in watch.rows}
    rows = [Epoch(i, i, 2 / i, None, 0.5 + 1 / i, 1 - 1 / i, 0.1 / i) for i in range(1, 31)]
    made |= {"updates": plots.updates(watch), "curves": plots.curves(History(rows), History(rows[:9]), title="two")}
    for head in s.engine.layout.heads if name != "drawn by hand" else ():
        made[f"confusion of {head.name}"] = plots.confusion(s.engine, s.x, s.y, head.name)
        made[f"mistakes of {head.name}"] = plots.mistakes(
            s.engine, s.x, s.y, head.name, names=["class a", "b", "c", "d"]
        )
    return made


# -- numbers -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_filters_are_the_weights(layer: str) -> None:
    s = subject("layers")
    figure = ng.viz.plots.filters(s.topology, s.params, layer)
    weights = s.params[f"{layer}.weight"]
    for f, c in np.ndindex(weights.shape[:2]):
        image = named(figure, f"{layer}.weight[{f},{c}]")
        assert np.array_equal(values(image), weights[f, c])
        assert image.norm.vmin == -image.norm.vmax == -np.abs(weights).max()


def test_dense_units_are_shown_in_the_shape_of_what_they_look_at() -> None:
    s = subject("layers")
    figure = ng.viz.plots.filters(s.topology, s.params, "side")  # one unit onto 3×3×3 pools
    weights = s.params["side.weight"].reshape(3, 3, 3)
    assert all(np.array_equal(values(named(figure, f"side.weight[0,{c}]")), weights[c]) for c in range(3))


def test_single_weights_are_one_table_of_targets_by_sources() -> None:
    s = subject("drawn by hand")
    figure = ng.viz.plots.filters(s.topology, s.params)
    table = values(named(figure, "weights"))  # rows h1 h2 o1 o2, columns i1 i2 h1 h2
    w = [float(s.params[f"w{i}"]) for i in range(1, 9)]
    nan = np.nan
    wanted = [[w[0], w[1], nan, nan], [w[2], w[3], nan, nan], [nan, nan, w[4], w[5]], [nan, nan, w[6], w[7]]]
    assert np.array_equal(table, wanted, equal_nan=True)
    assert {"h1", "h2", "o1", "o2", "i1", "i2"} <= set(texts(figure))


def test_slots_without_an_edge_are_blank_and_what_is_left_out_is_said() -> None:
    topology = ng.lay_out(ng.load("lenet5-1998"))
    params = ng.initialise(topology)
    c3 = ng.viz.plots.filters(topology, params, "c3")
    used = topology.parameters["c3.weight"].used.reshape(params["c3.weight"].shape)
    assert not used.all()
    for f, c in np.ndindex(16, 6):
        assert np.isnan(values(named(c3, f"c3.weight[{f},{c}]"))).all() == (not used[f, c].any())
    told = " ".join(texts(ng.viz.plots.filters(topology, params, "c3", limit=5)))
    assert "Left out: shown are the first 5 of 16 filters." in told


@pytest.mark.parametrize("name", SUBJECTS)
@pytest.mark.parametrize("what", ["a", "delta"])
def test_maps_are_the_values_of_the_sample(name: str, what: str) -> None:
    s = subject(name)
    for one in ng.viz.plots.strata(s.trace, 1, what):
        figure = ng.viz.plots.maps(s.trace, 1, one.name, what=what)
        found = getattr(s.trace, what)
        wanted = [found[neuron][1] for neuron in one.neurons] if one.neurons else found[one.name][1]
        shown = [values(image) for image in figure.axes[0].images]
        assert np.array_equal(np.concatenate([v.reshape(-1) for v in shown]), np.reshape(wanted, -1))


def test_overview_has_every_layer_on_a_scale_of_its_own() -> None:
    s = subject("layers")
    figure = ng.viz.plots.maps(s.trace, 2)
    for layer in s.trace.layout.shapes:
        a = s.trace.a[layer][2]
        images = [image for image in figure.axes[0].images if image.get_gid().split("[")[0] == layer]
        assert np.array_equal(np.concatenate([values(image).reshape(-1) for image in images]), a.reshape(-1))
        assert {image.norm.vmax for image in images} == {np.abs(a).max()}


def test_histograms_count_weights_and_the_sizes_of_delta() -> None:
    s = subject("layers", n=40)
    left, right = ng.viz.plots.histograms(s.trace).axes
    for axes, row, numbers in (
        (left, "classes", s.params["classes.weight"]),
        (right, "conv1", np.log10(np.abs(s.trace.delta["conv1"][s.trace.delta["conv1"] != 0]))),
    ):
        ridge = named(axes, row)
        heights, edges, base = ridge.get_data()
        counts = np.histogram(numbers, edges)[0]
        assert counts.sum() == numbers.size  # nothing lies beyond the axis
        assert np.array_equal(np.round((heights - base) / (heights - base).max() * counts.max()), counts)
    zero = float(np.mean(s.trace.delta["conv1"] == 0))
    assert any(f"{100 * zero:.1f}".rstrip("0").rstrip(".") + " % zero" == text for text in texts(right))


def test_few_weights_are_strokes_at_their_values() -> None:
    s = subject("drawn by hand")
    strokes = named(ng.viz.plots.histograms(s.trace).axes[0], "weights").get_segments()
    assert sorted(stroke[0][0] for stroke in strokes) == pytest.approx(
        sorted(float(s.params[f"w{i}"]) for i in range(1, 9))
    )


@pytest.mark.parametrize("name", SUBJECTS)
def test_receptive_fields_hold_what_the_graph_reaches(name: str) -> None:
    s = subject(name)
    figure = ng.viz.plots.receptive(s.topology)
    graph = ng.build(s.topology)
    for population in s.topology.populations.values():
        if population.is_input:
            continue
        node = node_id(population.name, middle(population.shape))
        seen = [n for n in nx.ancestors(graph, node) if graph.nodes[n]["kind"] == "input"]
        bar = named(figure.axes[-1], population.name)
        if s.topology.is_hand_drawn:
            assert bar.get_width() == len(seen)
            continue
        places = [n[2:] for n in seen]
        sides = [1 + max(p[axis] for p in places) - min(p[axis] for p in places) for axis in range(len(places[0]))]
        assert bar.get_width() == max(sides)
        box = named(figure.axes[0], population.name)
        assert box.get_x() == min(p[-1] for p in places)
        assert box.get_width() == sides[-1]
        assert len(sides) == 1 or (box.get_y(), box.get_height()) == (min(p[0] for p in places), sides[0])


def test_ratios_are_the_sizes_of_the_steps() -> None:
    topology = ng.lay_out(ng.load(SUBJECTS["sequence"]))
    params = ng.initialise(topology, seed=1)
    s = subject("sequence")
    watch = ng.viz.plots.Ratios(topology, params)
    weights = [params["conv1.weight"]]
    keep = [watch, lambda _: weights.append(params["conv1.weight"])]
    engine = ng.ReferenceEngine(ng.build(topology), params)
    ng.fit(engine, s.x, s.y, 2, 3, ng.SGD(0.1), on_step=lambda told: [one(told) for one in keep])
    wanted = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairwise(weights)]
    line = named(ng.viz.plots.updates(watch), "conv1.weight")
    assert (watch.steps, list(line.get_xdata())) == ([1, 2, 3, 4], [1, 2, 3, 4])
    assert line.get_ydata() == pytest.approx(wanted)


# -- how it looks ------------------------------------------------------------------------------------------------------
LOOKED_AT = [("sequence", False), *[pytest.param(name, True, marks=pytest.mark.slow) for name in SUBJECTS]]


@pytest.mark.parametrize(("name", "everything"), LOOKED_AT)
def test_letters_are_large_enough_stay_on_the_page_and_apart(name: str, everything: bool) -> None:
    for kind, figure in figures(name, everything).items():
        figure.draw_without_rendering()  # places everything
        boxes = visible(figure)
        assert boxes, kind
        for text, size, box in boxes:
            assert size >= 12, (kind, text, size)
            assert box.x0 >= 0, (kind, text)
            assert box.y0 >= 0, (kind, text)
            assert box.x1 <= 1280, (kind, text)
            assert box.y1 <= 720, (kind, text)
        for i, (text, _, box) in enumerate(boxes):
            over = [other for other, _, b in boxes[i + 1 :] if box.shrunk(0.96, 0.9).overlaps(b.shrunk(0.96, 0.9))]
            assert over == [], (kind, text, over)


def visible(figure: Any) -> list[tuple[str, float, Any]]:
    """Texts as drawn: letters, points, and the box in pixels."""
    from matplotlib.text import Text

    found, renderer, outside = [], figure.canvas.get_renderer(), undrawn(figure)
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and id(text) not in outside:
            found.append((text.get_text(), text.get_fontsize(), text.get_window_extent(renderer)))
    return found


def undrawn(figure: Any) -> set[int]:
    """Letters of ticks that lie outside of their axis, which nobody draws."""
    found = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        shown = axis._update_ticks()
        for tick in [*axis.majorTicks, *axis.minorTicks]:
            if tick not in shown:
                found |= {id(tick.label1), id(tick.label2)}
    return found


HOSTILE = [
    "$\\frac{1}{0}$",
    "$x",
    "a\x00b\x1b[31m",
    "\u202egnp.exe",
    "line\nbreak",
    "\ud800",
    "x" * 5_000,
    "\\alpha_$",
    "<b>&",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_letters(name: str, tmp_path: Path) -> None:
    from matplotlib.cbook import is_math_text

    history = History([Epoch(1, 1, 0.5, accuracy=0.5)])
    figure = ng.viz.plots.curves(history, labels=[name], title=name)
    other = ng.viz.plots.matrix(np.eye(2, dtype=int) + 1, names=[name, "b"], title=name, note=name)
    for shown in (figure, other):
        assert not any(is_math_text(text) and "mathdefault" not in text for text in raw(shown))
        assert not any(letter in text for text in raw(shown) for letter in "\x00\x1b\u202e\ud800")
        assert all(len(text) < 1_000 for text in raw(shown))
    if name in HOSTILE[:2]:  # drawn as well: mathematics would be an error there
        ng.viz.plots.save(other, tmp_path / "a.svg")
        assert name in " ".join(texts(other))


def raw(figure: Any) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text)]


def test_a_users_own_style_changes_nothing_and_stays(tmp_path: Path) -> None:
    import matplotlib as mpl

    def drawn() -> bytes:
        return ng.viz.plots.save(ng.viz.plots.receptive(subject("sequence").topology), tmp_path / "a.svg").read_bytes()

    wanted = drawn()
    with mpl.rc_context({"font.size": 3, "text.usetex": True, "axes.facecolor": "black", "lines.linewidth": 9}):
        before = dict(mpl.rcParams)
        assert drawn() == wanted
        assert dict(mpl.rcParams) == before


def test_every_form_is_written_and_others_are_refused(tmp_path: Path) -> None:
    def figure() -> Any:
        return ng.viz.plots.receptive(subject("layers").topology)

    drawn = figure()
    assert drawn._repr_png_().startswith(b"\x89PNG")  # a notebook shows it
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for form, begin in begins.items():
        assert ng.viz.plots.save(drawn, tmp_path / f"a.{form}").read_bytes().startswith(begin)
    twice = [ng.viz.plots.save(figure(), tmp_path / f"{name}.svg").read_bytes() for name in "ab"]
    assert twice[0] == twice[1]
    with pytest.raises(DrawingError) as caught:
        ng.viz.plots.save(drawn, "a.gif")
    assert str(caught.value) == "a.gif: the ending '.gif'; a plot ends in .png, .svg or .pdf."
    with pytest.raises(DrawingError, match=r"nowhere/a\.png: No such file or directory"):
        ng.viz.plots.save(drawn, tmp_path / "nowhere" / "a.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "a.png", "a.svg", "b.svg"]


# -- what cannot be drawn ----------------------------------------------------------------------------------------------
def test_faults_are_one_line_each() -> None:
    plots, s = ng.viz.plots, subject("layers")
    bare = ng.lay_out(ng.load('input = [1, 4, 4]\nlayer = [{name = "pool", kind = "maxpool", window = 2}]'))
    faults = [
        (
            lambda: plots.filters(s.topology, s.params, "pool"),
            DrawingError,
            "--layer pool: has no weights (layers that have: conv1,",
        ),
        (lambda: plots.filters(s.topology, s.params, "conv3"), UnknownName, "no layer 'conv3'; did you mean 'conv2'?"),
        (lambda: plots.filters(bare, {}), DrawingError, "filters: this network has no weights to show."),
        (lambda: plots.maps(s.trace, 5), UsageError, "sample 5: the trace has the samples 0…4."),
        (lambda: plots.maps(s.trace, 0, "cnv1"), UnknownName, "no layer 'cnv1'; did you mean 'conv1'?"),
        (
            lambda: plots.updates(plots.Ratios(s.topology, s.params)),
            DrawingError,
            "updates: no step was watched; pass the ratios",
        ),
    ]
    for fault, kind, message in faults:
        with pytest.raises(kind) as caught:
            fault()
        assert str(caught.value).startswith(message)
        assert "\n" not in str(caught.value)


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(DrawingError) as caught:
        ng.viz.plots.receptive(subject("layers").topology)
    assert str(caught.value) == "plots need matplotlib, which is not installed here: pip install matplotlib"


def test_pyplot_and_matplotlib_come_late_or_never() -> None:
    script = (
        "import sys, neurograph as ng\n"
        "plots = ng.viz.plots\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plots.receptive(ng.lay_out(ng.load('xor')))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert 'numba' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
