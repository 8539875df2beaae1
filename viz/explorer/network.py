"""A network as data for the page: its layers, how they are wired, its weights, its heads."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import prod
from typing import Any

import numpy as np

from neurograph.graph.address import write_node
from neurograph.graph.layout import Layout, Port, is_graph
from neurograph.graph.losses import Loss
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology

from .packing import pack
from .size import EXACT_WEIGHTS


def describe(
    network: Topology | NeuronGraph, layout: Layout, weights: Mapping[str, Any], labels: Mapping[str, str]
) -> dict[str, Any]:
    """Everything that the page needs to compute.

    Parameters
    ----------
    weights : mapping of str to ndarray
        Every parameter's values.
    labels : mapping of str to str
        Layer → the free text that the spec gives it.
    """
    from .closed import wired
    from .listed import listed

    numbers = {name: number for number, name in enumerate(layout.shapes)}
    slots = _slots(network)
    made = listed(network, layout, slots) if is_graph(network) else wired(network, slots)
    for layer in made["layers"]:
        layer["label"] = labels.get(layer["name"], "")
    return {
        **made,
        "parameters": _parameters(network, weights),
        "inputs": [_port(port, numbers) for port in layout.inputs],
        "heads": [{**_port(port, numbers), "loss": _loss(port.loss)} for port in layout.heads],
    }


def _slots(network: Topology | NeuronGraph) -> dict[str, int]:
    """Parameter → the first of its places among all weights in a row."""
    slots, total = {}, 0
    for name, spec in network.parameters.items():
        slots[name] = total
        total += prod(spec.shape)
    return slots


def _parameters(network: Topology | NeuronGraph, weights: Mapping[str, Any]) -> list[dict[str, Any]]:
    declared = network.parameters
    lossy = sum(prod(spec.shape) for spec in declared.values()) > EXACT_WEIGHTS
    made = []
    for name, spec in declared.items():
        # a parameter that nobody reads is missing in a trace
        values = weights[name] if name in weights else np.zeros(spec.shape)
        entry = {
            "name": name,
            "shape": list(spec.shape),
            "trainable": bool(spec.trainable),
            "role": spec.role,
            "values": pack(values, lossy),
        }
        made.append(entry)
    return made


def _port(port: Port, numbers: Mapping[Hashable, int]) -> dict[str, Any]:
    """An input or a head: one layer, or neurons of several as (layer, flat index)."""
    return {
        "name": "" if port.name is None else write_node(port.name),
        "shape": list(port.shape),
        "layer": numbers[port.name] if port.members is None else None,
        "members": None if port.members is None else [[numbers[name], 0] for name, _ in port.members],
    }


def _loss(loss: Loss | None) -> dict[str, Any] | None:
    if loss is None:
        return None
    weights = loss.class_weights
    return {
        "kind": loss.kind,
        "weight": loss.weight,
        "form": loss.form,
        "targets": list(loss.targets),
        "j": loss.j,
        "smoothing": loss.label_smoothing,
        "classWeights": list(weights) if isinstance(weights, tuple) else None,
    }
