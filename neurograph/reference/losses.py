"""The losses, for one sample: the loss itself, and δ = ∂loss/∂z of every output.

Cross-entropies and rbf_map know δ at once. The squared error knows ∂loss/∂a, and so does an upstream gradient; from there
`delta_through` goes on through the activation.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from operator import mul

from neurograph.reference.activations import FUNCTIONS, sigmoid, softplus

Numbers = Sequence[float]


def softmax(z: Numbers) -> list[float]:
    """p_i = e^z_i / Σ e^z_k, shifted by the largest z so that nothing overflows.

    Examples
    --------
    >>> softmax([1000.0, 1000.0])
    [0.5, 0.5]
    """
    powers = [exp(shifted) for shifted in _below_top(z)]
    total = sum(powers)
    return [power / total for power in powers]


def cross_entropy(z: Numbers, t: Numbers) -> tuple[float, list[float]]:
    """Loss log Σ e^z − Σ t·z, which is −Σ t·log p where the targets sum to 1; δ = p − t."""
    shifted, top = _below_top(z), max(z)
    given = _dot(t, shifted)
    loss = log(sum(map(exp, shifted))) - given + top * (1 - sum(t))
    return loss, [p_i - t_i for p_i, t_i in zip(softmax(z), t, strict=True)]


def binary_cross_entropy(z: Numbers, t: Numbers, w: Numbers | None = None) -> tuple[float, list[float]]:
    """Σ w·(−t·log σ(z) − (1−t)·log(1 − σ(z))), summed over the outputs; δ = w·(σ(z) − t). Without class weights, every w is 1."""
    w = [1.0] * len(z) if w is None else w
    losses = [_times(t_i, softplus(-z_i)) + _times(1 - t_i, softplus(z_i)) for z_i, t_i in zip(z, t, strict=True)]
    return float(sum(map(mul, w, losses))), [w_i * (sigmoid(z_i) - t_i) for w_i, z_i, t_i in zip(w, z, t, strict=True)]


def rbf_map(y: Numbers, t: Numbers, j: float) -> tuple[float, list[float]]:
    """y_D + log(e^−j + Σ e^−y), LeNet-5 1998, equation 9; δ_i = [i = D] − e^−y_i / (e^−j + Σ e^−y)."""
    lowered = [-y_i for y_i in y] + [-j]
    loss = _dot(t, y) + log(sum(map(exp, _below_top(lowered)))) + max(lowered)
    return loss, [t_i - q_i for t_i, q_i in zip(t, softmax(lowered)[:-1], strict=True)]


def mean_squared(a: Numbers, t: Numbers, w: Numbers | None = None) -> tuple[float, list[float]]:
    """Σ w·(a − t)² / n; ∂loss/∂a = 2w·(a − t)/n. Without class weights, every w is 1."""
    errors = [a_i - t_i for a_i, t_i in zip(a, t, strict=True)]
    owed = errors if w is None else list(map(mul, w, errors))
    return sum(map(mul, owed, errors)) / len(errors), [2 * error / len(errors) for error in owed]


def half_sum_squared(a: Numbers, t: Numbers, w: Numbers | None = None) -> tuple[float, list[float]]:
    """½ Σ w·(a − t)², the textbook's; ∂loss/∂a = w·(a − t). Without class weights, every w is 1."""
    errors = [a_i - t_i for a_i, t_i in zip(a, t, strict=True)]
    owed = errors if w is None else list(map(mul, w, errors))
    return 0.5 * sum(map(mul, owed, errors)), owed


def delta_through(activation: str, z: float, a: float, g: float) -> float:
    """δ = g·f′(z) for g = ∂loss/∂a; a zero g gives exactly 0, whatever the slope."""
    return 0.0 if g == 0 else g * FUNCTIONS[activation].slope(z, a)


def delta_through_softmax(a: Numbers, g: Numbers) -> list[float]:
    """δ_i = a_i·(g_i − Σ_k g_k·a_k): every output of a softmax feels every other."""
    common = sum(map(mul, g, a))
    return [a_i * (g_i - common) for a_i, g_i in zip(a, g, strict=True)]


def _below_top(z: Numbers) -> list[float]:
    top = max(z)
    return [z_i - top for z_i in z]


def _dot(t: Numbers, z: Numbers) -> float:
    return float(sum(_times(t_i, z_i) for t_i, z_i in zip(t, z, strict=True)))


def _times(t: float, z: float) -> float:
    """t·z, where nothing of an infinity is nothing."""
    return 0.0 if t == 0 else t * z
