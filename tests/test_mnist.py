"""Real MNIST: the files are read as published; under `slow`, networks reach the accuracy the literature promises."""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import neurograph as ng
from benchmarks.mnist import ROWS, TESTED, summary, train
from neurograph.data.folders import find
from neurograph.data.idx import read_images, read_labels
from neurograph.data.known import IDX_NAMES as NAMES

MD5 = dict(
    zip(
        NAMES,
        (
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
        strict=True,
    )
)
"""Of the published files, uncompressed."""


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_published(mnist: Path, name: str) -> None:
    path = find(mnist, name)
    assert path is not None
    values = read_images(path) if "images" in name else read_labels(path, 10)
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    assert hashlib.md5(header + values.tobytes(), usedforsecurity=False).hexdigest() == MD5[name]


def test_samples_have_the_documented_form(mnist: Path) -> None:
    (x, y), (xt, yt) = ng.data.mnist(mnist)
    assert (x.shape, y.shape, xt.shape, yt.shape) == ((60_000, 1, 28, 28), (60_000,), (10_000, 1, 28, 28), (10_000,))
    assert (x.dtype, y.dtype, float(x.min()), float(x.max())) == (np.float32, np.int64, 0.0, 1.0)
    assert y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    raw = read_images(find(mnist, NAMES[0]) or mnist)
    np.testing.assert_array_equal(x[7, 0], raw[7].astype(np.float32) / np.float32(255))


def accuracy(row: str, mnist: Path, folder: Path, seed: int = 0, options: tuple[str, ...] = ()) -> float:
    """Test accuracy after the last epoch, by the command that docs/mnist.md names; at most two threads, which change no bit of it."""
    with mock.patch.dict(os.environ, NEUROGRAPH_MNIST=str(mnist)):
        asked = replace(ROWS[row], options=(*ROWS[row].options, *options))
        train(asked, seed, folder / "run", threads=min(2, os.cpu_count() or 1))
    run = summary(folder / "run")
    assert run is not None
    return 1 - run["wrong"] / TESTED


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_lenet5_is_98_8_percent_right_after_5_epochs(mnist: Path, tmp_path: Path, seed: int) -> None:
    assert (ng.load("lenet5").train.epochs, ng.load("lenet5").train.schedule) == (5, "linear")
    assert accuracy("lenet5", mnist, tmp_path, seed) >= 0.988


@pytest.mark.slow
def test_lenet5_augmented_is_99_3_percent_right_within_30_epochs(mnist: Path, tmp_path: Path) -> None:
    assert accuracy("lenet5-augmented", mnist, tmp_path) >= 0.993
    assert len(ng.load_run(tmp_path / "run").history.epochs) <= 30


@pytest.mark.slow
def test_784_30_10_sigmoid_quadratic_is_94_5_percent_right_within_30_epochs(mnist: Path, tmp_path: Path) -> None:
    assert ng.load("mlp").train.epochs <= 30
    assert accuracy("mlp", mnist, tmp_path) >= 0.945


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("lenet5-1998", 0.975), ("zipcode-1989", 0.955), ("lenet1", 0.955)])
def test_networks_of_their_time_train_within_3_epochs(mnist: Path, tmp_path: Path, name: str, least: float) -> None:
    assert accuracy(name, mnist, tmp_path, options=("--epochs", "3")) >= least
