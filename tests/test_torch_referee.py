"""PyTorch as outside referee, where it is installed: outputs, loss and gradients of its own layers, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neurograph.graph.lay_out import lay_out
from neurograph.verification import draws
from neurograph.verification.run import bound_program
from tests.sweep import CONV, network

torch = pytest.importorskip("torch")

HEAD = {"kind": "dense", "units": 4}
CROSS_ENTROPY = {"kind": "cross_entropy"}
POOLS = {
    "maxpool": torch.nn.functional.max_pool2d,
    "avgpool": torch.nn.functional.avg_pool2d,
}
ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "softplus": torch.nn.functional.softplus,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}
CASES: dict[str, list[dict[str, Any]]] = {
    "strided": [{**CONV, "stride": 2, "padding": 1}],
    "dilated": [{**CONV, "dilation": 2, "padding": 2}],
    "groups": [{**CONV, "filters": 4, "groups": 2}],
    "depthwise": [{"kind": "depthwise", "kernel": 3, "multiplier": 2, "padding": 1}],
    "max": [CONV, {"kind": "maxpool", "window": 2}],
    "overlapping max": [CONV, {"kind": "maxpool", "window": 3, "stride": 2, "padding": 1}],
    "mean": [CONV, {"kind": "avgpool", "window": 2, "padding": 1}],
    **{word: [{**CONV, "activation": word}] for word in ACTIVATIONS},
}


def run(layers: list[dict[str, Any]], x: Any, weights: dict[str, Any]) -> Any:
    """The layers in PyTorch, with a dense head behind them."""
    for number, layer in enumerate(layers):
        name, kind = f"n{number}", layer["kind"]
        if kind in POOLS:
            how = {"kernel_size": layer["window"], "stride": layer.get("stride", layer["window"])}
            x = POOLS[kind](x, **how, padding=layer.get("padding", 0))
            continue
        groups = x.shape[1] if kind == "depthwise" else layer.get("groups", 1)
        how = {
            "stride": layer.get("stride", 1),
            "padding": layer.get("padding", 0),
            "dilation": layer.get("dilation", 1),
        }
        x = torch.nn.functional.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], groups=groups, **how)
        x = ACTIVATIONS[layer.get("activation", "identity")](x)
    head = f"n{len(layers)}"
    return x.flatten(1) @ weights[f"{head}.weight"].T + weights[f"{head}.bias"]


@pytest.mark.parametrize("case", CASES)
def test_program_computes_what_pytorch_computes(case: str) -> None:
    layers = CASES[case]
    topology = lay_out(network(*layers, HEAD, loss=CROSS_ENTROPY))
    random = np.random.default_rng(len(case))
    params = draws.float_parameters(topology, random)
    program = bound_program(topology, "float64", params, threads=1)
    x, labels = random.uniform(-1, 1, (3, *topology.populations["input"].shape)), np.array([0, 3, 1])
    weights = {name: torch.tensor(value.copy(), requires_grad=True) for name, value in params.items()}
    given = torch.tensor(x, requires_grad=True)
    outputs = run(layers, given, weights)
    loss = torch.nn.functional.cross_entropy(outputs, torch.tensor(labels))
    loss.backward()
    trace = program.backprop(x, labels)
    assert trace.loss == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(program.forward(x), outputs.detach().numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(trace.delta["input"] / 3, given.grad.numpy(), rtol=1e-9, atol=1e-12)
    for name, weight in weights.items():
        np.testing.assert_allclose(trace.gradient[name], weight.grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)
