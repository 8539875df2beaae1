"""Every rule a neuron graph can break, and the whole message that says so."""

from __future__ import annotations

from collections.abc import Callable

import networkx as nx
import numpy as np
import pytest
from written import graph_of

import neurograph as ng
from neurograph.errors import GraphError
from neurograph.graph.validate import broken_rules

Edit = Callable[[ng.NeuronGraph], object]
KINDS = "input, weighted, max, mean, l2, sum, rbf, constant"
ACTIVATIONS = "identity, relu, leaky_relu, elu, softplus, gelu, silu, sigmoid, tanh, scaled_tanh, softmax"


def good() -> ng.NeuronGraph:
    """x1, x2 → h (weighted), p (max), m (mean) → o1, o2."""
    g = ng.NeuronGraph()
    g.add_input("x1")
    g.add_input("x2")
    g.add_neuron("h", activation="sigmoid", bias="b")
    g.add_pool("p", op="max")
    g.add_pool("m", op="mean")
    g.add_neuron("o1")
    g.add_neuron("o2")
    for x in ("x1", "x2"):
        g.connect(x, "h", weight=f"w_{x}")
        g.connect(x, "p")
        g.connect(x, "m")
    for source in ("h", "p", "m"):
        for o in ("o1", "o2"):
            g.connect(source, o, weight=f"v_{source}_{o}")
    g.set_outputs(["o1", "o2"], loss="mse")
    return g


def layered() -> ng.NeuronGraph:
    table = [[0], [0, 1]]
    layers = [
        {"kind": "conv", "name": "c", "filters": 2, "kernel": 2, "padding": 1, "padding_value": -1},
        {"kind": "conv", "name": "d", "filters": 2, "kernel": 1, "connections": table},
        {"kind": "dropout", "name": "drop", "keep": 0.5},
        {"kind": "dense", "name": "out", "units": 2},
    ]
    return graph_of([1, 2, 2], layers, {"kind": "cross_entropy"})


def test_good_graphs_break_no_rule() -> None:
    assert list(broken_rules(good())) == []
    assert list(broken_rules(layered())) == []
    good().validate()


def test_what_may_look_odd_but_is_allowed() -> None:
    g = good()
    g.remove_edges_from([("x1", "h"), ("x2", "h")])
    g.add_neuron("nobody reads me", kind="sum")
    g.connect("h", "nobody reads me")
    assert list(broken_rules(g)) == []
    g = layered()
    g.remove_node(("out", 0))
    g.remove_node(("c", 0, 1, 1))
    assert list(broken_rules(g)) == []


def node(name: object, **attributes: object) -> Edit:
    return lambda g: g.nodes[name].update(attributes)


def edge(source: object, target: object, **attributes: object) -> Edit:
    return lambda g: g.edges[source, target].update(attributes)


def new_edge(source: object, target: object, **attributes: object) -> Edit:
    return lambda g: g.add_edge(source, target, **attributes)


def chain(*edits: Edit) -> Edit:
    return lambda g: [edit(g) for edit in edits]


def remove(*names: object) -> Edit:
    return lambda g: g.remove_nodes_from(names)


def outputs(*names: str, **loss: object) -> Edit:
    return lambda g: g.set_outputs(names, **loss)  # type: ignore[arg-type]


