"""The pass `route`: δ goes to winners only where windows share nothing, and is added elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from planning import edited_graphs, planned
from written import drawn, graph_of

import neurograph as ng
from neurograph.compiler.fuse import fuse
from neurograph.compiler.plan import Plan, Route
from neurograph.compiler.route import _overlap, _times_read, route

WINNERS = Route(assigns=True, gates=True)


def network(size: int = 6, activation: str = "relu", **pool: Any) -> ng.NeuronGraph:
    layers = [
        {"kind": "conv", "name": "c", "filters": 2, "kernel": 3, "padding": 1, "activation": activation},
        {"kind": "maxpool", "name": "p", "window": 2, **pool},
        {"kind": "dense", "name": "o", "units": 2},
    ]
    return graph_of([1, size, size], layers, {"kind": "mse"})


def routed(graph: ng.NeuronGraph) -> Plan:
    plan = ng.plan(graph)
    return route(fuse(replace(plan, steps=tuple(replace(step, fusion=None, route=None) for step in plan.steps))))


def route_of(graph: ng.NeuronGraph) -> Route | None:
    return next(step.route for step in routed(graph).steps if step.population == "p")


@pytest.mark.parametrize(
    ("graph", "expected", "word"),
    [
        (network(), WINNERS, "winners"),
        (network(size=5), WINNERS, "winners"),
        (network(stride=1), Route(), "dense"),
        (network(window=2, stride=3), WINNERS, "winners"),
        (network(activation="tanh"), replace(WINNERS, gates=False), "winners"),
        (network(activation="identity"), replace(WINNERS, gates=False), "winners"),
        (network(activation="leaky_relu"), replace(WINNERS, gates=False), "winners"),
    ],
)
def test_route_follows_from_how_windows_lie(graph: ng.NeuronGraph, expected: Route, word: str) -> None:
    found = route_of(graph)
    assert found == expected
    assert found is not None
    assert found.word == word


@given(edited_graphs())
def test_overlap_in_closed_form_is_what_counting_positions_says(graph: ng.NeuronGraph) -> None:
    plan = planned(graph)
    for step in plan.steps if plan is not None else ():
        if len(step.projections) == 1 and step.projections[0].source != "1" and not step.projections[0].others:
            source = step.projections[0].source
            halo = step.projections[0].halo is not None or step.op == "weighted"
            if not halo:  # positions outside the box have no number to count by
                assert _overlap(step, plan, source) == (_times_read(step, plan, source).max() > 1)


@pytest.mark.parametrize("size", [6, 7])
@pytest.mark.parametrize(
    "options", [{"window": 2}, {"window": 2, "stride": 1}, {"window": 3, "stride": 2, "padding": 1}]
)
def test_overlap_of_every_pool_is_found_without_counting(
    size: int, options: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = ng.plan(network(size, **options))
    (step,) = (step for step in plan.steps if step.population == "p")
    counted = bool(_times_read(step, plan, "c").max() > 1)
    monkeypatch.setitem(_overlap.__globals__, "_times_read", None)
    assert _overlap(step, plan, "c") == counted


def test_pool_with_an_activation_of_its_own_does_not_gate() -> None:
    found = route_of(_pool_with_tanh())
    assert found == replace(WINNERS, gates=False)


def _pool_with_tanh() -> ng.NeuronGraph:
    graph = network()
    for node, data in graph.nodes(data=True):
        if node[0] == "p":
            data["activation"] = "tanh"
    return graph


def test_only_maxima_are_routed_and_only_after_fuse() -> None:
    plan = routed(network())
    assert [step.route for step in plan.steps if step.op != "max"] == [None, None]
    bare = replace(plan, steps=tuple(replace(step, fusion=None, route=None) for step in plan.steps))
    assert route(bare) == bare
    assert route(plan) == plan


@pytest.mark.parametrize("activation", ["relu", "identity", "tanh", "leaky_relu"])
@pytest.mark.parametrize(
    "pool", [{}, {"stride": 1}, {"stride": 3}, {"window": 3, "stride": 2}, {"window": 3, "padding": 1}]
)
@pytest.mark.parametrize("size", [5, 6])
def test_every_route_hands_back_what_the_textbook_does(activation: str, pool: dict[str, int], size: int) -> None:
    graph = network(size, activation, **pool)
    params = drawn(graph, 1)
    x = np.random.default_rng(0).integers(-1, 2, (19, 1, size, size)).astype(float)  # many ties, many dead ReLUs
    up = np.random.default_rng(1).standard_normal((19, 2))
    expected = ng.ReferenceEngine(graph, params).backprop(x, upstream=up)
    trace = ng.bind(routed(graph), params, "float64", network=graph).backprop(x, upstream=up)
    again = ng.bind(routed(graph), params, "float64", network=graph)
    again.backprop(-x, upstream=up)  # nothing of an earlier batch may be left in memory
    for found in (trace, again.backprop(x, upstream=up)):
        for name in ("input", "c", "p"):
            np.testing.assert_allclose(found.delta[name], expected.delta[name], rtol=1e-11, atol=1e-13, err_msg=name)
        for name, gradient in expected.gradient.items():
            np.testing.assert_allclose(found.gradient[name], gradient, rtol=1e-11, atol=1e-12, err_msg=name)
