"""Weights in a program's memory: written and read as arrays of their own shape, whichever way they lie."""

from __future__ import annotations

import numpy as np
import pytest

import neurograph as ng
from neurograph.compiler.aligned import ALIGNMENT
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


def test_vectors_of_weights_reach_across_no_cache_line() -> None:
    """Rows of weights, and of what an optimiser remembers of them, begin where a line does: else every vector costs two accesses."""
    network = ng.lay_out(ng.load("lenet5"))
    program = ng.compile(network, ng.initialise(network, 0), dtype="float32")
    optimizer = ng.SGD(0.1, momentum=0.9)
    program.train_step(np.zeros((1, 1, 28, 28), np.float32), np.zeros(1, np.int64), optimizer)
    flat, velocity = program._updating._kept["velocity"]
    for views in (program._updating.values, velocity):
        assert {views[name].ctypes.data % ALIGNMENT for name in views if name.endswith("weight")} == {0}
    assert flat.ctypes.data % ALIGNMENT == 0