HAND: list[tuple[Edit, str]] = [
    # attributes
    (lambda g: g.add_node("n", order=99), "n: no kind; it was added by a NetworkX call. Use add_input or add_neuron."),
    (node("h", kind="wieghted"), f"h: unknown kind 'wieghted'; did you mean 'weighted'? (known: {KINDS})"),
    (node("h", activation="rleu"), f"h: unknown activation 'rleu'; did you mean 'relu'? (known: {ACTIVATIONS})"),
    (
        node("x1", activation="relu"),
        "x1: activation relu on a neuron of kind input; its value is given. Remove the activation.",
    ),
    (
        node("p", bias=("b", 0)),
        "p: bias ('b', 0) on a neuron of kind max; only weighted neurons have one. Set bias to None.",
    ),
    (node("h", bias="b"), "h: bias is 'b'; it is a pair (parameter, index), or None."),
    (
        node("m", divisor=0),
        "m: divisor 0; a mean divides by a number other than 0 (None: by its number of in-edges).",
    ),
    (
        node("m", divisor=float("nan")),
        "m: divisor nan; a mean divides by a number other than 0 (None: by its number of in-edges).",
    ),
    (
        node("p", kind="constant"),
        "p: a constant without a value: param is None; it is a pair (parameter, index).",
    ),
    (edge("x1", "h", param="w1"), "x1 → h: param is 'w1'; it is a pair (parameter, index), or None."),
    (
        edge("x1", "h", param=("w_x1", False)),
        "x1 → h: param is ('w_x1', False); it is a pair (parameter, index), or None.",
    ),
    (edge("x1", "h", param=()), "x1 → h: param is (); it is a pair (parameter, index), or None."),
    (
        edge("x1", "h", param=("w_x1", 2**70)),
        f"x1 → h: weight w_x1[{2**70}] is out of range: w_x1 has the slots 0…0.",
    ),
    (edge("x1", "h", param=("w1", 0.0)), "x1 → h: param is ('w1', 0.0); it is a pair (parameter, index), or None."),
    (
        edge("x1", "h", port="left"),
        "x1 → h: port is 'left'; it is an integer, 0 unless the inputs play different roles.",
    ),
    (
        edge("x1", "h", port=0.5),
        "x1 → h: port is 0.5; it is an integer, 0 unless the inputs play different roles.",
    ),
    (
        edge("x1", "h", dropout="drop"),
        "x1 → h: unknown dropout 'drop' (known: none). Declare its probability to keep in graph.graph['dropouts'].",
    ),
    (
        lambda g: g.graph.update(dropouts={"drop": 0.0}),
        "dropout 'drop': keep is 0.0; a probability to keep lies above 0 and at most at 1.",
    ),
    (
        node("h", order=None),
        "h: order is None; it is the neuron's insertion number. Use add_input or add_neuron.",
    ),
    (node("h", order=0), "h: order 0 is also that of x1; give every neuron a number of its own."),
    (
        node("h", layer="hidden", index=(0,)),
        "h: layer 'hidden' has no shape; declare it in graph.graph['shapes'] (known: none).",
    ),
    # references
    (
        edge("x1", "h", param=("w_x3", 0)),
        "x1 → h: weight 'w_x3' is not a parameter of the graph; did you mean 'w_x2'? "
        "(known: b, w_x1, w_x2, v_h_o1, v_h_o2, v_p_o1, v_p_o2, v_m_o1, v_m_o2). Declare it with set_parameter.",
    ),
    (edge("x1", "h", param=("w_x1", 1)), "x1 → h: weight w_x1[1] is out of range: w_x1 has the slots 0…0."),
    (edge("x1", "h", param=("w_x1", -1)), "x1 → h: weight w_x1[-1] is out of range: w_x1 has the slots 0…0."),
    (node("h", bias=("b", 2)), "h: bias b[2] is out of range: b has the slots 0…0."),
    # wiring
    (new_edge("h", "x1", param=None), "h → x1: an edge into an input, whose value is given. Remove the edge."),
    (
        edge("x1", "h", param=None),
        "x1 → h: no weight, but a weighted neuron needs one on every in-edge. Name the weight, or make it a sum neuron.",
    ),
    (
        chain(node("h", kind="rbf", bias=None), edge("x1", "h", param=None)),
        "x1 → h: no weight, but a rbf neuron needs one on every in-edge. Name the weight, or make it a sum neuron.",
    ),
    (
        edge("x1", "p", param=("w_x1", 0)),
        "x1 → p: weight w_x1[0] on an edge into a max neuron, which has none. Set param to None.",
    ),
    (
        lambda g: g.remove_edges_from([("x1", "p"), ("x2", "p")]),
        "p: a max neuron without in-edges has no maximum. Connect it, or remove it.",
    ),
    (
        lambda g: g.remove_edges_from([("x1", "m"), ("x2", "m")]),
        "m: a mean neuron without in-edges divides by 0. Connect it, give a divisor, or remove it.",
    ),
    (
        chain(lambda g: g.add_neuron("k", kind="sum"), new_edge("h", "k"), new_edge("k", "h", param=("b", 0))),
        "cycle: h → k → h. A network has none; remove one of these edges.",
    ),
    (new_edge("h", "h", param=("b", 0)), "cycle: h → h. A network has none; remove one of these edges."),
    (
        chain(remove("x1", "x2"), node("p", kind="sum"), node("m", divisor=2)),
        "no input: the network has nothing to read. Add one with add_input.",
    ),
    # outputs
    (
        node("h", output="o"),
        "h: output is 'o'; it is a pair (head, position), or None. Name the outputs with set_outputs.",
    ),
    (
        node("h", output=(1, 0)),
        "h: output of head 1; the network's heads are numbered 0…0. Name the outputs with set_outputs.",
    ),
    (
        node("o2", output=(0, 0)),
        "o2: output 0 of its head is taken by another neuron. Name the outputs with set_outputs.",
    ),
    (
        outputs("x1", "o1"),
        "x1: an output that is an input; an output is a neuron that computes. Put a sum neuron behind it.",
    ),
    (
        lambda g: g.remove_edges_from([(s, "o1") for s in ("h", "p", "m")]),
        "o1: an output without in-edges says the same whatever the input. Connect it, or take it out of set_outputs.",
    ),
    (remove("o1", "o2"), "the network's head has no neuron left in the graph. Name the outputs with set_outputs."),
    (
        remove("o1"),
        "output 0 was removed from the graph; the outputs are numbered without gaps. "
        "Name those that are left with set_outputs.",
    ),
    (
        node("h", activation="softmax"),
        "h: softmax on a neuron that is no output; softmax spans the outputs of a head. Take another activation.",
    ),
    (
        chain(
            node("o1", activation="softmax"),
            node("o2", activation="softmax"),
            lambda g: g.add_neuron("r", kind="sum"),
            new_edge("o1", "r"),
        ),
        "o1: a softmax output that r reads; nobody may read it. Remove the edge, or take another activation.",
    ),
    (
        node("o1", activation="softmax"),
        "the outputs: outputs with activations identity, softmax; a softmax spans all outputs of its head. "
        "Give all softmax, or none.",
    ),
    (
        chain(outputs("o1", "o2", loss="binary_cross_entropy"), node("o2", activation="tanh")),
        "loss binary_cross_entropy needs a head with activation sigmoid or identity; 'o2' has tanh. "
        "Change the activation, or use loss mse.",
    ),
    (outputs("o1", loss="rbf_map"), "loss rbf_map needs a head of kind rbf; 'o1' is weighted."),
]

