"""Programs: the engine's protocol, the weights they borrow, batches of any size, and bits that do not depend on threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from written import drawn, graph_of, toml

import neurograph as ng
from neurograph.compiler import runner
from neurograph.compiler.bind import layout_of_plan
from neurograph.errors import BatchError, GraphError, LossError, ParameterError, UnknownName, UsageError
from neurograph.kernels.jit import COMPILED

Array = np.ndarray[Any, Any]
SMALL = [
    {"kind": "conv", "name": "c", "filters": 3, "kernel": 3, "padding": 1, "activation": "relu"},
    {"kind": "maxpool", "name": "p", "window": 2},
    {"kind": "dense", "name": "f", "units": 4, "activation": "tanh"},
    {"kind": "dense", "name": "out", "units": 3},
]
CROSS = {"kind": "cross_entropy"}


def whole(params: ng.Parameters, seed: int = 0) -> ng.Parameters:
    """The same parameters with small whole numbers, on which every sum is exact."""
    random = np.random.default_rng(seed)
    for name in params:
        params[name] = random.integers(-2, 3, params[name].shape).astype(float)
    return params


def small(
    dtype: str = "float64", threads: int = 1, loss: Any = CROSS, innermost: str = "auto"
) -> tuple[ng.NeuronGraph, Any]:
    graph = graph_of([1, 6, 6], SMALL, loss)
    return graph, ng.compile(graph, drawn(graph), dtype, threads, innermost=innermost)


def images(n: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).standard_normal((n, 1, 6, 6))


def assert_same(a: ng.Trace, b: ng.Trace) -> None:
    """Every number of two traces equal, bit for bit."""
    for what in ("z", "a", "delta", "gradient", "winners", "masks"):
        ours, theirs = getattr(a, what), getattr(b, what)
        assert set(ours) == set(theirs), what
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=f"{what} of {name}")
    assert a.loss == b.loss


# -- batches ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("batch", [1, 2, 4, 5, 16, 17, 31, 33, 70])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_batch_equals_the_textbook_on_whole_numbers(batch: int, dtype: str) -> None:
    layers = [{**layer, "activation": "relu"} if layer["name"] == "f" else layer for layer in SMALL]
    graph = graph_of([1, 6, 6], layers, {"kind": "mse", "form": "half_sum"})
    params = whole(drawn(graph))
    random = np.random.default_rng(batch)
    x = random.integers(-2, 3, (batch, 1, 6, 6)).astype(float)
    t = random.integers(-2, 3, (batch, 3)).astype(float)
    expected = ng.ReferenceEngine(graph, params).backprop(x, t, reduction="sum")
    assert_same(ng.compile(graph, params, dtype).backprop(x, t, reduction="sum"), expected)


@pytest.mark.parametrize("innermost", ["channels", "samples"])
@pytest.mark.parametrize("batch", [1, 4, 5, 8, 16, 17])
def test_a_batch_does_not_depend_on_a_larger_one_before(batch: int, innermost: str) -> None:
    _, fresh = small("float64", innermost=innermost)
    _, used = small("float64", innermost=innermost)
    used.backprop(images(100, seed=2), np.arange(100) % 3)
    used.params["f.weight"] = fresh.params["f.weight"] + 1.0
    used.params["c.weight"] = fresh.params["c.weight"] - 0.5
    used.backprop(images(70, seed=3), np.arange(70) % 3)
    used.params.update(dict(fresh.params))
    x, y = images(batch), np.arange(batch) % 3
    assert_same(used.backprop(x, y), fresh.backprop(x, y))
    assert used.train_step(x, y, ng.SGD(0.5)) == fresh.train_step(x, y, ng.SGD(0.5))
    for name in fresh.params:
        np.testing.assert_array_equal(used.params[name], fresh.params[name])


@pytest.mark.parametrize("make", [lambda: ng.SGD(0.1, momentum=0.9), lambda: ng.Adam(0.01)])
def test_single_samples_between_batches_train_the_same_weights(make: Any) -> None:
    """Where batches run with samples innermost, a sample or a few run with channels innermost, and hand over weights and momentum."""
    layers = [layer for layer in SMALL if layer["name"] != "p"]
    graph = graph_of([1, 6, 6], layers, CROSS)
    mixed = ng.compile(graph, drawn(graph), "float64")
    plain = ng.compile(graph, drawn(graph), "float64", innermost="samples")
    assert mixed.innermost == "samples"
    assert mixed.for_batch(1).innermost == "channels"
    first, second = make(), make()
    for step, n in enumerate((1, 20, 3, 1, 40, 2)):
        x, y = images(n, seed=step), np.arange(n) % 3
        assert mixed.train_step(x, y, first) == pytest.approx(plain.train_step(x, y, second), rel=1e-11)
        for name in plain.params:
            np.testing.assert_allclose(mixed.params[name], plain.params[name], rtol=1e-11, atol=1e-12)
    for name, value in second.state().items():
        np.testing.assert_allclose(first.state()[name], value, rtol=1e-10, atol=1e-12)


def test_outputs_of_a_sample_do_not_depend_on_its_batch() -> None:
    _, program = small("float32")
    x = images(40)
    together = program.forward(x)
    np.testing.assert_array_equal(together[:33], program.forward(x[:33]))
    np.testing.assert_allclose(together[:1], program.forward(x[:1]), rtol=1e-5)


@pytest.mark.parametrize("threads", [2, 3, 4])
def test_threads_do_not_change_a_bit(threads: int) -> None:
    x, y = images(100), np.random.default_rng(0).integers(0, 3, 100)
    weights = []
    for n in (1, threads):
        _, program = small("float32", n)
        optimizer = ng.SGD(0.1, momentum=0.9)
        for _ in range(5):
            program.train_step(x, y, optimizer)
        weights.append({name: program.params[name] for name in program.params})
    for name in weights[0]:
        np.testing.assert_array_equal(weights[0][name], weights[1][name])


def test_calls_of_any_length_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = images(150), np.random.default_rng(0).integers(0, 3, 150)
    _, program = small("float32")
    program.backprop(x, y)
    whole_call = program.backprop(x, y)
    monkeypatch.setattr(runner, "CALL_SECONDS", 0.0)
    assert_same(program.backprop(x, y), whole_call)


@pytest.mark.skipif(not COMPILED, reason="twenty thousand samples take minutes in plain Python")
def test_memory_does_not_grow_with_the_batch() -> None:
    import tracemalloc

    _, program = small("float32")
    x = np.zeros((20_000, 1, 6, 6), np.float32)
    program.predict(x[:100])
    tracemalloc.start()
    program.predict(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000  # its 20,000 × 3 outputs, some times over


# -- the weights' store -----------------------------------------------------------------------------------------------
def test_assigned_weights_are_used_at_once() -> None:
    graph, program = small()
    before = program.forward(images(2))
    program.params["out.bias"] = program.params["out.bias"] + 1.0
    np.testing.assert_allclose(program.forward(images(2)), before + 1.0)
    np.testing.assert_allclose(ng.ReferenceEngine(graph, program.params).forward(images(2)), before + 1.0)


def test_trained_weights_are_read_back_by_everyone() -> None:
    graph, program = small("float32")
    textbook = ng.ReferenceEngine(graph, program.params)
    other = ng.compile(graph, program.params, "float64")
    before = program.params["f.weight"].copy()
    program.train_step(images(8), np.arange(8) % 3, ng.SGD(0.1))
    assert not np.array_equal(program.params["f.weight"], before)
    x = images(3)
    np.testing.assert_allclose(other.forward(x), textbook.forward(x), rtol=1e-12)
    np.testing.assert_allclose(program.forward(x), textbook.forward(x), rtol=1e-4, atol=1e-5)


def test_two_programs_take_turns_on_one_store() -> None:
    graph, first = small("float64")
    second = ng.compile(graph, first.params, "float64")
    alone = ng.compile(graph, first.params.copy(), "float64")
    x, y = images(8), np.arange(8) % 3
    for step in range(4):
        (first, second)[step % 2].train_step(x, y, ng.SGD(0.1))
        alone.train_step(x, y, ng.SGD(0.1))
    for name in first.params:
        np.testing.assert_array_equal(first.params[name], alone.params[name])


def test_fixed_parameters_keep_their_values() -> None:
    _, program = small("float32")
    value = np.full(program.params["c.weight"].shape, 0.1)  # not a float32
    program.params["c.weight"] = value
    program.params.set_trainable("c.weight", False)
    program.train_step(images(8), np.arange(8) % 3, ng.SGD(0.5, momentum=0.5))
    np.testing.assert_array_equal(program.params["c.weight"], value)
    assert "c.weight" in program.backprop(images(2), [0, 1]).gradient


@pytest.mark.parametrize(("innermost", "slack"), [("samples", 0.0), ("channels", 2e-16)])
def test_train_step_is_backprop_and_one_update(innermost: str, slack: float) -> None:
    """With channels innermost a dense gradient is summed over all samples at once, a trace's block by block."""
    _, program = small("float64", innermost=innermost)
    x, y = images(33), np.arange(33) % 3
    trace = program.backprop(x, y)
    before = {name: program.params[name].copy() for name in program.params}
    assert program.train_step(x, y, ng.SGD(0.25)) == trace.loss
    for name, value in before.items():
        np.testing.assert_allclose(program.params[name], value - 0.25 * trace.gradient[name], rtol=0, atol=slack)


