"""What is too large for a plan is refused before memory is asked for, and nothing else is."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from written import Table, toml

import neurograph as ng
from neurograph.compiler import closed_form, room
from neurograph.errors import GraphTooLarge
from neurograph.graph.topology import Topology


def topology_of(shape: list[int], layers: list[Table]) -> Topology:
    return ng.lay_out(ng.load(toml(shape, layers)))


WAY_OUT = "Make the layer or its input smaller; `neurograph summary` counts a network of any size."
TOO_LARGE = [
    (
        [10_000, 1_000, 1_000],
        {"kind": "dense", "name": "f", "units": 3},
        "a neuron of 'f' reads 'input' at 10,000,000,000 places; a plan writes out what one neuron reads, up to 100,000,000. ",
    ),
    (
        [100_000, 1_000, 1_000],
        {"kind": "conv", "name": "c", "filters": 2, "kernel": 33},
        "a neuron of 'c' reads 'input' at 108,900,000 places; a plan writes out what one neuron reads, up to 100,000,000. ",
    ),
    (
        [4],
        {"kind": "dense", "name": "f", "units": 10_000_000_000},
        "'f' has 10,000,000,000 neurons along one axis; a plan writes an axis out, up to 100,000,000. ",
    ),
]


@pytest.mark.parametrize(("shape", "layer", "message"), TOO_LARGE, ids=["dense", "kernel", "units"])
def test_what_one_neuron_reads_has_a_limit(shape: list[int], layer: dict[str, Any], message: str) -> None:
    topology = topology_of(shape, [layer])
    tracemalloc.start()
    try:
        with pytest.raises(GraphTooLarge) as raised:
            ng.plan(topology)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert str(raised.value) == f"{topology.name}: {message}{WAY_OUT}"


def test_neurons_and_edges_have_none() -> None:
    topology = topology_of(
        [64, 4_000, 4_000],
        [
            {"kind": "conv", "name": "c", "filters": 64, "kernel": 3, "padding": 1, "activation": "relu"},
            {"kind": "maxpool", "name": "p", "window": 2},
        ],
    )
    assert topology.n_edges > 500_000_000_000
    assert [len(step.projections[-1].nests) for step in ng.plan(topology).steps] == [1, 1]


def test_connection_tables_count_what_one_filter_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    table = [[0, 1], [1, 2], [2, 3], [0, 3]]
    topology = topology_of([4, 6, 6], [{"kind": "conv", "name": "c", "filters": 4, "kernel": 3, "connections": table}])
    monkeypatch.setattr(room, "LIMIT", 2 * 9)
    room.check_room(topology)
    monkeypatch.setattr(room, "LIMIT", 2 * 9 - 1)
    with pytest.raises(GraphTooLarge, match="at 18 places"):
        room.check_room(topology)


def test_edges_without_a_product_form_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    topology = topology_of([1, 3, 3], [{"kind": "conv", "name": "c", "filters": 2, "kernel": 2}])
    exact = ng.plan(topology)
    monkeypatch.setattr(closed_form, "_product_of", lambda *_: None)
    assert ng.plan(topology) == exact
    monkeypatch.setattr(room, "LIMIT", 31)
    with pytest.raises(GraphTooLarge) as raised:
        ng.plan(topology)
    assert str(raised.value) == (
        f"'c' reads 'input' in a way that a plan finds only edge by edge, and these are 32 edges (limit 31). {WAY_OUT}"
    )
