"""What the views of filters, matrices, windows and reach show is the network's own structure."""

from __future__ import annotations

import time
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neurograph.viz.colours import PADDED, tie_colour
from neurograph.viz.cone import ancestors, descendants
from neurograph.viz.excerpt import excerpt_of
from neurograph.viz.facts import facts_of
from neurograph.viz.fold import blocks_of, fold
from neurograph.viz.scene import Shape
from neurograph.viz.sharing import find_group
from neurograph.viz.sliding import _size
from neurograph.viz.subject import Subject
from neurograph.viz.svg import to_svg
from neurograph.viz.tied import _counts
from neurograph.viz.views import VIEWS, Wish, make_scene

import neurograph as ng
from neurograph.errors import DrawingError, NeurographError, UnknownName
from neurograph.ops.wiring import Window
from neurograph.shapes import output_size
from tests.strategies import Case, cases
from tests.viz_scenes import LAYERED, RESIDUAL, SEQUENCE, TWO_HEADS, inspector_of, scene_of, subject_of, topology_of


def words_of(scene: Any) -> list[str]:
    return [line.words for s in scene.shapes for cell in s.cells for line in cell.lines if line.words.strip()]


def by_key(scene: Any) -> dict[Any, Shape]:
    return {shape.key: shape for shape in scene.shapes}


# -- what a neuron reaches ---------------------------------------------------------------------------------------------
@given(cases(), st.integers(1, 4))
@settings(max_examples=40)
def test_cones_are_those_of_the_graph(case: Case, depth: int) -> None:
    topology = ng.lay_out(case.spec)
    graph = ng.build(topology)
    nodes = [node for node, kind in graph.nodes(data="kind") if kind != "constant"]
    node = nodes[case.seed % len(nodes)]
    layer, index = Subject(topology).layout.place(node)
    for found, way in ((ancestors, graph.reverse(copy=False)), (descendants, graph)):
        lengths = nx.single_source_shortest_path_length(way, node, cutoff=depth)
        truly = {n for n in lengths if n != node and graph.nodes[n]["kind"] != "constant"}
        reach = found(topology, str(layer), tuple((i,) for i in index), depth)
        for other in truly:
            name, at = Subject(topology).layout.place(other)
            assert all(i in axis for i, axis in zip(at, reach[str(name)], strict=True)), (node, other)
        if all(
            graph.in_degree(n) <= 1 or len(topology.into(str(Subject(topology).layout.place(n)[0]))) == 1 for n in graph
        ) and all(
            len(topology.out_of(name)) == 1 for name in list(topology.populations)[:-1]
        ):  # a single road: nothing but what is reached
            n_reached = sum(len(list(product_of(axes))) for axes in reach.values())
            assert n_reached == len(truly)


def product_of(axes: Any) -> Any:
    import itertools

    return itertools.product(*axes)


def test_reach_lights_what_is_reached_and_fades_the_rest() -> None:
    scene = by_key(scene_of("four", "around", "conv[0,3,1]", "a", None, None, 2))
    window = {("input", 0, y, x) for y in (2, 3, 4) for x in (0, 1, 2)}
    bold = {key for key, shape in scene.items() if shape.thickness > 2 and isinstance(key, tuple) and key[0] == "input"}
    assert bold == window
    assert scene[("conv", 0, 3, 1)].thickness > 4


# -- a filter and who uses it ------------------------------------------------------------------------------------------
def test_every_use_of_a_filter_has_the_colour_of_its_weight() -> None:
    graph = ng.build(topology_of("sixteen"))
    shapes = by_key(scene_of("sixteen", "group"))
    for i in range(4):
        for j in range(4):
            node = ("conv", 0, i, j)
            window = {key[-3:] for key, s in shapes.items() if key[:2] == ("use", node) and s.fill != "#ffffff"}
            assert window == {source[1:] for source in graph.pred[node]}
    colours: dict[Any, set[str | None]] = {}
    for source, target, reference in graph.edges(data="param"):
        if reference is not None and reference[0] == "conv.weight":
            colours.setdefault(reference, set()).add(shapes[("use", target, *source[1:])].fill)
    assert [len(found) for found in colours.values()] == [1] * 9
    assert len(set.union(*colours.values())) == 9


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("conv2[16]", "--group conv2[16]: 'conv2' has the groups conv2[0]…conv2[15]."),
        ("conv3[0]", "--group conv3[0]: no filter of that name; did you mean 'conv2'? (known: conv1[0], conv2[0])"),
    ],
)
def test_unknown_groups_are_named(group: str, message: str) -> None:
    with pytest.raises(UnknownName) as caught:
        find_group(topology_of("lenet5"), group)
    assert str(caught.value) == message


