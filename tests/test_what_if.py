"""What-if: those neurons are listed whose numbers differ, and no others; nothing changes out of the structure's reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import neurograph as ng
from neurograph.cli import main
from neurograph.errors import GraphTooLarge, UnknownName, UsageError
from neurograph.graph.address import write_node, write_reference
from neurograph.graph.layout import Place
from neurograph.inspector.alterations import read_alterations
from neurograph.inspector.change import Change
from neurograph.inspector.neuron import at
from neurograph.inspector.outputs import port_of
from neurograph.inspector.reach import reach_of
from neurograph.inspector.what_if import _seeds
from neurograph.trace import Trace
from tests.strategies import Case, cases
from tests.test_inspector import inspect, inspect_case
from tests.written import compiled, drawn_engine, toml

WHATS = ("z", "a", "delta")


def differing(before: Trace, after: Trace, sample: int, but: set[Place] = frozenset()) -> dict[str, set[Place]]:  # type: ignore[assignment]
    """The places whose numbers differ between two traces, to the last bit; NaN is NaN."""
    found: dict[str, set[Place]] = {}
    for what in WHATS:
        found[what] = set()
        for name in before.layout.shapes:
            old, new = (np.asarray(getattr(t, what)[name][sample], np.float64) for t in (before, after))
            for index in np.argwhere((old != new) & ~(np.isnan(old) & np.isnan(new))):
                place = (name, tuple(int(i) for i in index))
                found[what] |= set() if place in but else {place}
    return found


def listed(change: Change, but: set[Place] = frozenset()) -> dict[str, set[Place]]:  # type: ignore[assignment]
    """The places that a change says differ, through its rows."""
    found: dict[str, set[Place]] = {what: set() for what in WHATS}
    for moved in change:
        place = change.layout.place(moved.node)
        for what in WHATS:
            old, new = getattr(moved, what)
            if (old != new and not (np.isnan(old) and np.isnan(new))) and place not in but:
                found[what].add(place)
    return found


def check_reach(change: Change) -> None:
    """Whatever changed lies within the structure's reach."""
    for layer in change.layers.values():
        for what in WHATS:
            assert not (layer.changed(what) & ~layer.could[what]).any(), (layer.name, what)


def some(inspector: ng.Inspector, case: Case) -> dict[str, float]:
    """An input, a weight, or both, drawn by the case's seed."""
    random = np.random.default_rng(case.seed)
    layout = inspector.trace.layout
    found: dict[str, float] = {}
    names = sorted(name for name, array in inspector.trace.weights.items() if array.size)
    if not names or random.random() < 0.7:
        port = layout.inputs[random.integers(len(layout.inputs))]
        index = tuple(int(random.integers(n)) for n in port.shape)
        place = port.members[index[0]] if port.members is not None else (port.name, index)
        found[write_node(at(inspector.network, layout, place).node)] = float(random.normal())
    if names and (not found or random.random() < 0.5):
        name = names[random.integers(len(names))]
        array = inspector.trace.weights[name]
        found[write_reference((name, int(random.integers(array.size))), array.shape)] = float(random.normal())
    return found


# -- exactly those, on any network there is ---------------------------------------------------------------------------
@settings(max_examples=80)
@given(cases(edited=True))
def test_what_is_listed_is_what_two_full_passes_differ_in(case: Case) -> None:
    inspector = inspect_case(case)
    changes = some(inspector, case)
    try:
        alterations = read_alterations(inspector, changes)
    except UnknownName:  # an input that was removed from the graph
        return
    change = inspector.what_if(changes)
    asked = inspector.asked
    params = ng.Parameters(inspector.trace.weights)
    x = {name: np.array(value, float) for name, value in asked.x.items()}  # type: ignore[union-attr]
    for alteration in alterations:
        if alteration.reference is not None:
            name, index = alteration.reference
            values = params[name].copy()
            values.reshape(-1)[index] = alteration.after
            params[name] = values
        else:
            assert alteration.place is not None
            port = next(
                p
                for p in inspector.trace.layout.inputs
                if alteration.place in (p.members or ()) or p.name == alteration.place[0]
            )
            column = (port.members.index(alteration.place),) if port.members is not None else alteration.place[1]
            x[port.name][(inspector.sample, *column)] = alteration.after
    second = ng.ReferenceEngine(inspector.network, params)  # type: ignore[arg-type]
    after = second.backprop(x, asked.target, upstream=asked.upstream, reduction="sum")
    assert listed(change) == differing(inspector.trace, after, inspector.sample)
    assert change.loss == (None if after.loss is None else (inspector.trace.loss, after.loss)) or np.isnan(after.loss)
    check_reach(change)
    json.dumps(change.as_json(), allow_nan=False)