@pytest.mark.parametrize("make", [lambda: ng.SGD(0.1), lambda: ng.SGD(0.1, momentum=0.9), lambda: ng.Adam(0.01)])
def test_optimizers_are_stepped_as_they_say(make: Any) -> None:
    _, program = small("float64")
    values = {name: program.params[name].copy() for name in program.params}
    x, y = images(9), np.arange(9) % 3
    ours, theirs = make(), make()
    for _ in range(3):
        theirs.step(values, program.backprop(x, y).gradient)
        program.train_step(x, y, ours)
        for name, value in values.items():
            np.testing.assert_allclose(program.params[name], value, rtol=1e-12, atol=1e-15)
        values = {name: program.params[name].copy() for name in values}


# -- protocol ---------------------------------------------------------------------------------------------------------
def test_answers_of_a_classifier() -> None:
    graph, program = small()
    textbook = ng.ReferenceEngine(graph, program.params)
    x, y = images(50), np.arange(50) % 3
    np.testing.assert_array_equal(program.predict(x), textbook.predict(x))
    np.testing.assert_allclose(program.predict_proba(x), textbook.predict_proba(x), rtol=1e-12)
    ours, theirs = program.evaluate(x, y), textbook.evaluate(x, y)
    assert (ours.accuracy, ours.n_samples) == (theirs.accuracy, 50)
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-12)


