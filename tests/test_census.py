"""A census against the textbook's own numbers, counted neuron by neuron, and every reason why a unit is dead."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import neurograph as ng
from neurograph.cli import main
from neurograph.cli.commands import COMMANDS
from neurograph.errors import BatchError, UnknownName
from neurograph.graph.address import Node, write_node
from neurograph.inspector import census_dead, census_take
from neurograph.inspector.census import Census
from neurograph.inspector.census_ranges import ACTIVATIONS as RANGED
from neurograph.inspector.census_ranges import LEAST, Ranges
from neurograph.inspector.census_take import take_census
from neurograph.inspector.census_wiring import Wiring
from neurograph.inspector.formulas import slope
from neurograph.ops.words import ACTIVATIONS
from neurograph.trace import Trace
from neurograph.verification import draws
from tests.editing import edit
from tests.strategies import Case, cases

SAMPLES = 7


class Drawn:
    """A drawn network with its textbook engine, data and one trace over all samples."""

    def __init__(self, case: Case) -> None:
        self.topology = ng.lay_out(case.spec)
        graph = ng.build(self.topology)
        self.graph = edit(graph, case.edits) if case.edits else graph
        random = np.random.default_rng(case.seed)
        self.engine = ng.ReferenceEngine(self.graph, draws.float_parameters(self.graph, random))
        self.x = draws.inputs(self.engine.layout, random, SAMPLES)
        self.upstream = draws.upstream(self.engine.layout, random, SAMPLES)
        self.trace: Trace = self.engine.backprop(self.x, upstream=self.upstream, reduction="sum")

    def census(self) -> Census:
        return take_census(self.engine, self.x, upstream=self.upstream)

    def neurons(self) -> Iterable[tuple[Node, dict[str, Any]]]:
        return ((node, data) for node, data in self.graph.nodes(data=True) if data["kind"] not in ("input", "constant"))


def winner(drawn: Drawn, node: Node, sample: int) -> int:
    a = [float(drawn.trace.a[source][sample]) for source, _ in drawn.graph.fan_in(node)]
    return a.index(max(a))


def count_edges(drawn: Drawn) -> tuple[Counter[Any], Counter[Any]]:
    """Layer → edges, and edges that never carried a δ, one by one."""
    edges: Counter[Any] = Counter()
    idle: Counter[Any] = Counter()
    for node, data in drawn.neurons():
        layer = drawn.engine.layout.place(node)[0]
        for number, _ in enumerate(drawn.graph.fan_in(node)):
            wins = (data["kind"] != "max" or winner(drawn, node, n) == number for n in range(SAMPLES))
            carried = (w and float(drawn.trace.delta[node][n]) != 0 for n, w in enumerate(wins))
            edges[layer] += 1
            idle[layer] += not any(carried)
    return edges, idle


def check(case: Case) -> None:
    drawn = Drawn(case)
    census = drawn.census()
    edges, idle = count_edges(drawn)
    assert {name: layer.n_edges for name, layer in census.layers.items() if layer.n_edges} == dict(edges)
    assert {name: layer.n_idle for name, layer in census.layers.items() if layer.n_edges} == dict(idle)
    dead = {node for node, data in drawn.neurons() if data["activation"] == "relu" and (drawn.trace.z[node] <= 0).all()}
    assert {unit.node for unit in census.dead} == dead
    for node, data in drawn.neurons():
        name, index = drawn.engine.layout.place(node)
        layer = census.layers[name]
        z = drawn.trace.z[node]
        assert layer.fired[index] == (z > 0).sum()
        assert layer.largest_z[index] == z.max()
        if data["activation"] in ("sigmoid", "tanh", "scaled_tanh"):
            assert layer.flat[index] == sum(abs(slope(data["activation"], float(value))) < 0.01 for value in z)
        if data["kind"] == "max":
            won = Counter(winner(drawn, node, n) for n in range(SAMPLES))
            sources = [source for source, _ in drawn.graph.fan_in(node)]
            assert [(w.source, w.wins) for w in census.window(node)] == [(s, won[i]) for i, s in enumerate(sources)]
    json.dumps(census.as_json(), allow_nan=False)
    assert "census over 7 samples" in str(census)
    if not case.edits:
        check_closed_form(drawn)


def check_closed_form(drawn: Drawn) -> None:
    """The arrays from the topology are those from the graph, neuron by neuron and edge by edge."""
    one, other = (Wiring(n, drawn.trace.layout, drawn.trace.weights) for n in (drawn.topology, drawn.graph))
    for name in drawn.trace.layout.shapes:
        assert sources(one, name) == sources(other, name)
        for field in ("target", "slot", "number"):
            assert np.array_equal(getattr(one.fan_ins(name), field), getattr(other.fan_ins(name), field)), (name, field)
        for field in ("kind", "activation", "bias", "divisor", "there"):
            assert np.array_equal(getattr(one.members(name), field), getattr(other.members(name), field)), (name, field)
        assert np.array_equal(one.n_in(name), other.n_in(name))


def sources(wiring: Wiring, name: Any) -> list[Any]:
    """Where each edge comes from: a neuron's column, or the parameter with a padded border's value."""
    constants = {column: reference for reference, column in wiring.constants.items()}
    return [constants.get(column, column) for column in wiring.fan_ins(name).column.tolist()]


@given(cases())
@settings(max_examples=40)
def test_a_census_counts_what_the_textbook_engine_shows(case: Case) -> None:
    check(case)


@given(cases(edited=True))
@settings(max_examples=25)
def test_a_census_of_an_edited_graph_counts_the_same(case: Case) -> None:
    check(case)


@given(cases(edited=True))
@settings(max_examples=30)
def test_no_neuron_leaves_its_range(case: Case) -> None:
    drawn = Drawn(case)
    wiring = Wiring(drawn.graph, drawn.trace.layout, drawn.trace.weights)
    census = drawn.census()
    ranges = Ranges(wiring, census.inputs)
    names = [name for name in drawn.trace.layout.shapes if name not in census.inputs]
    for name, edges in census_dead._in_order(wiring, names, ranges):
        low, high = ranges.add(name, wiring.members(name), edges)
        z = drawn.trace.z[name].reshape(SAMPLES, -1)
        slack = 1e-9 * (1 + np.abs(low) + np.abs(high))
        assert not (z < low - slack).any(), name
        assert not (z > high + slack).any(), name
        a = drawn.trace.a[name].reshape(SAMPLES, -1)
        first = wiring.offset[name]
        part = slice(first, first + a.shape[1])
        assert not (a < ranges.low[part] - slack).any(), name
        assert not (a > ranges.high[part] + slack).any(), name


def test_every_elementwise_activation_has_a_range() -> None:
    assert set(RANGED) == set(ACTIVATIONS) - {"softmax"}
    z = np.linspace(-30, 30, 6001)
    for word, function in RANGED.items():
        a = function(z)
        assert (np.diff(a) >= 0).all() != (word in LEAST)
        assert word not in LEAST or LEAST[word] < a.min() < LEAST[word] + 1e-3


# -- reasons -----------------------------------------------------------------------------------------------------------
def one_relu(w: float, bias: float, x: list[list[float]], **options: Any) -> Census:
    graph = ng.NeuronGraph()
    graph.add_input("x1")
    graph.add_input("x2")
    graph.add_neuron("h", activation="relu", bias="b")
    graph.connect("x1", "h", weight="w", value=w)
    graph.connect("x2", "h", weight="v", value=1.0)
    graph.set_parameter("b", value=bias)
    graph.set_outputs(["h"], loss="mse")
    engine = ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))
    return take_census(engine, x, [[1.0]] * len(x), **options)


@pytest.mark.parametrize(
    ("w", "bias", "x", "reason"),
    [
        (2.0, -5.0, [[1.0, 0.0], [0.0, 1.0]], "its bias, -5, outweighs the largest possible sum, 3"),
        (-2.0, -1.0, [[1.0, 0.0], [0.5, 0.0]], "its largest possible z is -2, whatever the input"),
        (2.0, -2.5, [[1.0, 0.0], [0.0, 1.0]], "z < 0 on all 2 samples"),
        (-1.0, 0.0, [[1.0, 1.0], [0.5, 0.0]], "z ≤ 0 on all 2 samples"),
        (2.0, -2.5, [[1.0, 0.0]], "its bias, -2.5, outweighs the largest possible sum, 2"),
    ],
)
def test_a_dead_unit_says_why(w: float, bias: float, x: list[list[float]], reason: str) -> None:
    (unit,) = one_relu(w, bias, x).dead
    assert (unit.node, unit.reason) == ("h", reason)


def test_a_wider_range_of_inputs_lets_a_unit_hope() -> None:
    given = [[1.0, 0.0], [0.0, 1.0]]
    assert one_relu(2.0, -5.0, given, inputs=(0, 10)).dead[0][2:] == ("z < 0 on all 2 samples", 25.0)
    assert one_relu(2.0, 0.0, given).dead == ()


def test_a_unit_that_reads_only_zeros_says_so() -> None:
    census = four()
    reasons = {write_node(unit.node): unit.reason for unit in census.dead}
    assert reasons["conv[0,0,3]"] == "all that it reads was 0 on the only sample"
    assert reasons["conv[0,0,0]"] == "z < 0 on the only sample"
    assert len(reasons) == 33


def test_without_ranges_it_is_said_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census_dead, "MOST_EDGES", 1)
    census = one_relu(2.0, -5.0, [[1.0, 0.0]])
    assert census.dead[0].reason == "z < 0 on the only sample"
    assert "too many edges to work out the largest possible sums" in str(census)


# -- the lectures' four ------------------------------------------------------------------------------------------------
def four(**options: Any) -> Census:
    spec = ng.load("four")
    topology = ng.lay_out(spec)
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    options = options or {"upstream": [spec.samples[0].upstream]}
    return take_census(engine, [[spec.samples[0].input]], **options)


def test_the_lectures_four() -> None:
    assert str(four()) == (
        """\
