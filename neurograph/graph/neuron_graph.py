"""The network written out: one node a neuron, one edge a connection.

`NeuronGraph` is an ordinary `networkx.DiGraph`; everything an engine needs stands in node, edge and graph attributes, so any
NetworkX function may read or change it. `build` makes one from a topology; the methods here make one by hand.

Node attributes
    ``kind`` (see `neurograph.ops.words.NEURON_KINDS`), ``activation``, ``bias`` (a reference ``(name, index)`` or None),
    ``layer`` and ``index`` (None for hand-made neurons), ``order`` (insertion number), ``divisor`` (mean pools; None: the
    in-degree), ``output`` (None, or ``(head number, position)``), ``param`` (constants only: where their value lives).
Edge attributes
    ``param`` (a reference, or None on unweighted edges), ``port`` (0 unless the kind's inputs play different roles),
    ``dropout`` (None, or the name of the dropout layer the edge passes through).
Graph attributes
    ``name``, ``parameters`` (name → ParameterSpec), ``shapes`` (layer → shape, in order), ``heads`` (one `HeadSpec` a head),
    ``dropouts`` (name → keep probability), ``partial`` (True for one neuron's neighbourhood, which cannot run).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from neurograph.errors import GraphError, suggest
from neurograph.graph.address import Node, write_node
from neurograph.graph.heads import HeadSpec
from neurograph.graph.losses import Loss
from neurograph.ops.words import ACTIVATIONS, NEURON_KINDS, POOL_KINDS
from neurograph.parameters import ParameterSpec, Reference


class NeuronGraph(nx.DiGraph):
    """A neural network, neuron by neuron.

    Examples
    --------
    >>> g = NeuronGraph()
    >>> g.add_input("x1")
    >>> g.add_neuron("h1", activation="sigmoid", bias="b1")
    >>> g.connect("x1", "h1", weight="w1", value=0.15)
    >>> g.set_outputs(["h1"], loss="mse", form="half_sum")
    >>> g.number_of_edges(), g.edges["x1", "h1"]["param"]
    (1, ('w1', 0))
    """

    # -- by hand ------------------------------------------------------------------------------------------------------
    def add_input(self, node: Node) -> None:
        """Add an input neuron. Inputs are fed in the order in which they were added."""
        self._add(node, kind="input")

    def add_neuron(
        self,
        node: Node,
        *,
        kind: str = "weighted",
        activation: str = "identity",
        bias: str | Reference | None = None,
        divisor: float | None = None,
    ) -> None:
        """Add a neuron.

        Parameters
        ----------
        node : hashable
            Its id.
        kind : str
            ``weighted`` (Σ w·a + b), ``sum``, ``max``, ``mean``, ``l2`` or ``rbf`` (Σ (a − w)²).
        activation : str
            One of `neurograph.ops.words.ACTIVATIONS`.
        bias : str or (str, int), optional
            Name of its bias (or a slot of a parameter array). The same name twice is one shared bias.
        divisor : float, optional
            For mean: what the sum is divided by (default: the number of in-edges).

        Raises
        ------
        GraphError
            If the node is there already, or a word is unknown.
        """
        _check_word("kind", kind, NEURON_KINDS)
        _check_word("activation", activation, ACTIVATIONS)
        if bias is not None and kind != "weighted":
            raise GraphError(f"{write_node(node)}: a {kind} neuron has no bias; only weighted neurons have one.")
        self._add(node, kind=kind, activation=activation, bias=self._reference(bias, "bias"), divisor=divisor)

    def add_pool(
        self, node: Node, *, op: str = "max", activation: str = "identity", divisor: float | None = None
    ) -> None:
        """Add a pooling neuron: ``op`` is max, mean or l2. Its window is its in-edges."""
        _check_word("op", op, POOL_KINDS)
        self.add_neuron(node, kind=op, activation=activation, divisor=divisor)

    def connect(
        self,
        source: Node,
        target: Node,
        weight: str | Reference | None = None,
        value: float | None = None,
        *,
        port: int = 0,
        dropout: str | None = None,
    ) -> None:
        """Add the edge from `source` to `target`.

        Parameters
        ----------
        weight : str or (str, int), optional
            Name of its weight; edges that name the same weight share it. Pools and sums take none.
        value : float, optional
            The weight's value; it waits in the graph for `initialise`.

        Raises
        ------
        GraphError
            If a neuron is missing, the two are connected already (a graph holds one edge a pair), or the weight has
            another value already.
        """
        for node in (source, target):
            if node not in self:
                near = suggest(str(node), (write_node(n) for n in self.nodes)) if len(self) < 10_000 else ""
                raise GraphError(f"no neuron {write_node(node)}{near or '.'} Add it before connecting it.")
        if self.has_edge(source, target):
            raise GraphError(
                f"{write_node(source)} and {write_node(target)} are connected already; a second edge between a pair is not "
                f"kept. Use one edge, or put a sum neuron between them."
            )
        if value is not None and weight is None:
            raise GraphError(
                f"{write_node(source)} → {write_node(target)}: a value without a weight; name the weight too."
            )
        reference = self._reference(weight, "weight")
        if value is not None and reference is not None:
            before = self.parameters[reference[0]].values
            if before is not None and before.shape == () and before != value:
                raise GraphError(
                    f"{write_node(source)} → {write_node(target)}: weight '{reference[0]}' is shared and has the value "
                    f"{before} already; a weight has one value. Leave value out, or change it with set_parameter."
                )
            self.set_parameter(reference[0], value=value)
        self.add_edge(source, target, param=reference, port=port, dropout=dropout)

    def set_outputs(self, nodes: Iterable[Node], *, loss: str | Loss | None = None, **options: Any) -> None:
        """Name the outputs, in the order of the target's columns, and their loss.

        Parameters
        ----------
        loss : str or Loss, optional
            See `Loss`; `options` are its other fields, such as ``form="half_sum"``.
        """
        nodes = list(nodes)
        missing = [write_node(node) for node in nodes if node not in self]
        if missing:
            raise GraphError(f"outputs that are not in the graph: {', '.join(missing)}.")
        if len(set(nodes)) < len(nodes):
            raise GraphError("an output is listed twice.")
        for _, attributes in self.nodes(data=True):
            attributes["output"] = None
        for position, node in enumerate(nodes):
            self.nodes[node]["output"] = (0, position)
        made = Loss(loss, **options) if isinstance(loss, str) else loss
        self.graph["heads"] = (HeadSpec(None, made),)

    def set_parameter(self, name: str, value: ArrayLike | None = None, trainable: bool | None = None) -> None:
        """Give a named weight or bias its value, or take it out of training."""
        spec = self.parameters.get(name) or ParameterSpec(name)
        if value is not None:
            values = np.array(value, dtype=np.float64)
            spec = replace(spec, values=values, shape=values.shape if name not in self.parameters else spec.shape)
            if values.shape != spec.shape:
                raise GraphError(f"{name}: values of shape {values.shape}; its shape is {spec.shape}.")
        if trainable is not None:
            spec = replace(spec, trainable=trainable)
        self.graph["parameters"] = {**self.parameters, name: spec}

    # -- what an engine reads -----------------------------------------------------------------------------------------
    @property
    def parameters(self) -> Mapping[str, ParameterSpec]:
        """Name → what is declared about it."""
        declared: Mapping[str, ParameterSpec] = self.graph.get("parameters", {})
        return declared

    @property
    def heads(self) -> tuple[HeadSpec, ...]:
        """The network's outputs and losses."""
        heads: tuple[HeadSpec, ...] = self.graph.get("heads", ())
        return heads

    @property
    def dropouts(self) -> Mapping[str, float]:
        """Dropout layer → probability to keep."""
        keep: Mapping[str, float] = self.graph.get("dropouts", {})
        return keep

    @property
    def is_partial(self) -> bool:
        """True for the neighbourhood of one neuron: to read, not to run."""
        return bool(self.graph.get("partial", False))

    def in_order(self) -> list[Node]:
        """All nodes by insertion number."""
        return sorted(self.nodes, key=lambda node: self.nodes[node].get("order", 0))

    def fan_in(self, node: Node) -> list[tuple[Node, Mapping[str, Any]]]:
        """In-edges of a neuron as (source, edge attributes), by port, then by the source's insertion number.

        This order is the network's own: it survives `copy` and `subgraph`, and decides a tied maximum.
        """
        nodes = self.nodes
        edges = self.pred[node].items()
        return sorted(edges, key=lambda edge: (edge[1].get("port", 0), nodes[edge[0]].get("order", 0)))

    def fan_out(self, node: Node) -> list[tuple[Node, Mapping[str, Any]]]:
        """Out-edges of a neuron as (target, edge attributes), by the target's insertion number."""
        nodes = self.nodes
        return sorted(self.succ[node].items(), key=lambda edge: nodes[edge[0]].get("order", 0))

    def inputs(self) -> list[Node]:
        """Input neurons, in order."""
        return [node for node in self.in_order() if self.nodes[node].get("kind") == "input"]

    def outputs(self, head: int = 0) -> list[Node]:
        """Output neurons of one head, in the order of the target's columns."""
        found = [
            (data["output"][1], node)
            for node, data in self.nodes(data=True)
            if (data.get("output") or (-1,))[0] == head
        ]
        return [node for _, node in sorted(found, key=lambda pair: pair[0])]

    def uses(self, name: str, index: int = 0) -> Iterator[tuple[Node, Node]]:
        """Edges that carry the reference ``(name, index)``, as (source, target), by target, then source."""
        reference = (name, index)
        found = [(u, v) for u, v, param in self.edges(data="param") if param == reference]
        order = self.nodes
        return iter(sorted(found, key=lambda edge: (order[edge[1]].get("order", 0), order[edge[0]].get("order", 0))))

    def with_weights(self, params: Mapping[str, ArrayLike]) -> NeuronGraph:
        """A copy whose edges carry a float attribute ``weight``, for NetworkX's own algorithms and file formats."""
        copy: NeuronGraph = self.copy()
        flat = {name: np.asarray(value).reshape(-1) for name, value in params.items()}
        for _, _, data in copy.edges(data=True):
            if data.get("param") is not None:
                name, index = data["param"]
                data["weight"] = float(flat[name][index])
        return copy

    def validate(self) -> None:
        """Raise GraphError with every broken rule, or return None."""
        from neurograph.graph.validate import broken_rules

        broken = list(broken_rules(self))
        if broken:
            raise GraphError(broken)

    # -- inner --------------------------------------------------------------------------------------------------------
    def _add(self, node: Node, **attributes: Any) -> None:
        if node in self:
            raise GraphError(f"{write_node(node)} is in the graph already; every neuron needs an id of its own.")
        defaults = {
            "activation": "identity",
            "bias": None,
            "layer": None,
            "index": None,
            "divisor": None,
            "output": None,
        }
        self.add_node(node, order=self._next_order(), **{**defaults, **attributes})

    def _next_order(self) -> int:
        number: int = self.graph.get("next_order", len(self))
        self.graph["next_order"] = number + 1
        return number

    def _reference(self, name: str | Reference | None, role: str) -> Reference | None:
        if name is None or isinstance(name, tuple):
            return name
        if name not in self.parameters:
            self.graph["parameters"] = {**self.parameters, name: ParameterSpec(name, role=role)}
        return (name, 0)


def _check_word(what: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        raise GraphError(f"unknown {what} '{word}'{suggest(word, known)} (known: {', '.join(known)})")
