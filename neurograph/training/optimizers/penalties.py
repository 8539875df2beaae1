"""What is added to the loss so that weights stay small: L1 and L2, as the lectures write them.

The loss becomes E + (λ₁/m)·Σ|w| + (λ₂/m)·Σw², with m the number of training samples, and the gradient of a weight
∂E/∂w + (λ₁/m)·sign(w) + (2λ₂/m)·w. The sums run over weights, each shared weight once, and never over biases.

PyTorch's `weight_decay` of SGD adds d·w to the gradient: that is L2 with d = 2λ₂/m. Decoupled decay, w ← (1 − η·d)·w before the
step, is something else as soon as there is momentum or a scaled step (see `neurograph.training.optimizers.base`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Penalty:
    """(λ₁/m)·Σ|w| + (λ₂/m)·Σw².

    Attributes
    ----------
    l1, l2 : float
        λ₁ and λ₂, at least 0.
    m : int
        Number of training samples.

    Examples
    --------
    The lecture's example, λ = 0.1 and m = 10 (shared weights count once: one array, one term each):

    >>> w = {"w": np.array([[1.0, -2.0], [0.5, 0.0]])}
    >>> Penalty(l1=0.1, m=10).loss(w), Penalty(l2=0.1, m=10).loss(w)
    (0.035, 0.0525)
    >>> Penalty(l1=0.1, m=10).gradient(w["w"]).tolist()
    [[0.01, -0.01], [0.01, 0.0]]
    >>> Penalty(l2=0.1, m=10).gradient(w["w"]).tolist()
    [[0.02, -0.04], [0.01, 0.0]]

    References
    ----------
    Convolutional Neural Networks, lecture of Machine Learning 2022-23, Padova: regularisation.
    """

    l1: float = 0.0
    l2: float = 0.0
    m: int = 1

    @property
    def of_sign(self) -> float:
        """λ₁/m, the factor of sign(w) in the gradient."""
        return self.l1 / self.m

    @property
    def of_weight(self) -> float:
        """2λ₂/m, the factor of w in the gradient."""
        return 2 * (self.l2 / self.m)

    def __bool__(self) -> bool:
        return bool(self.l1 or self.l2)

    def loss(self, weights: Mapping[str, Array]) -> float:
        """What is added to the loss; `weights` without biases."""
        total = 0.0
        for w in weights.values():
            total += self.of_sign * float(np.sum(np.abs(w), dtype=np.float64))
            total += self.l2 / self.m * float(np.sum(np.square(w), dtype=np.float64))
        return total

    def gradient(self, w: Array) -> Array:
        """What is added to the gradient of an array of weights; sign(0) = 0."""
        return self.added(w, np.zeros_like(w))

    def added(self, w: Array, gradient: Array) -> Array:
        """The gradient with that of the penalty, in the dtype of w."""
        if self.l1:
            gradient = gradient + self.of_sign * ((w > 0).astype(w.dtype) - (w < 0))
        if self.l2:
            gradient = gradient + self.of_weight * w
        return gradient
