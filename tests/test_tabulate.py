"""Nodes and edges into columns, and into populations and steps."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from planning import assert_says, step_of

import neurograph as ng
from neurograph.compiler import plan
from neurograph.compiler.tabulate import NONE, place_parameters, tabulate
from neurograph.errors import GraphError
from neurograph.graph.neuron_graph import NeuronGraph

SPEC = """
name = "t"
input = [1, 4, 4]
[[layer]]
name = "c"
kind = "conv"
filters = 2
kernel = 3
padding = 1
[[layer]]
name = "f"
kind = "dense"
units = 3
"""


def pair() -> NeuronGraph:
    """x1, x2 → h (weighted, with a bias) → p (max)."""
    g = NeuronGraph()
    for x in ("x1", "x2"):
        g.add_input(x)
    g.add_neuron("h", bias="b")
    g.connect("x1", "h", weight="w1")
    g.connect("x2", "h", weight="w2")
    g.add_pool("p")
    g.connect("h", "p")
    g.set_outputs(["p"])
    return g


def built() -> NeuronGraph:
    return ng.build(ng.lay_out(ng.load(SPEC)))


def test_columns_have_one_row_a_neuron_and_one_an_edge() -> None:
    g = pair()
    columns = tabulate(g, place_parameters(g.parameters))
    assert columns.nodes == ("x1", "x2", "h", "p")
    assert columns.bias.tolist() == [NONE, NONE, 0, NONE]
    assert columns.target.tolist() == [2, 2, 3]
    assert columns.source.tolist() == [0, 1, 2]
    assert columns.weight.tolist() == [1, 2, NONE]
    assert columns.in_degree.tolist() == [0, 0, 2, 1]


def test_edges_of_plain_networkx_calls_may_lack_port_and_dropout() -> None:
    g = pair()
    g.add_edge("x1", "p", param=None)
    columns = tabulate(g, place_parameters(g.parameters))
    assert columns.port.tolist() == [0, 0, 0, 0]
    assert columns.dropout.tolist() == [NONE] * 4


def test_dropouts_are_numbered_as_declared() -> None:
    g = pair()
    g.graph["dropouts"] = {"late": 0.5, "early": 0.5}
    g.edges["x1", "h"]["dropout"] = "early"
    columns = tabulate(g, place_parameters(g.parameters))
    assert [columns.dropouts[d] if d != NONE else None for d in columns.dropout] == ["early", None, None]
    assert columns.dropouts == ("late", "early")


def test_addresses_follow_the_declared_order_of_parameters() -> None:
    places = place_parameters(built().parameters)
    assert [(p.name, p.offset, p.row) for p in places] == [
        ("c.weight", 0, 9),
        ("c.bias", 18, 1),
        ("f.weight", 20, 32),
        ("f.bias", 116, 1),
    ]


@pytest.mark.parametrize(
    "change", [lambda g: g.copy(), lambda g: g.subgraph(list(g)).copy(), lambda g: g.reverse().reverse()]
)
def test_plan_survives_copies(change: Any) -> None:
    g = built()
    assert plan(change(g)) == plan(g)


def test_insertion_decides_ties_and_nothing_else() -> None:
    g = built()
    before = plan(g)
    for node in [*[n for n in g if n[0] == "c"][::3], ("f", 0), ("input", 0, 1, 1)]:
        g.nodes[node]["order"] = g._next_order()
    assert plan(g).steps == before.steps


def test_relabelled_neurons_keep_their_places_and_new_names() -> None:
    g = built()
    renamed = nx.relabel_nodes(g, {("c", 0, 0, 0): "corner", ("input", 0, 1, 1): 17})
    made = plan(renamed)
    assert_says(made, renamed)
    assert made.places["corner"] == ("c", (0, 0, 0))
    assert made.places[17] == ("input", (0, 1, 1))
    assert made.steps == plan(g).steps


# -- populations and steps --------------------------------------------------------------------------------------------
def test_layers_are_populations_and_hand_made_neurons_stand_by_depth() -> None:
    g = built()
    g.add_neuron("s", kind="sum")
    g.connect(("c", 0, 0, 0), "s")
    g.connect("s", ("f", 0), weight="w")
    made = plan(g)
    assert [(p.name, p.shape) for p in made.populations] == [
        ("input", (1, 4, 4)),
        ("c", (2, 4, 4)),
        ("f", (3,)),
        ("level 2", (1,)),
    ]
    assert [s.population for s in made.steps] == ["c", "level 2", "f"]
    assert_says(made, g)


def test_a_step_has_one_kind_one_activation_one_divisor() -> None:
    g = built()
    g.nodes["c", 0, 1, 1]["activation"] = "relu"
    made = plan(g)
    first, second = (step for step in made.steps if step.population == "c")
    assert (first.activation, second.activation) == ("identity", "relu")
    assert first.members is not None
    assert len(first.members) == 31
    assert second.members is not None
    assert second.members.array.tolist() == [[0, 1, 1]]
    assert_says(made, g)


def test_mean_divides_by_its_divisor_or_by_its_in_degree() -> None:
    g = NeuronGraph()
    for x in ("x1", "x2", "x3"):
        g.add_input(x)
    for name, sources, divisor in (("m1", "12", None), ("m2", "123", None), ("m3", "12", 4.0)):
        g.add_pool(name, op="mean", divisor=divisor)
        for x in sources:
            g.connect(f"x{x}", name)
    made = plan(g)
    assert sorted((step.divisor, step.projections[0].n_edges) for step in made.steps) == [(2.0, 2), (3.0, 3), (4.0, 2)]


def test_removed_neurons_leave_holes() -> None:
    g = built()
    g.remove_node(("c", 1, 2, 2))
    made = plan(g)
    members = step_of(made, "c").members
    assert members is not None
    assert [1, 2, 2] not in members.array.tolist()
    assert len(members) == 31
    assert_says(made, g)


def test_an_unrolled_recurrence_is_cut_by_depth() -> None:
    g = NeuronGraph(shapes={"x": (3,), "h": (3,)})
    g.set_parameter("w", value=np.zeros((1, 2)))
    for t in range(3):
        common = {"activation": "identity", "bias": None, "divisor": None, "output": None}
        g.add_node(("x", t), kind="input", layer="x", index=(t,), order=2 * t, **common)
        g.add_node(("h", t), kind="weighted", layer="h", index=(t,), order=2 * t + 1, **common)
        g.connect(("x", t), ("h", t), weight=("w", 0))
        if t:
            g.connect(("h", t - 1), ("h", t), weight=("w", 1))
    made = plan(g)
    assert [(step.population, step.members and step.members.array.tolist()) for step in made.steps] == [
        ("h", [[0]]),
        ("h", [[1]]),
        ("h", [[2]]),
    ]
    assert_says(made, g)


def test_outputs_of_a_head_stand_together_whatever_their_depth() -> None:
    g = pair()
    g.set_outputs(["p", "h"])
    made = plan(g)
    assert made.outputs == (("output", None),)
    assert made.population("output").nodes == ("p", "h")
    assert [step.op for step in made.steps] == ["weighted", "max"]
    assert_says(made, g)


def test_outputs_among_a_layer_are_given_by_position() -> None:
    g = built()
    g.set_outputs([("f", 2), ("f", 0)])
    (population, columns), *rest = plan(g).outputs
    assert population == "f"
    assert columns is not None
    assert columns.array.tolist() == [[2], [0]]
    assert not rest


def test_outputs_over_several_layers_are_spread() -> None:
    g = built()
    g.add_neuron("s", kind="sum")
    g.connect(("c", 0, 0, 0), "s")
    g.set_outputs([("f", 1), "s"])
    made = plan(g)
    assert made.outputs == ((None, None),)
    assert made.spread == {0: (("f", (1,)), ("output", (0,)))}


# -- refusals ---------------------------------------------------------------------------------------------------------
def cyclic(g: NeuronGraph) -> None:
    g.add_neuron("again", kind="sum")
    g.connect("p", "again")
    g.connect("again", "h", weight="w3")


def unweighted(g: NeuronGraph) -> None:
    g.edges["x1", "h"]["param"] = None


def weighted_pool(g: NeuronGraph) -> None:
    g.edges["h", "p"]["param"] = ("w1", 0)


def unknown_weight(g: NeuronGraph) -> None:
    g.edges["x1", "h"]["param"] = ("v", 0)


def no_such_slot(g: NeuronGraph) -> None:
    g.edges["x1", "h"]["param"] = ("w1", 1)


def into_an_input(g: NeuronGraph) -> None:
    g.add_edge("h", "x1", param=None, port=0, dropout=None)


def bare_node(g: NeuronGraph) -> None:
    g.add_edge("stray", "p", param=None)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cyclic, "cycle: "),
        (unweighted, "x1 → h: no weight, but a weighted neuron needs one"),
        (weighted_pool, "h → p: weight w1[0] on an edge into a max neuron"),
        (unknown_weight, "x1 → h: weight 'v' is not a parameter of the graph"),
        (no_such_slot, "x1 → h: weight w1[1] is out of range"),
        (into_an_input, "h → x1: an edge into an input"),
        (bare_node, "stray: no kind"),
    ],
)
def test_a_graph_that_cannot_run_is_refused_with_every_broken_rule(spoil: Any, message: str) -> None:
    g = pair()
    spoil(g)
    with pytest.raises(GraphError) as refused:
        plan(g)
    assert message in str(refused.value)


def test_a_partial_graph_is_refused() -> None:
    partial = ng.build(ng.lay_out(ng.load(SPEC)), around="f[0]")
    with pytest.raises(GraphError, match="to read and not to run"):
        plan(partial)


def test_two_neurons_in_one_place_are_refused() -> None:
    g = built()
    g.nodes["c", 0, 0, 1]["index"] = (0, 0, 0)
    with pytest.raises(GraphError, match="place"):
        plan(g)
