"""`--input FILE`: one sample of the user's own, from NumPy files or numbers in a text; and what `--target` says of it."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Hashable
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import DataError, UsageError
from neurograph.shapes import times

if TYPE_CHECKING:
    from neurograph.graph.layout import Layout, Port

Array = NDArray[Any]
UNREADABLE = (ValueError, SyntaxError, TokenError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What numpy raises for files that are no arrays."""
LARGEST, LONGEST = 1 << 26, 1 << 24
"""Bytes of numbers, or of text; larger files are not one sample."""


def read_input(path: Path, layout: Layout) -> dict[Hashable, Array]:
    """One sample from a file, as a batch of one by input name.

    Raises
    ------
    DataError
        If the file cannot be read, or does not hold as many finite numbers as the inputs take.
    """
    ports = layout.inputs
    found = _read(path)
    if isinstance(found, dict):
        missing = [str(port.name) for port in ports if str(port.name) not in found]
        if missing and not (len(ports) == 1 and len(found) == 1):
            raise DataError(
                f"{path}: has {', '.join(found) or 'nothing'}; expected an array for each input: "
                f"{', '.join(str(port.name) for port in ports)}."
            )
        return {port.name: _fitted(path, found.get(str(port.name), next(iter(found.values()))), port) for port in ports}
    if len(ports) > 1:
        names = ", ".join(str(port.name) for port in ports)
        raise DataError(
            f"{path}: one array, but the network has the inputs {names}. Use an .npz with an array for each."
        )
    return {ports[0].name: _fitted(path, found, ports[0])}


def read_target(text: str, layout: Layout) -> Any:
    """What the output should be: a class, or numbers between commas.

    Raises
    ------
    UsageError
        If it is neither, or there are several heads.
    """
    if len(layout.heads) != 1:
        raise UsageError("--target: the network has several heads; give the sample in the spec, as [[sample]].")
    try:
        if re.fullmatch(r"\s*\d+\s*", text) and layout.heads[0].size > 1:
            return np.array([int(text)])
        numbers = np.array([float(part) for part in text.split(",")])
    except ValueError:
        raise UsageError(
            f"--target {text}: expected a class such as 3, or numbers between commas such as 0.1,0.9."
        ) from None
    shape = layout.heads[0].shape
    if numbers.size != layout.heads[0].size:
        raise UsageError(f"--target {text}: {numbers.size} numbers; the head has {layout.heads[0].size} units.")
    return numbers.reshape(1, *shape)


def _read(path: Path) -> Array | dict[str, Array]:
    try:
        if path.exists() and not (
            path.is_file() or path.is_dir()
        ):  # a device may have no end, and a pipe no other side
            raise DataError(f"{path}: not an ordinary file; expected one sample.")
        size, most = path.stat().st_size, LARGEST if path.suffix in (".npy", ".npz") else LONGEST
        if size > most:
            raise DataError(f"{path}: {size:,} bytes; one sample is expected, of at most {most:,}.")
        if path.suffix == ".npz":
            return _arrays(path)
        if path.suffix == ".npy":
            return np.array(np.load(path, allow_pickle=False, mmap_mode="r"))  # which promises no more than there is
        return _numbers(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: no text. Use .npy, .npz, or numbers as text, such as CSV.") from None
    except UNREADABLE as error:
        raise DataError(f"{path}: damaged, or no NumPy file: {str(error) or type(error).__name__}.") from None


def _arrays(path: Path) -> dict[str, Array]:
    """The arrays of an archive that does not claim to be far larger than one sample is."""
    with np.load(path, allow_pickle=False) as archive:
        size = sum(member.file_size for member in archive.zip.infolist())
        if size > LARGEST:
            raise DataError(f"{path}: {size:,} bytes when unpacked; one sample is expected, of at most {LARGEST:,}.")
        return {name: archive[name] for name in archive}


def _numbers(path: Path, text: str) -> Array:
    """Numbers between commas, semicolons, blanks and ends of lines."""
    found = []
    for n, line in enumerate(text.splitlines(), start=1):
        for word in re.split(r"[\s,;]+", line.strip()):
            try:
                found += [float(word)] if word else []
            except ValueError:
                raise DataError(
                    f"{path}:{n}: '{word[:40]}' is no number; numbers between commas or blanks are expected."
                ) from None
    return np.array(found)


def _fitted(path: Path, values: Array, port: Port) -> Array:
    """The numbers in the input's shape."""
    if values.dtype.kind not in "biuf":
        raise DataError(f"{path}: numbers are expected; found an array of {values.dtype}.")
    if values.size != port.size:
        raise DataError(
            f"{path}: {values.size:,} numbers{f' ({times(values.shape)})' if values.ndim > 1 else ''}; "
            f"input '{port.name}' takes {port.size:,} ({times(port.shape)})."
        )
    fitted = np.asarray(values, dtype=np.float64).reshape(1, *port.shape)
    bad = np.flatnonzero(~np.isfinite(fitted.reshape(-1)))
    if len(bad):
        raise DataError(f"{path}: number {bad[0] + 1} is {fitted.reshape(-1)[bad[0]]}; finite numbers are expected.")
    return fitted
