"""Normalisation: as NumPy has it, kept as plain values, and learned from what it is shown alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neurograph.data.augment import Augment
from neurograph.data.augment_prepared import PreparedAugment
from neurograph.data.normalise import KINDS, Normaliser
from neurograph.errors import DataError

RNG = np.random.default_rng(3)
IMAGES = RNG.random((3000, 2, 4, 5), dtype=np.float32) * np.array([1, 3], np.float32)[:, None, None] + np.float32(2)
FEATURES = RNG.normal(size=(50, 3)) * [1, 10, 100] + [0, 5, -7]


def test_channels_positions_and_features_are_standardised() -> None:
    for x, kind, axes in ((IMAGES, "standard", (0, 2, 3)), (IMAGES, "pixel", 0), (FEATURES, "standard", 0)):
        normaliser, y = Normaliser.of(x, kind), x.copy()
        normaliser.apply(y)
        np.testing.assert_allclose(y.mean(axis=axes), 0, atol=1e-5)
        np.testing.assert_allclose(y.std(axis=axes), 1, atol=1e-5)
        np.testing.assert_allclose(normaliser.undo(y), x, rtol=1e-5, atol=1e-5)


def test_centring_divides_nothing() -> None:
    y = IMAGES.copy()
    Normaliser.of(IMAGES, "centre").apply(y)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-5)
    assert y[:, 1].std() == pytest.approx(IMAGES[:, 1].std(), rel=0.01)


def test_what_never_changes_is_not_divided_and_what_hardly_does_not_blown_up() -> None:
    x = np.zeros((1000, 1, 1, 3), dtype=np.float32)
    x[:, 0, 0, 0] = RNG.random(1000)
    x[0, 0, 0, 1] = 0.5  # inked once in a thousand
    assert Normaliser.of(x[..., 2:], "pixel").deviation.ravel().tolist() == [1.0]
    deviation = Normaliser.of(x, "pixel").deviation.ravel()
    np.testing.assert_allclose(deviation[1:], deviation[0] / 10)
    features = Normaliser.of(np.array([[1.0, 7.0], [1e-9 + 1, 7.0]]), "standard")
    assert features.deviation[1] == 1.0
    assert features.deviation[0] == pytest.approx(5e-10, rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_keeps_the_same_bits(kind: str) -> None:
    normaliser = Normaliser.of(IMAGES, kind)
    again = Normaliser.from_dict(json.loads(json.dumps(normaliser.as_dict())))
    assert again.kind == kind
    np.testing.assert_array_equal(again.mean, normaliser.mean)
    np.testing.assert_array_equal(again.deviation, normaliser.deviation)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"mean": [1, 2]},
        {"deviation": [0.0, 1.0]},
        {"mean": ["a", "b"]},
        {"shape": None},
        {"mean": None},
    ],
)
def test_damaged_numbers_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(DataError, match="the numbers kept with the run are damaged"):
        Normaliser.from_dict(
            {**Normaliser.of(IMAGES, "standard").as_dict(), **change, **({"shape": [3]} if "mean" in change else {})}
        )


def test_samples_of_another_form_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        Normaliser.of(IMAGES, "pixel").check((2, 4, 4))
    assert str(caught.value) == (
        "normalise: samples of shape 2×4×4; those it was learned from need 2×4×5. Use data of one form."
    )
    Normaliser.of(IMAGES, "standard").check((2, 9, 9))


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_augmentation_is_as_if_normalisation_came_after_it(kind: str | None) -> None:
    """Images mapped to [−1, 3], normalised, then changed: the same as changed first, background 0, then mapped and normalised."""
    raw, rows = RNG.random((20, 2, 6, 6), dtype=np.float32), np.arange(20)
    normaliser = None if kind is None else Normaliser.of(raw * 4 - 1, kind)
    augment = Augment(rotation=40, translation=2, noise=0.05, seed=1)

    def brought(x: np.ndarray) -> np.ndarray:
        y = x * np.float32(4) - np.float32(1)
        if normaliser is not None:
            normaliser.apply(y)
        return y

    prepared = PreparedAugment(augment, (2, 6, 6), -1.0, 3.0, normaliser)
    given = brought(raw).reshape(20, 72)
    found = prepared(given, rows, 4)
    np.testing.assert_allclose(found, brought(augment(raw, rows, 4)).reshape(20, 72), atol=2e-5)
    np.testing.assert_array_equal(given, brought(raw).reshape(20, 72))


def test_features_cannot_be_augmented() -> None:
    with pytest.raises(DataError, match="samples of shape 12; only images"):
        PreparedAugment(Augment(rotation=3), (12,))
