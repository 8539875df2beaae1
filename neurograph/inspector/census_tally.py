"""What a census counts while batches pass by: who fired, who was saturated, who won, where a δ arrived. One row of counters a layer."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.inspector.census_wiring import FanIns, Members, Wiring
from neurograph.trace import Trace

Array = NDArray[Any]
Counts = NDArray[np.int64]

SLOPES: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: (1 - a) * (1 + a),
    "scaled_tanh": lambda a: 1.7159 * 2 / 3 * (1 - a / 1.7159) * (1 + a / 1.7159),
}
"""Activations that saturate on both sides → f′ from a."""


@dataclass(eq=False)
class Windows:
    """The windows of a layer's maxima.

    Attributes
    ----------
    targets : ndarray
        Flat positions of the maxima in their layer.
    columns : ndarray, shape (maxima, widest window)
        The sources' columns, in fan-in order; −1 where a window is smaller.
    wins, paid : ndarray, shape (maxima, widest window)
        Samples in which each source won; in which it won and the maximum had a δ other than 0.
    tied, blank : ndarray, shape (maxima,)
        Samples in which several sources shared the maximum, so that the first of them won; in which that maximum was 0.
    """

    targets: Counts
    columns: Counts
    wins: Counts
    paid: Counts
    tied: Counts
    blank: Counts


class Tally:
    """The counters of one layer.

    Attributes
    ----------
    fired : ndarray of int
        Samples with z > 0.
    flat : ndarray of int
        Samples in which |f′(z)| was below the threshold; 0 for activations that do not saturate.
    carried : ndarray of int
        Samples with δ ≠ 0.
    seen : ndarray of bool
        Whether a was ever other than 0.
    largest_z : ndarray
    windows : Windows or None
    """

    def __init__(self, name: Hashable, members: Members, windows: Windows | None) -> None:
        self.name, self.members, self.windows = name, members, windows
        n = len(members.kind)
        self.fired, self.flat, self.carried = (np.zeros(n, np.int64) for _ in range(3))
        self.seen = np.zeros(n, dtype=bool)
        self.largest_z = np.full(n, -np.inf)
        self._saturating = {word: members.activation == word for word in SLOPES if (members.activation == word).any()}

    def add(self, trace: Trace, row: Array, threshold: float) -> None:
        """Count one batch; `row` has every neuron's a, one row a sample."""
        z, a, delta = (self._flat(getattr(trace, what)) for what in ("z", "a", "delta"))
        self.fired += (z > 0).sum(axis=0)
        self.largest_z = np.fmax(self.largest_z, np.nanmax(np.where(np.isnan(z), -np.inf, z), axis=0))
        self.seen |= ((a != 0) & ~np.isnan(a)).any(axis=0)
        self.carried += ((delta != 0) & ~np.isnan(delta)).sum(axis=0)
        for word, mine in self._saturating.items():
            self.flat[mine] += (np.abs(SLOPES[word](a[:, mine].astype(np.float64))) < threshold).sum(axis=0)
        if self.windows is not None:
            _add_wins(self.windows, self._flat(trace.winners), delta, row)

    def _flat(self, values: Any) -> Array:
        array = np.asarray(values[self.name])
        return array.reshape(len(array), -1)


def windows_of(wiring: Wiring, name: Hashable, members: Members) -> Windows | None:
    """The windows of a layer's maxima; None where it has none."""
    maxima = np.flatnonzero((members.kind == "max") & members.there)
    if not len(maxima):
        return None
    edges = wiring.fan_ins(name)
    return _windows(edges, maxima, len(members.kind))


def _windows(edges: FanIns, maxima: Counts, n: int) -> Windows:
    row = np.full(n, -1, dtype=np.int64)
    row[maxima] = np.arange(len(maxima))
    mine = row[edges.target] >= 0
    target, column, number = row[edges.target[mine]], edges.column[mine], edges.number[mine]
    columns = np.full((len(maxima), int(number.max(initial=-1)) + 1), -1, dtype=np.int64)
    columns[target, number] = column
    return Windows(
        maxima, columns, np.zeros_like(columns), np.zeros_like(columns), *np.zeros((2, len(maxima)), np.int64)
    )


def _add_wins(windows: Windows, winners: Array, delta: Array, row: Array) -> None:
    won = winners[:, windows.targets]
    paid = delta[:, windows.targets] != 0
    maxima = np.arange(len(windows.targets))
    for winner, has_delta in zip(won, paid, strict=True):
        windows.wins[maxima, winner] += 1
        windows.paid[maxima[has_delta], winner[has_delta]] += 1
    seen = np.where(windows.columns >= 0, row[:, windows.columns], -np.inf)
    most = seen.max(axis=2)
    tied = ((seen == most[..., None]) & (windows.columns >= 0)).sum(axis=2) > 1
    windows.tied += tied.sum(axis=0)
    windows.blank += (tied & (most == 0)).sum(axis=0)
