"""What the outputs owe: loss and δ of every head for one sample, from its targets or from an upstream gradient."""

from __future__ import annotations

from neurograph.graph.losses import Loss
from neurograph.reference.losses import (
    binary_cross_entropy,
    cross_entropy,
    delta_through,
    delta_through_softmax,
    half_sum_squared,
    mean_squared,
    rbf_map,
)
from neurograph.reference.network import Head
from neurograph.reference.weighing import class_factor, smoothed, unit_factor

Numbers = list[float]


def from_target(head: Head, z: Numbers, a: Numbers, t: Numbers) -> tuple[float, dict[int, float]]:
    """Loss of one head in one sample, and neuron → δ; both scaled by the head's weight.

    `z` and `a` are those of all neurons, `t` the targets of the head's neurons, in their order.
    """
    loss = head.port.loss
    assert loss is not None
    if loss.kind == "mse":
        squared = half_sum_squared if loss.form == "half_sum" else mean_squared
        value, g = squared([a[i] for i in head.neurons], t, _factors(head, loss, t))
        delta = from_upstream(head, z, a, g)
    else:
        value, delta = _at_once(head, loss, z, t)
    return loss.weight * value, {i: loss.weight * delta_i for i, delta_i in delta.items()}


def from_upstream(head: Head, z: Numbers, a: Numbers, g: Numbers) -> dict[int, float]:
    """Neuron → δ, where g is ∂loss/∂a of the head's neurons, in their order."""
    delta: dict[int, float] = {}
    for group in head.groups:
        members = [head.neurons[k] for k in group]
        above = [g[k] for k in group]
        if head.activations[group[0]] == "softmax":
            delta.update(zip(members, delta_through_softmax([a[i] for i in members], above), strict=True))
        else:
            for k, i in zip(group, members, strict=True):
                delta[i] = delta_through(head.activations[k], z[i], a[i], g[k])
    return delta


def _at_once(head: Head, loss: Loss, z: Numbers, t: Numbers) -> tuple[float, dict[int, float]]:
    """The losses that know δ without the activation's help: summed over the positions of a map."""
    total = 0.0
    delta: dict[int, float] = {}
    for group in head.groups:
        of_one = _binary if loss.kind == "binary_cross_entropy" else _together
        value, deltas = of_one(head, loss, group, [z[head.neurons[k]] for k in group], [t[k] for k in group])
        total += value
        delta.update(zip([head.neurons[k] for k in group], deltas, strict=True))
    return total, delta


def _together(head: Head, loss: Loss, group: list[int], z: Numbers, t: Numbers) -> tuple[float, Numbers]:
    """The outputs at one position under a loss that looks at all of them, scaled by the weight of their class."""
    factor = class_factor(loss, head.classes(group), t)
    if loss.kind == "cross_entropy":
        value, deltas = cross_entropy(z, smoothed(t, loss.label_smoothing, len(t)))
    else:
        value, deltas = rbf_map(z, t, loss.j)
    return factor * value, [factor * delta for delta in deltas]


def _binary(head: Head, loss: Loss, group: list[int], z: Numbers, t: Numbers) -> tuple[float, Numbers]:
    """The outputs at one position under binary cross-entropy: each for itself, a class present or absent."""
    factors = [unit_factor(loss, c, head.n_classes, t_i) for c, t_i in zip(head.classes(group), t, strict=True)]
    return binary_cross_entropy(z, smoothed(t, loss.label_smoothing, 2), factors)


def _factors(head: Head, loss: Loss, t: Numbers) -> Numbers | None:
    """Per output of a head, the weight of the class at its position; None where there are no class weights."""
    if loss.class_weights is None:
        return None
    factors = [1.0] * len(t)
    for group in head.groups:
        factor = class_factor(loss, head.classes(group), [t[k] for k in group])
        for k in group:
            factors[k] = factor
    return factors
