"""Folders of IDX files named as MNIST's, and where the folder of a known data set is found."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurograph.data.cache import cache_folder
from neurograph.data.idx import read_pair
from neurograph.data.known import IDX_NAMES, Known
from neurograph.errors import DataError

Raw = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images (n, channels, rows, columns) as bytes, 0…255, and their classes (n,)."""


def read_folder(folder: str | os.PathLike[str], n_classes: int = 256) -> tuple[Raw, Raw]:
    """Training and test images of four IDX files named as MNIST's, plain or gzipped, of any one size.

    Raises
    ------
    DataError
        If the folder or a file is missing or damaged, or training and test images differ in size.
    """
    base = Path(folder).expanduser()
    if not base.is_dir():
        raise DataError(
            f"{base}: not a folder. Expected a folder that holds {', '.join(IDX_NAMES)}, each plain or as .gz."
        )
    found = [path for name in IDX_NAMES if (path := find(base, name)) is not None]
    if len(found) < len(IDX_NAMES):
        missing = [name for name in IDX_NAMES if find(base, name) is None]
        raise DataError(
            f"{base}: no {' and no '.join(missing)} (plain or .gz). A data folder holds {', '.join(IDX_NAMES)}."
        )
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


def folder_of(known: Known) -> tuple[Path, str]:
    """Where a known data set is looked for, and who says so: the environment variable, else the cache.

    Examples
    --------
    >>> from neurograph.data.known import KMNIST
    >>> os.environ["NEUROGRAPH_KMNIST"] = "some/folder"
    >>> str(folder_of(KMNIST)[0]), folder_of(KMNIST)[1]
    ('some/folder', 'NEUROGRAPH_KMNIST')
    >>> del os.environ["NEUROGRAPH_KMNIST"]
    """
    named = os.environ.get(known.variable)
    return (Path(named).expanduser(), known.variable) if named else (cache_folder(known.name), "cache")


def is_here(known: Known) -> bool:
    """Whether a known data set can be had without a download (its files are there, or the variable says so)."""
    if not known.variable:
        return True
    folder, who = folder_of(known)
    return who != "cache" or all((folder / file.name).is_file() or _plain(folder, file.name) for file in known.files)


def fetched(known: Known) -> Path:
    """The folder of a known data set; the cache is filled where it is empty.

    Raises
    ------
    DataError
        If the data is not there and cannot be downloaded.
    """
    folder, _ = folder_of(known)
    if not is_here(known):
        from neurograph.data.download import download

        download(known, folder)
    return folder


def _plain(folder: Path, name: str) -> bool:
    return name.endswith("-ubyte.gz") and find(folder, name.removesuffix(".gz")) is not None


def _samples(images: Path, labels: Path, n_classes: int) -> Raw:
    x, y = read_pair(images, labels, n_classes)
    return x[:, None], y.astype(np.int64)
