"""Brings samples to a network's input, as a spec's [data] says: pad, then resize, then map [0, 1] to [low, high].

At the end a sample with the right number of values is given the input's shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import DataError

Array = NDArray[Any]


def prepare(
    x: Array,
    shape: tuple[int, ...] | None = None,
    *,
    pad: int | Sequence[int] | None = None,
    resize: int | Sequence[int] | None = None,
    low: float = 0.0,
    high: float = 1.0,
) -> Array:
    """Prepare samples for a network; the given array is never changed.

    Parameters
    ----------
    x : ndarray, shape (n, channels, rows, columns)
        Values in [0, 1].
    shape : tuple of int, optional
        The input's shape, without the batch.
    pad : int or pair of int, optional
        Zeros added above and below, and left and right.
    resize : int or pair of int, optional
        New rows and columns.
    low, high : float
        What 0 and 1 become.

    Raises
    ------
    DataError
        If an option does not fit the samples, or the result does not fit `shape`.

    Examples
    --------
    >>> prepare(np.ones((5, 1, 28, 28)), (1, 32, 32), pad=2).shape
    (5, 1, 32, 32)
    >>> prepare(np.ones((5, 1, 28, 28)), (784,), low=-0.1, high=1.175).max()
    np.float64(1.175)
    """
    if (pad or resize) and x.ndim != 4:
        found = _times(x.shape[1:])
        raise DataError(
            f"[data]: pad and resize need images (channels, rows, columns); the samples have shape {found}."
        )
    if pad:
        rows, columns = _pair("pad", pad, 0)
        x = np.pad(x, ((0, 0), (0, 0), (rows, rows), (columns, columns)))
    if resize is not None:
        x = resized(x, *_pair("resize", resize, 1))
    if (low, high) != (0.0, 1.0):
        x = x * x.dtype.type(high - low) + x.dtype.type(low)
    return x if shape is None else _shaped(x, shape)


def resized(x: Array, rows: int, columns: int) -> Array:
    """Images of another size: linear interpolation, over as many pixels as a new one covers.

    Examples
    --------
    >>> resized(np.array([[[[0.0, 1.0], [2.0, 3.0]]]]), 1, 1)
    array([[[[1.5]]]])
    """
    over_rows = interpolation(x.shape[2], rows).astype(x.dtype)
    over_columns = interpolation(x.shape[3], columns).astype(x.dtype)
    result: Array = over_rows @ x @ over_columns.T
    return result


def interpolation(n: int, m: int) -> NDArray[np.float64]:
    """Matrix (m, n) that turns n values along an axis into m: triangles as wide as a new pixel, each row adds up to 1.

    Examples
    --------
    >>> interpolation(3, 3).round(3)
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    width = max(n / m, 1.0)
    centre = (np.arange(m) + 0.5) * (n / m)
    distance = np.abs(np.arange(n) + 0.5 - centre[:, None]) / width
    weight: NDArray[np.float64] = np.maximum(0.0, 1.0 - distance)
    weight /= weight.sum(axis=1, keepdims=True)
    return weight


def _shaped(x: Array, shape: tuple[int, ...]) -> Array:
    if x.shape[1:] == tuple(shape):
        return x
    if prod(x.shape[1:]) == prod(shape):
        return x.reshape(len(x), *shape)
    raise DataError(
        f"samples of shape {_times(x.shape[1:])} do not fit the network's input, which is {_times(shape)}. "
        f"Use other data, or [data] pad and resize in the spec."
    )


def _pair(key: str, value: int | Sequence[int], least: int) -> tuple[int, int]:
    """One number for both axes, or one for each."""
    numbers = [value, value] if isinstance(value, int) else list(value)
    numbers = numbers * 2 if len(numbers) == 1 else numbers
    if len(numbers) != 2 or min(numbers) < least:
        raise DataError(
            f"[data]: {key} = {value}; expected a whole number of at least {least}, or two (rows, columns)."
        )
    return numbers[0], numbers[1]


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
