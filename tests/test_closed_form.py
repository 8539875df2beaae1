"""Both roads to a plan are the same road: closed form and edges say the same, as values."""

from __future__ import annotations

import importlib

import pytest
from hypothesis import given, settings
from planning import assert_says, odd_projections, projection_of, step_of, topologies, words

import neurograph as ng
from neurograph.compiler import closed_form, plan
from neurograph.compiler.fold import discover
from neurograph.compiler.plan import Numbers, PlanProjection
from neurograph.compiler.tabulate import place_parameters
from neurograph.graph.build import build
from neurograph.graph.neuron_graph import HeadSpec
from neurograph.graph.topology import Population, Projection, Topology
from neurograph.ops.wiring import Blocks, Pairs, Window
from neurograph.parameters import ParameterSpec

road = importlib.import_module("neurograph.compiler.from_topology")  # the package has a function of that name


@given(topologies())
def test_plan_of_topology_equals_plan_of_graph(topology: Topology) -> None:
    graph = build(topology)
    exact = plan(topology, until="fold")
    assert exact == plan(graph, until="fold")
    assert_says(exact, graph)


@settings(max_examples=400)
@given(odd_projections())
def test_products_of_patterns_are_what_discovery_finds(odd: tuple[Topology, Projection]) -> None:
    topology, projection = odd
    parameters = place_parameters(topology.parameters)
    rank = len(topology.populations["layer"].shape)
    rows = closed_form.expand([projection], rank, parameters)
    assert closed_form.nests_of([projection], rank, parameters) == discover(rows, parameters)


@pytest.mark.parametrize("name", ng.bundled())
def test_bundled_specs_plan_alike_from_both_roads(name: str) -> None:
    topology = ng.lay_out(ng.load(name))
    if topology.n_edges <= 500_000:
        assert plan(topology, until="fold") == plan(build(topology), until="fold")
    else:
        assert road.has_closed_form(topology)


def test_large_networks_touch_no_neuron(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a neuron was written out")

    monkeypatch.setattr(closed_form, "expand", refuse)
    monkeypatch.setattr("neurograph.graph.build.build", refuse)
    made = plan(ng.lay_out(ng.load("alexnet")))
    assert max(len(p.nests) for step in made.steps for p in step.projections) == 1
    assert not any(p.table for step in made.steps for p in step.projections)


SPEC = """
name = "t"
input = [4, 9, 8]
[[layer]]
name = "c"
kind = "conv"
filters = 6
kernel = 3
groups = 2
[[layer]]
name = "d"
kind = "depthwise"
kernel = 3
multiplier = 2
[[layer]]
name = "u"
kind = "conv"
filters = 2
kernel = 2
tie = "none"
[[layer]]
name = "p"
kind = "avgpool"
window = 2
[[layer]]
name = "f"
kind = "dense"
units = 7
"""


def test_axes_say_what_is_shared_in_words() -> None:
    made = plan(ng.lay_out(ng.load(SPEC)))
    assert words(projection_of(made, "c", "input")) == ["3 lanes, 2 parallel, 6 tied, 7 tied"]
    assert words(projection_of(made, "d", "c")) == ["2 lanes, 6 parallel, 4 tied, 5 tied"]
    assert words(projection_of(made, "u", "d")) == ["2 lanes, 3 parallel, 4 parallel"]
    assert words(projection_of(made, "p", "u")) == ["2 tied, 2 tied"]
    assert words(projection_of(made, "f", "p")) == ["7 lanes"]
    assert words(projection_of(made, "u", "1")) == ["2 lanes, 3 lanes, 4 lanes"]


def test_several_projections_between_two_layers_are_discovered_together() -> None:
    """Four channels read the sources 0, 1, 0, 1: a run of two, twice, which no single projection shows."""
    projections = [Projection("a", "b", (Pairs(4, 2, ((t, t % 2, 0),)), Window(3, 3, 1)), "w") for t in range(4)]
    parameters = place_parameters({"w": ParameterSpec("w", (1,))})
    nests, table = closed_form.nests_of(projections, 2, parameters)
    assert words(PlanProjection("a", nests, table)) == ["2 tied, 2 tied, 3 tied"]


def test_weights_over_several_rows_count_from_the_first() -> None:
    """Three taps over rows of two: the second row begins inside the stencil."""
    projection = Projection("a", "b", (Blocks(1, 1, 1), Window(3, 7, kernel=3, stride=2, tap_weight=1)), "w", 1)
    (nest,), table = closed_form.nests_of([projection], 2, place_parameters({"w": ParameterSpec("w", (2, 2))}))
    assert (nest.weight, table) == (1, None)
    assert nest.taps.weight == Numbers([0, 1, 2])


def test_pairs_out_of_order_are_wired_the_same() -> None:
    from neurograph.compiler.pattern import patterns_of

    wires = ((0, 0, 5), (0, 2, 7), (1, 1, 5), (1, 3, 7))
    ordered, shuffled = Pairs(2, 4, wires), Pairs(2, 4, wires[::-1])
    first, second = (patterns_of(wiring, 10) for wiring in (ordered, shuffled))
    assert [(p.source.tolist(), p.pieces) for p in first] == [(p.source.tolist(), p.pieces) for p in second]
    assert [len(p.pieces) for p in first] == [1]


def test_a_maximum_over_two_layers_is_written_out_for_the_order_of_its_ties() -> None:
    one_to_one = (Blocks(3, 1, 1),)
    topology = Topology(
        "t",
        {"a": Population("a", "input", (3,)), "b": Population("b", "sum", (3,)), "m": Population("m", "max", (3,))},
        (Projection("a", "b", one_to_one), Projection("a", "m", one_to_one), Projection("b", "m", one_to_one)),
        {},
        (HeadSpec("m"),),
        (("m",),),
    )
    made = plan(topology, until="fold")
    assert made == plan(build(topology), until="fold")
    (joint,) = step_of(made, "m").projections
    assert (joint.source, joint.others) == ("a", (("b", None),))
    assert_says(made, build(topology))
