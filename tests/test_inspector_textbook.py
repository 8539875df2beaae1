"""The lectures' rows told by the cards: the numbers are read off the cards' text, and one card of every row is kept as it stands.

Rows about counts, sizes, data sets and recipes have no answer in a card; `summary` and `test_textbook_counts` have theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from textbook_rows import ROWS, assert_same, conv_of, network, of_kind, pool_of, reference

import neurograph as ng
from neurograph.graph.address import write_node, write_reference
from neurograph.inspector import Inspector, NeuronCard, WeightCard
from tests.kept import check_kept

Row = dict[str, Any]
DIGITS = 13
ELSEWHERE = {
    "data", "shape", "dataset", "parameter_count", "reported_result", "regulariser", "architecture", "multi_task",
    "augmentation", "hyperparameters",
}  # fmt: skip
"""Kinds of rows that no card answers."""


def one(numbers: Any) -> Any:
    """A batch of one."""
    return np.asarray(numbers, dtype=float)[None]


def told(card: NeuronCard | WeightCard) -> dict[str, float]:
    """What the card's text says at the ends of its sums: z, a, δ, sum, gradient."""
    found: dict[str, str] = {}
    current = ""
    for line in card.text(digits=DIGITS).splitlines():
        begun = re.match(r"  (z|a|δ|sum|mean over .*: gradient|summed over .*: gradient) = ", line)
        if begun:
            current = begun[1].rpartition(" ")[2]
        elif not line.startswith("    = "):
            current = ""
        if current:
            found[current] = line.rpartition(" = ")[2]
    return {name: float(text.removesuffix(" (given)")) for name, text in found.items() if re.match(r"-?\d", text)}


def map_told(inspector: Inspector, layer: str, shape: Iterable[int], what: str) -> Any:
    """One number of every neuron of a layer, each read off its card."""
    shape = tuple(shape)
    numbers = [told(inspector.neuron((layer, *index)))[what] for index in np.ndindex(*shape)]
    return np.array(numbers).reshape(shape)


def keep(row: str, *cards: Any) -> None:
    """Keep what the cards of a row say."""
    check_kept(f"cards/{row}.txt", "\n\n".join(str(card) for card in cards))


def largest(shape_of: Any) -> tuple[int, ...]:
    """The place of the largest number of a map, the first of them."""
    values = np.abs(np.array(shape_of, dtype=float))
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(values)), values.shape))


def check_weights(inspector: Inspector, name: str, expected: Any) -> None:
    """Every weight's card says the printed gradient."""
    expected = np.array(expected, dtype=float)
    cards = [inspector.weight(write_reference((name, flat), expected.shape)) for flat in range(expected.size)]
    assert_same(np.array([told(card)["gradient"] for card in cards]).reshape(expected.shape), expected)


# -- forward ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row", of_kind("conv2d_forward"))
def test_cards_say_the_printed_maps(row: Row) -> None:
    name = row["id"]
    if isinstance(row["input"], str):  # "see s0.valid.c"
        row = {**ROWS[row["input"].removeprefix("see ")], "expected": row["expected"]}
    inspector = Inspector(conv_of(row, reference), one(row["input"]))
    expected = np.array(row["expected"])
    assert_same(map_told(inspector, "conv", expected.shape, "a"), expected)
    if "expected_preactivation" in row:
        assert_same(map_told(inspector, "conv", expected.shape, "z"), row["expected_preactivation"])
    keep(name, inspector.neuron(("conv", *largest(expected))))


@pytest.mark.parametrize("name", ["s0.neuron_765", "s0.neuron_topleft"])
def test_a_neurons_card_says_what_it_sees_and_what_it_makes_of_it(name: str) -> None:
    row, image = ROWS[name], ROWS["s0.image4"]["value"]
    inspector = Inspector(conv_of(row, reference, input=[image]), one([image]))
    v, u = row["receptive_field_top_left"]
    card = inspector.neuron(("conv", 0, v, u))
    assert told(card)["a"] == row["expected"]
    assert_same(card.sees[0].values[0], row["input"])
    assert card.sees[0].box == ((0, 0), (v, v + 2), (u, u + 2))
    keep(name, card)