def test_arrays_of_the_caller_stay_as_they_were() -> None:
    _, program = small("float32")
    x, y, g = images(5), np.arange(5) % 3, np.ones((5, 3))
    copies = x.copy(), y.copy(), g.copy()
    program.train_step(x, y, ng.SGD(0.1))
    program.backprop(x, upstream=g)
    program.evaluate(x, y)
    for array, copy in zip((x, y, g), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_results_are_not_overwritten_by_the_next_call() -> None:
    _, program = small()
    x = images(3)
    out, trace = program.forward(x), program.backprop(x, [0, 1, 2])
    kept = out.copy(), trace.a["c"].copy(), trace.gradient["f.weight"].copy(), trace.weights["f.weight"].copy()
    program.train_step(-x, [0, 1, 2], ng.SGD(1.0))
    for array, copy in zip(
        (out, trace.a["c"], trace.gradient["f.weight"], trace.weights["f.weight"]), kept, strict=True
    ):
        np.testing.assert_array_equal(array, copy)


def test_trace_has_the_dtype_of_the_program() -> None:
    _, program = small("float32")
    trace = program.backprop(images(2), [0, 1])
    assert {trace.a["c"].dtype, trace.delta["input"].dtype, trace.gradient["c.bias"].dtype} == {np.dtype("float32")}
    assert trace.winners["p"].dtype == np.int64
    assert trace.delta["input"].any()


def test_program_says_what_it_is() -> None:
    _, program = small("float32", 1)
    assert repr(program) == "Program('network': 4 steps, float32, 1 threads)"
    assert (program.dtype, program.threads, len(program.plan.steps)) == ("float32", 1, 4)


def test_plan_alone_is_enough_to_bind() -> None:
    graph, program = small()
    bound = ng.bind(program.plan, program.params, "float64", 1)
    assert_same(bound.backprop(images(3), [0, 1, 2]), program.backprop(images(3), [0, 1, 2]))
    by_hand = ng.NeuronGraph()
    for name in ("x1", "x2"):
        by_hand.add_input(name)
    by_hand.add_neuron("o", bias="b")
    by_hand.connect("x1", "o", weight="w1", value=2.0)
    by_hand.connect("x2", "o", weight="w2", value=3.0)
    by_hand.set_outputs(["o"], loss="mse")
    found = ng.bind(ng.plan(by_hand), ng.initialise(by_hand), "float64")
    assert found.forward([[1.0, 10.0]]).tolist() == [[32.0]]
    assert layout_of_plan(ng.plan(graph)).shapes == program.layout.shapes


# -- shapes of networks -----------------------------------------------------------------------------------------------
def check_against_textbook(graph: ng.NeuronGraph, params: ng.Parameters, x: Any, upstream: Any) -> ng.Trace:
    """z, a, δ and gradients of both engines on one network; returns the program's trace."""
    expected = ng.ReferenceEngine(graph, params).backprop(x, upstream=upstream)
    trace = ng.compile(graph, params, "float64").backprop(x, upstream=upstream)
    for what in ("z", "a", "delta", "gradient"):
        ours, theirs = getattr(trace, what), getattr(expected, what)
        assert set(ours) == set(theirs)
        for name in theirs:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-13, err_msg=f"{what} of {name}")
    return trace


