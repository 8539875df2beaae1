"""The update of a program's weights: one pass over flat arrays where the optimiser has a compiled twin, else its own `step`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.launching import run
from neurograph.compiler.plan import PlanParameter
from neurograph.compiler.storage import Storage
from neurograph.engine import Optimizer
from neurograph.kernels import code as c
from neurograph.kernels.jit import COMPILED
from neurograph.kernels.update import ADAM, CLASSICAL, MOMENTUM, PLAIN, STRETCH, updater

Array = NDArray[Any]


@dataclass(frozen=True)
class Ruled:
    """A step as kernels take it: which form, its numbers (the divisor of the gradient first), and what the optimiser remembers."""

    form: int
    numbers: Array
    state: tuple[Array, Array]


class Updating:
    """Weights, gradients and what optimisers remember, flat and by name.

    Parameters
    ----------
    weights : ndarray
        The program's own values.
    slots : ndarray, shape (slots, weights and more)
        The gradient in parts.
    learnt : tuple of PlanParameter
    storage : Storage
        Where they stand.
    threads : int
    """

    def __init__(
        self, weights: Array, slots: Array, learnt: tuple[PlanParameter, ...], storage: Storage, threads: int
    ) -> None:
        self._weights, self._slots, self._learnt, self._storage = weights, slots, learnt, storage
        self.values = self._views(weights)
        self._gradients = self._views(slots[0])
        self._kept: dict[str, tuple[Array, dict[str, Array]]] = {}
        self._ranges: dict[tuple[str, ...], NDArray[np.int64]] = {}
        self._nothing = np.zeros(1, weights.dtype)
        self._scratch = np.zeros((threads, STRETCH), weights.dtype)
        self._rows: Any = (
            np.zeros((threads, c.N_CONTEXT), np.int64) if COMPILED else [[0] * c.N_CONTEXT for _ in range(threads)]
        )
        for part in range(threads):
            self._set(part, c.WEIGHTS, weights)
            self._set(part, c.GRADIENT, slots.reshape(-1))
            self._set(part, c.SCRATCH, self._scratch[part])
            self._rows[part][c.SLOT_STEP], self._rows[part][c.WIDTH] = slots.shape[1], 1
            self._rows[part][c.MEMORY] = self._rows[part][c.WEIGHTS]
            self._rows[part][c.PART] = part

    def ruled(self, optimizer: Optimizer, names: tuple[str, ...], share: int) -> Ruled | None:
        """The next step of an optimiser that has a compiled twin, counted as taken; None: it has none."""
        asked = getattr(optimizer, "rule", None)
        rule = asked(names) if asked is not None else None
        if rule is None:
            return None
        kept = [self._remembered(optimizer, kind, names) for kind in rule.remembers]
        form = {"sgd": PLAIN, "adam": ADAM}.get(rule.kernel, CLASSICAL if rule.numbers[-1] else MOMENTUM)
        numbers = np.array([share, *rule.numbers, 0.0], self._weights.dtype)
        first, second = [*kept, self._nothing, self._nothing][:2]
        return Ruled(form, numbers, (first, second))

    def step(self, rule: Ruled, names: tuple[str, ...], n_slots: int) -> None:
        """Change the weights of `names`; the gradient is the sum of the first slots."""
        ranges = self._ranges_of(names)
        total = int((ranges[1::2] - ranges[::2]).sum())
        parts = max(1, min(len(self._rows), total // (2 * STRETCH)))
        for part in range(parts):
            self._set(part, c.STATE, rule.state[0])
            self._set(part, c.SECOND_STATE, rule.state[1])
            self._set(part, c.RULE, rule.numbers)
            self._set(part, c.RANGES, ranges)
            row = self._rows[part]
            row[c.FORM], row[c.N_RANGES], row[c.N_SLOTS], row[c.N_PARTS] = rule.form, len(ranges) // 2, n_slots, parts
        run(updater(str(self._weights.dtype)), self._rows, parts, parts)

    def step_by_name(self, optimizer: Optimizer, names: tuple[str, ...], share: int, n_slots: int) -> None:
        """The same for any optimiser, array by array."""
        self.combine(n_slots, self._weights.dtype.type(share))
        optimizer.step({name: self.values[name] for name in names}, {name: self._gradients[name] for name in names})

    def combine(self, n_slots: int, divisor: Any) -> Array:
        """The gradient in its first slot."""
        gradient: Array = self._slots[0]
        for other in self._slots[1:n_slots]:
            gradient += other
        gradient /= divisor
        return gradient

    def _remembered(self, optimizer: Any, kind: str, names: Collection[str]) -> Array:
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
            self._ranges[names] = np.array(lines, dtype=np.int64).reshape(-1)
        return self._ranges[names]

    def _views(self, flat: Array) -> dict[str, Array]:
        return {p.name: self._storage.parameters[p.name].view(flat) for p in self._learnt}

    def _set(self, part: int, field: int, array: Array) -> None:
        self._rows[part][field] = array.__array_interface__["data"][0] if COMPILED else array
