"""Borders join the interior through a zero halo, and the network stays the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from planning import assert_says, edited_graphs, planned, projection_of, topologies, words

import neurograph as ng
from neurograph import compiler
from neurograph.compiler.counting import n_edges
from neurograph.compiler.pad import pad
from neurograph.compiler.plan import ONE, Nest, Plan
from neurograph.graph.build import build
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology

CONV = """
name = "t"
input = [2, {rows}, {columns}]
[[layer]]
name = "c"
kind = "{kind}"
{options}
"""


def plan(network: Topology | NeuronGraph, until: str = "pad") -> Plan:
    """The plan as far as padding goes."""
    return compiler.plan(network, until)


def laid(options: str, kind: str = "conv", rows: int = 6, columns: int = 7) -> Topology:
    return ng.lay_out(ng.load(CONV.format(rows=rows, columns=columns, kind=kind, options=options.replace("; ", "\n"))))


def n_parts(made: Plan) -> int:
    """Nests, and neurons alone."""
    projections = [projection for step in made.steps for projection in step.projections]
    return sum(len(p.nests) + (p.table.n_neurons if p.table else 0) for p in projections)


@given(topologies())
def test_padding_keeps_every_edge_of_drawn_networks(topology: Topology) -> None:
    exact = plan(topology, until="fold")
    padded = pad(exact)
    assert_says(padded, build(topology))
    assert n_parts(padded) <= n_parts(exact)


@given(edited_graphs())
def test_padding_keeps_every_edge_of_edited_graphs(graph: NeuronGraph) -> None:
    exact = planned(graph, until="fold")
    if exact is not None:
        assert_says(exact, graph)
        assert_says(pad(exact), graph)


@pytest.mark.parametrize(
    ("options", "kind", "expected"),
    [
        ("filters = 3; kernel = 3; padding = 1", "conv", "3 lanes, 7 tied, 6 tied"),
        ("filters = 3; kernel = 5; padding = 2", "conv", "3 lanes, 7 tied, 6 tied"),
        ("filters = 1; kernel = 3; padding = 1", "conv", "7 tied, 6 tied"),
        ("filters = 3; kernel = [3, 2]; padding = [[1, 0], [0, 1]]", "conv", "3 lanes, 7 tied, 5 tied"),
        ("filters = 3; kernel = 3; padding = 2; dilation = 2", "conv", "3 lanes, 7 tied, 6 tied"),
        ("filters = 3; kernel = 3; padding = 1; stride = 2", "conv", "3 lanes, 4 tied, 3 tied"),
        ("filters = 4; kernel = 3; padding = 1; groups = 2", "conv", "2 lanes, 2 parallel, 7 tied, 6 tied"),
        ("kernel = 3; padding = 1; multiplier = 2", "depthwise", "2 lanes, 2 parallel, 7 tied, 6 tied"),
        ('filters = 2; kernel = 3; padding = 1; tie = "none"', "conv", "2 lanes, 7 parallel, 6 parallel"),
    ],
)
def test_borders_join_the_interior(options: str, kind: str, expected: str) -> None:
    topology = laid(options, kind)
    assert words(projection_of(plan(topology), "c", "input")) == [expected]
    assert projection_of(plan(topology), "c", "input").table is None
    assert plan(topology) == pad(plan(build(topology), until="fold"))


def test_filters_of_different_maps_each_have_a_template() -> None:
    topology = laid("filters = 3; kernel = 3; padding = 1; connections = [[0], [0, 1], [1]]")
    assert sorted(words(projection_of(plan(topology), "c", "input"))) == ["7 tied, 6 tied"] * 3


def test_a_tiny_map_without_interior_finds_its_template_in_the_table() -> None:
    topology = laid("filters = 1; kernel = 3; padding = 1", rows=3, columns=3)
    exact = projection_of(plan(topology, until="fold"), "c", "input")
    assert not exact.nests
    assert exact.table is not None
    assert exact.table.n_neurons == 9
    padded = projection_of(plan(topology), "c", "input")
    assert words(padded) == ["3 tied, 3 tied"]
    assert padded.table is None
    assert_says(plan(topology), build(topology))


@pytest.mark.parametrize("kind", ["maxpool", "avgpool", "l2pool"])
def test_pools_keep_their_clipped_windows(kind: str) -> None:
    topology = laid("window = 3; stride = 2; padding = 1", kind)
    assert plan(topology) == plan(topology, until="fold")


def test_a_frame_of_constants_is_read_and_not_padded() -> None:
    topology = laid("filters = 3; kernel = 3; padding = 1; padding_value = -1")
    made = plan(topology)
    assert made == plan(topology, until="fold")
    assert projection_of(made, "c", "input").halo == "c.padding"
    assert words(projection_of(made, "c", "input")) == ["3 lanes, 7 tied, 6 tied"]


def test_a_missing_edge_inside_the_map_is_never_padded() -> None:
    """One edge deleted at a border: the neuron still lacks a source that is there."""
    graph = build(laid("filters = 1; kernel = 3; padding = 1"))
    graph.remove_edge(("input", 0, 0, 0), ("c", 0, 0, 0))
    made = plan(graph)
    table = projection_of(made, "c", "input").table
    assert table is not None
    assert table.target.array.tolist() == [[0, 0, 0]]
    assert_says(made, graph)


def test_a_border_that_joins_nothing_stays_as_it_was() -> None:
    """With a hole in every row, the left border has no neighbour of its stencil to join."""
    graph = build(laid("filters = 1; kernel = 3; padding = 1", rows=1, columns=6))
    for u in (1, 4):
        graph.remove_edge(("input", 0, 0, u), ("c", 0, 0, u))
    exact, padded = plan(graph, until="fold"), plan(graph)
    assert projection_of(exact, "c", "input") == projection_of(padded, "c", "input")


def test_weights_of_halo_taps_lie_in_the_neuron_s_own_row() -> None:
    topology = laid("filters = 3; kernel = 3; padding = 1")
    (nest,) = projection_of(plan(topology), "c", "input").nests
    assert nest.taps.weight is not None
    assert nest.taps.weight.array.tolist() == [*range(18)]


def test_edges_are_counted_without_the_halo() -> None:
    topology = laid("filters = 3; kernel = 5; padding = 2; stride = 2")
    made = plan(topology)
    assert projection_of(made, "c", "input").n_edges > topology.n_edges
    assert sum(n_edges(made, p) for step in made.steps for p in step.projections if p.source != ONE) == topology.n_edges


def test_edges_of_slanted_nests_are_counted_too() -> None:
    """An axis that shifts the sources along two coordinates at once: no layer makes one, a drawing may."""
    from neurograph.compiler.counting import edges_of_nest
    from neurograph.compiler.plan import Axis, Numbers, Taps

    taps = Taps(Numbers([[0, 0], [0, 1]]), Numbers([0, 1]))
    nest = Nest(taps, (0,), (0, 0), 0, (Axis(0, 4, 1, (1, 1), 0),))
    inside = [(i, i + tap) for i in range(4) for tap in range(2) if i < 3 and i + tap < 4]
    assert edges_of_nest(nest, (3, 4)) == len(inside) == 6


@given(topologies())
def test_counted_edges_are_those_read_back(topology: Topology) -> None:
    made = plan(topology)
    counted = sum(n_edges(made, p) for step in made.steps for p in step.projections)
    assert counted == sum(1 for _ in made.edges()) == topology.n_connections


def test_a_long_table_is_searched_without_a_loop() -> None:
    """Every neuron of a large map is edited, so that thousands of rows are candidates and none may adopt."""
    graph = build(laid("filters = 2; kernel = 3; padding = 1", rows=12, columns=12))
    rng = np.random.default_rng(0)
    for _, v in {(u, v) for u, v in graph.edges if v[0] == "c"}:
        sources = [u for u in graph.pred[v] if u[0] == "input"]
        if len(sources) > 1 and rng.random() < 0.7:
            graph.remove_edge(sources[rng.integers(len(sources))], v)
    assert_says(plan(graph), graph)


def test_a_border_with_a_source_out_of_place_is_never_padded() -> None:
    """The corner reads its weights from a shuffled pair of sources: no shift lays the template over it."""
    graph = build(laid("filters = 1; kernel = 3; padding = 1"))
    first, second = ("input", 0, 0, 1), ("input", 0, 1, 0)
    corner = graph.edges
    tied = corner[first, ("c", 0, 0, 0)]["param"], corner[second, ("c", 0, 0, 0)]["param"]
    corner[first, ("c", 0, 0, 0)]["param"], corner[second, ("c", 0, 0, 0)]["param"] = tied[::-1]
    made = plan(graph)
    assert_says(made, graph)
    table = projection_of(made, "c", "input").table
    assert table is not None
    assert table.target.array.tolist() == [[0, 0, 0]]


def test_edges_missing_from_a_frame_stay_missing() -> None:
    """Outside a framed map there is a value and not 0: deleted edges from there cannot come back as halo taps."""
    graph = build(laid("filters = 1; kernel = 3; padding = 1; padding_value = -1"))
    constants = [source for source in graph.pred["c", 0, 0, 3] if source[0] == "c.padding"]
    graph.remove_edges_from([(constant, ("c", 0, 0, 3)) for constant in constants])
    made = plan(graph)
    assert_says(made, graph)
    table = projection_of(made, "c", "input").table
    assert table is not None
    assert table.target.array.tolist() == [[0, 0, 3]]


def test_halo_taps_never_address_a_weight_that_is_not_there() -> None:
    """Clipped neurons whose weights begin late in the only row: the template's last tap would lie behind all weights."""
    graph = NeuronGraph()
    for i in range(4):
        graph.add_input(f"x{i}")
    graph.set_parameter("w", value=np.zeros(7))
    for i, first in enumerate((0, 2, 4, 6)):
        graph.add_neuron(f"h{i}")
        graph.connect(f"x{i}", f"h{i}", weight=("w", first))
        if i < 3:
            graph.connect(f"x{i + 1}", f"h{i}", weight=("w", first + 1))
    made = plan(graph)
    assert_says(made, graph)
    assert highest_address(made) < made.n_weights


def highest_address(made: Plan) -> int:
    highest = -1
    for nest in (nest for step in made.steps for projection in step.projections for nest in projection.nests):
        if nest.taps.weight is not None:
            last = (nest.weight or 0) + int(nest.taps.weight.array.max())
            highest = max(highest, last + sum(max(0, axis.weight * (axis.count - 1)) for axis in nest.axes))
    return highest


@given(topologies())
def test_padded_plans_address_weights_that_exist(topology: Topology) -> None:
    made = plan(topology)
    assert highest_address(made) < max(made.n_weights, 1)


def test_a_tap_deleted_from_a_whole_row_is_not_padded_for_the_neuron_at_its_end() -> None:
    """At the left end the tap lies outside the map, in the rest of the row it was deleted: one box, which may not adopt."""
    graph = build(laid("filters = 1; kernel = 3; padding = 1"))
    for u in range(1, 7):
        for c in range(2):
            for v in range(1, 4):
                graph.remove_edge(("input", c, v, u - 1), ("c", 0, 2, u))
    made = plan(graph)
    assert_says(made, graph)
    assert max(axis.count for nest in projection_of(made, "c", "input").nests for axis in nest.axes) == 7
