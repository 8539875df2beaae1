"""What the outputs owe, from an engine's own z and a: the δ of every head neuron and the loss, with error bounds.

The formulas are those of the table in `docs/architecture.md`, written a third time, in extended precision.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.layout import Port
from neurograph.graph.losses import Loss
from neurograph.verification import formulas
from neurograph.verification.formulas import Wide, rounding
from neurograph.verification.passed import Passed
from neurograph.verification.wires import Index, Numbers

Array = NDArray[Any]


@dataclass(frozen=True)
class Owed:
    """δ of some head neurons, (n, batch), with bounds, and the head's loss summed over the batch (None under upstream)."""

    which: Index
    delta: Array
    bound: Array
    loss: tuple[Any, Any] | None = None


@dataclass(frozen=True)
class Group:
    """Head neurons at one position of a map: what one softmax or one cross-entropy spans."""

    which: Index
    columns: Index
    """Their places in the head's array, row-major."""


def groups_of(numbers: Numbers, head: Port) -> list[Group]:
    """A head's neurons by position; positions whose neurons were all removed are left out."""
    if head.members is not None:
        which = np.array([numbers.of(place) for place in head.members], dtype=np.int64)
        return [Group(which, np.arange(len(which)))]
    which = numbers.members(head.name)
    columns = which - numbers.starts[head.name]
    spread = prod(head.shape[1:])
    present = np.unique(columns % spread).tolist()
    return [Group(which[columns % spread == p], columns[columns % spread == p]) for p in present]


def owed(
    numbers: Numbers,
    passed: Passed,
    targets: Mapping[Hashable, Array] | None,
    upstream: Mapping[Hashable, Array] | None,
) -> list[Owed]:
    """δ of every head neuron, from targets or from upstream gradients."""
    given = targets if targets is not None else upstream
    assert given is not None
    found = []
    for head in numbers.layout.heads:
        rows = given[head.name].astype(passed.dtype).astype(Wide).reshape(passed.batch, -1).T
        for group in groups_of(numbers, head):
            values = rows[group.columns]
            if targets is None:
                found.append(_from_upstream(numbers, passed, group, values, Wide(0) * np.abs(values)))
            else:
                assert head.loss is not None
                factor = factors_of(head, group, values, passed.dtype)
                found.append(_from_target(numbers, passed, group, values, head.loss, _n_outputs(numbers, head), factor))
    return found


@dataclass(frozen=True)
class Factor:
    """What the class of a target multiplies: one number a sample, (batch,), or one a unit and sample; and how far it may be off."""

    value: Array
    bound: Array


def factors_of(head: Port, group: Group, t: Array, dtype: Any) -> Factor:
    """Class weights of a group's targets, (units, batch); 1 without class weights."""
    loss = head.loss
    assert loss is not None
    if not isinstance(loss.class_weights, tuple):
        return Factor(np.ones(t.shape[1], Wide), np.zeros(t.shape[1], Wide))
    classes = group.columns // (1 if head.members is not None else prod(head.shape[1:]))
    off, spread = loss.off_and_spread
    s = (t - Wide(off)) / Wide(spread)
    size = (np.abs(t) + abs(Wide(off))) / abs(Wide(spread))
    u = rounding(dtype)
    if loss.kind == "binary_cross_entropy":
        pairs = np.array([loss.unit_weights(int(unit), head.shape[0]) for unit in classes], dtype=Wide)
        absent, present = pairs[:, :1], pairs[:, 1:]
        return Factor(absent * (1 - s) + present * s, 8 * u * (absent * (1 + size) + present * size))
    w = np.array([loss.class_weights[unit] for unit in classes], dtype=Wide)[:, None]
    return Factor((w * s).sum(axis=0), (len(w) + 8) * u * (w * size).sum(axis=0))


def _n_outputs(numbers: Numbers, head: Port) -> int:
    return sum(len(group.which) for group in groups_of(numbers, head))