def test_channel_sums_are_sums_of_the_cards_terms() -> None:
    row, volume = ROWS["s1.volume_channel_sums"], ROWS["s1.volume_7x7x3"]
    card = Inspector(conv_of(volume, reference), one(volume["input"])).neuron(("conv", *row["output_index"]))
    by_channel = [sum(t.product for t in card.terms if t.source[1] == c) for c in range(3)]  # type: ignore[index]
    assert by_channel == row["channel_sums"]
    assert (card.bias, told(card)["z"]) == (row["bias"], row["expected"])
    keep(row["id"], card)


def test_a_true_convolution_is_told_with_the_flipped_filter() -> None:
    row = ROWS["s3.toeplitz"]
    w = row["w_by_offset_i_minus_m"]
    layer = {"kind": "conv", "name": "conv", "filters": 1, "kernel": 3, "padding": 1, "bias": False}
    inspector = Inspector(
        network(reference, [1, 5], [layer], conv__weight=[w["1"], w["0"], w["-1"]]), one([row["input"]])
    )
    assert_same(map_told(inspector, "conv", (1, 5), "z"), [row["expected"]])
    keep(row["id"], inspector.neuron("conv[0,2]"))


def test_depthwise_then_pointwise() -> None:
    row = ROWS["s4.depthwise_instance"]
    layers = [
        {"kind": "depthwise", "name": "each", "kernel": 3, "bias": False},
        {"kind": "conv", "name": "mix", "filters": 3, "kernel": 1, "bias": False},
    ]
    weights = {"each__weight": row["depthwise_filters"], "mix__weight": row["pointwise"]}
    inspector = Inspector(network(reference, [2, 4, 4], layers, **weights), one(row["input"]))
    assert_same(map_told(inspector, "each", (2, 2, 2), "z"), row["expected_stage1"])
    assert_same(map_told(inspector, "mix", (3, 2, 2), "z"), row["expected"])
    keep(row["id"], inspector.neuron("mix[0,0,0]"))


@pytest.mark.parametrize("row", of_kind("pool_forward", "pool_forward_backward", "pool_backward"))
def test_pools_are_told_with_winner_and_ties(row: Row) -> None:
    engine = pool_of(row, reference)
    inspector = (
        Inspector(engine, one(row["input"]), upstream=one(row["dz"]))
        if "dz" in row
        else Inspector(engine, one(row["input"]))
    )
    shape = engine.layout.shapes["pool"]
    if "expected" in row:
        assert_same(map_told(inspector, "pool", shape, "z"), row["expected"])
    if "dz" in row:
        assert_same(map_told(inspector, "input", np.array(row["input"]).shape, "δ"), row["expected_dx"])
    at = (0, *row.get("tie_window", (0, 0)))
    card = inspector.neuron(("pool", *at))
    if "tied_inputs" in row:
        assert [list(term.source[2:]) for term in card.ties] == row["tied_inputs"]  # type: ignore[index]
        assert f"{len(card.ties)} neurons share the maximum" in str(card)
    busiest = largest(row["expected_dx"]) if "dz" in row else None
    keep(row["id"], card, *([] if busiest is None else [inspector.neuron(("input", *busiest))]))


# -- backward ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row", of_kind("backprop_conv2d"))
def test_cards_say_the_printed_gradients(row: Row) -> None:
    inspector = Inspector(
        conv_of(row, reference), one(row["input"]), upstream=one(row.get("dy", row.get("dz"))), reduction="sum"
    )
    shape = np.array(row["expected"]).shape
    assert_same(map_told(inspector, "conv", shape, "z"), row.get("expected_z", row["expected"]))
    assert_same(map_told(inspector, "conv", shape, "a"), row["expected"])
    assert_same(map_told(inspector, "conv", shape, "δ"), row.get("expected_dz", row.get("dz")))
    assert_same(map_told(inspector, "input", np.array(row["input"]).shape, "δ"), row["expected_dx"])
    check_weights(inspector, "conv.weight", row["expected_dW"])
    check_weights(inspector, "conv.bias", row["expected_db"])
    keep(row["id"], inspector.weight("conv.weight[0,0,0,0]"), inspector.neuron("input[0,1,1]"))


