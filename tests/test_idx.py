"""IDX files: what is right is read exactly, everything else is refused with file, offset, expected and found."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurograph.data.idx import read_images, read_labels, read_pair
from neurograph.errors import DataError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([7, 1], dtype=np.uint8)


def idx(array: np.ndarray, code: int = 8, zeros: int = 0) -> bytes:
    sizes = b"".join(struct.pack(">I", n) for n in array.shape)
    return struct.pack(">HBB", zeros, code, array.ndim) + sizes + array.tobytes()


def written(path: Path, payload: bytes) -> Path:
    path.write_bytes(payload)
    return path


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["raw", "gzip"])
def test_images_and_labels_are_read(tmp_path: Path, compress: type[bytes]) -> None:
    x, y = read_pair(written(tmp_path / "x", compress(idx(IMAGES))), written(tmp_path / "y", compress(idx(LABELS))))
    np.testing.assert_array_equal(x, IMAGES)
    np.testing.assert_array_equal(y, LABELS)


GZ = gzip.compress(idx(IMAGES), mtime=0)
WRONG_SUM = GZ[:-8] + bytes([GZ[-8] ^ 1]) + GZ[-7:]

REFUSED = {
    "empty": (b"", "offset 0: expected an IDX header, found 0 bytes; the file is empty or cut off."),
    "magic": (
        b"PK\3\4" + idx(IMAGES),
        "offset 0: expected an IDX file (magic 00 00), found 50 4b 03 04.",
    ),
    "web page": (
        b"<html><body>404 Not Found</body></html>",
        "offset 0: expected an IDX file (magic 00 00), found text (b'<htm'): a web page saved in its place? Download the file again.",
    ),
    "gzipped web page": (
        gzip.compress(b"<html><body>404 Not Found</body></html>"),
        "offset 0: expected an IDX file (magic 00 00), found text (b'<htm'): a web page saved in its place? Download the file again.",
    ),
    "type code": (idx(IMAGES, code=0x0D), "offset 2: type code 0x0d; expected 0x08, unsigned bytes."),
    "dimensions": (
        idx(LABELS),
        "offset 3: 1 dimensions, as labels have; expected 3, for images. Are two files swapped?",
    ),
    "four dimensions": (idx(IMAGES[None]), "offset 3: 4 dimensions; expected 3, for images. Are two files swapped?"),
    "cut header": (idx(IMAGES)[:9], "offset 4: expected 12 bytes of sizes, found 5; the file is cut off."),
    "no samples": (idx(IMAGES[:0]), "offset 4: size 0×3×4; expected at least 1 along each axis."),
    "no columns": (idx(IMAGES[:, :, :0]), "offset 12: size 2×3×0; expected at least 1 along each axis."),
    "too large": (
        struct.pack(">IIII", 0x0803, 2**32 - 1, 2**32 - 1, 2**32 - 1),
        "offset 4: size 4294967295×4294967295×4294967295; expected at most 4,294,967,296 values in all.",
    ),
    "one byte short": (
        idx(IMAGES)[:-1],
        "offset 39: the file ends; expected 24 bytes after the header (2×3×4 values), found 23. Download it again.",
    ),
    "one byte short, gzipped": (
        gzip.compress(idx(IMAGES)[:-1]),
        "offset 39: the file ends; expected 24 bytes after the header, found 23. Download it again.",
    ),
    "one byte more": (idx(IMAGES) + b"\0", "offset 40: bytes after the end; expected exactly 24 after the header."),
    "one byte more, gzipped": (
        gzip.compress(idx(IMAGES) + b"\0"),
        "offset 40: bytes after the end; expected exactly 24 after the header.",
    ),
    "two gzip members": (
        GZ + gzip.compress(b"more"),
        f"offset {len(GZ)} (compressed): a second gzip member after the end; expected one member.",
    ),
    "bytes after the gzip member": (
        GZ + b"\0\0\0",
        f"offset {len(GZ)} (compressed): further bytes after the end; expected one member.",
    ),
    "gzip cut off": (
        GZ[:-9],
        f"offset {len(GZ) - 9} (compressed): the gzip file is cut off. Download it again.",
    ),
    "gzip without its checksum": (
        GZ[:-8],
        f"offset {len(GZ) - 8} (compressed): the gzip file is cut off. Download it again.",
    ),
    "wrong checksum": (
        WRONG_SUM,
        f"near offset {len(GZ)} (compressed): damaged gzip data (wrong checksum). Download it again.",
    ),
}


@pytest.mark.parametrize(("payload", "message"), REFUSED.values(), ids=REFUSED)
def test_damaged_images_are_refused(tmp_path: Path, payload: bytes, message: str) -> None:
    path = written(tmp_path / "images", payload)
    with pytest.raises(DataError) as caught:
        read_images(path)
    assert str(caught.value) == f"{path}: {message}"


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(DataError) as caught:
            read_images(path)
        assert str(caught.value) == f"{path}: {message}."


def test_label_out_of_range_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "labels", idx(np.array([3, 10, 9, 200], dtype=np.uint8)))
    with pytest.raises(DataError) as caught:
        read_labels(path, 10)
    assert (
        str(caught.value) == f"{path}: offset 9: label 10 of sample 1; expected 0…9. (2 of 4 labels are out of range.)"
    )


def test_images_without_their_labels_are_refused(tmp_path: Path) -> None:
    images, labels = written(tmp_path / "x", idx(IMAGES)), written(tmp_path / "y", idx(LABELS[:1]))
    with pytest.raises(DataError) as caught:
        read_pair(images, labels)
    assert str(caught.value) == (
        f"{labels}: offset 4: 1 labels; expected 2, the number of images in x. The two files do not belong together."
    )


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut"
    for whole in (idx(IMAGES), GZ):
        for length in range(len(whole)):
            with pytest.raises(DataError):
                read_images(written(path, whole[:length]))


def test_every_bit_flip_of_a_gzip_file_is_refused_or_harmless(tmp_path: Path) -> None:
    path, survivors = tmp_path / "flipped", 0
    for bit in range(8 * len(GZ)):
        payload = bytearray(GZ)
        payload[bit // 8] ^= 1 << bit % 8
        try:
            found = read_images(written(path, bytes(payload)))
        except DataError:
            continue
        survivors += 1
        np.testing.assert_array_equal(found, IMAGES)  # only gzip's own header (time, system) may change unseen
    assert survivors < 8 * 8


def test_a_gzip_of_zeros_costs_only_what_it_promises(tmp_path: Path) -> None:
    """A quarter of a megabyte expands to 256 MB; with a promise of 24 bytes, no more than a portion is ever unpacked."""
    bomb = zlib.compressobj(9, wbits=31)
    payload = bomb.compress(idx(IMAGES)) + bomb.compress(bytes(256 << 20)) + bomb.flush()
    path = written(tmp_path / "bomb", payload)
    tracemalloc.start()
    with pytest.raises(DataError, match="offset 40: bytes after the end"):
        read_images(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_promise_no_gzip_can_keep_is_refused_unread(tmp_path: Path) -> None:
    header = struct.pack(">IIII", 0x0803, 60_000, 28, 28)
    path = written(tmp_path / "images", gzip.compress(header + bytes(100), mtime=0))
    size = path.stat().st_size
    with pytest.raises(DataError) as caught:
        read_images(path)
    assert str(caught.value) == (
        f"{path}: expected 47,040,000 bytes after the header (60000×28×28 values); "
        f"a gzip file of {size} bytes cannot hold them."
    )


@given(payload=st.binary(max_size=64) | st.binary(max_size=40).map(lambda tail: idx(IMAGES)[:16] + tail))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, payload: bytes) -> None:
    for bytes_ in (payload, gzip.compress(payload)):
        path = written(tmp_path_factory.getbasetemp() / "any", bytes_)
        try:
            found = read_images(path)
        except DataError:
            continue
        assert idx(found) == payload
