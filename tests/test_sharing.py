"""Counts and receptive fields in closed form, against the graph written out and counted edge by edge."""

from __future__ import annotations

from collections import Counter
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurograph.errors import SpecError
from neurograph.graph.build import build
from neurograph.graph.lay_out import lay_out
from neurograph.graph.receptive import Box, middle, receptive_field
from neurograph.graph.sharing import uses_per_weight
from neurograph.graph.topology import Topology
from neurograph.spec.model import Spec

BRANCHES = [
    {"name": "c1", "kind": "conv", "filters": 4, "kernel": 3, "padding": 1, "from": "input"},
    {"name": "c2", "kind": "conv", "filters": 2, "kernel": [1, 3], "padding": [0, 1], "from": "input"},
    {"name": "cat", "kind": "concat", "from": ["c1", "c2"]},
    {"name": "g", "kind": "conv", "filters": 4, "kernel": 2, "groups": 2, "from": "cat"},
    {"name": "dw", "kind": "depthwise", "kernel": 3, "multiplier": 2, "stride": 2},
    {"name": "d", "kind": "dense", "units": 3},
]
TABLE = [
    {"name": "c1", "kind": "conv", "filters": 3, "kernel": 2, "padding": "same"},
    {"name": "s2", "kind": "subsample", "window": 2},
    {"name": "c3", "kind": "conv", "filters": 3, "kernel": 2, "connections": [[0, 1], [2], [0, 1, 2]]},
    {"name": "u4", "kind": "conv", "filters": 2, "kernel": 3, "padding": 1, "tie": "none"},
    {"name": "out", "kind": "globalpool", "op": "mean"},
]
FRAME = [
    {"name": "h1", "kind": "conv", "filters": 2, "kernel": 5, "stride": 2, "padding": 2, "padding_value": -1.0},
    {"name": "h2", "kind": "conv", "filters": 2, "kernel": 2, "tie_bias": "none"},
]


def topology_of(layers: list[dict[str, Any]], shape: tuple[int, ...] = (2, 8, 7)) -> Topology:
    return lay_out(Spec.model_validate({"name": "t", "input": list(shape), "layer": layers}))


@st.composite
def windowed(draw: st.DrawFn, *, dilations: tuple[int, ...] = (1,)) -> Topology:
    """Two windowed layers over one axis or two, with strides, dilations and padding of every form."""
    rank = draw(st.integers(1, 2))
    shape = [draw(st.integers(1, 2)), *(draw(st.integers(5, 9)) for _ in range(rank))]
    layers = []
    for number in range(2):
        padding = draw(st.sampled_from([0, 1, 2, "same", "full", [[0, 1]] * rank, [[2, 0]] * rank]))
        options = {"stride": draw(st.integers(1, 3)), "padding": padding, "name": f"c{number}"}
        tie = draw(st.sampled_from(["map", "none"]))
        layers.append(
            {
                "kind": "conv",
                "filters": 2,
                "kernel": draw(st.integers(1, 3)),
                "dilation": draw(st.sampled_from(dilations)),
                "tie": tie,
                **options,
            }
        )
    try:
        return topology_of(layers, tuple(shape))
    except SpecError:
        return topology_of([layers[0] | {"padding": "full"}], tuple(shape))


def counted_uses(topology: Topology, layer: str) -> set[int]:
    """How often each slot of each weight that the layer reads is used, counted over the layer's edges."""
    graph = build(topology)
    edges = [
        data["param"] for _, target, data in graph.edges(data=True) if target[0] == layer and data["param"] is not None
    ]
    uses = Counter(edges)
    slots = {(p.weight, i) for p in topology.into(layer) if p.weight for i in range(_slots(topology, p.weight))}
    unused = topology.parameters[next(iter(slots))[0]].used if slots else None
    if unused is not None:
        slots = {(name, i) for name, i in slots if unused.reshape(-1)[i]}
    return {uses[slot] for slot in slots}


def _slots(topology: Topology, name: str) -> int:
    size = 1
    for extent in topology.parameters[name].shape:
        size *= extent
    return size


def seen_in_graph(topology: Topology, layer: str) -> Box | None:
    """Box of the inputs that reach the layer's middle neuron; None for a neuron that sees padding only."""
    graph = build(topology)
    node = (layer, *middle(topology.populations[layer].shape))
    reached = [n[1:] for n in nx.ancestors(graph, node) if n[0] == "input"]
    return tuple((min(column), max(column)) for column in zip(*reached, strict=True)) if reached else None


def check(topology: Topology, *, dilated: bool = False) -> None:
    for name, population in topology.populations.items():
        if population.is_input:
            continue
        field = receptive_field(topology, (name, *middle(population.shape)))
        seen = seen_in_graph(topology, name)
        if seen is None:
            assert dilated or field == {}, name
        elif dilated:
            assert all(a <= c and d <= b for (a, b), (c, d) in zip(field["input"], seen, strict=True)), name
        else:
            assert field == {"input": seen}, name
        counted, uses = counted_uses(topology, name), uses_per_weight(topology, name)
        assert uses == ((min(counted), max(counted)) if counted else None), name


@pytest.mark.parametrize("layers", [BRANCHES, TABLE, FRAME], ids=["branches", "table", "frame"])
def test_closed_forms_equal_counting(layers: list[dict[str, Any]]) -> None:
    check(topology_of(layers))


@given(windowed())
def test_closed_forms_equal_counting_for_drawn_windows(topology: Topology) -> None:
    check(topology)


@given(windowed(dilations=(1, 2, 3)))
def test_a_box_holds_all_that_dilated_windows_see(topology: Topology) -> None:
    check(topology, dilated=True)


def test_hand_drawn_weights_are_counted_over_the_whole_network() -> None:
    spec = {
        "name": "hand",
        "neuron": [
            {"id": "x", "kind": "input"},
            {"id": "y", "kind": "input"},
            {"id": "h"},
            {"id": "o", "output": True},
        ],
        "edge": [
            {"from": "x", "to": "h", "weight": "w"},
            {"from": "y", "to": "h", "weight": "v"},
            {"from": "h", "to": "o", "weight": "w"},
        ],
    }
    topology = lay_out(Spec.model_validate(spec))
    assert uses_per_weight(topology, "h") == (1, 2)
    assert uses_per_weight(topology, "o") == (2, 2)
    assert receptive_field(topology, "o") == {"x": (), "y": ()}
