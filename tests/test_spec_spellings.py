"""Different ways of saying the same network give the same topology."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from written import toml

import neurograph as ng
from neurograph.graph.topology import Topology

CONV = {"name": "a", "kind": "conv", "filters": 4, "kernel": 3}
POOL = {"name": "a", "kind": "maxpool", "window": 2}
DENSE = {"name": "out", "kind": "dense", "units": 3}
IMAGE, ROW = [4, 6, 6], [4, 9]


def topology(layers: list[dict[str, Any]], shape: list[int]) -> Topology:
    return ng.lay_out(ng.load(toml(shape, layers)))


def one(base: dict[str, Any], shape: list[int], first: dict[str, Any], second: dict[str, Any]) -> Any:
    return pytest.param([{**base, **first}], [{**base, **second}], shape, id=f"{first or 'default'} = {second}")


SPELLINGS = [
    one(CONV, IMAGE, {}, {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "activation": "identity"}),
    one(CONV, IMAGE, {}, {"kernel": [3, 3], "stride": [1, 1], "dilation": [1, 1]}),
    one(CONV, IMAGE, {}, {"padding": "valid", "tie": "map", "tie_bias": "map", "bias": True, "trainable": True}),
    one(CONV, IMAGE, {}, {"from": "input"}),
    one(CONV, IMAGE, {"from": "input"}, {"from": ["input"]}),
    one(CONV, IMAGE, {"padding": 1}, {"padding": [1, 1]}),
    one(CONV, IMAGE, {"padding": 1}, {"padding": [[1, 1], [1, 1]]}),
    one(CONV, IMAGE, {"padding": 1}, {"padding": "same"}),
    one(CONV, IMAGE, {"padding": 2}, {"padding": "full"}),
    one(CONV, IMAGE, {"padding": 2, "dilation": 2}, {"padding": "same", "dilation": 2}),
    one(CONV, IMAGE, {"padding": 4, "dilation": 2}, {"padding": "full", "dilation": 2}),
    one(CONV, IMAGE, {"padding": [[0, 1], [0, 1]], "stride": 2}, {"padding": "same", "stride": 2}),
    one(CONV, IMAGE, {"trainable": ["weight", "bias"]}, {"trainable": True}),
    one(CONV, IMAGE, {"trainable": []}, {"trainable": False}),
    one(CONV, IMAGE, {"activation": "relu"}, {"activation": "relu", "init": "he"}),
    one(CONV, IMAGE, {"activation": "tanh"}, {"activation": "tanh", "init": "glorot"}),
    one(CONV, IMAGE, {"tie": "none"}, {"tie": "none", "tie_bias": "none"}),
    one(CONV, ROW, {}, {"kernel": [3], "stride": [1]}),
    one(CONV, ROW, {"padding": [[0, 1]], "kernel": 2}, {"padding": "same", "kernel": 2}),
    one(POOL, IMAGE, {}, {"stride": 2, "padding": "valid"}),
    one(POOL, IMAGE, {}, {"window": [2, 2], "stride": [2, 2]}),
    one(
        {**POOL, "kind": "avgpool"}, IMAGE, {"stride": 1, "padding": "same"}, {"stride": 1, "padding": [[0, 1], [0, 1]]}
    ),
    one({"name": "a", "kind": "globalpool"}, IMAGE, {}, {"op": "mean"}),
    one({"name": "a", "kind": "depthwise", "kernel": 3}, IMAGE, {}, {"multiplier": 1, "stride": 1, "padding": 0}),
    one(DENSE, [8], {"weights": [[0.5] * 8] * 3}, {"weights": [0.5] * 24}),
]


@pytest.mark.parametrize(("first", "second", "shape"), SPELLINGS)
def test_spellings_of_one_layer_are_equal(first: Any, second: Any, shape: list[int]) -> None:
    assert same(topology(first, shape), topology(second, shape))


def same(first: Topology, second: Topology) -> bool:
    """Equal in everything; given numbers by value."""
    plain = (replace(topology, parameters={}) for topology in (first, second))
    return len(set(map(repr, plain))) == 1 and repr(first.parameters) == repr(second.parameters)


def structure(network: Topology) -> Any:
    """What a network is, apart from what its layers are called in the language."""
    populations = [replace(p, layer_kind="") for p in network.populations.values()]
    return populations, network.projections, repr(network.parameters), network.outputs


EQUIVALENT = [
    pytest.param([CONV, {"kind": "flatten", "name": "f"}, DENSE], [CONV, DENSE], id="flatten before dense is optional"),
    pytest.param(
        [{**CONV, "filters": 8, "groups": 4}],
        [{"name": "a", "kind": "depthwise", "kernel": 3, "multiplier": 2}],
        id="one group a channel is depthwise",
    ),
    pytest.param(
        [{"name": "a", "kind": "avgpool", "window": 6}, {**DENSE}],
        [{"name": "a", "kind": "avgpool", "window": [6, 6], "stride": 1}, {"kind": "flatten", "name": "f"}, DENSE],
        id="a window over all has one place, whatever its stride",
    ),
]


@pytest.mark.parametrize(("first", "second"), EQUIVALENT)
def test_equivalent_networks_have_the_same_edges(first: Any, second: Any) -> None:
    graphs = [ng.build(topology(layers, IMAGE)) for layers in (first, second)]
    edges = [sorted(graph.edges(data="param")) for graph in graphs]
    assert edges[0] == edges[1]
    assert topology(first, IMAGE).n_parameters == topology(second, IMAGE).n_parameters


def test_full_connections_are_an_ordinary_convolution() -> None:
    table = [{**CONV, "connections": [[0, 1, 2, 3]] * 4}]
    graphs = [ng.build(topology(layers, IMAGE)) for layers in ([CONV], table)]
    assert sorted(graphs[0].edges(data="param")) == sorted(graphs[1].edges(data="param"))
    assert topology(table, IMAGE).n_parameters == topology([CONV], IMAGE).n_parameters


def test_connections_that_follow_groups_wire_the_same_neurons() -> None:
    groups = topology([{**CONV, "groups": 2}], IMAGE)
    table = topology([{**CONV, "connections": [[0, 1], [0, 1], [2, 3], [2, 3]]}], IMAGE)
    assert set(ng.build(groups).edges) == set(ng.build(table).edges)
    assert groups.n_parameters == table.n_parameters
    assert groups.parameters["a.weight"].shape == (4, 2, 3, 3)
    assert table.parameters["a.weight"].shape == (4, 4, 3, 3)


def test_concat_of_flattened_is_flatten_of_concat() -> None:
    branches = [{**CONV, "name": n, "from": "input"} for n in ("a", "b")]
    flattened = [{"name": f"f{n}", "kind": "flatten", "from": n} for n in ("a", "b")]
    late = [{"name": "c", "kind": "concat", "from": ["a", "b"]}, {"name": "f", "kind": "flatten"}, DENSE]
    early = [*flattened, {"name": "c", "kind": "concat", "from": ["fa", "fb"]}, DENSE]
    first, second = topology([*branches, *late], IMAGE), topology([*branches, *early], IMAGE)
    assert structure(first) == structure(second)


def test_dropout_before_and_after_flatten_is_the_same() -> None:
    drop, flat = {"name": "d", "kind": "dropout", "rate": 0.25}, {"name": "f", "kind": "flatten"}
    first, second = (
        topology([CONV, drop, flat, DENSE], IMAGE),
        topology([CONV, flat, {**drop, "rate": 0.25}, DENSE], IMAGE),
    )
    assert structure(first) == structure(second)
    keep = topology([CONV, {"name": "d", "kind": "dropout", "keep": 0.75}, DENSE], IMAGE)
    assert first.dropouts == second.dropouts == keep.dropouts == {"d": 0.75}


def test_one_input_table_is_an_input_with_a_name() -> None:
    tables = '[[input]]\nname = "input"\nshape = [4, 6, 6]\n'
    layers = toml(IMAGE, [CONV]).partition("\n")[2]
    assert same(ng.lay_out(ng.load(tables + layers)), topology([CONV], IMAGE))


def test_toml_and_json_of_one_spec_are_equal() -> None:
    layers = [CONV, {"kind": "flatten", "name": "f"}, DENSE]
    loss = {"kind": "mse", "form": "half_sum"}
    as_json = json.dumps({"input": IMAGE, "layer": layers, "loss": loss})
    declared = ng.load(toml(IMAGE, layers, loss)).model_dump()
    assert ng.load(as_json).model_dump() == declared
    assert ng.load(json.dumps(json.loads(as_json), indent=2)).model_dump() == declared


def test_a_loss_table_and_a_list_with_one_are_the_same() -> None:
    text = toml([3], [DENSE], {"kind": "mse", "of": "out"})
    assert ng.load(text).model_dump() == ng.load(text.replace("[[loss]]", "[loss]")).model_dump()
    without_of = ng.load(text.replace('of = "out"', ""))
    assert same(ng.lay_out(without_of), ng.lay_out(ng.load(text)))
