"""What every engine promises: its records, pinned rules, holes, dropout, and steps that change all weights at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np
import pytest
from written import ENGINES, Maker, drawn, drawn_engine, graph_of

import neurograph as ng
from neurograph.ops.words import ACTIVATIONS

pytestmark = pytest.mark.parametrize("make", ENGINES)
Array = np.ndarray[Any, Any]
NAN, INF = math.nan, math.inf


class Steps:
    """w ← w − η·∇, and a record of what it was given."""

    def __init__(self, eta: float = 0.5) -> None:
        self.eta = eta
        self.seen: list[Mapping[str, Array]] = []

    def step(self, values: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        self.seen.append({name: gradient.copy() for name, gradient in gradients.items()})
        for name in values:
            values[name][...] -= self.eta * gradients[name]


def chain(activation: str = "identity", *, loss: str = "mse") -> ng.NeuronGraph:
    """x → h → o, with biases."""
    g = ng.NeuronGraph()
    g.add_input("x")
    g.add_neuron("h", activation=activation, bias="b")
    g.add_neuron("o", bias="c")
    g.connect("x", "h", weight="w")
    g.connect("h", "o", weight="v")
    g.set_outputs(["o"], loss=loss, form="half_sum")
    return g


def chained(make: Maker, activation: str = "identity", w: float = 2.0, v: float = 3.0) -> Any:
    return make(chain(activation), ng.Parameters({"w": w, "v": v, "b": 1.0, "c": -1.0}))


# -- the record of a pass ---------------------------------------------------------------------------------------------
def test_a_trace_holds_every_number_of_the_chain(make: Maker) -> None:
    trace = chained(make, "relu").backprop([[1.0], [-1.0]], [[5.0], [0.0]], reduction="sum")
    assert {name: trace.z[name].tolist() for name in ("x", "h", "o")} == {"x": [1, -1], "h": [3, -1], "o": [8, -1]}
    assert {name: trace.a[name].tolist() for name in ("x", "h", "o")} == {"x": [1, -1], "h": [3, 0], "o": [8, -1]}
    assert {name: trace.delta[name].tolist() for name in ("x", "h", "o")} == {"x": [18, 0], "h": [9, 0], "o": [3, -1]}
    assert {name: float(g) for name, g in trace.gradient.items()} == {"w": 9, "v": 9, "b": 9, "c": 2}
    assert trace.loss == 5.0
    assert (trace.masks, trace.winners) == ({}, {})
    assert [c.product for c in trace.contributions("v")] == [9, 0]
    assert [c.product for c in trace.contributions("c")] == [3, -1]


def test_mean_divides_gradients_and_loss_but_no_delta(make: Maker) -> None:
    engine = chained(make, "tanh")
    x, t = [[0.3], [-0.2], [0.9], [0.1]], [[1.0], [0.0], [-1.0], [2.0]]
    summed, mean = (engine.backprop(x, t, reduction=reduction) for reduction in ("sum", "mean"))
    assert summed.loss is not None
    assert mean.loss == summed.loss / 4
    for name, gradient in summed.gradient.items():
        np.testing.assert_array_equal(mean.gradient[name], gradient / 4)
    for name, delta in summed.delta.items():
        np.testing.assert_array_equal(mean.delta[name], delta)
    assert engine.backprop(x, t).loss == mean.loss


def test_a_batch_is_its_samples_one_by_one(make: Maker) -> None:
    layers = [
        {"kind": "conv", "filters": 2, "kernel": 2, "activation": "gelu"},
        {"kind": "maxpool", "window": 2, "stride": 1},
        {"kind": "dense", "units": 3},
    ]
    engine = drawn_engine(make, [1, 4, 4], layers, {"kind": "cross_entropy"})
    x = np.random.default_rng(0).normal(size=(3, 1, 4, 4))
    whole = engine.backprop(x, [2, 0, 1], reduction="sum")
    parts = [engine.backprop(x[n : n + 1], [label], reduction="sum") for n, label in enumerate([2, 0, 1])]
    for name in whole.a:
        for record in ("z", "a", "delta"):
            joined = np.concatenate([getattr(part, record)[name] for part in parts])
            np.testing.assert_array_equal(getattr(whole, record)[name], joined)
    np.testing.assert_array_equal(
        whole.winners["maxpool2"], np.concatenate([part.winners["maxpool2"] for part in parts])
    )
    for name, gradient in whole.gradient.items():
        np.testing.assert_allclose(gradient, sum(part.gradient[name] for part in parts), rtol=1e-13, atol=1e-15)


def test_records_are_arrays_by_layer_and_by_neuron(make: Maker) -> None:
    engine = drawn_engine(make, [1, 4, 4], [{"kind": "conv", "name": "c", "filters": 2, "kernel": 3}], {"kind": "mse"})
    trace = engine.backprop(np.ones((5, 1, 4, 4)), np.zeros((5, 2, 2, 2)))
    assert trace.delta["c"].shape == (5, 2, 2, 2)
    assert trace.delta["input"].shape == (5, 1, 4, 4)
    np.testing.assert_array_equal(trace.a["c[1,0,1]"], trace.a["c"][:, 1, 0, 1])
    np.testing.assert_array_equal(trace.z["c", 1, 0, 1], trace.z["c"][:, 1, 0, 1])
    assert trace.gradient["c.weight"].shape == (2, 1, 3, 3)
    assert set(trace.weights) == {"c.weight", "c.bias"}
    assert trace.batch == 5


def test_weights_are_read_at_every_call(make: Maker) -> None:
    engine = chained(make)
    assert engine.forward([[1.0]]).item() == 8
    engine.params["v"] = 10.0
    assert engine.forward([[1.0]]).item() == 29
    assert float(engine.backprop([[1.0]], [[0.0]]).weights["v"]) == 10


def test_the_callers_arrays_stay_as_they_are(make: Maker) -> None:
    x, t = np.ones((2, 1)), np.zeros((2, 1))
    engine = chained(make, "relu")
    engine.train_step(x, t, Steps())
    assert (x.tolist(), t.tolist()) == ([[1], [1]], [[0], [0]])


# -- rules that tests pin in both engines -----------------------------------------------------------------------------
def test_relu_has_no_slope_at_zero(make: Maker) -> None:
    trace = chained(make, "relu", w=-1.0).backprop([[1.0]], [[5.0]])
    assert trace.z["h"].item() == 0
    assert trace.delta["h"].item() == trace.gradient["w"] == trace.delta["x"].item() == 0
    assert chained(make, "leaky_relu", w=-1.0).backprop([[1.0]], [[5.0]]).delta["h"].item() == 0.01 * 3 * (-1 - 5)


def test_a_tied_maximum_goes_to_the_first_in_order_and_is_recorded(make: Maker) -> None:
    g = ng.NeuronGraph()
    for x in ("x3", "x1", "x2"):
        g.add_input(x)
    g.add_pool("p")
    for x in ("x1", "x2", "x3"):  # the order of the edges does not matter, that of the neurons does
        g.connect(x, "p")
    g.set_outputs(["p"])
    for graph in (g, g.copy(), nx.relabel_nodes(g, {"x1": "x9"})):
        engine = make(graph, ng.Parameters())
        trace = engine.backprop([[4.0, 4.0, 4.0], [1.0, 2.0, 2.0]], upstream=[[1.0], [1.0]])
        first, second, *_ = graph.nodes
        assert trace.delta[first].tolist() == [1, 0]
        assert trace.delta[second].tolist() == [0, 1]
        assert trace.winners["p"].tolist() == [0, 1]


def test_max_ignores_padding_and_overlapping_windows_add(make: Maker) -> None:
    layer = {"kind": "maxpool", "window": 3, "stride": 1, "padding": 1}
    engine = drawn_engine(make, [1, 2, 2], [layer])
    trace = engine.backprop(-np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), upstream=np.ones((1, 1, 2, 2)))
    assert trace.a["maxpool1"].tolist() == [[[[-1, -1], [-1, -1]]]]
    assert trace.delta["input"].tolist() == [[[[4, 0], [0, 0]]]]


def test_a_mean_over_padding_divides_by_the_whole_window(make: Maker) -> None:
    engine = drawn_engine(make, [1, 2, 2], [{"kind": "avgpool", "window": 2, "padding": 1}])
    trace = engine.backprop([[[[4.0, 8.0], [12.0, 16.0]]]], upstream=[[[[4.0, 8.0], [12.0, 16.0]]]])
    assert trace.a["avgpool1"].tolist() == trace.delta["input"].tolist() == [[[[1, 2], [3, 4]]]]


def test_a_mean_made_by_hand_divides_by_its_in_edges_unless_told(make: Maker) -> None:
    for divisor, mean in ((None, 3.0), (4.0, 1.5)):
        g = ng.NeuronGraph()
        g.add_input("x")
        g.add_input("y")
        g.add_pool("m", op="mean", divisor=divisor)
        g.connect("x", "m")
        g.connect("y", "m")
        g.set_outputs(["m"])
        trace = make(g, ng.Parameters()).backprop([[2.0, 4.0]], upstream=[[6.0]])
        assert (trace.a["m"].item(), trace.delta["x"].item()) == (mean, mean)


def test_nan_in_is_nan_out(make: Maker) -> None:
    for activation in ACTIVATIONS[:-1]:
        assert math.isnan(chained(make, activation).forward([[NAN]]).item())
    engine = drawn_engine(make, [1, 2, 2], [{"kind": "maxpool", "window": 2}])
    trace = engine.backprop([[[[1.0, NAN], [NAN, 9.0]]]], upstream=np.ones((1, 1, 1, 1)))
    assert math.isnan(trace.a["maxpool1"].item())
    assert trace.winners["maxpool1"].item() == 1
    assert trace.delta["input"].tolist() == [[[[0, 1], [0, 0]]]]


def test_a_zero_delta_adds_nothing_not_even_to_an_infinite_weight(make: Maker) -> None:
    trace = chained(make, "relu", w=-INF).backprop([[1.0]], [[5.0]], reduction="sum")
    assert trace.delta["h"].item() == 0
    assert trace.delta["x"].item() == 0
    assert trace.gradient["w"] == 0
    trace = chained(make, "relu", v=INF).backprop([[-1.0]], upstream=[[0.0]])
    assert {name: trace.delta[name].item() for name in ("x", "h", "o")} == {"x": 0, "h": 0, "o": 0}
    assert len(trace.contributions("v")) == 1


def test_padding_constants_are_fed_and_have_no_delta(make: Maker) -> None:
    layer = {"kind": "conv", "name": "c", "filters": 1, "kernel": 3, "padding": 1, "padding_value": -1}
    engine = drawn_engine(make, [1, 1, 1], [layer], {"kind": "mse"})
    engine.params["c.weight"] = np.arange(9.0).reshape(1, 1, 3, 3)
    engine.params["c.bias"] = [0.5]
    trace = engine.backprop([[[[2.0]]]], [[[[0.0]]]], reduction="sum")
    assert trace.z["c"].item() == 2 * 4 - (36 - 4) + 0.5
    expected = np.full((3, 3), -1.0)
    expected[1, 1] = 2
    np.testing.assert_array_equal(trace.gradient["c.weight"][0, 0], expected * trace.delta["c"].item())
    assert set(trace.a) == {"input", "c"}
    assert set(trace.gradient) == {"c.weight", "c.bias"}
    assert trace.weights["c.padding"].item() == -1
    engine.params["c.padding"] = np.full(engine.params["c.padding"].shape, 3.0)
    assert engine.backprop([[[[2.0]]]], [[[[0.0]]]]).z["c"].item() == 2 * 4 + 3 * (36 - 4) + 0.5


# -- edited graphs ----------------------------------------------------------------------------------------------------
def test_the_place_of_a_removed_neuron_is_nan_and_its_weights_get_no_gradient(make: Maker) -> None:
    layers = [{"kind": "dense", "name": "h", "units": 3}, {"kind": "dense", "name": "out", "units": 3}]
    graph = graph_of([2], layers, {"kind": "cross_entropy"})
    params = drawn(graph)
    graph.remove_nodes_from([("h", 1), ("out", 2)])
    engine = make(graph, params)
    trace = engine.backprop([[1.0, 2.0]], [1])
    for record in (trace.z, trace.a, trace.delta):
        assert np.isnan(record["h"]).tolist() == [[False, True, False]]
        assert np.isnan(record["out"]).tolist() == [[False, False, True]]
    assert not np.any(trace.gradient["h.weight"][1])
    assert not np.any(trace.gradient["out.weight"][:, 1])
    assert np.all(trace.gradient["h.weight"][0])
    assert engine.predict([[1.0, 2.0]]).item() in (0, 1)
    np.testing.assert_allclose(np.nansum(engine.predict_proba([[1.0, 2.0]])), 1)


def test_a_retied_edge_sends_its_share_to_its_new_weight(make: Maker) -> None:
    graph = graph_of([3], [{"kind": "dense", "name": "h", "units": 2, "bias": False}])
    graph.edges[("input", 2), ("h", 1)]["param"] = ("h.weight", 0)
    engine = make(graph, ng.Parameters({"h.weight": [[1, 2, 3], [4, 5, 6]]}))
    trace = engine.backprop([[1.0, 10.0, 100.0]], upstream=[[1.0, 2.0]], reduction="sum")
    assert trace.z["h"].tolist() == [[321, 154]]
    assert trace.gradient["h.weight"].tolist() == [[1 + 200, 10, 100], [2, 20, 0]]
    assert trace.delta["input"].tolist() == [[1 + 2 * 4, 2 + 2 * 5, 3 + 2 * 1]]


def test_a_relabelled_graph_is_the_same_network(make: Maker) -> None:
    graph = graph_of([3], [{"kind": "dense", "name": "h", "units": 2, "activation": "tanh"}], {"kind": "mse"})
    params = drawn(graph)
    other = nx.relabel_nodes(graph, {("h", 0): "left", ("input", 1): 17})
    x, t = [[0.1, 0.2, 0.3]], [[1.0, 2.0]]
    one, two = (make(g, params).backprop(x, t) for g in (graph, other))
    np.testing.assert_array_equal(one.a["h"], two.a["h"])
    np.testing.assert_array_equal(one.gradient["h.weight"], two.gradient["h.weight"])
    np.testing.assert_array_equal(two.a["left"], one.a["h[0]"])


def test_the_graph_is_read_once(make: Maker) -> None:
    graph = chain()
    engine = make(graph, ng.Parameters({"w": 2.0, "v": 3.0, "b": 1.0, "c": -1.0}))
    graph.remove_edge("h", "o")
    assert engine.forward([[1.0]]).item() == 8


# -- dropout ----------------------------------------------------------------------------------------------------------
def dropping(make: Maker) -> Any:
    layers = [
        {"kind": "dense", "name": "h", "units": 40, "activation": "relu"},
        {"kind": "dropout", "name": "drop", "keep": 0.25},
        {"kind": "dense", "name": "out", "units": 3},
    ]
    return drawn_engine(make, [5], layers, {"kind": "mse"})


def test_dropout_silences_neurons_and_scales_the_rest(make: Maker) -> None:
    engine = dropping(make)
    x = np.random.default_rng(1).normal(size=(6, 5))
    trace = engine.backprop(x, np.zeros((6, 3)), training=True, seed=4)
    mask = trace.masks["drop"]
    assert mask.shape == (6, 40)
    assert set(np.unique(mask)) == {0, 1}
    assert 0.15 < mask.mean() < 0.35
    kept = trace.a["h"] * mask / 0.25
    np.testing.assert_allclose(
        trace.z["out"], kept @ engine.params["out.weight"].T + engine.params["out.bias"], rtol=1e-12, atol=1e-12
    )
    back = trace.delta["out"] @ engine.params["out.weight"] * mask / 0.25 * (trace.z["h"] > 0)
    np.testing.assert_allclose(trace.delta["h"], back, rtol=1e-12, atol=1e-12)


def test_dropout_is_the_identity_unless_training(make: Maker) -> None:
    engine = dropping(make)
    x = np.ones((2, 5))
    trace = engine.backprop(x, np.zeros((2, 3)), seed=4)
    assert trace.masks == {}
    np.testing.assert_array_equal(engine.forward(x), trace.a["out"])
    assert np.any(engine.forward(x, training=True, seed=4) != trace.a["out"])


def test_a_mask_depends_on_the_seed_and_the_sample_and_not_on_the_batch(make: Maker) -> None:
    engine = dropping(make)
    x = np.ones((6, 5))
    masks = [
        engine.backprop(x[:n], np.zeros((n, 3)), training=True, seed=seed).masks["drop"]
        for n, seed in ((6, 4), (2, 4), (6, 5))
    ]
    np.testing.assert_array_equal(masks[0][:2], masks[1])
    assert np.any(masks[0] != masks[2])
    assert np.any(masks[0][0] != masks[0][1])
    np.testing.assert_array_equal(engine.forward(x, training=True, seed=4), engine.forward(x, training=True, seed=4))


def test_without_a_seed_every_pass_drops_others(make: Maker) -> None:
    engine = dropping(make)
    x = np.ones((6, 5))
    assert np.any(engine.forward(x, training=True) != engine.forward(x, training=True))


def test_all_readers_of_a_dropped_neuron_see_the_same_mask(make: Maker) -> None:
    layers = [
        {"kind": "dropout", "name": "drop", "keep": 0.5},
        {"kind": "conv", "name": "c", "filters": 1, "kernel": 1, "bias": False, "weights": [1]},
        {"kind": "activation", "name": "copy", "activation": "identity", "from": "drop"},
        {"kind": "add", "name": "both", "from": ["c", "copy"]},
    ]
    engine = drawn_engine(make, [1, 3, 3], layers)
    trace = engine.backprop(np.ones((4, 1, 3, 3)), upstream=np.ones((4, 1, 3, 3)), training=True, seed=0)
    np.testing.assert_array_equal(trace.a["c"], trace.a["copy"])
    np.testing.assert_array_equal(trace.a["c"], 2 * trace.masks["drop"])
    np.testing.assert_array_equal(trace.delta["input"], 4 * trace.masks["drop"])


# -- training ---------------------------------------------------------------------------------------------------------
def test_a_step_updates_all_weights_at_once_with_the_old_ones(make: Maker) -> None:
    engine = chained(make)
    expected = engine.backprop([[1.0]], [[5.0]])
    optimizer = Steps(eta=0.5)
    assert engine.train_step([[1.0]], [[5.0]], optimizer) == expected.loss == 4.5
    assert {name: float(value) for name, value in engine.params.items()} == {"w": -2.5, "v": -1.5, "b": -3.5, "c": -2.5}
    assert set(optimizer.seen[0]) == {"w", "v", "b", "c"}


def test_a_step_leaves_fixed_weights_alone_and_shows_the_optimizer_only_the_others(make: Maker) -> None:
    engine = chained(make)
    engine.params.set_trainable(["w", "c"], False)
    optimizer = Steps()
    engine.train_step([[1.0]], [[5.0]], optimizer)
    assert (float(engine.params["w"]), float(engine.params["c"])) == (2, -1)
    assert (float(engine.params["v"]), float(engine.params["b"])) == (-1.5, -3.5)
    assert set(optimizer.seen[0]) == {"v", "b"}
    assert set(engine.backprop([[1.0]], [[5.0]]).gradient) == {"w", "v", "b", "c"}


def test_a_step_trains_with_dropout_and_takes_the_reduction(make: Maker) -> None:
    engine = dropping(make)
    x, t = np.ones((4, 5)), np.ones((4, 3))
    for reduction in ("sum", "mean"):
        expected = engine.backprop(x, t, training=True, seed=9, reduction=reduction)
        optimizer = Steps(eta=0.0)
        assert engine.train_step(x, t, optimizer, reduction, seed=9) == expected.loss
        for name, gradient in optimizer.seen[0].items():
            np.testing.assert_array_equal(gradient, expected.gradient[name])


def test_steps_learn_exclusive_or(make: Maker) -> None:
    layers = [
        {"kind": "dense", "units": 4, "activation": "tanh"},
        {"kind": "dense", "units": 1, "activation": "sigmoid"},
    ]
    engine = drawn_engine(make, [2], layers, {"kind": "binary_cross_entropy"}, seed=0)
    x, t = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    optimizer = Steps(eta=1.0)
    losses = [engine.train_step(x, t, optimizer) for _ in range(300)]
    assert losses[-1] < 0.05 < losses[0]
    assert engine.predict(x).tolist() == t
    assert engine.evaluate(x, t).accuracy == 1.0
