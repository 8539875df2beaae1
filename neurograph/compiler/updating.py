"""What an update needs: optimisers that kernels can follow as numbers and flat arrays, the others by their own `step`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.aligned import aligned_zeros
from neurograph.compiler.plan import PlanParameter
from neurograph.compiler.storage import Storage
from neurograph.engine import Optimizer
from neurograph.graph.roles import spare_biases
from neurograph.kernels import update

Array = NDArray[Any]
Index = NDArray[np.int64]

FORMS = {
    "plain": update.PLAIN,
    "momentum": update.MOMENTUM,
    "classical": update.CLASSICAL,
    "nesterov": update.NESTEROV,
    "classical nesterov": update.CLASSICAL_NESTEROV,
    "adam": update.ADAM,
    "adagrad": update.ADAGRAD,
    "rmsprop": update.RMSPROP,
    "rmsprop momentum": update.RMSPROP_MOMENTUM,
}
"""Kernels by the names that rules call them."""


@dataclass(frozen=True)
class Ruled:
    """A step as kernels take it.

    Attributes
    ----------
    form : int
        Which one (`neurograph.kernels.update`), and what comes before it.
    numbers : ndarray
        The divisor of the gradient, and the optimiser's own.
    state : pair of ndarray
        What it remembers.
    ranges : ndarray
        Triples (first weight, end, bits of the form) of all weights it changes.
    """

    form: int
    numbers: Array
    state: tuple[Array, Array]
    ranges: Index

    @property
    def on_the_spot(self) -> bool:
        """Whether a weight may be changed in the pass that computes its gradient: descent, with one remembered number at most."""
        return self.form % update.BEFORE < update.ADAM


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
    biases : frozenset of str
        Parameters that penalties leave alone.
    """

    def __init__(
        self,
        weights: Array,
        slots: Array,
        learnt: tuple[PlanParameter, ...],
        storage: Storage,
        biases: frozenset[str],
    ) -> None:
        self._weights, self._slots, self._learnt, self._storage = weights, slots, learnt, storage
        self._biases = biases
        self.values = self._views(weights)
        self._gradients = self._views(slots[0])
        self._kept: dict[str, tuple[Array, dict[str, Array]]] = {}
        self._ranges: dict[tuple[str, ...], Index] = {}
        self._nothing = np.zeros(1, weights.dtype)
        self._rule: Any = None
        self._for: tuple[int, tuple[str, ...]] = 0, ()
        self._ruled: Ruled | None = None

    def ruled(self, optimizer: Optimizer, names: tuple[str, ...], share: int) -> Ruled | None:
        """The next step of an optimiser that kernels can follow, counted as taken; None: they cannot."""
        spare_biases(optimizer, self._biases)
        asked = getattr(optimizer, "rule", None)
        rule = asked(names) if asked is not None else None
        if rule is None:
            return None
        if rule == self._rule and (share, names) == self._for:
            for kind in rule.remembers:
                self._remembered(optimizer, kind, names)
            return self._ruled
        kept = [self._remembered(optimizer, kind, names) for kind in rule.remembers]
        first, second = [*kept, self._nothing, self._nothing][:2]
        form, numbers = self._written(rule, share)
        self._rule, self._for = rule, (share, names)
        self._ruled = Ruled(form, numbers, (first, second), self.ranges_of(names))
        return self._ruled

    def _written(self, rule: Any, share: int) -> tuple[int, Array]:
        """A rule as the form and the numbers that kernels read."""
        form, numbers = FORMS[rule.kernel], np.zeros(update.N_NUMBERS, self._weights.dtype)
        numbers[: 1 + len(rule.numbers)] = share, *rule.numbers
        lowest = None if rule.clip is None else -rule.clip
        for bit, place, value in (
            (update.L1, update.OF_L1, rule.l1),
            (update.L2, update.OF_L2, rule.l2),
            (update.CLIP, update.LOWEST, lowest),
            (update.DECAY, update.KEPT_PART, rule.keep),
        ):
            if value is not None:
                form, numbers[place] = form + bit, value
        return form, numbers

    def step_by_name(self, optimizer: Optimizer, names: tuple[str, ...], share: int, n_slots: int) -> None:
        """The step of any optimiser, array by array."""
        spare_biases(optimizer, self._biases)
        self.combine(n_slots, self._weights.dtype.type(share))
        optimizer.step({name: self.values[name] for name in names}, {name: self._gradients[name] for name in names})

    def combine(self, n_slots: int, divisor: Any) -> Array:
        """The gradient in its first slot."""
        gradient: Array = self._slots[0]
        with np.errstate(all="ignore"):  # what leaves the finite range is told by whoever trains
            for other in self._slots[1:n_slots]:
                gradient += other
            if divisor != 1:
                gradient /= divisor
        return gradient

    def clear_gaps(self) -> None:
        """Zero what lies between the weights, and between what is remembered of them: a step that left the finite range spoils it, too."""
        for flat in (self._weights, *(flat for flat, _ in self._kept.values())):
            flat[self._gaps] = 0

    @cached_property
    def _gaps(self) -> Index:
        is_gap = np.ones(self._storage.n_weights, dtype=np.bool_)
        for stored in self._storage.parameters.values():
            stored.view(is_gap)[...] = False
        return np.flatnonzero(is_gap)

    def ranges_of(self, names: tuple[str, ...]) -> Index:
        """Triples (first weight, end, bits of a form that count there) of parameters by name."""
        if names not in self._ranges:
            chosen = [self._storage.parameters[p.name] for p in self._learnt if p.name in set(names)]
            bits = [update.OF_BIASES if s.parameter.name in self._biases else update.OF_WEIGHTS for s in chosen]
            lines = [(s.start, s.start + s.size, bit) for s, bit in zip(chosen, bits, strict=True)]
            self._ranges[names] = np.array(lines, dtype=np.int64).reshape(-1)
        return self._ranges[names]

    def _remembered(self, optimizer: Any, kind: str, names: Collection[str]) -> Array:
        if kind not in self._kept:
            flat = aligned_zeros(1, len(self._weights), self._weights.dtype)[0, : len(self._weights)]
            self._kept[kind] = flat, self._views(flat)
        flat, views = self._kept[kind]
        optimizer.hold(kind, {name: views[name] for name in names})
        return flat

    def _views(self, flat: Array) -> dict[str, Array]:
        return {p.name: self._storage.parameters[p.name].view(flat) for p in self._learnt}
