"""Real MNIST: the files are read as published; under `slow`, networks reach the accuracy the literature promises."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

import neurograph as ng
from neurograph.data.idx import read_images, read_labels
from neurograph.data.folders import find
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


def trained(name: str, mnist: Path, seed: int, epochs: int | None = None) -> float:
    """Test accuracy of a bundled network after its own [train], from weights and order of one seed."""
    spec = ng.load(name)
    train, topology = spec.train, ng.lay_out(spec)
    (x, y), test = ng.data.mnist(mnist)
    program = ng.compile(topology, ng.initialise(topology, seed=seed), dtype="float32")
    optimizer = ng.SGD(learning_rate=train.learning_rate, momentum=train.momentum)
    shape = {"epochs": epochs or train.epochs, "batch_size": train.batch_size, "schedule": train.schedule}
    history = ng.fit(program, x, y, optimizer=optimizer, seed=seed, validation=test, **shape)
    accuracy = history.validation_accuracy[-1]
    assert accuracy is not None
    return accuracy


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_lenet5_is_98_8_percent_right_after_5_epochs(mnist: Path, seed: int) -> None:
    assert ng.load("lenet5").train.schedule == "linear"
    assert trained("lenet5", mnist, seed, epochs=5) >= 0.988


@pytest.mark.slow
def test_784_30_10_sigmoid_quadratic_is_94_5_percent_right_within_30_epochs(mnist: Path) -> None:
    assert ng.load("mlp").train.epochs <= 30
    assert trained("mlp", mnist, seed=0) >= 0.945
