"""Named arrays and named texts in one safetensors file of which every bit is covered by a SHA-256.

A file is 8 bytes of length, a JSON header, and the arrays' bytes. safetensors itself notices only some damage, so the header holds a
digest of every array, and a seal over itself. Equal contents make equal files. What a file claims to hold is checked against what may
be expected before any of it is read.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import RunError

Array = NDArray[Any]
Shapes = Mapping[str, tuple[int, ...]]

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}
NAMES = {np.dtype(code): name for name, code in DTYPES.items()}
MOST_HEADER = 100_000_000
"""Bytes of a header at most, as the format has it."""
SEAL = b'"sha256":"'
"""What stands before the seal. In JSON no other text can hold these bytes: a quote inside a text is written with a backslash."""
UNSEALED = b"0" * 64
MISMADE = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError)
"""What reading raises where a file is sealed rightly and made wrongly: by another program, that is."""


def write(arrays: Mapping[str, Array], texts: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    r"""The pieces of a file, in order.

    Raises
    ------
    OSError
        Where the texts are too long for the format.

    Examples
    --------
    >>> pieces = list(write({"w": np.zeros(2)}, {"format": "mine"}))
    >>> len(pieces[0]) % 8, bytes(pieces[1])
    (0, b'\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00')
    """
    ordered = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))  # every array starts aligned
    flat = {name: np.ascontiguousarray(arrays[name]).reshape(np.shape(arrays[name])) for name in ordered}
    header: dict[str, Any] = {}
    place = 0
    for name, array in flat.items():
        ends = [place, place + array.nbytes]
        header[name] = {"dtype": NAMES[array.dtype], "shape": list(array.shape), "data_offsets": ends}
        place = ends[1]
    digests = json.dumps({name: digest(array) for name, array in sorted(flat.items())})
    told = {**dict(sorted(texts.items())), "tensors": digests, "sha256": UNSEALED.decode()}
    written = json.dumps({"__metadata__": told, **header}, separators=(",", ":")).encode()
    written += b" " * (-len(written) % 8)
    if len(written) > MOST_HEADER:
        why = f"its header would have {len(written):,} bytes, the format allows {MOST_HEADER:,}; a new run can go on from these weights"
        raise OSError(errno.EFBIG, f"{why} (--init-from)")
    whole = len(written).to_bytes(8, "little") + written
    yield whole.replace(SEAL + UNSEALED, SEAL + hashlib.sha256(whole).hexdigest().encode(), 1)
    for array in flat.values():
        yield array.reshape(-1).view(np.uint8).data


def read(path: Path, check: Callable[[Shapes, Mapping[str, str]], object]) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and texts of a file written by `write`.

    Parameters
    ----------
    path : Path
    check : callable
        Given shapes by name and the texts, before any array is read; raises what it does not like.

    Raises
    ------
    RunError
        If the file is missing, cannot be read, or is not in every bit as it was written.
    """
    try:
        with _opened(path) as file:
            header, texts = _header(path, file)
            check({name: tuple(entry["shape"]) for name, entry in header.items()}, texts)
            digests = json.loads(texts["tensors"])
            return {name: _array(path, file, name, entry, digests[name]) for name, entry in header.items()}, texts
    except FileNotFoundError:
        raise RunError(f"{path}: no such checkpoint.") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except MISMADE as error:
        raise RunError(f"{path}: not a checkpoint that neurograph made ({type(error).__name__}: {error}).") from None


def digest(array: Array) -> str:
    """SHA-256 of an array: its dtype, shape and bytes."""
    sha = hashlib.sha256(f"{array.dtype}{array.shape}".encode())
    sha.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return sha.hexdigest()


def _opened(path: Path) -> IO[bytes]:
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for ever
        raise RunError(f"{path}: not a file.")
    return open(path, "rb")


def _header(path: Path, file: IO[bytes]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the file says about itself; parsed only if the seal is right, so damage never reaches the parser."""
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise _damaged(path, "it is empty")
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > min(size - 8, MOST_HEADER):
        raise _damaged(path, f"it has {size:,} bytes, its header should have {length:,}")
    written = file.read(length)
    place = written.find(SEAL) + len(SEAL)
    if place < len(SEAL):
        raise RunError(f"{path}: damaged, or not a checkpoint of neurograph: it has no seal.")
    unsealed = written[:place] + UNSEALED + written[place + len(UNSEALED) :]
    if hashlib.sha256(start + unsealed).hexdigest().encode() != written[place : place + len(UNSEALED)]:
        raise _damaged(path, "its header is not as it was written (SHA-256 differs)")
    header = json.loads(written)
    texts = header.pop("__metadata__")
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("a text that is none")
    end = 0
    for entry in header.values():
        begin, end = end, end + prod(entry["shape"]) * np.dtype(DTYPES[entry["dtype"]]).itemsize
        if entry["data_offsets"] != [begin, end] or min(entry["shape"], default=0) < 0:
            raise ValueError("arrays that do not lie side by side")
    if size != 8 + length + end:
        raise _damaged(path, f"it has {size:,} bytes; {8 + length + end:,} were written")
    return header, texts


def _array(path: Path, file: IO[bytes], name: str, entry: Mapping[str, Any], expected: str) -> Array:
    array = np.empty(tuple(entry["shape"]), DTYPES[entry["dtype"]])
    file.readinto(array.reshape(-1).view(np.uint8).data)  # type: ignore[attr-defined]
    if digest(array) != expected:
        raise _damaged(path, f"'{name}' is not as it was written (SHA-256 differs)")
    return array


def _damaged(path: Path, what: str) -> RunError:
    return RunError(f"{path}: damaged: {what}.")
