"""The forward and the backward pass: neuron by neuron in topological order, and for each neuron sample by sample.

Numbers are kept as ``z[n][i]``: sample n, neuron i. Every loop here is one line of the textbook's chapter on backpropagation.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from typing import NamedTuple

from neurograph.reference.activations import FUNCTIONS
from neurograph.reference.losses import delta_through, softmax
from neurograph.reference.network import Network, Neuron

Rows = list[list[float]]
"""One list a sample, one number a neuron."""

Factors = Mapping[str, list[dict[int, float]]]
"""Dropout layer → per sample, source neuron → mask/keep. Empty unless training."""


class Forward(NamedTuple):
    """What the forward pass leaves."""

    z: Rows
    a: Rows


class Backward(NamedTuple):
    """What the backward pass leaves: δ per sample and neuron, and the gradient's sum over samples and edges, by slot."""

    delta: Rows
    gradient: list[float]


def forward(network: Network, w: list[float], given: list[dict[int, float]], factors: Factors) -> Forward:
    """Every z and a.

    Parameters
    ----------
    w : list of float
        All weights, by slot.
    given : list of dict
        Per sample: input neuron → its value.
    """
    batch = len(given)
    z = [[0.0] * len(network.neurons) for _ in range(batch)]
    a = [[0.0] * len(network.neurons) for _ in range(batch)]
    for neuron in network.neurons:
        i = neuron.number
        weights = [w[slot] for slot in neuron.slots]
        bias = 0.0 if neuron.bias is None else w[neuron.bias]
        for n in range(batch):
            if neuron.rule is None:
                z[n][i] = given[n].get(i, bias)
            else:
                z[n][i] = neuron.rule.z(arriving(neuron, n, a, factors), weights, bias)
            if neuron.activation != "softmax":
                a[n][i] = FUNCTIONS[neuron.activation].value(z[n][i])
    _softmax_heads(network, z, a)
    return Forward(z, a)


def arriving(neuron: Neuron, n: int, a: Rows, factors: Factors) -> list[float]:
    """What arrives along a neuron's in-edges in sample n: the sources' activations, behind their dropouts."""
    numbers = list(map(a[n].__getitem__, neuron.sources))
    for j, factor in _behind_dropout(neuron, n, factors):
        numbers[j] *= factor
    return numbers


def backward(
    network: Network, w: list[float], run: Forward, of_heads: list[dict[int, float]], factors: Factors
) -> Backward:
    """δ_j = f′(z_j)·Σ_i δ_i·∂z_i/∂a_j for every neuron, and Σ δ_i·∂z_i/∂w over all edges that share a weight.

    Parameters
    ----------
    of_heads : list of dict
        Per sample: output neuron → δ from its loss or from upstream.
    """
    z, a = run
    batch = len(z)
    delta = [[0.0] * len(network.neurons) for _ in range(batch)]
    error = [[0.0] * len(network.neurons) for _ in range(batch)]  # Σ_i δ_i·∂z_i/∂a_j, complete when j's turn comes
    gradient = [0.0] * len(w)
    for neuron in reversed(network.neurons):
        j = neuron.number
        weights = [w[slot] for slot in neuron.slots]
        for n in range(batch):
            delta[n][j] = delta_through(neuron.activation, z[n][j], a[n][j], error[n][j]) + of_heads[n].get(j, 0.0)
            if delta[n][j] != 0 and neuron.rule is not None:  # a zero δ adds exactly 0, never 0·∞
                _hand_back(neuron, n, delta[n][j], z, a, weights, factors, error, gradient)
    return Backward(delta, gradient)


def _hand_back(
    neuron: Neuron,
    n: int,
    delta: float,
    z: Rows,
    a: Rows,
    weights: list[float],
    factors: Factors,
    error: Rows,
    gradient: list[float],
) -> None:
    """Tell the sources and the weights of one neuron what its δ means for them."""
    assert neuron.rule is not None
    arrived = arriving(neuron, n, a, factors)
    slopes = list(neuron.rule.dz_da(arrived, weights, z[n][neuron.number]))
    for j, factor in _behind_dropout(neuron, n, factors):
        slopes[j] *= factor
    of_sample = error[n]
    for source, slope in compress(zip(neuron.sources, slopes, strict=True), slopes):  # behind a max, only the winner
        of_sample[source] += delta * slope
    for slot, slope in zip(neuron.slots, neuron.rule.dz_dw(arrived, weights, z[n][neuron.number]), strict=True):
        gradient[slot] += delta * slope
    if neuron.bias is not None:
        gradient[neuron.bias] += delta


def _behind_dropout(neuron: Neuron, n: int, factors: Factors) -> list[tuple[int, float]]:
    if not factors:
        return []
    return [(j, factors[dropout][n][neuron.sources[j]]) for j, dropout in neuron.dropouts]


def _softmax_heads(network: Network, z: Rows, a: Rows) -> None:
    for head in network.heads:
        for group in head.groups:
            if head.activations[group[0]] == "softmax":
                numbers = [head.neurons[k] for k in group]
                for z_n, a_n in zip(z, a, strict=True):
                    for i, p in zip(numbers, softmax([z_n[i] for i in numbers]), strict=True):
                        a_n[i] = p
