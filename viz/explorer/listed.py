"""The wiring of a graph, edge by edge: any graph that a person can draw or edit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import prod
from typing import Any

import networkx as nx

from neurograph.graph.address import node_id, write_node
from neurograph.graph.layout import Layout
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.ops.words import ACTIVATIONS, NEURON_KINDS
from neurograph.parameters import Reference

from .packing import pack, pack_integers

MISSING = -1


def listed(graph: NeuronGraph, layout: Layout, slots: Mapping[str, int]) -> dict[str, Any]:
    """Layers, neurons in topological order, and every edge in fan-in order.

    Notes
    -----
    A layer says what most of its neurons are; each neuron says it for itself, since edits may have changed some.
    """
    order = list(nx.topological_sort(graph))
    number = {node: i for i, node in enumerate(order)}
    layers = {name: k for k, name in enumerate(layout.shapes)}
    return {
        "layers": [_layer(graph, layout, name) for name in layout.shapes],
        "neurons": _neurons(graph, layout, order, layers, slots),
        "edges": _edges(graph, order, number, slots),
    }


def _layer(graph: NeuronGraph, layout: Layout, name: Hashable) -> dict[str, Any]:
    shape = layout.shapes[name]
    members = [data for node, data in graph.nodes(data=True) if data.get("layer", node) == name]
    first = members[0] if members else {"kind": "weighted", "activation": "identity"}
    return {
        "name": write_node(name),
        "word": "",
        "kind": first["kind"],
        "shape": list(shape),
        "activation": first.get("activation", "identity"),
        "bias": None,
        "divisor": None,
    }


def _neurons(
    graph: NeuronGraph, layout: Layout, order: list[Any], layers: Mapping[Hashable, int], slots: Mapping[str, int]
) -> dict[str, Any]:
    layer, place, kind, activation, bias, divisor = [], [], [], [], [], []
    names: dict[str, str] = {}
    for i, node in enumerate(order):
        data = graph.nodes[node]
        constant = data["kind"] == "constant"
        home = (None, ()) if constant else layout.place(node)
        layer.append(MISSING if constant else layers[home[0]])
        place.append(0 if constant else _flat(home[1], layout.shapes[home[0]]))
        kind.append(NEURON_KINDS.index(data["kind"]))
        activation.append(ACTIVATIONS.index("identity" if constant else data["activation"]))
        bias.append(_slot(data.get("param") if constant else data.get("bias"), slots))
        divisor.append(float(data.get("divisor") or graph.in_degree(node) or 1))
        if constant or node_id(*home) != node:
            names[str(i)] = write_node(node)
    return {
        "layer": pack_integers(layer),
        "place": pack_integers(place),
        "kind": pack_integers(kind),
        "activation": pack_integers(activation),
        "bias": pack_integers(bias),
        "divisor": pack(divisor),
        "names": names,
    }


def _edges(graph: NeuronGraph, order: list[Any], number: Mapping[Any, int], slots: Mapping[str, int]) -> dict[str, Any]:
    start, source, slot = [0], [], []
    for node in order:
        for neighbour, data in graph.fan_in(node):
            source.append(number[neighbour])
            slot.append(_slot(data.get("param"), slots))
        start.append(len(source))
    return {"start": pack_integers(start), "source": pack_integers(source), "slot": pack_integers(slot)}


def _slot(reference: Reference | None, slots: Mapping[str, int]) -> int:
    return MISSING if reference is None else slots[reference[0]] + reference[1]


def _flat(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    return sum(i * prod(shape[k + 1 :]) for k, i in enumerate(index))
