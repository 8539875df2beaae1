"""Cards add up: z from its terms, δ from its fan-out and its loss, a gradient from its uses; on any network there is."""

from __future__ import annotations

import json
from math import fsum, isclose
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

import neurograph as ng
from neurograph.errors import BatchError, UnknownName
from neurograph.graph.address import write_node, write_reference
from neurograph.inspector import Inspector, NeuronCard
from neurograph.inspector.formulas import SLOPES, slope
from neurograph.ops.words import ACTIVATIONS
from neurograph.verification import draws
from tests.editing import edit
from tests.strategies import Case, cases


def inspect(spec: str, sample: int = 0, **options: Any) -> Inspector:
    """The textbook engine over one of a bundled spec's own samples."""
    loaded = ng.load(spec)
    topology = ng.lay_out(loaded)
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    own = loaded.samples[sample]
    x = np.array([own.input], dtype=float).reshape(1, *engine.layout.inputs[0].shape)
    target = None if own.target is None else [own.target]
    upstream = None if own.upstream is None else [own.upstream]
    return Inspector(engine, x, target, upstream=upstream, **options)


def inspect_case(case: Case) -> Inspector:
    """A drawn network with drawn weights, inputs and targets; every sample is looked at in turn."""
    topology = ng.lay_out(case.spec)
    graph = ng.build(topology)
    if case.edits:
        graph = edit(graph, case.edits)
    random = np.random.default_rng(case.seed)
    engine = ng.ReferenceEngine(graph, draws.float_parameters(graph, random))
    x, targets = draws.inputs(engine.layout, random, case.batch), draws.targets(engine.layout, random, case.batch)
    upstream = draws.upstream(engine.layout, random, case.batch) if targets is None else None
    return Inspector(engine, x, targets, upstream=upstream, sample=case.seed % case.batch, reduction="sum")


def close(found: float, expected: float, size: float) -> bool:
    return isclose(found, expected, rel_tol=1e-9, abs_tol=1e-11 * (1 + size))


def z_from_terms(card: NeuronCard) -> float:
    products = [term.product for term in card.terms]
    if card.kind == "max":
        assert card.winner is not None
        assert products[card.winner] == max(products)
        return products[card.winner]
    total = fsum(products)
    if card.kind == "l2":
        return total**0.5
    return total + (card.bias or 0.0)


def delta_from_parts(card: NeuronCard) -> float:
    handed = fsum(edge.product for edge in card.fan_out)
    own = card.from_loss.value if card.from_loss is not None else 0.0
    if card.kind == "input":
        return handed
    return own + (card.slope * handed if card.slope is not None else 0.0)


def check_adds_up(inspector: Inspector) -> None:
    trace = inspector.trace
    for name, shape in trace.layout.shapes.items():
        for index in np.ndindex(*shape):
            try:
                card = inspector.neuron(write_node((name, *map(int, index))) if shape else name)
            except UnknownName:
                continue  # a neuron that an edit removed
            size = fsum(abs(term.product) for term in card.terms) + abs(card.z)
            if card.kind != "input" and card.terms:
                assert close(z_from_terms(card), card.z, size), card
            size = fsum(abs(edge.product) for edge in card.fan_out) + abs(card.delta or 0)
            assert card.delta is not None
            assert close(delta_from_parts(card), card.delta, size), card
            json.dumps(card.as_json(), allow_nan=False)
            assert card.name in str(card)
    optimizer = ng.SGD(0.5)
    for name, gradient in trace.gradient.items():
        for flat in range(min(gradient.size, 20)):
            card = inspector.weight(write_reference((name, flat), gradient.shape), optimizer)
            size = fsum(abs(use.product) for use in card.uses)
            assert close(card.sum, card.gradient, size), card
            assert close(fsum(use.product for use in card.uses), card.sum, size)
            assert card.value == float(trace.weights[name].reshape(-1)[flat])
            assert str(card).startswith(card.name)
            placed = [value for asked in card.maps for row in asked.sums for value in row if value is not None]
            assert not card.maps or close(fsum(placed), card.sum, size)
            if card.step is not None:
                assert card.step.after == card.value - 0.5 * card.gradient
            json.dumps(card.as_json(), allow_nan=False)


@given(cases())
@settings(max_examples=200)
def test_every_card_of_a_drawn_network_adds_up(case: Case) -> None:
    check_adds_up(inspect_case(case))


