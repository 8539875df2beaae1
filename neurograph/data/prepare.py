"""Brings samples to a network's input, as a spec's [data] says: pad, then resize, then map [0, 1] to [low, high].

At the end a sample with the right number of values is given the input's shape. The result is the only new array of its size: samples
are worked on in portions, and bytes become floats there.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import DataError

Array = NDArray[Any]
PORTION = 1024
"""Samples worked on at once."""


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
        Values in [0, 1], or bytes 0…255, which become float32 in [0, 1].
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
    >>> prepare(np.full((2, 1, 2, 2), 51, dtype=np.uint8)).max()
    np.float32(0.2)
    """
    if (pad or resize) and x.ndim != 4:
        found = _times(x.shape[1:])
        raise DataError(
            f"[data]: pad and resize need images (channels, rows, columns); the samples have shape {found}."
        )
    margins = _pair("pad", pad, 0) if pad else (0, 0)
    size = _pair("resize", resize, 1) if resize is not None else None
    made = _made(x.shape[1:], margins, size)
    _check_fit(made, made if shape is None else shape)
    wanted = made if shape is None else tuple(shape)
    is_float = x.dtype.kind == "f" and x.dtype.itemsize >= 4
    if is_float and not any(margins) and size is None and (low, high) == (0.0, 1.0):
        return x if x.shape[1:] == wanted else x.reshape(len(x), *wanted)
    result: Array = np.empty((len(x), *made), dtype=x.dtype if is_float else np.float32)
    for start in range(0, len(x), PORTION):
        portion = slice(start, start + PORTION)
        result[portion] = _brought(_floats(x[portion]), margins, size, low, high)
    return result.reshape(len(x), *wanted)


def made_shape(found: tuple[int, ...], shape: tuple[int, ...], **options: Any) -> tuple[int, ...]:
    """Shape of a sample after pad and resize, before it is given the input's.

    Raises
    ------
    DataError
        If it does not fit the input.

    Examples
    --------
    >>> made_shape((1, 28, 28), (1024,), pad=2)
    (1, 32, 32)
    """
    nothing: Array = np.zeros((0, *found), dtype=np.float32)
    made: tuple[int, ...] = prepare(nothing, None, **options).shape[1:]
    _check_fit(made, shape)
    return made


def _brought(x: Array, margins: tuple[int, int], size: tuple[int, int] | None, low: float, high: float) -> Array:
    """A portion of samples: padded, resized, mapped."""
    if any(margins):
        rows, columns = margins
        x = np.pad(x, ((0, 0), (0, 0), (rows, rows), (columns, columns)))
    if size is not None:
        x = resized(x, *size)
    if (low, high) != (0.0, 1.0):
        x = x * x.dtype.type(high - low) + x.dtype.type(low)
    return x


def _floats(x: Array) -> Array:
    """Bytes as numbers in [0, 1], everything else as it is."""
    if x.dtype == np.uint8:
        return np.divide(x, np.float32(255), dtype=np.float32)
    return x if x.dtype.kind == "f" and x.dtype.itemsize >= 4 else x.astype(np.float32)


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


def _made(found: tuple[int, ...], margins: tuple[int, int], size: tuple[int, int] | None) -> tuple[int, ...]:
    """Shape of a sample after pad and resize."""
    if size is not None:
        return (found[0], *size)
    return (found[0], found[1] + 2 * margins[0], found[2] + 2 * margins[1]) if any(margins) else found


def _check_fit(made: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if prod(made) != prod(shape):
        raise DataError(
            f"samples of shape {_times(made)} do not fit the network's input, which is {_times(shape)}. "
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