# -- matrices ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("spec", "layer"), [("sixteen", "conv"), ("four", "conv"), ("four", "outputs"), (SEQUENCE, "conv1")]
)
def test_matrix_has_an_entry_an_edge_and_a_colour_a_weight(spec: str, layer: str) -> None:
    topology = topology_of(spec)
    graph = ng.build(topology)
    shapes = by_key(scene_of(spec, "toeplitz", None, "none", None, layer))
    rows = list(topology.nodes(layer))
    columns = [node for name in dict.fromkeys(p.source for p in topology.into(layer)) for node in topology.nodes(name)]
    entries = {
        (key[1], key[2]): shape.fill for key, shape in shapes.items() if isinstance(key, tuple) and key[0] == "w"
    }
    edges = {(rows.index(t), columns.index(s)): graph.edges[s, t]["param"] for t in rows for s in graph.pred[t]}
    assert set(entries) == set(edges)
    for at, reference in edges.items():
        for other, colour in entries.items():
            assert (colour == entries[at]) == (edges[other] == reference)


@pytest.mark.parametrize("name", ["sixteen", "lenet5"])
def test_three_ways_are_counted_as_the_networks_would_be(name: str) -> None:
    text = ng.load(name).origin.text.replace('kind = "conv"', 'kind = "conv"\ntie = "none"', 1)
    text = "\n".join(
        line for line in text.splitlines() if not line.startswith(("weights = [", "    [", "]", "bias = ["))
    )
    layer = next(p.name for p in topology_of(name).populations.values() if p.layer_kind == "conv")
    if name == "sixteen":
        text = text.split('[[layer]]\nname = "pool"')[0] + "\n"
    untied = ng.lay_out(ng.load(text + "\n"))
    n_edges = sum(p.n_edges for p in untied.into(layer))
    assert _counts(topology_of(name), layer, 1) == (n_edges, n_edges)
    tied = topology_of(name)
    assert _counts(tied, layer, 2) == (n_edges, tied.parameters[f"{layer}.weight"].size)
    assert _counts(tied, layer, 0)[0] == tied.populations[layer].size * tied.n_inputs


# -- windows and padding -----------------------------------------------------------------------------------------------
@given(st.integers(3, 40), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 2))
@settings(max_examples=100)
def test_arithmetic_of_sizes_is_right(n: int, kernel: int, stride: int, padding: int, dilation: int) -> None:
    reach = dilation * (kernel - 1) + 1
    if reach > n + 2 * padding:
        return
    size = output_size(n, kernel, stride, (padding, padding), dilation)
    written = _size(Window(size, n, kernel, stride, dilation, padding))
    sum_, _, result = written.rpartition(" = ")
    assert int(result) == size
    assert eval(sum_.replace("−", "-").replace("·", "*").replace(" unread", "")) == size


def test_padded_positions_are_grey_and_those_of_the_lit_window_coloured() -> None:
    scene = make_scene(subject_of("four"), Wish("neurons", "conv[0,0,0]"))
    rim = {s.key: s for s in scene.shapes if isinstance(s.key, tuple) and s.key[0] == "pad"}
    assert len(rim) == 8 * 8 - 6 * 6
    assert {shape.fill for shape in rim.values()} == {PADDED}
    missed = {key[-2:]: shape.border for key, shape in rim.items() if shape.thickness > 2}
    assert missed == {
        (-1, -1): tie_colour(0), (-1, 0): tie_colour(1), (-1, 1): tie_colour(2), (0, -1): tie_colour(3), (1, -1): tie_colour(6)
    }  # fmt: skip