def test_dx_is_told_pixel_by_pixel() -> None:
    row = ROWS["s1.dx_rot180"]
    inspector = Inspector(
        conv_of({**row, "input": np.zeros((1, 4, 4))}, reference), np.zeros((1, 1, 4, 4)), upstream=one(row["dz"])
    )
    assert_same(map_told(inspector, "input", (1, 4, 4), "δ"), row["expected_dx"])
    y, x = row["highlight"]["zero_based"]
    card = inspector.neuron(("input", 0, y, x))
    assert told(card)["δ"] == row["highlight"]["value"]
    keep(row["id"], card)


def test_dw_is_told_as_a_sum_over_the_map() -> None:
    row = ROWS["s1.dw_0.9"]
    inspector = Inspector(conv_of({**row, "input": [row["input"]]} if np.ndim(row["input"]) == 2 else row, reference),
                          one(row["input"] if np.ndim(row["input"]) == 3 else [row["input"]]), upstream=one(row["dz"]), reduction="sum")  # fmt: skip
    check_weights(inspector, "conv.weight", np.array(row["expected_dW"])[None])
    check_weights(inspector, "conv.bias", row["expected_db"])
    card = inspector.weight("conv.weight[0,0,0,0]")
    (asked,) = card.maps
    by_row = [sum(value or 0.0 for value in line) for line in asked.sums]
    assert by_row == pytest.approx([0.4, 0.2, 0.3])
    keep(row["id"], card)


def test_one_dimension() -> None:
    row = ROWS["s2.conv1d"]
    layer = {"kind": "conv", "name": "conv", "filters": 1, "kernel": 3, "bias": False}
    engine = network(reference, [1, 5], [layer], conv__weight=row["filters"])
    inspector = Inspector(engine, one([row["input"]]), upstream=one([row["dz"]]))
    assert_same(map_told(inspector, "conv", (1, 3), "z"), [row["expected"]])
    assert_same(map_told(inspector, "input", (1, 5), "δ"), [row["expected_dx"]])
    check_weights(inspector, "conv.weight", [[row["expected_dw"]]])
    keep(row["id"], inspector.neuron("input[0,2]"), inspector.weight("conv.weight[0,0,1]"))


# -- the chain of δ, and the slide that is wrong ----------------------------------------------------------------------
def chain(samples: int = 1, reduction: str = "sum") -> Inspector:
    row = ROWS["s0.delta_chain"]
    layers = [
        {"kind": "conv", "name": "conv", "filters": 1, "kernel": 3, "padding": 1, "activation": "relu"},
        {"kind": "maxpool", "name": "pool", "window": 2},
        {"kind": "dense", "name": "out", "units": 2, "bias": False},
    ]
    weights = {"conv__weight": row["filters"], "conv__bias": [0], "out__weight": [row["w_D"], row["w_E"]]}
    engine = network(reference, [1, 6, 6], layers, **weights)
    upstream = [[row["delta_D"], row["delta_E"]]] * samples
    return Inspector(engine, [row["input"]] * samples, upstream=upstream, reduction=reduction)


def test_delta_of_b_comes_through_both_outputs_and_not_as_the_slide_has_it() -> None:
    row, inspector = ROWS["s0.delta_chain"], chain()
    assert_same(map_told(inspector, "pool", (1, 3, 3), "δ")[0], row["expected_delta_pool"])
    assert_same(map_told(inspector, "conv", (1, 6, 6), "δ")[0], row["expected_delta_conv"])
    c, b, a = (inspector.neuron(name) for name in ("pool[0,1,0]", "conv[0,3,1]", "conv[0,2,1]"))
    assert (told(c)["δ"], told(b)["δ"], told(a)["δ"]) == (row["delta_C"], row["delta_B"], row["delta_A"])
    # The slide's short formula, δ_D·1·1, leaves out w_DC and all of E; the card has both, as two terms of δ_C.
    assert told(b)["δ"] != row["lecture_literal_delta_B"] == row["delta_D"]
    assert [(edge.delta, edge.w) for edge in c.fan_out] == [(row["delta_D"], 0.2), (row["delta_E"], -0.4)]
    assert "  δ = w[0,3]·δ(out[0]) + w[1,3]·δ(out[1])\n    = 0.2·0.5 + (-0.4)·(-0.25)\n    = 0.2\n" in str(c)
    keep(row["id"], b, c, a)


