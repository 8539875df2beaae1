"""Batches made one ahead: the same ones, from another thread, and none too many."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from neurograph.training.ahead import Ahead, Rows

ROWS = np.arange(10)


def noting(made: list[tuple[list[int], str]]) -> Callable[[Rows, int], int]:
    def make(rows: Rows, epoch: int) -> int:
        made.append((rows.tolist(), threading.current_thread().name))
        return int(rows.sum()) + 100 * epoch

    return make


def test_batches_are_those_that_are_asked_for_made_once_each() -> None:
    made: list[tuple[list[int], str]] = []
    with Ahead(noting(made)) as batches:
        for epoch in (0, 1):
            for i in range(0, 10, 4):
                batches.following = ROWS[i + 4 : i + 8]
                assert batches(ROWS[i : i + 4], epoch) == ROWS[i : i + 4].sum() + 100 * epoch
    assert [rows for rows, _ in made] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] * 2
    assert ["ahead" in name for _, name in made] == [False, True, True] * 2


def test_what_was_made_for_nothing_is_dropped() -> None:
    made: list[tuple[list[int], str]] = []
    with Ahead(noting(made)) as batches:
        batches.following = ROWS[4:8]
        batches(ROWS[:4], 0)
        assert batches(ROWS[6:8], 0) == 13
        assert batches(ROWS[4:8], 1) == 122
    assert threading.active_count() == len([t for t in threading.enumerate() if "ahead" not in t.name])


def test_a_fault_reaches_who_asks() -> None:
    def make(rows: Rows, epoch: int) -> int:
        if rows[0]:
            raise MemoryError("of the thread")
        return 0

    with Ahead(make) as batches:
        batches.following = ROWS[4:8]
        batches(ROWS[:4], 0)
        with pytest.raises(MemoryError, match="of the thread"):
            batches(ROWS[4:8], 0)