census over 1 sample
  input from 0 to 255

  dead units: ReLUs that never fired; no δ passes them, and their weights do not learn
    layer  ReLUs  dead  share
    conv   36     33    91.7%

  why
    such as      units  largest z  why
    conv[0,0,0]  21     -255       z < 0 on the only sample
    conv[0,0,3]   7        0       all that it reads was 0 on the only sample
    conv[0,1,0]   5        0       z ≤ 0 on the only sample

  pool: who won its 9 windows, 9 times in all
    place in the window  wins  share  with a δ
    row 0, column 0      6     66.7%  6
    row 0, column 1      0      0.0%  0
    row 1, column 0      0      0.0%  0
    row 1, column 1      3     33.3%  3
  6 times (66.7%) several inputs shared the maximum, each time with 0; then the first in order wins.
  27 of the 36 inputs never won.

  edges that never carried a δ
    into  edges  never  share
    conv  256    232    90.6%
    pool   36     27    75.0%
  An edge carries a δ where its target's δ is not 0; into a maximum, where its source also wins."""
    )


def test_without_a_target_nothing_is_said_of_delta() -> None:
    text = str(four(target=None))
    assert text.endswith("δ: not asked for; give targets.")
    assert "with a δ" not in text


def test_the_inspector_takes_it() -> None:
    spec = ng.load("four")
    topology = ng.lay_out(spec)
    x, upstream = [[spec.samples[0].input]], [spec.samples[0].upstream]
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    inspector = ng.Inspector(engine, x, upstream=upstream)
    assert str(inspector.census(x, upstream=upstream)) == str(four())
    assert inspector.paths("outputs[0]", "input[0,2,1]").sum == -0.2


