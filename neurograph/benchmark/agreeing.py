"""Do contenders train the same network? Their losses over a few steps from the same weights, compared before anything is timed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurograph.benchmark.peers.contender import Contender

N_STEPS = 4
LIMIT = 1e-3
"""Largest difference of losses, relative to ours, at which two contenders count as the same."""


def losses(contender: Contender, given: Sequence[tuple[Any, Any]], steps: int = N_STEPS) -> list[float]:
    """The losses of the first steps."""
    return [float(contender.train(contender.ready(*given[step % len(given)]))) for step in range(steps)]


def outputs_apart(mine: Contender, theirs: Contender, batch: tuple[Any, Any]) -> float:
    """The largest difference of two contenders' outputs, relative to the largest output."""
    a, b = (np.asarray(one.infer(one.ready(*batch))) for one in (mine, theirs))
    return float(np.abs(a - b).max() / max(np.abs(a).max(), 1e-9))


def difference(mine: Sequence[float], theirs: Sequence[float]) -> float:
    """The largest relative difference of two lists of losses.

    Examples
    --------
    >>> difference([2.0, 1.0], [2.0, 1.5])
    0.5
    """
    return max(abs(a - b) / max(abs(a), 1e-9) for a, b in zip(mine, theirs, strict=True))