# -- overlays ----------------------------------------------------------------------------------------------------------
def test_a_delta_of_zero_is_faded() -> None:
    shapes = by_key(scene_of("sixteen", "neurons", None, "delta"))
    loser, winner = shapes[("conv", 0, 0, 0)], shapes[("conv", 0, 2, 0)]
    assert not loser.cells[0].lines[0].bold
    assert winner.cells[0].lines[0].bold
    assert loser.cells[0].lines[0].words == "0"


def test_gradients_colour_edges_by_sign() -> None:
    scene = scene_of("sixteen", "neurons", None, "gradient")
    inspector = inspector_of("sixteen")
    assert inspector is not None
    graph = ng.build(topology_of("sixteen"))
    for curve in scene.curves:
        if graph.has_edge(curve.source, curve.target):
            reference = graph.edges[curve.source, curve.target]["param"]
            if reference is not None:
                gradient = float(inspector.trace.gradient[reference[0]].reshape(-1)[reference[1]])
                red, blue = int(curve.colour[1:3], 16), int(curve.colour[5:7], 16)
                assert (red > blue + 20) == (gradient > 0)
                assert (blue > red + 20) == (gradient < 0)


def test_difference_is_textbook_minus_compiled() -> None:
    topology = topology_of("mazur")
    params, spec = ng.initialise(topology), ng.load("mazur")
    x, target = [spec.samples[0].input], [spec.samples[0].target]
    textbook = ng.Inspector(ng.ReferenceEngine(ng.build(topology), params), x, target)
    compiled = ng.Inspector(ng.compile(topology, params, dtype="float32"), x, target)
    subject = Subject(topology, textbook, values="difference", other=compiled)
    found = {node: subject.main(node) for node in ("h1", "o2")}
    assert found == {node: textbook.neuron(node).a - compiled.neuron(node).a for node in ("h1", "o2")}
    assert 0 < max(abs(value) for value in found.values() if value is not None) < 1e-6
    assert "a by the textbook minus a by the compiled program" in " ".join(
        words_of(make_scene(subject, Wish("neurons")))
    )


# -- large networks ----------------------------------------------------------------------------------------------------
def test_large_networks_show_all_neurons_there_is_room_for_and_true_edges() -> None:
    topology = topology_of("zipcode-1989")
    picture = excerpt_of(Subject(topology))
    assert picture.graph.number_of_nodes() == topology.n_neurons + topology.n_inputs
    whole = ng.build(topology)
    for source, target, reference in picture.graph.edges(data="param"):
        assert whole.edges[source, target]["param"] == reference
    assert len(picture.chosen) == 4
    for node in picture.chosen:
        sources = [source for source in whole.pred[node] if whole.nodes[source]["kind"] != "constant"]
        assert list(picture.graph.pred[node]) == sources
    n_edges = picture.graph.number_of_edges()
    assert picture.left_out == (f"drawn are {n_edges:,} edges into one neuron of every layer (framed), of 63,660",)


def test_what_a_giant_leaves_out_is_counted() -> None:
    topology = topology_of("alexnet")
    picture = excerpt_of(Subject(topology), ("conv2", 3, 5, 5))
    n = topology.n_neurons + topology.n_inputs - picture.graph.number_of_nodes()
    assert f"{n:,} neurons (inputs included) not drawn in all" in " ".join(picture.left_out)
    assert ("conv2", 3, 5, 5) in picture.graph
    assert picture.graph.in_degree(("conv2", 3, 5, 5)) > 0


def test_views_that_do_not_suit_say_what_does() -> None:
    for spec, view, layer, message in (
        ("xor", "tied", None, "xor: --view tied shows a layer whose neurons see windows through weights; this network has none."),
        ("four", "tied", "pool", "four: 'pool': --view tied shows a layer whose neurons see windows through weights. "
         "Use --layer with one of: conv."),
        ("mazur", "maps", None, "mazur: drawn neuron by neuron, it has no feature maps; use --view neurons."),
    ):  # fmt: skip
        with pytest.raises(DrawingError) as caught:
            make_scene(Subject(topology_of(spec)), Wish(view, layer=layer))
        assert str(caught.value) == message
    with pytest.raises(UnknownName, match="no layer 'conv9'"):
        make_scene(Subject(topology_of("four")), Wish("toeplitz", layer="conv9"))


