"""Weights as images: the kernels of convolutions, and what each dense unit asks of a layer whose neurons have places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import DrawingError, UnknownName, suggest
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.shapes import times

Array = NDArray[Any]
Network = Topology | NeuronGraph


@dataclass(frozen=True)
class Kernels:
    """The weights of one parameter, filter by filter.

    Attributes
    ----------
    name : str
        The parameter.
    values : ndarray, shape (filters, channels, rows, columns)
        NaN where a slot belongs to no edge.
    what : str
        What a filter and a channel are, in words.
    is_table : bool
        Whether the one image is a table of targets (rows) by sources (columns), rather than a kernel.
    targets, sources : tuple of str
        Names of its rows and columns, where each is a neuron drawn by hand.
    """

    name: str
    values: Array
    what: str
    is_table: bool = False
    targets: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def weighted(network: Network) -> list[str]:
    """Parameters that hold weights in arrays; of hand-drawn networks, whose weights are single numbers, the one name "weights"."""
    names = [name for name, spec in network.parameters.items() if spec.role == "weight" and spec.shape != ()]
    alone = any(spec.role == "weight" and spec.shape == () for spec in network.parameters.values())
    return names + ["weights"] * alone


def kernels(network: Network, weights: Mapping[str, Array], layer: str | None = None) -> Kernels:
    """The weights of a layer (or of a parameter) as images; without one, of the first layer that has weights.

    Raises
    ------
    UnknownName
        If there is no such layer.
    DrawingError
        If it has no weights.
    """
    name = _parameter(network, layer)
    if name == "weights" and name not in network.parameters:
        return _table(network, weights)
    spec = network.parameters[name]
    values = np.array(weights[name], dtype=np.float64)
    if spec.used is not None:
        values[~np.asarray(spec.used).reshape(values.shape)] = np.nan
    if values.ndim == 4:
        place = "one each filter" if values.shape[1] == 1 else "a column is a filter, a row an input map"
        return Kernels(name, values, f"kernels {times(values.shape[2:])}: {place}")
    if values.ndim == 3:
        return Kernels(name, values[:, None], "a filter each: rows are input channels, columns taps")
    if values.ndim == 2:
        return _dense(network, name, values)
    return Kernels(name, values.reshape(1, 1, 1, -1), "one weight a map", is_table=True)


def _parameter(network: Network, layer: str | None) -> str:
    known = weighted(network)
    if not known:
        raise DrawingError("filters: this network has no weights to show.")
    if layer is None or layer in known:
        return layer or known[0]
    layers = _layers(network)
    if layer in layers:
        if layers[layer] is None:
            raise DrawingError(f"--layer {layer}: has no weights (layers that have: {', '.join(_owners(layers))}).")
        return str(layers[layer])
    near = suggest(layer, [*layers, *known])
    raise UnknownName(f"no layer '{layer}'{near} (layers with weights: {', '.join(_owners(layers)) or known[0]})")


def _layers(network: Network) -> dict[str, str | None]:
    """Layer → the parameter its weights are in, if it has any."""
    if not isinstance(network, Topology):
        return {}
    found: dict[str, str | None] = {name: None for name, p in network.populations.items() if not p.is_input}
    for projection in network.projections:
        if projection.weight is not None and network.parameters[projection.weight].shape != ():
            found[projection.target] = projection.weight
    return found


def _owners(layers: Mapping[str, str | None]) -> list[str]:
    return [name for name, parameter in layers.items() if parameter is not None]


def _dense(network: Network, name: str, values: Array) -> Kernels:
    """Rows of a weight matrix in the shape of what the units look at."""
    shape = _seen(network, name)
    if prod(shape) == values.shape[1] and len(shape) == 3:
        place = "one image each unit" if shape[0] == 1 else "a column is a unit, a row a map it looks at"
        what = f"weights onto {times(shape)} neurons: {place}"
        return Kernels(name, values.reshape(-1, *shape), what)
    if prod(shape) == values.shape[1] and len(shape) == 2:
        return Kernels(
            name, values.reshape(-1, 1, *shape), "a unit each: rows are channels it looks at, columns places"
        )
    return Kernels(name, values[None, None], "a row is a unit, a column what it looks at", is_table=True)


def _seen(network: Network, name: str) -> tuple[int, ...]:
    """Shape of the one population that these weights look at; () where there are several."""
    if not isinstance(network, Topology):
        sources = {
            network.nodes[u].get("layer")
            for u, _, data in network.edges(data=True)
            if data.get("param") and data["param"][0] == name
        }
        declared: Mapping[Any, tuple[int, ...]] = network.graph.get("shapes", {})
        shapes = {declared.get(source, ()) for source in sources}
    else:
        shapes = {network.populations[p.source].shape for p in network.projections if p.weight == name}
    return shapes.pop() if len(shapes) == 1 else ()


def _table(network: Network, weights: Mapping[str, Array]) -> Kernels:
    """All single weights of a hand-drawn network as one table: target by source."""
    from neurograph.graph.address import write_node
    from neurograph.graph.build import build

    graph = build(network) if isinstance(network, Topology) else network
    edges = [(u, v, data["param"]) for u, v, data in graph.edges(data=True) if data.get("param") is not None]
    order = list(graph.in_order())
    sources = [node for node in order if any(u == node for u, _, _ in edges)]
    targets = [node for node in order if any(v == node for _, v, _ in edges)]
    values = np.full((len(targets), len(sources)), np.nan)
    for u, v, (name, index) in edges:
        values[targets.index(v), sources.index(u)] = np.asarray(weights[name]).flat[index]
    what = "a row is a neuron, a column what it looks at; grey: no edge"
    rows, columns = (tuple(write_node(node) for node in nodes) for nodes in (targets, sources))
    return Kernels("weights", values[None, None], what, True, rows, columns)
