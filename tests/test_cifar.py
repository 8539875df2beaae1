"""CIFAR-10's binary files: read exactly, in a folder or in the archive, and everything else refused."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurograph.data import load_data
from neurograph.data.cifar import ARCHIVE, RECORD, SUBFOLDER, TEST, TRAINING, read_cifar
from neurograph.errors import DataError

NAMES = (*TRAINING, TEST)


def records(seed: int, n: int = 2) -> bytes:
    values = np.random.default_rng(seed).integers(0, 256, (n, RECORD), dtype=np.uint8)
    values[:, 0] %= 10
    return values.tobytes()


FILES = {name: records(i) for i, name in enumerate(NAMES)}
X = np.concatenate([np.frombuffer(FILES[name], dtype=np.uint8).reshape(-1, RECORD)[:, 1:] for name in TRAINING])
X = X.reshape(-1, 3, 32, 32)


def fill(folder: Path, **changed: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (folder / name).write_bytes(changed.get(name.removesuffix(".bin"), FILES[name]))
    return folder


def archive(folder: Path, files: dict[str, bytes], **extra: int) -> Path:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, payload in files.items():
            member = tarfile.TarInfo(f"{SUBFOLDER}/{name}")
            member.size = len(payload)
            tar.addfile(member, io.BytesIO(payload))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARCHIVE).write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_cifar(folder)
    return str(caught.value)


def test_records_are_a_class_and_three_planes(tmp_path: Path) -> None:
    (x, y), (xt, yt) = read_cifar(fill(tmp_path))
    assert (x.shape, x.dtype, y.dtype, xt.shape) == ((10, 3, 32, 32), np.uint8, np.int64, (2, 3, 32, 32))
    second = FILES["data_batch_2.bin"]
    assert (y[2], x[2, 0, 0, 1], x[2, 1, 0, 0], x[2, 2, 31, 31]) == (second[0], second[2], second[1025], second[3072])
    assert yt.tolist() == [FILES[TEST][0], FILES[TEST][RECORD]]


@pytest.mark.parametrize("where", ["subfolder", "archive"])
def test_other_places_give_the_same_samples(tmp_path: Path, where: str) -> None:
    plain = read_cifar(fill(tmp_path / "plain"))
    readme = {"readme.html": b"<p>about</p>", **dict(reversed(FILES.items()))}
    other = fill(tmp_path / "other" / SUBFOLDER).parent if where == "subfolder" else archive(tmp_path / "other", readme)
    found = load_data(str(other))
    np.testing.assert_array_equal(found.x, plain[0][0])
    np.testing.assert_array_equal(found.yt, plain[1][1])


def test_the_variable_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROGRAPH_CIFAR_10", str(fill(tmp_path / "here")))
    assert load_data("cifar-10").prepared((3, 32, 32)).x.dtype == np.float32
    monkeypatch.setenv("NEUROGRAPH_CIFAR_10", str(tmp_path / "there"))
    with pytest.raises(DataError, match=r"The environment variable NEUROGRAPH_CIFAR_10 names this folder\."):
        load_data("cifar-10")


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    whole = FILES["data_batch_3.bin"]
    wrong = bytearray(whole)
    wrong[RECORD] = 10
    where = tmp_path / "data_batch_3.bin"
    for payload, message in {
        b"": "offset 0: expected records of 3,073 bytes, found none; the file is empty.",
        whole[
            :-1
        ]: "offset 3073: 3,072 bytes are left over; expected whole records of 3,073 bytes (a class and 3×32×32 pixels). "
        "Download it again.",
        bytes(wrong): "offset 3073: class 10 of record 1; expected 0…9. (1 of 2 classes are out of range.)",
    }.items():
        assert refused(fill(tmp_path, data_batch_3=payload)) == f"{where}: {message}"


def test_missing_files_and_pickles_are_refused(tmp_path: Path) -> None:
    fill(tmp_path / "part")
    (tmp_path / "part" / TEST).unlink()
    whole = f"CIFAR-10's binary version is {', '.join(NAMES)}, or {ARCHIVE}."
    assert refused(tmp_path / "part") == f"{tmp_path / 'part'}: no {TEST}. {whole}"
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "data_batch_1").write_bytes(b"\x80\x02}")
    with pytest.raises(DataError) as caught:
        load_data(str(pickled))
    assert str(caught.value).endswith(
        "What is here is CIFAR's Python version, pickles, which are never opened: get the binary version."
    )


def test_archives_that_are_not_cifar_are_refused(tmp_path: Path) -> None:
    path = tmp_path / ARCHIVE
    archive(tmp_path, {name: FILES[name] for name in TRAINING})
    assert refused(tmp_path) == f"{path}: no {TEST} in it. Download it again."
    archive(tmp_path, {"huge.bin": bytes(2 << 20), **FILES})
    assert refused(tmp_path) == (
        f"{path}: member 1, {SUBFOLDER}/huge.bin, of 2,097,152 bytes does not belong in {ARCHIVE}. Download it again."
    )
    archive(tmp_path, {**FILES, "data_batch_2.bin": b"\x0b" + FILES["data_batch_2.bin"][1:]})
    assert refused(tmp_path).startswith(f"{path}: data_batch_2.bin: offset 0: class 11 of record 0;")
    for damaged in (b"no archive", b"", path.read_bytes()[:2000], gzip.compress(b"x" * 5000)):
        path.write_bytes(damaged)
        assert refused(tmp_path).startswith(f"{path}: damaged, or no gzipped tar archive (")


@given(cut=st.integers(0, 40_000), flip=st.integers(0, 300_000))
def test_a_damaged_archive_is_refused_or_read_right(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flip: int
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    whole = bytearray((archive(folder, FILES) / ARCHIVE).read_bytes())
    whole[flip // 8 % len(whole)] ^= 1 << flip % 8
    for payload in (bytes(whole[: cut % len(whole)]), bytes(whole)):
        (folder / ARCHIVE).write_bytes(payload)
        try:
            (x, _), _ = read_cifar(folder)
        except DataError:
            continue
        np.testing.assert_array_equal(x, X)  # only gzip's own header (time, system) may change unseen
