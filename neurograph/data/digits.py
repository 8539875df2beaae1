"""The bundled data: 1,797 real handwritten digits of 8×8 pixels.

They are the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin & C. Kaynak, UCI Machine Learning Repository,
doi 10.24432/C50P49, CC BY 4.0): each pixel counts the black ones among 4×4 of a 32×32 scan, so it is a whole number 0…16.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurograph.data.stratify import held_out

if TYPE_CHECKING:
    Samples = tuple[NDArray[np.float32], NDArray[np.int64]]

LEVELS = 16
HELD_OUT = 5
"""One of so many samples is kept for testing, class by class."""


def digits(seed: int = 0) -> tuple[Samples, Samples]:
    """The 8×8 digits, a stratified fifth held out.

    Parameters
    ----------
    seed : int
        Decides which fifth.

    Returns
    -------
    (x, y), (xt, yt)
        x, xt : ndarray of float32, shape (n, 1, 8, 8), pixels in [0, 1]; y, yt : ndarray of int64, shape (n,), 0…9.

    Examples
    --------
    >>> (x, y), (xt, yt) = digits()
    >>> x.shape, xt.shape, float(x.max())
    ((1437, 1, 8, 8), (360, 1, 8, 8), 1.0)
    """
    images, labels = read()
    x = (images[:, None] / np.float32(LEVELS)).astype(np.float32)
    y = labels.astype(np.int64)
    tested = held_out(y, -(-len(y) // HELD_OUT), seed)
    return (x[~tested], y[~tested]), (x[tested], y[tested])


def read() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (1797, 8, 8) with values 0…16, and labels (1797,), as they were published."""
    with (
        files("neurograph.data").joinpath("digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return arrays["images"], arrays["labels"]
