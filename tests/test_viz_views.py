"""What the views show is the network: every neuron, every edge, ties in one colour, true counts of what is left out."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neurograph.viz.arrange import by_ranks
from neurograph.viz.cards import card
from neurograph.viz.colours import INK, NEGATIVE, POSITIVE, mix, signed, tie_colour
from neurograph.viz.facts import facts_of
from neurograph.viz.layers import layer_scene
from neurograph.viz.scene import Scene, Shape
from neurograph.viz.subject import Subject
from neurograph.viz.svg import to_svg
from neurograph.viz.views import Wish, make_scene

import neurograph as ng
from neurograph.graph.address import write_node
from neurograph.graph.neighbourhood import fan_in, fan_out
from neurograph.viz import draw, graphviz
from tests.strategies import Case, cases
from tests.test_inspector import inspect_case
from tests.viz_scenes import (
    ALSO_SMALL,
    AROUND,
    LAYERED,
    RESIDUAL,
    SMALL,
    TWO_HEADS,
    name_of,
    scene_of,
    subject_of,
    topology_of,
)


def words_of(shape: Shape) -> list[str]:
    return [line.words.strip() for cell in shape.cells for line in cell.lines if line.words.strip()]


def all_words(scene: Scene) -> list[str]:
    return [words for shape in scene.shapes for words in words_of(shape)]


def shape_of(scene: Scene, key: Any) -> Shape:
    return next(shape for shape in scene.shapes if shape.key == key)


# -- the neuron view ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("spec", [*SMALL, *ALSO_SMALL], ids=lambda spec: name_of((spec,)))
def test_every_neuron_and_every_edge_is_drawn_once(spec: str) -> None:
    graph = ng.build(topology_of(spec))
    scene = scene_of(spec, "neurons")
    keys = [shape.key for shape in scene.shapes]
    assert all(keys.count(node) == 1 for node in graph.nodes)
    drawn = [(curve.source, curve.target) for curve in scene.curves]
    assert all(drawn.count(edge) == 1 for edge in graph.edges)


def test_tied_edges_have_one_colour_and_others_another() -> None:
    graph = ng.build(topology_of("four"))
    colours: dict[Any, set[str]] = {}
    for curve in scene_of("four", "neurons").curves:
        if graph.has_edge(curve.source, curve.target):
            reference = graph.edges[curve.source, curve.target]["param"]
            if reference is not None and reference[0] == "conv.weight":
                colours.setdefault(reference, set()).add(curve.colour[:7])
    assert len(colours) == 9
    assert all(len(found) == 1 for found in colours.values())
    assert len(set.union(*colours.values())) == 9


def test_filter_shows_weights_and_summed_gradients_in_the_edges_colours() -> None:
    scene = scene_of("four", "neurons")
    middle = shape_of(scene, ("filter", "conv.weight", 4))
    assert words_of(middle) == ["1", "44.6"]
    assert middle.border == tie_colour(4)
    assert middle.hint == "conv.weight[0,0,1,1] = 1, gradient 44.625"


def test_winners_of_max_pools_are_bold_and_losers_dashed() -> None:
    curves = {(curve.source, curve.target): curve for curve in scene_of("four", "neurons").curves}
    winner = curves[("conv", 0, 3, 1), ("pool", 0, 1, 0)]
    loser = curves[("conv", 0, 2, 1), ("pool", 0, 1, 0)]
    assert (winner.colour, winner.dashed) == (INK, False)
    assert loser.dashed
    assert winner.thickness > 2 * loser.thickness


def test_lit_neuron_lights_its_window_and_the_way_of_its_activation() -> None:
    scene = scene_of("four", "neurons", "conv[0,3,1]")
    lit = {(c.source, c.target) for c in scene.curves if c.thickness > 2}
    window = {(("input", 0, y, x), ("conv", 0, 3, 1)) for y in (2, 3, 4) for x in (0, 1, 2)}
    way = {(("conv", 0, 3, 1), ("pool", 0, 1, 0)), *((("pool", 0, 1, 0), ("outputs", i)) for i in (0, 1))}
    assert {edge for edge in lit if edge[0] in {n for e in window | way for n in e}} == window | way
    assert shape_of(scene, ("input", 0, 3, 1)).border == tie_colour(4)
    assert (
        "Of conv.weight[0,0,1,1] it asks δ·a = 51; the 36 edges that share it ask 44.625 together, and that is its gradient."
        in (all_words(scene))
    )


def test_numbers_in_neurons_are_those_of_the_pass() -> None:
    assert words_of(shape_of(scene_of("four", "neurons"), ("conv", 0, 3, 1))) == ["255", "δ 0.2"]
    assert words_of(shape_of(scene_of("four", "neurons", None, "z"), ("conv", 0, 2, 1))) == ["−510", "δ 0"]
    assert words_of(shape_of(scene_of("four", "neurons", None, "delta"), ("conv", 0, 3, 3))) == ["−0.025"]
    assert words_of(shape_of(scene_of("four", "neurons", None, "none"), ("conv", 0, 3, 3))) == []
    assert words_of(shape_of(scene_of("mazur", "neurons"), "h1")) == ["h1", "a 0.593", "δ 0.00877"]


def test_weights_stand_on_the_edges_of_tiny_networks() -> None:
    words = all_words(scene_of("mazur", "neurons"))
    assert [w for w in words if w.startswith("w")] == [f"w{i} = {v}" for i, v in (
        (1, 0.15), (3, 0.25), (2, 0.2), (4, 0.3), (5, 0.4), (7, 0.5), (6, 0.45), (8, 0.55)
    )]  # fmt: skip
    assert words.count("b1 = 0.35") == 2
    assert {"target 0.01", "target 0.99"} <= set(words)


@pytest.mark.parametrize("spec", SMALL)
def test_colours_are_explained(spec: str) -> None:
    words = " ".join(all_words(scene_of(spec, "neurons")))
    assert "colour: activation a, each layer on its own scale" in words
    assert "δ = ∂loss/∂z" in words
    assert "negative weight" in words
    assert ("one colour = one shared weight" in words) == (spec == "four")


@given(cases(), st.sampled_from(["a", "z", "delta", "none"]))
@settings(max_examples=30)
def test_any_small_network_can_be_drawn_in_any_view(case: Case, values: str) -> None:
    inspector = inspect_case(case)
    topology = ng.lay_out(case.spec)
    nodes = [write_node(node) for name in topology.populations for node in topology.nodes(name)]
    around = nodes[case.seed % len(nodes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphviz, "find", lambda: None)
        for network in (topology, inspector.network):
            views = ["around"] + ["layers"] * (network is topology) + ["neurons"] * (topology.n_edges <= 1000)
            for view in views:
                scene = make_scene(Subject(network, inspector, values=values), Wish(view, around))
                assert to_svg(scene).endswith("</svg>\n")
                assert np.isfinite([scene.width, scene.height]).all()


def test_deleted_neurons_leave_a_gap() -> None:
    graph = ng.build(topology_of("four"))
    before = make_scene(Subject(graph), Wish("neurons"))
    graph.remove_node(("conv", 0, 0, 0))
    after = make_scene(Subject(graph), Wish("neurons"))
    assert ("conv", 0, 0, 0) not in {shape.key for shape in after.shapes}
    assert shape_of(after, ("conv", 0, 0, 1)).x == shape_of(before, ("conv", 0, 0, 1)).x


# -- the layer view ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("spec", [*LAYERED, TWO_HEADS, RESIDUAL], ids=lambda spec: name_of((spec,)))
def test_layers_and_their_edges_are_drawn_once(spec: str) -> None:
    topology = topology_of(spec)
    scene = scene_of(spec, "layers")
    keys = [shape.key for shape in scene.shapes]
    assert all(keys.count(name) == 1 for name in topology.populations)
    expected = {(p.source, p.target) for p in topology.projections}
    assert {(curve.source, curve.target) for curve in scene.curves} >= expected
    assert len([c for c in scene.curves if (c.source, c.target) in expected]) == len(expected)


def test_layer_counts_add_up_to_the_networks() -> None:
    for spec in LAYERED:
        topology = topology_of(spec)
        facts = facts_of(Subject(topology), topology)
        assert sum(f.n_neurons for f in facts if f.kind != "input") == topology.n_neurons
        assert sum(f.n_edges for f in facts) == topology.n_edges
        assert sum(f.n_parameters for f in facts) == topology.n_parameters


def test_card_of_a_convolution_says_it_all() -> None:
    assert words_of(shape_of(scene_of("lenet5", "layers"), "conv1")) == [
        "conv1", "conv 5×5", "padding 2", "ReLU", "6×28×28", "4,704 neurons", "107,736 edges", "156 parameters",
        "each weight ×676–784", "sees 5×5",
    ]  # fmt: skip


def test_heads_skips_and_dropout_are_plain_to_see() -> None:
    scene = scene_of(TWO_HEADS, "layers")
    assert words_of(shape_of(scene, "side"))[-1] == "binary cross entropy × 0.5"
    assert "drop: keep 0.5" in words_of(shape_of(scene, "classes"))
    heads = {shape.key for shape in scene.shapes if shape.border == INK and shape.thickness > 2}
    assert heads == {"side", "classes"}
    assert ("conv1", "sum") in {(curve.source, curve.target) for curve in scene.curves}


def test_many_layers_become_a_sheet_with_arcs_in_free_lanes() -> None:
    scene = scene_of(RESIDUAL, "layers")
    rows = [shape_of(scene, name) for name in topology_of(RESIDUAL).populations]
    assert len({row.x for row in rows}) == 1
    assert [row.y for row in rows] == sorted(row.y for row in rows)
    arcs = [curve for curve in scene.curves if len(curve.path) > 4]
    assert {(arc.source, arc.target) for arc in arcs} == {
        ("input", "sum0"),
        *((f"sum{i}", f"sum{i + 1}") for i in range(5)),
    }
    assert len({max(x for x, _ in arc.path) for arc in arcs}) == 1


def test_own_layout_runs_from_left_to_right() -> None:
    topology = topology_of(TWO_HEADS)
    facts = facts_of(Subject(topology), topology)
    places, curves = by_ranks(facts, {fact.name: card(fact) for fact in facts})
    for curve in curves:
        assert places[curve.source][0] < places[curve.target][0]
    assert len(curves) == 7


def test_layer_view_of_the_largest_is_quick() -> None:
    begin = time.perf_counter()
    layer_scene(Subject(topology_of("vgg19")))
    assert time.perf_counter() - begin < 5


# -- around one neuron -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("spec", "neuron"), AROUND, ids=lambda value: name_of((value,)))
def test_edges_shown_and_counted_are_all_edges(spec: str, neuron: str) -> None:
    topology = topology_of(spec)
    subject = subject_of(spec)
    node = subject.layout.place(neuron)
    n_in, n_out = len(fan_in(topology, _id(node))), len(fan_out(topology, _id(node)))
    words = all_words(scene_of(spec, "around", neuron))
    assert any(f"{n_in:,} edge" in w and f"{n_out:,} edge" in w for w in words)
    targets = [shape for shape in scene_of(spec, "around", neuron).shapes if shape.form == "rounded"]
    more = [
        int(w.split()[2].replace(",", ""))
        for w in words
        if w.startswith("… and") and "maps" not in w and "neurons" not in w
    ]
    assert len(targets) + sum(more) == n_out


def _id(place: Any) -> Any:
    name, index = place
    return (name, *index) if index else name


def test_window_shows_a_times_w_and_its_sum() -> None:
    scene = scene_of("four", "around", "conv[0,3,1]")
    grids = {
        head: [words_of(s) for s in scene.shapes if isinstance(s.key, tuple) and s.key[:1] == (head,)]
        for head in ("a", "w", "w·a")
    }
    assert grids["a"] == [["0"], ["255"], ["0"], ["0"], ["255"], ["255"], ["0"], ["0"], ["0"]]
    assert grids["w"] == [["−1"]] * 3 + [["1"]] * 3 + [["−1"]] * 3
    assert grids["w·a"] == [["0"], ["−255"], ["0"], ["0"], ["255"], ["255"], ["0"], ["0"], ["0"]]
    assert "Σ 255" in all_words(scene)
    assert "sees rows 2…4, columns 0…2" in all_words(scene)


def test_left_out_maps_are_counted_with_their_sum() -> None:
    scene = scene_of("lenet5", "around", "conv2[3,5,5]")
    (left_out,) = [w for w in all_words(scene) if "more maps" in w]
    assert left_out.startswith("… and 3 more maps with 75 edges, together ")
    sums = [float(w[2:].replace("−", "-")) for w in all_words(scene) if w.startswith("Σ ")]
    rest = float(left_out.rsplit(" ", 1)[1].replace("−", "-"))
    inspector = subject_of("lenet5").inspector
    assert inspector is not None
    assert sum(sums) + rest == pytest.approx(inspector.neuron("conv2[3,5,5]").z, rel=0.02)


def test_neuron_of_a_giant_is_drawn_without_the_graph(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("neurograph.viz.views.build", None)
    begin = time.perf_counter()
    draw(topology_of("alexnet"), tmp_path / "x.svg", view="around", around="conv2[3,5,5]")
    assert time.perf_counter() - begin < 10


# -- colours -----------------------------------------------------------------------------------------------------------
def test_scale_is_white_at_zero_and_monotonous() -> None:
    assert signed(0.0, 3.0) == signed(-0.0, 3.0) == "#ffffff"
    assert (signed(3, 3), signed(-3, 3)) == (POSITIVE, NEGATIVE)
    for sign in (1, -1):
        light = [int(signed(sign * share, 1)[3:5], 16) for share in np.linspace(0, 1, 30)]
        assert light == sorted(light, reverse=True)


@pytest.mark.parametrize("missing", ["red", "green", "blue"])
def test_signs_differ_for_every_colour_vision(missing: str) -> None:
    """With one kind of cone missing (its signal replaced by the mean of the others), the ends stay far apart."""
    cone = {"red": 0, "green": 1, "blue": 2}[missing]

    def seen(colour: str) -> Any:
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)
        parts[cone] = np.delete(parts, cone).mean()
        return parts

    for share in (0.3, 0.6, 1.0):
        assert np.abs(seen(signed(share, 1)) - seen(signed(-share, 1))).max() > 25 * share


def test_first_ties_are_easy_to_tell_apart() -> None:
    colours = [tie_colour(number) for number in range(25)]
    assert len(set(colours)) == 25
    assert mix(colours[0], colours[0], 0.5) == colours[0]
