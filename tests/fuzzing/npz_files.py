"""Archives of arrays: as numpy writes them, then harmed in the headers of arrays, in the archive, or anywhere."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fuzzing.watch import demand

from neurograph.data.npz import read_npz
from neurograph.errors import DataError

SHAPES = [
    "(2, 4)", "(2,)", "(2, 1)", "()", "(0, 4)", "(-1, 4)", "(2, 2, 2)", "(1000000, 1000000)", f"({2**62}, 4)", "(2, 4", "[2, 4]", "2",
    "(2.0, 4)", "(True, 4)", "(2, 1, 1, 1, 1, 4)", "None", f"({'1, ' * 40})", f"({2**70},)",
]  # fmt: skip
DTYPES = [
    "'<f8'", "'>f4'", "'<f2'", "'|u1'", "'<i8'", "'|b1'", "'<u8'", "'|O'", "'<c16'", "'<U4'", "'|S0'", "'|V8'", "'<M8[s]'", "'nonsense'",
    "[('a', '<f4')]", "'<f16'", "0", "None", "'f4,f4'", "('<f4', (2, 4))", "'|V0'",
]  # fmt: skip
NAMES = [
    ("x", "y"), ("x", "y", "xt", "yt"), ("x_train", "y_train", "x_test", "y_test"), ("x",), ("x", "y", "xt"), ("a", "b"), ("x", "y", "x"),
    ("../x", "/y"), ("x\n", "y"),
]  # fmt: skip


class NpzFiles:
    """A small archive with something wrong, most of the time."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fuzzed.npz"

    def make(self, random: Random) -> bytes:
        """The archive."""
        out = io.BytesIO()
        packing = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        if random.random() < 0.02:
            packing = zipfile.ZIP_LZMA
        with zipfile.ZipFile(out, "w", packing) as archive:
            written = set()
            for name in random.choice(NAMES) if random.random() < 0.2 else NAMES[random.randrange(2)]:
                if name not in written:
                    archive.writestr(f"{name}.npy", _array(random, name.startswith("y")))
                written.add(name)
        content = out.getvalue()
        return _harmed(random, content) if random.random() < 0.4 else content

    def run(self, made: bytes) -> str:
        """Read it; what is read is finite, and as many targets as samples."""
        self.path.write_bytes(made)
        try:
            for x, y in read_npz(self.path):
                assert len(x) == len(y) > 0, "samples without targets"
                assert x.dtype in (np.uint8, np.float32), x.dtype
                assert np.isfinite(x).all(), "samples that are not finite"
                assert np.isfinite(y).all(), "targets that are not finite"
        except DataError as error:
            demand(str(self.path) in str(error), f"no file named: {error}")
            return "refused"
        return "read"

    def shown(self, made: bytes) -> str:
        """The archive as Python."""
        return repr(made)


def _array(random: Random, targets: bool) -> bytes:
    """An .npy file, of which one thing may be wrong."""
    n = random.choice((2, 5, 6)) if random.random() < 0.3 else 5
    array: Any = np.arange(n) % 3 if targets else np.arange(4 * n).reshape(n, 4) / 8
    if random.random() < 0.3:
        array = array.astype(random.choice(("<f4", ">f8", "u1", "<f2", "<i2", "?")))
    if array.dtype.kind == "f" and random.random() < 0.1:
        array.flat[random.randrange(array.size)] = random.choice((np.nan, np.inf, -np.inf))
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array))
    content = out.getvalue()
    if random.random() < 0.75:
        return content
    header, values = content[10:128].decode("latin1"), content[128:]
    match random.randrange(5):
        case 0:
            header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {random.choice(SHAPES)}, }}"
        case 1:
            header = f"{{'descr': {random.choice(DTYPES)}, 'fortran_order': False, 'shape': (5, 4), }}"
        case 2:
            at = random.randrange(len(header))
            header = (
                header[:at]
                + random.choice(
                    ("(", "[" * 300, "{", "'", "\0", "\\", "9" * 5000, "-", "", "lambda:0", "1e999", "\n\n")
                )
                + header[at + 1 :]
            )
        case 3:
            header = random.choice(
                (
                    "",
                    "0",
                    "{}",
                    "__import__('os')",
                    "(" * 3000,
                    "{'descr': 1}",
                    "-" * 3000 + "1",
                    "{[]: 1}",
                    "{**{}}",
                    "'\\N{x}'",
                )
            )
        case _:
            values = values[: random.randrange(len(values) + 1)] + random.randbytes(random.choice((0, 1, 8)))
    version = random.choice(((1, 0), (1, 0), (1, 0), (2, 0), (3, 0), (0, 0), (9, 9)))
    text = header.encode("utf-8", "replace")
    length = len(text) if random.random() < 0.9 else random.choice((0, 1, 65_535))
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version[0] < 2 else "<I", length) + text + values


def _harmed(random: Random, content: bytes) -> bytes:
    """Bytes of the archive changed, or numbers in its directory, or its end."""
    at = random.randrange(len(content))
    match random.randrange(7):
        case 0 | 1:
            return content[:at]
        case 2 | 3:
            return content[:at] + bytes([content[at] ^ 1 << random.randrange(8)]) + content[at + 1 :]
        case 4:
            entry = content.find(b"PK\1\2")
            at = entry + random.choice((6, 8, 10, 16, 20, 24, 28, 30, 34, 42))
            return content[:at] + random.choice((b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x0c\0")) + content[at + 4 :]
        case 5:
            return content + random.choice(
                (content, b"PK\5\6" + bytes(18), b"PK\5\6", zlib.compress(content), b"\0" * 70_000)
            )
        case _:
            end = content.rfind(b"PK\5\6")
            at = end + random.choice((4, 8, 10, 12, 16, 20))
            return content[:at] + random.choice((b"\xff\xff", b"\0\0", b"\1\0")) + content[at + 2 :]
