"""Samples on their way to the input: pad, resize, map, reshape."""

from __future__ import annotations

import numpy as np
import pytest

from neurograph.data import prepare
from neurograph.data.prepare import interpolation, resized
from neurograph.errors import DataError

X = np.arange(2 * 1 * 4 * 6, dtype=np.float32).reshape(2, 1, 4, 6) / 48


def test_nothing_asked_changes_nothing() -> None:
    assert prepare(X, (1, 4, 6)) is X


def test_pad_surrounds_with_zeros() -> None:
    padded = prepare(X, pad=2)
    assert padded.shape == (2, 1, 8, 10)
    np.testing.assert_array_equal(padded[:, :, 2:-2, 2:-2], X)
    assert padded.sum() == pytest.approx(X.sum())


def test_rows_and_columns_are_padded_and_resized_apart() -> None:
    assert prepare(X, pad=[1, 2]).shape == (2, 1, 6, 10)
    assert prepare(X, resize=[8, 3]).shape == (2, 1, 8, 3)
    assert prepare(X, resize=[5]).shape == (2, 1, 5, 5)


def test_map_comes_last_so_that_padding_is_low() -> None:
    mapped = prepare(X, pad=1, low=-0.1, high=1.175)
    assert mapped[0, 0, 0, 0] == np.float32(-0.1)
    np.testing.assert_allclose(mapped[:, :, 1:-1, 1:-1], X * 1.275 - 0.1, rtol=1e-6)
    assert mapped.dtype == np.float32


def test_a_sample_of_the_right_size_is_reshaped() -> None:
    np.testing.assert_array_equal(prepare(X, (24,)), X.reshape(2, 24))


def test_a_sample_of_another_size_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        prepare(X, (1, 8, 8))
    assert str(caught.value) == (
        "samples of shape 1×4×6 do not fit the network's input, which is 1×8×8. "
        "Use other data, or [data] pad and resize in the spec."
    )


@pytest.mark.parametrize(("options", "message"), [
    ({"pad": -1}, "[data]: pad = -1; expected a whole number of at least 0, or two (rows, columns)."),
    ({"resize": (0, 4)}, "[data]: resize = (0, 4); expected a whole number of at least 1, or two (rows, columns)."),
])  # fmt: skip
def test_wrong_options_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(DataError) as caught:
        prepare(X, **options)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_features_cannot_be_padded() -> None:
    with pytest.raises(DataError, match="pad and resize need images"):
        prepare(X.reshape(2, 24), pad=1)


def test_resizing_to_the_same_size_is_the_identity() -> None:
    np.testing.assert_allclose(resized(X, 4, 6), X, rtol=1e-6)


@pytest.mark.parametrize(("n", "m"), [(28, 16), (28, 32), (8, 28), (3, 7), (7, 3), (5, 1), (1, 5)])
def test_interpolation_keeps_constants_and_mirrors(n: int, m: int) -> None:
    matrix = interpolation(n, m)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-12)
    assert (matrix >= 0).all()


def test_a_ramp_stays_a_ramp_when_enlarged() -> None:
    """Interior pixels lie on the line through the old ones: centres map to (i + ½)·n/m − ½."""
    ramp = np.arange(8.0)
    enlarged = interpolation(8, 16) @ ramp
    np.testing.assert_allclose(enlarged[1:-1], (np.arange(1, 15) + 0.5) / 2 - 0.5)


def test_every_old_pixel_counts_when_shrunk() -> None:
    """Eight pixels become two: triangles of half-width 4, so that none is skipped and the middle counts twice."""
    assert interpolation(8, 2).tolist() == [
        pytest.approx(np.array([2.5, 3.5, 3.5, 2.5, 1.5, 0.5, 0, 0]) / 14),
        pytest.approx(np.array([0, 0, 0.5, 1.5, 2.5, 3.5, 3.5, 2.5]) / 14),
    ]


def test_the_given_array_is_not_changed() -> None:
    before = X.copy()
    prepare(X, (24,), low=-1, high=2)
    np.testing.assert_array_equal(X, before)
