"""Gradient descent: plain, with momentum, and with Nesterov's look ahead. With a batch of all samples it is GD, else SGD."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from neurograph.errors import UsageError, suggest
from neurograph.training.optimizers.base import Array, Common, Optimizer, Rule, kept
from neurograph.training.optimizers.checked import fraction

FORMS = ("pytorch", "classical")


class SGD(Optimizer):
    """Gradient descent, with momentum if asked.

    Parameters
    ----------
    learning_rate : float
        η > 0.
    momentum : float
        μ in [0, 1).
    form : str
        ``"pytorch"``: v ← μv + g, w ← w − ηv. ``"classical"``: v ← μv − ηg, w ← w + v (Polyak; the lectures' form).
        Both agree as long as η stays the same.
    nesterov : bool
        Look ahead: the step is taken with g + μv (classical: w ← w + μv − ηg), v as above and already renewed.
    **common
        `l1`, `l2`, `n_samples`, `weight_decay`, `clip_norm`, `clip_value`: see `Common`.

    Examples
    --------
    >>> import numpy as np
    >>> w, optimizer = np.array([1.0]), SGD(0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.step({"w": w}, {"w": np.array([1.0])})
    >>> w  # 1 − 0.5·1 − 0.5·1.5
    array([-0.25])
    >>> w, optimizer = np.array([1.0]), SGD(0.5, momentum=0.5, nesterov=True)
    >>> optimizer.step({"w": w}, {"w": np.array([1.0])})
    >>> w  # 1 − 0.5·(1 + 0.5·1)
    array([0.25])

    References
    ----------
    B. T. Polyak: Some methods of speeding up the convergence of iteration methods. 1964.
    I. Sutskever, J. Martens, G. Dahl, G. Hinton: On the importance of initialization and momentum in deep learning. ICML 2013.
    """

    is_steady = True

    def __init__(
        self,
        learning_rate: float = 0.1,
        momentum: float = 0.0,
        form: str = "pytorch",
        *,
        nesterov: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.momentum = fraction("momentum", momentum)
        if form not in FORMS:
            raise UsageError(f"SGD: unknown form '{form}'{suggest(form, FORMS)} (known: {', '.join(FORMS)})")
        if nesterov and not self.momentum:
            raise UsageError("SGD: nesterov looks ahead along the momentum, which is 0; give momentum, such as 0.9.")
        self.form, self.nesterov = form, bool(nesterov)

    def _update(self, value: Array, gradient: Array, state: dict[str, Array]) -> None:
        if self.momentum == 0:
            value -= self.rate * gradient
            return
        velocity = kept(state, "velocity", value)
        velocity *= self.momentum
        if self.form == "classical":
            change = self.rate * gradient
            velocity -= change
            value += self.momentum * velocity - change if self.nesterov else velocity
        else:
            velocity += gradient
            value -= self.rate * (gradient + self.momentum * velocity if self.nesterov else velocity)

    def rule(self, names: Iterable[str]) -> Rule | None:
        if self.momentum == 0:
            return self._rule("plain", (self.rate,))
        words = ["classical"] * (self.form == "classical") + ["nesterov"] * self.nesterov
        return self._rule(" ".join(words) or "momentum", (self.rate, self.momentum), ("velocity",))

    def _own_options(self) -> dict[str, Any]:
        return {"momentum": self.momentum, "form": self.form, "nesterov": self.nesterov}

    def _remembers(self) -> tuple[str, ...]:
        return ("velocity",)
