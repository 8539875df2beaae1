"""Bytes of a file, plain or gzipped, handed out in bounded portions and checked to the last one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from neurograph.errors import DataError

GZIP = b"\x1f\x8b"
MOST_EXPANSION = 1032
"""Deflate never expands further; a promise beyond it is a lie that need not be tried."""
PORTION = 1 << 20


class Stream:
    """A plain file. `Gunzip` is the gzipped one."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.name = str(path)
        self._file = file
        self._size = path.stat().st_size

    def read(self, n: int) -> bytes:
        """The next `n` bytes, fewer at the end of the file."""
        return bytes(self.values(n))

    def values(self, n: int) -> bytes | bytearray:
        """The same, without a second copy of many bytes."""
        return self._file.read(n)

    def expect(self, n: int, what: str) -> None:
        """Raise DataError if the file cannot possibly hold `n` bytes more."""
        have = self._size - self._file.tell()
        if have < n:
            raise DataError(
                f"{self.name}: offset {self._size}: the file ends; expected {n:,} bytes after the header ({what}), found {have:,}. "
                f"Download it again."
            )

    def finish(self) -> None:
        """Raise DataError unless the file ends well."""


class Gunzip(Stream):
    """One gzip member, checksum and length checked by zlib at its end; nothing may follow it."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        super().__init__(path, file)
        self._inflate = zlib.decompressobj(wbits=31)
        self._pending = b""

    def values(self, n: int) -> bytes | bytearray:
        got = bytearray()
        while len(got) < n and not self._inflate.eof:
            portion = self._portion(min(n - len(got), PORTION))
            if not portion and not self._pending and not self._inflate.eof:
                self._pending = self._file.read(PORTION)
                if not self._pending:
                    raise DataError(
                        f"{self.name}: offset {self._size} (compressed): the gzip file is cut off. Download it again."
                    )
            got += portion
        return got

    def expect(self, n: int, what: str) -> None:
        if n > MOST_EXPANSION * self._size:
            raise DataError(
                f"{self.name}: expected {n:,} bytes after the header ({what}); a gzip file of {self._size:,} bytes cannot hold them."
            )

    def finish(self) -> None:
        if not self._inflate.eof:
            self.read(1)
        rest = self._inflate.unused_data + self._file.read(2)
        if rest:
            second = "a second gzip member" if rest.startswith(GZIP) else "further bytes"
            raise DataError(
                f"{self.name}: offset {self._end(rest)} (compressed): {second} after the end; expected one member."
            )

    def _portion(self, most: int) -> bytes:
        try:
            out = self._inflate.decompress(self._pending, most)
        except zlib.error as error:
            raise DataError(
                f"{self.name}: near offset {self._file.tell()} (compressed): damaged gzip data ({_reason(error)}). Download it again."
            ) from None
        self._pending = self._inflate.unconsumed_tail
        return out

    def _end(self, rest: bytes) -> int:
        return self._file.tell() - len(rest)


def _reason(error: zlib.error) -> str:
    """Zlib's own words: "incorrect data check" is a wrong checksum."""
    return str(error).rsplit(": ", 1)[-1].replace("incorrect data check", "wrong checksum")


@contextmanager
def open_stream(path: Path) -> Iterator[Stream]:
    """Open a file as a stream; gzip is recognised by its first two bytes.

    Raises
    ------
    DataError
        If the file is missing or cannot be read.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
            raise DataError(f"{path}: not an ordinary file; expected a data file.")
        with open(path, "rb") as file:
            is_gzip = file.read(2) == GZIP
            file.seek(0)
            yield Gunzip(path, file) if is_gzip else Stream(path, file)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}.") from None