@given(cases(edited=True))
@settings(max_examples=60)
def test_every_card_of_an_edited_graph_adds_up(case: Case) -> None:
    check_adds_up(inspect_case(case))


@pytest.mark.parametrize("activation", sorted(SLOPES))
def test_slope_is_the_derivative(activation: str) -> None:
    engine = one_neuron(activation)
    for z in (-2.5, -0.3, 0.4, 1.7):
        step = 1e-6
        up, down = (engine.forward([[z + sign * step]])[0, 0] for sign in (1, -1))
        assert slope(activation, z) == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-8)


def test_every_elementwise_activation_has_a_slope() -> None:
    assert set(SLOPES) == set(ACTIVATIONS) - {"softmax"}


def one_neuron(activation: str) -> ng.ReferenceEngine:
    graph = ng.NeuronGraph()
    graph.add_input("x")
    graph.add_neuron("h", activation=activation)
    graph.connect("x", "h", weight="w", value=1.0)
    graph.set_outputs(["h"], loss="mse")
    return ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))


# -- the lectures' example ---------------------------------------------------------------------------------------------
def test_four_neuron_b_is_as_the_textbook_row_says() -> None:
    card = inspect("four").neuron("conv[0,3,1]")
    assert (card.z, card.a, card.delta, card.slope, card.bias) == (255.0, 255.0, 0.2, 1.0, None)
    assert [term.product for term in card.terms] == [0, -255, 0, 0, 255, 255, 0, 0, 0]
    assert [term.weight for term in card.terms][4] == "conv.weight[0,0,1,1]"
    assert card.fan_out == ((("pool", 0, 1, 0), 0.2, None, 0.2, None),)


def test_four_shared_weight_sums_what_its_copies_ask() -> None:
    card = inspect("four").weight("conv.weight[0,0,1,1]")
    assert card.value == 1.0
    assert (card.sum, card.gradient, card.n_copies, len(card.uses)) == (44.625, 44.625, 36, 36)
    asked = {use.target: use.product for use in card.uses if use.product}
    assert asked == {("conv", 0, 3, 1): pytest.approx(51), ("conv", 0, 3, 3): pytest.approx(-6.375)}


def test_pool_names_winner_and_ties() -> None:
    inspector = inspect("four")
    card = inspector.neuron("pool[0,1,0]")
    assert card.terms[card.winner].source == ("conv", 0, 3, 1)  # type: ignore[index]
    assert len(card.ties) == 1
    tied = inspector.neuron("pool[0,0,0]")
    assert [term.source for term in tied.ties] == [("conv", 0, y, x) for y in (0, 1) for x in (0, 1)]
    assert all(term.w is None for term in tied.terms)


def test_loser_of_a_max_pool_is_handed_zero_and_still_listed() -> None:
    (edge,) = inspect("four").neuron("conv[0,2,1]").fan_out
    assert edge.target == ("pool", 0, 1, 0)
    assert (edge.delta, edge.product) == (0.2, 0.0)


def test_mean_divides_the_gradient_by_the_batch_and_not_the_sum() -> None:
    graph = ng.NeuronGraph()
    graph.add_input("x")
    graph.add_neuron("h")
    graph.connect("x", "h", weight="w", value=2.0)
    graph.set_outputs(["h"], loss="mse", form="half_sum")
    engine = ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))
    card = Inspector(engine, [[1.0], [3.0]], [[0.0], [0.0]]).weight("w")
    assert [(use.sample, use.product) for use in card.uses] == [(0, 2.0), (1, 18.0)]
    assert (card.sum, card.gradient, card.n_copies, card.batch) == (20.0, 10.0, 1, 2)
    assert Inspector(engine, [[1.0], [3.0]], [[0.0], [0.0]], reduction="sum").weight("w").gradient == 20.0
    assert Inspector(engine, [[1.0], [3.0]], [[0.0], [0.0]], sample=1).neuron("h").z == 6.0


