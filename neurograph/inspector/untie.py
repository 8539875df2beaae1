"""Untying: a copy of a network in which every neuron of a group has weights of its own, equal to the shared ones at first."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import numpy as np

from neurograph.errors import UsageError
from neurograph.graph.address import Node, write_node, write_reference
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.parameters import Parameters, ParameterSpec, Reference

Edge = tuple[Node, Node]


@dataclass
class Copies:
    """The uses of one shared weight: who has a copy, on which edges (for a bias: in which neurons)."""

    reference: Reference
    owners: list[Hashable] = field(default_factory=list)
    edges: list[tuple[Edge, int]] = field(default_factory=list)
    neurons: list[tuple[Node, int]] = field(default_factory=list)
    name: str = ""
    """The parameter that holds them in the untied network, one entry a copy."""

    def number(self, owner: Hashable) -> int:
        """The number of an owner's copy; owners are met in order."""
        if not self.owners or self.owners[-1] != owner:
            self.owners.append(owner)
        return len(self.owners) - 1


def copies_of_neurons(graph: NeuronGraph, neurons: Iterable[Node]) -> list[Copies]:
    """Weights and biases that several of these neurons share, one copy a neuron."""
    found: dict[Reference, Copies] = {}
    for node in neurons:
        for source, data in graph.fan_in(node):
            if data.get("param") is not None:
                copies = found.setdefault(data["param"], Copies(data["param"]))
                copies.edges.append(((source, node), copies.number(node)))
        bias = graph.nodes[node].get("bias")
        if bias is not None:
            copies = found.setdefault(bias, Copies(bias))
            copies.neurons.append((node, copies.number(node)))
    return [copies for copies in found.values() if len(copies.owners) > 1]


def copies_of_weight(graph: NeuronGraph, reference: Reference) -> list[Copies]:
    """One shared weight or bias, one copy an edge or a neuron."""
    copies = Copies(reference)
    for edge in graph.uses(*reference):
        copies.edges.append((edge, copies.number(edge)))
    for node in graph.in_order():
        if graph.nodes[node].get("bias") == reference:
            copies.neurons.append((node, copies.number(node)))
    return [copies] if len(copies.owners) > 1 else []


def untied(graph: NeuronGraph, params: Parameters, copies: list[Copies]) -> tuple[NeuronGraph, Parameters]:
    """The network with those weights untied, and its parameters. Other uses of them, elsewhere, keep the shared one.

    Examples
    --------
    >>> graph = NeuronGraph()
    >>> graph.add_input("x")
    >>> for name in ("h1", "h2"):
    ...     graph.add_neuron(name)
    ...     graph.connect("x", name, weight="w")
    >>> apart, params = untied(graph, Parameters({"w": 2.0}), copies_of_weight(graph, ("w", 0)))
    >>> apart.edges["x", "h2"]["param"], params["w, untied"].tolist()
    (('w, untied', 1), [2.0, 2.0])
    """
    apart: NeuronGraph = graph.copy()
    values, trainable = dict(params), dict(params.trainable)
    specs = dict(graph.parameters)
    for found in copies:
        name, index = found.reference
        value = float(params[name].reshape(-1)[index])
        found.name = f"{write_reference(found.reference, params[name].shape)}, untied"
        values[found.name] = np.full(len(found.owners), value)
        trainable[found.name] = trainable[name]
        specs[found.name] = ParameterSpec(found.name, (len(found.owners),), role=specs[name].role)
        for (source, target), number in found.edges:
            apart.edges[source, target]["param"] = (found.name, number)
        for node, number in found.neurons:
            apart.nodes[node]["bias"] = (found.name, number)
    apart.graph["parameters"] = specs
    return apart, Parameters(values, trainable)


def written_owner(owner: Hashable) -> str:
    """A copy by its owner: a neuron, or an edge.

    Examples
    --------
    >>> written_owner(("conv", 0, 3, 1)), written_owner((("input", 0), ("h", 1)))
    ('conv[0,3,1]', 'input[0] → h[1]')
    """
    if isinstance(owner, tuple) and len(owner) == 2 and not isinstance(owner[1], int):
        return " → ".join(map(write_node, owner))
    return write_node(owner)


def nothing_shared(what: str, why: str) -> UsageError:
    """The error for what cannot be untied."""
    return UsageError(
        f"untie {what}: {why}. Name a group such as conv1[0], a layer, or a weight that several edges share."
    )
