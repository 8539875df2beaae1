"""Small networks that together say every word of the language, kind by kind: the deterministic half of the agreement tests.

`test_agreement.py` demands that no kind, activation or loss is missing here.
"""

from __future__ import annotations

from typing import Any

from neurograph.ops.words import ACTIVATIONS
from neurograph.spec import Spec

Options = dict[str, Any]

MAPS = [2, 5, 6]
DENSE = {"kind": "dense", "units": 3}


def network(*layers: Options, shape: Any = MAPS, loss: Any = None) -> Spec:
    """Layers one after another, then a dense head with a quadratic loss."""
    if loss is None:
        layers, loss = (*layers, {**DENSE, "name": "head"}), {"kind": "mse", "form": "half_sum"}
    named = [{"name": f"n{i}", **layer} for i, layer in enumerate(layers)]
    return Spec.model_validate({"name": "sweep", "input": shape, "layer": named, "loss": loss})


CONV = {"kind": "conv", "filters": 2, "kernel": 3}
OF_KINDS: dict[str, list[Spec]] = {
    "dense": [
        network(
            {"kind": "dense", "units": 4, "activation": "relu"}, {"kind": "dense", "units": 2, "bias": False}, shape=[5]
        ),
        network({"kind": "dense", "units": 3, "trainable": ["bias"]}),
    ],
    "conv": [
        network({**CONV, "activation": "relu"}),
        network({**CONV, "padding": "same", "activation": "relu"}, {**CONV, "filters": 3, "stride": 2}),
        network({**CONV, "kernel": [2, 3], "stride": [2, 1], "padding": [[0, 1], [2, 0]], "dilation": [2, 1]}),
        network({**CONV, "filters": 4, "groups": 2, "padding": "full"}),
        network({**CONV, "filters": 3, "connections": [[0], [1], [0, 1]], "padding": 1}),
        network({**CONV, "tie": "none"}),
        network({**CONV, "tie": "none", "tie_bias": "map", "stride": 2}),
        network({**CONV, "tie_bias": "none", "padding": 1}),
        network({**CONV, "padding": 2, "padding_value": -1.0}),
        network(
            {**CONV, "name": "a", "filters": 2, "padding": "same"}, {**CONV, "padding": "same", "weights_from": "a"}
        ),
        network({"kind": "conv", "filters": 3, "kernel": 3, "dilation": 2, "padding": 1}, shape=[2, 9]),
    ],
    "depthwise": [
        network({"kind": "depthwise", "kernel": 3, "padding": 1}),
        network({"kind": "depthwise", "kernel": [3, 2], "stride": 2, "multiplier": 2, "activation": "relu"}),
    ],
    "maxpool": [
        network({**CONV, "activation": "relu", "padding": 1}, {"kind": "maxpool", "window": 2}),
        network({"kind": "maxpool", "window": 3, "stride": 1}),
        network({**CONV, "activation": "relu"}, {"kind": "maxpool", "window": 3, "stride": 2, "padding": 1}),
        network({"kind": "maxpool", "window": [2, 3], "stride": [1, 2], "activation": "relu"}),
    ],
    "avgpool": [
        network({"kind": "avgpool", "window": 2}),
        network(CONV, {"kind": "avgpool", "window": 3, "stride": 1, "padding": 1}),
    ],
    "l2pool": [
        network({"kind": "l2pool", "window": 2}),
        network({"kind": "l2pool", "window": 3, "stride": 2, "padding": 1}),
    ],
    "globalpool": [network({"kind": "globalpool", "op": op}) for op in ("max", "mean", "l2")],
    "subsample": [network({"kind": "subsample", "window": 2, "activation": "scaled_tanh"})],
    "rbf": [
        network({"kind": "rbf", "units": 3}, loss={"kind": "rbf_map"}),
        network({"kind": "rbf", "units": 2}, shape=[4]),
    ],
    "add": [
        network(
            {**CONV, "name": "a", "padding": 1},
            {**CONV, "name": "b", "padding": 1, "activation": "relu"},
            {"kind": "add", "from": ["a", "b", "input"], "activation": "relu"},
        )
    ],
    "concat": [
        network({**CONV, "name": "a", "padding": 1}, {"kind": "concat", "from": ["input", "a"]}, layer)
        for layer in (
            {**CONV, "filters": 4, "groups": 2},
            {"kind": "maxpool", "window": 2},
            {"kind": "dense", "units": 2},
        )
    ],
    "flatten": [network(CONV, {"kind": "flatten"}, {"kind": "dense", "units": 2, "activation": "relu"})],
    "activation": [
        network(CONV, {"kind": "activation", "activation": "relu"}, {"kind": "activation", "activation": "tanh"})
    ],
    "dropout": [
        network(
            {**CONV, "name": "a", "padding": 1, "activation": "relu"},
            {"kind": "dropout", "keep": 0.5},
            {**CONV, "name": "b", "padding": 1},
            {"kind": "add", "from": ["a", "b"]},
        ),
        network({**CONV, "activation": "relu"}, {"kind": "dropout", "keep": 0.5}),
        network(
            {"kind": "dropout", "rate": 0.25},
            {**CONV, "activation": "relu"},
            {"kind": "dropout", "rate": 0.5},
            {"kind": "maxpool", "window": 2},
        ),
    ],
}

