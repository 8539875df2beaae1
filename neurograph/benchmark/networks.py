"""The networks that are timed: bundled ones, one that nobody tuned for, hand-edited and random graphs, and odd ones drawn by seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.build import build
from neurograph.graph.lay_out import lay_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.spec import Spec, load

Array = NDArray[Any]

MLP = """
name = "784-128-10"
input = [1, 28, 28]
layer = [
  { name = "hidden", kind = "dense", units = 128, activation = "relu" },
  { name = "out", kind = "dense", units = 10 },
]
loss = { kind = "cross_entropy" }
"""

ODD = """
name = "odd"
input = [3, 21, 17]
layer = [
  { name = "conv1", kind = "conv", filters = 10, kernel = [3, 4], activation = "relu" },
  { name = "conv2", kind = "conv", filters = 10, kernel = 3, dilation = 2, padding = 2, groups = 2 },
  { name = "skip", kind = "add", from = ["conv1", "conv2"], activation = "relu" },
  { name = "pool", kind = "maxpool", window = 2 },
  { name = "conv3", kind = "conv", filters = 22, kernel = 5, activation = "relu" },
  { name = "out", kind = "dense", units = 7 },
]
loss = { kind = "cross_entropy" }
"""

LARGE_CONVOLUTION = """
name = "3×3×256→256"
input = [256, 28, 28]
layer = [
  { name = "scale", kind = "depthwise", kernel = 1 },
  { name = "conv", kind = "conv", filters = 256, kernel = 3, padding = 1 },
]
loss = { kind = "mse" }
"""
"""The layer before it costs nothing, and makes the convolution hand δ back."""


@dataclass(frozen=True)
class Network:
    """A network to time.

    Attributes
    ----------
    name : str
        How tables call it.
    spec : Spec
        What peers run.
    graph : callable, optional
        What neurograph runs in place of the spec: the network written out, and edited.
    """

    name: str
    spec: Spec
    graph: Callable[[], NeuronGraph] | None = None

    @property
    def is_edited(self) -> bool:
        """Whether peers cannot say this network, and run the spec it was made from."""
        return self.graph is not None


def bundled(name: str) -> Network:
    """A bundled network."""
    return Network(name, load(name))


def said(text: str) -> Network:
    """A network from TOML text."""
    spec = load(text)
    return Network(spec.name, spec)


def edited(share: float, seed: int = 0) -> Network:
    """LeNet-5 with a share of its edges deleted at random."""

    def graph() -> NeuronGraph:
        made = build(lay_out(load("lenet5")))
        return without(made, round(share * made.number_of_edges()), seed)

    return Network(f"lenet5 − {100 * share:g} % edges", load("lenet5"), graph)


def without(graph: NeuronGraph, n_edges: int, seed: int = 0) -> NeuronGraph:
    """Delete so many edges at random, and return the graph."""
    edges = list(graph.edges)
    gone = np.random.default_rng(seed).choice(len(edges), n_edges, replace=False)
    graph.remove_edges_from(edges[i] for i in gone)
    return graph


def drawn(seed: int) -> Network:
    """An odd network: three convolutions of odd sizes, one dilated, one in groups, one skipped, and a pool somewhere.

    Examples
    --------
    >>> [layer.kind for layer in drawn(3).spec.layers]
    ['conv', 'conv', 'add', 'maxpool', 'conv', 'dense']
    """
    random = np.random.default_rng(seed)

    def one_of(*choices: int) -> int:
        return int(random.choice(choices))

    groups = one_of(2, 3, 5)
    width = groups * one_of(2, 3, 4, 5)
    kernel, dilation = one_of(3, 5), one_of(1, 2)
    first = {"filters": width, "kernel": [one_of(2, 3, 4, 5), one_of(2, 3, 4, 5)], "activation": "relu"}
    second = {"filters": width, "kernel": kernel, "dilation": dilation, "padding": dilation * (kernel // 2)}
    third = {"filters": one_of(7, 11, 13, 17, 22), "kernel": one_of(2, 3, 4), "activation": "relu"}
    second["groups"] = groups
    layers: list[dict[str, Any]] = [
        {"name": "conv1", "kind": "conv", **first},
        {"name": "conv2", "kind": "conv", **second},
        {"name": "skip", "kind": "add", "from": ["conv1", "conv2"], "activation": "relu"},
        {"name": "pool", "kind": "maxpool", "window": one_of(2, 3)},
        {"name": "conv3", "kind": "conv", **third},
        {"name": "out", "kind": "dense", "units": one_of(3, 7, 10, 19)},
    ]
    shape = [one_of(1, 2, 3, 5), one_of(19, 21, 23, 27, 29), one_of(17, 19, 22, 25, 31)]
    return said(_toml(f"drawn {seed}", shape, layers))


def widened(factor: float) -> Network:
    """LeNet-5 with so many times the filters and units."""
    layers = [layer.model_dump(by_alias=True, exclude_defaults=True) for layer in load("lenet5").layers]
    for layer, model in zip(layers, load("lenet5").layers, strict=True):
        layer["kind"] = model.kind
        for key in ("filters", "units"):
            if key in layer and layer["name"] != "fc3":
                layer[key] = max(1, round(factor * layer[key]))
    return said(_toml(f"lenet5 × {factor:g}", [1, 28, 28], layers))


def deepened(n_layers: int) -> Network:
    """So many convolutions 16@3×3 on 14×14 maps, and a dense layer."""
    convolution = {"kind": "conv", "filters": 16, "kernel": 3, "padding": 1, "activation": "relu"}
    layers = [{"name": f"conv{n}", **convolution} for n in range(1, n_layers + 1)]
    return said(_toml(f"{n_layers} deep", [1, 14, 14], [*layers, {"name": "out", "kind": "dense", "units": 10}]))


def _toml(name: str, shape: list[int], layers: list[dict[str, Any]]) -> str:
    tables = ",\n".join(
        "  { " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in layer.items()) + " }" for layer in layers
    )
    return f'name = "{name}"\ninput = {shape}\nlayer = [\n{tables}\n]\nloss = {{ kind = "cross_entropy" }}\n'
