"""Edits of a neuron graph with ordinary NetworkX calls, as a person would make them; each is kept only if the graph stays valid."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from neurograph.errors import GraphError
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.ops.words import WEIGHTED_KINDS

Random = np.random.Generator
T = TypeVar("T")
ACTIVATIONS = ("identity", "relu", "tanh", "sigmoid", "leaky_relu")


def edit(graph: NeuronGraph, edits: Iterable[tuple[str, int]]) -> NeuronGraph:
    """A copy of the graph with these edits made, those that break a rule left out."""
    for word, seed in edits:
        changed = graph.copy()
        try:
            EDITS[word](changed, np.random.default_rng(seed))
            changed.validate()
            refuse_mixed_maxima(changed)
        except (GraphError, NothingToEdit):
            continue
        graph = changed
    return graph


class NothingToEdit(Exception):
    """The graph has nothing that this edit could change."""


def refuse_mixed_maxima(graph: NeuronGraph) -> None:
    """A maximum over a constant and neurons of several layers is valid, and nothing that the compiler takes: it says so."""
    for node, kind in graph.nodes(data="kind"):
        sources = [graph.nodes[source] for source in graph.predecessors(node)] if kind == "max" else []
        layers = {source.get("pads") if source["kind"] == "constant" else source.get("layer") for source in sources}
        if len(layers) > 1 and any(source["kind"] == "constant" for source in sources):
            raise NothingToEdit


def pick(items: list[T], random: Random) -> T:
    """One of some items."""
    if not items:
        raise NothingToEdit
    return items[int(random.integers(len(items)))]


def neurons(graph: NeuronGraph) -> list[object]:
    return [node for node, kind in graph.nodes(data="kind") if kind not in ("input", "constant")]


def weighted_edges(graph: NeuronGraph) -> list[tuple[object, object]]:
    return [(u, v) for u, v, param in graph.edges(data="param") if param is not None]


def delete_edge(graph: NeuronGraph, random: Random) -> None:
    graph.remove_edge(*pick(list(graph.edges), random))


def retie(graph: NeuronGraph, random: Random) -> None:
    """Another edge's weight."""
    edge, other = pick(weighted_edges(graph), random), pick(weighted_edges(graph), random)
    graph.edges[edge]["param"] = graph.edges[other]["param"]


def own_weight(graph: NeuronGraph, random: Random) -> None:
    """A weight of the edge's own."""
    edge = pick(weighted_edges(graph), random)
    graph.set_parameter(f"own{len(graph.parameters)}", value=float(random.integers(-2, 3)))
    graph.edges[edge]["param"] = (f"own{len(graph.parameters) - 1}", 0)


def remove_neuron(graph: NeuronGraph, random: Random) -> None:
    graph.remove_node(pick(list(graph.nodes), random))


def add_neuron(graph: NeuronGraph, random: Random) -> None:
    """A neuron between some that are there; a cycle is refused by the rules."""
    kind = pick(["weighted", "weighted", "max", "mean", "sum", "l2", "rbf"], random)
    name = f"extra{len(graph)}"
    sources = dict.fromkeys(pick(list(graph.nodes), random) for _ in range(int(random.integers(1, 4))))
    targets = dict.fromkeys(pick(neurons(graph), random) for _ in range(int(random.integers(0, 3))))
    bias = f"{name}.bias" if kind == "weighted" else None
    graph.add_neuron(name, kind=kind, activation=pick(list(ACTIVATIONS), random), bias=bias)
    for source in [node for node in sources if node not in targets]:
        connect(graph, source, name, random)
    for target in targets:
        connect(graph, name, target, random)


def add_edge(graph: NeuronGraph, random: Random) -> None:
    connect(graph, pick(list(graph.nodes), random), pick(neurons(graph), random), random)


def connect(graph: NeuronGraph, source: object, target: object, random: Random) -> None:
    """An edge with a new weight, or now and then one that is there."""
    weight: object = None
    if graph.nodes[target]["kind"] in WEIGHTED_KINDS:
        known = [graph.edges[edge]["param"] for edge in weighted_edges(graph)]
        weight = pick(known, random) if known and random.random() < 0.3 else f"new{graph.number_of_edges()}.weight"
    graph.connect(source, target, weight=weight)  # type: ignore[arg-type]


def set_activation(graph: NeuronGraph, random: Random) -> None:
    node = pick(neurons(graph), random)
    if graph.nodes[node]["output"] is not None:
        raise NothingToEdit
    graph.nodes[node]["activation"] = pick(list(ACTIVATIONS), random)


def move_bias(graph: NeuronGraph, random: Random) -> None:
    """Another neuron's bias."""
    biased = [node for node, bias in graph.nodes(data="bias") if bias is not None]
    graph.nodes[pick(biased, random)]["bias"] = graph.nodes[pick(biased, random)]["bias"]


def drop_bias(graph: NeuronGraph, random: Random) -> None:
    graph.nodes[pick([node for node, bias in graph.nodes(data="bias") if bias is not None], random)]["bias"] = None


def freeze(graph: NeuronGraph, random: Random) -> None:
    graph.set_parameter(pick(list(graph.parameters), random), trainable=False)


def set_divisor(graph: NeuronGraph, random: Random) -> None:
    node = pick([node for node, kind in graph.nodes(data="kind") if kind == "mean"], random)
    graph.nodes[node]["divisor"] = pick([None, 2.0, 4.0], random)


EDITS: dict[str, Callable[[NeuronGraph, Random], None]] = {
    "delete edge": delete_edge,
    "retie": retie,
    "own weight": own_weight,
    "remove neuron": remove_neuron,
    "add neuron": add_neuron,
    "add edge": add_edge,
    "set activation": set_activation,
    "move bias": move_bias,
    "drop bias": drop_bias,
    "freeze": freeze,
    "set divisor": set_divisor,
}
