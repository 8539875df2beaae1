"""Padded positions: places over the border where windows see a fixed number; no neurons, but sources of edges."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from neurograph.errors import UnknownName
from neurograph.graph.address import Node, node_id, parse_address, write_node
from neurograph.graph.layout import Layout
from neurograph.graph.neighbourhood import Wire, constant_of, fan_in, fan_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Projection, Topology
from neurograph.inspector.cards import Influence, NeuronCard
from neurograph.parameters import Reference


def padding_wires(network: Topology | NeuronGraph, layout: Layout, key: Any) -> tuple[Node, list[Wire]] | None:
    """The node id of a padded position, and the edges that read it; None where the key names none.

    Raises
    ------
    UnknownName
        If the layer is padded, but nobody reads this position.
    """
    name, index = _parsed(key)
    if not isinstance(name, str) or name in layout.shapes or (layout.renamed and key in layout.renamed):
        return None  # a neuron's name, as most are
    if isinstance(network, NeuronGraph):
        node = node_id(name, index)
        if _is_constant(network, node):
            return node, fan_out(network, node)
        if any(isinstance(other, tuple) and other[:1] == (name,) and _is_constant(network, other) for other in network):
            raise _nobody(node, name)
        return None
    padded = [p for p in network.projections if p.padding is not None and p.padding.layer == name]
    if not padded:
        return None
    node = node_id(name, index)
    wires = [wire for projection in padded for wire in _wires(network, projection, node, index)]
    if not wires:
        raise _nobody(node, name)
    return node, wires


def padding_card(
    network: Topology | NeuronGraph,
    node: Node,
    wires: list[Wire],
    sample: int,
    weight: Callable[[Reference], float],
    written: Callable[[Reference], str],
) -> NeuronCard:
    """The card of a padded position: its fixed number, and who reads it with which weight.

    Parameters
    ----------
    weight, written : callable
        A weight's value and its name.
    """
    value = weight(constant_of(network, wires[0]))
    read = []
    for wire in wires:
        w, name = (None, None) if wire.param is None else (weight(wire.param), written(wire.param))
        read.append(Influence(wire.target, 0.0, w, 0.0, name))
    return NeuronCard(node, "constant", "identity", sample, value, value, None, None, None, (), tuple(read), None)


def _parsed(key: Any) -> tuple[Any, tuple[int, ...]]:
    if isinstance(key, str):
        return parse_address(key) or (key, ())
    return (key[0], tuple(key[1:])) if isinstance(key, tuple) and key else (key, ())


def _is_constant(graph: NeuronGraph, node: Node) -> bool:
    return node in graph and graph.nodes[node].get("kind") == "constant"


def _wires(topology: Topology, projection: Projection, node: Node, index: tuple[int, ...]) -> list[Wire]:
    extents = topology.populations[projection.source].shape
    if len(index) != len(extents) or all(0 <= i < n for i, n in zip(index, extents, strict=True)):
        return []
    rank = len(topology.populations[projection.target].shape)
    targets = [sorted({int(t) for t in axis.out_of(i).target}) for axis, i in zip(projection.axes, index, strict=True)]
    nodes = [node_id(projection.target, chosen[:rank]) for chosen in product(*targets)]
    return [wire for target in nodes for wire in fan_in(topology, target) if wire.source == node]


def _nobody(node: Node, name: Any) -> UnknownName:
    layer = str(name).removesuffix(".padding")
    return UnknownName(
        f"no padded position {write_node(node)}: no window of '{layer}' sees it. Padded positions are written in the "
        "coordinates of what the layer reads, just outside of it, such as row −1; the card of a neuron at the border lists some."
    )
