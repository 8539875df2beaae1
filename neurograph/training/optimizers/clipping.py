"""Gradients that are too long are shortened before the step: by the length of all of them together, or number by number."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

TINY = 1e-6
"""Added to the length that is divided by, as PyTorch does."""


def length(gradients: Iterable[Array]) -> float:
    """√Σg² over all numbers of all arrays, summed in double precision, array after array."""
    return sqrt(sum(float(np.sum(np.square(g, dtype=np.float64))) for g in gradients))


def shortening(gradients: Iterable[Array], most: float) -> float:
    """The factor that makes all gradients together at most `most` long: min(1, most/(√Σg² + 10⁻⁶)).

    Examples
    --------
    >>> f"{shortening([np.array([3.0]), np.array([[4.0]])], 1.0):.6f}"
    '0.200000'
    >>> shortening([np.array([0.3])], 1.0)
    1.0

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio: On the difficulty of training recurrent neural networks. ICML 2013, algorithm 1.
    """
    return min(1.0, most / (length(gradients) + TINY))


def limited(gradient: Array, most: float) -> Array:
    """Every number at least −most and at most `most`; NaN stays NaN.

    Examples
    --------
    >>> limited(np.array([-3.0, 0.5, 2.0]), 1.0).tolist()
    [-1.0, 0.5, 1.0]
    """
    found: Array = np.clip(gradient, -most, most)
    return found