def test_output_that_feeds_another_neuron_gets_both_deltas() -> None:
    g = ng.NeuronGraph()
    g.add_input("x")
    g.add_neuron("o1", activation="tanh", bias="b")
    g.add_neuron("o2", activation="sigmoid")
    g.connect("x", "o1", weight="w1", value=0.5)
    g.connect("o1", "o2", weight="w2", value=-2.0)
    g.set_outputs(["o2", "o1"], loss="mse", form="half_sum")
    check_against_textbook(g, ng.initialise(g), [[0.3], [-1.0]], np.array([[1.0, 2.0], [0.5, -1.0]]))


def test_neurons_without_inputs_are_their_bias() -> None:
    g = ng.NeuronGraph()
    g.add_input("x")
    g.add_neuron("alone", activation="sigmoid", bias="b")
    g.add_neuron("empty")
    g.add_neuron("o", bias="c")
    for source, weight in (("x", "w1"), ("alone", "w2"), ("empty", "w3")):
        g.connect(source, "o", weight=weight)
    g.set_outputs(["o"])
    params = drawn(g, 3)
    trace = check_against_textbook(g, params, [[1.0]], [[1.0]])
    assert trace.z["alone"].tolist() == [float(params["b"])]
    assert trace.z["empty"].tolist() == [0.0]


def test_edited_graph_keeps_exactly_its_edges() -> None:
    graph = graph_of([1, 6, 6], SMALL, CROSS)
    graph.remove_edge(("input", 0, 2, 2), ("c", 1, 2, 2))
    graph.remove_edge(("p", 0, 1, 1), ("f", 2))
    graph.edges[("p", 1, 0, 0), ("f", 0)]["param"] = ("f.weight", 30)
    graph.remove_node(("p", 2, 1, 1))
    trace = check_against_textbook(graph, drawn(graph), images(3), np.ones((3, 3)))
    assert np.isnan(trace.a["p"][:, 2, 1, 1]).all()
    assert trace.winners["p"][:, 2, 1, 1].tolist() == [-1, -1, -1]


