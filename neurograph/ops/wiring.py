"""Which source feeds which target along one axis, in closed form.

The edges of a projection are the product of such wirings, one an axis: a target (f, v, u) sees a source (c, y, x) exactly when
f sees c, v sees y and u sees x, and the flat index of the edge's weight is the sum of what each axis adds. So counting never
enumerates, and `build`, the compiler and the inspector enumerate only what they ask for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from neurograph.shapes import sum_of_floors

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Links:
    """Wires along one axis, written out: three arrays of equal length, ordered by target, then source."""

    target: Index
    source: Index
    weight: Index

    def __len__(self) -> int:
        return len(self.target)

    def into(self, target: int) -> Links:
        """The wires that end at one target coordinate."""
        return self._where(self.target == target)

    def out_of(self, source: int) -> Links:
        """The wires that start at one source coordinate."""
        return self._where(self.source == source)

    def _where(self, mask: NDArray[np.bool_]) -> Links:
        return Links(self.target[mask], self.source[mask], self.weight[mask])


@dataclass(frozen=True)
class Blocks:
    """Every target of a group sees every source of that group: dense (one group), grouped, one-to-one (groups of one).

    Target t of group g sees the sources g·sources … (g+1)·sources − 1; the edge adds
    ``t·target_weight + (s mod sources)·source_weight`` to the weight's flat index.
    """

    groups: int
    targets: int
    sources: int
    target_weight: int = 0
    source_weight: int = 0

    @property
    def count(self) -> int:
        return self.groups * self.targets * self.sources

    @property
    def n_targets(self) -> int:
        return self.groups * self.targets

    @property
    def n_sources(self) -> int:
        return self.groups * self.sources

    def links(self) -> Links:
        target = np.repeat(np.arange(self.n_targets, dtype=np.int64), self.sources)
        local = np.tile(np.arange(self.sources, dtype=np.int64), self.n_targets)
        source = target // self.targets * self.sources + local
        return Links(target, source, target * self.target_weight + local * self.source_weight)

    def into(self, target: int) -> Links:
        """The wires into one target coordinate, without writing out the others."""
        local = np.arange(self.sources, dtype=np.int64)
        weight = target * self.target_weight + local * self.source_weight
        return Links(np.full_like(local, target), target // self.targets * self.sources + local, weight)

    def out_of(self, source: int) -> Links:
        """The wires out of one source coordinate, without writing out the others."""
        group, local = divmod(source, self.sources)
        target = group * self.targets + np.arange(self.targets, dtype=np.int64)
        weight = target * self.target_weight + local * self.source_weight
        return Links(target, np.full_like(target, source), weight)


@dataclass(frozen=True)
class Window:
    """A sliding window: target t sees source stride·t + dilation·i − before for tap i, where that lies inside.

    The edge adds ``t·target_weight + i·tap_weight``. With `padded`, positions outside count as edges too (their sources
    are constant nodes, with coordinates below 0 or at and above `n_sources`).
    """

    n_targets: int
    n_sources: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    tap_weight: int = 0
    target_weight: int = 0
    padded: bool = False

    @cached_property
    def count(self) -> int:
        if self.padded:
            return self.n_targets * self.kernel
        return self._below(self.n_sources) - self._below(0)

    def _inside(self, tap: int) -> int:
        """How many targets have this tap inside the source."""
        shift = self.dilation * tap - self.before
        first = max(0, -(shift // self.stride))
        last = min(self.n_targets - 1, (self.n_sources - 1 - shift) // self.stride)
        return max(0, last - first + 1)

    def _below(self, limit: int) -> int:
        """How many (target, tap) pairs look at a coordinate below `limit`: Σ over taps of ⌈(limit + before − d·tap) / s⌉, clipped."""
        s, d, room = self.stride, self.dilation, limit + self.before
        all_targets = min(max((room + s - 1 - s * self.n_targets) // d + 1, 0), self.kernel)
        some_target = min(max((room - 1) // d + 1, all_targets), self.kernel)
        n_partly = some_target - all_targets
        partly = sum_of_floors(n_partly, d, room + s - 1 - d * (some_target - 1), s) if n_partly else 0
        return self.n_targets * all_targets + partly

    def links(self) -> Links:
        target = np.repeat(np.arange(self.n_targets, dtype=np.int64), self.kernel)
        tap = np.tile(np.arange(self.kernel, dtype=np.int64), self.n_targets)
        return self._links(target, tap)

    def into(self, target: int) -> Links:
        """The wires into one target coordinate."""
        tap = np.arange(self.kernel, dtype=np.int64)
        return self._links(np.full_like(tap, target), tap)

    def out_of(self, source: int) -> Links:
        """The wires out of one source coordinate, in order of their targets."""
        tap = np.arange(self.kernel - 1, -1, -1, dtype=np.int64)
        target, rest = np.divmod(source + self.before - self.dilation * tap, self.stride)
        keep = (rest == 0) & (target >= 0) & (target < self.n_targets)
        return self._links(target[keep], tap[keep])

    def _links(self, target: Index, tap: Index) -> Links:
        source = self.stride * target + self.dilation * tap - self.before
        weight = target * self.target_weight + tap * self.tap_weight
        if self.padded:
            return Links(target, source, weight)
        keep = (source >= 0) & (source < self.n_sources)
        return Links(target[keep], source[keep], weight[keep])


@dataclass(frozen=True)
class Pairs:
    """Wires listed one by one, for connection tables and groups that straddle a concatenation."""

    n_targets: int
    n_sources: int
    wires: tuple[tuple[int, int, int], ...]
    """(target, source, weight contribution), ordered by target, then source."""

    _links: Links = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        columns = np.array(self.wires, dtype=np.int64).reshape(-1, 3)
        object.__setattr__(self, "_links", Links(columns[:, 0], columns[:, 1], columns[:, 2]))

    @property
    def count(self) -> int:
        return len(self.wires)

    def links(self) -> Links:
        return self._links

    def into(self, target: int) -> Links:
        return self._links.into(target)

    def out_of(self, source: int) -> Links:
        return self._links.out_of(source)


Wiring = Blocks | Window | Pairs
