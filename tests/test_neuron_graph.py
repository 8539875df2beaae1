import networkx as nx
import pytest

import neurograph as ng
from neurograph.errors import GraphError
from neurograph.graph.layout import layout_of


def small() -> ng.NeuronGraph:
    g = ng.NeuronGraph(name="small")
    for name in ("x1", "x2"):
        g.add_input(name)
    g.add_neuron("h", activation="relu", bias="b")
    g.connect("x2", "h", weight="w", value=2.0)
    g.connect("x1", "h", weight="w")
    g.add_pool("p", op="max")
    g.connect("h", "p")
    g.set_outputs(["p"], loss="mse", form="half_sum")
    return g


def test_naming_the_same_weight_twice_ties_it():
    g = small()
    assert g.edges["x1", "h"]["param"] == g.edges["x2", "h"]["param"] == ("w", 0)
    assert list(g.uses("w")) == [("x1", "h"), ("x2", "h")]
    assert float(ng.initialise(g)["w"]) == 2.0


def test_fan_in_goes_by_insertion_number_not_by_edge_order():
    g = small()
    assert [source for source, _ in g.fan_in("h")] == ["x1", "x2"]
    assert [source for source, _ in g.copy().fan_in("h")] == ["x1", "x2"]
    assert [source for source, _ in g.subgraph(["x2", "h", "x1"]).fan_in("h")] == ["x1", "x2"]


@pytest.mark.parametrize("change", [lambda g: g.copy(), lambda g: g.subgraph(list(g)).copy(), nx.DiGraph.copy])
def test_copies_are_neuron_graphs_with_inputs_and_outputs(change):
    copy = change(small())
    assert isinstance(copy, ng.NeuronGraph)
    assert (copy.inputs(), copy.outputs()) == (["x1", "x2"], ["p"])
    assert copy.heads[0].loss == ng.Loss("mse", form="half_sum")


def test_reverse_and_relabel_keep_every_attribute():
    g = small()
    assert set(g.reverse().edges) == {(v, u) for u, v in g.edges}
    renamed = nx.relabel_nodes(g, {"h": ("hidden", "one"), "p": 7})
    assert renamed.outputs() == [7]
    assert renamed.nodes[("hidden", "one")]["bias"] == ("b", 0)


def test_a_copy_can_be_edited_alone():
    g = small()
    copy = g.copy()
    copy.set_parameter("w", value=5.0, trainable=False)
    copy.remove_edge("x1", "h")
    assert g.parameters["w"].trainable
    assert g.has_edge("x1", "h")


def test_relabelled_layers_keep_their_places():
    g = ng.build(ng.lay_out(ng.load("four")))
    layer = next(name for name, shape in layout_of(g).shapes.items() if len(shape) == 3 and name != "input")
    renamed = nx.relabel_nodes(g, {(layer, 0, 0, 0): "corner"})
    assert layout_of(renamed).place("corner") == (layer, (0, 0, 0))
    assert layout_of(renamed).shapes == layout_of(g).shapes


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda g: g.add_input("x1"), "x1 is in the graph already; every neuron needs an id of its own."),
        (
            lambda g: g.connect("x1", "h", weight="w9"),
            "x1 and h are connected already; a second edge between a pair is not kept. "
            "Use one edge, or put a sum neuron between them.",
        ),
        (lambda g: g.connect("x1", "hh", weight="w9"), "no neuron hh; did you mean 'h'? Add it before connecting it."),
        (
            lambda g: g.add_neuron("n", activation="rleu"),
            "unknown activation 'rleu'; did you mean 'relu'? (known: identity, relu, leaky_relu, elu, softplus, gelu, silu, "
            "sigmoid, tanh, scaled_tanh, softmax)",
        ),
        (lambda g: g.add_pool("n", op="median"), "unknown op 'median'; did you mean 'mean'? (known: max, mean, l2)"),
        (
            lambda g: g.add_neuron("n", kind="sum", bias="b2"),
            "n: a sum neuron has no bias; only weighted neurons have one.",
        ),
        (lambda g: g.set_outputs(["q"]), "outputs that are not in the graph: q."),
        (lambda g: g.set_outputs(["p", "p"]), "an output is listed twice."),
        (lambda g: g.set_parameter("w", value=[1, 2]), "w: values of shape (2,); its shape is ()."),
        (lambda g: g.connect("x1", "p", value=1.0), "x1 → p: a value without a weight; name the weight too."),
        (
            lambda g: (g.add_neuron("n"), g.connect("x1", "n", weight="w", value=7)),
            "x1 → n: weight 'w' is shared and has the value 2.0 already; a weight has one value. "
            "Leave value out, or change it with set_parameter.",
        ),
    ],
)
def test_a_mistake_by_hand_is_one_clear_message(act, message):
    with pytest.raises(GraphError) as caught:
        act(small())
    assert str(caught.value) == message


def test_with_weights_puts_numbers_on_a_copy():
    g = small()
    weighted = g.with_weights(ng.initialise(g))
    assert weighted.edges["x1", "h"]["weight"] == 2.0
    assert "weight" not in weighted.edges["h", "p"]
    assert "weight" not in g.edges["x1", "h"]


def test_an_input_added_by_hand_is_fed_beside_the_layer_called_input():
    g = ng.build(
        ng.lay_out(ng.load('input = [2]\n[[layer]]\nname = "o"\nkind = "dense"\nunits = 1\nweights = [1, 2]\n'))
    )
    g.add_input("extra")
    g.connect("extra", ("o", 0), weight="w", value=10.0)
    fed = {"input": [[1.0, 1.0]], "input by hand": [[3.0]]}
    for engine in (ng.ReferenceEngine(g, ng.initialise(g)), ng.compile(g, ng.initialise(g), dtype="float64")):
        assert engine.forward(fed).tolist() == [[33.0]]