def _from_target(
    numbers: Numbers, passed: Passed, group: Group, given: Array, loss: Loss, n: int, factor: Factor
) -> Owed:
    if loss.kind == "mse":
        return _squared(numbers, passed, group, given, loss, n, factor)
    z = passed.z[group.which].astype(Wide)
    u = rounding(passed.dtype)
    n_classes = 2 if loss.kind == "binary_cross_entropy" else len(z)
    epsilon = Wide(loss.label_smoothing)
    t = (1 - epsilon) * given + epsilon / n_classes
    if loss.kind == "cross_entropy":
        p, error = formulas.softmax(z), formulas.softmax_bound(z, formulas.softmax(z), passed.dtype)
        delta, value = p - t, _log_sum(z) - (t * z).sum(axis=0)
        size = np.abs(z).max(axis=0) + np.abs(t * z).sum(axis=0) + np.abs(_log_sum(z))
    elif loss.kind == "binary_cross_entropy":
        p = formulas.sigmoid(z)
        error = formulas.value_bound("sigmoid", z, p, passed.dtype)
        delta = p - t
        value = t * _softplus(-z) + (1 - t) * _softplus(z)
        size = np.abs(t) * _softplus(-z) + np.abs(1 - t) * _softplus(z)
    else:
        lowered = np.concatenate([-z, np.full((1, z.shape[1]), -Wide(loss.j))])
        q = formulas.softmax(lowered)
        error = formulas.softmax_bound(lowered, q, passed.dtype)[:-1]
        delta, value = t - q[:-1], (t * z).sum(axis=0) + _log_sum(lowered)
        size = np.abs(t * z).sum(axis=0) + np.abs(lowered).max(axis=0) + np.abs(_log_sum(lowered))
    weight = Wide(loss.weight)
    least = formulas.underflow(passed.dtype)
    error = error + 4 * u * (np.abs(delta) + (np.abs(t) if epsilon else 0))
    bound = np.abs(weight) * (np.abs(factor.value) * error + factor.bound * np.abs(delta) + least)
    room = size * (len(z) + passed.batch + 16) * u
    total = weight * (factor.value * value).sum()
    room = np.abs(weight) * ((np.abs(factor.value) * room + factor.bound * size).sum() + z.size * least)
    return Owed(group.which, weight * factor.value * delta, bound, (total, room))


def _squared(numbers: Numbers, passed: Passed, group: Group, t: Array, loss: Loss, n: int, factor: Factor) -> Owed:
    a = passed.a[group.which].astype(Wide)
    share = Wide(1) / 2 if loss.form == "half_sum" else Wide(1) / n
    weight = Wide(loss.weight)
    u = rounding(passed.dtype)
    g = 2 * share * weight * (a - t)
    g_bound = (4 * u * np.abs(factor.value) + factor.bound) * np.abs(g)
    made = _from_upstream(numbers, passed, group, factor.value * g, g_bound)
    size = share * np.abs(weight) * (a - t) ** 2
    total = np.sign(weight) * (factor.value * size).sum()
    room = (np.abs(factor.value) * size).sum() * (a.size + 16) * u + (factor.bound * size).sum()
    return Owed(made.which, made.delta, made.bound, (total, room + a.size * formulas.underflow(passed.dtype)))


def _from_upstream(numbers: Numbers, passed: Passed, group: Group, g: Array, g_bound: Array) -> Owed:
    """δ for ∂loss/∂a = g, where g itself may be off by `g_bound`."""
    which, u = group.which, rounding(passed.dtype)
    z, a = passed.z[which].astype(Wide), passed.a[which].astype(Wide)
    words = activations_of(numbers, which)
    if words[0] == "softmax":
        common, size = (g * a).sum(axis=0), (np.abs(g) * a).sum(axis=0)
        bound = a * ((len(which) + 6) * u * (np.abs(g) + size) + g_bound + (g_bound * a).sum(axis=0))
        bound = bound + formulas.underflow(passed.dtype) * (1 + np.abs(g) + size)
        return Owed(which, a * (g - common), bound)
    delta, bound = np.zeros_like(z), np.zeros_like(z)
    for word in dict.fromkeys(words):
        rows = np.array([w == word for w in words])
        f = formulas.slope(word, z[rows], a[rows], passed.dtype)
        delta[rows] = g[rows] * f.value
        bound[rows] = u * np.abs(g[rows]) * (f.spread + 2 * np.abs(f.value)) + g_bound[rows] * np.abs(f.value)
        bound[rows] += formulas.underflow(passed.dtype) * (1 + np.abs(g[rows]))
    return Owed(which, delta, bound)


def activations_of(numbers: Numbers, which: Index) -> list[str]:
    """Activation of each neuron."""
    from neurograph.ops.words import ACTIVATIONS
    from neurograph.verification.wires import traits

    return [ACTIVATIONS[i] for i in traits(numbers, which).activation.tolist()]


def _log_sum(z: Array) -> Array:
    """Return log Σ e^z over axis 0."""
    top = z.max(axis=0)
    return np.asarray(top + np.log(np.exp(z - top).sum(axis=0)))


def _softplus(z: Array) -> Array:
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))
