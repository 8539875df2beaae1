"""Memory as vectors want it: a vector that reaches across two cache lines costs two accesses instead of one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 64
"""Bytes of a cache line, and of the widest vector."""

SLACK = 192
"""Places behind the last number, which vectors may read and never use: a row of `TILE` vectors, and one more."""


def aligned_zeros(rows: int, length: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Zeros whose rows start at multiples of `ALIGNMENT` bytes; pages that nobody touches cost nothing.

    Examples
    --------
    >>> rows = aligned_zeros(3, 5, np.dtype("float32"))
    >>> len(rows), rows.shape[1] >= 5, [row.ctypes.data % ALIGNMENT for row in rows]
    (3, True, [0, 0, 0])
    """
    per_line = ALIGNMENT // dtype.itemsize
    length = -(-length // SLACK) * SLACK
    flat = np.zeros(rows * length + per_line, dtype)
    skip = (-flat.ctypes.data // dtype.itemsize) % per_line
    return flat[skip : skip + rows * length].reshape(rows, length)