LAYERED: list[tuple[Edit, str]] = [
    (
        node(("out", 0), index=(2,)),
        "out[0]: index (2,) lies outside layer 'out' of shape (2,).",
    ),
    (
        node(("out", 0), index=(1,)),
        "out[1]: its place is also that of out[0]; two neurons cannot share one.",
    ),
    (
        node(("out", 0), layer="top"),
        "out[0]: layer 'top' has no shape; declare it in graph.graph['shapes'] (known: input, c, d, out).",
    ),
    (
        edge(("c", 0, 0, 0), ("d", 0, 0, 0), param=("d.weight", 1)),
        "c[0,0,0] → d[0,0,0]: weight d.weight[1] is a slot that nobody uses, fixed at 0; "
        "give the edge a slot in use, or a parameter of its own.",
    ),
    (
        edge(("input", 0, 0, 0), ("c", 0, 0, 0), param=("c.weight", 8)),
        "input[0,0,0] → c[0,0,0]: weight c.weight[8] is out of range: c.weight has the slots 0…7.",
    ),
    (
        new_edge(("input", 0, 0, 0), ("c.padding", 0, -1, -1)),
        "input[0,0,0] → c.padding[0,-1,-1]: an edge into a constant, whose value is given. Remove the edge.",
    ),
    (
        node(("c.padding", 0, -1, -1), param=("frame", 0)),
        "c.padding[0,-1,-1]: param 'frame' is not a parameter of the graph "
        "(known: c.weight, c.bias, c.padding, d.weight, d.bias, out.weight, out.bias). Declare it with set_parameter.",
    ),
    (
        node(("c.padding", 0, -1, -1), param=("c.padding", 3)),
        "c.padding[0,-1,-1]: param c.padding[3] is out of range: c.padding has the slots 0…0.",
    ),
    (
        remove(("out", 0), ("out", 1)),
        "head 'out' has no neuron left in the graph. Name the outputs with set_outputs.",
    ),
    (
        chain(node(("out", 0), activation="tanh"), node(("out", 1), activation="tanh")),
        "loss cross_entropy needs a head with activation softmax or identity; 'out' has tanh. "
        "Change the activation, or use loss mse.",
    ),
    (
        edge(("c.padding", 0, -1, -1), ("c", 0, 0, 0), dropout="drop"),
        "c.padding[0,-1,-1] → c[0,0,0]: a constant behind dropout 'drop'; masks lie over neurons. Set dropout to None.",
    ),
    (
        edge(("d", 0, 0, 0), ("out", 0), dropout="dorp"),
        "d[0,0,0] → out[0]: unknown dropout 'dorp'; did you mean 'drop'? (known: drop). "
        "Declare its probability to keep in graph.graph['dropouts'].",
    ),
]


