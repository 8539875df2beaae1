"""Specs and graphs written by tests, short enough to read beside what is asserted about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import neurograph as ng

Table = Mapping[str, Any]
Maker = Callable[[ng.NeuronGraph, ng.Parameters], Any]
"""Makes an engine."""


def compiled(graph: ng.NeuronGraph, params: ng.Parameters) -> Any:
    return ng.compile(graph, params, dtype="float64")


ENGINES = [pytest.param(ng.ReferenceEngine, id="reference"), pytest.param(compiled, id="compiled")]


def toml(input_shape: Sequence[int], layers: Sequence[Table], loss: Table | Sequence[Table] | None = None) -> str:
    """A spec as text. Layers without a name are called after their kind and number: conv1, maxpool2, …"""
    named = [{"name": f"{layer['kind']}{number}", **layer} for number, layer in enumerate(layers, 1)]
    losses = [loss] if isinstance(loss, Mapping) else loss or []
    tables = [("layer", layer) for layer in named] + [("loss", table) for table in losses]
    written = [
        f"[[{name}]]\n" + "\n".join(f"{key} = {_value(value)}" for key, value in t.items()) for name, t in tables
    ]
    return "\n\n".join([f"input = {list(input_shape)}", *written])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)


def graph_of(input_shape: Sequence[int], layers: Sequence[Table], loss: Any = None) -> ng.NeuronGraph:
    """The network of a written spec, neuron by neuron."""
    return ng.build(ng.lay_out(ng.load(toml(input_shape, layers, loss))))


def drawn_engine(
    make: Maker, input_shape: Sequence[int], layers: Sequence[Table], loss: Any = None, seed: int = 0
) -> Any:
    """An engine over a written spec with seeded weights; biases are drawn too."""
    graph = graph_of(input_shape, layers, loss)
    return make(graph, drawn(graph, seed))


def drawn(graph: ng.NeuronGraph, seed: int = 0) -> ng.Parameters:
    """Seeded weights in which no bias is 0."""
    params = ng.initialise(graph, seed)
    random = np.random.default_rng(seed)
    for name, spec in graph.parameters.items():
        if spec.role == "bias" and spec.values is None:
            params[name] = random.uniform(-0.5, 0.5, spec.shape)
    return params
