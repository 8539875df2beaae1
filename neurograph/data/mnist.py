"""MNIST and the two data sets in its files and of its size, from a folder, the cache, or the net."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from neurograph.data.folders import Raw, fetched, folder_of, read_folder
from neurograph.data.known import FASHION_MNIST, KMNIST, MNIST, Known
from neurograph.errors import DataError

if TYPE_CHECKING:
    from neurograph.data.digits import Samples

Folder = str | os.PathLike[str]


def mnist(folder: Folder | None = None) -> tuple[Samples, Samples]:
    """MNIST: 60,000 + 10,000 handwritten digits of 28×28 pixels.

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

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio & P. Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 86 (1998).
    """
    return _floats(read_family(MNIST, folder))


def fashion_mnist(folder: Folder | None = None) -> tuple[Samples, Samples]:
    """Fashion-MNIST: clothing in MNIST's form; as `mnist`, with the environment variable NEUROGRAPH_FASHION_MNIST.

    References
    ----------
    H. Xiao, K. Rasul & R. Vollgraf, "Fashion-MNIST: a novel image dataset", arXiv:1708.07747 (2017).
    """
    return _floats(read_family(FASHION_MNIST, folder))


def kmnist(folder: Folder | None = None) -> tuple[Samples, Samples]:
    """KMNIST: hiragana in MNIST's form; as `mnist`, with the environment variable NEUROGRAPH_KMNIST.

    References
    ----------
    T. Clanuwat et al., "Deep learning for classical Japanese literature", arXiv:1812.01718 (2018).
    """
    return _floats(read_family(KMNIST, folder))


def read_family(known: Known, folder: Folder | None = None) -> tuple[Raw, Raw]:
    """Images as bytes and classes of one of MNIST's family, from `folder` or from where it is looked for."""
    if folder is not None:
        return _read(known, folder)
    named, who = folder_of(known)
    if who == "cache":
        return _read(known, fetched(known))
    try:
        return _read(known, named)
    except DataError as error:
        raise DataError(f"{error} (The environment variable {who} names this folder.)") from None


def _read(known: Known, folder: Folder) -> tuple[Raw, Raw]:
    train, test = read_folder(folder, n_classes=10)
    for x, _ in (train, test):
        if x.shape[1:] != known.shape:
            raise DataError(f"{folder}: images of {x.shape[2]}×{x.shape[3]}; {known.title}'s are 28×28.")
    return train, test


def _floats(sets: tuple[Raw, Raw]) -> tuple[Samples, Samples]:
    (x, y), (xt, yt) = sets
    return (_ink(x), y), (_ink(xt), yt)


def _ink(x: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.divide(x, np.float32(255), dtype=np.float32)
