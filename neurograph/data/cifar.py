"""CIFAR-10 in its binary form: records of 3,073 bytes, a class and then 32×32 pixels of red, of green, of blue.

Six files of 10,000 records (``data_batch_1.bin`` … ``data_batch_5.bin``, ``test_batch.bin``), or ``cifar-10-binary.tar.gz``, of which
these six members are read and nothing else, without writing anything. There is no pickle here: CIFAR's "python version" is refused.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from neurograph.data.folders import Raw
from neurograph.errors import DataError

TRAINING = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST = "test_batch.bin"
ARCHIVE = "cifar-10-binary.tar.gz"
SUBFOLDER = "cifar-10-batches-bin"
N_CLASSES = 10
PIXELS = 3 * 32 * 32
RECORD = 1 + PIXELS
MOST = 1_000_000
"""Records of a file at most: a hundred times CIFAR-10's."""
OTHERS, OTHER_MEMBERS = 1 << 20, 64
"""Bytes of a member of the archive that is not wanted, and how many there may be."""


def is_cifar(folder: Path) -> bool:
    """Whether a folder holds at least one of CIFAR-10's files, in binary or any other form."""
    names = (*TRAINING, TEST, ARCHIVE, SUBFOLDER, "data_batch_1", "cifar-10-python.tar.gz")
    return any((folder / name).exists() for name in names)


def read_cifar(folder: Path) -> tuple[Raw, Raw]:
    """Training and test images of a folder, from files, or from the archive as it is published.

    Returns
    -------
    (x, y), (xt, yt)
        x, xt : ndarray of uint8, shape (n, 3, 32, 32); y, yt : ndarray of int64, shape (n,), 0…9.

    Raises
    ------
    DataError
        If files are missing or damaged.

    References
    ----------
    A. Krizhevsky, "Learning multiple layers of features from tiny images", University of Toronto (2009).
    """
    base = folder / SUBFOLDER if (folder / SUBFOLDER).is_dir() else folder
    present = [name for name in (*TRAINING, TEST) if (base / name).is_file()]
    if not present and (folder / ARCHIVE).is_file():
        return _joined(_from_archive(folder / ARCHIVE))
    missing = [name for name in (*TRAINING, TEST) if name not in present]
    if missing:
        python = any((folder / name).exists() for name in ("data_batch_1", "cifar-10-python.tar.gz"))
        pickles = " What is here is CIFAR's Python version, pickles, which are never opened: get the binary version."
        raise DataError(
            f"{base}: no {' and no '.join(missing)}. CIFAR-10's binary version is {', '.join((*TRAINING, TEST))}, or {ARCHIVE}."
            f"{pickles if python else ''}"
        )
    return _joined({name: _from_file(base / name) for name in present})


def _from_file(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return _records(str(path), file, path.stat().st_size)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}.") from None


def _from_archive(path: Path) -> dict[str, bytes]:
    """The six members of the archive, one after another; other members are stepped over."""
    found: dict[str, bytes] = {}
    with _damage_named(path), gzip.open(path) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
        for number, member in enumerate(archive):
            name = member.name.rpartition("/")[2]
            if name not in (*TRAINING, TEST) or not member.isreg():
                _step_over(path, number, member)
                continue
            if name in found:
                raise DataError(f"{path}: two members called {name}; expected one.")
            file = archive.extractfile(member)
            assert file is not None, "a regular member has contents"
            found[name] = _records(f"{path}: {name}", file, member.size)
        if len(plain.read(OTHERS)) == OTHERS:  # to the end, which is what checks the sum
            raise DataError(f"{path}: bytes after the last member; expected the end of the archive. Download it again.")
    missing = [name for name in (*TRAINING, TEST) if name not in found]
    if missing:
        raise DataError(f"{path}: no {' and no '.join(missing)} in it. Download it again.")
    return found


def _step_over(path: Path, number: int, member: tarfile.TarInfo) -> None:
    """CIFAR-10's archive has a page and a list of names besides; what is larger or more numerous is not unpacked."""
    if member.size > OTHERS or number > OTHER_MEMBERS:
        raise DataError(
            f"{path}: member {number + 1}, {member.name:.60}, of {member.size:,} bytes does not belong in {ARCHIVE}. Download it again."
        )


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: damaged, or no gzipped tar archive ({error}). Download it again.") from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}.") from None


def _records(where: str, file: IO[bytes], size: int) -> bytes:
    """Exactly `size` bytes, which must be whole records with classes in range."""
    if size == 0:
        raise DataError(f"{where}: offset 0: expected records of {RECORD:,} bytes, found none; the file is empty.")
    if size % RECORD:
        raise DataError(
            f"{where}: offset {size - size % RECORD}: {size % RECORD:,} bytes are left over; expected whole records of {RECORD:,} bytes "
            f"(a class and 3×32×32 pixels). Download it again."
        )
    if size > MOST * RECORD:
        raise DataError(f"{where}: {size // RECORD:,} records; expected at most {MOST:,}.")
    payload = file.read(size)
    if len(payload) < size or file.read(1):
        raise DataError(f"{where}: offset {len(payload)}: the file is not {size:,} bytes long any more. Read it again.")
    classes = np.frombuffer(payload, dtype=np.uint8)[::RECORD]
    wrong = np.flatnonzero(classes >= N_CLASSES)
    if len(wrong):
        first = int(wrong[0])
        raise DataError(
            f"{where}: offset {first * RECORD}: class {classes[first]} of record {first}; expected 0…{N_CLASSES - 1}. "
            f"({len(wrong)} of {len(classes)} classes are out of range.)"
        )
    return payload


def _joined(parts: dict[str, bytes]) -> tuple[Raw, Raw]:
    """One array over the training files, pixels copied once."""
    n = sum(len(parts[name]) // RECORD for name in TRAINING)
    x, y = np.empty((n, 3, 32, 32), dtype=np.uint8), np.empty(n, dtype=np.int64)
    start = 0
    for name in TRAINING:
        records = np.frombuffer(parts.pop(name), dtype=np.uint8).reshape(-1, RECORD)
        stop = start + len(records)
        x[start:stop], y[start:stop] = records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]
        start = stop
    records = np.frombuffer(parts.pop(TEST), dtype=np.uint8).reshape(-1, RECORD)
    return (x, y), (records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64))
