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
    nowhere = np.zeros((1, 2, 1, 1), np.float32)
    _warp(x, maps, nowhere if fields is None else fields, fields is not None, fill, is_edge, out)
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
def _warp(x: Any, maps: Any, fields: Any, is_displaced: Any, fill: Any, is_edge: Any, out: Any) -> None:
    """In two steps: where each pixel comes from, many at once; then four neighbours, of an image with a margin, so nothing is asked."""
    n, channels, rows, columns = x.shape
    width, number = columns + 3, x.dtype.type
    framed = np.empty((rows + 3, width), x.dtype)
    corner = np.empty(rows * columns, np.int32)
    across, down = np.empty(rows * columns, x.dtype), np.empty(rows * columns, x.dtype)
    flat = framed.reshape(-1)
    for s in range(n):
        _trace(maps[s], fields[s % len(fields)], is_displaced, rows, columns, corner, across, down)
        for channel in range(channels):
            _frame(x[s, channel], fill[channel], is_edge, framed)
            target = out[s, channel].reshape(-1)
            for k in range(rows * columns):
                first = np.uint64(corner[k])  # unsigned: Numba need not ask whether an index counts from the end
                second = first + np.uint64(width)
                upper = flat[first] + across[k] * (flat[first + np.uint64(1)] - flat[first])
                lower = flat[second] + across[k] * (flat[second + np.uint64(1)] - flat[second])
                target[k] = number(upper + down[k] * (lower - upper))


@inner
def _trace(
    maps: Any, field: Any, is_displaced: bool, rows: int, columns: int, corner: Any, across: Any, down: Any
) -> None:
    """For each pixel of the result: the upper left of four neighbours in the framed image, and how far it is from there."""
    number = across.dtype.type
    a, b, c = number(maps[0]), number(maps[1]), number(maps[2])
    d, e, f = number(maps[3]), number(maps[4]), number(maps[5])
    zero, one, most_column, most_row = number(0), number(1), number(columns + 1), number(rows + 1)
    for i in range(rows):
        at_column, at_row = b * number(i) + c + one, e * number(i) + f + one
        for j in range(columns):
            column, row = a * number(j) + at_column, d * number(j) + at_row
            if is_displaced:
                u, v = number(field[0, i, j]), number(field[1, i, j])
                column, row = column + a * u + b * v, row + d * u + e * v
            column, row = min(max(column, zero), most_column), min(max(row, zero), most_row)
            left, top = np.int32(column), np.int32(row)
            k = i * columns + j
            corner[k] = top * np.int32(columns + 3) + left
            across[k], down[k] = column - number(left), row - number(top)


@inner
def _frame(image: Any, fill: Any, is_edge: Any, framed: Any) -> None:
    """An image with a margin: one pixel above and to the left, two below and to the right."""
    rows, columns = image.shape
    for i in range(rows + 3):
        line, inside = framed[i], min(max(i - 1, 0), rows - 1)
        is_outside = not is_edge and (i < 1 or i > rows)
        for j in range(columns):
            line[j + 1] = fill if is_outside else image[inside, j]
        line[0] = image[inside, 0] if is_edge else fill
        for j in range(columns + 1, columns + 3):
            line[j] = image[inside, columns - 1] if is_edge else fill


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
