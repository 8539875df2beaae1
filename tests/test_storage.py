"""Weights in a program's memory: written and read as arrays of their own shape, whichever way they lie."""

from __future__ import annotations

import numpy as np
import pytest

from neurograph.compiler.plan import PlanParameter
from neurograph.compiler.storage import SQUARE, Stored


@pytest.mark.parametrize("apart", [0, 16, 320])
@pytest.mark.parametrize("shape", [(5, 3), (16, 2, 3, 3), (SQUARE + 44, SQUARE + 3), (1, SQUARE, 2)])
def test_what_is_written_is_what_the_view_shows_and_nothing_else(shape: tuple[int, ...], apart: int) -> None:
    if 0 < apart < shape[0]:
        apart = 320
    stored = Stored(PlanParameter("w", shape, 100), 7, apart)
    values = np.random.default_rng(0).random(shape)
    flat = np.full(7 + stored.size + 5, -1.0, np.float32)
    stored.write(flat, values)
    np.testing.assert_array_equal(stored.view(flat), values.astype(np.float32))
    assert np.count_nonzero(flat != -1) == values.size
