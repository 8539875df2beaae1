"""Who reads whom, and what comes of it: branches, heads, inputs, shared weights, given numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.errors import SpecError
from neurograph.graph.topology import Topology
from neurograph.spec.model import Spec

Layers = list[dict[str, Any]]


def topology(layers: Layers, shape: Any = (2, 6, 6), **rest: Any) -> Topology:
    return ng.lay_out(Spec.model_validate({"input": list(shape), "layer": layers, **rest}))


def conv(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "kind": "conv", "filters": 2, "kernel": 3, **options}


def dense(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "kind": "dense", "units": 3, **options}


# -- who reads whom ----------------------------------------------------------------------------------------------------
def test_a_layer_reads_the_one_before_it_unless_it_says_otherwise() -> None:
    network = topology([conv("a"), conv("b", **{"from": "input"}), dense("c"), dense("d", **{"from": "a"})])
    assert [(p.source, p.target) for p in network.projections] == [
        ("input", "a"),
        ("input", "b"),
        ("b", "c"),
        ("a", "d"),
    ]
    assert [head.name for head in network.heads] == ["c", "d"]


def test_a_dropout_is_named_on_the_edges_behind_it_and_only_there() -> None:
    drop = {"name": "drop", "kind": "dropout", "keep": 0.5}
    network = topology([conv("a"), drop, dense("b"), dense("c", **{"from": "a"})])
    assert {(p.source, p.target): p.dropout for p in network.projections} == {
        ("input", "a"): None,
        ("a", "b"): "drop",
        ("a", "c"): None,
    }
    assert network.dropouts == {"drop": 0.5}
    assert "drop" not in network.populations


def test_several_inputs_go_by_name() -> None:
    tables = [{"name": "left", "shape": [2, 4]}, {"name": "right", "shape": [3]}]
    layers = [
        dense("a", **{"from": "left"}),
        dense("b", **{"from": "right"}),
        {"name": "c", "kind": "add", "from": ["a", "b"]},
    ]
    network = topology(layers, tables)
    assert [p.name for p in network.populations.values() if p.is_input] == ["left", "right"]
    assert network.n_inputs == 11
    assert network.n_edges == 8 * 3 + 3 * 3 + 6


def test_several_heads_have_a_loss_each_in_any_order() -> None:
    losses = [{"kind": "mse", "of": "b", "weight": 0.5}, {"kind": "cross_entropy", "of": "a"}]
    network = topology([dense("a", **{"from": "input"}), dense("b", **{"from": "input"})], loss=losses)
    assert [(h.name, h.loss.kind, h.loss.weight) for h in network.heads if h.loss] == [
        ("a", "cross_entropy", 1.0),
        ("b", "mse", 0.5),
    ]


def test_one_axis_and_three_axes_are_inputs() -> None:
    row = topology([conv("a", kernel=3, padding="same"), dense("out")], (2, 9))
    assert row.populations["a"].shape == (2, 9)
    assert row.parameters["a.weight"].shape == (2, 2, 3)
    assert topology([dense("out")], (5,)).parameters["out.weight"].shape == (3, 5)
    assert topology([dense("out")], (2, 3, 4)).parameters["out.weight"].shape == (3, 24)


def test_a_softmax_head_may_have_positions() -> None:
    head = topology([conv("a", activation="softmax")], loss={"kind": "cross_entropy"}).populations["a"]
    assert (head.activation, head.shape) == ("softmax", (2, 4, 4))


# -- parameters --------------------------------------------------------------------------------------------------------
def test_weights_are_named_and_shaped_as_pytorch_names_and_shapes_them() -> None:
    layers = [
        conv("a", filters=4, groups=2),
        {"name": "dw", "kind": "depthwise", "kernel": [1, 3], "multiplier": 2},
        {"name": "sub", "kind": "subsample", "window": 2},
        dense("out"),
    ]
    shapes = {name: spec.shape for name, spec in topology(layers).parameters.items()}
    assert shapes == {
        "a.weight": (4, 1, 3, 3),
        "a.bias": (4,),
        "dw.weight": (8, 1, 1, 3),
        "dw.bias": (8,),
        "sub.weight": (8,),
        "sub.bias": (8,),
        "out.weight": (3, 16),
        "out.bias": (3,),
    }


def test_untied_layers_have_a_row_of_weights_for_every_neuron() -> None:
    untied = topology([conv("a", tie="none")]).parameters
    assert (untied["a.weight"].shape, untied["a.bias"].shape) == ((32, 2, 3, 3), (32,))
    tied_bias = topology([conv("a", tie="none", tie_bias="map")]).parameters
    assert (tied_bias["a.weight"].shape, tied_bias["a.bias"].shape) == ((32, 2, 3, 3), (2,))
    only_bias = topology([conv("a", tie_bias="none")]).parameters
    assert (only_bias["a.weight"].shape, only_bias["a.bias"].shape) == ((2, 2, 3, 3), (32,))


@pytest.mark.parametrize(
    ("options", "weight", "bias"),
    [
        ({}, True, True),
        ({"trainable": False}, False, False),
        ({"trainable": ["weight"]}, True, False),
        ({"trainable": ["bias"]}, False, True),
    ],
)
def test_trainable_names_what_trains(options: dict[str, Any], weight: bool, bias: bool) -> None:
    network = topology([dense("a", **options)], (4,))
    assert (network.parameters["a.weight"].trainable, network.parameters["a.bias"].trainable) == (weight, bias)
    assert network.n_parameters == 12 * weight + 3 * bias


def test_given_numbers_are_put_in_place_row_by_row() -> None:
    network = topology([dense("a", weights=list(range(12)), bias=[1, -1, 0.5])], (4,))
    params = ng.initialise(network, seed=9)
    assert np.array_equal(params["a.weight"], np.arange(12).reshape(3, 4))
    assert params["a.bias"].tolist() == [1, -1, 0.5]


def test_unused_slots_of_a_table_are_zero_and_not_counted() -> None:
    network = topology([conv("a", filters=3, connections=[[0], [1], [0, 1]])])
    weight = ng.initialise(network)["a.weight"]
    assert weight.shape == (3, 2, 3, 3)
    assert not weight[0, 1].any()
    assert not weight[1, 0].any()
    assert weight[2].all()
    assert network.n_parameters == 4 * 9 + 3


@pytest.mark.parametrize(
    ("activation", "init"), [("relu", "he"), ("leaky_relu", "he"), ("tanh", "glorot"), ("identity", "glorot")]
)
def test_weights_before_relus_start_as_he_says_and_others_as_glorot(activation: str, init: str) -> None:
    assert topology([dense("a", activation=activation)], (4,)).parameters["a.weight"].init == init
    assert topology([dense("a", activation=activation, init="lecun")], (4,)).parameters["a.weight"].init == "lecun"


def test_a_padding_value_is_a_constant_that_does_not_train() -> None:
    network = topology([conv("a", padding=1, padding_value=-1)])
    spec = network.parameters["a.padding"]
    assert (spec.role, spec.trainable, spec.shape) == ("constant", False, ())
    assert float(ng.initialise(network)["a.padding"]) == -1.0
    assert network.n_parameters == 2 * 2 * 9 + 2
    assert network.n_neurons == 72
    assert network.n_edges == 72 * 18


# -- shared weights ----------------------------------------------------------------------------------------------------
def test_weights_from_shares_weight_and_bias() -> None:
    network = topology([dense("a", units=4), dense("b", units=4, weights_from="a")], (4,))
    assert set(network.parameters) == {"a.weight", "a.bias"}
    assert {p.weight for p in network.projections} == {"a.weight"}
    assert [p.bias.name for p in network.populations.values() if p.bias] == ["a.bias", "a.bias"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"bias": [0.0] * 4}, {"a.weight", "a.bias", "b.bias"}),
        ({"bias": False}, {"a.weight", "a.bias"}),
        ({"bias": [0.0] * 4, "trainable": ["weight"]}, {"a.weight", "a.bias", "b.bias"}),
    ],
)
def test_the_bias_may_be_its_own(options: dict[str, Any], names: set[str]) -> None:
    network = topology([dense("a", units=4), dense("b", units=4, weights_from="a", **options)], (4,))
    assert set(network.parameters) == names
    bias = network.populations["b"].bias
    assert (bias.name if bias else None) == ("b.bias" if options["bias"] else None)


def test_an_owner_without_bias_lends_none() -> None:
    network = topology([dense("a", units=4, bias=False), dense("b", units=4, weights_from="a")], (4,))
    assert network.populations["b"].bias is None
    assert set(network.parameters) == {"a.weight"}


def test_two_layers_may_share_one_owner_but_not_in_a_chain() -> None:
    a, b = dense("a", units=4), dense("b", units=4, weights_from="a")
    assert topology([a, b, dense("c", units=4, weights_from="a")], (4,)).n_parameters == 20
    with pytest.raises(SpecError, match=r"which itself uses the weights of 'a'\. Name 'a'"):
        topology([a, b, dense("c", units=4, weights_from="b")], (4,))


def test_tables_of_connections_must_be_equal_to_share() -> None:
    first = conv("a", connections=[[0], [1]], padding=1)
    assert topology([first, conv("b", weights_from="a", connections=[[0], [1]])]).n_parameters == 20
    with pytest.raises(SpecError, match="its connections differ"):
        topology([first, conv("b", weights_from="a", connections=[[1], [0]])])
    with pytest.raises(SpecError, match="its connections differ"):
        topology([first, conv("b", weights_from="a")])


# -- faults of one layer leave the others to be checked ---------------------------------------------------------------
def test_a_layer_that_cannot_be_laid_out_does_not_hide_others() -> None:
    layers = [
        conv("a", kernel=9),
        dense("b"),
        conv("c", kernel=8, **{"from": "input"}),
        dense("d", **{"from": "nobody"}),
    ]
    with pytest.raises(SpecError) as raised:
        topology(layers)
    assert [fault.what.split(":")[0] for fault in raised.value.faults] == ["conv 'a'", "conv 'c'", "dense 'd'"]


def test_a_spec_made_in_python_is_checked_when_it_is_laid_out() -> None:
    spec = Spec.model_validate({"input": [4], "layer": [dense("a"), dense("a")]})
    with pytest.raises(SpecError, match="the name is taken by layer 1"):
        ng.lay_out(spec)
    with pytest.raises(SpecError, match="no network"):
        ng.lay_out(Spec.model_validate({}))


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ([8, 6, 1], " Channels come first: an image of 8×6 is [1, 8, 6]; this input is [8, 6, 1]."),
        ([16, 3, 3], ""),
        ([1, 1, 8], ""),
    ],
)
def test_a_window_that_does_not_fit_an_image_with_channels_last_says_so(shape: list[int], hint: str) -> None:
    text = f'name = "image"\ninput = {shape}\n[[layer]]\nname = "pool"\nkind = "maxpool"\nwindow = 4\n'
    with pytest.raises(SpecError) as caught:
        ng.load(text)
    assert str(caught.value).endswith(hint)
    assert ("Channels come first" in str(caught.value)) is bool(hint)
