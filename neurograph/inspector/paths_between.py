"""The edges that lie on some path between two neurons, each with its local derivative ∂a(target)/∂a(source) in one sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import networkx as nx

from neurograph.errors import GraphTooLarge, UsageError
from neurograph.graph.address import Node, node_id, write_node
from neurograph.graph.layout import Place
from neurograph.graph.neighbourhood import Wire, activity, fan_in, fan_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.inspector.formulas import handed_back, slope
from neurograph.inspector.neuron import Neuron, at, find, node_at
from neurograph.inspector.outputs import head_values, port_of, present
from neurograph.trace import Trace, number_in

MOST_EDGES = 1_000_000
"""Edges that are walked at most: some seconds, some hundred megabytes."""


class Link(NamedTuple):
    """One edge on a path: from which node (by number), ∂z(target)/∂a(source), f′(z) of the target, and if a maximum took another."""

    source: int
    dz_da: float
    slope: float
    lost: bool = False

    @property
    def factor(self) -> float:
        """∂a(target)/∂a(source); exactly 0 where either part is."""
        return self.dz_da * self.slope if self.dz_da and self.slope else 0.0


@dataclass(frozen=True)
class Between:
    """What lies between two neurons.

    Attributes
    ----------
    nodes : list of Node
        In topological order; the first is where paths start, the last where they end (without links where no path leads
        there). Behind a softmax the end stands twice: among the units that share it, and as the output it makes of them all.
    links : list of list of Link
        Per node, in fan-in order: edges from nodes that a path reaches.
    softmax : bool
        Whether the last step is a softmax.
    """

    nodes: list[Node]
    links: list[list[Link]]
    softmax: bool = False


def between(trace: Trace, sample: int, source: Node, target: Node) -> Between:
    """Everything on a path from `source` to `target`.

    Raises
    ------
    UnknownName
        If one of them does not exist.
    UsageError
        If they are one and the same.
    GraphTooLarge
        If the paths run over more than `MOST_EDGES` edges.

    Notes
    -----
    Time and memory are those of the edges behind the source and of the fan-ins on the way.
    """
    start, end = (find(trace.network, trace.layout, key) for key in (source, target))
    if start.place == end.place:
        raise UsageError(f"paths: from {write_node(start.node)} to itself; name two neurons.")
    walk = _Walk(trace, sample, start, end)
    ends = walk.ends()
    order = walk.order(ends)
    numbers = {place: number for number, place in enumerate(order)}
    links = [walk.links(place, numbers) if number else [] for number, place in enumerate(order)]
    nodes = [node_at(trace.layout, place) for place in order]
    if end.activation != "softmax" and end.place in numbers:
        return Between(nodes, links)
    last = [Link(numbers[place], partial, 1.0) for place, partial in ends.items() if place in numbers]
    return Between([*nodes, end.node], [*links, last], softmax=end.activation == "softmax")


class _Walk:
    """One search for the paths between two neurons."""

    def __init__(self, trace: Trace, sample: int, start: Neuron, end: Neuron) -> None:
        self.trace, self.sample, self.start, self.end = trace, sample, start, end
        self.network: Topology | NeuronGraph = trace.network
        self._n_edges = 0
        self._fan_ins: dict[Place, list[Wire]] = {}

    def ends(self) -> dict[Place, float]:
        """Where paths end, with ∂a(end)/∂a there: the end itself, or all units that share a softmax with it."""
        found = port_of(self.trace.layout, self.end.place)
        if self.end.activation != "softmax" or found is None:
            return {self.end.place: 1.0}
        port, index = found
        a, there = head_values(self.trace, port, self.sample, "a"), present(self.trace, port)
        ends: dict[Place, float] = {}
        for k in range(port.shape[0]):
            other = (k, *index[1:])
            if there[other]:
                place = port.members[k] if port.members is not None else (port.name, other)
                ends[place] = float(a[index]) * (float(other == index) - float(a[other]))
        return ends

    def order(self, ends: dict[Place, float]) -> list[Place]:
        """The places on a path, in topological order; the start alone where there is no path."""
        reached = self._reached(ends)
        wanted = {place for place in ends if place in reached and place != self.start.place}
        for place in reversed(reached):
            if place in wanted and place != self.start.place:
                wanted |= {wire.from_place for wire in self._into(place) if wire.from_place in reached}
        return [place for place in reached if place in wanted or place == self.start.place]

    def links(self, place: Place, numbers: dict[Place, int]) -> list[Link]:
        """The in-edges of one neuron that lie on a path."""
        neuron, wires = at(self.network, self.trace.layout, place), self._into(place)
        z = float(self.trace.z[place[0]][(self.sample, *place[1])])
        f = 1.0 if neuron.activation == "softmax" else slope(neuron.activation, z)
        winner = int(self.trace.winners[place[0]][(self.sample, *place[1])]) if neuron.kind == "max" else None
        found = []
        for j, wire in enumerate(wires):
            if wire.from_place in numbers:
                lost = winner is not None and j != winner
                dz_da = self._dz_da(neuron, wire, z, len(wires), wins=not lost)
                found.append(Link(numbers[wire.from_place], dz_da, f, lost))
        return found

    # -- inner --------------------------------------------------------------------------------------------------------
    def _reached(self, ends: dict[Place, float]) -> dict[Place, None]:
        """Places behind the start and not behind every end, in topological order."""
        graph = self.network
        if isinstance(graph, NeuronGraph):
            before = {node for place in ends for node in nx.ancestors(graph, node_at(self.trace.layout, place))}
            before |= {node_at(self.trace.layout, place) for place in ends}
            within = (nx.descendants(graph, self.start.node) & before) | {self.start.node}
            order = nx.lexicographical_topological_sort(
                graph.subgraph(within), key=lambda node: graph.nodes[node]["order"]
            )
            return {self.trace.layout.place(node): None for node in order}
        return self._reached_by_layer(graph, ends)

    def _reached_by_layer(self, topology: Topology, ends: dict[Place, float]) -> dict[Place, None]:
        names = list(topology.populations)
        last = max(names.index(str(name)) for name, _ in ends)
        waiting: dict[str, set[tuple[int, ...]]] = {str(self.start.place[0]): {self.start.place[1]}}
        found: dict[Place, None] = {self.start.place: None}
        for number, name in enumerate(names[: last + 1]):
            for index in sorted(waiting.get(name, ())):
                found[name, index] = None
                for wire in fan_out(topology, node_id(name, index)) if number < last else ():
                    waiting.setdefault(str(wire.to_place[0]), set()).add(wire.to_place[1])
                    self._count(1)
        return found

    def _into(self, place: Place) -> list[Wire]:
        if place not in self._fan_ins:
            self._fan_ins[place] = fan_in(self.network, node_at(self.trace.layout, place))
            self._count(len(self._fan_ins[place]))
        return self._fan_ins[place]

    def _count(self, n: int) -> None:
        self._n_edges += n
        if self._n_edges > MOST_EDGES:
            raise GraphTooLarge(
                f"paths from {write_node(self.start.node)} to {write_node(self.end.node)} run over more than {MOST_EDGES:,} "
                "edges, which is the limit. Ask for two neurons that lie closer together."
            )

    def _dz_da(self, neuron: Neuron, wire: Wire, z: float, n_wires: int, *, wins: bool) -> float:
        w = None if wire.param is None else number_in(self.trace.weights, wire.param)
        a = float(activity(self.trace, wire)[self.sample])
        divisor = float(neuron.divisor if neuron.divisor is not None else max(n_wires, 1))
        return handed_back(neuron.kind, 1.0, a, w, z, divisor, wins)
