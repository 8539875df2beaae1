"""IDX files: headers, sizes, types, truncation, layers of gzip. An independent reading of ten lines says which may be read, and as what."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from random import Random

import numpy as np
from fuzzing.watch import demand

from neurograph.data.idx import read_images, read_labels, read_pair
from neurograph.errors import DataError

N_CLASSES = 10
SIZES = [0, 1, 2, 3, 28, 127, 128, 255, 256, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1]
PAGES = [
    b"<!DOCTYPE html><html>404",
    b'{"error": 404}',
    b"\n<html>",
    b"PK\3\4",
    b"\x93NUMPY",
    b"\x80\x04K\x01.",
    b"\x1f\x8b",
    b"\x1f\x8b\x08",
    b"",
]


@dataclass(frozen=True)
class IdxFile:
    """Bytes of a file, and how they are to be read: as images, labels, or images with the labels of another."""

    content: bytes
    dimensions: int
    labels: bytes | None = None


class IdxFiles:
    """A small file of images or labels, with nothing, one or two things wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.other = folder / "images", folder / "labels"

    def make(self, random: Random) -> IdxFile:
        """A file, or two."""
        dimensions = random.choice((1, 3))
        shape = [random.choice((1, 1, 2, 3, 7)) for _ in range(dimensions)]
        content = _written(random, shape)
        if random.random() < 0.1:
            n = shape[0] if random.random() < 0.5 else random.choice((1, 2, 3))
            return IdxFile(_written(random, [shape[0], 2, 2]), 3, _harmed(random, _written(random, [n])))
        if random.random() < 0.15:
            dimensions = 4 - dimensions
        return IdxFile(_harmed(random, content), dimensions)

    def run(self, made: IdxFile) -> str:
        """Read it; what is read must be what an independent reading finds, what is refused nothing that it accepts."""
        self.path.write_bytes(made.content)
        wanted = _reading(made.content, made.dimensions)
        if made.labels is not None:
            self.other.write_bytes(made.labels)
            labels = _reading(made.labels, 1)
            wanted = None if wanted is None or labels is None or len(wanted) != len(labels) else wanted
        try:
            if made.labels is not None:
                found, _ = read_pair(self.path, self.other, N_CLASSES)
            else:
                found = read_images(self.path) if made.dimensions == 3 else read_labels(self.path, N_CLASSES)
        except DataError as error:
            demand(wanted is None, f"refused, though it is whole: {error}")
            demand(str(self.path.parent) in str(error), f"no file named: {error}")
            return "refused"
        assert wanted is not None, "read, though it is not as the format has it"
        assert np.array_equal(found, wanted), "read as other numbers"
        return "read"

    def shown(self, made: IdxFile) -> str:
        """The file as Python."""
        return repr(made)


def _reading(content: bytes, dimensions: int) -> np.ndarray | None:
    """What a file says, read in the plainest way; None where it must be refused."""
    if content[:2] == b"\x1f\x8b":
        try:
            plain = zlib.decompressobj(wbits=31)
            content = plain.decompress(content, 10_000)
        except zlib.error:
            return None
        if not plain.eof or plain.unused_data:
            return None
    if content[:4] != bytes([0, 0, 8, dimensions]) or len(content) < 4 + 4 * dimensions:
        return None
    shape = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
    if 0 in shape or len(content) != 4 + 4 * dimensions + prod(shape):
        return None
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    return None if dimensions == 1 and values.max() >= N_CLASSES else values


def _written(random: Random, shape: list[int]) -> bytes:
    values = random.randbytes(prod(shape))
    if len(shape) == 1 and random.random() < 0.9:
        values = bytes(value % N_CLASSES for value in values)
    return _header(0, 8, shape) + values


def _header(zeros: int, code: int, shape: list[int]) -> bytes:
    return zeros.to_bytes(2, "big") + bytes([code, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


def _harmed(random: Random, content: bytes) -> bytes:
    """Nothing, one or two faults, before and after compression."""
    if random.random() < 0.5:
        content = _harmed_plain(random, content)
    layers = random.choice((0, 0, 0, 1, 1, 2))
    for layer in range(layers):
        if random.random() < 0.1:
            content += b"\0" * random.choice((1, 100, 200_000))
        content = (
            gzip.compress(content, compresslevel=1, mtime=0) if layer == 0 or random.random() < 0.7 else content * 2
        )
        if random.random() < 0.3:
            content = _harmed_bytes(random, content)
    return _harmed_bytes(random, content) if not layers and random.random() < 0.2 else content


def _harmed_plain(random: Random, content: bytes) -> bytes:
    """Another header before the same values."""
    match random.randrange(6):
        case 0:
            at = random.randrange(4)
            return content[:at] + bytes([random.choice((0, 1, 3, 8, 9, 11, 12, 13, 14, 255))]) + content[at + 1 :]
        case 1 | 2:
            n = max(len(content[3:4]) and content[3], 1)
            at = 4 + 4 * random.randrange(n)
            return content[:at] + random.choice(SIZES).to_bytes(4, "big") + content[at + 4 :]
        case 3:
            return random.choice(PAGES) + content[random.randrange(len(content)) :]
        case 4:
            shape = [random.choice(SIZES) for _ in range(random.choice((0, 1, 2, 3, 3, 4, 255)))]
            return _header(random.choice((0, 0, 0, 1, 2048)), random.choice((8, 8, 8, 9, 13)), shape) + content[16:]
        case _:
            return _harmed_bytes(random, content)


def _harmed_bytes(random: Random, content: bytes) -> bytes:
    """Cut, lengthened, flipped, doubled."""
    at = random.randrange(len(content) + 1)
    match random.randrange(7):
        case 0 | 1:
            return content[:at]
        case 2:
            return content + random.randbytes(random.choice((1, 2, 8)))
        case 3 | 4 if at < len(content):
            return content[:at] + bytes([content[at] ^ 1 << random.randrange(8)]) + content[at + 1 :]
        case 5:
            return content[:at] + random.randbytes(random.choice((1, 4))) + content[at:]
        case _:
            return content + content