def test_one_window_can_be_asked_for() -> None:
    census = four()
    assert [w.wins for w in census.window("pool[0,1,0]")] == [0, 0, 0, 1]
    with pytest.raises(
        UnknownName, match=r"^conv\[0,0,0\] is no maximum: it has no window to win. Layers of maxima: pool\.$"
    ):
        census.window("conv[0,0,0]")


# -- streaming ---------------------------------------------------------------------------------------------------------
SMALL = """
name = "small"
input = [1, 8, 8]
layer = [
    { name = "conv", kind = "conv", filters = 2, kernel = 3, stride = 2, activation = "relu" },
    { name = "pool", kind = "maxpool", window = 2, stride = 1 },
    { name = "output", kind = "dense", units = 10 },
]
loss = { kind = "cross_entropy" }
"""


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    topology = ng.lay_out(ng.load(SMALL))
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    (x, y), _ = ng.data.digits()
    whole = take_census(engine, x[:9], y[:9]).as_json()
    monkeypatch.setattr(census_take, "MOST_SAMPLES", 4)
    assert take_census(engine, x[:9], y[:9]).as_json() == whole
    monkeypatch.setattr(census_take, "MOST_NUMBERS", 1)
    assert take_census(engine, x[:9], y[:9]).as_json() == whole


