"""Both engines are one network: exactly on integers, within local bounds on floats, for every word and for whatever hypothesis draws."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings

from neurograph.graph.build import build
from neurograph.graph.lay_out import lay_out
from neurograph.ops import KIND_NAMES
from neurograph.ops.words import ACTIVATIONS, LOSSES, MSE_FORMS
from neurograph.spec import Spec
from tests import agreement
from tests.editing import EDITS, edit
from tests.strategies import Case, any_spec, cases, hand_drawn, specs
from tests.sweep import OF_ACTIVATIONS, OF_KINDS, OF_LOSSES, SWEEP

SCALE = settings.default.max_examples / 100
"""How many times the default number of examples the profile in force draws: 1, 20 under `slow`, 0.1 without the JIT."""


needs_jit = pytest.mark.skipif(not agreement.JIT, reason="hundreds of passes; takes minutes without the JIT")


def examples(count: int) -> Any:
    """Hypothesis settings for about `count` examples in the normal run."""
    return settings(max_examples=max(5, round(count * SCALE)), suppress_health_check=list(HealthCheck))


# -- every word, deterministically ------------------------------------------------------------------------------------
def case_of(name: str, batch: int = 3) -> Case:
    return Case(SWEEP[name], (), batch, seed=sum(map(ord, name)))


def test_sweep_says_every_word() -> None:
    assert set(OF_KINDS) == set(KIND_NAMES)
    assert set(OF_ACTIVATIONS) == set(ACTIVATIONS)
    assert {loss.kind for spec in OF_LOSSES.values() for loss in spec.losses} == set(LOSSES)
    assert {loss.form for spec in OF_LOSSES.values() for loss in spec.losses if loss.kind == "mse"} == set(MSE_FORMS)


@pytest.mark.parametrize("name", SWEEP)
def test_every_word_agrees_exactly(name: str) -> None:
    compared = agreement.agree_exactly(case_of(name))
    assert {("float64", True), ("float64", False)} <= compared


@pytest.mark.parametrize("name", SWEEP)
def test_every_word_agrees_closely(name: str) -> None:
    agreement.agree_closely(case_of(name), steps=min(2, agreement.STEPS))


@needs_jit
@pytest.mark.parametrize("name", SWEEP)
def test_every_word_is_its_gradient(name: str) -> None:
    agreement.program_is_the_gradient(case_of(name, batch=2))
    agreement.textbook_is_consistent(case_of(name, batch=2))


@pytest.mark.parametrize("name", SWEEP)
def test_every_word_is_planned_alike_on_both_roads(name: str) -> None:
    agreement.plans_agree(case_of(name))
    agreement.edges_agree(case_of(name))


@pytest.mark.parametrize("name", SWEEP)
def test_every_word_agrees_after_edits(name: str) -> None:
    """Edges deleted and re-tied, a neuron removed and one put in between: what is left is read, planned and run as it is."""
    words = ("delete edge", "delete edge", "retie", "remove neuron", "add neuron", "delete edge", "own weight")
    edited = replace(case_of(name), edits=tuple((word, len(name) + i) for i, word in enumerate(words)))
    agreement.edges_agree(edited)
    agreement.agree_exactly(edited)


def test_locally_connected_neurons_share_no_weight() -> None:
    """What both engines read from one topology, neither can prove wrong: an untied weight is on one edge."""
    untied = next(spec for spec in OF_KINDS["conv"] if getattr(spec.layers[0], "tie", "map") == "none")
    graph = build(lay_out(untied))
    used = Counter(param for *_, param in graph.edges(data="param"))
    assert {used[reference] for reference in used} == {1}
    assert len([name for name, _ in used if name == "n0.weight"]) == 2 * 3 * 4 * 2 * 9


# -- whatever hypothesis draws ----------------------------------------------------------------------------------------
@examples(160)
@given(cases())
def test_drawn_networks_agree_exactly(case: Case) -> None:
    agreement.agree_exactly(case)


@examples(120)
@given(cases(edited=True))
def test_edited_networks_agree_exactly(case: Case) -> None:
    agreement.agree_exactly(case)


@examples(70)
@given(cases())
def test_drawn_networks_agree_closely_over_five_steps(case: Case) -> None:
    agreement.agree_closely(case)


def root_behind_a_softmax() -> Case:
    """An L2 pool as a softmax head, one of whose neurons lost its only edge."""
    pool = {"name": "pool", "kind": "l2pool", "window": 1, "activation": "softmax"}
    body = {"name": "found", "input": [2, 3], "layer": [pool], "loss": {"kind": "cross_entropy"}}
    return Case(Spec.model_validate(body), (("delete edge", 3),), batch=2, seed=1)


@examples(60)
@example(root_behind_a_softmax())
@given(cases(edited=True))
def test_edited_networks_agree_closely_over_five_steps(case: Case) -> None:
    agreement.agree_closely(case)


@needs_jit
@examples(40)
@given(cases(edited=True))
def test_drawn_networks_are_their_gradients(case: Case) -> None:
    agreement.textbook_is_consistent(case)
    agreement.program_is_the_gradient(case)


@examples(80)
@given(cases())
def test_drawn_networks_are_planned_alike_on_both_roads(case: Case) -> None:
    agreement.plans_agree(case)
    agreement.edges_agree(case)


@examples(80)
@given(cases(edited=True))
def test_edited_networks_read_back_edge_by_edge(case: Case) -> None:
    agreement.edges_agree(case)


@pytest.mark.slow
@examples(250)
@given(cases())
def test_many_drawn_networks_agree(case: Case) -> None:
    agreement.plans_agree(case)
    agree_in_turns(case)


@pytest.mark.slow
@examples(250)
@given(cases(edited=True))
def test_many_edited_networks_agree(case: Case) -> None:
    agree_in_turns(case)


def agree_in_turns(case: Case) -> None:
    """Exactly in one float type, closely in the other, taking turns by seed."""
    one, other = agreement.DTYPES if case.seed % 2 else reversed(agreement.DTYPES)
    agreement.edges_agree(case)
    agreement.agree_exactly(case, (one,))
    agreement.agree_closely(case, (other,), steps=2)


# -- what long runs have found ----------------------------------------------------------------------------------------
FOUND = {
    "a full convolution leaves errors where a depthwise one gathers": (
        {"name": "left", "shape": [2, 4]}, {"name": "right", "shape": [2, 4]},
        {"name": "n0", "from": ["right"], "window": 1, "kind": "subsample"},
        {"name": "n1", "from": ["n0"], "kernel": 3, "multiplier": 2, "kind": "depthwise"},
        {"name": "n2", "from": ["n1"], "filters": 1, "kernel": 3, "padding": "full", "kind": "conv"},
        {"name": "n3", "from": ["left"], "units": 1, "kind": "dense"},
    ),
    "a probability that float32 can hardly hold": (
        {"name": "left", "shape": [1, 2]}, {"name": "right", "shape": [6]},
        {"name": "n0", "from": ["left"], "activation": "sigmoid", "kind": "activation"},
        {"name": "n1", "from": ["right"], "activation": "relu", "kind": "activation"},
        {"name": "n2", "from": ["right", "n1"], "kind": "concat"},
        {"name": "n3", "from": ["n2"], "units": 1, "kind": "rbf"},
        {"name": "n4", "from": ["n3"], "units": 2, "kind": "rbf"},
        {"name": "n5", "from": ["n4"], "activation": "softmax", "units": 4, "kind": "dense"},
    ),
}  # fmt: skip


@needs_jit
@pytest.mark.parametrize(("name", "batch", "seed"), list(zip(FOUND, (1, 3), (0, 3), strict=True)))
def test_networks_that_long_runs_found(name: str, batch: int, seed: int) -> None:
    losses = [{"kind": "binary_cross_entropy", "of": "n0"}, {"kind": "mse", "of": "n5"}] if batch > 1 else []
    left, right, *layers = FOUND[name]
    told = {"name": "drawn", "input": [left, right], "layer": layers, "loss": losses}
    agree_in_turns(Case(Spec.model_validate(told), (), batch, seed))


# -- the strategies draw what they promise ----------------------------------------------------------------------------
def words_of(spec: Any) -> list[str]:
    """Kinds, activations, options and losses that a spec says."""
    words = [f"loss {loss.kind} {loss.form}" if loss.kind == "mse" else f"loss {loss.kind}" for loss in spec.losses]
    words += [
        word
        for loss in spec.losses
        for word in ("label_smoothing", "class_weights", "targets")
        if word in loss.model_fields_set
    ]
    words += ["several heads"] * (len(spec.losses) > 1) + ["several inputs"] * (len(spec.inputs) > 1)
    words += [f"{len(shape)} axes" for shape in spec.inputs.values()]
    for layer in spec.layers:
        words += [layer.kind, getattr(layer, "activation", "identity"), *layer.model_fields_set]
    return words


def drawn(strategy: Any, count: int) -> list[Any]:
    """Some draws, the same in every run."""
    found: list[Any] = []

    @seed(20)
    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(strategy)
    def draw(value: Any) -> None:
        found.append(value)

    draw()
    return found


def test_strategies_draw_every_word() -> None:
    said = Counter(word for spec in drawn(specs(), 350) for word in words_of(spec))
    wanted = {*KIND_NAMES, *ACTIVATIONS, "loss cross_entropy", "loss binary_cross_entropy", "loss rbf_map"}
    wanted |= {f"loss mse {form}" for form in MSE_FORMS} | {
        "label_smoothing",
        "class_weights",
        "targets",
        "several heads",
        "several inputs",
        "1 axes",
        "2 axes",
        "3 axes",
    }
    wanted |= {
        "stride",
        "padding",
        "dilation",
        "groups",
        "connections",
        "tie",
        "tie_bias",
        "padding_value",
        "weights_from",
    }
    wanted |= {"bias", "trainable", "multiplier", "keep", "rate", "op"}
    assert {word for word in wanted if said[word] < 3} == set()


def test_strategies_draw_every_neuron_kind_by_hand() -> None:
    kinds = Counter(neuron.kind for spec in drawn(hand_drawn(), 200) for neuron in spec.neurons)
    assert set(kinds) == {"input", "weighted", "max", "mean", "l2", "sum", "rbf"}


def test_edits_change_the_graph() -> None:
    changed: Counter[str] = Counter()
    for number, spec in enumerate(drawn(any_spec, 60)):
        graph = build(lay_out(spec))
        for word in EDITS:
            after = edit(graph, [(word, number)])
            changed[word] += after is not graph and _differ(graph, after)
    assert {word for word in EDITS if changed[word] < 3} == set()


def _differ(one: Any, other: Any) -> bool:
    return (
        dict(one.nodes(data=True)) != dict(other.nodes(data=True))
        or list(one.edges(data=True)) != list(other.edges(data=True))
        or {name: spec.trainable for name, spec in one.parameters.items()}
        != {name: spec.trainable for name, spec in other.parameters.items()}
    )
