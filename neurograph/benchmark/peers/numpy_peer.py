"""The network in NumPy, by hand: im2col and matrix products, as a careful student would write it. Maps are (batch, rows, columns, channels)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from neurograph.benchmark.peers.contender import LEARNING_RATE, MOMENTUM, in_float32
from neurograph.benchmark.peers.layers import Layer, Untaught, layers_of
from neurograph.spec import Spec

Array = NDArray[Any]


class NumpyPeer:
    """Layers, weights and velocities."""

    name = "numpy"

    def __init__(self, spec: Spec, weights: Mapping[str, Array], threads: int) -> None:
        net = layers_of(spec)
        if net.loss != "cross_entropy":
            raise Untaught(f"{spec.name}: numpy is taught cross_entropy only.")
        self._layers = net.layers
        self._weights = in_float32(weights)
        shapes = {-1: net.input, **{number: layer.shape for number, layer in enumerate(net.layers)}}
        for layer in net.layers:
            source = shapes[layer.sources[0]]
            if layer.kind == "dense" and len(source) == 3:
                self._weights[f"{layer.name}.weight"] = _channels_last(self._weights[f"{layer.name}.weight"], source)
        self._velocity = {name: np.zeros_like(value) for name, value in self._weights.items()}

    def ready(self, x: Array, y: Array) -> tuple[Array, Array]:
        return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim == 4 else x, y

    def train(self, batch: tuple[Array, Array]) -> float:
        x, y = batch
        a, kept = self._forward(x)
        logits = a[len(self._layers) - 1]
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = shifted / shifted.sum(axis=1, keepdims=True)
        rows = np.arange(len(y))
        loss = float(-np.log(p[rows, y]).mean())
        p[rows, y] -= 1
        p /= len(y)
        for name, gradient in self._backward(a, kept, p).items():
            velocity = self._velocity[name]
            velocity *= MOMENTUM
            velocity += gradient
            self._weights[name] -= LEARNING_RATE * velocity
        return loss

    def infer(self, batch: tuple[Array, Array]) -> Array:
        return self._forward(batch[0])[0][len(self._layers) - 1]

    def wait(self) -> None:
        """NumPy never runs ahead."""

    def _forward(self, x: Array) -> tuple[dict[int, Array], dict[int, Any]]:
        """What every layer gives, and what its backward pass needs."""
        a, kept = {-1: x}, {}
        for number, layer in enumerate(self._layers):
            z, kept[number] = self._layer(layer, [a[source] for source in layer.sources])
            a[number] = np.maximum(z, 0, out=z) if layer.activation == "relu" else z
        return a, kept

    def _layer(self, layer: Layer, sources: list[Array]) -> tuple[Array, Any]:
        x = sources[0]
        if layer.kind == "add":
            return sum(sources[1:], start=x), None
        if layer.kind == "maxpool":
            return pooled(layer, x)
        w, b = self._weights[f"{layer.name}.weight"], self._weights[f"{layer.name}.bias"]
        if layer.kind == "dense":
            flat = x.reshape(len(x), -1)
            return flat @ w.T + b, flat
        columns = columns_of(layer, x)
        parts = np.split(w.reshape(layer.groups, len(w) // layer.groups, -1), layer.groups)
        z = np.concatenate([c @ part[0].T for c, part in zip(columns, parts, strict=True)], axis=1) + b
        return z.reshape(len(x), *layer.shape[1:], layer.shape[0]), columns

    def _backward(self, a: dict[int, Array], kept: dict[int, Any], delta: Array) -> dict[str, Array]:
        """Gradients of all weights."""
        owed: dict[int, Array] = {len(self._layers) - 1: delta}
        gradients: dict[str, Array] = {}
        for number in range(len(self._layers) - 1, -1, -1):
            layer, d = self._layers[number], owed.pop(number)
            if layer.activation == "relu":
                d = d * (a[number] > 0)
            for source, share in self._shares(layer, a[layer.sources[0]], kept[number], d, gradients):
                owed[source] = owed[source] + share if source in owed else share
        return gradients

    def _shares(
        self, layer: Layer, x: Array, kept: Any, d: Array, gradients: dict[str, Array]
    ) -> list[tuple[int, Array]]:
        """What the sources of a layer are owed; gradients of its weights go into `gradients`."""
        if layer.kind == "add":
            return [(source, d) for source in layer.sources if source >= 0]
        (source,) = layer.sources
        if layer.kind == "maxpool":
            return [(source, unpooled(layer, x, kept, d))]
        weight, bias = f"{layer.name}.weight", f"{layer.name}.bias"
        w = self._weights[weight]
        if layer.kind == "dense":
            gradients[weight], gradients[bias] = d.T @ kept, d.sum(axis=0)
            return [(source, (d @ w).reshape(x.shape))] if source >= 0 else []
        flat = d.reshape(-1, layer.shape[0])
        parts = np.split(flat, layer.groups, axis=1)
        gradients[weight] = np.concatenate([p.T @ c for p, c in zip(parts, kept, strict=True)]).reshape(w.shape)
        gradients[bias] = flat.sum(axis=0)
        if source < 0:
            return []
        rows = w.reshape(layer.groups, len(w) // layer.groups, -1)
        return [(source, scattered(layer, x.shape, [p @ row for p, row in zip(parts, rows, strict=True)]))]


def columns_of(layer: Layer, x: Array) -> list[Array]:
    """Im2col, one matrix a group: a row for each position, a column for each tap (channel, row, column)."""
    (ph, pw), (kh, kw), (dh, dw), (sh, sw) = layer.padding, layer.size, layer.dilation, layer.stride
    if ph or pw:
        x = np.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    windows = sliding_window_view(x, (dh * (kh - 1) + 1, dw * (kw - 1) + 1), axis=(1, 2))
    windows = windows[:, ::sh, ::sw, :, ::dh, ::dw]
    return [part.reshape(-1, part.shape[3] * kh * kw) for part in np.split(windows, layer.groups, axis=3)]


def scattered(layer: Layer, shape: tuple[int, ...], columns: list[Array]) -> Array:
    """Im2col backwards: add every tap's δ to where it was read."""
    n, rows, cols, channels = shape
    (ph, pw), (kh, kw), (dh, dw), (sh, sw) = layer.padding, layer.size, layer.dilation, layer.stride
    _, height, width = layer.shape
    found = np.zeros((n, rows + 2 * ph, cols + 2 * pw, channels), dtype=np.float32)
    taps = np.concatenate([c.reshape(n, height, width, -1, kh, kw) for c in columns], axis=3)
    for i in range(kh):
        for j in range(kw):
            top, left = i * dh, j * dw
            found[:, top : top + sh * height : sh, left : left + sw * width : sw] += taps[..., i, j]
    return found[:, ph : ph + rows, pw : pw + cols]


