"""Dropout masks are a definition: the same numbers in both engines, on every machine, today and next year."""

from __future__ import annotations

import numpy as np
import pytest

from neurograph.errors import UsageError
from neurograph.masks import dropout_mask, join_masks, mask_seed


def mask(seed: int = 1, dropout: str = "drop", source: object = "fc1", batch: int = 3) -> np.ndarray:
    return dropout_mask(seed, dropout, source, batch, (5, 4), keep=0.5)


def test_a_mask_is_pinned_to_its_numbers() -> None:
    found = dropout_mask(0, "drop6", "fc6", batch=2, shape=(8,), keep=0.5)
    assert found.astype(int).tolist() == PINNED


PINNED = [[0, 1, 1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0, 1, 0]]


@pytest.mark.parametrize("other", [{"seed": 2}, {"dropout": "drop2"}, {"source": "fc2"}, {"source": ("fc1",)}], ids=str)
def test_another_seed_layer_or_source_is_another_mask(other: dict[str, object]) -> None:
    assert np.any(mask(**other) != mask())  # type: ignore[arg-type]


def test_a_sample_has_its_mask_whatever_the_batch() -> None:
    np.testing.assert_array_equal(mask(batch=2), mask(batch=7)[:2])
    assert np.any(mask()[0] != mask()[1])


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_the_share_kept_is_the_probability_to_keep(keep: float) -> None:
    found = dropout_mask(3, "drop", "fc1", batch=100, shape=(100,), keep=keep)
    assert found.mean() == pytest.approx(keep, abs=0.02)
    assert set(np.unique(found)) == {0.0, 1.0}


def test_keeping_all_keeps_all() -> None:
    assert np.all(dropout_mask(3, "drop", "fc1", batch=10, shape=(100,), keep=1.0) == 1)


def test_masks_of_several_sources_are_joined_along_the_channels_in_the_layouts_order() -> None:
    one, two = np.zeros((2, 1, 4)), np.ones((2, 3, 4))
    joined = join_masks({"b": two, "a": one}, order=["a", "b"])
    np.testing.assert_array_equal(joined, np.concatenate([one, two], axis=1))
    assert join_masks({"a": one, "c": np.ones((2, 5))}, order=["a", "c"]).shape == (2, 9)
    assert join_masks({"x": np.ones(2), "y": np.zeros(2)}, order=["x", "y"]).tolist() == [[1, 0], [1, 0]]
    assert join_masks({"x": np.ones(2)}, order=["x", "y"]).shape == (2,)


def test_a_seed_is_a_whole_number_and_none_is_a_fresh_one() -> None:
    assert mask_seed(np.int64(7)) == 7
    assert mask_seed(None) != mask_seed(None)
    for wrong in (-1, 1.5, True, "0"):
        with pytest.raises(UsageError) as raised:
            mask_seed(wrong)  # type: ignore[arg-type]
        assert str(raised.value) == (
            f"seed: found {wrong!r}; a seed is an integer of at least 0, or None for a fresh one."
        )
