"""The lectures' worked examples, reproduced by every engine: forward, backward and losses. Counts are in test_textbook_counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from textbook_rows import (
    ENGINES,
    ROWS,
    Maker,
    assert_same,
    conv_of,
    network,
    of_kind,
    pool_of,
)

import neurograph as ng

pytestmark = pytest.mark.parametrize("make", ENGINES)
Row = dict[str, Any]


def one(numbers: Any) -> Any:
    """A batch of one."""
    return np.asarray(numbers, dtype=float)[None]


# -- forward ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row", of_kind("conv2d_forward"))
def test_convolutions_give_the_printed_maps(make: Maker, row: Row) -> None:
    if isinstance(row["input"], str):  # "see s0.valid.c"
        row = {**ROWS[row["input"].removeprefix("see ")], "expected": row["expected"]}
    engine = conv_of(row, make)
    assert_same(engine.forward(one(row["input"])), one(row["expected"]))
    if "expected_preactivation" in row:
        z = engine.backprop(one(row["input"]), upstream=one(row["expected"])).z["conv"]
        assert_same(z, one(row["expected_preactivation"]))
    if "input_padded" in row:
        padded = conv_of(row, make, input=row["input_padded"], padding=0)
        assert_same(padded.forward(one(row["input_padded"])), one(row["expected"]))


@pytest.mark.parametrize("row", of_kind("pool_forward", "pool_forward_backward"))
def test_pools_give_the_printed_maps(make: Maker, row: Row) -> None:
    assert_same(pool_of(row, make).forward(one(row["input"])), one(row["expected"]))


@pytest.mark.parametrize("name", ["s0.neuron_765", "s0.neuron_topleft"])
def test_one_neuron_sees_its_receptive_field(make: Maker, name: str) -> None:
    row = ROWS[name]
    assert conv_of(row, make, input=[row["input"]]).forward(one([row["input"]])).item() == row["expected"]
    v, u = row["receptive_field_top_left"]
    image = ROWS["s0.image4"]["value"]
    assert_same(np.array(image)[v : v + 3, u : u + 3], row["input"])
    assert conv_of(row, make, input=[image]).forward(one([image]))[0, 0, v, u] == row["expected"]


def test_the_terms_of_one_neuron_add_up_by_channel_and_row(make: Maker) -> None:
    row, volume = ROWS["s1.volume_channel_sums"], ROWS["s1.volume_7x7x3"]
    engine = conv_of(volume, make)
    trace = engine.backprop(one(volume["input"]), upstream=one(volume["expected"]))
    f, v, u = row["output_index"]
    products = np.zeros((3, 3, 3))
    for c, i, j in np.ndindex(products.shape):
        y, x = 2 * v + i - 1, 2 * u + j - 1
        if 0 <= y < 5 and 0 <= x < 5:
            products[c, i, j] = trace.weights["conv.weight"][f, c, i, j] * trace.a["input"][0, c, y, x]
    assert_same(products.sum(axis=2), row["channel_row_sums"])
    assert_same(products.sum(axis=(1, 2)), row["channel_sums"])
    assert trace.z["conv"][0, f, v, u] == products.sum() + row["bias"] == row["expected"]


def test_a_true_convolution_is_the_flipped_filter(make: Maker) -> None:
    row = ROWS["s3.toeplitz"]
    w = row["w_by_offset_i_minus_m"]
    layer = {"kind": "conv", "name": "conv", "filters": 1, "kernel": 3, "padding": 1, "bias": False}
    flipped = [w["1"], w["0"], w["-1"]]
    engine = network(make, [1, 5], [layer], conv__weight=flipped)
    assert_same(engine.forward(one([row["input"]])), one([row["expected"]]))
    strided = network(make, [1, 5], [{**layer, "stride": 2}], conv__weight=flipped)
    assert_same(strided.forward(one([row["input"]])), one([row["expected_stride2_multiples_of_s"]]))
    crossed = network(make, [1, 5], [layer], conv__weight=flipped[::-1])
    assert_same(crossed.forward(one([row["input"]])), one([row["cross_correlation_same_w"]]))


def test_depthwise_then_pointwise_is_one_convolution_of_rank_one(make: Maker) -> None:
    row = ROWS["s4.depthwise_instance"]
    layers = [
        {"kind": "depthwise", "name": "each", "kernel": 3, "bias": False},
        {"kind": "conv", "name": "mix", "filters": 3, "kernel": 1, "bias": False},
    ]
    engine = network(make, [2, 4, 4], layers, each__weight=row["depthwise_filters"], mix__weight=row["pointwise"])
    assert_same(engine.forward(one(row["input"])), one(row["expected"]))
    trace = engine.backprop(one(row["input"]), upstream=one(row["expected"]))
    assert_same(trace.a["each"], one(row["expected_stage1"]))
    dense = conv_of({**row, "filters": row["equivalent_dense_filters"]}, make)
    assert_same(dense.forward(one(row["input"])), one(row["expected"]))


# -- backward ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row", of_kind("backprop_conv2d"))
def test_convolutions_hand_back_the_printed_gradients(make: Maker, row: Row) -> None:
    engine = conv_of(row, make)
    trace = engine.backprop(one(row["input"]), upstream=one(row.get("dy", row.get("dz"))), reduction="sum")
    assert_same(trace.z["conv"], one(row.get("expected_z", row["expected"])))
    assert_same(trace.a["conv"], one(row["expected"]))
    assert_same(trace.delta["conv"], one(row.get("expected_dz", row.get("dz"))))
    assert_same(trace.gradient["conv.weight"], row["expected_dW"])
    assert_same(trace.gradient["conv.bias"], row["expected_db"])
    assert_same(trace.delta["input"], one(row["expected_dx"]))


def test_dx_is_the_rotated_filter_over_dz(make: Maker) -> None:
    row = ROWS["s1.dx_rot180"]
    engine = conv_of({**row, "input": np.zeros((1, 4, 4))}, make)
    delta = engine.backprop(np.zeros((1, 1, 4, 4)), upstream=one(row["dz"])).delta["input"]
    assert_same(delta, one(row["expected_dx"]))
    y, x = row["highlight"]["zero_based"]
    assert delta[0, 0, y, x] == pytest.approx(row["highlight"]["value"], abs=1e-15)
    assert_same(np.rot90(np.array(row["filters"])[0, 0], 2), row["filter_rot180"])


def test_dw_is_a_sum_over_the_neurons_that_share_it(make: Maker) -> None:
    row = ROWS["s1.dw_0.9"]
    for image in [row["input"], *([candidate] for candidate in row["input_candidates"])]:
        engine = conv_of({**row, "input": image}, make)
        trace = engine.backprop(one(image), upstream=one(row["dz"]), reduction="sum")
        assert_same(trace.gradient["conv.weight"][0], row["expected_dW"])
        assert_same(trace.gradient["conv.bias"], row["expected_db"])
        addends = trace.contributions("conv.weight[0,0,0,0]")
        assert len(addends) == 9
        assert sum(c.product for c in addends) == pytest.approx(0.9, abs=1e-15)
        assert [c.target[2:] for c in addends] == [(v, u) for v in range(3) for u in range(3)]


@pytest.mark.parametrize("row", of_kind("pool_forward_backward", "pool_backward"))
def test_pools_hand_back_the_printed_deltas(make: Maker, row: Row) -> None:
    trace = pool_of(row, make).backprop(one(row["input"]), upstream=one(row["dz"]))
    assert_same(trace.delta["input"], one(row["expected_dx"]))
    for other in ("expected_dx_tie_split", "expected_dx_all_max", "dx_if_assign_instead_of_accumulate"):
        if other in row:
            assert not np.array_equal(trace.delta["input"][0], row[other])


def test_a_one_dimensional_convolution_is_a_toeplitz_matrix(make: Maker) -> None:
    row = ROWS["s2.conv1d"]
    layer = {"kind": "conv", "name": "conv", "filters": 1, "kernel": 3, "bias": False}
    engine = network(make, [1, 5], [layer], conv__weight=row["filters"])
    trace = engine.backprop(one([row["input"]]), upstream=one([row["dz"]]))
    matrix = np.array(row["toeplitz"])
    assert_same(trace.a["conv"], one([row["expected"]]))
    assert_same(matrix @ row["input"], row["expected"])
    assert_same(trace.gradient["conv.weight"].reshape(3), row["expected_dw"])
    assert_same(trace.delta["input"], one([row["expected_dx"]]))
    assert_same(matrix.T @ row["dz"], row["expected_dx"])


def delta_chain(make: Maker) -> Any:
    row = ROWS["s0.delta_chain"]
    layers = [
        {"kind": "conv", "name": "conv", "filters": 1, "kernel": 3, "padding": 1, "activation": "relu"},
        {"kind": "maxpool", "name": "pool", "window": 2},
        {"kind": "dense", "name": "out", "units": 2, "bias": False},
    ]
    weights = {"conv__weight": row["filters"], "conv__bias": [0], "out__weight": [row["w_D"], row["w_E"]]}
    return network(make, [1, 6, 6], layers, **weights)


def test_delta_of_b_passes_through_both_outputs(make: Maker) -> None:
    row = ROWS["s0.delta_chain"]
    trace = delta_chain(make).backprop(
        one(row["input"]), upstream=one([row["delta_D"], row["delta_E"]]), reduction="sum"
    )
    assert_same(trace.delta["pool"][0, 0], row["expected_delta_pool"])
    assert_same(trace.delta["conv"][0, 0], row["expected_delta_conv"])
    by_hand = row["delta_D"] * row["w_D"][1][0] + row["delta_E"] * row["w_E"][1][0]
    assert trace.delta["pool[0,1,0]"].item() == pytest.approx(row["delta_C"], abs=1e-15)
    assert trace.delta["conv[0,3,1]"].item() == pytest.approx(row["delta_B"], abs=1e-15) == by_hand
    assert trace.delta["conv[0,3,1]"].item() != row["lecture_literal_delta_B"]
    for other in ("conv[0,2,0]", "conv[0,2,1]", "conv[0,3,0]"):
        assert trace.delta[other].item() == row["delta_A"]
        assert trace.a[other].item() == 0
    for v, u in row["conv_neurons_with_z_exactly_0_and_nonzero_inputs"]:
        assert trace.z["conv"][0, 0, v, u] == 0
        assert np.any(np.array(row["input"])[0, max(v - 1, 0) : v + 2, max(u - 1, 0) : u + 2])
    windows = trace.a["conv"][0, 0].reshape(3, 2, 3, 2).swapaxes(1, 2).reshape(3, 3, 4)
    tied = [list(at) for at in np.ndindex(3, 3) if np.sum(windows[at] == windows[at].max()) > 1]
    assert tied == row["pool_windows_with_tied_max"]


def test_the_shared_update_is_the_sum_of_individual_updates(make: Maker) -> None:
    row = ROWS["s0.delta_chain"]
    trace = delta_chain(make).backprop(
        one(row["input"]), upstream=one([row["delta_D"], row["delta_E"]]), reduction="sum"
    )
    dw = trace.gradient["conv.weight"][0, 0]
    assert_same(dw, row["expected_dW"])
    assert trace.gradient["conv.bias"].item() == pytest.approx(row["expected_db"], abs=1e-15)
    assert_same(np.array(row["filters"][0][0]) - row["alpha"] * dw, row["expected_w_after"])
    assert len(trace.contributions("conv.bias[0]")) == row["neurons_sharing"]
    total = np.zeros((3, 3))
    for i, j in np.ndindex(3, 3):
        for addend in trace.contributions(f"conv.weight[0,0,{i},{j}]"):
            total[i, j] += addend.product
            for single in row["expected_individual_updates"]:
                if list(addend.target[2:]) == single["neuron"]:
                    assert addend.delta == pytest.approx(single["delta"], abs=1e-15)
                    assert addend.product == pytest.approx(single["update"][i][j], abs=1e-12)
    assert_same(total, row["expected_dW"])


def test_the_bundled_four_is_this_example(make: Maker) -> None:
    row = ROWS["s0.delta_chain"]
    topology = ng.lay_out(ng.load("four"))
    trace = make(topology, ng.initialise(topology)).backprop(
        one(row["input"]), upstream=one([row["delta_D"], row["delta_E"]])
    )
    assert_same(trace.gradient["conv.weight"][0, 0], row["expected_dW"])
    assert_same(row["input"], [ROWS["s0.image4"]["value"]])


def test_a_batch_sums_or_takes_the_mean(make: Maker) -> None:
    row, chain = ROWS["s0.batch_sum"], ROWS["s0.delta_chain"]
    engine = delta_chain(make)
    x, upstream = [chain["input"]] * 2, [[chain["delta_D"], chain["delta_E"]]] * 2
    summed = engine.backprop(x, upstream=upstream, reduction="sum")
    mean = engine.backprop(x, upstream=upstream, reduction="mean")
    assert_same(summed.gradient["conv.weight"][0, 0], row["expected_sum"])
    assert_same(mean.gradient["conv.weight"][0, 0], row["expected_mean"])
    assert_same(mean.gradient["conv.weight"][0, 0], row["per_instance_dW"])
    assert_same(mean.delta["conv"], summed.delta["conv"])


# -- losses -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("activation", ["sigmoid", "identity"])
def test_binary_cross_entropy(make: Maker, activation: str) -> None:
    row = ROWS["s2.bce"]
    layer = {"kind": "activation", "name": "out", "activation": activation}
    engine = network(make, [1], [layer], {"kind": "binary_cross_entropy"})
    z = one([np.log(row["f"] / (1 - row["f"]))])
    assert engine.predict_proba(z).item() == pytest.approx(row["f"], abs=1e-12)
    assert engine.backprop(z, one([row["y"]])).loss == pytest.approx(row["expected"], abs=1e-12)
    assert engine.backprop(z, one([0])).loss == pytest.approx(row["expected_y0"], abs=1e-12)
    delta = engine.backprop(z, one([row["y"]])).delta["out"].item()
    assert delta == pytest.approx(row["expected_delta_sigmoid"], abs=1e-12)


@pytest.mark.parametrize("activation", ["softmax", "identity"])
def test_cross_entropy(make: Maker, activation: str) -> None:
    row = ROWS["s2.cross_entropy"]
    layer = {"kind": "activation", "name": "out", "activation": activation}
    engine = network(make, [3], [layer], {"kind": "cross_entropy"})
    logits = one(row["logits"])
    trace = engine.backprop(logits, one(row["one_hot"]))
    assert_same(engine.predict_proba(logits), one(row["expected_softmax"]))
    assert_same(trace.a["out"], one(row["expected_softmax"] if activation == "softmax" else row["logits"]))
    assert trace.loss == pytest.approx(row["expected"], abs=1e-12)
    assert_same(trace.delta["out"], one(row["expected_delta"]))
    assert_same(engine.backprop(logits, [1]).delta["out"], one(row["expected_delta"]))


# -- textbooks outside the lectures -----------------------------------------------------------------------------------
def bundled(name: str, make: Maker) -> Any:
    topology = ng.lay_out(ng.load(name))
    return make(topology, ng.initialise(topology))


def test_mazur_to_every_printed_digit(make: Maker) -> None:
    engine = bundled("mazur", make)
    x, t = [[0.05, 0.10]], [[0.01, 0.99]]
    assert [f"{o:.9f}" for o in engine.forward(x)[0]] == ["0.751365070", "0.772928465"]
    trace = engine.backprop(x, t)
    assert f"{trace.loss:.9f}" == "0.298371109"
    assert f"{trace.gradient['w5']:.9f}" == "0.082167041"
    assert f"{engine.train_step(x, t, ng.SGD(learning_rate=0.5)):.9f}" == "0.298371109"
    printed = "0.149780716 0.199561432 0.249751144 0.299502287 0.358916480 0.408666186 0.511301270 0.561370121"
    assert [f"{engine.params[f'w{i}']:.9f}" for i in range(1, 9)] == printed.split()
    assert (float(engine.params["b1"]), float(engine.params["b2"])) == (0.35, 0.6)
    assert f"{engine.backprop(x, t).loss:.10f}" == "0.2910277737"  # the page's …924 uses new weights for the hidden δ


def test_xor_is_exact(make: Maker) -> None:
    engine = bundled("xor", make)
    x = [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert engine.forward(x)[:, 0].tolist() == [0, 1, 1, 0]
    trace = engine.backprop(x, [[0], [1], [1], [0]])
    assert trace.loss == 0
    assert not any(np.any(gradient) for gradient in trace.gradient.values())
