"""Threads inside one sample: where a step of a few samples is large, each thread computes a share of its lanes.

Every lane's sum is computed whole by one thread, so the answers have the same bits for any number of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.image import Image
from neurograph.compiler.launching import Launch
from neurograph.kernels import code as c
from neurograph.kernels.interpret import interpreter
from neurograph.kernels.tiles import WINDOW

Index = NDArray[np.int64]

Stretches = list[tuple[int, int, bool]]

LARGE = 10_000_000
"""Operations of an instruction (some 0.1 ms) that are worth waking threads for."""


def shared_stretches(image: Image) -> Stretches:
    """Stretches of instructions of a forward pass, in order: the first, how many, and whether threads share them.

    Nothing if none is large enough.
    """
    before, _, _, after = image.parts
    large = [_operations(image, row) >= LARGE for row in image.code]
    stretches: Stretches = []
    for i in range(before, len(large) - after):
        if stretches and not large[i] and not stretches[-1][2]:
            first, count, _ = stretches.pop()
            stretches.append((first, count + 1, False))
        else:
            stretches.append((i, 1, large[i]))
    return stretches if any(large) and image.channels else []


def _operations(image: Image, row: Index) -> int:
    """Multiplications and additions for one sample, of instructions whose lanes can be shared."""
    windows = 1
    if row[c.OP] % c.N_OPERATIONS == c.LANES_DOT:
        cell = row[c.START]
    elif row[c.OP] % c.N_OPERATIONS == c.LANES_POOLED:
        cell, windows = row[c.SHIFT], WINDOW
    else:
        return 0
    return int(2 * row[c.COUNT] * windows * row[c.LANES] * image.tables[cell + c.N_TAPS])


def run_shared(launch: Launch, rows: Any, samples: int, stretches: Stretches, threads: int) -> None:
    """Walk stretches one by one, as shares of the first contexts; each poses as what comes when all blocks are through.

    Parameters
    ----------
    launch : Launch
    rows : ndarray
        Contexts that share their memory, and behind them the one of what runs before all.
    samples : int
    stretches : list
        Of `shared_stretches`.
    threads : int
    """
    work, n_shares = interpreter(), len(rows) - 1
    kept = rows.copy()
    rows[:, c.FIRST_SAMPLE], rows[:, c.VALID], rows[:, c.PASSES], rows[:, c.PHASE] = 0, samples, samples, 2
    rows[:n_shares, c.SHARE] = np.arange(n_shares)
    for first, count, is_shared in stretches:
        shares = n_shares if is_shared else 1
        rows[:, c.N_SHARES], rows[:, c.N_INSTRUCTIONS], rows[:, c.N_AFTER] = shares, first + count, count
        launch(work, rows, shares, threads)
    rows[...] = kept
