"""Cards in fractions: exact rational arithmetic on any network, equal to the float cards wherever floats are exact."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

import neurograph as ng
from neurograph.cli import main
from neurograph.errors import UsageError
from neurograph.graph.address import write_node, write_reference
from neurograph.inspector import Inspector, NeuronCard
from neurograph.verification import draws
from neurograph.verification.twin import twin_of
from tests.editing import edit
from tests.strategies import Case, cases
from tests.test_inspector import inspect

WEIGHT = """\
conv.weight[0,0,1,1] = 1: one weight on 36 edges

  gradient = Σ over its uses of δ·a
    source → target               a    δ    δ·a
    input[0,3,1] → conv[0,3,1]  255    1/5     51
    input[0,3,3] → conv[0,3,3]  255  -1/40  -51/8
    … and 34 more uses, each exactly 0

  sum = 357/8
  some ask for more, some for less: |Σ| / Σ|·| = 357/8 / 459/8 = 77.8% is left
  mean over 1 sample: gradient = 357/8 / 1 = 357/8
"""


def whole_numbers(case: Case) -> Inspector:
    """A drawn network's integer twin with integer weights: floats are exact on it while they stay small."""
    graph = ng.build(ng.lay_out(case.spec))
    if case.edits:
        graph = edit(graph, case.edits)
    twin: Any = twin_of(graph)[0]
    random = np.random.default_rng(case.seed)
    engine = ng.ReferenceEngine(twin, ng.initialise(twin, seed=0))
    engine.params.update(draws.integers(twin, random, draws.SCALES[2]))
    x = draws.inputs(engine.layout, random, case.batch, 2)
    owed = draws.upstream(engine.layout, random, case.batch, 2)
    given_as = {"target": owed} if case.seed % 2 else {"upstream": owed}
    inspector = Inspector(engine, x, **given_as, sample=case.seed % case.batch, reduction="sum")
    largest = max(
        (np.nanmax(np.abs(v)) for part in ("z", "delta") for v in getattr(inspector.trace, part).values() if v.size),
        default=0,
    )
    assume(largest < 2**20)
    return inspector


def check_sums(card: NeuronCard) -> None:
    """z and δ are their parts' sums, without a tolerance."""
    products = [term.product for term in card.terms]
    if card.kind == "max":
        assert card.z == max(products)
    elif card.kind not in ("input", "constant"):
        assert card.z == sum(products, Fraction(card.bias or 0))
    own = card.from_loss.value if card.from_loss is not None else 0
    slope = 1 if card.kind == "input" else card.slope
    assert slope is not None
    assert card.delta == own + slope * sum(edge.product for edge in card.fan_out)


