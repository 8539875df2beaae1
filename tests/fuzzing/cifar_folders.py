"""Folders and archives of CIFAR-10 in small: records and classes, files missing or cut, tar members and gzip layers that lie."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from pathlib import Path
from random import Random

from fuzzing.watch import demand

from neurograph.data.cifar import ARCHIVE, RECORD, TEST, TRAINING, read_cifar
from neurograph.errors import DataError

NAMES = (*TRAINING, TEST)
PIXELS = bytes(RECORD - 1)


class CifarFolders:
    """Six files of one record each, or the archive of them, most of the time with one thing wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cifar"

    def make(self, random: Random) -> dict[str, bytes]:
        """Files by name."""
        files = {name: bytes([random.randrange(10)]) + PIXELS for name in NAMES}
        if random.random() < 0.7:
            name = random.choice(NAMES)
            files |= _harmed(random, name, files[name])
        if random.random() < 0.1:
            del files[random.choice(NAMES)]
        return {ARCHIVE: _archive(random, files)} if random.random() < 0.5 else files

    def run(self, made: dict[str, bytes]) -> str:
        """Read it; classes are 0…9, and as many as images."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name, content in made.items():
            (self.folder / name).write_bytes(content)
        try:
            for x, y in read_cifar(self.folder):
                assert x.shape == (len(y), 3, 32, 32), x.shape
                assert y.min() >= 0, "a class below 0"
                assert y.max() <= 9, "a class above 9"
        except DataError as error:
            demand(str(self.folder) in str(error), f"no file named: {error}")
            return "refused"
        return "read"

    def shown(self, made: dict[str, bytes]) -> str:
        """The folder as Python, without runs of zeros."""
        return repr(made).replace(repr(PIXELS)[2:-1], "…pixels…")


def _harmed(random: Random, name: str, content: bytes) -> dict[str, bytes]:
    match random.randrange(6):
        case 0:
            return {name: content[: random.randrange(len(content))]}
        case 1:
            return {name: content + random.randbytes(random.choice((1, 8)))}
        case 2:
            return {name: content * 2}
        case 3:
            return {name: bytes([random.randrange(256)]) + content[1:]}
        case 4:
            return {name: b""}
        case _:
            return {"data_batch_1": b"\x80\x04K\x01.", f"{name}.bak": content}


def _archive(random: Random, files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(random.choice(("cifar-10-batches-bin/", "", "../../", "/")) + name)
            member.size = len(content)
            if random.random() < 0.03:
                member.type = random.choice((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE))
                member.size = 0
            archive.addfile(member, io.BytesIO(content))
    plain = out.getvalue()
    if random.random() < 0.3:
        plain = _harmed_bytes(random, plain)
    packed = gzip.compress(plain, compresslevel=1, mtime=0)
    return _harmed_bytes(random, packed) if random.random() < 0.3 else packed


def _harmed_bytes(random: Random, content: bytes) -> bytes:
    at = random.randrange(min(len(content), random.choice((600, 10**9))))
    match random.randrange(4):
        case 0:
            return content[:at]
        case 1:
            return content[:at] + bytes([content[at] ^ 1 << random.randrange(8)]) + content[at + 1 :]
        case 2:
            return (
                content[:at]
                + random.choice((b"\xff" * 12, b"77777777777\0", b"-1", b"\x80" + bytes(3) + b"\xff" * 8))
                + content[at + 12 :]
            )
        case _:
            return content + random.choice((content, b"\0" * 2_000_000, b"x"))
