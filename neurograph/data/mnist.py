"""MNIST: 60,000 + 10,000 handwritten digits of 28×28 pixels, from a folder, the cache, or the net."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurograph.data.cache import cache_folder
from neurograph.data.idx import read_pair
from neurograph.errors import DataError

if TYPE_CHECKING:
    from neurograph.data.digits import Samples

VARIABLE = "NEUROGRAPH_MNIST"
SIZE = (28, 28)
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def mnist(folder: str | os.PathLike[str] | None = None) -> tuple[Samples, Samples]:
    """MNIST, or a data set in its files and of its size (Fashion-MNIST, KMNIST).

    Parameters
    ----------
    folder : path, optional
        Where its four IDX files are, plain or gzipped. None: the folder that the environment variable NEUROGRAPH_MNIST names,
        else this user's cache, else they are downloaded there.

    Returns
    -------
    (x, y), (xt, yt)
        x, xt : ndarray of float32, shape (n, 1, 28, 28), ink in [0, 1]; y, yt : ndarray of int64, shape (n,), 0…9.

    Raises
    ------
    DataError
        If a file is missing or damaged, or the data can be neither found nor downloaded.
    """
    if folder is None:
        return _found()
    train, test = read_folder(folder, n_classes=10)
    for x, _ in (train, test):
        if x.shape[2:] != SIZE:
            raise DataError(f"{folder}: images of {x.shape[2]}×{x.shape[3]}; MNIST's are 28×28.")
    return train, test


def read_folder(folder: str | os.PathLike[str], n_classes: int = 256) -> tuple[Samples, Samples]:
    """A data set of four IDX files named as MNIST's, images of any one size.

    Raises
    ------
    DataError
        If the folder or a file is missing or damaged, or training and test images differ in size.
    """
    base = Path(folder).expanduser()
    if not base.is_dir():
        raise DataError(f"{base}: not a folder. Expected a folder that holds {', '.join(NAMES)}, each plain or as .gz.")
    paths = [find(base, name) for name in NAMES]
    missing = [name for name, path in zip(NAMES, paths, strict=True) if path is None]
    if missing:
        raise DataError(
            f"{base}: no {' and no '.join(missing)} (plain or .gz). A data folder holds {', '.join(NAMES)}."
        )
    found = [path for path in paths if path is not None]
    train, test = _samples(found[0], found[1], n_classes), _samples(found[2], found[3], n_classes)
    if train[0].shape[1:] != test[0].shape[1:]:
        sizes = [f"{x.shape[2]}×{x.shape[3]}" for x, _ in (train, test)]
        raise DataError(f"{base}: training images of {sizes[0]}, test images of {sizes[1]}; expected one size.")
    return train, test


def find(folder: Path, name: str) -> Path | None:
    """The file of that name in a folder, as it is usually spelt: plain first, then gzipped."""
    dotted = name.replace("-idx", ".idx")
    spellings = (name, f"{name}.gz", dotted, f"{dotted}.gz")
    return next((folder / spelling for spelling in spellings if (folder / spelling).is_file()), None)


def _samples(images: Path, labels: Path, n_classes: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    x, y = read_pair(images, labels, n_classes)
    return np.divide(x[:, None], np.float32(255), dtype=np.float32), y.astype(np.int64)


def _found() -> tuple[Samples, Samples]:
    """From the folder that the variable names, else from the cache, filled where it is empty."""
    named = os.environ.get(VARIABLE)
    if not named:
        return mnist(_fetched())
    try:
        return mnist(named)
    except DataError as error:
        raise DataError(f"{error} (The environment variable {VARIABLE} names this folder.)") from None


def _fetched() -> Path:
    folder = cache_folder("mnist")
    if any(find(folder, name) is None for name in NAMES):
        from neurograph.data.download import download_mnist

        download_mnist(folder)
    return folder