def test_the_compiled_program_takes_the_same_census() -> None:
    topology = ng.lay_out(ng.load(SMALL))
    params = ng.initialise(topology, seed=0)
    (x, y), _ = ng.data.digits()
    textbook = take_census(ng.ReferenceEngine(ng.build(topology), params), x[:70], y[:70])
    compiled = take_census(ng.compile(topology, params, dtype="float64"), x[:70], y[:70])
    for name, layer in textbook.layers.items():
        assert np.array_equal(layer.fired, compiled.layers[name].fired)
        assert np.array_equal(layer.carried, compiled.layers[name].carried)
        if layer.windows is not None:
            other = compiled.layers[name].windows
            assert other is not None
            assert layer.windows.windows == other.windows
    assert str(compiled) == str(textbook)


def test_saturated_units_are_counted() -> None:
    graph = ng.NeuronGraph()
    graph.add_input("x")
    graph.add_neuron("h", activation="tanh")
    graph.connect("x", "h", weight="w", value=1.0)
    graph.set_outputs(["h"], loss="mse")
    engine = ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))
    census = take_census(engine, [[0.0], [2.9], [3.1], [-9.0]], [[0.0]] * 4)
    assert int(census.layers["h"].flat) == 2
    assert "h in 50.0%" in str(census)
    assert "None, in no sample." in str(take_census(engine, [[0.0]], [[0.0]]))


def test_data_of_different_lengths_is_refused() -> None:
    with pytest.raises(BatchError, match=r"^census: target has 2 samples; x has 1\.$"):
        four(target=[0, 1])


# -- the command -------------------------------------------------------------------------------------------------------
def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["census", *arguments]) == 0
    return capsys.readouterr().out


def test_command_prints_a_census(capsys: pytest.CaptureFixture[str]) -> None:
    assert "census" in COMMANDS
    out = run("four", capsys=capsys)
    assert out == f"four, sample 0 (a four), weights as given\n\n{four()}\n"
    assert run("four", "--format", "html", capsys=capsys).startswith("<!doctype html>")
    assert run("four", "--format", "latex", capsys=capsys).isascii()
    assert run("mazur", "--format", "latex", capsys=capsys).isascii()
    assert json.loads(run("four", "--json", capsys=capsys))["layers"][1]["dead"][0]["node"] == "conv[0,0,0]"


def test_command_shows_one_window(capsys: pytest.CaptureFixture[str]) -> None:
    out = run("four", "--window", "pool[0,1,0]", capsys=capsys)
    assert "pool[0,1,0]: who won its window in 1 sample" in out
    assert "conv[0,3,1]  1     100.0%  1" in out
    found = json.loads(run("four", "--window", "pool[0,1,0]", "--json", capsys=capsys))
    assert found["winners"][3] == {"source": "conv[0,3,1]", "wins": 1, "paid": 1}


def test_command_takes_digits_where_there_is_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert "census over 5 samples" in run("digits", "--samples", "5", capsys=capsys)
    assert main(["census", "alexnet"]) == 2
    assert capsys.readouterr().err.startswith("alexnet: nothing to count: the spec has neither samples nor a data set")
