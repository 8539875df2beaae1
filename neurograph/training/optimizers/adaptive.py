"""AdaGrad and RMSProp: every weight has a step of its own, the shorter the larger its gradients have been."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import numpy as np

from neurograph.training.optimizers.base import Array, Common, Optimizer, Rule, kept
from neurograph.training.optimizers.checked import fraction, positive


class AdaGrad(Optimizer):
    """AdaGrad: s ← s + g², w ← w − η·g/(√s + ε).

    Parameters
    ----------
    learning_rate : float
        η > 0.
    epsilon : float
        ε > 0.
    **common
        `l1`, `l2`, `n_samples`, `weight_decay`, `clip_norm`, `clip_value`: see `Common`.

    Examples
    --------
    >>> w, optimizer = np.array([1.0, 1.0]), AdaGrad(0.5)
    >>> optimizer.step({"w": w}, {"w": np.array([4.0, 0.25])})
    >>> w.round(6)  # the first step is η long, however large the gradient
    array([0.5, 0.5])

    References
    ----------
    J. Duchi, E. Hazan, Y. Singer: Adaptive subgradient methods for online learning and stochastic optimization. JMLR 12, 2011.
    """

    is_steady = True

    def __init__(self, learning_rate: float = 0.01, epsilon: float = 1e-10, **common: Unpack[Common]) -> None:
        super().__init__(learning_rate, **common)
        self.epsilon = positive("epsilon", epsilon)

    def _update(self, value: Array, gradient: Array, state: dict[str, Array]) -> None:
        s = kept(state, "squares", value)
        s += np.square(gradient)
        value -= self.rate * gradient / (np.sqrt(s) + self.epsilon)

    def rule(self, names: Iterable[str]) -> Rule | None:
        return self._rule("adagrad", (self.rate, self.epsilon), ("squares",))

    def _own_options(self) -> dict[str, Any]:
        return {"epsilon": self.epsilon}

    def _remembers(self) -> tuple[str, ...]:
        return ("squares",)


class RMSProp(Optimizer):
    """RMSProp: s ← ρ·s + (1 − ρ)·g², w ← w − η·g/(√s + ε); with momentum v ← μv + g/(√s + ε), w ← w − ηv.

    Parameters
    ----------
    learning_rate : float
        η > 0.
    rho : float
        How much of the mean square is kept, in [0, 1): ρ, PyTorch's ``alpha``.
    epsilon : float
        ε > 0.
    momentum : float
        μ in [0, 1).
    **common
        `l1`, `l2`, `n_samples`, `weight_decay`, `clip_norm`, `clip_value`: see `Common`.

    Examples
    --------
    >>> w, optimizer = np.array([1.0, 1.0]), RMSProp(0.1, rho=0.75)
    >>> optimizer.step({"w": w}, {"w": np.array([4.0, 0.25])})
    >>> w.round(6)  # √s = |g|/2 at first
    array([0.8, 0.8])

    References
    ----------
    T. Tieleman, G. Hinton: Lecture 6.5, rmsprop. COURSERA: Neural networks for machine learning, 2012.
    """

    is_steady = True

    def __init__(
        self,
        learning_rate: float = 0.01,
        rho: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho = fraction("rho", rho)
        self.epsilon = positive("epsilon", epsilon)
        self.momentum = fraction("momentum", momentum)

    def _update(self, value: Array, gradient: Array, state: dict[str, Array]) -> None:
        s = kept(state, "square", value)
        s *= self.rho
        s += (1 - self.rho) * np.square(gradient)
        below = np.sqrt(s) + self.epsilon
        if self.momentum == 0:
            value -= self.rate * gradient / below
            return
        velocity = kept(state, "velocity", value)
        velocity *= self.momentum
        velocity += gradient / below
        value -= self.rate * velocity

    def rule(self, names: Iterable[str]) -> Rule | None:
        numbers = (self.rate, self.rho, 1 - self.rho, self.epsilon)
        if self.momentum == 0:
            return self._rule("rmsprop", numbers, ("square",))
        return self._rule("rmsprop momentum", (*numbers, self.momentum), ("square", "velocity"))

    def _own_options(self) -> dict[str, Any]:
        return {"rho": self.rho, "epsilon": self.epsilon, "momentum": self.momentum}

    def _remembers(self) -> tuple[str, ...]:
        return ("square", "velocity")
