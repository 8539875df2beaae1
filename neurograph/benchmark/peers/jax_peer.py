"""The network in JAX, one jitted function a step."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from neurograph.benchmark.peers.contender import LEARNING_RATE, MOMENTUM, in_float32
from neurograph.benchmark.peers.layers import Layer, Layers, layers_of
from neurograph.spec import Spec

Array = NDArray[Any]


class JaxPeer:
    """Weights, velocities and two compiled functions. How many threads JAX uses is fixed when it is first imported."""

    name = "jax"

    def __init__(self, spec: Spec, weights: Mapping[str, Array], threads: int) -> None:
        self._jax: Any = importlib.import_module("jax")
        jnp = self._jax.numpy
        net = layers_of(spec)
        self._weights = {name: jnp.asarray(value) for name, value in in_float32(weights).items()}
        self._velocity = {name: jnp.zeros_like(value) for name, value in self._weights.items()}

        def loss_of(w: Any, x: Any, y: Any) -> Any:
            outputs = _forward(self._jax, net, w, x)
            if net.loss == "mse":
                return jnp.mean((outputs - y) ** 2)
            return -jnp.mean(jnp.take_along_axis(self._jax.nn.log_softmax(outputs), y[:, None], axis=1))

        def step(w: Any, v: Any, x: Any, y: Any) -> Any:
            loss, gradient = self._jax.value_and_grad(loss_of)(w, x, y)
            v = {name: MOMENTUM * v[name] + gradient[name] for name in w}
            return {name: w[name] - LEARNING_RATE * v[name] for name in w}, v, loss

        self._step = self._jax.jit(step, donate_argnums=(0, 1))
        self._infer = self._jax.jit(lambda w, x: _forward(self._jax, net, w, x))
        self._pending: Any = None

    def ready(self, x: Array, y: Array) -> tuple[Any, Any]:
        return self._jax.numpy.asarray(x), self._jax.numpy.asarray(y)

    def train(self, batch: tuple[Any, Any]) -> Any:
        self._weights, self._velocity, self._pending = self._step(self._weights, self._velocity, *batch)
        return self._pending

    def infer(self, batch: tuple[Any, Any]) -> Any:
        self._pending = self._infer(self._weights, batch[0])
        return self._pending

    def wait(self) -> None:
        self._jax.block_until_ready(self._pending)


def _forward(jax: Any, net: Layers, weights: Mapping[str, Any], x: Any) -> Any:
    a = {-1: x}
    for number, layer in enumerate(net.layers):
        z = _layer(jax, layer, [a[source] for source in layer.sources], weights)
        a[number] = jax.nn.relu(z) if layer.activation == "relu" else z
    return a[len(net.layers) - 1]


def _layer(jax: Any, layer: Layer, sources: list[Any], weights: Mapping[str, Any]) -> Any:
    x = sources[0]
    if layer.kind == "add":
        return sum(sources[1:], start=x)
    borders = [(p, p) for p in layer.padding]
    if layer.kind == "maxpool":
        window, stride = (1, 1, *layer.size), (1, 1, *layer.stride)
        lowest = -jax.numpy.inf
        return jax.lax.reduce_window(x, lowest, jax.lax.max, window, stride, ((0, 0), (0, 0), *borders))
    w, b = weights[f"{layer.name}.weight"], weights[f"{layer.name}.bias"]
    if layer.kind == "dense":
        return x.reshape(x.shape[0], -1) @ w.T + b
    how = {"rhs_dilation": layer.dilation, "feature_group_count": layer.groups}
    return jax.lax.conv_general_dilated(x, w, layer.stride, borders, **how) + b[None, :, None, None]
