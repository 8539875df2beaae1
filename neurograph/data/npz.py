"""Data in .npz files, as `numpy.savez` writes them: arrays x, y, and perhaps xt, yt for testing; or Keras's names.

Nothing is ever unpickled, no file is ever written out, and no more is unpacked than an array's own header promises; the checksum of
every array is checked.
"""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from neurograph.data.stratify import held_out
from neurograph.errors import DataError

Array = NDArray[Any]

SPELLINGS = (
    ("x", "y", "xt", "yt"),
    ("x_train", "y_train", "x_test", "y_test"),
    ("X_train", "y_train", "X_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
)
"""Names of the arrays: samples and targets to train on, then to test on."""
LIMIT = 2**32
"""Bytes of an array at most."""
MOST_EXPANSION = 1032
"""Deflate never expands further."""
END_AT_MOST, ZIP64 = 22 + 2**16, 2**16 - 1
"""Bytes of an archive's last record at most, and the number that says that a larger one stands elsewhere."""
UNREADABLE = (ValueError, TypeError, SyntaxError, TokenError)
"""What numpy raises for headers of arrays that are none."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
HELD_OUT = 5
"""Without samples to test on, one of so many is held out of the others, as with the bundled digits."""


def read_npz(path: Path) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Training and test samples of an .npz file.

    Samples are (n, features), (n, rows, columns), (n, channels, rows, columns), or, as Keras has them, (n, rows, columns, channels)
    with 1, 3 or 4 channels. Bytes (uint8) are pixels of 0…255 and stay bytes here; other numbers are taken as they are. Targets are
    classes from 0 (whole numbers), or values (floating-point numbers). Without samples to test on, a stratified fifth is held out.

    Returns
    -------
    (x, y), (xt, yt)
        x, xt : ndarray of uint8 or float32; y, yt : ndarray of int64, shape (n,), or of float64, shape (n,) or (n, values).

    Raises
    ------
    DataError
        If the file is missing, damaged or hostile, an array is missing or of another form, or a number is not finite.
    """
    with _opened(path) as archive:
        names = _names(path, archive)
        x, y, *rest = [_read(path, archive, name) for name in names]
    train = _samples(path, names[0], x), _targets(path, names[1], y)
    _check_pair(path, names[0], names[1], *train)
    if not rest:
        return _split(path, *train)
    test = _samples(path, names[2], rest[0]), _targets(path, names[3], rest[1])
    _check_pair(path, names[2], names[3], *test)
    for first, second, name, other in (
        (train[0], test[0], names[0], names[2]),
        (train[1], test[1], names[1], names[3]),
    ):
        if first.shape[1:] != second.shape[1:] or (first.dtype.kind == "i") != (second.dtype.kind == "i"):
            raise DataError(
                f"{path}: '{other}' is {_form(second)}, '{name}' is {_form(first)}; expected samples of one form for training and test."
            )
    return train, test


# -- the archive -------------------------------------------------------------------------------------------------------
@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
            raise DataError(f"{path}: not an ordinary file; expected an .npz archive.")
        with zipfile.ZipFile(path) as archive:
            _check_count(path, archive)
            yield archive
    except zipfile.BadZipFile as error:
        with open(path, "rb") as file:
            begin = file.read(8)
        raise DataError(f"{path}: {_not_an_archive(begin, error)}") from None
    except (zlib.error, EOFError, UnicodeDecodeError, struct.error) as error:
        raise DataError(f"{path}: damaged: {error or 'the file ends early'}. Get the file again.") from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}.") from None
    except (NotImplementedError, RuntimeError) as error:  # encrypted, or compressed in a way of the zip program's own
        raise DataError(f"{path}: {error}; expected an archive as numpy.savez writes it.") from None


def _check_count(path: Path, archive: zipfile.ZipFile) -> None:
    """As many members as the end of the archive says: damage may hide some, which zipfile does not notice."""
    with open(path, "rb") as file:
        file.seek(max(path.stat().st_size - END_AT_MOST, 0))
        tail = file.read()
    at = tail.rfind(b"PK\5\6")
    (promised,) = struct.unpack_from("<H", tail, at + 10)
    if promised not in (len(archive.filelist), ZIP64):
        raise DataError(
            f"{path}: damaged: {len(archive.filelist)} arrays are listed, {promised} were written. Get the file again."
        )


def _not_an_archive(begin: bytes, error: Exception) -> str:
    if not begin:
        return "the file is empty; expected an .npz archive."
    if begin.startswith(b"PK"):
        return f"damaged or cut off ({error}). Get the file again."
    if begin.startswith(npy.MAGIC_PREFIX):
        return "a single array (.npy); expected an .npz archive with x and y: numpy.savez(file, x=…, y=…)."
    return f"no .npz archive: begins with {begin[:4].hex(' ')}; expected 50 4b 03 04."


def _names(path: Path, archive: zipfile.ZipFile) -> list[str]:
    """The spelling of which both names for training are there; those for testing as well, or not at all."""
    there = [name.removesuffix(".npy") for name in archive.namelist()]
    for spelling in SPELLINGS:
        if all(name in there for name in spelling[:2]):
            test = [name for name in spelling[2:] if name in there]
            if len(test) == 1:
                missing = next(name for name in spelling[2:] if name not in there)
                raise DataError(f"{path}: has '{test[0]}' but no '{missing}'; expected both, or neither.")
            names = [*spelling[:2], *test]
            twice = next((name for name in names if there.count(name) > 1), None)
            if twice is not None:
                raise DataError(f"{path}: two arrays called '{twice}'; expected one.")
            return names
    found = ", ".join(f"'{name:.20}'" for name in there[:8]) + (" …" if len(there) > 8 else "")
    raise DataError(
        f"{path}: has {found or 'no arrays'}; expected x and y (and xt, yt for testing), or "
        f"{', or '.join(', '.join(spelling) for spelling in SPELLINGS[1:])}."
    )


