"""The loss in fractions, for the losses that have one: mse in both its forms."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from neurograph.errors import UsageError
from neurograph.inspector.loss import LossCard, Owed, loss_card
from neurograph.inspector.neuron import find
from neurograph.inspector.outputs import present
from neurograph.inspector.rational import ExactInspector, exact


def exact_loss(inspector: ExactInspector) -> LossCard:
    """The loss of one sample in fractions.

    Raises
    ------
    LossError
        If there was no target.
    UsageError
        For losses with logarithms.

    Examples
    --------
    >>> import neurograph as ng
    >>> graph = ng.NeuronGraph()
    >>> graph.add_input("x"); graph.add_neuron("h"); graph.connect("x", "h", weight="w", value=0.1)
    >>> graph.set_outputs(["h"], loss="mse", form="half_sum")
    >>> engine = ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))
    >>> exact_loss(ng.Inspector(engine, [[0.7]], [[1]]).fractions()).value
    Fraction(8649, 20000)
    """
    trace = inspector.trace
    card = loss_card(trace, inspector._targets, inspector.sample, inspector.reduction)
    heads: list[Any] = []
    for port, (head, formula, weight, outputs) in zip(trace.layout.heads, card.heads, strict=True):
        assert port.loss is not None
        if port.loss.kind != "mse":
            raise UsageError(
                f"fractions: the loss {port.loss.kind} is a logarithm, which is no fraction. Fractions go with the loss mse. "
                "Ask without fractions."
            )
        half = port.loss.form == "half_sum"
        share = Fraction(1, 2) if half else Fraction(1, int(present(trace, port).sum()))
        factors = inspector.class_factors(port, inspector.sample)[present(trace, port)].tolist()
        exactly = [_exactly(inspector, owed, share * w) for owed, w in zip(outputs, factors, strict=True)]
        heads.append((head, formula, exact(weight), tuple(exactly)))
    value: Any = sum((weight * owed.addend for _, _, weight, outputs in heads for owed in outputs), Fraction(0))
    return replace(card, heads=tuple(heads), value=value)


def _exactly(inspector: ExactInspector, owed: Owed, share: Fraction) -> Owed:
    neuron = find(inspector.network, inspector.trace.layout, owed.node)
    t: Any = exact(owed.target)
    a: Any = inspector.a(neuron, inspector.sample)
    z: Any = inspector.z(neuron, inspector.sample)
    return owed._replace(z=z, a=a, target=t, addend=share * (a - t) ** 2)