def test_the_update_is_told_to_the_last_digit() -> None:
    row, inspector = ROWS["s0.delta_chain"], chain()
    check_weights(inspector, "conv.weight", [[row["expected_dW"]]])
    check_weights(inspector, "conv.bias", [row["expected_db"]])
    optimizer = ng.SGD(learning_rate=row["alpha"])
    after = []
    for i, j in np.ndindex(3, 3):
        card = inspector.weight(f"conv.weight[0,0,{i},{j}]", optimizer)
        assert card.n_copies in (25, 30, row["neurons_sharing"])
        assert card.step is not None
        after.append(float(re.findall(r"new w = w .*\n.*\n +?= (\S+)", card.text(DIGITS))[0]))
        for single in row["expected_individual_updates"]:
            v, u = single["neuron"]
            asked = card.maps[0].sums[v][u]
            assert (asked or 0.0) == pytest.approx(single["update"][i][j], abs=1e-12)
    assert_same(np.reshape(after, (3, 3)), row["expected_w_after"])
    check_kept("cards/s0.delta_chain.update.txt", inspector.weight("conv.weight[0,0,1,1]", optimizer).text())


def test_a_batch_is_told_as_sum_and_as_mean() -> None:
    row = ROWS["s0.batch_sum"]
    check_weights(chain(2, "sum"), "conv.weight", [[row["expected_sum"]]])
    check_weights(chain(2, "mean"), "conv.weight", [[row["expected_mean"]]])
    keep(row["id"], chain(2, "sum").weight("conv.weight[0,0,1,1]"), chain(2, "mean").weight("conv.weight[0,0,1,1]"))


# -- who touches whom -------------------------------------------------------------------------------------------------
def plain_conv(size: int, **options: Any) -> Inspector:
    layer = {"kind": "conv", "name": "conv", "filters": 1, "kernel": 3, **options}
    engine = network(reference, [1, size, size], [layer], conv__weight=np.arange(1, 10))
    return Inspector(engine, np.zeros((1, 1, size, size)), upstream=np.ones((1, *engine.layout.shapes["conv"])))


@pytest.mark.parametrize(("padding", "expected"), [(0, "expected_valid"), (1, "expected_same_pad1")])
def test_a_pixels_card_lists_every_use_of_it(padding: int, expected: str) -> None:
    row, inspector = ROWS["s0.pixel_usage"], plain_conv(6, padding=padding)
    counted = [len(inspector.neuron(("input", 0, y, x)).fan_out) for y, x in np.ndindex(6, 6)]
    assert_same(np.reshape(counted, (6, 6)), row[expected])
    if padding:
        keep(row["id"], inspector.neuron("input[0,0,0]"), inspector.neuron("input[0,3,3]"))


def test_a_pixels_card_is_the_table_of_influence() -> None:
    row, inspector = ROWS["s4.influence_Y22"], plain_conv(5)
    card = inspector.neuron(("input", 0, *row["pixel"]))
    expected = {
        (write_node(("conv", 0, *entry["z"])), write_node(("conv.weight", 0, 0, *entry["w"])))
        for entry in row["expected"]
    }
    assert {(write_node(edge.target), edge.weight) for edge in card.fan_out} == expected
    assert all(target in str(card) for target, _ in expected)
    keep(row["id"], card)


