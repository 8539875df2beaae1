"""Addresses as few integers: a whole box as nested loops or as the stretches of memory it fills, any list in even steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Box
from neurograph.kernels.code import PIECE

Index = NDArray[np.int64]
LOOPS = (PIECE - 1) // 2


def pieces_of_box(box: Box) -> Index:
    """All neurons of a box, row-major, as pieces (see `neurograph.kernels.code`), shape (pieces, PIECE).

    Examples
    --------
    >>> pieces_of_box(Box(10, (2, 3), (0, 1), (0, 1))).tolist()
    [[11, 1, 0, 2, 5, 3, 1]]
    """
    steps = box.steps.tolist()
    first = np.array([box.start + sum(low * step for low, step in zip(box.lower, steps, strict=True))], dtype=np.int64)
    loops: list[tuple[int, int]] = []
    for count, step in zip(box.shape, steps, strict=True):
        if loops and loops[-1][1] == count * step:
            loops[-1] = loops[-1][0] * count, step
        else:
            loops.append((count, step))
    while len(loops) > LOOPS:
        count, step = loops.pop(0)
        first = np.add.outer(first, np.arange(count, dtype=np.int64) * step).reshape(-1)
    loops = [(1, 0)] * (LOOPS - len(loops)) + loops
    pieces = np.empty((len(first), PIECE), dtype=np.int64)
    pieces[:, 0], pieces[:, 1:] = first, np.array(loops).reshape(-1)
    return pieces


def pieces_of(addresses: Index) -> Index:
    """Addresses in their order as pieces of one loop each: three or more in even steps, or neighbours, else one by one.

    Examples
    --------
    >>> pieces_of(np.array([4, 7, 10, 30, 33, 36, 5]))[:, [0, 5, 6]].tolist()
    [[4, 3, 3], [30, 3, 3], [5, 1, 1]]
    """
    ways = np.diff(addresses)
    turns = np.flatnonzero(np.diff(ways)) + 1
    begins, ends = np.concatenate([[0], turns])[: len(ways)], np.concatenate([turns, [len(ways)]])[: len(ways)]
    even = (ends - begins > 1) | (ways[begins] == 1)
    begins, ends = begins[even], ends[even]
    steps = ways[begins]
    begins[1:] += begins[1:] == ends[:-1]  # where two stretches meet, the address belongs to the first
    inside = np.zeros(len(addresses) + 1, dtype=np.int64)
    inside[begins] += 1
    inside[ends + 1] -= 1
    single = np.flatnonzero(np.cumsum(inside[:-1]) == 0)
    starts, ones = np.concatenate([begins, single]), np.ones(len(single), dtype=np.int64)
    order = np.argsort(starts)
    pieces = np.zeros((len(starts), PIECE), dtype=np.int64)
    pieces[:, 0], pieces[:, 1], pieces[:, 3] = addresses[starts[order]], 1, 1
    pieces[:, 5] = np.concatenate([ends - begins + 1, ones])[order]
    pieces[:, 6] = np.concatenate([steps, ones])[order]
    return pieces


def runs_of_box(box: Box) -> Index:
    """All neurons of a box as stretches of memory, pairs (first, how many), in the order of memory.

    Examples
    --------
    >>> runs_of_box(Box(10, (2, 3), (0, 1), (0, 1))).tolist()
    [[11, 3], [16, 3]]
    """
    runs: Index = copies_of_box(box, box)[:, 1:]
    return runs


def copies_of_box(source: Box, view: Box) -> Index:
    """The same neurons in two boxes as stretches of memory: triples (from, to, how many), in the order of memory.

    Examples
    --------
    >>> copies_of_box(Box(0, (2, 3), (0, 0), (0, 0)), Box(10, (2, 3), (0, 1), (0, 1))).tolist()
    [[0, 11, 3], [3, 16, 3]]
    """
    firsts, length = [np.array([box.start], dtype=np.int64) for box in (source, view)], 1
    steps = zip(source.steps.tolist(), view.steps.tolist(), strict=True)
    axes = sorted(zip(steps, source.shape, zip(source.lower, view.lower, strict=True), strict=True), reverse=True)
    while axes and axes[-1][0] == (length, length):
        apart, count, lows = axes.pop()
        firsts = [first + low * step for first, low, step in zip(firsts, lows, apart, strict=True)]
        length *= count
    for apart, count, lows in axes:
        firsts = [
            np.add.outer(first, (low + np.arange(count, dtype=np.int64)) * step).reshape(-1)
            for first, low, step in zip(firsts, lows, apart, strict=True)
        ]
    return np.stack([*firsts, np.full_like(firsts[0], length)], axis=1)
