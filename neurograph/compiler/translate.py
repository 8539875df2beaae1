"""Third pass: equal stencils found and proved. A convolution is discovered here, from structure alone.

Two neurons have the same stencil when their fan-in lists agree up to one shift of the sources and one shift of the weights.
Lists are hashed, which proposes classes; then every list is compared with its class's first, which proves them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.bundle import Bundle
from neurograph.compiler.plan import Numbers, PlanParameter, Taps
from neurograph.compiler.schedule import spans

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Stencils:
    """The neurons of a bundle by stencil."""

    rows: Bundle
    label: Index
    """Per neuron: its stencil's number. Stencils are numbered by their first neuron."""

    first: Index
    """Per stencil: its first neuron."""

    source: Index
    """Per neuron: position of its first source, shape (n, rank)."""

    weight: Index
    """Per neuron: the address its weights count from; 0 where edges carry no weight."""

    def taps(self, label: int) -> Taps:
        """The stencil of that number."""
        neuron = self.first[label]
        edges = slice(self.rows.start[neuron], self.rows.start[neuron + 1])
        weight = None if self.rows.weight is None else Numbers(self.rows.weight[edges] - self.weight[neuron])
        return Taps(Numbers(self.rows.source[edges] - self.source[neuron]), weight)


def translate(rows: Bundle, parameters: Sequence[PlanParameter] | None) -> Stencils:
    """Find the neurons of equal stencil.

    Parameters
    ----------
    parameters : sequence of PlanParameter, optional
        Where the rows of weights lie. None: every neuron's weights count from its first.

    Notes
    -----
    O(edges). Source positions become guarded addresses: row-major strides over doubled extents, so that equal differences of
    addresses mean equal differences of positions.
    """
    first = rows.start[:-1]
    address = _guarded(rows.source)
    weight = np.zeros(len(rows), dtype=np.int64) if rows.weight is None else anchors(rows, parameters)
    relative_source = address - np.repeat(address[first], rows.lengths)
    relative_weight = None if rows.weight is None else rows.weight - np.repeat(weight, rows.lengths)
    proposed = _propose(rows, relative_source, relative_weight)
    label = _prove(rows, proposed, relative_source, relative_weight)
    label, firsts = _by_first_neuron(label)
    return Stencils(rows, label, firsts, rows.source[first], weight)


def anchors(rows: Bundle, parameters: Sequence[PlanParameter] | None) -> Index:
    """Per neuron: the start of its weights' row where all of them lie in one row of a parameter, else its first weight.

    A bias is one weight, and its row says nothing about sharing: edges from `ONE` count from themselves.
    """
    assert rows.weight is not None
    first = rows.weight[rows.start[:-1]]
    if rows.source.shape[1] == 0 or parameters is None:
        return first
    low = np.minimum.reduceat(rows.weight, rows.start[:-1])
    high = np.maximum.reduceat(rows.weight, rows.start[:-1])
    offsets = np.array([parameter.offset for parameter in parameters], dtype=np.int64)
    lengths = np.array([parameter.row for parameter in parameters], dtype=np.int64)
    which = np.searchsorted(offsets, low, side="right") - 1
    begin = low - (low - offsets[which]) % lengths[which]
    return np.where(high < begin + lengths[which], begin, first)


def _guarded(source: Index) -> Index:
    address = np.zeros(len(source), dtype=np.int64)
    if not source.size:
        return address
    low, high = source.min(axis=0), source.max(axis=0)
    for axis in range(source.shape[1]):
        address = address * (2 * (high[axis] - low[axis]) + 1) + source[:, axis]
    return address


def _propose(rows: Bundle, source: Index, weight: Index | None) -> NDArray[np.uint64]:
    """A number per neuron that is equal wherever the lists are."""
    ordinal = np.arange(len(source), dtype=np.int64) - np.repeat(rows.start[:-1], rows.lengths)
    a, b, c, lengths = multipliers(4)
    mixed = source.view(np.uint64) * a + c
    if weight is not None:
        mixed += weight.view(np.uint64) * b
    mixed *= multipliers(int(rows.lengths.max(initial=0)) + 4)[ordinal + 4]
    return np.asarray(np.add.reduceat(mixed, rows.start[:-1]) + rows.lengths.view(np.uint64) * lengths)


@lru_cache(maxsize=8)
def multipliers(n: int) -> NDArray[np.uint64]:
    """The first n of a fixed sequence of odd random numbers."""
    return np.random.default_rng(20).integers(0, 2**64, n, dtype=np.uint64) | np.uint64(1)


def _prove(rows: Bundle, proposed: NDArray[np.uint64], source: Index, weight: Index | None) -> Index:
    """Classes in which every list equals the first; what differs is sorted out by content."""
    _, first, label = np.unique(proposed, return_index=True, return_inverse=True)
    leader = first[label]
    begin = rows.start[leader]
    comparable = rows.lengths == rows.lengths[leader]
    neurons = np.flatnonzero(comparable & (leader != np.arange(len(rows))))
    mine = spans(rows.start[neurons], rows.start[neurons + 1])
    theirs = spans(begin[neurons], begin[neurons] + rows.lengths[neurons])
    equal = source[mine] == source[theirs]
    if weight is not None:
        equal &= weight[mine] == weight[theirs]
    proved = np.ones(len(rows), dtype=np.bool_)
    if len(neurons):
        starts = np.concatenate([[0], np.cumsum(rows.lengths[neurons])[:-1]])
        proved[neurons] = np.logical_and.reduceat(equal, starts)
    proved &= comparable
    return _by_content(rows, np.asarray(label, dtype=np.int64), ~proved, source, weight)


def _by_content(rows: Bundle, label: Index, collided: NDArray[np.bool_], source: Index, weight: Index | None) -> Index:
    """Give the neurons whose hash lied classes of their own, by comparing whole lists."""
    found: dict[tuple[bytes, bytes], int] = {}
    beyond = int(label.max(initial=-1)) + 1
    for neuron in np.flatnonzero(collided).tolist():
        edges = slice(rows.start[neuron], rows.start[neuron + 1])
        content = source[edges].tobytes(), b"" if weight is None else weight[edges].tobytes()
        label[neuron] = found.setdefault(content, beyond + len(found))
    return label


def _by_first_neuron(label: Index) -> tuple[Index, Index]:
    """Renumber classes in the order of their first neurons, and return those."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[inverse], first[order]
