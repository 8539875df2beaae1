"""Strict reader of IDX files, the format of MNIST and its family, plain or gzipped.

An IDX file is: two zero bytes, a type code (8: unsigned byte), the number of dimensions, each dimension as a big-endian 32-bit
number, then the values. Anything else is refused with file, offset, what was expected and what was found. No more than the
promised bytes (and one) is ever read, so a file that expands a thousandfold costs nothing.
"""

from __future__ import annotations

import os
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurograph.data.streams import Stream, open_stream
from neurograph.errors import DataError

UNSIGNED_BYTE = 0x08
LIMIT = 2**32
"""Bytes of values at most: sixty-four times MNIST's fashion of 10⁶ images of 64×64."""

Bytes = NDArray[np.uint8]


def read_images(path: str | os.PathLike[str]) -> Bytes:
    """Images of an IDX file.

    Returns
    -------
    ndarray of uint8, shape (n, rows, columns)

    Raises
    ------
    DataError
        If the file is missing, damaged, or not an IDX file of three dimensions.
    """
    return _read(Path(path), 3)


def read_labels(path: str | os.PathLike[str], n_classes: int = 256) -> Bytes:
    """Labels of an IDX file, each below `n_classes`.

    Returns
    -------
    ndarray of uint8, shape (n,)

    Raises
    ------
    DataError
        If the file is missing, damaged, not an IDX file of one dimension, or holds a label out of range.
    """
    labels = _read(Path(path), 1)
    wrong = np.flatnonzero(labels >= n_classes)
    if len(wrong):
        first = int(wrong[0])
        raise DataError(
            f"{path}: offset {8 + first}: label {labels[first]} of sample {first}; expected 0…{n_classes - 1}. "
            f"({len(wrong)} of {len(labels)} labels are out of range.)"
        )
    return labels


def read_pair(images: Path, labels: Path, n_classes: int = 256) -> tuple[Bytes, Bytes]:
    """Images and their labels, as many of the one as of the other.

    Raises
    ------
    DataError
        As `read_images` and `read_labels`, or if the numbers differ.
    """
    x, y = read_images(images), read_labels(labels, n_classes)
    if len(x) != len(y):
        raise DataError(
            f"{labels}: offset 4: {len(y):,} labels; expected {len(x):,}, the number of images in {images.name}. "
            f"The two files do not belong together."
        )
    return x, y


def _read(path: Path, n_dimensions: int) -> Bytes:
    with open_stream(path) as stream:
        shape = _read_header(stream, n_dimensions)
        size = prod(shape)
        stream.expect(size, f"{'×'.join(map(str, shape))} values")
        values = stream.values(size)
        _check_length(stream, len(values), size, 4 + 4 * n_dimensions)
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def _read_header(stream: Stream, n_dimensions: int) -> tuple[int, ...]:
    magic = stream.read(4)
    if len(magic) < 4:
        raise DataError(
            f"{stream.name}: offset 0: expected an IDX header, found {len(magic)} bytes; the file is empty or cut off."
        )
    if magic[:2] != b"\0\0":
        raise DataError(f"{stream.name}: offset 0: expected an IDX file (magic 00 00), found {_shown(magic)}.")
    if magic[2] != UNSIGNED_BYTE:
        raise DataError(f"{stream.name}: offset 2: type code 0x{magic[2]:02x}; expected 0x08, unsigned bytes.")
    if magic[3] != n_dimensions:
        kind = {1: "labels", 3: "images"}
        found = f", as {kind[magic[3]]} have" if magic[3] in kind else ""
        raise DataError(
            f"{stream.name}: offset 3: {magic[3]} dimensions{found}; expected {n_dimensions}, for {kind[n_dimensions]}. Are two files swapped?"
        )
    dimensions = stream.read(4 * n_dimensions)
    if len(dimensions) < 4 * n_dimensions:
        raise DataError(
            f"{stream.name}: offset 4: expected {4 * n_dimensions} bytes of sizes, found {len(dimensions)}; the file is cut off."
        )
    shape = tuple(int.from_bytes(dimensions[i : i + 4], "big") for i in range(0, 4 * n_dimensions, 4))
    if 0 in shape:
        raise DataError(
            f"{stream.name}: offset {4 + 4 * shape.index(0)}: size {'×'.join(map(str, shape))}; expected at least 1 along each axis."
        )
    if prod(shape) > LIMIT:
        raise DataError(
            f"{stream.name}: offset 4: size {'×'.join(map(str, shape))}; expected at most {LIMIT:,} values in all."
        )
    return shape


def _check_length(stream: Stream, found: int, size: int, header: int) -> None:
    if found < size:
        raise DataError(
            f"{stream.name}: offset {header + found}: the file ends; expected {size:,} bytes after the header, found {found:,}. "
            f"Download it again."
        )
    if stream.read(1):
        raise DataError(
            f"{stream.name}: offset {header + size}: bytes after the end; expected exactly {size:,} after the header."
        )
    stream.finish()


def _shown(magic: bytes) -> str:
    """First bytes for a message; text is named as such, for a saved error page is the commonest of all faults."""
    if magic.lstrip()[:1] in (b"<", b"{"):
        return f"text ({magic!r:.20}): a web page saved in its place? Download the file again"
    return magic.hex(" ")
