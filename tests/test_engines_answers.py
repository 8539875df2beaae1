"""What every engine answers: labels, probabilities, evaluations; and what it says to wrong questions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from written import ENGINES, Maker, drawn, drawn_engine

import neurograph as ng
from neurograph.errors import BatchError, LossError, UsageError

pytestmark = pytest.mark.parametrize("make", ENGINES)


# -- answers ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("activation", ["softmax", "identity"])
def test_classes_are_predicted_evaluated_and_have_probabilities(make: Maker, activation: str) -> None:
    engine = drawn_engine(make, [2], [{"kind": "activation", "activation": activation}], {"kind": "cross_entropy"})
    x = [[1.0, 3.0], [2.0, -1.0], [0.0, 0.5]]
    assert engine.predict(x).tolist() == [1, 0, 1]
    e = np.exp(np.array(x))
    np.testing.assert_allclose(engine.predict_proba(x), e / e.sum(axis=1, keepdims=True), rtol=1e-14)
    result = engine.evaluate(x, [1, 0, 0])
    assert (result.accuracy, result.n_samples) == (2 / 3, 3)
    assert result.loss == pytest.approx(engine.backprop(x, [1, 0, 0]).loss, rel=1e-14)
    assert engine.forward(x).tolist() == (x if activation == "identity" else engine.predict_proba(x).tolist())


@pytest.mark.parametrize("activation", ["sigmoid", "identity"])
def test_one_unit_under_binary_cross_entropy_says_yes_from_one_half(make: Maker, activation: str) -> None:
    layers = [{"kind": "activation", "activation": activation}]
    engine = drawn_engine(make, [1], layers, {"kind": "binary_cross_entropy"})
    assert engine.predict([[0.0], [-0.1], [5.0]]).tolist() == [1, 0, 1]
    np.testing.assert_allclose(engine.predict_proba([[0.0]]), [[0.5]])
    assert engine.evaluate([[0.0], [-0.1], [5.0]], [1, 1, 0]).accuracy == 1 / 3


def test_an_rbf_head_predicts_the_nearest_pattern_and_has_no_probabilities(make: Maker) -> None:
    layers = [{"kind": "rbf", "name": "out", "units": 2, "weights": [[1, 1], [-1, -1]]}]
    engine = drawn_engine(make, [2], layers, {"kind": "rbf_map"})
    assert engine.forward([[1.0, 0.5]]).tolist() == [[0.25, 6.25]]
    assert engine.predict([[1.0, 0.5], [0.0, -1.0]]).tolist() == [0, 1]
    with pytest.raises(
        LossError, match=r"^'out' has no probabilities \(activation identity, loss rbf_map\); they need"
    ):
        engine.predict_proba([[1.0, 0.5]])


def test_regression_predicts_its_outputs_and_has_no_accuracy(make: Maker) -> None:
    engine = drawn_engine(make, [2], [{"kind": "dense", "units": 1}], {"kind": "mse"})
    x = [[1.0, 2.0], [3.0, 4.0]]
    np.testing.assert_array_equal(engine.predict(x), engine.forward(x))
    assert engine.evaluate(x, [[0.5], [0.25]]).accuracy is None


def test_classes_under_the_squared_error_are_counted_where_targets_are_classes(make: Maker) -> None:
    engine = drawn_engine(
        make, [2], [{"kind": "activation", "activation": "tanh"}], {"kind": "mse", "targets": [-1.0, 1.0]}
    )
    x = [[3.0, -3.0], [-3.0, 3.0]]
    assert engine.evaluate(x, [0, 0]).accuracy == 0.5
    assert engine.evaluate(x, [[0.9, 0.3], [0.1, 0.2]]).accuracy is None
    trace = engine.backprop(x, [0, 1])
    np.testing.assert_allclose(trace.loss, (np.tanh(3) - 1) ** 2, rtol=1e-12)


def test_evaluation_does_not_depend_on_how_many_samples_it_takes_at_a_time(make: Maker) -> None:
    engine = drawn_engine(make, [3], [{"kind": "dense", "units": 4}], {"kind": "cross_entropy"})
    random = np.random.default_rng(0)
    x, t = random.normal(size=(150, 3)), random.integers(0, 4, 150)
    result = engine.evaluate(x, t)
    assert result.n_samples == 150
    assert result.loss == pytest.approx(engine.backprop(x, t).loss, rel=1e-12)
    assert result.accuracy == np.mean(engine.predict(x) == t)


def test_several_inputs_and_heads_are_dictionaries_by_name(make: Maker) -> None:
    text = """
    [[input]]
    name = "left"
    shape = [2]
    [[input]]
    name = "right"
    shape = [3]
    [[layer]]
    name = "all"
    kind = "concat"
    from = ["left", "right"]
    [[layer]]
    name = "sort"
    kind = "dense"
    units = 2
    from = "all"
    [[layer]]
    name = "place"
    kind = "dense"
    units = 1
    from = "all"
    [[loss]]
    of = "sort"
    kind = "cross_entropy"
    [[loss]]
    of = "place"
    kind = "mse"
    weight = 3.0
    """
    graph = ng.build(ng.lay_out(ng.load(text)))
    engine = make(graph, drawn(graph))
    x = {"left": np.ones((2, 2)), "right": np.full((2, 3), 0.5)}
    out = engine.forward(x)
    assert {name: array.shape for name, array in out.items()} == {"sort": (2, 2), "place": (2, 1)}
    target = {"sort": [0, 1], "place": [[1.0], [2.0]]}
    trace = engine.backprop(x, target, reduction="sum")
    squares = 3 * np.sum((out["place"] - target["place"]) ** 2)
    p = np.exp(out["sort"]) / np.exp(out["sort"]).sum(axis=1, keepdims=True)
    assert trace.loss == pytest.approx(squares - np.log(p[[0, 1], [0, 1]]).sum(), rel=1e-12)
    assert set(engine.predict(x)) == {"sort", "place"}
    result = engine.evaluate(x, target)
    assert (result.loss, result.accuracy) == (pytest.approx(trace.loss / 2), 0.5)


# -- errors -----------------------------------------------------------------------------------------------------------
def message(kind: type[Exception], call: Any) -> str:
    with pytest.raises(kind) as raised:
        call()
    return str(raised.value)


def test_wrong_uses_each_say_what_to_do(make: Maker) -> None:
    graph = ng.NeuronGraph()
    graph.add_input("x")
    graph.add_neuron("o", bias="c")
    graph.connect("x", "o", weight="w")
    graph.set_outputs(["o"], loss="mse")
    engine = make(graph, ng.Parameters({"w": 2.0, "c": 1.0}))
    x = [[1.0]]
    assert message(LossError, lambda: engine.backprop(x)) == (
        "backprop needs either a target or an upstream gradient; give exactly one of them."
    )
    assert message(LossError, lambda: engine.backprop(x, [[1.0]], upstream=[[1.0]])).startswith("backprop needs either")
    assert message(LossError, lambda: engine.backprop(x, [[1.0]], reduction="max")) == (
        "unknown reduction 'max' (known: mean, sum)"
    )
    assert message(BatchError, lambda: engine.backprop(x, upstream=[[1.0], [1.0]])) == "upstream: 2 samples; x has 1."
    assert message(BatchError, lambda: engine.forward([[1.0, 2.0]])) == ("x: shape (1, 2); 'input' needs (batch, 1).")
    assert message(BatchError, lambda: engine.forward([[1.0 + 2.0j]])) == (
        "x: input: complex numbers; neurons compute with real ones. Pass their parts as two channels."
    )
    assert message(UsageError, lambda: engine.forward(x, training=True, seed=-1)) == (
        "seed: found -1; a seed is an integer of at least 0, or None for a fresh one."
    )


def test_a_network_without_loss_or_outputs_still_runs_forward(make: Maker) -> None:
    engine = drawn_engine(make, [2], [{"kind": "dense", "name": "out", "units": 2}])
    assert engine.forward([[1.0, 2.0]]).shape == (1, 2)
    assert message(LossError, lambda: engine.backprop([[1.0, 2.0]], [0])) == (
        "'out' has no loss; add [loss] to the spec, or pass upstream instead of a target."
    )
    g = ng.NeuronGraph()
    g.add_input("x")
    g.add_neuron("h", kind="sum")
    g.connect("x", "h")
    engine = make(g, ng.Parameters())
    assert engine.forward([[1.0]]) == {}
    assert message(LossError, lambda: engine.backprop([[1.0]], [[1.0]])) == (
        "this network has no outputs, so nothing to train; name them with set_outputs."
    )
