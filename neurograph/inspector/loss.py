"""Where the loss of one sample comes from: what every output adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, log1p
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import LossError
from neurograph.graph.address import Node, node_id, write_node
from neurograph.graph.layout import Port
from neurograph.inspector.counted import class_factors, formula_of, notes_of, smoothed_targets
from neurograph.inspector.formulas import sigmoid, total
from neurograph.inspector.outputs import head_values, present
from neurograph.inspector.shown import Shown

if TYPE_CHECKING:
    from neurograph.inspector.parts import Sheet
    from neurograph.trace import Trace

Array = NDArray[Any]


class Owed(NamedTuple):
    """What one output adds to the loss; `node` None for what belongs to no single output."""

    node: Node
    z: float | None
    a: float | None
    target: float | None
    addend: float
    delta: float | None
    p: float | None = None
    """The probability that is meant: softmax of z under a cross-entropy, σ(z) under a binary one."""
    smoothed: float | None = None
    """t′, where labels are smoothed."""
    class_weight: float | None = None
    """w, where classes have weights."""


@dataclass(frozen=True)
class LossCard(Shown):
    """The loss of one sample.

    Attributes
    ----------
    heads : tuple of (name, formula, weight, outputs)
        For every head with a loss; `weight` is its factor in the total.
    value : float
        The sum of weight · addends.
    batch_loss : float or None
        The engine's own number over the whole batch, reduced as asked for.
    """

    sample: int
    heads: tuple[tuple[str, str, float, tuple[Owed, ...]], ...]
    value: float
    batch_loss: float | None
    batch: int
    reduction: str
    notes: tuple[tuple[str, ...], ...] = ()
    """Per head: what t′ and w in its formula are."""

    @property
    def name(self) -> str:
        """``loss``."""
        return "loss"

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """What the card says, before it is set as text, HTML or LaTeX."""
        from neurograph.inspector.loss_sheets import loss_sheet

        return loss_sheet(self, digits, limit)

    def as_json(self) -> dict[str, Any]:
        """The card as plain data."""
        from neurograph.inspector.cards import plain

        heads = [
            {
                "head": head,
                "formula": formula,
                "weight": weight,
                "outputs": [{**owed._asdict(), "node": write_node(owed.node)} for owed in outputs],
            }
            for head, formula, weight, outputs in self.heads
        ]
        card: dict[str, Any] = plain({**vars(self), "heads": heads})
        return card


def loss_card(trace: Trace, targets: Mapping[Any, Array] | None, sample: int, reduction: str) -> LossCard:
    """The card of the loss in one sample.

    Raises
    ------
    LossError
        If there is no target: an upstream gradient stands in a loss's place, and has no value.
    """
    if targets is None:
        raise LossError("loss: this pass had no target, so there is no loss to explain. Give a target.")
    heads, notes = [], []
    for port in trace.layout.heads:
        assert port.loss is not None
        outputs = tuple(_outputs(trace, port, np.asarray(targets[port.name], np.float64)[sample], sample))
        heads.append((str(port.name or "outputs"), formula_of(port.loss), port.loss.weight, outputs))
        notes.append(notes_of(port, present(trace, port)))
    value = total(weight * owed.addend for _, _, weight, outputs in heads for owed in outputs)
    return LossCard(sample, tuple(heads), value, trace.loss, trace.batch, reduction, tuple(notes))


def _outputs(trace: Trace, port: Port, targets: Array, sample: int) -> list[Owed]:
    z, a, delta = (head_values(trace, port, sample, what) for what in ("z", "a", "delta"))
    there, loss = present(trace, port), port.loss
    assert loss is not None
    smoothed, factors = smoothed_targets(loss, targets, there), class_factors(port, targets, there)
    found = []
    for index in np.ndindex(*port.shape):
        if there[index]:
            place = (port.name, index) if port.members is None else port.members[index[0]]
            z_i, a_i, t_i, w = (float(array[index]) for array in (z, a, smoothed, factors))
            addend = w * _addend(port, index, z, there, z_i, a_i, t_i)
            more = (t_i if loss.label_smoothing else None, w if loss.class_weights is not None else None)
            p = _probability(port, index, z, there)
            found.append(Owed(node_id(*place), z_i, a_i, float(targets[index]), addend, float(delta[index]), p, *more))
    return found + _shared(port, z, smoothed, there, factors)


def _addend(port: Port, index: tuple[int, ...], z_all: Array, there: Array, z: float, a: float, t: float) -> float:
    loss = port.loss
    assert loss is not None
    if loss.kind == "mse":
        return 0.5 * (a - t) ** 2 if loss.form == "half_sum" else (a - t) ** 2 / int(there.sum())
    if loss.kind == "rbf_map":
        return t * z if t else 0.0
    if loss.kind == "binary_cross_entropy":
        return (t * _softplus(-z) if t else 0.0) + ((1 - t) * _softplus(z) if t != 1 else 0.0)
    return t * (_log_sum(z_all, there, index[1:]) - z) if t else 0.0


def _probability(port: Port, index: tuple[int, ...], z: Array, there: Array) -> float | None:
    assert port.loss is not None
    if port.loss.kind == "cross_entropy":
        return exp(float(z[index]) - _log_sum(z, there, index[1:]))
    return sigmoid(float(z[index])) if port.loss.kind == "binary_cross_entropy" else None


def _shared(port: Port, z: Array, targets: Array, there: Array, factors: Array) -> list[Owed]:
    """What belongs to all outputs together: the logarithm of rbf_map; of a cross-entropy, where targets do not sum to 1."""
    assert port.loss is not None
    if port.loss.kind == "rbf_map":
        lowered = [*(-z[there]).tolist(), -port.loss.j]
        top = max(lowered)
        w = float(factors[there][0])
        return [Owed("log(e^−j + Σ e^−y)", None, None, None, w * (top + log(sum(exp(v - top) for v in lowered))), None)]
    if port.loss.kind != "cross_entropy":
        return []
    found = []
    for position in np.ndindex(*port.shape[1:]):
        column: tuple[Any, ...] = (slice(None), *position)
        rest = 1 - float(np.where(there, targets, 0.0)[column].sum())
        if abs(rest) > 1e-12 and there[column].any():
            shared = float(factors[column][there[column]][0]) * rest * _log_sum(z, there, position)
            found.append(Owed("(1 − Σ t)·log Σ e^z", None, None, None, shared, None))
    return found


def _log_sum(z: Array, there: Array, position: tuple[int, ...]) -> float:
    """Log Σ e^z over the outputs at one position."""
    here: tuple[Any, ...] = (slice(None), *position)
    column = np.where(there, z, -np.inf)[here]
    top = float(column.max())
    return top + log(float(np.exp(column - top).sum()))


def _softplus(z: float) -> float:
    return max(z, 0.0) + log1p(exp(-abs(z)))
