"""How losses count targets and samples: label smoothing, class weights, and weights that are counted from labels."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.errors import BatchError, LossError, SpecError
from neurograph.graph.balancing import counted_weights, with_class_weights
from neurograph.spec import Spec
from tests.sweep import CONV, network

ENGINES = ["textbook", "compiled"]
HEAD = {"kind": "dense", "units": 4}
X = np.random.default_rng(0).uniform(-1, 1, (5, 2, 5, 6))
LABELS = np.array([0, 3, 1, 3, 2])


def engine_of(spec: Spec, which: str, labels: Any = None) -> Any:
    topology = ng.lay_out(spec)
    topology = topology if labels is None else ng.balanced(topology, labels)
    params = ng.initialise(topology, seed=1)
    if which == "textbook":
        return ng.ReferenceEngine(ng.build(topology), params)
    return ng.compile(topology, params, dtype="float64", threads=1)


def of(loss: dict[str, Any], head: dict[str, Any] = HEAD) -> Spec:
    return network(head, loss=loss)


def plain_delta(loss: dict[str, Any], head: dict[str, Any], target: Any) -> Any:
    """δ of the head under the same loss without smoothing and weights."""
    left = {key: value for key, value in loss.items() if key not in ("label_smoothing", "class_weights")}
    return engine_of(of(left, head), "textbook").backprop(X, target).delta["n0"]


# -- what they mean ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("which", ENGINES)
def test_smoothed_labels_are_the_soft_targets_of_szegedy(which: str) -> None:
    smooth = engine_of(of({"kind": "cross_entropy", "label_smoothing": 0.2}), which).backprop(X, LABELS)
    soft = 0.8 * np.eye(4)[LABELS] + 0.05
    plain = engine_of(of({"kind": "cross_entropy"}), which).backprop(X, soft)
    np.testing.assert_allclose(smooth.delta["n0"], plain.delta["n0"], atol=1e-15)
    assert smooth.loss == pytest.approx(plain.loss, rel=1e-14)


@pytest.mark.parametrize("which", ENGINES)
@pytest.mark.parametrize(
    ("kind", "head", "more"),
    [
        ("cross_entropy", {**HEAD, "activation": "softmax"}, {}),
        ("mse", {**HEAD, "activation": "tanh"}, {"targets": [-1, 1]}),
        ("mse", HEAD, {"form": "half_sum"}),
        ("rbf_map", {"kind": "rbf", "units": 4}, {}),
    ],
)
def test_a_class_weight_scales_delta_and_loss_of_its_samples(kind: str, head: Any, more: Any, which: str) -> None:
    loss = {"kind": kind, "class_weights": [0.5, 2.0, 0.0, 3.0], **more}
    engine = engine_of(of(loss, head), which)
    trace = engine.backprop(X, LABELS, reduction="sum")
    factors = np.array([0.5, 2.0, 0.0, 3.0])[LABELS]
    np.testing.assert_allclose(trace.delta["n0"], factors[:, None] * plain_delta(loss, head, LABELS), atol=1e-14)
    plain = engine_of(of({"kind": kind, **more}, head), which)
    each = [plain.backprop(X[i : i + 1], LABELS[i : i + 1]).loss for i in range(5)]
    assert trace.loss == pytest.approx(float(factors @ each), rel=1e-13)
    mean = engine.backprop(X, LABELS)
    assert mean.loss == pytest.approx(trace.loss / 5, rel=1e-13)


@pytest.mark.parametrize("which", ENGINES)
def test_a_weight_of_two_is_the_sample_twice(which: str) -> None:
    weighed = engine_of(of({"kind": "cross_entropy", "class_weights": [1.0, 1.0, 1.0, 2.0]}), which)
    plain = engine_of(of({"kind": "cross_entropy"}), which)
    twice = np.concatenate([X, X[LABELS == 3]]), np.concatenate([LABELS, [3, 3]])
    one, other = weighed.backprop(X, LABELS, reduction="sum"), plain.backprop(*twice, reduction="sum")
    for name in one.gradient:
        np.testing.assert_allclose(one.gradient[name], other.gradient[name], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("which", ENGINES)
def test_a_soft_target_has_the_mean_of_its_classes_weights(which: str) -> None:
    weights = np.array([0.5, 2.0, 1.0, 3.0])
    loss = {"kind": "cross_entropy", "class_weights": weights.tolist()}
    soft = np.random.default_rng(1).dirichlet(np.ones(4), 5)
    delta = engine_of(of(loss), which).backprop(X, soft).delta["n0"]
    np.testing.assert_allclose(delta, (soft @ weights)[:, None] * plain_delta(loss, HEAD, soft), atol=1e-14)


@pytest.mark.parametrize("which", ENGINES)
def test_every_position_of_a_map_has_its_own_class(which: str) -> None:
    weights = np.array([0.5, 2.0, 4.0])
    head = {**CONV, "filters": 3}
    classes = np.random.default_rng(2).integers(0, 3, (5, 3, 4))
    loss = {"kind": "cross_entropy", "class_weights": weights.tolist()}
    delta = engine_of(of(loss, head), which).backprop(X, classes).delta["n0"]
    np.testing.assert_allclose(delta, weights[classes][:, None] * plain_delta(loss, head, classes), atol=1e-14)


@pytest.mark.parametrize("which", ENGINES)
def test_evaluation_uses_the_same_loss_and_leaves_accuracy_alone(which: str) -> None:
    engine = engine_of(
        of({"kind": "cross_entropy", "label_smoothing": 0.1, "class_weights": [1.0, 2.0, 3.0, 4.0]}), which
    )
    judged = engine.evaluate(X, LABELS)
    assert judged.loss == pytest.approx(engine.backprop(X, LABELS).loss, rel=1e-13)
    assert judged.accuracy == float((engine.predict(X) == LABELS).mean())


# -- PyTorch as referee -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("which", ENGINES)
def test_cross_entropy_with_label_smoothing_is_pytorchs(which: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    engine = engine_of(of({"kind": "cross_entropy", "label_smoothing": 0.15}), which)
    z = torch.tensor(np.array(engine.forward(X)), requires_grad=True)
    loss = torch.nn.functional.cross_entropy(z, torch.tensor(LABELS), label_smoothing=0.15)
    loss.backward()
    trace = engine.backprop(X, LABELS)
    assert trace.loss == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(trace.delta["n0"] / 5, z.grad.numpy(), atol=1e-14)


@pytest.mark.parametrize("which", ENGINES)
def test_class_weights_are_pytorchs_but_for_the_divisor_of_the_mean(which: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    weights = [0.5, 2.0, 1.0, 3.0]
    engine = engine_of(of({"kind": "cross_entropy", "class_weights": weights}), which)
    z = torch.tensor(np.array(engine.forward(X)), requires_grad=True)
    loss = torch.nn.functional.cross_entropy(z, torch.tensor(LABELS), torch.tensor(weights, dtype=z.dtype))
    loss.backward()
    trace, share = engine.backprop(X, LABELS), np.array(weights)[LABELS].sum() / 5
    assert trace.loss / share == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(trace.delta["n0"] / 5 / share, z.grad.numpy(), atol=1e-14)


@pytest.mark.parametrize("which", ENGINES)
def test_weights_of_several_binary_units_are_pytorchs_pos_weight(which: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    weights, target = [0.5, 2.0, 1.0, 3.0], np.random.default_rng(3).integers(0, 2, (5, 4)).astype(float)
    engine = engine_of(of({"kind": "binary_cross_entropy", "class_weights": weights}), which)
    z = torch.tensor(np.array(engine.forward(X)), requires_grad=True)
    pos_weight = torch.tensor(weights, dtype=z.dtype)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        z, torch.tensor(target), pos_weight=pos_weight, reduction="sum"
    )
    loss.backward()
    trace = engine.backprop(X, target, reduction="sum")
    assert trace.loss == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(trace.delta["n0"], z.grad.numpy(), atol=1e-14)


@pytest.mark.parametrize("which", ENGINES)
def test_one_binary_unit_has_two_classes(which: str) -> None:
    loss = {"kind": "binary_cross_entropy", "class_weights": [0.5, 3.0], "label_smoothing": 0.2}
    head = {**HEAD, "units": 1}
    y = np.array([0, 1, 1, 0, 1])
    trace = engine_of(of(loss, head), which).backprop(X, y)
    p = 1 / (1 + np.exp(-trace.z["n0"][:, 0]))
    np.testing.assert_allclose(trace.delta["n0"][:, 0], np.where(y == 1, 3.0, 0.5) * (p - (0.8 * y + 0.1)), atol=1e-15)


# -- counted from labels ----------------------------------------------------------------------------------------------
def weights_of(loss: dict[str, Any], head: dict[str, Any], labels: Any) -> Any:
    found = ng.balanced(ng.lay_out(of({**loss, "class_weights": "balanced"}, head)), labels).heads[0].loss
    assert found is not None
    return found.class_weights


def test_balanced_weights_are_scikit_learns() -> None:
    sklearn = pytest.importorskip("sklearn.utils.class_weight", reason="scikit-learn is not installed")
    y = np.random.default_rng(4).choice(4, 200, p=[0.6, 0.2, 0.15, 0.05])
    wanted = sklearn.compute_class_weight("balanced", classes=np.arange(4), y=y)
    np.testing.assert_allclose(weights_of({"kind": "cross_entropy"}, HEAD, y), wanted, rtol=1e-14)
    np.testing.assert_allclose(weights_of({"kind": "mse", "targets": [-1, 1]}, HEAD, 2 * np.eye(4)[y] - 1), wanted)
    np.testing.assert_allclose(np.array(wanted)[y].sum(), 200)


def test_balanced_weights_of_binary_heads_and_maps() -> None:
    binary = {"kind": "binary_cross_entropy"}
    assert weights_of(binary, {**HEAD, "units": 1}, [0, 0, 0, 1]) == pytest.approx((4 / 6, 2.0))
    several = np.array([[1, 0, 1, 1], [0, 0, 1, 0], [0, 1, 1, 1], [0, 1, 1, 1]])
    assert weights_of(binary, HEAD, several) == (3.0, 1.0, 1.0, pytest.approx(1 / 3))
    maps = np.zeros((2, 3, 4), int)
    maps[0, 0] = 1
    assert weights_of({"kind": "cross_entropy"}, {**CONV, "filters": 2}, maps) == pytest.approx((24 / 40, 24 / 8))


def test_a_class_that_no_label_has_is_not_counted() -> None:
    assert weights_of({"kind": "cross_entropy"}, HEAD, [0, 0, 0, 1]) == pytest.approx((4 / 6, 2.0, 1.0, 1.0))


def test_balancing_leaves_other_heads_and_the_network_itself_alone() -> None:
    losses = [{"kind": "mse", "of": "one"}, {"kind": "cross_entropy", "of": "two", "class_weights": "balanced"}]
    layers = ({**HEAD, "name": "one", "from": "input"}, {**HEAD, "name": "two", "from": "input"})
    topology = ng.lay_out(network(*layers, loss=losses))
    made = ng.balanced(topology, {"one": X, "two": [0, 1, 2, 2]})
    assert [head.loss.class_weights for head in topology.heads if head.loss] == [None, "balanced"]
    assert counted_weights(topology, made) == {"two": [4 / 3, 4 / 3, 2 / 3, 1.0]}
    assert with_class_weights(topology, counted_weights(topology, made)).heads == made.heads
    assert ng.balanced(made, {"one": X, "two": [0]}) is made


def test_graphs_are_balanced_like_topologies() -> None:
    topology = ng.lay_out(of({"kind": "cross_entropy", "class_weights": "balanced"}))
    graph = ng.build(topology)
    made = ng.balanced(graph, LABELS)
    assert made.heads == ng.balanced(topology, LABELS).heads
    assert made is not graph
    assert ng.ReferenceEngine(made, ng.initialise(made)).evaluate(X, LABELS).loss > 0


@pytest.mark.parametrize("which", ENGINES)
def test_an_engine_without_labels_runs_forward_and_refuses_targets(which: str) -> None:
    engine = engine_of(of({"kind": "cross_entropy", "class_weights": "balanced"}), which)
    assert np.shape(engine.forward(X)) == (5, 4)
    with pytest.raises(LossError, match=r"^'n0': class_weights = \"balanced\" is counted from training labels"):
        engine.backprop(X, LABELS)
    assert engine_of(of({"kind": "cross_entropy", "class_weights": "balanced"}), which, LABELS).backprop(X, LABELS).loss


def test_labels_that_are_no_classes_are_refused() -> None:
    topology = ng.lay_out(of({"kind": "cross_entropy", "class_weights": "balanced"}))
    with pytest.raises(BatchError, match=r"^target: 'n0' needs classes 0…3 to balance\.$"):
        ng.balanced(topology, [0, 4])
    with pytest.raises(BatchError, match=r"^target: found \['other'\]; labels of n0 are needed\.$"):
        ng.balanced(topology, {"other": [0, 1]})


# -- what specs may say -----------------------------------------------------------------------------------------------
HEAD_TEXT = 'input = [4]\n[[layer]]\nname = "o"\nkind = "dense"\nunits = 3\n[loss]\nkind = "{}"\n{}\n'
FAULTS = [
    (
        "mse",
        "label_smoothing = 0.1",
        "label_smoothing goes with cross_entropy and binary_cross_entropy; the loss is mse.",
    ),
    ("cross_entropy", "label_smoothing = 1.0", "label_smoothing"),
    ("cross_entropy", "label_smoothing = 0.1\ntargets = [0.1, 0.9]", "both say which values a class has"),
    (
        "cross_entropy",
        "class_weights = [1.0, 2.0]",
        "class_weights: found 2 numbers; 'o' has 3 classes. Give one number a class",
    ),
    (
        "cross_entropy",
        "class_weights = [0.0, 0.0, 0.0]",
        "expected finite numbers of at least 0, and not all of them 0.",
    ),
    ("cross_entropy", "class_weights = [1.0, -1.0, 1.0]", "class_weights"),
    ("cross_entropy", 'class_weights = "balance"', "did you mean 'balanced'?"),
    ("mse", "class_weights = [1.0, 2.0, 1.0]\ntargets = [1, 1]", "does not tell classes apart"),
]


@pytest.mark.parametrize(("kind", "line", "said"), FAULTS)
def test_wrong_keys_are_said_with_their_line(kind: str, line: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        ng.lay_out(ng.load(HEAD_TEXT.format(kind, line)))
    assert said in str(caught.value)
    assert str(caught.value).startswith("<text>:6: "), str(caught.value)


def test_one_unit_has_no_classes_under_squares() -> None:
    with pytest.raises(SpecError, match=r"class_weights: 'o' has 1 unit, and no classes under mse\."):
        ng.lay_out(ng.load(HEAD_TEXT.replace("units = 3", "units = 1").format("mse", "class_weights = [1.0, 2.0]")))


def test_hand_drawn_outputs_have_weights_too() -> None:
    graph = ng.NeuronGraph()
    graph.add_input("x")
    for name in ("a", "b"):
        graph.add_neuron(name)
        graph.connect("x", name, weight=f"w{name}", value=0.5)
    graph.set_outputs(["a", "b"], loss="mse", form="half_sum", class_weights=[1.0, 3.0])
    trace = ng.ReferenceEngine(graph, ng.initialise(graph)).backprop([[2.0], [2.0]], [0, 1])
    assert trace.delta["a"].tolist() == [0.0, 3.0]
    assert trace.delta["b"].tolist() == [1.0, 0.0]
    graph.set_outputs(["a", "b"], loss="mse", class_weights=[1.0, 3.0, 1.0])
    with pytest.raises(ng.NeurographError, match=r"class_weights: found 3 numbers; 'outputs' has 2 classes"):
        graph.validate()


# -- what the inspector shows -----------------------------------------------------------------------------------------
def test_the_loss_card_shows_smoothed_targets_and_class_weights() -> None:
    spec = of({"kind": "cross_entropy", "label_smoothing": 0.2, "class_weights": [1.0, 2.0, 3.0, 4.0]})
    engine = engine_of(spec, "compiled")
    card = ng.Inspector(engine, X, LABELS, sample=1).loss()
    assert card.heads[0][1] == "Σ −w·t′·log p"
    assert card.notes == (
        (
            "t′ = (1 − ε)·t + ε/K, label smoothing with ε = 0.2, K = 4",
            "w is the weight of the class; the weights are 1, 2, 3, 4",
        ),
    )
    outputs = card.heads[0][3]
    assert [o.target for o in outputs] == [0, 0, 0, 1]
    assert [o.smoothed for o in outputs] == pytest.approx([0.05, 0.05, 0.05, 0.85])
    assert {o.class_weight for o in outputs} == {4.0}
    assert card.value == pytest.approx(engine.backprop(X[1:2], LABELS[1:2]).loss, rel=1e-12)
    assert "t′ = (1 − ε)·t + ε/K" in str(card)
    found = ng.Inspector(engine, X, LABELS, sample=1).neuron("n0[3]").from_loss
    assert found is not None
    assert found.formula == "w · (p − t′), with the class weight w"
    assert found.value == pytest.approx(float(engine.backprop(X, LABELS).delta["n0"][1, 3]), rel=1e-12)


@pytest.mark.parametrize("kind", ["binary_cross_entropy", "mse", "rbf_map"])
def test_cards_add_up_to_the_loss(kind: str) -> None:
    head = {"kind": "rbf", "units": 4} if kind == "rbf_map" else HEAD
    engine = engine_of(of({"kind": kind, "class_weights": [1.0, 2.0, 3.0, 4.0], "weight": 0.5}, head), "textbook")
    target = np.eye(4)[LABELS]
    inspector = ng.Inspector(engine, X, target, sample=2)
    assert inspector.loss().value == pytest.approx(engine.backprop(X[2:3], target[2:3]).loss, rel=1e-12)
    delta = engine.backprop(X, target).delta["n0"][2]
    for i in range(4):
        found = inspector.neuron(f"n0[{i}]").from_loss
        assert found is not None
        assert found.value == pytest.approx(float(delta[i]), rel=1e-12)


def test_fractions_of_weighed_squares_are_exact() -> None:
    graph = ng.NeuronGraph()
    graph.add_input("x")
    for name, value in (("a", 0.1), ("b", 0.3)):
        graph.add_neuron(name)
        graph.connect("x", name, weight=f"w{name}", value=value)
    graph.set_outputs(["a", "b"], loss="mse", form="half_sum", class_weights=[1.0, 0.7])
    engine = ng.ReferenceEngine(graph, ng.initialise(graph))
    inspector: Any = ng.Inspector(engine, [[1.0]], [1]).fractions()
    assert inspector.neuron("b").from_loss.value == Fraction(7, 10) * (Fraction(3, 10) - 1)
    from neurograph.inspector.rational_loss import exact_loss

    assert exact_loss(inspector).value == Fraction(7, 20) * (Fraction(1, 100) + Fraction(49, 100))


def test_verify_stands_in_for_labels_it_does_not_have() -> None:
    spec = network({**HEAD, "units": 3}, shape=[3], loss={"kind": "cross_entropy", "class_weights": "balanced"})
    report = ng.verify(spec)
    assert report.ok
    assert "class_weights = balanced waits for training labels" in str(report)


def test_a_softmax_of_one_unit_is_refused() -> None:
    """Its loss does not see what the unit computes, and falls without end where targets are numbers."""
    told = "'out' has 1 unit, and the softmax of one unit is 1 whatever it computes. Use binary_cross_entropy"
    layer = {"kind": "dense", "name": "out", "units": 1}
    with pytest.raises(ng.NeurographError, match=told):
        ng.load(json.dumps({"input": [2], "layer": [layer], "loss": {"kind": "cross_entropy"}}))
    ng.load(json.dumps({"input": [2], "layer": [layer], "loss": {"kind": "binary_cross_entropy"}}))
