"""MNIST where it is looked for: a folder, the variable, the cache, the mirrors; a server of our own stands in for the net."""

from __future__ import annotations

import gzip
import hashlib
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurograph.data import download, fashion_mnist, folders, kmnist, load_data, mnist
from neurograph.data.download import by_hand
from neurograph.data.folders import is_here
from neurograph.data.idx import read_images
from neurograph.data.known import CIFAR_10, FASHION_MNIST, IDX_NAMES, KMNIST, KNOWN, MNIST, Known, Published
from neurograph.errors import DataError


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def fill(folder: Path, rows: int = 28, test_rows: int | None = None) -> tuple[Published, ...]:
    """Four small IDX files in MNIST's names, and what would be published about them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, published = np.random.default_rng(1), []
    for name, n, r in (
        (IDX_NAMES[0], 7, rows),
        (IDX_NAMES[1], 7, 0),
        (IDX_NAMES[2], 3, test_rows or rows),
        (IDX_NAMES[3], 3, 0),
    ):
        array = rng.integers(0, 256, (n, r, r)) if r else rng.integers(0, 10, n)
        payload = gzip.compress(idx(array))
        (folder / f"{name}.gz").write_bytes(payload)
        published.append(Published(f"{name}.gz", len(payload), hashlib.sha256(payload).hexdigest()))
    return tuple(published)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "published"
    folder.mkdir()
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}/", folder
    http.shutdown()
    http.server_close()
    thread.join()


def published_at(*mirrors: str, files: tuple[Published, ...]) -> Known:
    return replace(MNIST, mirrors=mirrors, files=files)


def test_files_are_fetched_and_verified(server: tuple[str, Path], tmp_path: Path) -> None:
    url, published_in = server
    files, cache = fill(published_in), tmp_path / "cache" / "mnist"
    download.download(published_at(url, files=files), cache)
    assert sorted(p.name for p in cache.iterdir()) == sorted(f.name for f in files)
    (x, y), (xt, yt) = mnist(cache)
    assert (x.shape, y.shape, xt.shape, yt.shape) == ((7, 1, 28, 28), (7,), (3, 1, 28, 28), (3,))
    assert (x.dtype, y.dtype) == (np.float32, np.int64)
    np.testing.assert_array_equal(
        x[:, 0], read_images(cache / f"{IDX_NAMES[0]}.gz").astype(np.float32) / np.float32(255)
    )


def test_the_second_mirror_helps_out(server: tuple[str, Path], tmp_path: Path) -> None:
    url, published_in = server
    files = fill(published_in)
    download.download(published_at(f"{url}moved/", url, files=files), tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 4


def test_a_file_that_is_not_the_published_one_is_refused(server: tuple[str, Path], tmp_path: Path) -> None:
    url, published_in = server
    files = fill(published_in)
    changed = published_in / files[1].name
    known = published_at(url, files=files)
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    with pytest.raises(DataError) as caught:
        download.download(known, tmp_path / "cache")
    assert str(caught.value).splitlines() == [
        f"MNIST is neither in {tmp_path / 'cache'} nor to be downloaded:",
        f"  {url}{files[1].name}: {files[1].size} bytes that are not the published ones (SHA-256 differs)",
        by_hand(known),
    ]
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [files[0].name]


def test_offline_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEUROGRAPH_MNIST", raising=False)
    monkeypatch.setattr(folders, "cache_folder", tmp_path.joinpath)
    monkeypatch.setattr(download, "_get", lambda url, most: (_ for _ in ()).throw(OSError("Network is unreachable")))
    with pytest.raises(DataError) as caught:
        mnist()
    lines = str(caught.value).splitlines()
    assert lines[0] == f"MNIST is neither in {tmp_path / 'mnist'} nor to be downloaded:"
    assert lines[1:3] == [f"  {m}train-images-idx3-ubyte.gz: Network is unreachable" for m in MNIST.mirrors]
    assert "--data FOLDER, or the environment variable NEUROGRAPH_MNIST" in lines[3]


def test_the_variable_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "here")
    monkeypatch.setenv("NEUROGRAPH_MNIST", str(tmp_path / "here"))
    np.testing.assert_array_equal(mnist()[0][0], mnist(tmp_path / "here")[0][0])
    assert load_data("mnist").x.shape == (7, 1, 28, 28)
    monkeypatch.setenv("NEUROGRAPH_MNIST", str(tmp_path / "there"))
    with pytest.raises(DataError) as caught:
        mnist()
    assert str(caught.value).endswith("(The environment variable NEUROGRAPH_MNIST names this folder.)")


def test_the_cache_is_used_without_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "mnist")
    monkeypatch.delenv("NEUROGRAPH_MNIST", raising=False)
    monkeypatch.setattr(folders, "cache_folder", tmp_path.joinpath)
    monkeypatch.setattr(download, "_get", lambda url, most: pytest.fail("asked the net"))
    assert mnist()[1][1].shape == (3,)


def test_a_folder_is_a_data_set_of_its_own(tmp_path: Path) -> None:
    fill(tmp_path / "small", rows=9)
    data = load_data(str(tmp_path / "small"))
    assert (data.x.shape, data.xt.shape) == ((7, 1, 9, 9), (3, 1, 9, 9))
    assert data.prepared((81,)).x.shape == (7, 81)


def test_a_plain_file_beside_the_compressed_one_is_preferred(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / IDX_NAMES[3]).write_bytes(idx(np.array([1, 2, 3])))
    assert mnist(tmp_path)[1][1].tolist() == [1, 2, 3]


def refused(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        mnist(folder)
    return str(caught.value)


def test_folders_that_are_not_mnist_are_refused(tmp_path: Path) -> None:
    names = ", ".join(IDX_NAMES)
    assert refused(tmp_path / "none") == (
        f"{tmp_path / 'none'}: not a folder. Expected a folder that holds {names}, each plain or as .gz."
    )
    fill(tmp_path / "part")
    (tmp_path / "part" / f"{IDX_NAMES[1]}.gz").unlink()
    assert refused(tmp_path / "part") == (
        f"{tmp_path / 'part'}: no {IDX_NAMES[1]} (plain or .gz). A data folder holds {names}."
    )
    fill(tmp_path / "small", rows=9)
    assert refused(tmp_path / "small") == f"{tmp_path / 'small'}: images of 9×9; MNIST's are 28×28."
    fill(tmp_path / "mixed", rows=28, test_rows=20)
    assert refused(tmp_path / "mixed") == (
        f"{tmp_path / 'mixed'}: training images of 28×28, test images of 20×20; expected one size."
    )


def test_unknown_names_are_refused_with_a_suggestion() -> None:
    with pytest.raises(DataError) as caught:
        load_data("digit")
    assert str(caught.value) == (
        "no data set 'digit'; did you mean 'digits'? (known: digits, mnist, fashion-mnist, kmnist, cifar-10, or the path of an .npz "
        "file or of a folder of IDX or CIFAR-10 files)."
    )


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1,2,3")
    with pytest.raises(DataError) as caught:
        load_data(str(tmp_path / "data.csv"))
    assert str(caught.value) == (
        f"{tmp_path / 'data.csv'}: a file; expected an .npz file, or a folder that holds IDX files or CIFAR-10's binary files."
    )


@pytest.mark.parametrize(
    ("known", "read"), [(FASHION_MNIST, fashion_mnist), (KMNIST, kmnist)], ids=lambda k: str(k)[:12]
)
def test_the_family_has_variables_of_its_own(
    known: Known, read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "here")
    monkeypatch.delenv("NEUROGRAPH_MNIST", raising=False)
    monkeypatch.setattr(folders, "cache_folder", tmp_path.joinpath)
    assert not is_here(known)
    monkeypatch.setenv(known.variable, str(tmp_path / "here"))
    assert is_here(known)
    assert not is_here(MNIST)
    np.testing.assert_array_equal(read()[0][0], mnist(tmp_path / "here")[0][0])
    data = load_data(known.name)
    assert (data.name, data.x.shape, data.x.dtype) == (known.name, (7, 1, 28, 28), np.uint8)


def test_offline_instructions_name_every_file_and_the_variable() -> None:
    for known in KNOWN.values():
        if known.files:
            text = by_hand(known)
            assert all(file.name in text for file in known.files)
            assert f"the environment variable {known.variable}." in text


def test_checksums_and_sizes_have_the_published_form() -> None:
    files = [file for known in KNOWN.values() for file in known.files]
    assert len({file.sha256 for file in files}) == len(files) == 13
    assert all(len(file.sha256) == 64 and int(file.sha256, 16) > 0 for file in files)
    assert CIFAR_10.size == 170_052_171
