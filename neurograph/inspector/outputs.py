"""The part of an output's δ that comes straight from the loss, as a formula, with its numbers, and as a value."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.layout import Layout, Place, Port
from neurograph.inspector.cards import FromLoss
from neurograph.inspector.formulas import sigmoid, slope
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
    if upstream is not None:
        return _from_upstream(activation, z, a, index, np.asarray(upstream[port.name])[sample])
    if targets is None or port.loss is None:
        return None
    made = _from_target(port, activation, z, a, index, np.asarray(targets[port.name])[sample])
    weight = port.loss.weight
    if weight == 1:
        return made
    return FromLoss(f"{weight:g} · ({made.formula})", f"{weight:g} · ({made.numbers})", weight * made.value)


def _from_upstream(activation: str, z: Array, a: Array, index: tuple[int, ...], given: Array) -> FromLoss:
    g = float(given[index])
    if activation == "softmax":
        return _softmax_jacobian(a, index, given, "a·(g − Σ g·a), with the upstream gradient g = ∂loss/∂a")
    f = slope(activation, float(z[index]))
    return FromLoss("g·f′(z), with the upstream gradient g = ∂loss/∂a", f"{g:.9g} · {f:.9g}", g * f)


def _softmax_jacobian(a: Array, index: tuple[int, ...], g: Array, formula: str) -> FromLoss:
    column: tuple[Any, ...] = (slice(None), *index[1:])
    mean = float(np.sum(g[column] * a[column]))
    own, mine = float(a[index]), float(g[index])
    return FromLoss(formula, f"{own:.9g} · ({mine:.9g} − {mean:.9g})", own * (mine - mean))


def _from_target(port: Port, activation: str, z: Array, a: Array, index: tuple[int, ...], targets: Array) -> FromLoss:
    loss = port.loss
    assert loss is not None
    own_z, own_a, t = float(z[index]), float(a[index]), float(targets[index])
    if loss.kind == "cross_entropy":
        column: tuple[Any, ...] = (slice(None), *index[1:])
        p = own_a if activation == "softmax" else float(_softmax(z[column])[index[0]])
        return FromLoss("p − t", f"{p:.9g} − {t:.9g}", p - t)
    if loss.kind == "binary_cross_entropy":
        p = sigmoid(own_z)
        return FromLoss("σ(z) − t", f"{p:.9g} − {t:.9g}", p - t)
    if loss.kind == "rbf_map":
        share = exp(-own_z) / (exp(-loss.j) + float(np.sum(np.exp(-z))))
        return FromLoss("t − e^−y / (e^−j + Σ e^−y)", f"{t:.9g} − {share:.9g}", t - share)
    if activation == "softmax":
        g = (a - targets) * (1 if loss.form == "half_sum" else 2 / port.size)
        return _softmax_jacobian(a, index, g, "a·(g − Σ g·a), with g = ∂loss/∂a")
    f = slope(activation, own_z)
    if loss.form == "half_sum":
        return FromLoss("(a − t)·f′(z)", f"({own_a:.9g} − {t:.9g}) · {f:.9g}", (own_a - t) * f)
    n = port.size
    return FromLoss("2(a − t)·f′(z)/n", f"2 · ({own_a:.9g} − {t:.9g}) · {f:.9g} / {n}", 2 * (own_a - t) * f / n)


def _softmax(z: Array) -> Array:
    powers = np.exp(z - z.max())
    return np.asarray(powers / powers.sum())