def test_receptive_fields_grow_as_counted() -> None:
    row = ROWS["s2.receptive_growth"]
    layers = [
        {"kind": "conv", "name": "c1", "filters": 1, "kernel": 3},
        {"kind": "maxpool", "name": "p1", "window": 2},
        {"kind": "conv", "name": "c2", "filters": 1, "kernel": 3},
    ]
    inspector = Inspector(network(reference, [1, 12, 12], layers), np.zeros((1, 1, 12, 12)))
    cards = [inspector.neuron((name, 0, 0, 0)) for name in ("c1", "p1", "c2")]
    assert [card.sees[0].size for card in cards] == [(n, n) for n in row["expected"]]
    assert [
        f"It sees rows 0…{n - 1}, columns 0…{n - 1} of input." in str(card)
        for n, card in zip(row["expected"], cards, strict=True)
    ]
    keep(row["id"], *cards)


def test_sparse_connections_are_the_cards_sources() -> None:
    row, filtered = ROWS["s2.sparse_edges"], ROWS["s2.f1.s1"]
    inspector = Inspector(conv_of(filtered, reference), one(filtered["input"]))
    cards = [inspector.neuron(("conv", 0, 0, u)) for u in (0, 1)]
    for u, card in enumerate(cards):
        sources = [6 * term.source[2] + term.source[3] + 1 for term in card.terms]  # type: ignore[index]
        assert sources == row[f"neuron_0_{u}"]["inputs_1_based"]
        assert told(card)["z"] == row[f"neuron_0_{u}"]["value"]
    keep(row["id"], *cards)


# -- losses -----------------------------------------------------------------------------------------------------------
def test_binary_cross_entropy_is_told() -> None:
    row = ROWS["s2.bce"]
    layer = {"kind": "activation", "name": "out", "activation": "sigmoid"}
    engine = network(reference, [1], [layer], {"kind": "binary_cross_entropy"})
    z = one([np.log(row["f"] / (1 - row["f"]))])
    inspector = Inspector(engine, z, one([row["y"]]))
    assert f"loss = {row['expected']:.12f}"[:-1] in inspector.loss().text(DIGITS)
    assert f"loss = {row['expected_y0']:.12f}"[:-1] in Inspector(engine, z, one([0])).loss().text(DIGITS)
    assert told(inspector.neuron("out[0]"))["δ"] == pytest.approx(row["expected_delta_sigmoid"], abs=1e-12)
    keep(row["id"], inspector.loss(), inspector.neuron("out[0]"))


@pytest.mark.parametrize("activation", ["softmax", "identity"])
def test_cross_entropy_is_told_with_its_probabilities(activation: str) -> None:
    row = ROWS["s2.cross_entropy"]
    layer = {"kind": "activation", "name": "out", "activation": activation}
    engine = network(reference, [3], [layer], {"kind": "cross_entropy"})
    inspector = Inspector(engine, one(row["logits"]), one(row["one_hot"]))
    card = inspector.loss()
    assert f"loss = {row['expected']:.12f}"[:-1] in card.text(DIGITS)
    ((_, _, _, outputs),) = card.heads
    assert_same([owed.p for owed in outputs], row["expected_softmax"])
    assert all(f"{p:.12f}"[:-1] in card.text(DIGITS) for p in row["expected_softmax"])
    assert_same(map_told(inspector, "out", (3,), "δ"), row["expected_delta"])
    check_kept(f"cards/{row['id']}.{activation}.txt", f"{card}\n\n{inspector.neuron('out[1]')}")


def test_every_row_is_here_or_has_no_answer_in_a_card() -> None:
    kinds = {row["kind"] for row in ROWS.values()} - ELSEWHERE
    assert kinds == {
        "neuron_forward", "conv2d_forward", "pool_forward", "receptive_field_count", "backprop_network", "update_rule",
        "backprop_conv2d", "backprop_conv2d_dx", "backprop_conv2d_dw", "pool_forward_backward", "pool_backward",
        "connectivity", "conv1d_forward_backward", "loss", "conv1d_forward", "influence_table",
        "conv2d_depthwise_separable", "receptive_field",
    }  # fmt: skip
