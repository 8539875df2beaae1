"""Untied copies: their gradients sum to the tied one, each goes its own way, as a network declared untied goes."""

from __future__ import annotations

import json
from math import fsum, isclose
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import neurograph as ng
from neurograph.cli import main
from neurograph.errors import UsageError
from neurograph.graph.address import parse_address
from neurograph.inspector.drift_chart import MOST, chart
from tests.strategies import Case, cases
from tests.test_inspector import inspect, inspect_case
from tests.written import drawn_engine, graph_of

ETA = 0.125


def shared_layers(inspector: ng.Inspector) -> list[str]:
    """The layers that several of whose neurons share a weight that is trained."""
    graph: Any = inspector.network
    found = []
    for name, shape in inspector.trace.layout.shapes.items():
        users: dict[Any, set[Any]] = {}
        for _, target, param in graph.edges(data="param"):
            if param is not None and graph.nodes[target]["layer"] == name:
                users.setdefault(param, set()).add(target)
        trained = inspector.asked.engine.params.trainable
        if shape and any(len(targets) > 1 and trained[param[0]] for param, targets in users.items()):
            found.append(str(name))
    return found


@settings(max_examples=40)
@given(cases(edited=True))
def test_copies_start_equal_and_each_takes_its_own_part(case: Case) -> None:
    inspector = inspect_case(case)
    for layer in shared_layers(inspector)[:2]:
        drift = inspector.untie(layer, ng.SGD(ETA), steps=1)
        tied = inspector.weight(drift.watched)
        if not np.isfinite(drift.gradients).all():
            continue
        size = fsum(abs(use.product) for use in tied.uses)
        assert drift.tied[0] == tied.value
        assert np.all(drift.copies[0] == tied.value)
        assert np.array_equal(drift.copies[1], drift.copies[0] - ETA * drift.gradients)
        assert drift.tied[1] == drift.tied[0] - ETA * drift.gradient
        inside = [u for u in tied.uses if (parse_address(u.target[0] + "[0]") or ("",))[0] == layer]  # type: ignore[index]
        for number, owner in enumerate(drift.owners):
            own = fsum(use.product for use in inside if _written(use.target) == owner)
            assert isclose(drift.gradients[number], own, rel_tol=1e-9, abs_tol=1e-11 * (1 + size))
        assert drift.spread[0] == 0
        assert np.array_equal(drift.losses[0, :1], drift.losses[0, 1:], equal_nan=True)
        json.dumps(drift.as_json(), allow_nan=False)
        assert drift.watched in drift.text()


def _written(node: Any) -> str:
    from neurograph.graph.address import write_node

    return write_node(node)


def conv(**options: Any) -> list[dict[str, Any]]:
    first = {"kind": "conv", "filters": 2, "kernel": 2, "activation": "tanh", **options}
    return [first, {"kind": "maxpool", "window": 2}, {"kind": "dense", "units": 2}]


def test_untied_layer_trains_as_a_layer_that_was_declared_untied() -> None:
    loss = {"kind": "mse"}
    x = np.random.default_rng(0).normal(size=(2, 1, 5, 5))
    target = np.array([[1.0, 0.0], [0.5, -1.0]])
    tied = drawn_engine(ng.ReferenceEngine, [1, 5, 5], conv(), loss)
    drift = ng.Inspector(tied, x, target).untie("conv1", ng.SGD(0.3, momentum=0.5), steps=4)
    graph = graph_of([1, 5, 5], conv(tie="none"), loss)
    params = ng.initialise(graph, seed=0)
    for name in params:
        repeat = params[name].shape[0] // tied.params[name].shape[0]
        params[name] = np.repeat(tied.params[name], repeat, axis=0)
    untied, optimizer = ng.ReferenceEngine(graph, params), ng.SGD(0.3, momentum=0.5)
    name, index = parse_address(drift.watched) or ("", ())
    for step in range(5):
        own = params[name].reshape(2, 16, *params[name].shape[1:])[(index[0], slice(None), *index[1:])]
        np.testing.assert_allclose(drift.copies[step], own, rtol=1e-12)
        loss_before = untied.train_step(x, target, optimizer)
        assert drift.losses[step, 1] == pytest.approx(loss_before, rel=1e-12)
    assert drift.spread[-1] > drift.spread[1] > drift.spread[0] == 0


def test_networks_and_weights_of_the_inspector_stay_as_they_are() -> None:
    inspector = inspect("four")
    before = {name: values.copy() for name, values in inspector.asked.engine.params.items()}
    inspector.untie("conv[0]", ng.SGD(0.1), steps=2)
    assert all(np.array_equal(inspector.asked.engine.params[name], before[name]) for name in before)
    assert {p for _, _, p in inspector.network.edges(data="param") if p and p[0].endswith("untied")} == set()


def test_weight_shared_by_name_gives_every_edge_a_copy() -> None:
    graph = ng.NeuronGraph()
    graph.set_parameter("w", 1.0)
    for source in ("x1", "x2"):
        graph.add_input(source)
    graph.add_neuron("h")
    for source in ("x1", "x2"):
        graph.connect(source, "h", weight="w")
    graph.set_outputs(["h"], loss="mse", form="half_sum")
    engine = ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))
    drift = ng.Inspector(engine, [[1.0, 2.0]], [[0.0]]).untie("w", ng.SGD(0.5), steps=1)
    assert drift.owners == ("x1 → h", "x2 → h")
    assert (drift.gradients.tolist(), drift.gradient, drift.copies[1].tolist()) == ([3.0, 6.0], 9.0, [-0.5, -2.0])


@pytest.mark.parametrize(
    ("what", "steps", "message"),
    [
        ("outputs", 1, "untie outputs: nothing here is used more than once. Name a group such as conv1[0], a layer, or a weight "
         "that several edges share."),
        ("conv[0]", 0, "untie conv[0]: 0 steps; at least 1 is needed."),
    ],
)  # fmt: skip
def test_what_cannot_be_untied_is_said(what: str, steps: int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        inspect("four").untie(what, ng.SGD(0.1), steps=steps)
    assert str(caught.value) == message


def test_fixed_weights_are_refused() -> None:
    inspector = inspect("four")
    inspector.asked.engine.params.set_trainable("conv.weight", False)
    with pytest.raises(UsageError, match="it is not trained"):
        inspector.untie("conv[0]", ng.SGD(0.1))


def test_chart_draws_no_more_lines_than_can_be_seen() -> None:
    drift = drift_of_many()
    assert chart(drift).count("<polyline") == MOST + 1
    assert "<figure" in drift.page()
    assert drift._repr_html_().startswith("<h1>Untie conv1[0]")


def drift_of_many() -> Any:
    engine = drawn_engine(ng.ReferenceEngine, [1, 11, 11], conv(), {"kind": "mse"})
    x = np.random.default_rng(0).normal(size=(1, 1, 11, 11))
    return ng.Inspector(engine, x, np.zeros((1, 2))).untie("conv1[0]", ng.SGD(0.1), steps=2)


def test_command_prints_tables_pages_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["untie", "four", "conv[0]", "--steps", "2", "--set", "train.learning_rate=0.001"]) == 0
    shown = capsys.readouterr().out
    assert "Σ = 44.625; the gradient of the tied weight = 44.625" in shown
    assert "SGD(learning_rate=0.001)" in shown
    assert main(["untie", "four", "conv[0]", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["network"] == "four"
    assert (len(told["copies"]), len(told["tied"]), told["spread"][0]) == (36, 11, 0.0)
    assert main(["untie", "four", "outputs"]) == 2
    assert capsys.readouterr().err.startswith("untie outputs: nothing here is used more than once.")