@settings(max_examples=80)
@given(cases(edited=True))
def test_held_activation_is_a_neuron_without_in_edges(case: Case) -> None:
    inspector = inspect_case(case)
    layout, network = inspector.trace.layout, inspector.network
    hidden = [
        (name, tuple(map(int, index)))
        for name, shape in layout.shapes.items()
        for index in np.ndindex(*shape)
        if not np.isnan(inspector.trace.a[name][(0, *index)])
    ]
    hidden = [p for p in hidden if port_of(layout, p) is None and at(network, layout, p).kind != "input"]
    if not hidden:
        return
    place = hidden[case.seed % len(hidden)]
    node = at(network, layout, place).node
    change = inspector.what_if({write_node(node): 0.375})
    graph: Any = network.copy()  # type: ignore[union-attr]
    graph.remove_edges_from(list(graph.in_edges(node)))
    graph.set_parameter("the value", 0.375, trainable=False)
    graph.nodes[node].update(kind="weighted", activation="identity", bias=("the value", 0), divisor=None)
    other = ng.ReferenceEngine(graph, ng.Parameters({**inspector.trace.weights, "the value": 0.375}))
    after = inspector.asked.run(other)
    assert listed(change, {place}) == differing(inspector.trace, after, inspector.sample, {place})
    moved = change[node]
    assert moved.z[0] == moved.z[1]
    assert (moved.a[1], moved.delta and moved.delta[1]) == (0.375, 0.0)
    assert change.held[place] == after.delta[place[0]][(inspector.sample, *place[1])]
    check_reach(change)


@settings(max_examples=60)
@given(cases())
def test_reach_is_the_same_from_the_closed_form_and_edge_by_edge(case: Case) -> None:
    inspector = inspect_case(case)
    layout, topology = inspector.trace.layout, ng.lay_out(case.spec)
    seeds = _seeds(inspector, read_alterations(inspector, some(inspector, case)))
    seeds.held.update({place for place in seeds.z if case.seed % 3 == 0 and port_of(layout, place) is None})
    seeds.a.update(seeds.held)
    by_edges, in_closed_form = (reach_of(network, layout, seeds) for network in (inspector.network, topology))
    for what in WHATS:
        for name in layout.shapes:
            np.testing.assert_array_equal(
                getattr(by_edges, what)[name], getattr(in_closed_form, what)[name], f"{what} of {name}"
            )


@pytest.mark.parametrize(
    ("layer", "delta"),
    [
        pytest.param({"kind": "maxpool", "window": 2}, {0, 3}, id="the winner changes"),
        pytest.param({"kind": "avgpool", "window": 2}, set(), id="mean: δ does not depend on a"),
        pytest.param({"kind": "l2pool", "window": 2}, {0, 1, 2, 3}, id="l2: every share changes"),
        pytest.param({"kind": "rbf", "units": 1}, {0}, id="rbf: one difference changes"),
        pytest.param({"kind": "dense", "units": 1}, set(), id="dense: δ does not depend on a"),
    ],
)
def test_reach_of_delta_is_what_the_kinds_formula_needs(layer: dict[str, Any], delta: set[int]) -> None:
    engine = drawn_engine(ng.ReferenceEngine, [1, 2, 2], [layer])
    shape = (1, *engine.layout.heads[0].shape)
    inspector = ng.Inspector(engine, [[[[1.0, 2.0], [3.0, 4.0]]]], upstream=np.ones(shape))
    change = inspector.what_if("x[0,0,0]=9")
    assert set(np.flatnonzero(change.layers["input"].changed("delta"))) == delta
    could = {0, 1, 2, 3} if layer["kind"] == "maxpool" else delta
    seeds = _seeds(inspector, read_alterations(inspector, "x[0,0,0]=9"))
    for network in (inspector.network, ng.lay_out(ng.load(toml([1, 2, 2], [layer])))):
        assert set(np.flatnonzero(reach_of(network, inspector.trace.layout, seeds).delta["input"])) == could


@settings(max_examples=40)
@given(cases())
def test_the_same_value_changes_nothing_and_weights_are_put_back(case: Case) -> None:
    inspector = inspect_case(case)
    params = inspector.asked.engine.params
    before = {name: params[name].copy() for name in params}
    changes = some(inspector, case)
    own = {a.name: a.before for a in read_alterations(inspector, changes)}
    assert len(inspector.what_if(own)) == 0
    inspector.what_if(changes)
    assert all(np.array_equal(params[name], before[name], equal_nan=True) for name in params)


# -- what it says -----------------------------------------------------------------------------------------------------
def test_pixel_of_four_moves_the_strokes_neurons() -> None:
    change = inspect("four").what_if("x[0,4,2]=255")
    assert change["conv[0,3,1]"].a == (255.0, 0.0)
    assert change["outputs[0]"].z == (51.0, -25.5)
    assert {write_node(moved.node) for moved in change if moved.a[0] != moved.a[1]} == {
        *("input[0,4,2]", "conv[0,3,1]", "conv[0,3,3]", "pool[0,1,0]", "pool[0,1,1]", "outputs[0]", "outputs[1]")
    }
    assert "conv 36 9 of 9 2 of 9 2 of 16" in " ".join(change.text().split())


