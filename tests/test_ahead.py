"""Batches made ahead: the same ones, from another thread, several at once, and none too many."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurograph.training import ahead
from neurograph.training.ahead import Ahead, Rows

ROWS = np.arange(10)[::-1].copy()


def noting(made: list[tuple[list[int], bool]]) -> Callable[[Rows, int], tuple[Any, Any]]:
    def make(rows: Rows, epoch: int) -> tuple[Any, Any]:
        made.append((rows.tolist(), "ahead" in threading.current_thread().name))
        return rows * 10 + epoch, rows

    return make


def check(batch: tuple[Any, Any], rows: Rows, epoch: int) -> None:
    np.testing.assert_array_equal(batch[0], rows * 10 + epoch)
    np.testing.assert_array_equal(batch[1], rows)


def test_batches_are_those_that_are_asked_for_and_small_ones_are_made_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "AT_ONCE", 7)  # three batches of two
    made: list[tuple[list[int], bool]] = []
    with Ahead(noting(made)) as batches:
        for epoch in (0, 1):
            for i in range(0, 10, 2):
                batches.following = ROWS[i + 2 :]
                check(batches(ROWS[i : i + 2], epoch), ROWS[i : i + 2], epoch)
    assert made == [([9, 8], False), ([7, 6, 5, 4, 3, 2], True), ([1, 0], True)] * 2


def test_large_samples_are_made_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BYTES", 8)
    made: list[tuple[list[int], bool]] = []
    with Ahead(noting(made)) as batches:
        for i in range(0, 10, 4):
            batches.following = ROWS[i + 4 :]
            check(batches(ROWS[i : i + 4], 3), ROWS[i : i + 4], 3)
    assert [rows for rows, _ in made] == [[9, 8, 7, 6], [5, 4, 3, 2], [1, 0]]


def test_what_was_made_for_nothing_is_dropped() -> None:
    with Ahead(noting([])) as batches:
        batches.following = ROWS[2:]
        check(batches(ROWS[:2], 0), ROWS[:2], 0)
        check(batches(ROWS[6:8], 0), ROWS[6:8], 0)
        check(batches(ROWS[2:4], 1), ROWS[2:4], 1)
    assert not [thread for thread in threading.enumerate() if "ahead" in thread.name]


def test_who_does_not_say_what_follows_gets_no_thread() -> None:
    made: list[tuple[list[int], bool]] = []
    with Ahead(noting(made)) as batches:
        for i in range(0, 10, 5):
            check(batches(ROWS[i : i + 5], 0), ROWS[i : i + 5], 0)
    assert [in_thread for _, in_thread in made] == [False, False]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4), st.integers(0, 1), st.booleans()), max_size=12))
def test_whatever_is_asked_for_is_given(calls: list[tuple[int, int, int, bool]]) -> None:
    with Ahead(noting([])) as batches:
        for start, n, epoch, is_told in calls:
            rows = ROWS[start : start + n]
            batches.following = ROWS[start + n :] if is_told else None
            check(batches(rows, epoch), rows, epoch)


def test_a_fault_reaches_who_asks() -> None:
    def make(rows: Rows, epoch: int) -> tuple[Any, Any]:
        if rows[0] != ROWS[0]:
            raise MemoryError("of the thread")
        return rows, rows

    with Ahead(make) as batches:
        batches.following = ROWS[4:]
        batches(ROWS[:4], 0)
        with pytest.raises(MemoryError, match="of the thread"):
            batches(ROWS[4:8], 0)
