"""What a plan says: every edge of any graph, the order of ties, and itself in print."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from planning import assert_says, edited_graphs, graph_edges, planned, projection_of, step_of

import neurograph as ng
from neurograph.compiler import plan
from neurograph.compiler.counting import n_parameters, n_weights
from neurograph.compiler.fuse import fuse
from neurograph.compiler.plan import Axis, Numbers, Plan, Taps
from neurograph.compiler.route import route
from neurograph.graph.neuron_graph import NeuronGraph

SNAPSHOTS = Path(__file__).parent / "snapshots"


def orders_of_ties(made: Plan) -> dict[object, list[object]]:
    """Maximum → its sources in the order in which the plan reads them."""
    maxima = [(target, source) for target, source, _, op in made.edges() if op == "max"]
    return {target: [source for _, source in group] for target, group in groupby(maxima, key=lambda edge: edge[0])}


@given(edited_graphs())
def test_a_maximum_reads_in_the_graph_s_own_order(graph: NeuronGraph) -> None:
    made = planned(graph)
    if made is not None:
        assert orders_of_ties(made) == {
            node: [source for source, _ in graph.fan_in(node)]
            for node, kind in graph.nodes(data="kind")
            if kind == "max" and graph.in_degree(node)
        }


def test_a_maximum_over_several_populations_is_one_table() -> None:
    """h2 was added between the inputs: order runs x1, h, x2, over two populations."""
    g = NeuronGraph()
    g.add_input("x1")
    g.add_neuron("h", bias="b")
    g.add_input("x2")
    g.connect("x1", "h", weight="w")
    g.add_pool("p")
    for source in ("x2", "h", "x1"):
        g.connect(source, "p")
    g.set_outputs(["p"])
    made = plan(g)
    (projection,) = step_of(made, "output").projections
    assert (projection.source, projection.others, projection.nests) == ("input", (("level 1", None),), ())
    assert projection.table is not None
    assert projection.table.origin == Numbers([0, 1, 0])
    assert projection.table.source == Numbers([[0], [0], [1]])
    assert orders_of_ties(made) == {"p": ["x1", "h", "x2"]}


def test_port_comes_before_insertion_in_the_order_of_ties() -> None:
    g = NeuronGraph()
    for x in ("x1", "x2", "x3"):
        g.add_input(x)
    g.add_pool("p")
    g.connect("x1", "p", port=1)
    g.connect("x2", "p")
    g.connect("x3", "p")
    assert orders_of_ties(plan(g)) == {"p": ["x2", "x3", "x1"]}


def test_dropout_sets_edges_apart() -> None:
    g = NeuronGraph(dropouts={"d1": 0.5, "d2": 0.5})
    for x in ("x1", "x2", "x3"):
        g.add_input(x)
    g.add_neuron("h")
    for x, dropout in (("x1", None), ("x2", "d2"), ("x3", "d1")):
        g.connect(x, "h", weight=f"w{x}", dropout=dropout)
    made = plan(g)
    assert [(p.dropout, p.n_edges) for p in step_of(made, "level 1").projections] == [(None, 1), ("d1", 1), ("d2", 1)]
    assert made.dropouts == {"d1": 0.5, "d2": 0.5}
    assert_says(made, g)


def test_a_bias_is_the_weight_of_an_edge_from_one() -> None:
    made = plan(ng.lay_out(ng.load("lenet5")))
    (nest,) = projection_of(made, "conv1", "1").nests
    assert nest.source == ()
    assert nest.taps == Taps(Numbers([[]]), Numbers([0]))
    assert [(axis.count, axis.word) for axis in nest.axes] == [(6, "lanes"), (28, "tied"), (28, "tied")]


def test_shared_and_untied_biases_leave_the_rest_shared() -> None:
    graph = ng.build(ng.lay_out(ng.load("four")))
    for node, name in ((("conv", 0, 1, 1), "b"), (("conv", 0, 2, 4), "b"), (("conv", 0, 5, 5), "c")):
        graph.set_parameter(name)
        graph.nodes[node]["bias"] = (name, 0)
    made = plan(graph)
    assert len(projection_of(made, "conv", "input").nests) == 1
    assert projection_of(made, "conv", "1").n_edges == 3
    assert_says(made, graph)


def test_a_constant_made_by_hand_is_a_halo_of_its_own() -> None:
    g = NeuronGraph()
    g.add_input("x")
    for name, value in (("one", 1.0), ("two", 2.0)):
        g.set_parameter(f"{name}.value", value=value, trainable=False)
        g._add(name, kind="constant", param=(f"{name}.value", 0))
    g.add_neuron("h", bias="b")
    for source in ("x", "one", "two"):
        g.connect(source, "h", weight=f"w.{source}")
    g.set_outputs(["h"])
    made = plan(g)
    assert [p.halo for p in step_of(made, "output").projections] == [None, None, "one.value", "two.value"]
    assert_says(made, g)


def test_two_constants_in_one_place_are_told_apart() -> None:
    graph = ng.build(ng.lay_out(ng.load("zipcode-1989")))
    copied = dict(graph.nodes["h1.padding", 0, -1, -1])
    graph.add_node("copy", **{**copied, "order": graph._next_order()})
    reader = ("h1", 0, 0, 0)
    edge = graph.edges[("h1.padding", 0, -1, -1), reader]
    graph.add_edge("copy", reader, **edge)
    made = plan(graph)
    assert {source for target, source, *_ in made.edges() if target == reader} == {"1", *graph.pred[reader]}


def test_weights_shared_across_layers_keep_one_address() -> None:
    spec = """
