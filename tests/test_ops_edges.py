"""The wiring of every layer kind, edge by edge: the closed forms against plain loops, on drawn options."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

import naive
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import neurograph as ng
from neurograph.errors import SpecError
from neurograph.graph.topology import Topology
from neurograph.ops import KIND_NAMES
from neurograph.spec.model import Spec

small = st.integers(1, 3)
WITHOUT_EDGES = {"flatten", "concat", "dropout"}
ONE_TO_ONE = {"add", "activation"}


def per_axis(rank: int, numbers: st.SearchStrategy[int] = small) -> st.SearchStrategy[Any]:
    return numbers | st.lists(numbers, min_size=rank, max_size=rank)


def paddings(rank: int) -> st.SearchStrategy[Any]:
    number = st.integers(0, 2)
    pairs = st.lists(st.lists(number, min_size=2, max_size=2), min_size=rank, max_size=rank)
    return number | st.lists(number, min_size=rank, max_size=rank) | pairs | st.sampled_from(["valid", "same", "full"])


@st.composite
def convs(draw: st.DrawFn, channels: int, rank: int) -> dict[str, Any]:
    layer: dict[str, Any] = {"kind": "conv", "kernel": draw(per_axis(rank)), "padding": draw(paddings(rank))}
    layer["stride"], layer["dilation"] = draw(per_axis(rank)), draw(per_axis(rank, st.integers(1, 2)))
    groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
    layer["filters"] = groups * draw(st.integers(1, 2))
    if draw(st.booleans()):
        rows = st.lists(st.integers(0, channels - 1), min_size=1, max_size=channels, unique=True)
        layer["connections"] = [draw(rows) for _ in range(layer["filters"])]
    elif groups > 1:
        layer["groups"] = groups
    for option, values in (("tie", ["map", "none"]), ("tie_bias", ["map", "none"]), ("bias", [True, False])):
        if draw(st.booleans()):
            layer[option] = draw(st.sampled_from(values))
    return layer


def others(rank: int) -> st.SearchStrategy[dict[str, Any]]:
    units = st.fixed_dictionaries({"kind": st.sampled_from(["dense", "rbf"]), "units": small})
    if rank == 0:
        return units
    pools = st.fixed_dictionaries(
        {"kind": st.sampled_from(["maxpool", "avgpool", "l2pool"]), "window": per_axis(rank)},
        optional={"stride": per_axis(rank), "padding": paddings(rank)},
    )
    depthwise = st.fixed_dictionaries(
        {"kind": st.just("depthwise"), "kernel": per_axis(rank)},
        optional={"stride": per_axis(rank), "padding": paddings(rank), "multiplier": st.integers(1, 2)},
    )
    subsample = st.fixed_dictionaries({"kind": st.just("subsample"), "window": per_axis(rank)})
    whole = st.fixed_dictionaries({"kind": st.just("globalpool"), "op": st.sampled_from(["max", "mean", "l2"])})
    return units | pools | depthwise | subsample | whole


@st.composite
def layers(draw: st.DrawFn) -> tuple[dict[str, Any], list[int]]:
    """A layer of any kind with edges, and the shape of its input."""
    shape = [draw(small), *draw(st.lists(st.integers(1, 5), max_size=2))]
    rank = len(shape) - 1
    layer = draw(others(rank) | convs(shape[0], rank)) if rank else draw(others(0))
    return {"name": "it", **layer}, shape


def laid_out(*layers: dict[str, Any], shape: list[int]) -> Topology:
    return ng.lay_out(Spec.model_validate({"name": "drawn", "input": shape, "layer": list(layers)}))


def edges_in(network: Topology, layer: str) -> Counter[naive.Edge]:
    """The edges of the explicit graph into one layer."""
    found = ng.build(network).edges(data="param")
    return Counter((u, v, param) for u, v, param in found if v[0] == layer)


def check_edges(
    network: Topology, layer: dict[str, Any], channels: list[naive.Channel], sizes: tuple[int, ...]
) -> None:
    expected = Counter(naive.edges_of(layer, channels, sizes))
    assert edges_in(network, layer["name"]) == expected
    assert sum(p.n_edges for p in network.into(layer["name"])) == expected.total()


def draw_valid(layer: dict[str, Any], shape: list[int]) -> Topology:
    try:
        return laid_out(layer, shape=shape)
    except SpecError:
        assume(False)
        raise


@given(layers())
def test_closed_forms_are_the_edges_that_loops_find(drawn: tuple[dict[str, Any], list[int]]) -> None:
    layer, shape = drawn
    network = draw_valid(layer, shape)
    check_edges(network, layer, [("input", c) for c in range(shape[0])], tuple(shape[1:]))


@given(layers())
def test_counts_are_those_of_the_graph(drawn: tuple[dict[str, Any], list[int]]) -> None:
    network = draw_valid(*drawn)
    graph = ng.build(network)
    neurons = [data for _, data in graph.nodes(data=True) if data["kind"] not in ("input", "constant")]
    biases = {data["bias"] for data in neurons if data["bias"] is not None}
    weights = {param for *_, param in graph.edges(data="param") if param is not None}
    assert network.n_neurons == len(neurons)
    assert network.n_edges == graph.number_of_edges()
    assert network.n_connections == graph.number_of_edges() + sum(data["bias"] is not None for data in neurons)
    assert weights | biases <= set(_slots(network))
    if "connections" in drawn[0]:
        assert {slot for slot in _slots(network) if slot[0] == "it.weight"} >= weights
    assert network.n_parameters == len(_slots(network))


@given(layers())
def test_every_neuron_has_the_bias_of_its_map_or_its_own(drawn: tuple[dict[str, Any], list[int]]) -> None:
    layer, _ = drawn
    network = draw_valid(*drawn)
    untied = layer.get("tie_bias", layer.get("tie", "map")) == "none"
    has_bias = layer["kind"] in ("dense", "conv", "depthwise", "subsample") and layer.get("bias", True)
    shape = network.populations["it"].shape
    for node, found in ng.build(network).nodes(data="bias"):
        if node[0] == "it":
            slot = int(np.ravel_multi_index(node[1:], shape)) if untied else node[1]
            assert found == (("it.bias", slot) if has_bias else None)


def _slots(network: Topology) -> list[tuple[str, int]]:
    """Every slot that counts: the used ones of every array."""
    found = []
    for name, spec in network.parameters.items():
        used = np.ones(spec.shape, dtype=bool) if spec.used is None else spec.used
        found += [(name, int(i)) for i in np.flatnonzero(used)]
    return found


@given(layers(), st.data())
def test_reading_a_concatenation_is_reading_its_channels(
    drawn: tuple[dict[str, Any], list[int]], data: st.DataObject
) -> None:
    layer, shape = drawn
    first = data.draw(st.integers(1, shape[0])) if shape[0] > 1 else 1
    parts = [("a", first), ("b", shape[0] - first)] if shape[0] > first else [("a", first), ("b", 1)]
    total = sum(n for _, n in parts)
    assume(total == shape[0])
    conv = {"kind": "conv" if len(shape) > 1 else "dense", "from": "input"}
    size = {"kernel": 1} if len(shape) > 1 else {}
    sources = [{"name": name, **conv, **size, ("filters" if size else "units"): n} for name, n in parts]
    joined = {"name": "joined", "kind": "concat", "from": ["a", "b"]}
    draw_valid(layer, shape)
    network = laid_out(*sources, joined, layer, shape=shape)
    channels = [(name, c) for name, n in parts for c in range(n)]
    check_edges(network, layer, channels, tuple(shape[1:]))


@given(convs(2, 2), st.floats(-2, 2))
def test_a_padding_value_makes_outside_positions_edges(layer: dict[str, Any], value: float) -> None:
    layer = {"name": "it", **layer, "padding_value": value}
    network = draw_valid(layer, [2, 4, 3])
    check_edges(network, layer, [("input", 0), ("input", 1)], (4, 3))
    assert network.n_parameters == len([slot for slot in _slots(network) if slot[0] != "it.padding"])


@pytest.mark.parametrize("kind", sorted(ONE_TO_ONE))
def test_elementwise_layers_connect_equal_positions(kind: str) -> None:
    sources = [{"name": n, "kind": "conv", "filters": 2, "kernel": 1, "from": "input"} for n in ("a", "b")]
    reads = ["a", "b"] if kind == "add" else ["a"]
    network = laid_out(*sources, {"name": "it", "kind": kind, "from": reads}, *_reader(kind), shape=[1, 2, 3])
    expected = {
        ((n, c, y, x), ("it", c, y, x), None) for n in reads for c in range(2) for y in range(2) for x in range(3)
    }
    assert set(edges_in(network, "it")) == expected


def _reader(kind: str) -> list[dict[str, Any]]:
    """Layer b must not hang loose where nobody adds it."""
    return [] if kind == "add" else [{"name": "end", "kind": "add", "from": ["it", "b"]}]


def test_every_kind_is_tested_here() -> None:
    naively = {"dense", "rbf", "conv", "depthwise", "maxpool", "avgpool", "l2pool", "subsample", "globalpool"}
    assert naively | ONE_TO_ONE | WITHOUT_EDGES == set(KIND_NAMES)


@pytest.mark.parametrize("window", [1, 2, 3])
def test_every_layer_is_of_the_size_that_the_edges_say(window: int) -> None:
    layer = {"name": "it", "kind": "maxpool", "window": window, "stride": 1, "padding": "same"}
    network = laid_out(layer, shape=[2, 5, 4])
    assert network.populations["it"].shape == (2, 5, 4)
    assert prod(network.populations["it"].shape) == network.n_neurons