def test_several_inputs_and_heads_go_by_name() -> None:
    text = """
[[input]]
name = "left"
shape = [3]
[[input]]
name = "right"
shape = [1, 2, 2]
[[layer]]
name = "joined"
kind = "concat"
from = ["left", "flat"]
[[layer]]
name = "flat"
kind = "flatten"
from = "right"
[[layer]]
name = "h"
kind = "dense"
units = 3
from = "joined"
activation = "relu"
[[layer]]
name = "one"
kind = "dense"
units = 2
activation = "softmax"
from = "h"
[[layer]]
name = "two"
kind = "dense"
units = 1
from = "h"
[[loss]]
kind = "cross_entropy"
of = "one"
[[loss]]
kind = "mse"
of = "two"
weight = 0.25
"""
    blocks = text.split("[[layer]]")
    blocks[1], blocks[2] = blocks[2], blocks[1]  # flat before joined
    graph = ng.build(ng.lay_out(ng.load("[[layer]]".join(blocks))))
    params = drawn(graph)
    random = np.random.default_rng(0)
    x = {"left": random.standard_normal((5, 3)), "right": random.standard_normal((5, 1, 2, 2))}
    target = {"one": np.arange(5) % 2, "two": random.standard_normal((5, 1))}
    program, textbook = ng.compile(graph, params, "float64"), ng.ReferenceEngine(graph, params)
    ours, theirs = program.backprop(x, target), textbook.backprop(x, target)
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-13)
    for name in theirs.gradient:
        np.testing.assert_allclose(ours.gradient[name], theirs.gradient[name], rtol=1e-11, atol=1e-14)
    outputs: Mapping[str, Array] = program.forward(x)
    assert {name: array.shape for name, array in outputs.items()} == {"one": (5, 2), "two": (5, 1)}