# -- one array ---------------------------------------------------------------------------------------------------------
def _read(path: Path, archive: zipfile.ZipFile, name: str) -> Array:
    where = f"{path}: '{name}'"
    member = f"{name}.npy" if f"{name}.npy" in archive.namelist() else name
    info = archive.getinfo(member)
    if info.compress_type not in METHODS:
        raise DataError(f"{where}: packed by method {info.compress_type}; expected stored or deflated (numpy.savez).")
    if info.file_size > max(info.compress_size, 1) * MOST_EXPANSION:
        raise DataError(
            f"{where}: {info.compress_size:,} bytes that claim to unpack to {info.file_size:,}; deflate cannot do that."
        )
    with archive.open(info) as file:
        shape, fortran, dtype = _header(where, file)
        size = prod(shape) * dtype.itemsize
        if size > LIMIT:
            raise DataError(
                f"{where}: {'×'.join(map(str, shape))} numbers of {dtype}; expected at most {LIMIT:,} bytes."
            )
        if info.file_size != file.tell() + size:
            raise DataError(
                f"{where}: {info.file_size - file.tell():,} bytes of numbers; expected {size:,}, for {'×'.join(map(str, shape))} "
                f"of {dtype}."
            )
        values = file.read(size)
        if len(values) < size:  # at the end of the member, zipfile has checked its sum
            raise DataError(f"{where}: the file ends after {len(values):,} of {size:,} bytes. Get the file again.")
    array = np.frombuffer(values, dtype=dtype)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _header(where: str, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read is None:
            raise DataError(f"{where}: format {version[0]}.{version[1]} of .npy; expected 1.0 or 2.0, as numbers have.")
        with warnings.catch_warnings():  # of headers written long ago, or that hold odd escapes
            warnings.simplefilter("ignore")
            shape, fortran, dtype = read(file)
    except (*UNREADABLE, RecursionError) as error:
        raise DataError(f"{where}: no array: {str(error).splitlines()[0]:.80}.") from None
    if dtype.hasobject:
        raise DataError(f"{where}: holds Python objects (pickles), which are never opened; expected numbers.")
    if dtype.kind not in "biuf":
        raise DataError(f"{where}: values of {dtype}; expected numbers.")
    if not shape or min(shape) < 1:
        raise DataError(f"{where}: shape {shape}; expected one sample or more, each of one number or more.")
    return shape, fortran, dtype


# -- what it means -----------------------------------------------------------------------------------------------------
def _samples(path: Path, name: str, x: Array) -> Array:
    """Samples as bytes or float32, images with their channels in front."""
    if not 2 <= x.ndim <= 4:
        raise DataError(
            f"{path}: '{name}' is {_form(x)}; expected samples × features, samples × rows × columns, or samples × channels × rows × columns."
        )
    if x.ndim == 3:
        x = x[:, None]
    elif x.ndim == 4 and x.shape[3] in (1, 3, 4) and x.shape[1] not in (1, 3, 4):
        x = np.moveaxis(x, 3, 1)
    if x.dtype != np.uint8:
        with np.errstate(over="ignore"):  # what float32 cannot hold is refused below, by name
            x = x.astype(np.float32)
        _check_finite(path, name, x)
    return np.ascontiguousarray(x)


def _targets(path: Path, name: str, y: Array) -> Array:
    """Classes as int64, or values as float64."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype.kind == "f":
        _check_finite(path, name, y)
        return np.ascontiguousarray(y, dtype=np.float64)
    if y.ndim != 1:
        raise DataError(f"{path}: '{name}' is {_form(y)}; expected one class a sample, or floating-point values.")
    least = int(y.argmin())
    if int(y[least]) < 0:
        raise DataError(f"{path}: '{name}': class {y[least]} of sample {least}; classes count from 0.")
    most = int(y.argmax())
    if int(y[most]) > 1_000_000:
        raise DataError(f"{path}: '{name}': class {y[most]} of sample {most}; expected at most 1,000,000.")
    return y.astype(np.int64)


def _check_finite(path: Path, name: str, array: Array) -> None:
    for start in range(0, len(array), 4096):
        portion = array[start : start + 4096]
        if not np.isfinite(portion).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(portion))[0])
            index = ", ".join(map(str, (start + place[0], *place[1:])))
            raise DataError(
                f"{path}: '{name}'[{index}] is {portion[place]}; training needs finite numbers. Mend or leave out that sample."
            )


def _check_pair(path: Path, name: str, target: str, x: Array, y: Array) -> None:
    if len(x) != len(y):
        raise DataError(
            f"{path}: '{name}' has {len(x):,} samples, '{target}' {len(y):,}; expected as many of the one as of the other."
        )


def _split(path: Path, x: Array, y: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    if len(x) < 2:
        raise DataError(f"{path}: one sample and none to test on; expected two or more, or xt and yt.")
    marked = held_out(y, -(-len(y) // HELD_OUT), seed=0)
    return (x[~marked], y[~marked]), (x[marked], y[marked])


def _form(array: Array) -> str:
    return f"{'×'.join(map(str, array.shape))} of {array.dtype}"
