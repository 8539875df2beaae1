"""The integer twin of a network: the same neurons, edges and ties, with everything replaced that would leave the integers.

Between integers and powers of two, sums are exact in any order; so on the twin two engines must agree to the last bit, and no
tolerance is left for an error of wiring to hide behind. Activations other than ReLU become ReLU (softmax: the identity), L2
pools become sums, divisors and keep probabilities the nearest power of two, every loss half the sum of squares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import log2

from neurograph.graph.heads import HeadSpec
from neurograph.graph.losses import Loss
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Population, Topology
from neurograph.verification.wires import Network

EXACT_ACTIVATIONS = ("identity", "relu")
HEAD_WEIGHTS = (0.25, 0.5, 1.0, 2.0, 4.0)


def twin_of(network: Network) -> tuple[Network, list[str]]:
    """The integer twin, and in words what was replaced (nothing: the network is its own twin)."""
    return _of_topology(network) if isinstance(network, Topology) else _of_graph(network)


def _of_topology(topology: Topology) -> tuple[Topology, list[str]]:
    replaced: dict[str, None] = {}
    populations = {
        name: _population(topology, population, replaced) for name, population in topology.populations.items()
    }
    heads = tuple(_head(head, replaced) for head in topology.heads)
    dropouts = _dropouts(topology.dropouts, replaced)
    return replace(topology, populations=populations, heads=heads, dropouts=dropouts), list(replaced)


def _population(topology: Topology, population: Population, replaced: dict[str, None]) -> Population:
    divisor = population.divisor
    if population.kind == "mean" and divisor is None:  # a hand-drawn mean divides by its in-degree
        divisor = float(sum(projection.n_edges for projection in topology.into(population.name)))
    return replace(
        population,
        kind=_kind(population.kind, replaced),
        activation=_activation(population.activation, replaced),
        divisor=_divisor(divisor, replaced),
    )


def _of_graph(graph: NeuronGraph) -> tuple[NeuronGraph, list[str]]:
    replaced: dict[str, None] = {}
    twin: NeuronGraph = graph.copy()
    for node, data in twin.nodes(data=True):
        data["activation"] = _activation(data.get("activation", "identity"), replaced)
        if data["kind"] == "mean":
            divisor = data.get("divisor")
            data["divisor"] = _divisor(float(twin.in_degree(node)) if divisor is None else divisor, replaced)
        data["kind"] = _kind(data["kind"], replaced)
    twin.graph["heads"] = tuple(_head(head, replaced) for head in graph.heads)
    twin.graph["dropouts"] = _dropouts(graph.dropouts, replaced)
    return twin, list(replaced)


def _kind(kind: str, replaced: dict[str, None]) -> str:
    if kind != "l2":
        return kind
    replaced["L2 pools by sums"] = None
    return "sum"


def _activation(activation: str, replaced: dict[str, None]) -> str:
    if activation in EXACT_ACTIVATIONS:
        return activation
    new = "identity" if activation == "softmax" else "relu"
    replaced[f"{activation} by {new}"] = None
    return new


def _divisor(divisor: float | None, replaced: dict[str, None]) -> float | None:
    if divisor is None or _is_power(divisor):
        return divisor
    new = 2.0 ** round(log2(abs(divisor)))
    replaced[f"the divisor {divisor:g} by {new:g}"] = None
    return new


def _dropouts(dropouts: Mapping[str, float], replaced: dict[str, None]) -> dict[str, float]:
    powers = {}
    for name, keep in dropouts.items():
        powers[name] = keep if _is_power(keep) else 0.5 ** max(1, round(-log2(keep)))
        if powers[name] != keep:
            replaced[f"keep {keep:g} of {name} by {powers[name]:g}"] = None
    return powers


def _head(head: HeadSpec, replaced: dict[str, None]) -> HeadSpec:
    loss = head.loss
    weight = loss.weight if loss is not None and loss.weight in HEAD_WEIGHTS else 0.5
    twin = Loss("mse", head.name, weight, "half_sum", class_weights=_class_weights(loss))
    if twin == loss:
        return head
    kept = replace(loss, targets=(0.0, 1.0)) if loss is not None else None
    if twin != kept:
        replaced[
            f"the loss {loss.kind} by half the sum of squares" if loss else "no loss by half the sum of squares"
        ] = None
    return replace(head, loss=twin)


def _class_weights(loss: Loss | None) -> tuple[float, ...] | None:
    """The nearest powers of two: factors that leave sums of integers exact. One unit has no classes under squares."""
    if loss is None or not isinstance(loss.class_weights, tuple) or loss.kind == "binary_cross_entropy":
        return None
    return tuple(0.0 if w == 0 else 2.0 ** min(2, max(-2, round(log2(w)))) for w in loss.class_weights)


def _is_power(number: float) -> bool:
    return number > 0 and log2(number).is_integer()