def test_program_and_textbook_give_the_same_cards() -> None:
    spec = ng.load("digits")
    topology = ng.lay_out(spec)
    params = ng.initialise(topology, seed=0)
    (x, y), _ = ng.data.digits()
    program = Inspector(ng.compile(topology, params, dtype="float64"), x[:2], y[:2], sample=1)
    textbook = Inspector(ng.ReferenceEngine(ng.build(topology), params), x[:2], y[:2], sample=1)
    for neuron in ("input[0,3,3]", "conv1[5,0,7]", "conv2[3,4,4]", "pool[3,2,2]", "out[4]"):
        one, other = program.neuron(neuron), textbook.neuron(neuron)
        assert [term[0] for term in one.terms] == [term[0] for term in other.terms]
        assert [edge[0] for edge in one.fan_out] == [edge[0] for edge in other.fan_out]
        assert one.winner == other.winner
        for name in ("z", "a", "delta"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9, abs=1e-12)
    for weight in ("conv1.weight[5,0,1,1]", "out.bias[3]"):
        one_weight, other_weight = program.weight(weight), textbook.weight(weight)
        assert one_weight.gradient == pytest.approx(other_weight.gradient, rel=1e-9, abs=1e-12)
        assert len(one_weight.uses) == len(other_weight.uses)


def test_a_program_on_a_topology_explains_without_writing_the_graph_out(monkeypatch: pytest.MonkeyPatch) -> None:
    topology = ng.lay_out(ng.load("lenet5"))
    program = ng.compile(topology, ng.initialise(topology, seed=0))
    monkeypatch.setattr("neurograph.graph.build.build", None)
    card = Inspector(program, np.ones((1, 1, 28, 28)), [3]).neuron("conv2[3,5,5]")
    assert (len(card.terms), len(card.fan_out)) == (150, 1)


# -- without δ, and with odd graphs ------------------------------------------------------------------------------------
def test_without_target_there_is_no_delta() -> None:
    topology = ng.lay_out(ng.load("mazur"))
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    card = Inspector(engine, [[0.05, 0.10]]).neuron("h1")
    assert card.z == pytest.approx(0.3775)
    assert card.delta is None
    assert "δ: not asked for; give a target or an upstream gradient." in str(card)
    json.dumps(card.as_json(), allow_nan=False)


def test_relabelled_graph_is_explained_under_its_new_names() -> None:
    topology = ng.lay_out(ng.load("four"))
    graph = ng.build(topology)
    renamed = nx.relabel_nodes(graph, {("conv", 0, 3, 1): "B", ("pool", 0, 1, 0): "C"})
    engine = ng.ReferenceEngine(renamed, ng.initialise(topology, seed=0))
    x = np.array([ng.load("four").samples[0].input]).reshape(1, 1, 6, 6)
    card = Inspector(engine, x, upstream=[[0.5, -0.25]]).neuron("B")
    assert (card.name, card.delta) == ("B", 0.2)
    assert card.fan_out[0].target == "C"


def test_padding_value_is_a_term_of_its_own() -> None:
    topology = ng.lay_out(ng.load("zipcode-1989"))
    program = ng.compile(topology, ng.initialise(topology, seed=0), dtype="float64")
    card = Inspector(program, np.zeros((1, 1, 16, 16))).neuron("h1[0,0,0]")
    padded = [term for term in card.terms if term.source[0] == "h1.padding"]  # type: ignore[index]
    assert len(card.terms) == 25
    assert {term.a for term in padded} == {-1.0}
    assert len(padded) == 16


# -- faults ------------------------------------------------------------------------------------------------------------
def test_faults_name_what_is_allowed() -> None:
    inspector = inspect("four")
    with pytest.raises(UnknownName) as caught:
        inspector.neuron("conv[0,6,0]")
    assert str(caught.value) == (
        "no neuron conv[0,6,0]: 'conv' has neurons conv[0…0,0…5,0…5]. The nearest is conv[0,5,0]."
    )
    with pytest.raises(UnknownName) as caught:
        inspector.weight("conv.weight[0,0,3,0]")
    assert str(caught.value) == (
        "no weight 'conv.weight[0,0,3,0]': 'conv.weight' has slots conv.weight[0…0,0…0,0…2,0…2]. "
        "The nearest is conv.weight[0,0,2,0]."
    )
    with pytest.raises(BatchError) as bad:
        Inspector(one_neuron("relu"), [[1.0]], [[1.0]], sample=1)
    assert str(bad.value) == "sample 1: the batch has the samples 0…0."


# -- as text -----------------------------------------------------------------------------------------------------------
MAZUR_H1 = """\
h1: weighted neuron, sigmoid

  z = Σ w·a + bias
    source    a     w   w·a     of z  weight
    i1      0.05  0.15  0.0075  2.0%  w1
    i2      0.1   0.2   0.02    5.3%  w2
    bias b1 = 0.35 (92.7% of z)
  z = w1·i1 + w2·i2 + b1
    = 0.15·0.05 + 0.2·0.1 + 0.35
    = 0.3775
  a = f(z) = sigmoid(0.3775) = 0.59327

  δ = f′(z) · Σ δ(target)·w
    target    δ           w  product     of Σ    weight
    o1       0.138499   0.4   0.0553994  152.4%  w5
    o2      -0.0380982  0.5  -0.0190491  -52.4%  w7
    Σ = 0.0363503
    f′(z) = sigmoid′(0.3775) = 0.241301
  δ = f′(z)·(w5·δ(o1) + w7·δ(o2))
    = 0.241301·(0.4·0.138499 + 0.5·(-0.0380982))
    = 0.00877135"""
