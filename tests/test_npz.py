"""Data in .npz files: read by what the arrays are called and shaped like; damaged, hostile and unfit ones refused, each in its words."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib import format as npy

from neurograph.data import load_data
from neurograph.data.npz import read_npz
from neurograph.errors import DataError

X = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)
Y = np.array([0, 1, 2, 0, 1, 2])


def saved(folder: Path, compress: bool = False, **arrays: Any) -> Path:
    path = folder / "data.npz"
    (np.savez_compressed if compress else np.savez)(path, **arrays)
    return path


def packed(folder: Path, members: dict[str, bytes], **options: Any) -> Path:
    path = folder / "data.npz"
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, payload in members.items():
            archive.writestr(name, payload)
    return path


def member(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    npy.write_array(buffer, np.asanyarray(array), **options)
    return buffer.getvalue()


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_npz(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


# -- what is right is read ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize(
    "names",
    [
        ("x", "y", "xt", "yt"),
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_all_spellings_are_read(tmp_path: Path, names: tuple[str, ...], compress: bool) -> None:
    arrays = dict(zip(names, (X, Y, X[:2], Y[:2]), strict=True))
    (x, y), (xt, yt) = read_npz(saved(tmp_path, compress, other=np.zeros(3), **arrays))
    assert (x.dtype, y.dtype) == (np.uint8, np.int64)
    np.testing.assert_array_equal(x[:, 0], X)
    np.testing.assert_array_equal(xt, x[:2])
    assert (y.tolist(), yt.tolist()) == (Y.tolist(), Y[:2].tolist())


def test_bytes_are_pixels_and_other_numbers_stay(tmp_path: Path) -> None:
    data = load_data(str(saved(tmp_path, x=X, y=Y))).prepared((1, 4, 5))
    assert data.x.dtype == np.float32
    assert float(max(data.x.max(), data.xt.max())) == float(np.float32(X.max()) / np.float32(255))
    data = load_data(str(saved(tmp_path, x=X.astype(np.int32) - 3, y=Y))).prepared((20,))
    assert float(min(data.x.min(), data.xt.min())) == -3.0


def test_without_test_samples_a_fifth_is_held_out(tmp_path: Path) -> None:
    y = np.repeat(np.arange(3), 10)
    (x, y), (xt, yt) = read_npz(saved(tmp_path, x=np.arange(30.0)[:, None], y=y))
    assert (len(y), np.bincount(yt).tolist()) == (24, [2, 2, 2])
    np.testing.assert_array_equal(np.sort(np.concatenate([x, xt])[:, 0]), np.arange(30))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((6, 7), (6, 7)),
        ((6, 4, 5), (6, 1, 4, 5)),
        ((6, 3, 8, 8), (6, 3, 8, 8)),
        ((6, 8, 8, 3), (6, 3, 8, 8)),
        ((6, 8, 8, 1), (6, 1, 8, 8)),
        ((6, 3, 8, 3), (6, 3, 8, 3)),
    ],
)
def test_channels_come_first(tmp_path: Path, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    (x, _), _ = read_npz(saved(tmp_path, x=values, y=Y, xt=values, yt=Y))
    assert x.shape == expected
    np.testing.assert_array_equal(x if shape == expected else x.reshape(expected), _moved(values, expected))


def _moved(values: np.ndarray, expected: tuple[int, ...]) -> np.ndarray:
    return (
        np.transpose(values, (0, 3, 1, 2))
        if values.shape[-1:] != expected[-1:] and values.ndim == 4
        else values.reshape(expected)
    )


def test_keras_column_of_classes_and_values_to_predict(tmp_path: Path) -> None:
    assert read_npz(saved(tmp_path, x=X, y=Y[:, None], xt=X, yt=Y[:, None]))[0][1].shape == (6,)
    values = np.linspace(0, 1, 12).reshape(6, 2)
    y = read_npz(saved(tmp_path, x=X, y=values, xt=X, yt=values))[0][1]
    assert (y.dtype, y.shape) == (np.float64, (6, 2))


def test_fortran_order_and_foreign_bytes_are_read(tmp_path: Path) -> None:
    (x, _), _ = read_npz(saved(tmp_path, x=np.asfortranarray(X), y=Y.astype(">i4"), xt=X, yt=Y))
    np.testing.assert_array_equal(x[:, 0], X)


# -- what does not fit is refused --------------------------------------------------------------------------------------
NOT_FINITE = X.astype(float)
NOT_FINITE[4, 1, 2] = np.nan
UNFIT = {
    "names": ({"a": X, "b": Y}, "has 'a', 'b'; expected x and y (and xt, yt for testing), or x_train, y_train, x_test, y_test, "
    "or X_train, y_train, X_test, y_test, or train_images, train_labels, test_images, test_labels."),
    "nothing": ({}, "has no arrays; expected x and y (and xt, yt for testing), or x_train, y_train, x_test, y_test, "
    "or X_train, y_train, X_test, y_test, or train_images, train_labels, test_images, test_labels."),
    "half a test": ({"x": X, "y": Y, "xt": X}, "has 'xt' but no 'yt'; expected both, or neither."),
    "counts": ({"x": X, "y": Y[:5]}, "'x' has 6 samples, 'y' 5; expected as many of the one as of the other."),
    "one number a sample": ({"x": Y, "y": Y}, "'x' is 6 of int64; expected samples × features, samples × rows × columns, "
    "or samples × channels × rows × columns."),
    "NaN": ({"x": NOT_FINITE, "y": Y}, "'x'[4, 0, 1, 2] is nan; training needs finite numbers. Mend or leave out that sample."),
    "infinite target": ({"x": X, "y": np.array([0, 1, 2, np.inf, 0, 0])}, "'y'[3] is inf; training needs finite numbers. "
    "Mend or leave out that sample."),
    "beyond float32": ({"x": X * 1e300, "y": Y}, "'x'[0, 0, 0, 1] is inf; training needs finite numbers. Mend or leave out that sample."),
    "negative class": ({"x": X, "y": Y - 1}, "'y': class -1 of sample 0; classes count from 0."),
    "huge class": ({"x": X, "y": Y + 2**62}, "'y': class 4611686018427387906 of sample 2; expected at most 1,000,000."),
    "several classes": ({"x": X, "y": X[:, 0]}, "'y' is 6×5 of uint8; expected one class a sample, or floating-point values."),
    "words": ({"x": X, "y": np.array(["a"] * 6)}, "'y': values of <U1; expected numbers."),
    "complex": ({"x": X * 1j, "y": Y}, "'x': values of complex128; expected numbers."),
    "no samples": ({"x": X[:0], "y": Y[:0]}, "'x': shape (0, 4, 5); expected one sample or more, each of one number or more."),
    "one sample": ({"x": X[:1], "y": Y[:1]}, "one sample and none to test on; expected two or more, or xt and yt."),
    "two forms": ({"x": X, "y": Y, "xt": X[:, :3], "yt": Y}, "'xt' is 6×1×3×5 of uint8, 'x' is 6×1×4×5 of uint8; expected samples of "
    "one form for training and test."),
    "classes and values": ({"x": X, "y": Y, "xt": X, "yt": Y / 2}, "'yt' is 6 of float64, 'y' is 6 of int64; expected samples of one "
    "form for training and test."),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "message"), UNFIT.values(), ids=UNFIT)
def test_unfit_arrays_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    assert refused(saved(tmp_path, **arrays)) == message


class Bomb:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was opened",))


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    array = np.empty(6, dtype=object)
    array[:] = [Bomb() for _ in range(6)]
    path = packed(tmp_path, {"x.npy": member(X), "y.npy": member(array, allow_pickle=True)})
    assert refused(path) == "'y': holds Python objects (pickles), which are never opened; expected numbers."
    path.write_bytes(pickle.dumps({"x": 1}))
    assert refused(path).startswith("no .npz archive: begins with 80 04 95")


# -- what is damaged or hostile is refused -----------------------------------------------------------------------------
def test_files_that_are_no_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    assert refused(path) == "No such file or directory."
    path.write_bytes(b"")
    assert refused(path) == "the file is empty; expected an .npz archive."
    path.write_bytes(member(X))
    assert refused(path) == "a single array (.npy); expected an .npz archive with x and y: numpy.savez(file, x=…, y=…)."
    path.write_bytes(b"<html>")
    assert refused(path) == "no .npz archive: begins with 3c 68 74 6d; expected 50 4b 03 04."


def test_a_promise_of_more_than_is_there_is_refused(tmp_path: Path) -> None:
    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"shape": (60_000, 28, 28), "fortran_order": False, "descr": "|u1"})
    path = packed(tmp_path, {"x.npy": header.getvalue() + bytes(100), "y.npy": member(Y)})
    assert refused(path) == "'x': 100 bytes of numbers; expected 47,040,000, for 60000×28×28 of uint8."
    path = packed(tmp_path, {"x.npy": member(X) + b"more", "y.npy": member(Y)})
    assert refused(path) == "'x': 124 bytes of numbers; expected 120, for 6×4×5 of uint8."
    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"shape": (2**40, 2**40), "fortran_order": False, "descr": "<f8"})
    path = packed(tmp_path, {"x.npy": header.getvalue(), "y.npy": member(Y)})
    assert refused(path) == "'x': 1099511627776×1099511627776 numbers of float64; expected at most 4,294,967,296 bytes."


def test_a_bomb_costs_nothing(tmp_path: Path) -> None:
    """64 kB that unpack to 64 MB, behind a header of 120 bytes; and a lie about the size."""
    path = packed(
        tmp_path, {"x.npy": member(X) + bytes(64 << 20), "y.npy": member(Y)}, compression=zipfile.ZIP_DEFLATED
    )
    assert path.stat().st_size < 1 << 17
    tracemalloc.start()
    assert refused(path).startswith("'x': 67,108,984 bytes of numbers; expected 120")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_other_packings_and_passwords_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, {"x.npy": member(X), "y.npy": member(Y)}, compression=zipfile.ZIP_BZIP2)
    assert refused(path) == "'x': packed by method 12; expected stored or deflated (numpy.savez)."
    path = packed(tmp_path, {"x.npy": member(X), "y.npy": member(Y)})
    payload = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = payload.find(mark)
        payload[at + offset] |= 1
    path.write_bytes(bytes(payload))
    assert "is encrypted, password required for extraction" in refused(path)


def test_two_arrays_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", member(X))
        archive.writestr("y.npy", member(Y))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.npy", member(X))
    assert refused(path) == "two arrays called 'x'; expected one."


@pytest.mark.parametrize("payload", [b"", b"no array at all", npy.MAGIC_PREFIX + b"\x09\x00" + bytes(40),
                                     npy.magic(1, 0) + b"\x10\x00" + b"{'shape':(-1,)}\n"])  # fmt: skip
def test_members_that_are_no_arrays_are_refused(tmp_path: Path, payload: bytes) -> None:
    assert refused(packed(tmp_path, {"x.npy": payload, "y.npy": member(Y)})).startswith("'x': ")


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, compress=True, x=X[:2], y=Y[:2])
    whole = path.read_bytes()
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            read_npz(path)


@given(bit=st.integers(0, 10**6))
def test_any_bit_flip_is_refused_or_harmless(tmp_path_factory: pytest.TempPathFactory, bit: int) -> None:
    path = saved(tmp_path_factory.getbasetemp(), compress=True, x=X, y=Y, xt=X, yt=Y)
    payload = bytearray(path.read_bytes())
    payload[bit // 8 % len(payload)] ^= 1 << bit % 8
    path.write_bytes(bytes(payload))
    try:
        (x, y), _ = read_npz(path)
    except DataError:
        return
    np.testing.assert_array_equal(x[:, 0], X)
    np.testing.assert_array_equal(y, Y)
