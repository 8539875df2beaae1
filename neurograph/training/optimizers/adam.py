"""Adam, and AdamW: steps scaled by running means of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import numpy as np

from neurograph.training.optimizers.base import Array, Common, Optimizer, Rule, kept
from neurograph.training.optimizers.checked import fraction, positive


class Adam(Optimizer):
    """Adam: running means of the gradient and of its square, both corrected for their start at 0.

    m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², and in step t: w ← w − η/(1 − β₁ᵗ)·m/(√v/√(1 − β₂ᵗ) + ε).

    Parameters
    ----------
    learning_rate : float
        η > 0.
    beta1, beta2 : float
        How much of the means is kept, in [0, 1).
    epsilon : float
        Added to the root in the denominator, > 0.
    **common
        `l1`, `l2`, `n_samples`, `weight_decay`, `clip_norm`, `clip_value`: see `Common`. Decay is decoupled, here as everywhere
        (PyTorch's ``Adam(weight_decay=d)`` is `l2` with 2λ/m = d).

    Examples
    --------
    >>> w, optimizer = np.array([1.0, 1.0]), Adam(0.5)
    >>> optimizer.step({"w": w}, {"w": np.array([4.0, 0.25])})
    >>> w.round(6)  # the first step is η long, however large the gradient
    array([0.5, 0.5])

    References
    ----------
    D. P. Kingma, J. Ba: Adam, a method for stochastic optimization. ICLR 2015, algorithm 1 (ε outside the root, as in PyTorch).
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta1 = fraction("beta1", beta1)
        self.beta2 = fraction("beta2", beta2)
        self.epsilon = positive("epsilon", epsilon)

    def _update(self, value: Array, gradient: Array, state: dict[str, Array]) -> None:
        m = kept(state, "mean", value)
        v = kept(state, "square", value)
        steps = kept(state, "steps", np.zeros((), np.int64))
        steps += 1
        m *= self.beta1
        m += (1 - self.beta1) * gradient
        v *= self.beta2
        v += (1 - self.beta2) * np.square(gradient)
        t = int(steps)
        denominator = np.sqrt(v) / float(np.sqrt(1 - self.beta2**t)) + self.epsilon
        value -= (self.rate / (1 - self.beta1**t)) * m / denominator

    def rule(self, names: Iterable[str]) -> Rule | None:
        if self._rule("adam", ()) is None:  # or it raises: either way, before anything is counted
            return None
        counters = [kept(self._state.setdefault(name, {}), "steps", np.zeros((), np.int64)) for name in names]
        taken = {int(counter) for counter in counters}
        if len(taken) > 1:  # weights that joined later are at another step
            return None
        for counter in counters:
            counter[...] = counter + 1
        t = taken.pop() + 1 if taken else 1
        below = float(np.sqrt(1 - self.beta2**t))
        means = self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2
        return self._rule("adam", (self.rate / (1 - self.beta1**t), *means, below, self.epsilon), ("mean", "square"))

    def _own_options(self) -> dict[str, Any]:
        return {"beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon}

    def _remembers(self) -> tuple[str, ...]:
        return ("mean", "square", "steps")


class AdamW(Adam):
    """Adam with weights that decay apart from the gradient: w ← (1 − η·d)·w, then Adam's step.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon : float
        As in `Adam`.
    **common
        As in `Adam`; `weight_decay` is 0.01 unless given.

    Examples
    --------
    >>> w, optimizer = np.array([1.0]), AdamW(0.5, weight_decay=0.5)
    >>> optimizer.step({"w": w}, {"w": np.array([4.0])})
    >>> w.round(6)  # 1·(1 − 0.5·0.5) − 0.5
    array([0.25])

    References
    ----------
    I. Loshchilov, F. Hutter: Decoupled weight decay regularization. ICLR 2019, algorithm 2.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, **{"weight_decay": 0.01, **common})  # type: ignore[arg-type]
