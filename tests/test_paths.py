"""A derivative as a sum over paths: against every path enumerated, and against backpropagation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from math import fsum, prod
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings

import neurograph as ng
from neurograph.cli import main
from neurograph.errors import GraphTooLarge, UnknownName, UsageError
from neurograph.graph.address import Node
from neurograph.inspector import paths_between
from neurograph.inspector.paths import PathsCard, paths_card
from neurograph.reference.activations import FUNCTIONS
from neurograph.reference.rules import rule_of
from neurograph.trace import Trace
from neurograph.verification import draws
from tests.editing import edit
from tests.strategies import Case, cases

ENUMERATED = 3_000
"""Networks with more paths between two neurons are compared with backpropagation alone."""


def drawn(case: Case) -> tuple[ng.ReferenceEngine, dict[Any, Any]]:
    """The textbook engine over a drawn network, and a batch of one."""
    graph = ng.build(ng.lay_out(case.spec))
    graph = edit(graph, case.edits) if case.edits else graph
    random = np.random.default_rng(case.seed)
    engine = ng.ReferenceEngine(graph, draws.float_parameters(graph, random))
    return engine, draws.inputs(engine.layout, random, 1)


def output_of(engine: ng.ReferenceEngine, seed: int) -> tuple[Node, dict[Any, Any]]:
    """One output of a drawn network, and the upstream gradient that is 1 there and 0 elsewhere."""
    heads = [number for number, head in enumerate(engine.graph.heads) if engine.graph.outputs(number)]
    nodes = [
        (port, node) for port, n in zip(engine.layout.heads, heads, strict=True) for node in engine.graph.outputs(n)
    ]
    port, node = nodes[seed % len(nodes)]
    upstream = {head.name: np.zeros((1, *head.shape)) for head in engine.layout.heads}
    name, index = engine.layout.place(node)
    upstream[port.name][(0, *index) if port.members is None else (0, port.members.index((name, index)))] = 1.0
    return node, upstream


def number(trace: Trace, what: str, node: Node) -> float:
    return float(getattr(trace, what)[node][0])


def local(engine: ng.ReferenceEngine, trace: Trace, source: Node, target: Node) -> float:
    """∂a(target)/∂a(source) along one edge, by the textbook's rules; a softmax's slope is not in it."""
    graph, data = engine.graph, engine.graph.nodes[target]
    edges = graph.fan_in(target)
    constants = {node: d["param"] for node, d in graph.nodes(data=True) if d["kind"] == "constant"}
    weight: Callable[[Any], float] = lambda param: float(engine.params[param[0]].reshape(-1)[param[1]])  # noqa: E731
    a = [weight(constants[node]) if node in constants else number(trace, "a", node) for node, _ in edges]
    w = [weight(attributes["param"]) for _, attributes in edges if attributes["param"] is not None]
    z = number(trace, "z", target)
    slopes = rule_of(data["kind"], len(edges), data["divisor"]).dz_da(a, w, z)
    f = 1.0 if data["activation"] == "softmax" else FUNCTIONS[data["activation"]].slope(z, number(trace, "a", target))
    return f * slopes[[node for node, _ in edges].index(source)]


def enumerated(engine: ng.ReferenceEngine, trace: Trace, source: Node, target: Node) -> Iterator[float]:
    """The product of every path that does not end in a softmax."""
    for nodes in nx.all_simple_paths(engine.graph, source, target):
        yield prod(local(engine, trace, *edge) for edge in pairwise(nodes))


def cancels(engine: ng.ReferenceEngine, trace: Trace) -> bool:
    """Whether a neuron is so far out that its textbook slope, a(1 − a) and the like, has lost digits that the card's has."""
    flat = ("sigmoid", "tanh", "scaled_tanh", "elu")
    nodes = engine.graph.nodes(data="activation")
    return any(abs(number(trace, "z", node)) > 6 for node, word in nodes if word in flat)


