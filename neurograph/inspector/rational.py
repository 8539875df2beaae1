"""The same cards in fractions: every number of a neuron's cone again, neuron by neuron, in exact rational arithmetic.

A weight and an input count as the decimal that is written: 0.1 is 1/10. Nothing of an engine's arithmetic is used, only the
network, the weights and the inputs; so a card in fractions is also what both engines' cards should round to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from neurograph.engine import Batch, Optimizer
from neurograph.errors import UsageError
from neurograph.graph.address import Node, write_node
from neurograph.graph.layout import Place, Port
from neurograph.graph.neighbourhood import Wire, constant_of, fan_in, fan_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.inspector.cards import FromLoss, Influence, Term, Use
from neurograph.inspector.counted import class_factors
from neurograph.inspector.formulas import addend, handed_back
from neurograph.inspector.inspector import Inspector
from neurograph.inspector.layers import LayerCard
from neurograph.inspector.loss import LossCard
from neurograph.inspector.neuron import Neuron, at, find
from neurograph.inspector.outputs import port_of, present
from neurograph.inspector.step import Step, plain_rate
from neurograph.inspector.table import number
from neurograph.inspector.use_maps import uses_in_order
from neurograph.ops.words import LEAK
from neurograph.parameters import Reference

if TYPE_CHECKING:
    from neurograph.inspector.census import Census
    from neurograph.inspector.change import Change
    from neurograph.inspector.drift import Drift
    from neurograph.inspector.paths import PathsCard

    Number = Any
    """A Fraction where the cards say float: it behaves as one, and is exact."""

EDGES = 50_000
"""Up to here a neuron's whole cone is worked out in fractions; a network this size takes a few seconds."""
KINDS = ("weighted", "sum", "mean", "max", "rbf")
LEFT = {"identity": Fraction(1), "relu": Fraction(0), "leaky_relu": Fraction(str(LEAK))}
"""Activations that stay among the fractions → their slope where z ≤ 0; elsewhere it is 1."""


def exact(value: Any) -> Fraction:
    """The decimal that is written, as a fraction.

    Examples
    --------
    >>> exact(0.1), exact(255.0), exact(-2.5e-3)
    (Fraction(1, 10), Fraction(255, 1), Fraction(-1, 400))
    """
    return Fraction(str(value))