FOUR_WEIGHT = """\
conv.weight[0,0,1,1] = 1: one weight on 36 edges

  gradient = Σ over its uses of δ·a
    source → target               a    δ     δ·a
    input[0,3,1] → conv[0,3,1]  255   0.2    51
    input[0,3,3] → conv[0,3,3]  255  -0.025  -6.375
    … and 34 more uses, each exactly 0

  sum = 44.625
  some ask for more, some for less: |Σ| / Σ|·| = 44.625 / 57.375 = 77.8% is left
  mean over 1 sample: gradient = 44.625 / 1 = 44.625

  δ·a by position of conv[0]
       0   1  2    3     4  5
    0  0   0  0   0      0  0
    1  0   0  0   0      0  0
    2  0   0  0   0      0  0
    3  0  51  0  -6.375  0  0
    4  0   0  0   0      0  0
    5  0   0  0   0      0  0

  Every one of the 36 copies of this weight gets this same sum, not its own part of it; so after the
  update the copies are still equal: one weight, used 36 times."""
POOL = """\
pool[0,0,0]: max pooling neuron

  z = the largest a of the window
    source       a
    conv[0,0,0]  0   ← wins
    conv[0,0,1]  0
    conv[0,1,0]  0
    conv[0,1,1]  0
    4 neurons share the maximum; the first in order, conv[0,0,0], wins and alone gets the δ
  z = max(conv[0,0,0], conv[0,0,1], conv[0,1,0], conv[0,1,1])
    = max(0, 0, 0, 0)
    = 0
  a = z = 0

  δ = f′(z) · Σ δ(target)·w
    target        δ      w  product  of Σ     weight
    outputs[0]   0.5   0.1   0.05    -100.0%  outputs.weight[0,0]
    outputs[1]  -0.25  0.4  -0.1      200.0%  outputs.weight[1,0]
    Σ = -0.05
    f′(z) = 1
  δ = w[0,0]·δ(outputs[0]) + w[1,0]·δ(outputs[1])
    = 0.1·0.5 + 0.4·(-0.25)
    = -0.05
    where w is outputs.weight

  It sees rows 0…2, columns 0…2 of input.
       0    1  2
    0  0    0  0
    1  0  255  0
    2  0  255  0"""


def test_cards_read_as_on_the_page() -> None:
    assert str(inspect("mazur").neuron("h1")) == MAZUR_H1
    assert str(inspect("four").weight("conv.weight[0,0,1,1]")) == FOUR_WEIGHT
    assert str(inspect("four").neuron("pool[0,0,0]")) == POOL


def test_mazur_has_every_printed_digit() -> None:
    inspector = inspect("mazur")
    assert "    = 1.105905967\n" in inspector.neuron("o1").text(digits=10)
    assert "gradient = 0.08216704056 / 1 = 0.08216704056" in inspector.weight("w5").text(digits=10)


def test_long_tables_keep_the_largest_and_count_the_rest_truly() -> None:
    graph = ng.NeuronGraph()
    graph.add_neuron("sum", kind="sum")
    for number in range(40):
        graph.add_input(f"x{number}")
        graph.connect(f"x{number}", "sum")
    graph.set_outputs(["sum"], loss="mse")
    engine = ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))
    values = [[float(number % 20) for number in range(40)]]
    text = Inspector(engine, values, [[0.0]]).neuron("sum").text(limit=5)
    assert [line.split()[0] for line in text.splitlines() if line.startswith("    x")] == [
        "x17",
        "x18",
        "x19",
        "x38",
        "x39",
    ]
    assert "    … and 35 smaller in-edges, together 289 (2 of them exactly 0)" in text


def test_fixed_weight_says_that_it_stays() -> None:
    text = str(inspect("mazur").weight("b1"))
    assert text.startswith("b1 = 0.35: one bias on 2 neurons, fixed (not trained)")
    assert text.endswith("All 2 copies of this bias stay as they are: it is not trained.")
