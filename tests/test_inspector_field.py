"""What a card says a neuron sees: the box of its ancestors among the inputs, with the numbers that were given there."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

import neurograph as ng
from neurograph.graph.address import write_node
from neurograph.inspector import Inspector
from neurograph.inspector.heat import coarse, heat_map
from neurograph.verification import draws
from tests.editing import edit
from tests.strategies import Case, cases


@given(cases(edited=True))
@settings(max_examples=60)
def test_a_neuron_sees_the_box_of_its_ancestors(case: Case) -> None:
    graph = ng.build(ng.lay_out(case.spec))
    if case.edits:
        graph = edit(graph, case.edits)
    random = np.random.default_rng(case.seed)
    engine = ng.ReferenceEngine(graph, draws.float_parameters(graph, random))
    inspector = Inspector(engine, draws.inputs(engine.layout, random, case.batch))
    nodes = [node for node, kind in graph.nodes(data="kind") if kind not in ("input", "constant")]
    for node in nodes[:: max(1, len(nodes) // 8)]:
        above = nx.ancestors(graph, node)
        card = inspector.neuron(node)
        seen = {part.name: part for part in card.sees}
        for port in engine.layout.inputs:
            if port.members is not None or len(port.shape) < 2:
                continue
            places = np.array([graph.nodes[n]["index"] for n in above if graph.nodes[n]["layer"] == port.name])
            assert (port.name in seen) == bool(len(places))
            if len(places):
                low, high = places.min(axis=0), places.max(axis=0)
                assert seen[port.name].box == tuple(zip(low.tolist(), high.tolist(), strict=True))
                box = tuple(slice(a, b + 1) for a, b in seen[port.name].box)
                there = inspector.trace.a[port.name][0][box]
                assert np.array_equal(np.array(seen[port.name].values).reshape(there.shape), there, equal_nan=True)
                assert f"of {port.name}." in str(card)


def test_a_wide_field_is_told_in_a_sentence_alone() -> None:
    spec = 'name = "wide"\ninput = [1, 40, 40]\n[[layer]]\nname = "d"\nkind = "dense"\nunits = 2\n'
    topology = ng.lay_out(ng.load(spec))
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    text = str(Inspector(engine, np.ones((1, 1, 40, 40))).neuron("d[0]"))
    assert text.endswith("\n\n  It sees rows 0…39, columns 0…39 of input.")


def test_channels_are_shown_one_by_one_and_counted() -> None:
    spec = 'name = "deep"\ninput = [5, 4, 4]\n[[layer]]\nname = "c"\nkind = "conv"\nfilters = 1\nkernel = 2\n'
    topology = ng.lay_out(ng.load(spec))
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    x = np.arange(80.0).reshape(1, 5, 4, 4)
    text = str(Inspector(engine, x).neuron("c[0,1,2]"))
    assert (
        "  It sees rows 1…2, columns 2…3 of input.\n  input, channel 0\n        2   3\n    1   6   7\n    2  10  11\n"
        in text
    )
    assert text.endswith("  input, channel 2\n        2   3\n    1  38  39\n    2  42  43\n    … and 2 more channels")


@pytest.mark.parametrize(
    ("value", "digit"), [(9.0, "9"), (-9.0, "-9"), (1.0, "1"), (1e-9, "1"), (4.5, "5"), (0.0, "."), (None, "")]
)
def test_digits_round_up_so_that_only_zero_is_a_point(value: float | None, digit: str) -> None:
    row = [value, 9.0, *[0.0] * 12]
    assert heat_map("m", [row], 6).cells[0][0] == digit


def test_coarse_maps_keep_the_sum_and_the_holes() -> None:
    values: list[list[float | None]] = [[float(y * 40 + x) for x in range(40)] for y in range(40)]
    values[0][0] = values[0][1] = values[1][0] = values[1][1] = None
    sums, side = coarse(values)
    assert (side, len(sums), len(sums[0]), sums[0][0]) == (2, 20, 20, None)
    assert sum(v for row in sums for v in row if v is not None) == sum(
        v for row in values for v in row if v is not None
    )


def test_a_written_neuron_and_its_node_see_the_same() -> None:
    topology = ng.lay_out(ng.load("four"))
    inspector = Inspector(
        ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0)), np.ones((1, 1, 6, 6))
    )
    node = ("pool", 0, 1, 0)
    assert inspector.neuron(node).sees == inspector.neuron(write_node(node)).sees