def name(case: object) -> str:
    return case[:60] if isinstance(case, str) else ""


@pytest.mark.parametrize(("edit", "message"), HAND, ids=name)
def test_a_broken_rule_of_a_hand_made_graph(edit: Edit, message: str) -> None:
    g = good()
    edit(g)
    assert message in list(broken_rules(g))


@pytest.mark.parametrize(("edit", "message"), LAYERED, ids=name)
def test_a_broken_rule_of_an_edited_graph(edit: Edit, message: str) -> None:
    g = layered()
    edit(g)
    assert list(broken_rules(g)) == [message]


@pytest.mark.parametrize(("edit", "message"), HAND, ids=name)
def test_no_engine_runs_a_broken_graph(edit: Edit, message: str) -> None:
    g = good()
    params = ng.initialise(g)
    edit(g)
    with pytest.raises(GraphError) as raised:
        ng.ReferenceEngine(g, params)
    assert message in raised.value.broken


@pytest.mark.parametrize(
    ("make", "edit", "message"),
    [*[(good, edit, text) for edit, text in HAND], *[(layered, edit, text) for edit, text in LAYERED]],
    ids=name,
)
def test_compile_names_all_that_is_broken_though_it_validates_only_what_planning_does_not_prove(
    make: Callable[[], ng.NeuronGraph], edit: Edit, message: str
) -> None:
    g = make()
    params = ng.initialise(g)
    edit(g)
    with pytest.raises(GraphError) as raised:
        ng.compile(g, params)
    assert raised.value.broken == tuple(broken_rules(g))
    assert message in raised.value.broken


def test_a_partial_graph_is_to_read_and_not_to_run() -> None:
    partial = ng.build(ng.lay_out(ng.load("lenet5")), around="conv2[3,5,5]")
    assert list(broken_rules(partial)) == [
        "the graph is one neuron with its fan-in and fan-out, to read, not to run. Write the whole network out "
        "(build without around), or compile its topology."
    ]


def test_validate_raises_all_broken_rules_at_once() -> None:
    g = good()
    g.edges["x1", "h"]["param"] = None
    g.edges["x2", "p"]["param"] = ("b", 0)
    g.add_edge("o1", "h", param=("b", 0))
    with pytest.raises(GraphError) as raised:
        g.validate()
    assert [message.split(":")[0] for message in raised.value.broken] == ["x1 → h", "x2 → p", "cycle"]


def test_a_thousand_breaches_of_one_rule_fill_less_than_a_screen() -> None:
    g = layered()
    g.add_nodes_from(range(1000))
    messages = list(broken_rules(g))
    assert len(messages) == 9
    assert messages[-1] == "… and 992 more of the same."


def test_a_long_cycle_is_cut_short() -> None:
    g = ng.NeuronGraph()
    g.add_input("x")
    for k in range(30):
        g.add_neuron(k, kind="sum")
    nx.add_cycle(g, range(30))
    g.connect("x", 0)
    g.set_outputs([29])
    (message,) = broken_rules(g)
    assert message.startswith("cycle: 0 → 1 → 2 → ")
    assert message.endswith(" → 11 → … → 0. A network has none; remove one of these edges.")


def test_numpy_integers_are_integers() -> None:
    g = layered()
    g.nodes["out", 0].update(index=(np.int64(0),), order=np.int64(999), bias=("out.bias", np.int64(0)))
    assert list(broken_rules(g)) == []