def test_dropout_masks_are_the_contract_and_off_outside_training() -> None:
    layers = [
        {"kind": "dense", "name": "h", "units": 6, "activation": "relu"},
        {"kind": "dropout", "name": "d", "keep": 0.5},
        {"kind": "dense", "name": "o", "units": 2},
    ]
    graph = graph_of([4], layers, {"kind": "mse"})
    params = drawn(graph)
    program, textbook = ng.compile(graph, params, "float64"), ng.ReferenceEngine(graph, params)
    x, t = np.random.default_rng(0).standard_normal((20, 4)), np.zeros((20, 2))
    ours = program.backprop(x, t, training=True, seed=5)
    theirs = textbook.backprop(x, t, training=True, seed=5)
    np.testing.assert_array_equal(ours.masks["d"], theirs.masks["d"])
    assert 0 < ours.masks["d"].mean() < 1
    for name in theirs.gradient:
        np.testing.assert_allclose(ours.gradient[name], theirs.gradient[name], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(program.forward(x), textbook.forward(x), rtol=1e-12)
    assert not np.array_equal(program.forward(x, training=True, seed=1), program.forward(x))


@pytest.mark.parametrize(
    "layer",
    [
        {"kind": "depthwise", "kernel": 3, "multiplier": 2, "padding": 1},
        {"kind": "conv", "filters": 4, "kernel": 3, "groups": 2, "stride": 2, "padding": 1},
        {"kind": "conv", "filters": 3, "kernel": 2, "tie": "none"},
        {"kind": "conv", "filters": 3, "kernel": 2, "tie": "none", "tie_bias": "map"},
        {"kind": "conv", "filters": 3, "kernel": 3, "padding": 1, "padding_value": -1.0},
        {"kind": "conv", "filters": 5, "kernel": 2, "dilation": 2, "connections": [[0], [1], [0, 1], [1], [0]]},
        {"kind": "subsample", "window": 2, "activation": "scaled_tanh"},
        {"kind": "avgpool", "window": 3, "stride": 2, "padding": 1},
        {"kind": "l2pool", "window": 3, "stride": 1},
        {"kind": "globalpool", "op": "mean"},
        {"kind": "rbf", "units": 5},
    ],
    ids=lambda layer: " ".join(str(value) for value in layer.values()),
)
def test_every_way_of_tying_sums_its_gradient(layer: dict[str, Any]) -> None:
    layers = [{"kind": "conv", "name": "first", "filters": 2, "kernel": 1}, {**layer, "name": "l"}]
    graph = graph_of([2, 5, 5], layers, None)
    shape = graph.graph["shapes"]["l"]
    random = np.random.default_rng(0)
    check_against_textbook(
        graph, drawn(graph), random.standard_normal((6, 2, 5, 5)), random.standard_normal((6, *shape))
    )


def test_removed_input_has_no_number() -> None:
    graph = graph_of([3], [{"kind": "dense", "name": "o", "units": 2}], None)
    graph.remove_node(("input", 1))
    trace = check_against_textbook(graph, drawn(graph), np.ones((4, 3)), np.ones((4, 2)))
    assert np.isnan(trace.a["input"][:, 1]).all()


def test_stencil_that_reaches_outside_is_not_bound() -> None:
    graph, program = small()
    step = program.plan.steps[-1]
    bias, source = step.projections
    (nest,) = source.nests
    far = replace(source, nests=(replace(nest, weight=10**6),))
    broken = replace(program.plan, steps=(*program.plan.steps[:-1], replace(step, projections=(bias, far))))
    with pytest.raises(GraphError, match=r"^out: a stencil's weights reach from 1000000 to \d+; there are 0…\d+\.$"):
        ng.bind(broken, program.params, network=graph)


# -- rules that do not show in ordinary numbers -----------------------------------------------------------------------
def test_zero_delta_adds_exactly_zero_to_infinite_neighbours() -> None:
    layers = [
        {"kind": "dense", "name": "h", "units": 6, "bias": False},
        {"kind": "dense", "name": "o", "units": 6, "bias": False},
    ]
    graph = graph_of([6], layers, None)
    params = ng.initialise(graph)
    w = np.zeros((6, 6))
    w[1, 0] = np.inf
    params["o.weight"] = w
    program = ng.compile(graph, params, "float32", innermost="samples")  # with channels innermost ∞·0 is NaN
    x, up = np.ones((2, 6)), np.zeros((2, 6))
    x[0, 3] = np.inf
    up[:, 0] = 1.0
    trace = program.backprop(x, upstream=up)
    assert np.isfinite(trace.delta["h"]).all()
    assert np.isfinite(trace.gradient["o.weight"][1:]).all()
    assert not trace.gradient["o.weight"][1:].any()


def test_nan_reaches_the_output_and_the_first_nan_wins_a_maximum() -> None:
    graph = graph_of([1, 1, 4], [{"kind": "maxpool", "name": "p", "window": [1, 4], "activation": "relu"}], None)
    program = ng.compile(graph, ng.initialise(graph), "float32")
    trace = program.backprop([[[[1.0, np.nan, 3.0, np.nan]]]], upstream=[[[[1.0]]]])
    assert np.isnan(trace.a["p"]).all()
    assert trace.winners["p"].item() == 1


def test_tied_maximum_goes_to_the_first() -> None:
    graph = graph_of([1, 2, 2], [{"kind": "maxpool", "name": "p", "window": 2}], None)
    program = ng.compile(graph, ng.initialise(graph), "float32")
    trace = program.backprop([[[[1.0, 2.0], [2.0, 2.0]]]], upstream=[[[[1.0]]]])
    assert trace.delta["input"].tolist() == [[[[0.0, 1.0], [0.0, 0.0]]]]


def test_l2_of_nothing_passes_nothing_back() -> None:
    graph = graph_of([1, 2, 2], [{"kind": "l2pool", "name": "p", "window": 2}], None)
    program = ng.compile(graph, ng.initialise(graph), "float64")
    trace = program.backprop([[[[0.0, 0.0], [0.0, 0.0]]], [[[3.0, 4.0], [0.0, 0.0]]]], upstream=[[[[1.0]]], [[[1.0]]]])
    assert trace.z["p"].reshape(-1).tolist() == [0.0, 5.0]
    delta = trace.delta["input"].reshape(2, 4)
    assert delta[0].tolist() == [0.0, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(delta[1], [0.6, 0.8, 0.0, 0.0], rtol=1e-15)


def test_logits_of_any_size_keep_a_finite_loss() -> None:
    graph = graph_of([2], [{"kind": "dense", "name": "o", "units": 2, "weights": [[1, 0], [0, 1]]}], CROSS)
    program = ng.compile(graph, ng.initialise(graph), "float32")
    trace = program.backprop([[1e30, -1e30]], [1])
    assert trace.loss == pytest.approx(2e30)
    assert trace.delta["o"].tolist() == [[1.0, -1.0]]


# -- mistakes ---------------------------------------------------------------------------------------------------------
def test_mistakes_are_named() -> None:
    graph, program = small()
    params = program.params
    with pytest.raises(UsageError, match=r"^dtype: found 'float16'; a program computes in float32 or float64\.$"):
        ng.compile(graph, params, "float16")
    with pytest.raises(
        UsageError, match=r"^threads: found 0; expected an integer of at least 1, or None for every core\.$"
    ):
        ng.compile(graph, params, threads=0)
    with pytest.raises(UnknownName, match=r"^no parameter 'c\.weight'"):
        ng.compile(graph, ng.Parameters({"w": 1.0}))
    with pytest.raises(ParameterError, match=r"^out.bias: values of shape \(7,\); the network declares \(3,\)\.$"):
        ng.compile(graph, ng.Parameters({**params, "out.bias": np.zeros(7)}))
    with pytest.raises(BatchError, match="the batch is empty"):
        program.forward(np.zeros((0, 1, 6, 6)))
    with pytest.raises(LossError, match="either a target or an upstream gradient"):
        program.backprop(images(1))
    with pytest.raises(BatchError, match=r"^upstream: 2 samples; x has 3\.$"):
        program.backprop(images(3), upstream=np.zeros((2, 3)))


def test_network_without_loss_runs_forward_and_says_why_it_cannot_train() -> None:
    graph = graph_of([1, 6, 6], SMALL, None)
    program = ng.compile(graph, ng.initialise(graph))
    assert program.forward(images(2)).shape == (2, 3)
    with pytest.raises(LossError, match="has no loss"):
        program.train_step(images(2), [0, 1], ng.SGD(0.1))


def test_spec_compiles_without_being_laid_out() -> None:
    spec = ng.load(toml([2], [{"kind": "dense", "name": "o", "units": 1, "weights": [[1, 1]]}]))
    assert ng.compile(spec, ng.initialise(ng.lay_out(spec))).forward([[1.0, 2.0]]).tolist() == [[3.0]]


def test_biases_apart_in_memory_are_all_learnt() -> None:
    """Lanes may begin at weight 0 and step over the parameters of others (found by an edited network)."""
    g = ng.NeuronGraph()
    g.add_input("x")
    for name in ("h1", "h2"):
        g.add_neuron(name, bias=f"{name}.bias")
        g.connect("x", name, weight=f"{name}.weight", value=1.0)
    g.set_outputs(["h1", "h2"], loss="mse", form="half_sum")
    trace = ng.compile(g, ng.initialise(g), dtype="float64").backprop([[2.0]], upstream=[[3.0, 5.0]])
    assert {name: float(value) for name, value in trace.gradient.items()} == {
        "h1.bias": 3.0,
        "h1.weight": 6.0,
        "h2.bias": 5.0,
        "h2.weight": 10.0,
    }
