"""Both roads to a plan are the same road: closed form and edges say the same, as values."""

from __future__ import annotations

import importlib

import pytest
from hypothesis import given
from planning import assert_says, projection_of, topologies, words

import neurograph as ng
from neurograph.compiler import closed_form, plan
from neurograph.graph.build import build
from neurograph.graph.topology import Topology
from neurograph.ops.wiring import Blocks, Pairs, Window

road = importlib.import_module("neurograph.compiler.from_topology")  # the package has a function of that name


@given(topologies())
def test_plan_of_topology_equals_plan_of_graph(topology: Topology) -> None:
    graph = build(topology)
    exact = plan(topology, optimise=False)
    assert exact == plan(graph, optimise=False)
    assert_says(exact, graph)


@pytest.mark.parametrize("name", ng.bundled())
def test_bundled_specs_plan_alike_from_both_roads(name: str) -> None:
    topology = ng.lay_out(ng.load(name))
    if topology.n_edges <= 500_000:
        assert plan(topology, optimise=False) == plan(build(topology), optimise=False)
    else:
        assert road.has_closed_form(topology)


def test_large_networks_touch_no_neuron(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a neuron was written out")

    monkeypatch.setattr(closed_form, "expand", refuse)
    monkeypatch.setattr(road, "build", refuse)
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


def test_a_projection_that_is_no_product_takes_the_passes_of_the_graph_road() -> None:
    """Taps of weight 0 on both axes: the stencils of two borders are one, which no product of patterns knows."""
    from neurograph.compiler.tabulate import place_parameters
    from neurograph.graph.topology import Projection
    from neurograph.parameters import ParameterSpec

    clipped = Window(3, 3, kernel=2, before=1)
    projection = Projection("a", "b", (Blocks(1, 1, 1), clipped, clipped), "w")
    parameters = place_parameters({"w": ParameterSpec("w", (1,))})
    nests, table = closed_form.nests_of([projection], 3, parameters)
    rows = closed_form.expand([projection], 3, parameters)
    assert sum(nest.n_edges for nest in nests) + (table.n_edges if table else 0) == len(rows.source) == clipped.count**2


def test_pairs_out_of_order_are_wired_the_same() -> None:
    from neurograph.compiler.pattern import patterns_of

    wires = ((0, 0, 5), (0, 2, 7), (1, 1, 5), (1, 3, 7))
    ordered, shuffled = Pairs(2, 4, wires), Pairs(2, 4, wires[::-1])
    first, second = (patterns_of(wiring, 10) for wiring in (ordered, shuffled))
    assert [(p.source.tolist(), p.pieces) for p in first] == [(p.source.tolist(), p.pieces) for p in second]
    assert [len(p.pieces) for p in first] == [1]
