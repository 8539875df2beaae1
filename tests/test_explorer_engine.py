"""The explorer page computes what Python computes: for every word of the language, on both roads, edited, and drawn by hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from neurograph.viz.explorer.sample import Sample

import neurograph as ng
from neurograph.graph.build import build
from neurograph.graph.lay_out import lay_out
from neurograph.reference import ReferenceEngine
from neurograph.verification import draws
from tests import agreement
from tests.explorer_pages import Engine, samples_of
from tests.strategies import Case, cases
from tests.sweep import OF_LOSSES, SWEEP

SCALE = settings.default.max_examples / 100
SMALL = ("xor", "mazur", "four")


@pytest.fixture(scope="module")
def engine(browser: Any) -> Engine:
    return Engine(browser)


def agree(engine: Engine, network: Any, trace: Any, params: Any, sample: Sample, about: object) -> None:
    """z, a, δ, gradients and loss of the page against a trace of the textbook engine."""
    found = engine.run(network, params, sample)
    for what, values in (("z", trace.z), ("a", trace.a), ("delta", trace.delta)):
        for k, layer in enumerate(trace.layout.shapes):
            if layer in values:
                numbers_agree(found[what][k], values[layer][0], (about, what, layer))
    for k, name in enumerate(network.parameters):
        if name in trace.gradient:
            numbers_agree(found["gradient"][k], trace.gradient[name], (about, "gradient", name))
    if trace.loss is None:
        assert found["loss"] is None
    else:
        numbers_agree([found["loss"]], [trace.loss], (about, "loss"))


def numbers_agree(found: list[Any], expected: Any, about: object) -> None:
    here = np.asarray(expected, dtype=float).reshape(-1)
    mine = np.array([np.nan if value is None else float(value) for value in found])
    exists = np.array([value is not None for value in found], dtype=bool)
    scale = np.maximum(1, np.abs(here, where=np.isfinite(here), out=np.ones_like(here)))
    with np.errstate(invalid="ignore"):
        wrong = exists & ~((np.abs(mine - here) <= 1e-9 * scale) | (mine == here) | (np.isnan(mine) & np.isnan(here)))
    assert not wrong.any(), f"{about}: page {mine[wrong][:4]}, Python {here[wrong][:4]}"


def agree_on(engine: Engine, case: Case) -> None:
    """One sample of a case on every road that leads to its network."""
    graph, networks = agreement.networks_of(case)
    random = np.random.default_rng(case.seed)
    params = draws.float_parameters(graph, random)
    textbook = ReferenceEngine(graph, params)
    x, targets = draws.inputs(textbook.layout, random, 1), draws.targets(textbook.layout, random, 1)
    upstream = None if targets is not None else draws.upstream(textbook.layout, random, 1)
    trace = textbook.backprop(x, targets, upstream=upstream)
    for network in networks:
        agree(engine, network, trace, params, Sample(x, targets, upstream), (case, type(network).__name__))


@pytest.mark.parametrize("name", SWEEP)
def test_every_word_agrees(engine: Engine, name: str) -> None:
    agree_on(engine, Case(SWEEP[name], (), 1, seed=len(name)))


@pytest.mark.parametrize("name", sorted(SWEEP)[::4])
def test_edited_graphs_agree(engine: Engine, name: str) -> None:
    words = ("delete edge", "retie", "remove neuron", "add neuron", "set activation", "own weight", "move bias")
    agree_on(engine, Case(SWEEP[name], tuple((word, len(name) + i) for i, word in enumerate(words)), 1, seed=len(name)))


@settings(max_examples=max(5, round(25 * SCALE)), suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_drawn_networks_agree(engine: Engine, case: Case) -> None:
    agree_on(engine, case)


@settings(max_examples=max(5, round(15 * SCALE)), suppress_health_check=list(HealthCheck))
@given(case=cases(edited=True))
def test_drawn_and_edited_networks_agree(engine: Engine, case: Case) -> None:
    agree_on(engine, case)


@pytest.mark.parametrize("name", SMALL)
def test_bundled_networks_agree(engine: Engine, name: str) -> None:
    bundled_agrees(engine, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "zipcode-1989", "digits", "lenet5", "lenet5-1998"])
def test_large_bundled_networks_agree(engine: Engine, name: str) -> None:
    bundled_agrees(engine, name)


def bundled_agrees(engine: Engine, name: str) -> None:
    topology = lay_out(ng.load(name))
    graph = build(topology)
    params = ng.initialise(topology, seed=1)
    sample = samples_of(name)[0]
    trace = ReferenceEngine(graph, params).backprop(sample.x, sample.target, upstream=sample.upstream)
    agree(engine, topology, trace, params, sample, name)


@pytest.mark.parametrize(
    "name", [name for name in SWEEP if name in OF_LOSSES or name in ("l2pool 0", "rbf 0", "add 0")]
)
def test_cards_say_what_the_inspector_says(engine: Engine, name: str) -> None:
    """Terms, what is handed back, and the loss's part of δ, in the same words and with the same numbers."""
    graph, _ = agreement.networks_of(Case(SWEEP[name], (), 1, seed=1))
    random = np.random.default_rng(1)
    params = draws.float_parameters(graph, random)
    textbook = ReferenceEngine(graph, params)
    x, targets = draws.inputs(textbook.layout, random, 1), draws.targets(textbook.layout, random, 1)
    upstream = None if targets is not None else draws.upstream(textbook.layout, random, 1)
    inspector = ng.Inspector(textbook, x, targets, upstream=upstream)
    cards = engine.cards(graph, params, Sample(x, targets, upstream))
    for written, mine in cards.items():
        card = inspector.neuron(written)
        if card.kind == "constant":
            continue
        for ours, theirs in (("terms", card.terms), ("fanOut", card.fan_out)):
            numbers_agree([row["product"] for row in mine[ours]], [row.product for row in theirs], (written, ours))
            assert [row["weight"] for row in mine[ours]] == [row.weight for row in theirs]
        assert mine["winner"] == card.winner
        assert (mine["fromLoss"] is None) == (card.from_loss is None)
        if card.from_loss is not None:
            assert mine["fromLoss"]["formula"] == card.from_loss.formula
            numbers_agree([mine["fromLoss"]["value"]], [card.from_loss.value], written)