def check_paths(case: Case) -> PathsCard:
    engine, x = drawn(case)
    target, upstream = output_of(engine, case.seed)
    trace = engine.backprop(x, upstream=upstream)
    assume(not cancels(engine, trace))
    inputs = engine.graph.inputs()
    source = inputs[case.seed % len(inputs)]
    card = paths_card(trace, 0, target, source, k=4)
    assert np.isfinite(card.sum_abs)
    close = 1e-9 * card.sum_abs + 1e-290
    assert abs(card.sum - number(trace, "delta", source)) <= close
    if not case.edits:  # the same from the closed form, which writes nothing out
        closed = replace(trace, network=ng.lay_out(case.spec))
        assert paths_card(closed, 0, target, source, k=4) == card
    json.dumps(card.as_json(), allow_nan=False)
    assert str(card)
    if card.n_paths <= ENUMERATED and engine.graph.nodes[target]["activation"] != "softmax":
        compare(card, sorted(enumerated(engine, trace, source, target), key=abs, reverse=True))
    return card


def compare(card: PathsCard, products: list[float]) -> None:
    """The card against every path there is."""
    size = fsum(map(abs, products))
    assert len(products) == card.n_paths
    assert sum(product != 0 for product in products) == card.n_open
    assert card.n_open <= card.n_won <= card.n_paths
    assert fsum(products) == pytest.approx(card.sum, rel=1e-9, abs=1e-9 * size)
    assert size == pytest.approx(card.sum_abs, rel=1e-9)
    assert len(card.largest) == min(4, card.n_open)
    assert [abs(path.product) for path in card.largest] == pytest.approx(
        list(map(abs, products[: len(card.largest)])), rel=1e-9
    )
    assert len({path.nodes for path in card.largest}) == len(card.largest)
    for path in card.largest:
        assert path.product == pytest.approx(prod(step.factor for step in path.steps), rel=1e-12)


@given(cases())
@settings(max_examples=80)
def test_paths_of_a_drawn_network_are_all_and_add_up_to_the_derivative(case: Case) -> None:
    check_paths(case)


@given(cases(edited=True))
@settings(max_examples=40)
def test_paths_of_an_edited_graph_are_all_and_add_up_to_the_derivative(case: Case) -> None:
    assume(case.edits)
    check_paths(case)


def softmax_network() -> tuple[ng.ReferenceEngine, list[list[float]]]:
    """Two inputs, three hidden neurons, three outputs that share a softmax."""
    spec = ng.load(
        'name = "s"\ninput = [2]\n[[layer]]\nname = "h"\nkind = "dense"\nunits = 3\nactivation = "tanh"\n'
        '[[layer]]\nname = "o"\nkind = "dense"\nunits = 3\nactivation = "softmax"\n[loss]\nkind = "mse"\n'
    )
    topology = ng.lay_out(spec)
    return ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=3)), [[0.5, -1.0]]


def test_paths_through_a_softmax_pass_every_unit_that_shares_it() -> None:
    engine, x = softmax_network()
    trace = engine.backprop(x, upstream=[[0.0, 1.0, 0.0]])
    card = paths_card(trace, 0, "o[1]", "input[0]", k=99)
    assert (card.n_paths, card.softmax) == (9, True)
    assert card.sum == pytest.approx(float(trace.delta["input[0]"][0]), rel=1e-9)
    assert {path.nodes[-2] for path in card.largest} == {("o", 0), ("o", 1), ("o", 2)}
    assert {path.nodes[-1] for path in card.largest} == {("o", 1)}
    assert "o[1] (softmax)" in str(card)


def four() -> Trace:
    spec = ng.load("four")
    topology = ng.lay_out(spec)
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    return engine.backprop([[spec.samples[0].input]], upstream=[[0.5, -0.25]])


