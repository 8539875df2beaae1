"""Addresses as few integers say the same as the lists they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurograph.compiler.arena import Box
from neurograph.compiler.pieces import copies_of_box, pieces_of, pieces_of_box, runs_of_box


@st.composite
def pairs_of_boxes(draw: st.DrawFn) -> tuple[Box, Box]:
    """Two boxes of one shape, with margins of their own."""
    rank, channels = draw(st.integers(0, 4)), draw(st.booleans())
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=rank, max_size=rank)))
    margins = st.lists(st.integers(0, 2), min_size=rank, max_size=rank).map(tuple)
    first, second = (Box(draw(st.integers(0, 20)), shape, draw(margins), draw(margins), channels) for _ in range(2))
    return first, second


def spelled_out(pieces: np.ndarray) -> list[int]:
    return [
        first + i * far + j * apart + k * step
        for first, a, far, b, apart, n, step in pieces.tolist()
        for i in range(a)
        for j in range(b)
        for k in range(n)
    ]


@given(pairs_of_boxes())
def test_a_box_is_its_neurons_in_order(boxes: tuple[Box, Box]) -> None:
    assert spelled_out(pieces_of_box(boxes[0])) == boxes[0].every().tolist()


@given(pairs_of_boxes())
def test_runs_are_the_neurons_in_the_order_of_memory(boxes: tuple[Box, Box]) -> None:
    runs = runs_of_box(boxes[0]).tolist()
    assert [first + i for first, count in runs for i in range(count)] == sorted(boxes[0].every().tolist())


@given(pairs_of_boxes())
def test_copies_pair_the_same_neurons(boxes: tuple[Box, Box]) -> None:
    source, view = boxes
    found = {a + i: b + i for a, b, count in copies_of_box(source, view).tolist() for i in range(count)}
    assert found == dict(zip(source.every().tolist(), view.every().tolist(), strict=True))


@given(st.lists(st.sampled_from([1, 1, 2, 2, 5, -3]), max_size=12), st.integers(0, 9))
def test_any_list_is_its_pieces(ways: list[int], first: int) -> None:
    addresses = first + np.concatenate([[0], np.cumsum(np.array(ways, dtype=np.int64))])
    assert spelled_out(pieces_of(addresses)) == addresses.tolist()


def test_nothing_is_no_piece() -> None:
    assert pieces_of(np.zeros(0, dtype=np.int64)).shape == (0, 7)


@pytest.mark.parametrize(("channels", "n_runs"), [(False, 8), (True, 4)])
def test_channels_with_a_margin_around_each_map_are_one_piece(channels: bool, n_runs: int) -> None:
    box = Box(16, (2, 4, 5), (0, 1, 1), (0, 1, 1), channels)
    assert len(pieces_of_box(box)) == 1
    assert len(runs_of_box(box)) == n_runs


def test_an_input_with_one_pixel_gone_is_a_piece_a_row_and_one_more() -> None:
    every = Box(0, (3, 2, 8), (0, 0, 0), (0, 0, 2), True).every()
    assert len(pieces_of(np.delete(every, 11))) == 7
