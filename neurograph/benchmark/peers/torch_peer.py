"""The network in PyTorch, eager or through torch.compile."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from neurograph.benchmark.peers.contender import LEARNING_RATE, MOMENTUM, Contender, in_float32
from neurograph.benchmark.peers.layers import Layer, Layers, layers_of
from neurograph.spec import Spec

Array = NDArray[Any]


class TorchPeer:
    """A module, its loss and its optimiser."""

    def __init__(self, spec: Spec, weights: Mapping[str, Array], threads: int, *, compiled: bool = False) -> None:
        self.name = "torch.compile" if compiled else "pytorch"
        self._torch: Any = importlib.import_module("torch")
        self._torch.set_num_threads(threads)
        self._threads = threads
        net = layers_of(spec)
        model = _module(self._torch, net, weights)
        functional = self._torch.nn.functional
        loss = functional.cross_entropy if net.loss == "cross_entropy" else functional.mse_loss
        self._optimizer = self._torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)

        def loss_of(x: Any, y: Any) -> Any:
            return loss(model(x), y)

        self._model = self._torch.compile(model) if compiled else model
        self._loss = self._torch.compile(loss_of) if compiled else loss_of

    def ready(self, x: Array, y: Array) -> tuple[Any, Any]:
        return self._torch.from_numpy(x), self._torch.from_numpy(y)

    def train(self, batch: tuple[Any, Any]) -> Any:
        self._optimizer.zero_grad()
        loss = self._loss(*batch)
        loss.backward()
        self._optimizer.step()
        return loss.detach()

    def infer(self, batch: tuple[Any, Any]) -> Any:
        with self._torch.inference_mode():
            return self._model(batch[0])

    def wait(self) -> None:
        """On a CPU PyTorch never runs ahead."""


def eager(spec: Spec, weights: Mapping[str, Array], threads: int) -> Contender:
    """PyTorch as everybody runs it."""
    return TorchPeer(spec, weights, threads)


def compiled(spec: Spec, weights: Mapping[str, Array], threads: int) -> Contender:
    """PyTorch through torch.compile, with its defaults."""
    warnings.filterwarnings("ignore", module="torch")
    return TorchPeer(spec, weights, threads, compiled=True)


def _module(torch: Any, net: Layers, weights: Mapping[str, Array]) -> Any:
    """The layers as one module."""
    nn = torch.nn
    values = in_float32(weights)
    shapes = {-1: net.input, **{number: layer.shape for number, layer in enumerate(net.layers)}}

    class Network(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            made = [_layer(nn, layer, shapes[layer.sources[0]]) for layer in net.layers]
            self.made = nn.ModuleList(made)
            self.reads = [layer.sources for layer in net.layers]
            self.rectified = [layer.activation == "relu" for layer in net.layers]
            self.flattens = [layer.kind == "dense" for layer in net.layers]

        def forward(self, x: Any) -> Any:
            a = [x]
            for layer, reads, rectified, flattens in zip(
                self.made, self.reads, self.rectified, self.flattens, strict=True
            ):
                x = a[reads[0] + 1]
                for source in reads[1:]:
                    x = x + a[source + 1]
                x = layer(x.flatten(1) if flattens and x.ndim > 2 else x)
                a.append(torch.relu(x) if rectified else x)
            return a[-1]

    module = Network()
    with torch.no_grad():
        for layer, made in zip(net.layers, module.made, strict=True):
            for name in dict(made.named_parameters()):
                getattr(made, name).copy_(torch.from_numpy(values[f"{layer.name}.{name}"]))
    return module


def _layer(nn: Any, layer: Layer, source: tuple[int, ...]) -> Any:
    if layer.kind == "add":
        return nn.Identity()
    if layer.kind == "maxpool":
        return nn.MaxPool2d(layer.size, layer.stride, layer.padding)
    if layer.kind == "dense":
        units = 1
        for extent in source:
            units *= extent
        return nn.Linear(units, layer.shape[0])
    how = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation, "groups": layer.groups}
    return nn.Conv2d(source[0], layer.shape[0], layer.size, **how)
