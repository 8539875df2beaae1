"""δ and gradients of the textbook engine against differences of its own losses: every kind, activation, loss and layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from written import drawn_engine

import neurograph as ng
from neurograph.ops import KIND_NAMES
from neurograph.ops.words import ACTIVATIONS, LOSSES, NEURON_KINDS, WEIGHTED_KINDS

COMPUTING = [kind for kind in NEURON_KINDS if kind not in ("input", "constant")]
POINTWISE = [activation for activation in ACTIVATIONS if activation != "softmax"]
H = 1e-5
Array = np.ndarray[Any, Any]


def check(engine: ng.ReferenceEngine, x: Array, *, reduction: str = "sum", **given: Any) -> ng.Trace:
    """Compare gradients of all trained weights and δ of all inputs with differences of the loss; return the trace."""
    trace = engine.backprop(x, reduction=reduction, **given)
    share = len(x) if reduction == "mean" else 1

    def loss() -> float:
        return total_loss(engine, x, reduction, given)

    for name, gradient in trace.gradient.items():
        for index in np.ndindex(gradient.shape):
            found = difference(loss, *stepper(engine.params, name, index))
            assert gradient[index] == pytest.approx(found, rel=1e-6, abs=1e-7), f"{name}{list(index)}"
    port = engine.layout.inputs[0]
    delta = inputs_delta(trace, port)
    for index in np.ndindex(x.shape):
        found = difference(lambda x_: total_loss(engine, x_, reduction, given), *shifted(x, index))
        assert delta[index] / share == pytest.approx(found, rel=1e-6, abs=1e-7), f"{port.name}{list(index)}"
    return trace


def total_loss(engine: ng.ReferenceEngine, x: Array, reduction: str, given: Mapping[str, Any]) -> float:
    if given.get("target") is not None:
        loss = engine.backprop(x, reduction=reduction, **given).loss
        assert loss is not None
        return loss
    options = {key: given[key] for key in ("training", "seed") if key in given}
    out, upstream = engine.forward(x, **options), given["upstream"]
    total = (
        sum(float(np.sum(out[k] * np.asarray(upstream[k]))) for k in out)
        if isinstance(out, dict)
        else float(np.sum(out * np.asarray(upstream)))
    )
    return total / (len(x) if reduction == "mean" else 1)


def difference(f: Callable[..., float], forth: Callable[[float], Any], at: float = H) -> float:
    def value(step: float) -> float:
        made = forth(step)
        return f() if made is None else f(made)

    found = (8 * (value(at) - value(-at)) - (value(2 * at) - value(-2 * at))) / (12 * at)
    forth(0.0)
    return found


def stepper(params: ng.Parameters, name: str, index: tuple[int, ...]) -> tuple[Callable[[float], None]]:
    before = params[name]

    def step(size: float) -> None:
        values = before.copy()
        values[index] += size
        params[name] = values

    return (step,)


def shifted(x: Array, index: tuple[int, ...]) -> tuple[Callable[[float], Array]]:
    def step(size: float) -> Array:
        values = x.copy()
        values[index] += size
        return values

    return (step,)


def inputs_delta(trace: ng.Trace, port: Any) -> Array:
    if port.members is None:
        return trace.delta[port.name]
    return np.stack([trace.delta[name] for name, _ in port.members], axis=1)


def draw(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).uniform(-1.5, 1.5, shape)


# -- neuron kinds and activations, by hand ----------------------------------------------------------------------------
def small(kind: str, activation: str) -> ng.NeuronGraph:
    """Three inputs, two neurons of a kind that share weights, one of which is read twice."""
    g = ng.NeuronGraph()
    for x in ("x1", "x2", "x3"):
        g.add_input(x)
    bias = {"bias": "b"} if kind == "weighted" else {}
    for h, sources in (("h1", ("x1", "x2")), ("h2", ("x2", "x3"))):
        g.add_neuron(h, kind=kind, activation=activation, **bias)
        for source, weight in zip(sources, ("w1", "w2"), strict=True):
            g.connect(source, h, weight=weight if kind in WEIGHTED_KINDS else None)
    for o, sources in (("o1", ("h1", "h2")), ("o2", ("h2", "x1"))):
        g.add_neuron(o, bias="c")
        for source in sources:
            g.connect(source, o, weight=f"v_{source}_{o}")
    g.set_outputs(["o1", "o2"], loss="mse", form="half_sum")
    return g


@pytest.mark.parametrize("kind", COMPUTING)
@pytest.mark.parametrize("activation", POINTWISE)
def test_gradients_of_every_kind_and_activation(kind: str, activation: str) -> None:
    g = small(kind, activation)
    engine = ng.ReferenceEngine(g, ng.initialise(g, seed=3))
    check(engine, draw(1, 2, 3), target=draw(2, 2, 2))


# -- losses -----------------------------------------------------------------------------------------------------------
FITTING = {
    "cross_entropy": ("softmax", "identity"),
    "binary_cross_entropy": ("sigmoid", "identity"),
    "mse": ACTIVATIONS,
    "rbf_map": ("identity",),
}
CASES = [(loss, activation) for loss in LOSSES for activation in FITTING[loss]]


@pytest.mark.parametrize(("loss", "activation"), CASES)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_gradients_of_every_loss_and_head(loss: str, activation: str, reduction: str) -> None:
    head = {"kind": "rbf" if loss == "rbf_map" else "dense", "units": 3, "activation": activation}
    engine = drawn_engine(ng.ReferenceEngine, [4], [head], {"kind": loss, "weight": 1.5}, seed=1)
    check(engine, draw(1, 3, 4), target=np.array([2, 0, 1]), reduction=reduction)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mse"])
@pytest.mark.parametrize("shape", [(3, 4), (3, 2, 2)], ids=str)
def test_gradients_of_heads_that_are_maps(loss: str, shape: tuple[int, ...]) -> None:
    head = {
        "kind": "conv",
        "filters": 3,
        "kernel": 1,
        "activation": "softmax" if loss == "cross_entropy" else "identity",
    }
    engine = drawn_engine(ng.ReferenceEngine, [2, *shape[1:]], [head], {"kind": loss})
    classes = np.random.default_rng(0).integers(0, 3, (2, *shape[1:]))
    trace = check(engine, draw(4, 2, 2, *shape[1:]), target=classes)
    if loss == "cross_entropy":
        np.testing.assert_allclose(trace.a["conv1"].sum(axis=1), 1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", [(4,), (2, 3)], ids=str)
def test_gradients_of_upstream_through_every_head(activation: str, shape: tuple[int, ...]) -> None:
    head = {"kind": "dense", "units": 3} if len(shape) == 1 else {"kind": "conv", "filters": 3, "kernel": 2}
    engine = drawn_engine(ng.ReferenceEngine, shape, [{**head, "activation": activation}])
    out = engine.forward(draw(1, 2, *shape))
    trace = check(engine, draw(1, 2, *shape), upstream=draw(5, *out.shape))
    assert trace.loss is None


def test_gradients_of_several_weighted_heads() -> None:
    layers = [
        {"kind": "dense", "name": "body", "units": 4, "activation": "tanh"},
        {"kind": "dense", "name": "sort", "units": 3, "activation": "softmax", "from": "body"},
        {"kind": "dense", "name": "place", "units": 2, "from": "body"},
    ]
    losses = [{"kind": "cross_entropy", "of": "sort", "weight": 2.0}, {"kind": "mse", "of": "place", "weight": 0.25}]
    engine = drawn_engine(ng.ReferenceEngine, [3], layers, losses)
    target = {"sort": np.array([1, 2]), "place": draw(7, 2, 2)}
    trace = check(engine, draw(6, 2, 3), target=target)
    out = engine.forward(draw(6, 2, 3))
    np.testing.assert_allclose(trace.delta["sort"], 2 * (out["sort"] - np.eye(3)[[1, 2]]))
    np.testing.assert_allclose(trace.delta["place"], 0.25 * (out["place"] - target["place"]))
    check(engine, draw(6, 2, 3), upstream={"sort": draw(8, 2, 3), "place": draw(9, 2, 2)})


def test_gradients_of_an_output_that_is_also_read() -> None:
    g = ng.NeuronGraph()
    g.add_input("x")
    g.add_neuron("o1", activation="sigmoid", bias="b")
    g.add_neuron("o2", activation="tanh")
    g.connect("x", "o1", weight="w")
    g.connect("o1", "o2", weight="v")
    g.set_outputs(["o1", "o2"], loss="mse", form="half_sum")
    engine = ng.ReferenceEngine(g, ng.Parameters({"w": 0.7, "v": -1.2, "b": 0.1}))
    check(engine, draw(1, 2, 1), target=draw(2, 2, 2))


# -- layers -----------------------------------------------------------------------------------------------------------
MAP, DENSE = [2, 5, 4], {"kind": "dense", "units": 2}
LAYERS: dict[str, list[list[dict[str, Any]]]] = {
    "dense": [[{"kind": "dense", "units": 3, "activation": "gelu"}]],
    "conv": [
        [{"kind": "conv", "filters": 2, "kernel": 3, "padding": 1, "stride": [2, 1], "activation": "tanh"}],
        [{"kind": "conv", "filters": 4, "kernel": 2, "groups": 2, "dilation": 2, "bias": False}],
        [{"kind": "conv", "filters": 2, "kernel": 3, "padding": "same", "padding_value": -1, "tie_bias": "none"}],
        [{"kind": "conv", "filters": 2, "kernel": 2, "tie": "none", "stride": 2}],
        [{"kind": "conv", "filters": 2, "kernel": 2, "connections": [[0], [0, 1]]}],
    ],
    "depthwise": [[{"kind": "depthwise", "kernel": 2, "multiplier": 2, "padding": 1, "stride": 2}]],
    "maxpool": [[{"kind": "maxpool", "window": 3, "stride": 1, "padding": 1}]],
    "avgpool": [[{"kind": "avgpool", "window": 2, "padding": 1, "activation": "sigmoid"}]],
    "l2pool": [[{"kind": "l2pool", "window": [3, 2], "stride": 1}]],
    "globalpool": [[{"kind": "globalpool", "op": op}] for op in ("max", "mean", "l2")],
    "subsample": [[{"kind": "subsample", "window": 2, "activation": "scaled_tanh"}]],
    "rbf": [[{"kind": "rbf", "units": 3}]],
    "add": [
        [
            {"kind": "conv", "name": "a", "filters": 2, "kernel": 1},
            {"kind": "add", "from": ["a", "input"], "activation": "silu"},
        ]
    ],
    "concat": [
        [{"kind": "conv", "name": "a", "filters": 1, "kernel": 1}, {"kind": "concat", "from": ["a", "input"]}],
    ],
    "flatten": [[{"kind": "flatten"}]],
    "activation": [[{"kind": "activation", "activation": "elu"}]],
    "dropout": [[{"kind": "dropout", "keep": 0.5}]],
}


def test_layers_here_are_all_there_are() -> None:
    assert set(LAYERS) == set(KIND_NAMES)


@pytest.mark.parametrize(("kind", "number"), [(kind, n) for kind in LAYERS for n in range(len(LAYERS[kind]))])
def test_gradients_of_every_layer(kind: str, number: int) -> None:
    engine = drawn_engine(ng.ReferenceEngine, MAP, [*LAYERS[kind][number], DENSE], {"kind": "mse"}, seed=2)
    trace = check(engine, draw(3, 1, *MAP), target=draw(4, 1, 2), training=True, seed=11)
    assert np.any(next(iter(trace.delta.values())))


def test_gradients_of_a_shared_weight_sum_over_its_layers() -> None:
    layers = [
        {"kind": "dense", "name": "one", "units": 3, "activation": "tanh"},
        {"kind": "dense", "name": "two", "units": 3, "weights_from": "one"},
    ]
    trace = check(drawn_engine(ng.ReferenceEngine, [3], layers, {"kind": "mse"}), draw(1, 2, 3), target=draw(2, 2, 3))
    assert set(trace.gradient) == {"one.weight", "one.bias"}


def test_gradients_of_a_conv_behind_dropout_read_the_masked_map() -> None:
    layers = [
        {"kind": "conv", "filters": 2, "kernel": 1, "name": "a", "activation": "sigmoid"},
        {"kind": "concat", "from": ["a", "input"]},
        {"kind": "dropout", "rate": 0.25, "name": "drop"},
        {"kind": "conv", "filters": 1, "kernel": 2, "padding": 1},
    ]
    engine = drawn_engine(ng.ReferenceEngine, [1, 3, 3], layers, {"kind": "mse"})
    trace = check(engine, draw(1, 2, 1, 3, 3), target=draw(2, 2, 1, 4, 4), training=True, seed=5)
    assert trace.masks["drop"].shape == (2, 3, 3, 3)
