"""The part of an output's δ that comes straight from the loss, as a formula, with its numbers, and as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.layout import Layout, Place, Port
from neurograph.graph.losses import Loss
from neurograph.graph.topology import Topology
from neurograph.inspector.cards import FromLoss
from neurograph.inspector.counted import class_factors, smoothed_targets
from neurograph.inspector.formulas import sigmoid, slope
from neurograph.inspector.neuron import node_at
from neurograph.trace import Trace

Array = NDArray[Any]


def port_of(layout: Layout, place: Place) -> tuple[Port, tuple[int, ...]] | None:
    """The head that a neuron is an output of, and its index there; None for inner neurons."""
    for port in layout.heads:
        if port.members is not None and place in port.members:
            return port, (port.members.index(place),)
        if port.members is None and port.name == place[0]:
            return port, place[1]
    return None


def head_values(trace: Trace, port: Port, sample: int, what: str) -> Array:
    """Every z or a of the units of a head in one sample, in the head's shape."""
    values = getattr(trace, what)
    if port.members is None:
        return np.asarray(values[port.name][sample], dtype=np.float64)
    return np.array([values[place[0]][(sample, *place[1])] for place in port.members], dtype=np.float64)


def present(trace: Trace, port: Port) -> NDArray[np.bool_]:
    """Which units of a head exist, in the head's shape: outputs may have been removed from a graph."""
    if port.members is not None or isinstance(trace.network, Topology):
        return np.ones(port.shape, dtype=bool)
    nodes = [node_at(trace.layout, (port.name, index)) for index in np.ndindex(*port.shape)]
    return np.array([node in trace.network for node in nodes]).reshape(port.shape)


def from_loss(
    trace: Trace,
    port: Port,
    index: tuple[int, ...],
    activation: str,
    sample: int,
    targets: Mapping[Any, Array] | None,
    upstream: Mapping[Any, Array] | None,
) -> FromLoss | None:
    """Explain the loss's part of one output's δ; None where neither target nor upstream gradient is known.

    Parameters
    ----------
    index : tuple of int
        The unit within the head.
    activation : str
        The unit's own: hand-drawn outputs may differ.
    targets, upstream : mapping, optional
        Head → values, (batch, *head shape): of the two at most one.
    """
    z, a = (head_values(trace, port, sample, what) for what in ("z", "a"))
    unit = _Unit(index, activation, z, a, present(trace, port))
    if upstream is not None:
        return _from_upstream(unit, np.asarray(upstream[port.name])[sample])
    if targets is None or port.loss is None:
        return None
    given, there = np.asarray(targets[port.name], np.float64)[sample], present(trace, port)
    made = _from_target(port.loss, unit, smoothed_targets(port.loss, given, there))
    if port.loss.label_smoothing:
        made = replace(made, formula=f"{made.formula}′")
    factors = [] if port.loss.weight == 1 else [(f"{port.loss.weight:g}", f"{port.loss.weight:g}", port.loss.weight)]
    if port.loss.class_weights is not None:
        w = float(class_factors(port, given, there)[index])
        factors = [("w", f"{w:.9g}", w), *factors]
    for symbol, written, factor in factors:
        made = FromLoss(f"{symbol} · ({made.formula})", f"{written} · ({made.numbers})", factor * made.value)
    return (
        made if port.loss.class_weights is None else replace(made, formula=f"{made.formula}, with the class weight w")
    )


@dataclass(frozen=True)
class _Unit:
    """One output among those of its head: z and a of all, and which of them exist."""

    index: tuple[int, ...]
    activation: str
    z: Array
    a: Array
    present: NDArray[np.bool_]

    @property
    def column(self) -> tuple[Any, ...]:
        """All units that share a softmax with this one: those at its position."""
        return (slice(None), *self.index[1:])

    @property
    def probability(self) -> float:
        """Softmax of z over the units at its position."""
        z = np.where(self.present, self.z, -np.inf)[self.column]
        powers = np.exp(z - z.max())
        return float(powers[self.index[0]] / powers.sum())


def _from_upstream(unit: _Unit, given: Array) -> FromLoss:
    g = float(given[unit.index])
    if unit.activation == "softmax":
        return _softmax_jacobian(unit, given, "a·(g − Σ g·a), with the upstream gradient g = ∂loss/∂a")
    f = slope(unit.activation, float(unit.z[unit.index]))
    return FromLoss("g·f′(z), with the upstream gradient g = ∂loss/∂a", f"{g:.9g} · {f:.9g}", g * f)


def _softmax_jacobian(unit: _Unit, g: Array, formula: str) -> FromLoss:
    mean = float(np.sum(np.where(unit.present, g * unit.a, 0.0)[unit.column]))
    own, mine = float(unit.a[unit.index]), float(g[unit.index])
    return FromLoss(formula, f"{own:.9g} · ({mine:.9g} − {mean:.9g})", own * (mine - mean))


def _from_target(loss: Loss, unit: _Unit, targets: Array) -> FromLoss:
    z, a, t = float(unit.z[unit.index]), float(unit.a[unit.index]), float(targets[unit.index])
    if loss.kind == "cross_entropy":
        p = a if unit.activation == "softmax" else unit.probability
        return FromLoss("p − t", f"{p:.9g} − {t:.9g}", p - t)
    if loss.kind == "binary_cross_entropy":
        p = sigmoid(z)
        return FromLoss("σ(z) − t", f"{p:.9g} − {t:.9g}", p - t)
    if loss.kind == "rbf_map":
        share = exp(-z) / (exp(-loss.j) + float(np.sum(np.exp(-unit.z[unit.present]))))
        return FromLoss("t − e^−y / (e^−j + Σ e^−y)", f"{t:.9g} − {share:.9g}", t - share)
    n = int(unit.present.sum())
    if unit.activation == "softmax":
        g = (unit.a - targets) * (1 if loss.form == "half_sum" else 2 / n)
        return _softmax_jacobian(unit, g, "a·(g − Σ g·a), with g = ∂loss/∂a")
    f = slope(unit.activation, z)
    if loss.form == "half_sum":
        return FromLoss("(a − t)·f′(z)", f"({a:.9g} − {t:.9g}) · {f:.9g}", (a - t) * f)
    return FromLoss("2(a − t)·f′(z)/n", f"2 · ({a:.9g} − {t:.9g}) · {f:.9g} / {n}", 2 * (a - t) * f / n)