class ExactInspector(Inspector):
    """An inspector whose cards hold `fractions.Fraction`; made by `Inspector.fractions`.

    Raises
    ------
    UsageError
        If the network is too large, or, when a card is asked for, if a number on the way is not rational.
    """

    def __init__(self, inspector: Inspector) -> None:
        vars(self).update(vars(inspector))
        network = self.network
        n_edges = network.number_of_edges() if isinstance(network, NeuronGraph) else network.n_edges
        if n_edges > EDGES:
            raise UsageError(
                f"fractions: the network has {n_edges:,} edges; exact arithmetic takes up to {EDGES:,}. "
                "Ask without fractions, or for a smaller network."
            )
        self._z: dict[tuple[int, Place], Fraction] = {}
        self._delta: dict[tuple[int, Place], Fraction] = {}

    def layer(self, layer: str) -> LayerCard:
        """Not in fractions: a layer's card is of ranges and means."""
        raise UsageError(
            f"fractions: {layer} is a layer; fractions are for neurons and weights. Ask without fractions."
        )

    def loss(self) -> LossCard:
        """Not in fractions: most losses are logarithms."""
        raise UsageError(
            "fractions: the loss is shown in decimals; fractions are for neurons and weights. Ask without fractions."
        )

    def paths(self, target: Node, source: Node, k: int = 5) -> PathsCard:
        """Not in fractions."""
        raise _only_decimals("a sum over paths")

    def what_if(self, changes: str | Sequence[str] | Mapping[str, float]) -> Change:
        """Not in fractions."""
        raise _only_decimals("a what-if")

    def untie(self, what: str, optimizer: Optimizer, steps: int = 10) -> Drift:
        """Not in fractions."""
        raise _only_decimals("an untied group")

    def census(self, x: Batch, target: Batch | None = None, **options: Any) -> Census:
        """Not in fractions: a census counts."""
        raise _only_decimals("a census")

    # -- what the cards ask for ---------------------------------------------------------------------------------------
    def _number(self, what: str, neuron: Neuron) -> Number:
        return {"z": self.z, "a": self.a, "delta": self.delta}[what](neuron, self.sample)

    def _weight(self, reference: Reference) -> Number:
        name, index = reference
        return exact(self.trace.weights[name].reshape(-1)[index])

    def _slope(self, neuron: Neuron, z: Number) -> Number:
        return None if neuron.activation == "softmax" else _slope(neuron, z)

    def _a(self, wire: Wire) -> Number:
        return self._along(wire, self.sample)

    def _divisor(self, neuron: Neuron, n_wires: int) -> Number:
        return exact(super()._divisor(neuron, n_wires))

    def _winner(self, neuron: Neuron, wires: list[Wire]) -> int:
        values = [self._a(wire) for wire in wires]
        return values.index(max(values))

    def _term(self, neuron: Neuron, wire: Wire, n_wires: int) -> Term:
        term = super()._term(neuron, wire, n_wires)
        return term._replace(product=_float(_fraction(term.product)))

    def _influence(self, neuron: Neuron, wire: Wire) -> Influence:
        edge = super()._influence(neuron, wire)
        return edge._replace(product=_float(_fraction(edge.product)))

    def _from_loss(self, neuron: Neuron) -> FromLoss | None:
        return self._owed(neuron, self.sample)

    def _uses(self, weight: str) -> tuple[Use, ...]:
        value = self._weight(self.trace.reference(weight))
        return tuple(self._use(use, value) for use in uses_in_order(self.trace, weight))

    def _step(self, optimizer: Optimizer, reference: Reference) -> Step | None:
        """Exact for gradient descent without a memory; other optimisers take roots, or start from rounded numbers."""
        plain = plain_rate(optimizer)
        if reference[0] not in self.trace.gradient or plain is None:
            return None
        uses = self._uses(self._written(reference))
        w, g, rate = self._weight(reference), self._gradient(reference, uses), exact(plain)
        return Step(repr(optimizer), w, w - rate * g, g, (), {**getattr(optimizer, "options", {}), "rate": rate})

    def _gradient(self, reference: Reference, uses: tuple[Use, ...]) -> Number:
        if reference[0] not in self.trace.gradient:
            return Fraction(0)
        return sum((use.product for use in uses), Fraction(0)) / (self.trace.batch if self.reduction == "mean" else 1)

    # -- the textbook, in fractions -----------------------------------------------------------------------------------
    def z(self, neuron: Neuron, sample: int) -> Fraction:
        """The pre-activation of one neuron in one sample."""
        key = sample, neuron.place
        if key not in self._z:
            self._z[key] = self._make_z(neuron, sample)
        return self._z[key]

    def a(self, neuron: Neuron, sample: int) -> Fraction:
        """f(z)."""
        z = self.z(neuron, sample)
        return z if z > 0 else z * _slope_below(neuron)

    def delta(self, neuron: Neuron, sample: int) -> Fraction:
        """∂loss/∂z: what comes from the loss, and f′(z) times what the targets hand back."""
        key = sample, neuron.place
        if key not in self._delta:
            owed = self._owed(neuron, sample)
            handed = sum(
                (self._handed(neuron, wire, sample) for wire in fan_out(self.network, neuron.node)), Fraction(0)
            )
            slope = Fraction(1) if neuron.kind == "input" else _slope(neuron, self.z(neuron, sample)) if handed else 0
            self._delta[key] = (Fraction(0) if owed is None else _fraction(owed.value)) + slope * handed
        return self._delta[key]

    def _make_z(self, neuron: Neuron, sample: int) -> Fraction:
        if neuron.kind == "input":
            name, index = neuron.place
            return exact(self.trace.z[name][(sample, *index)])
        if neuron.kind == "constant":
            assert isinstance(self.network, NeuronGraph)
            return _fraction(self._weight(self.network.nodes[neuron.node]["param"]))
        if neuron.kind not in KINDS:
            raise _leaves(neuron, f"{neuron.kind} neurons")
        wires = fan_in(self.network, neuron.node)
        divisor = self._divisor(neuron, len(wires))
        products = [
            _fraction(addend(neuron.kind, _float(self._along(wire, sample)), self._weight_of(wire), divisor))
            for wire in wires
        ]
        if neuron.kind == "max":
            return max(products)
        bias = Fraction(0) if neuron.bias is None else _fraction(self._weight(neuron.bias))
        return sum(products, bias)

    def _handed(self, neuron: Neuron, wire: Wire, sample: int) -> Fraction:
        target = at(self.network, self.trace.layout, wire.to_place)
        delta = self.delta(target, sample)
        if delta == 0:
            return delta
        others = fan_in(self.network, target.node) if target.kind in ("max", "mean") else []
        values = [self._along(other, sample) for other in others] if target.kind == "max" else []
        wins = bool(values) and others[values.index(max(values))].source == neuron.node
        w, divisor = self._weight_of(wire), self._divisor(target, len(others))
        a, z = _float(self.a(neuron, sample)), _float(self.z(target, sample))
        return _fraction(handed_back(target.kind, _float(delta), a, w, z, divisor, wins))

    def _along(self, wire: Wire, sample: int) -> Fraction:
        if wire.from_place[0] not in self.trace.a:
            return _fraction(self._weight(constant_of(self.network, wire)))
        return self.a(at(self.network, self.trace.layout, wire.from_place), sample)

    def _weight_of(self, wire: Wire) -> Number:
        return None if wire.param is None else self._weight(wire.param)

    def _use(self, use: Use, value: Number) -> Use:
        target = find(self.network, self.trace.layout, use.target)
        delta = self.delta(target, use.sample)
        if use.source == "1" and use.source not in self.trace.a:  # a bias: the edge from the neuron that is always 1
            return Use(use.source, use.target, use.sample, *map(_float, (Fraction(1), delta, delta)))
        a = self._of(use.source, target, use.sample)
        product = delta * (2 * (value - a) if target.kind == "rbf" else a)
        return Use(use.source, use.target, use.sample, *map(_float, (a, delta, product)))

    def _of(self, source: Node, target: Neuron, sample: int) -> Fraction:
        """The activation of one source of a neuron, which may be a padded position."""
        wire = next(wire for wire in fan_in(self.network, target.node) if wire.source == source)
        return self._along(wire, sample)

    def _owed(self, neuron: Neuron, sample: int) -> FromLoss | None:
        found = port_of(self.trace.layout, neuron.place)
        if found is None:
            return None
        port, index = found
        if self._upstream is not None:
            g = exact(self._upstream[port.name][(sample, *index)])
            slope = _slope(neuron, self.z(neuron, sample))
            formula = "g·f′(z), with the upstream gradient g = ∂loss/∂a"
            return FromLoss(formula, f"{number(g)} · {number(slope)}", _float(g * slope))
        if self._targets is None or port.loss is None:
            return None
        if port.loss.kind != "mse":
            raise _leaves(neuron, f"the loss {port.loss.kind}")
        return self._squared(neuron, port, index, sample)

    def _squared(self, neuron: Neuron, port: Port, index: tuple[int, ...], sample: int) -> FromLoss:
        assert port.loss is not None
        assert self._targets is not None
        t = exact(self._targets[port.name][(sample, *index)])
        slope, a = _slope(neuron, self.z(neuron, sample)), self.a(neuron, sample)
        half = port.loss.form == "half_sum"
        n = 1 if half else int(present(self.trace, port).sum())
        value = (a - t) * slope * (1 if half else Fraction(2, n))
        formula = "(a − t)·f′(z)" if half else "2(a − t)·f′(z)/n"
        numbers = f"({number(a)} − {number(t)}) · {number(slope)}"
        numbers = numbers if half else f"2 · {numbers} / {n}"
        weight, words = exact(port.loss.weight), ""
        factors = [] if weight == 1 else [(number(weight), weight)]
        if port.loss.class_weights is not None:
            factors, words = [("w", self.class_factors(port, sample)[index]), *factors], ", with the class weight w"
        for symbol, factor in factors:
            formula, numbers, value = f"{symbol} · ({formula})", f"{number(factor)} · ({numbers})", factor * value
        return FromLoss(formula + words, numbers, _float(value))

    def class_factors(self, port: Port, sample: int) -> Any:
        """The weight of the class at every unit of a head, in fractions."""
        assert self._targets is not None
        given = np.asarray(self._targets[port.name], np.float64)[sample]
        return class_factors(port, given, present(self.trace, port), exact)


def _slope(neuron: Neuron, z: Fraction) -> Fraction:
    below = _slope_below(neuron)
    return Fraction(1) if z > 0 else below


def _slope_below(neuron: Neuron) -> Fraction:
    if neuron.activation not in LEFT:
        raise _leaves(neuron, f"the activation {neuron.activation}")
    return LEFT[neuron.activation]


def _only_decimals(what: str) -> UsageError:
    return UsageError(
        f"fractions: {what} is worked out in decimals; fractions are for neurons and weights. Ask without fractions."
    )


def _leaves(neuron: Neuron, what: str) -> UsageError:
    return UsageError(
        f"fractions: {write_node(neuron.node)} needs {what}, which gives numbers that are no fractions. "
        f"Fractions go with the kinds {', '.join(KINDS)}, the activations {', '.join(LEFT)} and the loss mse. "
        "Ask without fractions."
    )


def _fraction(value: Any) -> Fraction:
    """The same number as a fraction: formulas give a float 0 where nothing is handed back."""
    return value if isinstance(value, Fraction) else Fraction(value)


def _float(value: Fraction) -> Number:
    """A fraction where a card says float."""
    return value
