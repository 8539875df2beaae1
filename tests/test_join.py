"""Boxes that continue each other become one, and no neuron changes what it reads."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neurograph.compiler.join import Box, join_boxes
from neurograph.compiler.pad import reach
from neurograph.compiler.plan import Axis, Nest, Numbers, Taps

TAPS = Taps(Numbers([[0]]), Numbers([0]))


def line(start: int, count: int, source: int, weight: int, step: tuple[int, int], row: int = 0) -> Box:
    axes = (Axis(1, count, 1, (step[0],), step[1]),) if count > 1 else ()
    nest = Nest(TAPS, (row, start), (source,), weight, axes)
    return Box(nest, nest)


def anchors(boxes: list[Box]) -> dict[tuple[int, ...], tuple[int, int]]:
    """Neuron → (first source, weight)."""
    found: dict[tuple[int, ...], tuple[int, int]] = {}
    for box in boxes:
        for counters in np.ndindex(*(axis.count for axis in box.nest.axes)):
            place, source, weight = list(box.nest.target), box.nest.source[0], box.nest.weight or 0
            for i, axis in zip(counters, box.nest.axes, strict=True):
                place[axis.along] += i * axis.step
                source, weight = source + i * axis.source[0], weight + i * axis.weight
            assert tuple(place) not in found
            found[tuple(place)] = (source, weight)
    return found


pieces = st.tuples(st.integers(1, 3), st.integers(0, 1), st.integers(-1, 1), st.integers(0, 1), st.integers(-1, 1))


@given(st.lists(st.lists(pieces, max_size=5), min_size=1, max_size=3))
def test_joining_changes_no_neuron(rows: list[list[tuple[int, int, int, int, int]]]) -> None:
    boxes = []
    for row, drawn in enumerate(rows):
        start = 0
        for count, gap, source_step, weight_step, jump in drawn:
            start += gap
            boxes.append(line(start, count, start + jump, 2 * row, (source_step, weight_step), row))
            start += count
    joined = join_boxes(boxes)
    assert anchors(joined) == anchors(boxes)
    assert len(joined) <= len(boxes)


def test_a_line_is_joined_from_its_pieces() -> None:
    pieces = [line(0, 1, 5, 0, (1, 0)), line(1, 3, 6, 0, (1, 0)), line(4, 1, 9, 0, (1, 0))]
    (joined,) = join_boxes(pieces)
    assert joined.nest.axes == (Axis(1, 5, 1, (1,), 0),)
    assert joined.was == joined.nest


def test_lines_of_other_shifts_stay_apart() -> None:
    assert len(join_boxes([line(0, 2, 0, 0, (1, 0)), line(2, 2, 2, 0, (2, 0))])) == 2
    assert len(join_boxes([line(0, 2, 0, 0, (1, 0)), line(2, 2, 3, 0, (1, 0))])) == 2
    assert len(join_boxes([line(0, 2, 0, 0, (1, 0)), line(3, 2, 3, 0, (1, 0))])) == 2
    assert len(join_boxes([line(0, 2, 0, 0, (1, 1)), line(2, 2, 2, 3, (1, 1))])) == 2


def test_what_joins_nothing_is_still_what_it_was() -> None:
    before = Nest(TAPS, (0, 0), (7,), 0, ())
    boxes = [Box(line(0, 1, 0, 0, (1, 0)).nest, before), Box(line(5, 1, 9, 0, (1, 0)).nest, 3)]
    assert [box.was for box in join_boxes(boxes)] == [before, 3]


def test_a_row_of_joined_lines_joins_along_the_other_axis() -> None:
    lines = [line(0, 3, row * 10, 0, (1, 0), row) for row in range(4)]
    (joined,) = join_boxes(lines)
    assert [(axis.along, axis.count, axis.source) for axis in joined.nest.axes] == [(0, 4, (10,)), (1, 3, (1,))]


def test_reach_counts_every_neuron_whichever_way_its_sources_move() -> None:
    nest = Nest(TAPS, (0, 0), (5,), 0, (Axis(1, 3, 1, (-2,), 0), Axis(0, 4, 1, (3,), 0)))
    low, high = reach(nest, np.array([[0], [10]]))
    assert low.tolist() == [[1], [11]]
    assert high.tolist() == [[14], [24]]
