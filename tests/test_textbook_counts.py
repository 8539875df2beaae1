"""The lectures' worked examples on shapes, counts, connections and receptive fields, reproduced in closed form and edge by edge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_textbook_training import TRAINED
from textbook_rows import FACTS, REGULARISERS, ROWS, assert_same, conv_of, reference, topology_of

import neurograph as ng
from neurograph.graph.receptive import extents, receptive_field
from neurograph.shapes import output_size

Row = dict[str, Any]
COUNTED = {
    "shape": [name for name, row in ROWS.items() if row["kind"] == "shape"],
    "parameter_count": [name for name, row in ROWS.items() if row["kind"] == "parameter_count"],
    "architecture": [name for name, row in ROWS.items() if row["kind"] == "architecture"],
    "others": ["s0.pixel_usage", "s2.sparse_edges", "s4.influence_Y22", "s2.receptive_growth"],
}
REPRODUCED = {
    *(name for name, row in ROWS.items() if row["kind"] in ("conv2d_forward", "backprop_conv2d")),
    *(name for name, row in ROWS.items() if row["kind"].startswith("pool")),
    *("s0.image4", "s0.neuron_765", "s0.neuron_topleft", "s1.volume_channel_sums", "s3.toeplitz"),
    *("s4.depthwise_instance", "s1.dx_rot180", "s1.dw_0.9", "s2.conv1d", "s0.delta_chain", "s0.batch_sum"),
    *("s2.bce", "s2.cross_entropy"),
}
"""Rows that test_textbook reproduces."""


def test_every_row_has_its_place() -> None:
    counted = {name for names in COUNTED.values() for name in names}
    assert len(ROWS) == 79
    assert REPRODUCED | counted | FACTS | REGULARISERS | TRAINED == set(ROWS)


def conv(filters: int, kernel: int, **options: Any) -> Row:
    return {"kind": "conv", "name": "conv", "filters": filters, "kernel": kernel, **options}


def dense(units: int, **options: Any) -> Row:
    return {"kind": "dense", "name": "dense", "units": units, **options}


# -- shapes -----------------------------------------------------------------------------------------------------------
CASES = [
    pytest.param(case, id=f"{name}-{n}")
    for name in COUNTED["shape"]
    for n, case in enumerate(ROWS[name].get("cases", []))
]


@pytest.mark.parametrize("case", CASES)
def test_output_sizes(case: Row) -> None:
    m, k, p, s = (case[key] for key in "mkps")
    assert output_size(m, k, s, (p, p)) == case["out"]
    for padding in {p, case.get("mode", p)}:
        topology = topology_of([1, m, m], [conv(1, k, padding=padding, stride=s)])
        assert topology.populations["conv"].shape == (1, case["out"], case["out"])
    if "pool2_out" in case:
        topology = topology_of([1, m, m], [conv(1, k, padding=p), {"kind": "maxpool", "name": "pool", "window": 2}])
        assert topology.populations["pool"].shape == (1, case["pool2_out"], case["pool2_out"])
    if "padded_width" in case:
        assert m + 2 * p == case["padded_width"]


def test_a_go_board_has_361_outputs() -> None:
    row = ROWS["s2.alphago"]
    assert topology_of([1, *row["input"]], [dense(361)]).n_neurons == row["outputs"] == 19 * 19


# -- parameters -------------------------------------------------------------------------------------------------------
def test_a_fully_connected_layer_of_100_million_units_is_merely_counted() -> None:
    row = ROWS["s1.count_500"]
    assert topology_of(row["input"], [dense(row["hidden"], bias=False)]).n_parameters == row["expected_fully_connected"]
    assert topology_of([1, *row["input"]], [conv(1, 10, bias=False)]).n_parameters == row["derived_shared_10x10"]
    untied = topology_of([1, *row["input"]], [conv(415, 10, tie="none", bias=False)])
    assert untied.n_parameters == untied.n_neurons * 100
    assert untied.n_neurons == 415 * 491 * 491 == pytest.approx(row["hidden"], rel=0.001)
    assert row["derived_local_10x10_untied"] == row["hidden"] * 100


def test_one_filter_over_a_colour_image() -> None:
    row = ROWS["s1.filter_3x5x5"]
    topology = topology_of([3, 32, 32], [conv(1, 5)])
    weight, bias = topology.parameters["conv.weight"], topology.parameters["conv.bias"]
    assert (weight.size, bias.size) == (row["expected_weights"], row["expected_bias"])
    assert topology.n_parameters == row["derived_total"]
    assert topology.populations["conv"].shape == (1, row["derived_map"], row["derived_map"])
    assert (topology.n_neurons, topology.n_edges) == (784, 58_800)


@pytest.mark.parametrize("name", ["s3.mlp_200x200", "s3.mlp_200x200x3"])
def test_a_perceptron_over_an_image(name: str) -> None:
    row = ROWS[name]
    topology = topology_of(row["input"], [dense(row["hidden"])])
    assert topology.n_edges == row["expected"]
    assert topology.n_parameters == row["expected"] + row["hidden"]


def test_twenty_feature_maps_over_an_image() -> None:
    row = ROWS["s3.cnn_homework"]
    topology = topology_of([3, 200, 200], [conv(row["filters"], 5)])
    assert topology.parameters["conv.weight"].size == row["expected_weights"]
    assert topology.parameters["conv.bias"].size == row["expected_biases"]
    assert topology.n_neurons == row["expected_neurons_valid"]
    assert topology.n_edges == row["expected_edges_valid"]
    assert topology_of([3, 200, 200], [conv(20, 5, padding="same")]).n_neurons == row["expected_neurons_same"]


@pytest.mark.parametrize("case", ROWS["s4.depthwise"]["cases"], ids=lambda case: f"{case['M']}x{case['N']}x{case['K']}")
def test_depthwise_separable_saves_weights(case: Row) -> None:
    inputs, outputs, kernel = case["M"], case["N"], case["K"]
    shape = [inputs, kernel, kernel]
    usual = topology_of(shape, [conv(outputs, kernel, bias=False)])
    each = {"kind": "depthwise", "name": "each", "kernel": kernel, "bias": False}
    separable = topology_of(shape, [each, conv(outputs, 1, bias=False)])
    assert usual.n_parameters == case["conventional"]
    assert separable.n_parameters == case["separable"]
    assert separable.n_parameters / usual.n_parameters == pytest.approx(case["ratio"], abs=1e-6)


# -- connections ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("padding", "key", "total"), [(0, "expected_valid", 144), (1, "expected_same_pad1", 256)])
def test_how_often_each_pixel_is_used(padding: int, key: str, total: int) -> None:
    topology = topology_of([1, 6, 6], [conv(1, 3, padding=padding)])
    graph = ng.build(topology)
    uses = [[graph.out_degree(("input", 0, y, x)) for x in range(6)] for y in range(6)]
    assert uses == ROWS["s0.pixel_usage"][key]
    assert topology.n_edges == graph.number_of_edges() == total


def test_a_neuron_reads_nine_of_36_pixels() -> None:
    row, first = ROWS["s2.sparse_edges"], ROWS["s2.f1.s1"]
    engine = conv_of(first, reference)
    trace = engine.backprop([first["input"]], upstream=[first["expected"]])
    for at, neuron in (((0, 0), row["neuron_0_0"]), ((0, 1), row["neuron_0_1"])):
        sources = [1 + 6 * y + x for (_, _, y, x), _ in engine.graph.fan_in(("conv", 0, *at))]
        assert sources == neuron["inputs_1_based"]
        assert trace.z["conv"][0, 0, *at] == neuron["value"]
    counts, shape = row["counts"], [1, 6, 6]
    assert topology_of(shape, [dense(16, bias=False)]).n_edges == counts["fully_connected_edges"]
    assert topology_of(shape, [conv(1, 3, bias=False)]).n_edges == counts["local_edges"]
    assert topology_of(shape, [conv(1, 3, tie="none", bias=False)]).n_parameters == counts["untied_weights"]
    assert topology_of(shape, [conv(1, 3, bias=False)]).n_parameters == counts["tied_weights"]


def test_which_weight_carries_a_pixel_to_which_neuron() -> None:
    row = ROWS["s4.influence_Y22"]
    graph = ng.build(topology_of([1, 5, 5], [conv(1, 3)]))
    found = [
        {"z": list(target[2:]), "w": list(divmod(edge["param"][1], 3))}
        for target, edge in graph.fan_out(("input", 0, *row["pixel"]))
    ]
    assert found == row["expected"]
    wrong = [line for line in row["as_printed"] if {"z": line["z"], "w": line["w"]} not in found]
    assert [line["line"] for line in wrong] == [398]


@pytest.mark.parametrize("name", ["s3.toeplitz", "s2.conv1d"])
def test_a_one_dimensional_convolution_is_a_band_of_equal_weights(name: str) -> None:
    row = ROWS[name]
    same = name == "s3.toeplitz"
    taps = [row["w_by_offset_i_minus_m"][offset] for offset in ("1", "0", "-1")] if same else row["filters"]
    graph = ng.build(topology_of([1, 5], [conv(1, 3, padding=int(same), bias=False)]))
    matrix = np.zeros((len(row["toeplitz"]), 5))
    for (_, _, m), (_, _, i), param in graph.edges(data="param"):
        matrix[i, m] = taps[param[1]]
    assert_same(matrix, row["toeplitz"])
    if same:
        assert_same(matrix != 0, row["K"])


# -- receptive fields -------------------------------------------------------------------------------------------------
def sees(topology: ng.Topology, layer: str) -> int:
    """Rows that some neuron of a layer sees; the one in the middle, where no border clips it."""
    shape = topology.populations[layer].shape
    box = receptive_field(topology, (layer, *(n // 2 for n in shape)))["input"]
    return extents(box)[1]


def test_receptive_fields_grow_behind_pooling() -> None:
    row = ROWS["s2.receptive_growth"]
    layers = [
        conv(1, kernel, stride=stride, name=f"l{number}") for number, (kernel, stride) in enumerate(row["sequence"])
    ]
    topology = topology_of([1, 40, 40], layers)
    assert [sees(topology, layer["name"]) for layer in layers] == row["expected"]


# -- architectures ----------------------------------------------------------------------------------------------------
def lenet5(size: int, padding: int) -> ng.Topology:
    pool = {"kind": "maxpool", "window": 2}
    return topology_of(
        [1, size, size],
        [
            conv(6, 5, padding=padding, name="conv1"),
            {**pool, "name": "pool1"},
            conv(16, 5, name="conv2"),
            {**pool, "name": "pool2"},
            dense(120, name="fc1"),
            dense(84, name="fc2"),
            dense(10, name="fc3"),
        ],
    )


def test_lenet5_as_the_lectures_give_it() -> None:
    row, topology = ROWS["s4.lenet5"], lenet5(32, 0)
    names = ["conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "fc3"]
    for name, layer in zip(names, row["layers"], strict=True):
        population = topology.populations[name]
        assert list(population.shape) == layer["out"]
        assert population.size == layer["neurons"]
        assert sum(projection.n_edges for projection in topology.into(name)) == layer["edges_real"]
        sizes = [topology.parameters[f"{name}.{part}"].size if layer["weights"] else 0 for part in ("weight", "bias")]
        assert sizes == [layer["weights"], layer["biases"]]
    assert topology.n_neurons == row["totals"]["neurons"]
    assert topology.n_edges == row["totals"]["edges_real"]
    assert topology.n_parameters == row["parameters"] == row["totals"]["weights"] + row["totals"]["biases"]
    assert {name: sees(topology, name) for name in row["receptive_fields"]} == row["receptive_fields"]


def test_lenet5_on_28_by_28_has_no_edges_to_the_padding() -> None:
    topology = lenet5(28, 2)
    assert topology.n_edges == 412_960
    assert topology.n_parameters == 61_706
    bundled = ng.lay_out(ng.load("lenet5"))
    assert (bundled.n_edges, bundled.n_parameters) == (412_960, 61_706)


def alexnet(stride2: int, groups: int, **framed: float) -> ng.Topology:
    pool = {"kind": "maxpool", "window": 3, "stride": 2}
    return topology_of(
        [3, 227, 227],
        [
            conv(96, 11, stride=4, name="conv1"),
            {**pool, "name": "pool1"},
            conv(256, 5, padding=2, stride=stride2, groups=groups, name="conv2", **framed),
            {**pool, "name": "pool2"},
            conv(384, 3, padding=1, name="conv3", **framed),
            conv(384, 3, padding=1, groups=groups, name="conv4", **framed),
            conv(256, 3, padding=1, groups=groups, name="conv5", **framed),
            {**pool, "name": "pool3"},
            dense(4096, name="fc6"),
            dense(4096, name="fc7"),
            dense(1000, name="fc8"),
        ],
    )


@pytest.mark.parametrize(
    ("variant", "stride2", "groups"),
    [("as_printed_stride2_pad2", 2, 1), ("corrected_stride1_pad2", 1, 1), ("corrected_stride1_two_groups", 1, 2)],
)
def test_alexnet_in_three_variants(variant: str, stride2: int, groups: int) -> None:
    expected = ROWS["s4.alexnet"]["variants"][variant]
    topology = alexnet(stride2, groups)
    assert {n: list(p.shape) for n, p in topology.populations.items() if n != "input"} == expected["shapes"]
    assert topology.n_parameters == expected["parameters"]
    assert topology.n_units == expected["non_pool_neurons"]
    assert topology.n_neurons == expected["all_neurons"]
    assert topology.n_edges == expected["edges_real"]
    assert alexnet(stride2, groups, padding_value=0.0).n_edges == expected["edges_full"]


def test_receptive_fields_of_alexnet() -> None:
    expected = ROWS["s2.receptive_growth"]["alexnet_corrected"]
    topology = alexnet(1, 1)
    assert {name: sees(topology, name) for name in expected} == expected