# -- repeated blocks ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("spec", [*LAYERED, RESIDUAL, TWO_HEADS])
def test_folded_layers_add_up(spec: str) -> None:
    topology = topology_of(spec)
    facts = fold(facts_of(Subject(topology), topology))
    assert sum(fact.times * fact.n_edges for fact in facts) == topology.n_edges
    assert sum(fact.times * fact.n_parameters for fact in facts) == topology.n_parameters
    known: set[str] = set()
    for fact in facts:
        assert known >= set(fact.sources)
        known.add(fact.name)


def test_blocks_of_several_layers_are_found() -> None:
    facts = facts_of(Subject(topology_of(RESIDUAL)), topology_of(RESIDUAL))
    (block,) = blocks_of(facts)
    assert (block.first, block.period, block.times) == (1, 2, 5)  # the last is the output
    assert [fact.title for fact in fold(facts)] == ["input", "a0 … a4", "sum0 … sum4", "a5", "sum5"]


def test_a_block_that_somebody_reads_in_the_middle_is_not_folded_over_him() -> None:
    text = RESIDUAL + '[[layer]]\nname = "far"\nkind = "add"\nfrom = ["sum5", "sum2"]\n'
    topology = ng.lay_out(ng.load(text))
    titles = [fact.title for fact in fold(facts_of(Subject(topology), topology))]
    assert titles[:3] == ["input", "a0 … a2", "sum0 … sum2"]
    assert titles[-1] == "far"


# -- any graph ---------------------------------------------------------------------------------------------------------
def test_graphs_with_loops_are_drawn() -> None:
    graph = ng.NeuronGraph()
    graph.add_input("x")
    for name in ("h", "k", "o"):
        graph.add_neuron(name, activation="tanh")
    for source, target, weight in (("x", "h", "u"), ("h", "k", "w"), ("k", "h", "w"), ("k", "o", "v")):
        graph.connect(source, target, weight=weight, value=0.5)
    for view in ("neurons", "around", "group"):
        scene = make_scene(Subject(graph), Wish(view, "h" if view == "around" else None))
        assert to_svg(scene).endswith("</svg>\n")
    curves = {(c.source, c.target) for c in make_scene(Subject(graph), Wish("neurons")).curves}
    assert curves >= set(graph.edges)


def test_edges_of_a_sequence_leave_from_places_of_their_own() -> None:
    scene = scene_of(SEQUENCE, "neurons")
    shapes = by_key(scene)
    columns = {shapes[node].x for node in topology_of(SEQUENCE).nodes("input")}
    assert len(columns) == 1, "an edge runs behind a neighbour"
    graph = ng.build(topology_of(SEQUENCE))
    starts = {curve.source: curve.path[0][1] for curve in scene.curves if graph.has_edge(curve.source, curve.target)}
    inputs = [starts[node] for node in topology_of(SEQUENCE).nodes("input")]
    assert len(set(inputs)) == len(inputs) == 16


@given(cases(), st.sampled_from(sorted(VIEWS)))
@settings(max_examples=30)
def test_every_view_draws_any_network_or_says_why_not(case: Case, view: str) -> None:
    topology = ng.lay_out(case.spec)
    for network in (topology, ng.build(topology)):
        drawn = svg_or_reason(Subject(network), Wish(view, depth=1 + case.seed % 3))
        assert drawn.endswith("</svg>\n") or "--view" in drawn or "use view" in drawn


def svg_or_reason(subject: Subject, wish: Wish) -> str:
    """The picture, or the message of the error that refuses it."""
    try:
        return to_svg(make_scene(subject, wish))
    except NeurographError as error:
        return str(error)


# -- time --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("spec", ng.bundled())
def test_layers_are_drawn_within_a_second(spec: str) -> None:
    topology = ng.lay_out(ng.load(spec))
    begin = time.process_time()
    to_svg(make_scene(Subject(topology), Wish("layers")))
    assert time.process_time() - begin < 1


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "limit"), [("lenet5", 5), ("mlp", 3)])
def test_neurons_are_drawn_within_seconds(spec: str, limit: float) -> None:
    subject = subject_of(spec)
    begin = time.process_time()
    to_svg(make_scene(subject, Wish("neurons")))
    assert time.process_time() - begin < limit
