"""Samples held out, so that classes keep their shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def held_out(y: NDArray[Any], n: int, seed: int | list[int]) -> NDArray[np.bool_]:
    """Mark exactly `n` samples: drawn within each class by largest remainder, or, where y holds values, from all.

    Parameters
    ----------
    y : ndarray, shape (samples,) or (samples, values)
        Classes (whole numbers), or values to predict.
    n : int
        How many, at most as many as there are.
    seed : int or list of int

    Returns
    -------
    ndarray of bool, shape (samples,)

    Examples
    --------
    >>> marked = held_out(np.array([0] * 6 + [1] * 3), 3, seed=0)
    >>> marked[:6].sum(), marked[6:].sum()
    (np.int64(2), np.int64(1))
    """
    rng = np.random.default_rng(seed)
    marked = np.zeros(len(y), dtype=bool)
    if y.ndim != 1 or y.dtype.kind not in "iub":
        marked[rng.permutation(len(y))[:n]] = True
        return marked
    classes, counts = np.unique(y, return_counts=True)
    shares, remainders = counts * n // len(y), counts * n % len(y)
    shares[np.argsort(-remainders, kind="stable")[: n - int(shares.sum())]] += 1
    for label, share in zip(classes, shares, strict=True):
        marked[rng.permutation(np.flatnonzero(y == label))[:share]] = True
    return marked
