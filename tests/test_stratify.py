"""Samples held out: exactly so many, classes keeping their shares, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurograph.data.stratify import held_out


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.data())
def test_held_out_marks_exactly_so_many_and_every_class_its_share(labels: list[int], data: st.DataObject) -> None:
    y = np.array(labels)
    n = data.draw(st.integers(0, len(y)))
    marked = held_out(y, n, seed=3)
    assert marked.sum() == n
    for label in np.unique(y):
        share = (y == label).sum() * n / len(y)
        assert int(np.floor(share)) <= marked[y == label].sum() <= int(np.ceil(share))


def test_held_out_is_a_function_of_the_seed() -> None:
    y = np.arange(100) % 10
    np.testing.assert_array_equal(held_out(y, 20, seed=1), held_out(y, 20, seed=1))
    assert not np.array_equal(held_out(y, 20, seed=1), held_out(y, 20, seed=2))


@pytest.mark.parametrize("y", [np.linspace(0, 1, 30), np.zeros((30, 2))], ids=["values", "several values"])
def test_values_are_held_out_without_classes(y: np.ndarray) -> None:
    assert held_out(y, 7, seed=0).sum() == 7
