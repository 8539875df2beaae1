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

Numbers = list[float]


def from_target(head: Head, z: Numbers, a: Numbers, t: Numbers) -> tuple[float, dict[int, float]]:
    """Loss of one head in one sample, and neuron → δ; both scaled by the head's weight.

    `z` and `a` are those of all neurons, `t` the targets of the head's neurons, in their order.
    """
    loss = head.port.loss
    assert loss is not None
    if loss.kind == "mse":
        squared = half_sum_squared if loss.form == "half_sum" else mean_squared
        value, g = squared([a[i] for i in head.neurons], t)
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
        members = [head.neurons[k] for k in group]
        z_group, t_group = [z[i] for i in members], [t[k] for k in group]
        if loss.kind == "cross_entropy":
            value, deltas = cross_entropy(z_group, t_group)
        elif loss.kind == "binary_cross_entropy":
            value, deltas = binary_cross_entropy(z_group, t_group)
        else:
            value, deltas = rbf_map(z_group, t_group, loss.j)
        total += value
        delta.update(zip(members, deltas, strict=True))
    return total, delta
