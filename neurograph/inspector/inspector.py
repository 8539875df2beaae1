"""Ask a network about one neuron or one weight: the numbers of one pass, term by term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neurograph.engine import Batch, Engine, Optimizer, read_batch, read_targets
from neurograph.errors import BatchError
from neurograph.graph.address import Node, write_reference
from neurograph.graph.neighbourhood import Wire, activity, fan_in, fan_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.roles import biases_of, spare_biases
from neurograph.graph.topology import Topology
from neurograph.inspector.asked import Asked
from neurograph.inspector.borders import positions_of
from neurograph.inspector.cards import FromLoss, Influence, NeuronCard, Term, Use, WeightCard
from neurograph.inspector.field import receptive_values
from neurograph.inspector.formulas import SLOPES, addend, handed_back, slope, total
from neurograph.inspector.layers import LayerCard, layer_card
from neurograph.inspector.loss import LossCard, loss_card
from neurograph.inspector.neuron import Neuron, at, find
from neurograph.inspector.outputs import from_loss, port_of
from neurograph.inspector.padding import padding_card, padding_wires
from neurograph.inspector.step import Step, take_step, take_step_together
from neurograph.inspector.use_maps import use_maps, uses_in_order
from neurograph.parameters import Reference
from neurograph.trace import Trace, glance, number_in

if TYPE_CHECKING:
    from neurograph.inspector.census import Census
    from neurograph.inspector.change import Change
    from neurograph.inspector.drift import Drift
    from neurograph.inspector.frames import Story
    from neurograph.inspector.paths import PathsCard
    from neurograph.viz import Page


class Inspector:
    """Explains one forward and backward pass.

    Parameters
    ----------
    engine : Engine
        A `ReferenceEngine` or a `Program`.
    x : array_like
        A batch, as the engine takes it.
    target, upstream : array_like, optional
        As `backprop` takes them: at most one. Without both the cards hold no δ.
    sample : int
        The sample of the batch that neuron cards show.
    reduction : str
        ``"mean"`` or ``"sum"``: how weight cards' gradients treat the batch.

    Raises
    ------
    BatchError
        If x, target or upstream do not fit, or there is no such sample.

    Examples
    --------
    >>> import neurograph as ng
    >>> graph = ng.NeuronGraph()
    >>> graph.add_input("x"); graph.add_neuron("h", bias="b"); graph.connect("x", "h", weight="w", value=2.0)
    >>> graph.set_parameter("b", value=0.5); graph.set_outputs(["h"], loss="mse", form="half_sum")
    >>> inspector = Inspector(ng.ReferenceEngine(graph, ng.initialise(graph, seed=0)), [[3.0]], [[6.0]])
    >>> card = inspector.neuron("h")
    >>> card.z, card.delta, card.terms[0].product
    (6.5, 0.5, 6.0)
    >>> inspector.weight("w").gradient
    1.5
    """

    def __init__(
        self,
        engine: Engine,
        x: Batch,
        target: Batch | None = None,
        *,
        upstream: Batch | None = None,
        sample: int = 0,
        reduction: str = "mean",
    ) -> None:
        self.has_delta = target is not None or upstream is not None
        given = upstream if self.has_delta else _zero_upstream(engine, x)
        self.asked = Asked(engine, x, target, given, reduction)
        self.trace: Trace = self.asked.run()
        self.sample = _checked_sample(sample, self.trace.batch)
        self.reduction = reduction
        self._trainable = dict(engine.params.trainable)
        heads = self.trace.layout.heads
        self._targets = None if target is None else read_targets(target, heads, self.trace.batch)
        self._upstream = None if upstream is None else read_batch(upstream, heads, what="upstream")
        self._given = None if given is None else read_batch(given, heads, what="upstream")

    def __repr__(self) -> str:
        given = "targets" if self._targets is not None else "an upstream gradient" if self.has_delta else "no targets"
        return f"<Inspector of {self.asked.engine!r}: {self.trace.batch} samples with {given}, showing sample {self.sample}>"

    @property
    def targets(self) -> Mapping[Any, Any] | None:
        """Head → what its outputs should have been, over the batch; None without a target."""
        return self._targets

    @property
    def upstream(self) -> Mapping[Any, Any] | None:
        """Head → the upstream gradient over the batch; zeros where neither it nor a target was given."""
        return self._given if self._targets is None else None

    @property
    def network(self) -> Topology | NeuronGraph:
        """The network that was run."""
        return self.trace.network

    def target(self, node: Node) -> float | None:
        """What an output should have been in this sample; None for other neurons and without a target."""
        found = port_of(self.trace.layout, self.trace.layout.place(node))
        if found is None or self._targets is None:
            return None
        port, index = found
        return float(self._targets[port.name][(self.sample, *index)])

    def neuron(self, neuron: Node) -> NeuronCard:
        """The card of one neuron, given as node id or as written (``"conv1[0,3,4]"``).

        Raises
        ------
        UnknownName
            With the valid ranges, or the nearest known name.
        """
        padded = padding_wires(self.network, self.trace.layout, neuron)
        if padded is not None:
            return padding_card(self.network, *padded, self.sample, self._weight, self._written)
        found = find(self.network, self.trace.layout, neuron)
        wires = fan_in(self.network, found.node)
        z = self._number("z", found)
        return NeuronCard(
            node=found.node,
            kind=found.kind,
            activation=found.activation,
            sample=self.sample,
            z=z,
            a=self._number("a", found),
            delta=self._number("delta", found) if self.has_delta else None,
            bias=None if found.bias is None else self._weight(found.bias),
            bias_name=None if found.bias is None else self._written(found.bias),
            terms=tuple(self._term(found, wire, len(wires)) for wire in wires),
            fan_out=tuple(self._influence(found, wire) for wire in fan_out(self.network, found.node)),
            slope=self._slope(found, z),
            from_loss=self._from_loss(found),
            divisor=self._divisor(found, len(wires)),
            winner=self._winner(found, wires) if found.kind == "max" and wires else None,
            sees=receptive_values(self.network, self.trace.layout, found.place, self._inputs()),
        )

    def weight(self, weight: str, optimizer: Optimizer | None = None) -> WeightCard:
        """The card of one weight or bias, as written (``"conv1.weight[0,0,2,1]"``, or a hand-given name).

        Parameters
        ----------
        optimizer : Optimizer, optional
            Shows its next step too, with the weight before and after; the optimiser itself is left as it is.

        Raises
        ------
        UnknownName
            With the valid ranges, or the nearest known name.
        """
        reference = self.trace.reference(weight)
        name = reference[0]
        uses = self._uses(weight)
        trainable = self._trainable.get(name, True)
        return WeightCard(
            name=self._written(reference),
            value=self._weight(reference),
            uses=uses,
            sum=total(use.product for use in uses),
            gradient=self._gradient(reference, uses),
            reduction=self.reduction,
            batch=self.trace.batch,
            n_copies=len({(use.source, use.target) for use in uses}),
            trainable=trainable,
            is_bias=name in self._bias_names,
            positions=None if name in self._bias_names else self._positions(reference, uses),
            maps=use_maps(self.trace.layout, uses),
            step=self._step(optimizer, reference) if optimizer is not None and trainable else None,
        )

    def layer(self, layer: str) -> LayerCard:
        """The card of a layer (``"conv1"``), or of one of its groups: the neurons that share one kernel (``"conv1[0]"``).

        Raises
        ------
        UnknownName
            If there is none of this name, with what there is.
        """
        return layer_card(self.trace, layer, self.sample, self.has_delta)

    def loss(self) -> LossCard:
        """The card of this sample's loss: what every output adds.

        Raises
        ------
        LossError
            If there was no target.
        """
        return loss_card(self.trace, self._targets, self.sample, self.reduction)

    def story(self, by: str = "layer", optimizer: Optimizer | None = None) -> Story:
        """The pass as frames to step through: forward, loss, δ, contributions, sums and, with an optimizer, the update.

        See `neurograph.inspector.story.tell`.
        """
        from neurograph.inspector.story import tell

        return tell(self, by, optimizer)

    def explore(self) -> Page:
        """The network and this batch as a page to click, edit and step through: shown inline in a notebook, or `save(path)`.

        See `neurograph.viz.explore`.
        """
        from neurograph.viz import inspected

        return inspected(self)

    def paths(self, target: Node, source: Node, k: int = 5) -> PathsCard:
        """∂a(target)/∂a(source) in this sample as a sum over paths: their number, the `k` largest, and their share."""
        from neurograph.inspector.paths import paths_card

        return paths_card(self.trace, self.sample, target, source, k)

    def census(self, x: Batch, target: Batch | None = None, **options: Any) -> Census:
        """Count over many samples who fires, who wins and who never learns (see `census_take.take_census` for options)."""
        from neurograph.inspector.census_take import take_census

        return take_census(self.asked.engine, x, target, **options)

    def what_if(self, changes: str | Sequence[str] | Mapping[str, float]) -> Change:
        """Change a pixel, a weight or an activation (``"x[0,2,3]=5"``), and see exactly the neurons that become other numbers.

        See `neurograph.inspector.what_if.what_if`.
        """
        from neurograph.inspector.what_if import what_if

        return what_if(self, changes)

    def untie(self, what: str, optimizer: Optimizer, steps: int = 10) -> Drift:
        """Train twice, tied and with one group untied: the copies' separate updates, and how they drift apart.

        See `neurograph.inspector.drift.untie`.
        """
        from neurograph.inspector.drift import untie

        return untie(self, what, optimizer, steps)

    def fractions(self) -> Inspector:
        """The same inspector in exact rational arithmetic: its cards hold `fractions.Fraction`, worked out anew.

        Weights and inputs count as the decimals that are written: 0.1 is 1/10.

        Raises
        ------
        UsageError
            If the network is too large for it. Cards raise it where a number on the way is not rational (sigmoid, softmax).

        Examples
        --------
        >>> import neurograph as ng
        >>> graph = ng.NeuronGraph()
        >>> graph.add_input("x"); graph.add_neuron("h"); graph.connect("x", "h", weight="w", value=0.1)
        >>> graph.set_outputs(["h"], loss="mse")
        >>> Inspector(ng.ReferenceEngine(graph, ng.initialise(graph, seed=0)), [[0.7]]).fractions().neuron("h").z
        Fraction(7, 100)
        """
        from neurograph.inspector.rational import ExactInspector

        return ExactInspector(self)

    # -- inner --------------------------------------------------------------------------------------------------------
    @cached_property
    def _bias_names(self) -> set[str]:
        declared = self.network.parameters
        return {name for name, spec in declared.items() if spec.role == "bias"}

    def _number(self, what: str, neuron: Neuron) -> float:
        name, index = neuron.place
        return float(getattr(self.trace, what)[name][(self.sample, *index)])

    def _weight(self, reference: Reference) -> float:
        return number_in(self.trace.weights, reference)

    def _positions(self, reference: Reference, uses: tuple[Use, ...]) -> int | None:
        targets = [use.target for use in uses if use.sample == 0]
        return positions_of(self.network, self.trace.layout, reference, targets)

    def _slope(self, neuron: Neuron, z: float) -> float | None:
        return slope(neuron.activation, z) if neuron.activation in SLOPES else None

    def _inputs(self) -> dict[Any, Any]:
        """Every input's values in this sample."""
        return {
            port.name: self.trace.a[port.name][self.sample] for port in self.trace.layout.inputs if not port.members
        }

    def _step(self, optimizer: Optimizer, reference: Reference) -> Step | None:
        """What the optimiser would do to one weight; None for one that no gradient reaches."""
        name, index = reference
        if name not in self.trace.gradient:
            return None
        spare_biases(optimizer, biases_of(self.network))
        if getattr(optimizer, "each_weight_alone", False):
            return take_step(
                optimizer, name, glance(self.trace.weights, name), glance(self.trace.gradient, name), index
            )
        trainable = self.asked.engine.params.trainable
        gradients = {key: self.trace.gradient[key] for key in self.trace.gradient if trainable.get(key, True)}
        return take_step_together(optimizer, self.trace.weights, gradients, name, index)

    def _uses(self, weight: str) -> tuple[Use, ...]:
        return uses_in_order(self.trace, weight)

    def _gradient(self, reference: Reference, uses: tuple[Use, ...]) -> float:
        """What the engine says, which should be the sum of the uses."""
        return number_in(self.trace.gradient, reference) if reference[0] in self.trace.gradient else 0.0

    def _written(self, reference: Reference) -> str:
        return write_reference(reference, glance(self.trace.weights, reference[0]).shape)

    def _a(self, wire: Wire) -> float:
        return float(activity(self.trace, wire)[self.sample])

    def _term(self, neuron: Neuron, wire: Wire, n_wires: int) -> Term:
        a = self._a(wire)
        w = None if wire.param is None else self._weight(wire.param)
        product = addend(neuron.kind, a, w, self._divisor(neuron, n_wires))
        return Term(wire.source, a, w, product, None if wire.param is None else self._written(wire.param))

    def _influence(self, neuron: Neuron, wire: Wire) -> Influence:
        target = at(self.network, self.trace.layout, wire.to_place)
        others = fan_in(self.network, target.node) if target.kind in ("max", "mean") else []
        winner = self._winner(target, others) if target.kind == "max" else None
        wins = winner is not None and others[winner].source == neuron.node
        delta = self._number("delta", target) if self.has_delta else float("nan")
        w = None if wire.param is None else self._weight(wire.param)
        divisor = self._divisor(target, len(others))
        product = handed_back(
            target.kind, delta, self._number("a", neuron), w, self._number("z", target), divisor, wins
        )
        return Influence(target.node, delta, w, product, None if wire.param is None else self._written(wire.param))

    def _divisor(self, neuron: Neuron, n_wires: int) -> float:
        if neuron.kind != "mean":
            return 1.0
        return float(neuron.divisor if neuron.divisor is not None else max(n_wires, 1))

    def _winner(self, neuron: Neuron, wires: list[Wire]) -> int:
        """Which in-edge won: as the engine recorded it, else the first of the largest."""
        name, index = neuron.place
        if name in self.trace.winners:
            return int(self.trace.winners[name][(self.sample, *index)])
        return int(np.argmax([self._a(wire) for wire in wires]))

    def _from_loss(self, neuron: Neuron) -> FromLoss | None:
        found = port_of(self.trace.layout, neuron.place)
        if found is None:
            return None
        return from_loss(self.trace, *found, neuron.activation, self.sample, self._targets, self._upstream)


def _zero_upstream(engine: Engine, x: Batch) -> Mapping[Any, Any]:
    """An upstream gradient of 0 for every head: a backward pass that leaves a trace and changes nothing."""
    arrays = read_batch(x, engine.layout.inputs)
    batch = len(next(iter(arrays.values())))
    return {head.name: np.zeros((batch, *head.shape)) for head in engine.layout.heads}


def _checked_sample(sample: int, batch: int) -> int:
    if not 0 <= sample < batch:
        raise BatchError(f"sample {sample}: the batch has the samples 0…{batch - 1}.")
    return sample
