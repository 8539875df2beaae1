"""The bundled data: 1,797 real handwritten digits of 8×8 pixels.

They are the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin & C. Kaynak, UCI Machine Learning Repository,
doi 10.24432/C50P49, CC BY 4.0): each pixel counts the black ones among 4×4 of a 32×32 scan, so it is a whole number 0…16.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    Samples = tuple[NDArray[np.float32], NDArray[np.int64]]

LEVELS = 16
HELD_OUT = 5
"""One of so many samples of each class is kept for testing."""


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
    held_out = stratified(y, HELD_OUT, seed)
    return (x[~held_out], y[~held_out]), (x[held_out], y[held_out])


def read() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (1797, 8, 8) with values 0…16, and labels (1797,), as they were published."""
    with (
        files("neurograph.data").joinpath("digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return arrays["images"], arrays["labels"]


def stratified(labels: NDArray[Any], one_of: int, seed: int) -> NDArray[np.bool_]:
    """Mark one of `one_of` samples, drawn within each class so that the classes keep their shares.

    Classes are rounded by largest remainder, so that exactly ⌈n / one_of⌉ samples are marked.

    Examples
    --------
    >>> stratified(np.array([0, 0, 0, 0, 1, 1]), 2, seed=0).sum()
    np.int64(3)
    """
    rng = np.random.default_rng(seed)
    classes, counts = np.unique(labels, return_counts=True)
    takes = counts // one_of
    missing = -(-len(labels) // one_of) - int(takes.sum())
    takes[np.argsort(-(counts % one_of), kind="stable")[:missing]] += 1
    marked = np.zeros(len(labels), dtype=bool)
    for label, take in zip(classes, takes, strict=True):
        marked[rng.permutation(np.flatnonzero(labels == label))[:take]] = True
    return marked