@given(cases(edited=True))
@settings(max_examples=200)
def test_fractions_are_what_floats_are_where_floats_are_exact(case: Case) -> None:
    floats = whole_numbers(case)
    exact = floats.fractions()
    places = [(name, index) for name, shape in floats.trace.layout.shapes.items() for index in np.ndindex(*shape)]
    for name, index in places[:: max(1, len(places) // 12)]:
        if np.isnan(floats.trace.z[name][(0, *index)]):
            continue  # a neuron that an edit removed
        node = write_node((name, *map(int, index))) if index else name
        one, other = floats.neuron(node), exact.neuron(node)
        check_sums(other)
        assert (one.z, one.a, one.delta, one.bias, one.slope) == (
            other.z,
            other.a,
            other.delta,
            other.bias,
            other.slope,
        )
        assert (one.terms, one.fan_out, one.winner) == (other.terms, other.fan_out, other.winner)
        assert (one.from_loss and one.from_loss.value) == (other.from_loss and other.from_loss.value)
    for name, gradient in floats.trace.gradient.items():
        for flat in range(min(gradient.size, 2)):
            reference = write_reference((name, flat), gradient.shape)
            weight = exact.weight(reference)
            assert weight == floats.weight(reference)
            assert weight.sum == sum(use.product for use in weight.uses)


def test_every_number_of_a_card_is_a_fraction() -> None:
    inspector = inspect("four").fractions()
    for name in ("input[0,3,1]", "conv[0,3,1]", "conv[0,0,0]", "pool[0,0,0]", "outputs[1]"):
        card = inspector.neuron(name)
        check_sums(card)
        found = [card.z, card.a, card.delta, card.slope]
        found += [number for term in card.terms for number in (term.a, term.product)]
        found += [number for edge in card.fan_out for number in (edge.delta, edge.product)]
        assert {type(number) for number in found} == {Fraction}
    uses = inspector.weight("conv.weight[0,0,1,1]").uses
    assert {type(number) for use in uses for number in use[3:]} == {Fraction}


def test_decimals_count_as_written_and_the_mean_is_a_fraction() -> None:
    graph = ng.NeuronGraph()
    graph.add_input("x")
    graph.add_neuron("h", activation="leaky_relu", bias="b")
    graph.connect("x", "h", weight="w", value=0.1)
    graph.set_parameter("b", value=-1.0)
    graph.set_outputs(["h"], loss="mse")
    engine = ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))
    inspector = Inspector(engine, [[0.7], [20.0], [1.0]], [[0.0], [0.5], [0.0]]).fractions()
    card = inspector.neuron("h")
    assert (card.z, card.a, card.slope) == (Fraction(-93, 100), Fraction(-93, 10_000), Fraction(1, 100))
    assert card.from_loss is not None
    assert card.from_loss.numbers == "2 · (-93/10000 − 0) · 1/100 / 1"
    deltas = [Fraction(-93, 500_000), Fraction(1), Fraction(-9, 50_000)]
    assert card.delta == deltas[0]
    weight, bias = inspector.weight("w"), inspector.weight("b")
    assert weight.gradient == (deltas[0] * Fraction(7, 10) + deltas[1] * 20 + deltas[2]) / 3
    assert bias.gradient == sum(deltas) / 3


def test_card_in_fractions_reads_as_on_the_page() -> None:
    assert inspect("four").fractions().weight("conv.weight[0,0,1,1]").text().startswith(WEIGHT)


@pytest.mark.parametrize("name", ["o1", "h1"])
def test_what_is_no_fraction_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        inspect("mazur").fractions().neuron(name)
    assert str(caught.value).endswith(
        "needs the activation sigmoid, which gives numbers that are no fractions. Fractions go with the kinds weighted, "
        "sum, mean, max, rbf, the activations identity, relu, leaky_relu and the loss mse. Ask without fractions."
    )


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda it: it.layer("conv"), "conv is a layer"),
        (lambda it: it.loss(), "the loss is shown in decimals"),
        (lambda it: it.paths("conv[0,1,1]", "input[0,1,1]"), "a sum over paths is worked out in decimals"),
        (lambda it: it.what_if("conv[0,1,1]=2"), "a what-if is worked out in decimals"),
        (lambda it: it.untie("conv[0]", ng.SGD(0.1)), "an untied group is worked out in decimals"),
        (lambda it: it.census(it.asked.x), "a census is worked out in decimals"),
    ],
)
def test_what_is_worked_out_in_decimals_is_refused(ask: Callable[[Inspector], Any], what: str) -> None:
    with pytest.raises(UsageError) as error:
        ask(inspect("four").fractions())
    assert str(error.value) == f"fractions: {what}; fractions are for neurons and weights. Ask without fractions."


def test_large_networks_are_refused() -> None:
    topology = ng.lay_out(ng.load("lenet5"))
    inspector = Inspector(ng.compile(topology, ng.initialise(topology, seed=0)), np.zeros((1, 1, 28, 28)))
    with pytest.raises(UsageError) as caught:
        inspector.fractions()
    assert str(caught.value) == (
        f"fractions: the network has {topology.n_edges:,} edges; exact arithmetic takes up to 50,000. "
        "Ask without fractions, or for a smaller network."
    )


def test_command_prints_fractions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "four", "conv.weight[0,0,1,1]", "--fractions"]) == 0
    assert WEIGHT in capsys.readouterr().out
    assert main(["explain", "four", "conv[0,3,3]", "--fractions", "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert (card["z"], card["delta"], card["fan_out"][0]["product"]) == ("255", "-1/40", "-1/40")