def pooled(layer: Layer, x: Array) -> tuple[Array, Array]:
    """Maxima, and which of its window each is. Windows must not overlap."""
    if layer.size != layer.stride or layer.padding != (0, 0):
        raise Untaught(f"{layer.name}: numpy is taught pools whose windows do not overlap.")
    channels, height, width = layer.shape
    kh, kw = layer.size
    cut = x[:, : height * kh, : width * kw].reshape(len(x), height, kh, width, kw, channels)
    windows = cut.transpose(0, 1, 3, 5, 2, 4).reshape(len(x), height, width, channels, kh * kw)
    winner = windows.argmax(axis=-1)
    return np.take_along_axis(windows, winner[..., None], axis=-1)[..., 0], winner


def unpooled(layer: Layer, x: Array, winner: Array, d: Array) -> Array:
    """δ to the winners."""
    channels, height, width = layer.shape
    kh, kw = layer.size
    windows = np.zeros((len(x), height, width, channels, kh * kw), dtype=np.float32)
    np.put_along_axis(windows, winner[..., None], d.reshape(winner.shape)[..., None], axis=-1)
    cut = windows.reshape(len(x), height, width, channels, kh, kw).transpose(0, 1, 4, 2, 5, 3)
    found = np.zeros_like(x)
    found[:, : height * kh, : width * kw] = cut.reshape(len(x), height * kh, width * kw, channels)
    return found


def _channels_last(weight: Array, source: tuple[int, ...]) -> Array:
    """A dense layer's weights for maps whose channels come last."""
    return np.ascontiguousarray(np.moveaxis(weight.reshape(len(weight), *source), 1, -1).reshape(len(weight), -1))