def test_tied_weight_changes_all_its_uses() -> None:
    inspector = inspect("four")
    change = inspector.what_if("conv.weight[0,0,1,1]=0")
    seen = {use.target for use in inspector.weight("conv.weight[0,0,1,1]").uses if use.a}
    assert {moved.node for moved in change if moved.z[0] != moved.z[1] and moved.node[0] == "conv"} == seen  # type: ignore[index]


def test_max_pool_that_keeps_its_maximum_is_in_reach_and_unchanged() -> None:
    graph = ng.NeuronGraph()
    for name in ("x1", "x2"):
        graph.add_input(name)
    graph.add_pool("p")
    graph.connect("x1", "p")
    graph.connect("x2", "p")
    graph.set_outputs(["p"], loss="mse", form="half_sum")
    engine = ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))
    change = ng.Inspector(engine, [[1.0, 5.0]], [[0.0]]).what_if({"x1": 4.0})
    assert [moved.node for moved in change] == ["x1"]
    assert (
        change.text().splitlines()[-4].strip()
        == "1 neuron changed; 2 others are within its reach, and kept all their numbers."
    )


def test_neurons_without_a_number_are_there_all_the_same() -> None:
    engine = inspect("mazur").asked.engine
    change = ng.Inspector(engine, [[float("nan"), 0.1]], [[0.01, 0.99]]).what_if("i2=0.2")
    assert [moved.node for moved in change] == ["i2"]
    assert all(layer.there.all() for layer in change.layers.values())
    assert change.layers["h1"].reached("z") == 1


def test_program_gives_the_same_list() -> None:
    layers = [{"kind": "conv", "filters": 2, "kernel": 3, "activation": "relu"}, {"kind": "maxpool", "window": 2}]
    layers += [{"kind": "dense", "units": 3, "activation": "softmax"}]
    x = np.random.default_rng(1).normal(size=(3, 1, 6, 6))
    rows = []
    for make in (ng.ReferenceEngine, compiled):
        engine = drawn_engine(make, [1, 6, 6], layers, {"kind": "cross_entropy"})
        change = ng.Inspector(engine, x, np.array([0, 2, 1]), sample=2).what_if("x[0,3,3]=0.5")
        rows.append([moved.node for moved in change if moved.a[0] != moved.a[1]])
        assert change.labels.keys() == {"dense3"}
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("w9=3", "what-if: no neuron or weight 'w9' (layers and weights: i1, i2, h1, h2, o1, o2, w1, w2, w3, w4, w5, w6, w7, w8, b1, b2)"),
        ("w5", "what-if 'w5': no assignment; write it as x[0,2,3]=5 (an input), conv1.weight[0,0,2,1]=0.5 (a weight), or "
               "pool1[0,1,0]=3 (an activation)."),
        ("w5=nan", "what-if: w5 = nan: not finite; use a finite number."),
        ("x[5]=1", "what-if: no input x[5]: the input has x[0…1]."),
        ("o1=3", "what-if: o1 is an output: the loss reads it, nobody else. Change a weight, an input, or a neuron before it."),
        (["w5=1", "w5=2"], "what-if: w5 is changed twice; give it one value."),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_is_said(change: Any, message: str) -> None:
    with pytest.raises((UnknownName, UsageError)) as caught:
        inspect("mazur").what_if(change)
    assert str(caught.value) == message


# -- the command ------------------------------------------------------------------------------------------------------
def test_command_prints_tables_pages_and_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["what-if", "mazur", "w5=0.45", "i1=0.1"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("mazur, sample 0, weights as given\n\nWhat if w5 = 0.45, i1 = 0.1?\n")
    assert "  loss: 0.298371 → 0.302664 (+0.0042931)" in shown
    assert main(["what-if", "four", "conv[0,3,1]=0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["network"] == "four"
    assert told["changes"] == [{"kind": "activation", "name": "conv[0,3,1]", "before": 255.0, "after": 0.0}]
    assert main(["what-if", "four", "x[0,2,3]=0", "--format", "html"]) == 0
    assert "<h1>What if input[0,2,3] = 0?</h1>" in capsys.readouterr().out
    assert main(["what-if", "four", "x[0,2,9]=0"]) == 2
    assert capsys.readouterr().err == "what-if: no input x[0,2,9]: the input has x[0…0,0…5,0…5].\n"


def test_activation_of_a_network_too_large_to_write_out_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurograph.inspector.held.EDGE_LIMIT", 100)
    topology = ng.lay_out(ng.load("four"))
    program = ng.compile(topology, ng.initialise(topology, seed=0))
    inspector = ng.Inspector(program, np.ones((1, 1, 6, 6)), [[0.0, 1.0]])
    with pytest.raises(GraphTooLarge) as caught:
        inspector.what_if("conv[0,1,1]=2")
    assert str(caught.value) == (
        f"what-if: conv[0,1,1]: an activation is held in networks of up to 100 edges; four has {topology.n_edges:,}. "
        "Change an input or a weight."
    )
    assert inspector.what_if("input[0,1,1]=2").layers["conv"]
