"""The update of a program's weights: one pass over flat arrays where the optimiser has a compiled twin, else its own `step`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.plan import PlanParameter
from neurograph.compiler.storage import Storage
from neurograph.engine import Optimizer
from neurograph.kernels import update

Array = NDArray[Any]


class Updating:
    """Weights, gradients and what optimisers remember, flat and by name.

    Parameters
    ----------
    weights : ndarray
        The program's own values; parameters stand in them at their offsets.
    slots : ndarray, shape (slots, weights)
        The gradient in parts.
    learnt : tuple of PlanParameter
    storage : Storage
        Where they stand.
    """

    def __init__(
        self, weights: Array, slots: Array, learnt: tuple[PlanParameter, ...], storage: Storage
    ) -> None:
        self._weights, self._slots, self._learnt, self._storage = weights, slots, learnt, storage
        self.values = self._views(weights)
        self._gradients = self._views(slots[0])
        self._kept: dict[str, tuple[Array, dict[str, Array]]] = {}
        self._ranges: dict[tuple[str, ...], NDArray[np.int64]] = {}

    def step(self, optimizer: Optimizer, names: tuple[str, ...], share: int, n_slots: int) -> None:
        """Change the weights of `names`; the gradient is the sum of the first slots, divided by `share`."""
        asked = getattr(optimizer, "rule", None)
        rule = asked(names) if asked is not None else None
        divisor = self._weights.dtype.type(share)
        if rule is None:
            self.combine(n_slots, divisor)
            optimizer.step({name: self.values[name] for name in names}, {name: self._gradients[name] for name in names})
            return
        kept = [self._remembered(optimizer, kind, names) for kind in rule.remembers]
        numbers = np.array(rule.numbers, self._weights.dtype)
        given = (self._weights, self._slots, n_slots, self._ranges_of(names), divisor)
        if rule.kernel == "sgd":
            update.sgd(*given, numbers[0])
        elif rule.kernel == "momentum":
            update.momentum(*given, numbers[0], numbers[1], bool(numbers[2]), *kept)
        else:
            update.adam(*given, numbers, *kept)

    def combine(self, n_slots: int, divisor: Any) -> Array:
        """The gradient in its first slot."""
        gradient: Array = self._slots[0]
        for other in self._slots[1:n_slots]:
            gradient += other
        gradient /= divisor
        return gradient

    def _remembered(self, optimizer: Any, kind: str, names: tuple[str, ...]) -> Array:
        if kind not in self._kept:
            flat = np.zeros_like(self._weights)
            self._kept[kind] = flat, self._views(flat)
        flat, views = self._kept[kind]
        optimizer.hold(kind, {name: views[name] for name in names})
        return flat

    def _ranges_of(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        if names not in self._ranges:
            chosen = [self._storage.parameters[p.name] for p in self._learnt if p.name in set(names)]
            lines = [(stored.start, stored.start + stored.size) for stored in chosen]
            self._ranges[names] = np.array(lines, dtype=np.int64).reshape(-1, 2)
        return self._ranges[names]

    def _views(self, flat: Array) -> dict[str, Array]:
        return {p.name: self._storage.parameters[p.name].view(flat) for p in self._learnt}
