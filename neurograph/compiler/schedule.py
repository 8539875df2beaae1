"""Topological order of steps, and the depth of neurons. Knows numbers only: things 0…n−1 and who reads whom."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import GraphError

Index = NDArray[np.int64]


def depths(n: int, source: Index, target: Index) -> Index:
    """Length of the longest path that ends at each of n nodes.

    Raises
    ------
    GraphError
        If there is a cycle.

    Examples
    --------
    >>> depths(4, np.array([0, 1, 0]), np.array([1, 2, 2])).tolist()
    [0, 1, 2, 0]
    """
    depth = np.zeros(n, dtype=np.int64)
    waiting = np.bincount(target, minlength=n)
    by_source = target[np.argsort(source, kind="stable")]
    start = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))])
    frontier = np.flatnonzero(waiting == 0)
    level, done = 0, 0
    while len(frontier):
        depth[frontier] = level
        done += len(frontier)
        reached, count = np.unique(by_source[spans(start[frontier], start[frontier + 1])], return_counts=True)
        waiting[reached] -= count
        frontier = reached[waiting[reached] == 0]
        level += 1
    if done < n:
        raise GraphError(
            f"the graph has a cycle: {n - done} neurons read, directly or not, what depends on them. Remove an edge of it."
        )
    return depth


def spans(first: Index, last: Index) -> Index:
    """The concatenation of ``range(first[i], last[i])``.

    Examples
    --------
    >>> spans(np.array([3, 7]), np.array([5, 8])).tolist()
    [3, 4, 7]
    """
    length = last - first
    end = np.cumsum(length)
    total = int(end[-1]) if len(end) else 0
    found: Index = np.arange(total, dtype=np.int64) + np.repeat(first - (end - length), length)
    return found


def distinct_pairs(first: Index, second: Index, n: int) -> list[tuple[int, int]]:
    """Distinct pairs of numbers below n, sorted."""
    key = first * n + second
    if n * n <= 4_000_000:
        seen = np.zeros(n * n, dtype=np.bool_)
        seen[key] = True
        found = np.flatnonzero(seen)
    else:
        found = np.unique(key)
    return [(int(k) // n, int(k) % n) for k in found]


def topological(n: int, pairs: list[tuple[int, int]]) -> tuple[list[int], set[int]]:
    """Order n steps by (source, target) pairs, smallest number first wherever there is a choice.

    Returns
    -------
    order : list of int
        Steps that can be ordered.
    knotted : set of int
        Steps on a cycle, or between two cycles; empty when everything was ordered.

    Examples
    --------
    >>> topological(3, [(2, 0), (0, 1)])
    ([2, 0, 1], set())
    >>> topological(3, [(0, 1), (1, 1), (1, 2)])
    ([0], {1})
    """
    order = _peel(n, pairs)
    left = set(range(n)) - set(order)
    backwards = _peel(n, [(target, source) for source, target in pairs])
    return order, left - set(backwards)


def _peel(n: int, pairs: list[tuple[int, int]]) -> list[int]:
    waiting = [0] * n
    readers: list[list[int]] = [[] for _ in range(n)]
    for source, target in pairs:
        waiting[target] += 1
        readers[source].append(target)
    ready = [i for i in range(n) if waiting[i] == 0]
    order = []
    while ready:
        step = heapq.heappop(ready)
        order.append(step)
        for reader in readers[step]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, reader)
    return order
