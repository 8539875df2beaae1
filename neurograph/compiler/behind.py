"""A maximum behind a step: for every window, which of the step's cells it may take."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Box
from neurograph.compiler.cells import Cells

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Behind:
    """Windows as lists, per group of cells.

    Attributes
    ----------
    pairs : tuple of ndarray, shape (windows, 2)
        A maximum's address, and where its candidates begin.
    anchors : tuple of ndarray
        Each candidate's source anchor.
    gates : bool
        Whether only positive maxima hand δ on.
    """

    pairs: tuple[Index, ...]
    anchors: tuple[Index, ...]
    gates: bool


def find_behind(cells: Cells, box: Box, pools: list[Cells], gates: bool) -> Behind | None:
    """What stands behind the cells of a step, or None where their windows are not windows of whole cells.

    Parameters
    ----------
    cells : Cells
        Of the step, whose population is in `box`.
    pools : list of Cells
        Of the maximum: runs of as many neurons as the step has filters.
    """
    filters = cells.lanes * (len(cells.target) // cells.tied)
    if box.shape[0] != filters or box.extents[0] != filters or any(pool.lanes != filters for pool in pools):
        return None
    maxima = np.concatenate([pool.target for pool in pools])
    n_taps = np.concatenate([pool.n_taps for pool in pools])
    shown = np.concatenate([_sources(pool) for pool in pools]) - box.start
    if shown.min() < 0 or shown.max() + filters > box.size:
        return None  # a view of this step's neurons, not they themselves
    rows = np.stack([maxima, np.cumsum(n_taps) - n_taps], axis=1)
    pairs: list[Index] = []
    anchors: list[Index] = []
    for group in range(0, len(cells.target), cells.tied):
        anchor_of = np.full(box.size, -1, dtype=np.int64)
        mine = slice(group, group + cells.tied)
        anchor_of[cells.target[mine] - box.start] = cells.source[mine]
        channel = int((cells.target[group] - box.start) % filters)
        found = anchor_of[shown + channel]
        if (found < 0).any():
            return None
        pairs.append(rows + np.array([channel, 0]))
        anchors.append(found)
    return Behind(tuple(pairs), tuple(anchors), gates)


def apart(rows: Index) -> Index:
    """The same rows in an order in which neighbours were far apart: steps of the golden ratio, which meet every row once.

    Who adds errors to what the last winner just wrote has to wait for it.

    Examples
    --------
    >>> apart(np.arange(10)).tolist()
    [0, 3, 6, 9, 2, 5, 8, 1, 4, 7]
    """
    n = len(rows)
    step = next(step for step in range(max(1, int(n * (3 - 5**0.5) / 2)), n + 1) if gcd(step, n) == 1)
    found: Index = rows[np.arange(n) * step % n]
    return found


def _sources(cells: Cells) -> Index:
    """Source addresses of all taps, cell after cell."""
    before = np.cumsum(cells.n_taps) - cells.n_taps
    tap = np.arange(int(cells.n_taps.sum())) + np.repeat(cells.first_tap - before, cells.n_taps)
    found: Index = np.repeat(cells.source, cells.n_taps) + cells.taps[tap, 0]
    return found