def test_the_lectures_four_lets_one_path_through() -> None:
    card = paths_card(four(), 0, "outputs[0]", "input[0,2,1]")
    assert (card.n_paths, card.n_won, card.n_open, card.sum) == (9, 1, 1, -0.2)
    assert str(card) == (
        """\
∂outputs[0]/∂input[0,2,1]: a sum over paths

  ∂a(outputs[0])/∂a(input[0,2,1]) = Σ over paths of the product of f′(z)·∂z/∂a over their edges
    rank  product  of Σ  of Σ|·|  path
    1     -0.2     100%  100%     input[0,2,1] → conv[0,3,1] → pool[0,1,0] → outputs[0]
    Σ = -0.2

  9 paths in all.
  1 of them passes only winners of their pooling windows; a loser hands nothing on.
  Of the other 8 each product is exactly 0.

  the largest, edge by edge
    edge                        ∂z/∂a  f′(z)  ∂a/∂a
    input[0,2,1] → conv[0,3,1]  -1     1      -1
    conv[0,3,1] → pool[0,1,0]    1     1       1
    pool[0,1,0] → outputs[0]     0.2   1       0.2
    product = (-1) · 1 · 0.2 = -0.2"""
    )


def test_numbers_of_paths_are_exact_beyond_64_bits() -> None:
    layers = "".join(f'[[layer]]\nname = "d{i}"\nkind = "dense"\nunits = 10\nbias = false\n' for i in range(25))
    topology = ng.lay_out(ng.load(f'name = "deep"\ninput = [1]\n{layers}'))
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    trace = engine.backprop([[1.0]], upstream=np.eye(10)[:1])
    assert paths_card(trace, 0, "d24[0]", "input[0]").n_paths == 10**24


def test_backwards_there_is_no_path() -> None:
    for trace in (four(), replace(four(), network=ng.lay_out(ng.load("four")))):
        card = paths_card(trace, 0, "input[0,2,1]", "outputs[0]")
        assert (card.n_paths, card.n_open, card.sum, card.largest) == (0, 0, 0.0, ())
        assert "No path leads from outputs[0] to input[0,2,1]: the derivative is 0." in str(card)
        assert str(card).endswith(f"From input[0,2,1] to outputs[0] there are {card.n_back} paths: swap the two.")
        assert card.n_back == paths_card(trace, 0, "outputs[0]", "input[0,2,1]").n_paths > 1


def test_what_cannot_be_asked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"^paths: from conv\[0,1,1\] to itself; name two neurons\.$"):
        paths_card(four(), 0, "conv[0,1,1]", ("conv", 0, 1, 1))
    with pytest.raises(UsageError, match=r"^paths: k = 0; ask for at least 1 path\.$"):
        paths_card(four(), 0, "outputs[0]", "input[0,1,1]", k=0)
    with pytest.raises(UnknownName, match=r"no neuron conv\[0,9,9\]: 'conv' has neurons conv\[0…0,0…5,0…5\]\."):
        paths_card(four(), 0, "outputs[0]", "conv[0,9,9]")
    monkeypatch.setattr(paths_between, "MOST_EDGES", 10)
    with pytest.raises(GraphTooLarge, match=r"^paths from input\[0,1,1\] to outputs\[0\] run over more than 10 edges"):
        paths_card(four(), 0, "outputs[0]", "input[0,1,1]")


# -- the command -------------------------------------------------------------------------------------------------------
def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["paths", *arguments]) == 0
    return capsys.readouterr().out


def test_command_prints_the_card(capsys: pytest.CaptureFixture[str]) -> None:
    out = run("mazur", "i1", "o1", "-k", "1", capsys=capsys)
    assert out.startswith("mazur, sample 0, weights as given\n\n∂o1/∂i1: a sum over paths\n")
    assert "i1 → h2 → o1" in out
    assert "… and 1 smaller, together 0.00270472" in out


def test_command_answers_machines_and_pages(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run("mazur", "i1", "o1", "--json", capsys=capsys))
    assert (found["n_paths"], found["network"], found["largest"][0]["nodes"]) == (2, "mazur", ["i1", "h2", "o1"])
    assert run("mazur", "i1", "o1", "--format", "html", capsys=capsys).startswith("<!doctype html>")
    latex = run("four", "input[0,2,1]", "outputs[0]", "--format", "latex", capsys=capsys)
    assert r"\begin{tabular}" in latex
    assert latex.isascii()  # what LaTeX has no word for would stop it


def test_command_names_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paths", "mazur", "i9", "o1"]) == 2
    assert capsys.readouterr().err.startswith("no neuron i9")
