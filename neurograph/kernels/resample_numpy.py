"""The kernels of augmentation in NumPy: what runs without the JIT, and what the kernels are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""SplitMix64's constants: G. L. Steele, D. Lea & C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA (2014)."""
MIDDLE = 2 * 0xFFFF
DEVIATION = float(np.sqrt((2.0**32 - 1) / 3))
"""Mean and standard deviation of four uniform numbers of 16 bits added up."""


def mix(z: Array) -> Array:
    """Sixty-four bits that look random (SplitMix64's last steps).

    Examples
    --------
    >>> [hex(int(z)) for z in mix(np.array([GOLDEN], dtype=np.uint64))]
    ['0xe220a8397b1dcdaf']
    """
    z = (z ^ (z >> np.uint64(30))) * np.uint64(FIRST)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(SECOND)
    mixed: Array = z ^ (z >> np.uint64(31))
    return mixed


def drawn(keys: Array, shape: tuple[int, ...]) -> Array:
    """Sixty-four bits for every place of `shape` and every key; ndarray of uint64, shape (len(keys), *shape)."""
    places = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * np.uint64(GOLDEN)
    return mix(keys[:, None] + places).reshape(len(keys), *shape)


def resampled(x: Array, maps: Array, fields: Array | None, fill: Array, is_edge: bool) -> Array:
    """See `neurograph.kernels.resample.resampled`."""
    _, _, rows, columns = x.shape
    v, u = np.meshgrid(np.arange(rows, dtype=float), np.arange(columns, dtype=float), indexing="ij")
    if fields is not None:
        u, v = u + fields[:, 0], v + fields[:, 1]
    a, b, c, d, e, f = maps.T[:, :, None, None]
    column, row = a * u + b * v + c, d * u + e * v + f
    if is_edge:
        column, row = column.clip(0, columns - 1), row.clip(0, rows - 1)
    column, row = column.clip(-1, columns), row.clip(-1, rows)  # what is further out is outside all the same
    left, top = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
    q, p = (column - left).astype(x.dtype)[:, None], (row - top).astype(x.dtype)[:, None]
    upper, lower = (_tap(x, line, left, fill) for line in (top, top + 1))
    upper += q * (_tap(x, top, left + 1, fill) - upper)
    lower += q * (_tap(x, top + 1, left + 1, fill) - lower)
    result: Array = upper + p * (lower - upper)
    return result


def _tap(x: Array, row: Array, column: Array, fill: Array) -> Array:
    n, _, rows, columns = x.shape
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    sample = np.arange(n)[:, None, None]
    found = x[sample, :, row.clip(0, rows - 1), column.clip(0, columns - 1)]  # (n, rows, columns, channels)
    return np.moveaxis(np.where(inside[..., None], found, fill), 3, 1)


def displacements(keys: Array, shape: tuple[int, int], taps: Array, strength: float) -> Array:
    """See `neurograph.kernels.resample.displacements`."""
    z = drawn(keys, (2, *shape))
    field = (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)
    for axis, scaled in ((3, taps), (2, taps * np.float32(strength))):
        field = _blurred(field, scaled, axis)
    return field


def _blurred(field: Array, taps: Array, axis: int) -> Array:
    """Each value becomes its neighbours along an axis, weighted; outside lie zeros."""
    radius, size = len(taps) // 2, field.shape[axis]
    padded = np.pad(field, [(radius, radius) if k == axis else (0, 0) for k in range(field.ndim)])
    result = np.zeros_like(field)
    for k, tap in enumerate(taps):
        result += tap * padded.take(range(k, k + size), axis=axis)
    return result


def add_noise(x: Array, keys: Array, strength: Array) -> None:
    """See `neurograph.kernels.resample.add_noise`."""
    z = drawn(keys, x.shape[1:])
    low = np.uint64(0xFFFF)
    total = (z & low) + ((z >> np.uint64(16)) & low) + ((z >> np.uint64(32)) & low) + (z >> np.uint64(48))
    unit = (strength / x.dtype.type(DEVIATION))[:, None, None]
    x += unit * (total.astype(np.int64) - MIDDLE).astype(x.dtype)
