"""One card, whoever computed it: textbook engine, program from the graph, program from the topology whose neurons nobody wrote out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

import neurograph as ng
from neurograph.graph.address import write_node, write_reference
from neurograph.inspector import Inspector
from neurograph.verification import draws
from neurograph.verification.twin import twin_of
from tests.strategies import Case, cases


def inspectors(topology: ng.Topology, params: ng.Parameters, x: Any, **given_as: Any) -> list[Inspector]:
    """The three, each over parameters of its own."""
    graph = ng.build(topology)
    engines = [
        ng.ReferenceEngine(graph, params.copy()),
        ng.compile(graph, params.copy(), dtype="float64"),
        ng.compile(topology, params.copy(), dtype="float64"),
    ]
    return [Inspector(engine, x, **given_as) for engine in engines]


def same(cards: list[Any]) -> None:
    """Equal text, HTML and data."""
    assert len({str(card) for card in cards}) == 1, "\n\n".join(map(str, cards))
    assert len({card._repr_html_() for card in cards}) == 1
    assert cards[0].as_json() == cards[1].as_json() == cards[2].as_json()


def padded(topology: ng.Topology) -> list[str]:
    """Names of padded positions among the sources of every layer's first neuron."""
    found = []
    for projection in topology.projections:
        if projection.padding is not None:
            first = (projection.target, *[0] * len(topology.populations[projection.target].shape))
            sources = [wire.source for wire in ng.graph.neighbourhood.fan_in(topology, first)]
            found += [write_node(source) for source in sources if source[0] == projection.padding.layer]  # type: ignore[index]
    return found[:3]


@given(cases())
@settings(max_examples=60)
def test_cards_of_a_drawn_integer_network_are_the_same_to_the_letter(case: Case) -> None:
    twin: Any = twin_of(ng.lay_out(case.spec))[0]
    random = np.random.default_rng(case.seed)
    params = ng.initialise(twin, seed=0)
    params.update(draws.integers(ng.build(twin), random, draws.SCALES[2]))
    layout = ng.ReferenceEngine(ng.build(twin), params).layout
    x = draws.inputs(layout, random, case.batch, 2)
    owed = draws.upstream(layout, random, case.batch, 2)
    three = inspectors(twin, params, x, upstream=owed, sample=case.seed % case.batch, reduction="sum")
    largest = max(
        (np.max(np.abs(v)) for part in ("z", "delta") for v in getattr(three[0].trace, part).values() if v.size),
        default=0,
    )
    assume(largest < 2**20)
    places = [(name, index) for name, shape in layout.shapes.items() for index in np.ndindex(*shape)]
    for name, index in places[:: max(1, len(places) // 10)]:
        node = write_node((name, *map(int, index))) if index else name
        same([inspector.neuron(node) for inspector in three])
    for node in padded(twin):
        same([inspector.neuron(node) for inspector in three])
    for name, gradient in three[0].trace.gradient.items():
        for flat in range(min(gradient.size, 2)):
            same([i.weight(write_reference((name, flat), gradient.shape), ng.SGD(0.5)) for i in three])
    for name, shape in layout.shapes.items():
        if shape:
            same([inspector.layer(str(name)) for inspector in three])


@pytest.mark.parametrize("spec", ["four", "mazur", "xor"])
def test_cards_of_the_bundled_examples_are_the_same_to_the_letter(spec: str) -> None:
    loaded = ng.load(spec)
    topology = ng.lay_out(loaded)
    params, own = ng.initialise(topology, seed=0), loaded.samples[0]
    x = np.array([own.input], dtype=float).reshape(1, *_input_shape(topology, params))
    given_as = {"target": [own.target]} if own.target is not None else {"upstream": [own.upstream]}
    three = inspectors(topology, params, x, **given_as)
    for name, shape in three[0].trace.layout.shapes.items():
        for index in np.ndindex(*shape):
            cards = [i.neuron(write_node((name, *map(int, index))) if index else name) for i in three]
            assert len({str(card) for card in cards}) == 1
    for name, values in three[0].trace.weights.items():
        for flat in range(values.size):
            cards_of_weight = [i.weight(write_reference((name, flat), values.shape), ng.SGD(0.5, 0.9)) for i in three]
            assert len({str(card) for card in cards_of_weight}) == 1


def _input_shape(topology: ng.Topology, params: ng.Parameters) -> tuple[int, ...]:
    return ng.ReferenceEngine(ng.build(topology), params).layout.inputs[0].shape


def test_padded_positions_are_told_apart_from_neurons() -> None:
    topology = ng.lay_out(ng.load("zipcode-1989"))
    params = ng.initialise(topology, seed=0)
    three = inspectors(topology, params, np.zeros((1, 1, 16, 16)))
    cards = [inspector.neuron("h1.padding[0,-1,-1]") for inspector in three]
    same(cards)
    assert (cards[0].kind, cards[0].a, cards[0].delta, len(cards[0].fan_out)) == ("constant", -1.0, None, 12)
    assert str(cards[0]).startswith(
        "h1.padding[0,-1,-1]: padding\n\n  a = -1\n  No neuron of its own: a place over the border"
    )
    for wrong in ("h1.padding[0,3,3]", "h1.padding[0,-9,0]", "h1.padding[0]"):
        for inspector in three:
            with pytest.raises(ng.errors.UnknownName) as caught:
                inspector.neuron(wrong)
            assert str(caught.value).startswith(f"no padded position {wrong}: no window of 'h1' sees it.")
