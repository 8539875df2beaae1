"""Images looked at through an affine map, random displacements, and noise: the kernels of augmentation.

They run on the thread that calls them and let go of Python's lock, so that a batch is prepared while another one is trained on. With
``NUMBA_DISABLE_JIT=1`` their twins in NumPy run instead (`resample_numpy`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.kernels import resample_numpy as twin
from neurograph.kernels.jit import COMPILED, inner, own_thread

Array = NDArray[Any]

GOLDEN = np.uint64(twin.GOLDEN)
FIRST, SECOND = np.uint64(twin.FIRST), np.uint64(twin.SECOND)
S30, S27, S31, S40, S16, S32, S48 = (np.uint64(n) for n in (30, 27, 31, 40, 16, 32, 48))
LOW = np.uint64(0xFFFF)


def resampled(x: Array, maps: Array, fields: Array | None, fill: Array, is_edge: bool) -> Array:
    """Images through affine maps: pixel (row i, column j) of the result is x at ``maps @ (j, i, 1)``, interpolated bilinearly.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (n, channels, rows, columns)
    maps : ndarray of float64, shape (n, 6)
        a, b, c, d, e, f of source column = a·j + b·i + c, source row = d·j + e·i + f.
    fields : ndarray of float32, shape (n, 2, rows, columns), optional
        Displacements (columns, rows) of each pixel of the result, before the map.
    fill : ndarray of x's type, shape (channels,)
        What lies outside.
    is_edge : bool
        Outside lies the nearest pixel of the border instead.

    Returns
    -------
    ndarray of x's type and shape
    """
    if not COMPILED:
        return twin.resampled(x, maps, fields, fill, is_edge)
    out = np.empty_like(x)
    none = fields is None
    _warp(x, maps, np.zeros((0, 2, 1, 1), np.float32) if none else fields, fill, is_edge, out)
    return out


def displacements(keys: Array, shape: tuple[int, int], taps: Array, strength: float) -> Array:
    """Smooth random displacements: uniform in ±1 for each pixel and axis, blurred by `taps` along both axes, times `strength`.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n,)
    shape : (rows, columns)
    taps : ndarray of float32, shape (2r + 1,)
        Weights of a pixel's neighbours, symmetric.
    strength : float
        In pixels.

    Returns
    -------
    ndarray of float32, shape (n, 2, rows, columns)

    References
    ----------
    P. Y. Simard, D. Steinkraus & J. C. Platt, "Best practices for convolutional neural networks", ICDAR (2003), section 2.
    """
    if not COMPILED:
        return twin.displacements(keys, shape, taps, strength)
    out = np.empty((len(keys), 2, *shape), dtype=np.float32)
    _displace(keys, taps, np.float32(strength), out)
    return out


def add_noise(x: Array, keys: Array, strength: Array) -> None:
    """Add noise to images, in place: four uniform numbers added up, nearly a Gaussian, never beyond 3.5 standard deviations.

    Parameters
    ----------
    x : ndarray, shape (n, channels, rows, columns)
    keys : ndarray of uint64, shape (n,)
    strength : ndarray of x's type, shape (channels,)
        Standard deviations.
    """
    (_noise if COMPILED else twin.add_noise)(x, keys, strength)


@inner
def _mix(z: Any) -> Any:
    """Sixty-four bits that look random (SplitMix64's last steps)."""
    z = (z ^ (z >> S30)) * FIRST
    z = (z ^ (z >> S27)) * SECOND
    return z ^ (z >> S31)


@own_thread
def _warp(x: Any, maps: Any, fields: Any, fill: Any, is_edge: Any, out: Any) -> None:
    n, channels, rows, columns = x.shape
    one, is_displaced = x.dtype.type(1), len(fields) > 0
    last_column, last_row = columns - 1.0, rows - 1.0
    for s in range(n):
        a, b, c, d, e, f = maps[s, 0], maps[s, 1], maps[s, 2], maps[s, 3], maps[s, 4], maps[s, 5]
        for i in range(rows):
            at_column, at_row = b * i + c, e * i + f
            for j in range(columns):
                column, row = a * j + at_column, d * j + at_row
                if is_displaced:
                    u, v = fields[s, 0, i, j], fields[s, 1, i, j]
                    column, row = column + a * u + b * v, row + d * u + e * v
                if is_edge:
                    column, row = min(max(column, 0.0), last_column), min(max(row, 0.0), last_row)
                elif not (-1.0 < column < columns and -1.0 < row < rows):
                    for channel in range(channels):
                        out[s, channel, i, j] = fill[channel]
                    continue
                left, top = int(column + 1.0) - 1, int(row + 1.0) - 1
                q, p = x.dtype.type(column - left), x.dtype.type(row - top)
                w00, w01, w10, w11 = (one - p) * (one - q), (one - p) * q, p * (one - q), p * q
                if left >= 0 and top >= 0 and left + 1 < columns and top + 1 < rows:
                    for channel in range(channels):
                        out[s, channel, i, j] = (
                            w00 * x[s, channel, top, left]
                            + w01 * x[s, channel, top, left + 1]
                            + w10 * x[s, channel, top + 1, left]
                            + w11 * x[s, channel, top + 1, left + 1]
                        )
                    continue
                is_top, is_bottom = top >= 0, top + 1 < rows
                is_left, is_right = left >= 0, left + 1 < columns
                for channel in range(channels):
                    outside = fill[channel]
                    out[s, channel, i, j] = (
                        w00 * (x[s, channel, top, left] if is_top and is_left else outside)
                        + w01 * (x[s, channel, top, left + 1] if is_top and is_right else outside)
                        + w10 * (x[s, channel, top + 1, left] if is_bottom and is_left else outside)
                        + w11 * (x[s, channel, top + 1, left + 1] if is_bottom and is_right else outside)
                    )


@own_thread
def _displace(keys: Any, taps: Any, strength: Any, out: Any) -> None:
    n, axes, rows, columns = out.shape
    radius = len(taps) // 2
    drawn = np.zeros(columns + 2 * radius, np.float32)  # a row between two margins of zeros
    blurred = np.empty((rows, columns), np.float32)
    for s in range(n):
        for axis in range(axes):
            for i in range(rows):
                for j in range(columns):
                    z = _mix(keys[s] + np.uint64((axis * rows + i) * columns + j + 1) * GOLDEN)
                    drawn[radius + j] = np.float32(z >> S40) * np.float32(2.0**-23) - np.float32(1)
                line = blurred[i]
                line[:] = np.float32(0)
                for k in range(len(taps)):
                    weight = taps[k]
                    for j in range(columns):
                        line[j] += weight * drawn[k + j]
            for i in range(rows):
                line = out[s, axis, i]
                line[:] = np.float32(0)
                for k in range(max(-radius, -i), min(radius, rows - 1 - i) + 1):
                    weight, other = taps[radius + k] * strength, blurred[i + k]
                    for j in range(columns):
                        line[j] += weight * other[j]


@own_thread
def _noise(x: Any, keys: Any, strength: Any) -> None:
    n, channels, rows, columns = x.shape
    for s in range(n):
        for channel in range(channels):
            unit = strength[channel] / x.dtype.type(twin.DEVIATION)
            for i in range(rows):
                for j in range(columns):
                    z = _mix(keys[s] + np.uint64((channel * rows + i) * columns + j + 1) * GOLDEN)
                    total = (z & LOW) + ((z >> S16) & LOW) + ((z >> S32) & LOW) + (z >> S48)
                    x[s, channel, i, j] += unit * x.dtype.type(np.int64(total) - twin.MIDDLE)
