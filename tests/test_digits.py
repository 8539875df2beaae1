"""The bundled digits: the published data, held out fairly and always alike."""

from __future__ import annotations

import numpy as np

from neurograph.data.digits import digits, read


def test_published_values_are_whole() -> None:
    """Class counts and total ink of the published file (UCI, test part)."""
    images, labels = read()
    assert (images.shape, images.dtype, int(images.max())) == ((1797, 8, 8), np.uint8, 16)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert int(images.sum(dtype=np.int64)) == 561_718
    assert images[0].tolist()[0] == [0, 0, 5, 13, 9, 1, 0, 0]


def test_digits_have_the_documented_form() -> None:
    (x, y), (xt, yt) = digits()
    assert (x.shape, y.shape, xt.shape, yt.shape) == ((1437, 1, 8, 8), (1437,), (360, 1, 8, 8), (360,))
    assert (x.dtype, y.dtype) == (np.float32, np.int64)
    assert (x.min(), x.max()) == (0.0, 1.0)
    np.testing.assert_array_equal(np.unique(x), np.arange(17, dtype=np.float32) / 16)


def test_a_fifth_of_each_class_is_held_out() -> None:
    (_, y), (_, yt) = digits()
    shares = np.bincount(yt) / (np.bincount(y) + np.bincount(yt))
    assert np.abs(shares - 0.2).max() < 0.006


def test_training_and_test_samples_are_the_whole_once() -> None:
    (x, y), (xt, yt) = digits()
    images, labels = read()
    together = np.concatenate([np.c_[x.reshape(-1, 64) * 16, y], np.c_[xt.reshape(-1, 64) * 16, yt]])
    whole = np.c_[images.reshape(-1, 64), labels]
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(whole, axis=0))
    assert {row.tobytes() for row in together} == {row.tobytes() for row in whole.astype(together.dtype)}


def test_the_split_depends_on_the_seed_alone() -> None:
    np.testing.assert_array_equal(digits()[1][0], digits(0)[1][0])
    assert not np.array_equal(digits(0)[1][0], digits(1)[1][0])
