"""What is drawn: a network, and the numbers of one pass where there are any."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from neurograph.graph.layout import Layout, layout_of
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.inspector import Inspector
from neurograph.parameters import Reference
from neurograph.shapes import times

from .numbers import counted, short

VALUES = ("a", "z", "delta", "weight", "gradient", "difference", "none")
"""What colours show: a number of every neuron, of every edge, or how far both engines are apart."""
OF_EDGES = ("weight", "gradient")


@dataclass(frozen=True)
class Subject:
    """A network to draw.

    Parameters
    ----------
    network : Topology or NeuronGraph
    inspector : Inspector, optional
        The pass whose numbers are shown.
    weights : mapping, optional
        Weights to show where there is no pass.
    values : str
        Which number colours neurons or edges: one of `VALUES`.
    labels : mapping
        Layer → free text shown beside its name.
    note : str
        Where the numbers come from, such as ``"sample 0"``.
    other : Inspector, optional
        The same pass by the other engine, for ``difference``: what is shown is `inspector` minus `other`.
    """

    network: Topology | NeuronGraph
    inspector: Inspector | None = None
    weights: Mapping[str, Any] | None = None
    values: str = "a"
    labels: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    other: Inspector | None = None

    @cached_property
    def layout(self) -> Layout:
        return layout_of(self.network)

    @property
    def name(self) -> str:
        """The network's name."""
        if isinstance(self.network, Topology):
            return self.network.name
        return str(self.network.graph.get("name") or "network")

    @property
    def has_values(self) -> bool:
        """Whether neurons have numbers to show."""
        return self.inspector is not None and self.values not in ("none", *OF_EDGES)

    @property
    def has_delta(self) -> bool:
        return self.has_values and self.inspector is not None and self.inspector.has_delta

    @cached_property
    def numbers(self) -> Mapping[str, Any]:
        """Weights by name: those of the pass, else those given; empty where there are none."""
        if self.inspector is not None:
            return self.inspector.trace.weights
        return self.weights or {}

    def weight(self, reference: Reference | None) -> float | None:
        """A weight's value, where it is known."""
        if reference is None or reference[0] not in self.numbers:
            return None
        return float(self.numbers[reference[0]].reshape(-1)[reference[1]])

    @property
    def colours_edges(self) -> bool:
        """Whether edges are coloured by their own number, rather than one colour a shared weight."""
        return self.values in OF_EDGES and bool(self.numbers)

    def on_edge(self, reference: Reference | None) -> float | None:
        """The number that colours an edge: its weight, or the gradient of its weight."""
        if self.values != "gradient" or reference is None:
            return self.weight(reference)
        if self.inspector is None or not self.inspector.has_delta or reference[0] not in self.inspector.trace.gradient:
            return None
        return float(self.inspector.trace.gradient[reference[0]].reshape(-1)[reference[1]])

    def largest_on_edges(self, name: str) -> float:
        """The largest absolute number among the edges of a parameter."""
        if self.values == "gradient" and self.inspector is not None and name in self.inspector.trace.gradient:
            return float(abs(self.inspector.trace.gradient[name]).max(initial=0.0))
        return self.largest_weight(name)

    def largest_weight(self, name: str) -> float:
        """The largest absolute weight of a parameter; 0 where it is not known."""
        values = self.numbers.get(name)
        return float(abs(values).max()) if values is not None and values.size else 0.0

    def value(self, node: Hashable, what: str) -> float | None:
        """``z``, ``a`` or ``delta`` of a neuron in the sample shown; None where there is none."""
        if self.inspector is None or (what == "delta" and not self.inspector.has_delta):
            return None
        name, index = self.layout.place(node)
        values = getattr(self.inspector.trace, what)
        return float(values[name][(self.inspector.sample, *index)]) if name in values else None

    def main(self, node: Hashable) -> float | None:
        """The number that colours a neuron."""
        if self.values == "difference":
            return self.difference(node, "a")
        return self.value(node, self.values) if self.values in ("a", "z", "delta") else None

    def difference(self, node: Hashable, what: str) -> float | None:
        """How far the engines are apart in ``z``, ``a`` or ``delta`` of a neuron."""
        other = None if self.other is None else replace(self, inspector=self.other).value(node, what)
        mine = self.value(node, what)
        return None if mine is None or other is None else mine - other

    def largest(self, nodes: Iterable[Hashable]) -> float:
        """The largest absolute main value among neurons: the end of their colour scale."""
        sizes = [abs(value) for value in map(self.main, nodes) if value is not None and value == value]
        return max(sizes, default=0.0)

    def hint(self, node: Hashable, written: str) -> str:
        """What hovering over a neuron shows."""
        number = self.difference if self.values == "difference" else self.value
        pairs = [(letter, number(node, what)) for letter, what in (("z", "z"), ("a", "a"), ("δ", "delta"))]
        parts = [f"{letter} = {short(value, 9)}" for letter, value in pairs if value is not None]
        target = self.inspector.target(node) if self.inspector is not None else None
        parts += [] if target is None else [f"target {short(target, 9)}"]
        return ", ".join([written, *parts])

    def about(self) -> str:
        """Counts, and where the numbers come from, in one line."""
        network = self.network
        if isinstance(network, Topology):
            inputs = " + ".join(times(p.shape) for p in network.populations.values() if p.is_input and p.shape)
            parts = [counted(network.n_neurons, "neuron"), counted(network.n_edges, "edge")]
            parts.append(counted(network.n_parameters, "parameter"))
            parts += [f"input {inputs}"] if inputs else []
        else:
            n_inputs = len(network.inputs())
            parts = [
                counted(network.number_of_nodes() - n_inputs, "neuron"),
                counted(network.number_of_edges(), "edge"),
            ]
        loss = self.inspector.trace.loss if self.inspector is not None else None
        parts += [self.note] if self.note and self.has_values else []
        parts += [f"loss {short(loss, 6)}"] if loss is not None and self.has_values else []
        return " · ".join(parts)