OF_ACTIVATIONS: dict[str, Spec] = {
    word: network({**CONV, "activation": word}, {"kind": "dense", "units": 4, "activation": word})
    for word in ACTIVATIONS
    if word != "softmax"
} | {"softmax": network({"kind": "dense", "units": 4, "activation": "softmax"}, shape=[5], loss={"kind": "mse"})}

HEAD = {"kind": "dense", "units": 4}
OF_LOSSES: dict[str, Spec] = {
    "cross_entropy softmax": network({**HEAD, "activation": "softmax"}, loss={"kind": "cross_entropy"}),
    "cross_entropy identity": network(HEAD, loss={"kind": "cross_entropy", "weight": 0.3}),
    "cross_entropy of maps": network({**CONV, "filters": 3, "activation": "softmax"}, loss={"kind": "cross_entropy"}),
    "binary_cross_entropy sigmoid": network({**HEAD, "activation": "sigmoid"}, loss={"kind": "binary_cross_entropy"}),
    "binary_cross_entropy identity": network(
        {**HEAD, "units": 1}, loss={"kind": "binary_cross_entropy", "weight": 2.0}
    ),
    "mse mean": network({**HEAD, "activation": "tanh"}, loss={"kind": "mse", "form": "mean"}),
    "mse half_sum": network({**HEAD, "activation": "sigmoid"}, loss={"kind": "mse", "form": "half_sum", "weight": 0.3}),
    "mse of maps of softmax": network({**CONV, "activation": "softmax"}, loss={"kind": "mse"}),
    "rbf_map": network({"kind": "rbf", "units": 3}, shape=[4], loss={"kind": "rbf_map", "j": 0.5}),
    "two heads": network(
        {**CONV, "name": "body", "activation": "relu"},
        {**HEAD, "name": "one", "from": "body", "activation": "softmax"},
        {**HEAD, "name": "two", "from": "body"},
        loss=[{"kind": "cross_entropy", "of": "one", "weight": 0.5}, {"kind": "mse", "of": "two", "weight": 2.0}],
    ),
    "cross_entropy smoothed, of weighed classes": network(
        {**HEAD, "activation": "softmax"},
        loss={"kind": "cross_entropy", "label_smoothing": 0.1, "class_weights": [0.5, 2.0, 1.0, 3.3], "weight": 0.3},
    ),
    "cross_entropy of maps, smoothed, of weighed classes": network(
        {**CONV, "filters": 3}, loss={"kind": "cross_entropy", "label_smoothing": 0.3, "class_weights": [0.0, 2.0, 1.0]}
    ),
    "binary_cross_entropy smoothed, of weighed classes": network(
        {**HEAD, "units": 1},
        loss={"kind": "binary_cross_entropy", "label_smoothing": 0.1, "class_weights": [0.5, 3.0]},
    ),
    "binary_cross_entropy of weighed units": network(
        {**HEAD, "activation": "sigmoid"},
        loss={"kind": "binary_cross_entropy", "class_weights": [3.3, 0.5, 1.0, 2.0]},
    ),
    "mse of weighed classes": network(
        {**HEAD, "activation": "tanh"}, loss={"kind": "mse", "targets": [-1, 1], "class_weights": [0.5, 2.0, 1.0, 3.3]}
    ),
    "mse of maps of weighed classes": network(
        {**CONV, "filters": 3}, loss={"kind": "mse", "form": "half_sum", "class_weights": [0.5, 2.0, 4.0]}
    ),
    "rbf_map of weighed classes": network(
        {"kind": "rbf", "units": 3}, shape=[4], loss={"kind": "rbf_map", "class_weights": [0.5, 2.0, 3.3]}
    ),
    "no loss": network({**HEAD, "activation": "relu"}, loss=[]),
}

SWEEP: dict[str, Spec] = {
    **{f"{kind} {i}": spec for kind, found in OF_KINDS.items() for i, spec in enumerate(found)},
    **OF_ACTIVATIONS,
    **OF_LOSSES,
}
"""Everything, by a name to show in test ids."""
