"""The pass `fuse`: what moves into the step that computes z, what stays, and that it changes no number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from planning import edited_graphs, planned
from written import drawn, graph_of

import neurograph as ng
from neurograph.compiler.fuse import fits_bias, fuse
from neurograph.compiler.plan import Fusion, Plan
from neurograph.compiler.route import route

LENET = [
    {"kind": "conv", "name": "c", "filters": 3, "kernel": 3, "padding": 1, "activation": "relu"},
    {"kind": "maxpool", "name": "p", "window": 2},
    {"kind": "dense", "name": "f", "units": 4, "activation": "tanh"},
    {"kind": "dense", "name": "o", "units": 3, "activation": "softmax"},
]
CROSS = {"kind": "cross_entropy"}


def bare(plan: Plan) -> Plan:
    """A plan without annotations."""
    return replace(plan, steps=tuple(replace(step, fusion=None, route=None) for step in plan.steps))


def fusions(graph: ng.NeuronGraph) -> dict[Any, Fusion | None]:
    return {step.population: step.fusion for step in fuse(bare(ng.plan(graph))).steps}


def test_bias_activation_pool_and_loss_move_in() -> None:
    assert fusions(graph_of([1, 6, 6], LENET, CROSS)) == {
        "c": Fusion(bias=True, activation=True, pool="p"),
        "p": Fusion(activation=True),
        "f": Fusion(bias=True),  # tanh is a pass of its own behind the sum
        "o": Fusion(bias=True, loss=True),
    }


def test_map_that_something_else_reads_stays_stored() -> None:
    layers = [*LENET[:2], {"kind": "dense", "name": "skip", "from": "c", "units": 2}]
    assert fusions(graph_of([1, 6, 6], layers)) == {
        "c": Fusion(bias=True, activation=True),
        "p": Fusion(activation=True),
        "skip": Fusion(bias=True, activation=True),
    }


def test_map_that_is_an_output_stays_stored() -> None:
    g = ng.NeuronGraph()
    g.add_input("x")
    g.add_neuron("h", activation="relu")
    g.add_pool("p", op="max")
    g.connect("x", "h", weight="w")
    g.connect("h", "p")
    g.set_outputs(["h", "p"], loss="mse")
    assert {fusion.pool for fusion in fusions(g).values() if fusion is not None} == {None}


def test_pool_behind_a_dropout_is_not_fused() -> None:
    layers = [LENET[0], {"kind": "dropout", "name": "d", "keep": 0.5}, LENET[1]]
    found = fusions(graph_of([1, 6, 6], layers))["c"]
    assert found is not None
    assert found.pool is None


def test_biases_out_of_step_with_the_lanes_are_added_apart() -> None:
    graph = graph_of([1, 6, 6], LENET, CROSS)
    step = ng.plan(graph).steps[0]
    assert fits_bias(step, ng.plan(graph).population("c"))
    graph.nodes["c", 1, 2, 2]["bias"] = ("c.bias", 0)
    edited = ng.plan(graph)
    assert not fits_bias(edited.steps[0], edited.population("c"))


def test_one_missing_bias_among_lanes_is_out_of_step_and_none_at_all_is_in_step() -> None:
    graph = graph_of([4], [{"kind": "dense", "name": "f", "units": 4}], {"kind": "mse"})
    graph.nodes["f", 3]["bias"] = None
    edited = ng.plan(graph)
    assert not fits_bias(edited.steps[0], edited.population("f"))
    two = [{"kind": "dense", "name": "f", "units": 4, "bias": False}]
    graph = graph_of([4], two, {"kind": "mse"})
    assert not fits_bias(ng.plan(graph).steps[0], ng.plan(graph).population("f"))  # nothing to fuse


@given(edited_graphs())
def test_biases_in_one_box_are_in_step_with_every_lane(graph: ng.NeuronGraph) -> None:
    plan = planned(graph)
    for step in plan.steps if plan is not None else ():
        box = plan.population(step.population)
        found = fits_bias(step, box)
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(fits_bias.__globals__, "_is_one_box", lambda *_: False)
            assert fits_bias(step, box) == found


def test_layers_of_a_spec_need_no_table_of_biases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fits_bias.__globals__, "_bias_table", None)
    plan = ng.plan(ng.lay_out(ng.load("alexnet")))
    assert [fits_bias(step, plan.population(step.population)) for step in plan.steps if step.op == "weighted"] == [
        True
    ] * 8


def test_pass_is_pure_and_repeatable() -> None:
    plan = bare(ng.plan(graph_of([1, 6, 6], LENET, CROSS)))
    again = bare(ng.plan(graph_of([1, 6, 6], LENET, CROSS)))
    fused = fuse(plan)
    assert plan == again
    assert fused == fuse(plan) == fuse(fused)
    assert fused != plan
    assert bare(fused) == plan


@pytest.mark.parametrize("passes", [(), (fuse,), (fuse, route)], ids=["none", "fuse", "fuse+route"])
@pytest.mark.parametrize("edit", [False, True], ids=["intact", "edited"])
def test_switching_passes_off_changes_no_number(passes: tuple[Any, ...], edit: bool) -> None:
    layers = [{**LENET[2], "activation": "relu"} if layer["name"] == "f" else layer for layer in LENET]
    layers[3] = {**layers[3], "activation": "identity"}
    graph = graph_of([1, 6, 6], layers, {"kind": "mse", "form": "half_sum"})
    if edit:
        graph.remove_edge(("input", 0, 1, 1), ("c", 0, 1, 1))
        graph.nodes["c", 1, 2, 2]["bias"] = ("c.bias", 0)
        graph.nodes["f", 1]["bias"] = None
        graph.nodes["f", 2]["activation"] = "identity"
    params = drawn(graph)
    random = np.random.default_rng(0)
    for name in params:
        params[name] = random.integers(-3, 4, params[name].shape).astype(float)
    x, t = random.integers(-3, 4, (20, 1, 6, 6)).astype(float), random.integers(-3, 4, (20, 3)).astype(float)
    plan = bare(ng.plan(graph))
    for apply in passes:
        plan = apply(plan)
    trace = ng.bind(plan, params, "float64", network=graph).backprop(x, t, reduction="sum")
    expected = ng.ReferenceEngine(graph, params).backprop(x, t, reduction="sum")
    assert trace.loss == expected.loss
    for what in ("z", "a", "delta", "gradient"):
        for name, array in getattr(expected, what).items():
            np.testing.assert_array_equal(getattr(trace, what)[name], array, err_msg=f"{what} {name}")


def test_softmax_and_its_loss_agree_fused_or_not() -> None:
    graph = graph_of([1, 6, 6], LENET, CROSS)
    params = drawn(graph)
    x, y = np.random.default_rng(0).standard_normal((5, 1, 6, 6)), [0, 1, 2, 0, 1]
    fused, plain = route(fuse(bare(ng.plan(graph)))), bare(ng.plan(graph))
    weights = []
    for plan in (fused, plain):
        store = params.copy()
        program = ng.bind(plan, store, "float64", network=graph)
        program.train_step(x, y, ng.SGD(0.5))
        weights.append(store["f.weight"])
        np.testing.assert_allclose(program.forward(x).sum(axis=1), 1.0)
    np.testing.assert_allclose(weights[0], weights[1], rtol=1e-12, atol=1e-15)
