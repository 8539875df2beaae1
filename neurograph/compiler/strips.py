"""Strips: edges that fill no nest, in the order in which kernels share most of what they load (see `neurograph.kernels.strips`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurograph.kernels.strips import ACROSS, TAP

Index = NDArray[np.int64]

FILL = 0.55
"""Share of pairs that must have an edge, for owners to share a strip: by itself, an edge takes two loads in place of one and a bit."""
REACH = 160
"""Targets whose δ, and the activations that their windows share, fit the nearest cache."""
NARROW_LIMIT = 2**31


@dataclass(frozen=True)
class Strips:
    """Narrow integers, and how many strips they are.

    Attributes
    ----------
    across, alone : ndarray
        Strips of several owners, and of one.
    """

    across: NDArray[np.int32]
    n_across: int
    alone: NDArray[np.int32]
    n_alone: int


def strips(owner: Index, met: Index, value: Index, labels: Index, missing: int) -> Strips:
    """Write edges as strips.

    Parameters
    ----------
    owner : ndarray, shape (edges,)
        Number of each edge's owner; neighbours share a strip.
    met, value : ndarray, shape (edges,)
        What the owner meets, which others may meet too, and what the pair has of its own.
    labels : ndarray, shape (owners, k)
        What the head of a strip says of each owner.
    missing : int
        The value of a pair without an edge.

    Examples
    --------
    Two owners meet 7 and 8, and one of them 9:

    >>> owner, met = np.array([0, 0, 1, 1, 1]), np.array([7, 8, 7, 8, 9])
    >>> made = strips(owner, met, np.arange(20, 25), np.array([[50], [51]]), missing=0)
    >>> made.n_across, made.n_alone, made.alone.tolist()
    (0, 2, [2, 50, 7, 20, 8, 21, 3, 51, 7, 22, 8, 23, 9, 24])
    """
    owner, met, value, again = _ordered(owner, met, value)
    group, lane = owner // ACROSS, owner % ACROSS
    order = np.lexsort((again, met, group))
    owner, met, value, group, lane = owner[order], met[order], value[order], group[order], lane[order]
    new = _changes(group, met, again[order])
    tap = np.cumsum(new) - 1
    n_groups = -(-len(labels) // ACROSS)
    n_taps = np.bincount(group[new], minlength=n_groups)
    shared = np.bincount(group, minlength=n_groups) >= FILL * ACROSS * n_taps
    wide = shared[group]
    bodies = np.full((int(n_taps.sum()), TAP), missing, dtype=np.int64)
    bodies[:, 0] = met[new]
    bodies[tap, 1 + lane] = value
    across = _written(_heads(labels, n_taps)[shared], bodies[shared[group[new]]], n_taps[shared])
    n_met = np.bincount(owner, minlength=len(labels))
    alone = np.flatnonzero(~shared[np.arange(len(labels)) // ACROSS])
    heads = np.concatenate([n_met[alone, None], labels[alone]], axis=1)
    by_owner = np.argsort(owner[~wide], kind="stable")
    pairs = np.stack([met[~wide][by_owner], value[~wide][by_owner]], axis=1)
    return Strips(across, int(shared.sum()), _written(heads, pairs, n_met[alone]), len(alone))


def row_strips(owner: Index, source: Index, weight: Index, targets: Index, biases: Index, zero: int) -> Strips:
    """Strips of neurons: what they meet is sources; `zero` is the address of a weight that is 0."""
    return strips(owner, source, weight, np.stack([targets, biases], axis=1), zero)


def use_strips(target: Index, source: Index, weight: Index, zero: int) -> Strips:
    """Strips of weights: what they meet is targets; `zero` is a place whose activation is 0.

    A weight with more than `REACH` targets has several strips, so that all weights of some targets find these at hand.
    """
    _, rank = np.unique(target, return_inverse=True)
    step = int(weight.max()) + 1
    distinct, owner = np.unique(rank.reshape(-1) // REACH * step + weight, return_inverse=True)
    return strips(owner.reshape(-1), target, source, distinct[:, None] % step, zero)


def as_table(narrow: NDArray[np.int32]) -> Index:
    """Two narrow integers to a place."""
    return np.concatenate([narrow, np.zeros(len(narrow) % 2, dtype=np.int32)]).view(np.int64)


def _ordered(owner: Index, met: Index, value: Index) -> tuple[Index, Index, Index, Index]:
    """Edges sorted, and for each the how-many-th it is between its pair: a weight may lead to a target twice."""
    order = np.lexsort((value, met, owner))
    owner, met, value = owner[order], met[order], value[order]
    new = _changes(owner, met)
    number = np.arange(len(owner), dtype=np.int64)
    return owner, met, value, number - number[new][np.cumsum(new) - 1]


def _changes(*columns: Index) -> NDArray[np.bool_]:
    """Which entries differ from the one before."""
    new = np.ones(len(columns[0]), dtype=np.bool_)
    new[1:] = False
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return new


def _heads(labels: Index, n_taps: Index) -> Index:
    """Per strip: what it meets, how many owners, and their labels; where there are fewer owners, the last is named again."""
    first = np.arange(0, len(labels), ACROSS)
    owners = np.minimum(len(labels) - first, ACROSS)
    named = labels[np.minimum(first[:, None] + np.arange(ACROSS), len(labels) - 1)]
    return np.concatenate([n_taps[:, None], owners[:, None], named.transpose(0, 2, 1).reshape(len(first), -1)], axis=1)


def _written(heads: Index, bodies: Index, lengths: Index) -> NDArray[np.int32]:
    """Every head before its part of the bodies."""
    head, step = heads.shape[1], bodies.shape[1]
    sizes = head + step * lengths
    starts = np.cumsum(sizes) - sizes
    out = np.empty(int(sizes.sum()), dtype=np.int32)
    out[starts[:, None] + np.arange(head)] = heads
    first = np.cumsum(lengths) - lengths
    within = np.arange(len(bodies)) - np.repeat(first, lengths)
    at = np.repeat(starts + head, lengths) + step * within
    out[at[:, None] + np.arange(step)] = bodies
    return out
