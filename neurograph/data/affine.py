"""Affine maps of images: a turn, a shear, sizes, mirrors and a shift, composed into one map from a result's pixels to the source's.

Coordinates are (column, row), in pixels, from the image's centre; rows count downwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def inverse_maps(
    shape: tuple[int, int],
    *,
    angle: Any = 0.0,
    shear: Any = 0.0,
    width: Any = 1.0,
    height: Any = 1.0,
    columns: Any = 0.0,
    rows: Any = 0.0,
) -> Array:
    """Where each pixel of a changed image comes from.

    The image is first made `width` and `height` times as large (negative: mirrored as well), then sheared, turned and shifted.

    Parameters
    ----------
    shape : (rows, columns)
        Of the image.
    angle : float or ndarray, shape (n,)
        Degrees, counter-clockwise as one looks at it. Multiples of 90 are exact.
    shear : float or ndarray
        Degrees by which upright lines lean to the right.
    width, height : float or ndarray
        Factors.
    columns, rows : float or ndarray
        Pixels to the right, and down.

    Returns
    -------
    ndarray, shape (n, 6)
        a, b, c, d, e, f of source column = a·j + b·i + c and source row = d·j + e·i + f, for column j and row i of the result.

    Examples
    --------
    >>> inverse_maps((28, 28), columns=2.0)
    array([[ 1.,  0., -2.,  0.,  1.,  0.]])
    >>> inverse_maps((28, 28), angle=90.0)  # the top row of the result is the source's last column
    array([[ 0., -1., 27.,  1.,  0.,  0.]])
    """
    angle, shear, width, height, columns, rows = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (angle, shear, width, height, columns, rows))
    )
    cosine, sine = turn(angle)
    lean = np.tan(np.radians(shear))
    a, b = (cosine + lean * sine) / width, (lean * cosine - sine) / width
    d, e = sine / height, cosine / height
    u, v = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    c, f = u - a * (u + columns) - b * (v + rows), v - d * (u + columns) - e * (v + rows)
    return np.stack([a, b, c, d, e, f], axis=1) + 0.0  # no negative zeros


def turn(angle: Array) -> tuple[Array, Array]:
    """Cosine and sine of an angle in degrees, exact at multiples of 90.

    Examples
    --------
    >>> cosine, sine = turn(np.array([0.0, 90.0, -180.0, 630.0]))
    >>> cosine.tolist(), sine.tolist()
    ([1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, -1.0])
    """
    quarters = np.rint(angle / 90)
    rest = np.radians(angle - 90 * quarters)
    cosine, sine = np.cos(rest), np.sin(rest)
    quarter = quarters.astype(np.int64) % 4
    return (
        np.choose(quarter, [cosine, -sine, -cosine, sine]) + 0.0,
        np.choose(quarter, [sine, cosine, -sine, -cosine]) + 0.0,
    )
