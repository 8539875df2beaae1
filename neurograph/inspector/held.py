"""Activations that are held at a value: the network with a stand-in for each, run by the textbook engine."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurograph.errors import GraphTooLarge
from neurograph.graph.address import write_node
from neurograph.graph.build import EDGE_LIMIT, build
from neurograph.graph.layout import Place
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.inspector.neuron import node_at
from neurograph.parameters import Parameters
from neurograph.trace import Trace

if TYPE_CHECKING:
    from neurograph.inspector.inspector import Inspector


@dataclass(frozen=True)
class Held:
    """One held activation, and what the loss asks of it: ∂loss/∂a in the sample."""

    value: float
    asked: float


def hold(
    inspector: Inspector, values: Mapping[Place, float], weights: Mapping[str, Any], x: Any
) -> tuple[Trace, Trace, dict[Place, Held]]:
    """The pass as it was, and with some activations held; both by the textbook engine.

    Raises
    ------
    GraphTooLarge
        If the network is too large to be written out.
    """
    from neurograph.reference import ReferenceEngine

    network = inspector.network
    if not isinstance(network, NeuronGraph) and network.n_edges > EDGE_LIMIT:
        held_ones = ", ".join(write_node(node_at(inspector.trace.layout, place)) for place in values)
        raise GraphTooLarge(
            f"what-if: {held_ones}: an activation is held in networks of up to {EDGE_LIMIT:,} edges; {network.name} has "
            f"{network.n_edges:,}. Change an input or a weight."
        )
    graph = network if isinstance(network, NeuronGraph) else build(network)
    before = inspector.asked.run(ReferenceEngine(graph, Parameters(inspector.trace.weights)))
    changed, standing_in = with_stand_ins(graph, {node_at(inspector.trace.layout, p): v for p, v in values.items()})
    own = {standing_in[node_at(inspector.trace.layout, place)]: value for place, value in values.items()}
    after = inspector.asked.run(ReferenceEngine(changed, Parameters({**weights, **own})), x)
    held = {}
    for place, value in values.items():
        asked = after.delta[standing_in[node_at(inspector.trace.layout, place)]][inspector.sample]
        held[place] = Held(value, float(asked))
    return before, after, held


def with_stand_ins(graph: NeuronGraph, values: Mapping[Hashable, float]) -> tuple[NeuronGraph, dict[Hashable, str]]:
    """A copy of a graph in which others read a fixed number in the place of some neurons.

    Returns
    -------
    graph, stand-ins
        The stand-ins by the neuron whose place they take. The neurons themselves are still there, and compute; nobody reads them.

    Examples
    --------
    >>> graph = NeuronGraph()
    >>> graph.add_input("x"); graph.add_neuron("h"); graph.connect("x", "h", weight="v")
    >>> graph.add_neuron("o"); graph.connect("h", "o", weight="w")
    >>> changed, standing_in = with_stand_ins(graph, {"h": 3.0})
    >>> list(changed.pred["o"]), changed.edges["h, held", "o"]["param"], standing_in
    (['h, held'], ('w', 0), {'h': 'h, held'})
    """
    changed: NeuronGraph = graph.copy()
    standing_in: dict[Hashable, str] = {}
    for node, value in values.items():
        name = f"{write_node(node)}, held"
        changed.set_parameter(name, value, trainable=False)
        changed.add_neuron(name, bias=name)
        order = changed.nodes[node]["order"]  # the stand-in takes its place too: a tied maximum goes where it went
        changed.nodes[node]["order"], changed.nodes[name]["order"] = changed.nodes[name]["order"], order
        for target, data in list(changed.succ[node].items()):
            changed.add_edge(name, target, **data)
            changed.remove_edge(node, target)
        standing_in[node] = name
    return changed, standing_in
