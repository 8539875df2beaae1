"""A fan-in as vectors of neighbouring sources."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.cells import Cells

Index = NDArray[np.int64]


def chunks_of(cells: Cells, vector: int) -> tuple[list[tuple[int, int]], Index]:
    """Taps as stretches of neighbouring sources, cut into vectors: (source offset, length) of each, and the taps it holds (−1: none)."""
    order = np.argsort(cells.taps[:, 0], kind="stable")
    offsets = cells.taps[order, 0]
    breaks = np.flatnonzero(np.diff(offsets) != 1) + 1
    chunks: list[tuple[int, int]] = []
    held: list[Index] = []
    for stretch in np.split(np.arange(len(order)), breaks):
        for first in range(0, len(stretch), vector):
            piece = stretch[first : first + vector]
            chunks.append((int(offsets[piece[0]]), len(piece)))
            held.append(np.pad(order[piece], (0, vector - len(piece)), constant_values=-1))
    return chunks, np.array(held, dtype=np.int64)