name = "t"
input = [2, 5]
[[layer]]
name = "a"
kind = "conv"
filters = 2
kernel = 3
padding = 1
[[layer]]
name = "b"
kind = "conv"
filters = 2
kernel = 3
padding = 1
weights_from = "a"
"""
    made = plan(ng.lay_out(ng.load(spec)))
    (first,), (second,) = projection_of(made, "a", "input").nests, projection_of(made, "b", "a").nests
    assert (first.weight, first.taps) == (second.weight, second.taps)
    assert [p.name for p in made.parameters] == ["a.weight", "a.bias"]
    assert n_parameters(made) == 2 * 2 * 3 + 2
    assert [n_weights(step) for step in made.steps] == [12, 12]


def test_hand_made_neurons_are_found_by_their_id() -> None:
    made = plan(ng.lay_out(ng.load("mazur")))
    assert set(made.places) == {node for edge in made.edges() for node in edge[:2]} - {"1"}


@pytest.mark.parametrize("name", ["mazur", "four", "xor", "mlp", "zipcode-1989"])
def test_edges_of_bundled_specs_are_those_of_the_graph(name: str) -> None:
    graph = ng.build(ng.lay_out(ng.load(name)))
    assert set(plan(graph).edges()) == graph_edges(graph)


# -- values and text --------------------------------------------------------------------------------------------------
def test_numbers_are_equal_by_content_and_read_only() -> None:
    assert Numbers([[1, 2]]) == Numbers([[1, 2]])
    assert Numbers([[1, 2]]) != Numbers([1, 2])
    assert len({Numbers([1]), Numbers([1]), Numbers([2])}) == 2
    with pytest.raises(ValueError, match="read-only"):
        Numbers([1]).array[0] = 2


@pytest.mark.parametrize(
    ("source", "weight", "word"),
    [((0,), 5, "lanes"), ((1,), 0, "tied"), ((1,), 5, "parallel"), ((0,), 0, "tied"), ((), 1, "lanes")],
)
def test_axes_have_words(source: tuple[int, ...], weight: int, word: str) -> None:
    assert Axis(0, 2, 1, source, weight).word == word


@pytest.mark.parametrize("name", ng.bundled())
def test_plans_of_bundled_specs_are_those_of_the_snapshots(name: str) -> None:
    """A change of plan shows here first. To accept it, delete the snapshot and run the test once: it is written, and fails."""
    text = f"{plan(ng.lay_out(ng.load(name)))}\n"
    kept = SNAPSHOTS / f"plan-{name}.txt"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(text, encoding="utf-8")
        pytest.fail(f"{kept.name} was missing and is now written; look at it, and commit it")
    assert text == kept.read_text(encoding="utf-8")


def test_print_says_why_something_is_not_shared() -> None:
    graph = ng.build(ng.lay_out(ng.load("four")))
    graph.remove_edge(("input", 0, 3, 3), ("conv", 0, 3, 3))
    lines = str(plan(graph)).splitlines()
    assert "          1 neuron alone: no neighbour has the same stencil (1 reads less than usual)" in lines
    assert any("from input" in line and "borders share through a zero halo" in line for line in lines)


FUSED = """
name = "t"
input = [1, 6, 6]
[[layer]]
name = "c1"
kind = "conv"
filters = 2
kernel = 3
padding = 1
activation = "relu"
[[layer]]
name = "p1"
kind = "maxpool"
window = 2
[[layer]]
name = "c2"
kind = "conv"
filters = 2
kernel = 3
padding = 1
[[layer]]
name = "sum"
kind = "add"
from = ["p1", "c2"]
[[layer]]
name = "p2"
kind = "maxpool"
window = 2
stride = 1
[[layer]]
name = "f"
kind = "dense"
units = 3
[loss]
kind = "cross_entropy"
"""


def test_print_says_what_was_fused_and_what_was_not() -> None:
    made = route(fuse(plan(ng.lay_out(ng.load(FUSED)))))
    notes = [line.strip() for line in str(made).splitlines() if line.startswith("      ") and "taps" not in line]
    assert [note for note in notes if not note.startswith(("bias", "from"))] == [
        "fused: bias, activation",
        "followed at once by p1, which alone reads it",
        "stored: c2, sum read it",
        "backward: δ goes to winners only, past their ReLU",
        "fused: bias",
        "followed at once by p2, which alone reads it",
        "backward: δ is added, since windows overlap",
        "fused: bias, loss",
    ]