def test_first_of_equals_wins_and_nan_is_the_largest(engine: Engine) -> None:
    graph = ng.NeuronGraph()
    for name in ("x1", "x2", "x3"):
        graph.add_input(name)
    graph.add_pool("p", op="max")
    for name in ("x1", "x2", "x3"):
        graph.connect(name, "p")
    graph.set_outputs(["p"], loss="mse")
    params = ng.initialise(graph, seed=0)
    for x in ([2.0, 3.0, 3.0], [3.0, 3.0, 3.0], [1.0, float("nan"), float("nan")]):
        trace = ReferenceEngine(graph, params).backprop([x], [[1.0]])
        agree(engine, graph, trace, params, Sample([x], [[1.0]]), x)


def test_slopes_are_those_of_the_activations(engine: Engine) -> None:
    """Far from 0, where formulas cancel: gelu's tail, softplus, silu, against the textbook's."""
    from neurograph.reference.activations import FUNCTIONS

    points = [-40.0, -8.3, -3.0, -2.5, -1e-9, 0.0, 1e-9, 2.5, 2.6, 8.3, 40.0, 700.0, -700.0]
    found = engine.page.evaluate(
        """(points) => { const { ACTIVATIONS } = $activations; return Object.fromEntries(Object.entries(ACTIVATIONS).map(
          ([name, { f, slope }]) => [name, points.map((z) => [f(z), slope(z, f(z))])])); }""",
        points,
    )
    for name, function in FUNCTIONS.items():
        for z, (value, slope) in zip(points, found[name], strict=True):
            a = function.value(z)
            assert value == pytest.approx(a, rel=1e-12, abs=1e-300), (name, z)
            assert slope == pytest.approx(function.slope(z, a), rel=1e-12, abs=1e-300), (name, z)
