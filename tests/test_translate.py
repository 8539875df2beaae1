"""Equal stencils: found by their hash, proved by comparison."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurograph.compiler.bundle import Bundle
from neurograph.compiler.plan import PlanParameter
from neurograph.compiler.translate import translate

Lists = list[list[tuple[tuple[int, int], int]]]


def bundle(lists: Lists) -> Bundle:
    """Neurons 0, 1, … with fan-in lists of (source position, weight address)."""
    start = np.concatenate([[0], np.cumsum([len(edges) for edges in lists])])
    source = np.array([place for edges in lists for place, _ in edges], dtype=np.int64)
    weight = np.array([address for edges in lists for _, address in edges], dtype=np.int64)
    return Bundle(np.arange(len(lists))[:, None], start, source, weight)


def by_definition(lists: Lists, row: int) -> list[int]:
    """Stencil numbers by the definition: equal up to one shift of sources and one of weights."""
    seen: dict[object, int] = {}
    labels = []
    for edges in lists:
        (y, x), first = edges[0]
        rows = {address // row for _, address in edges}
        anchor = rows.pop() * row if len(rows) == 1 else first
        relative = tuple(((v - y, u - x), address - anchor) for (v, u), address in edges)
        labels.append(seen.setdefault(relative, len(seen)))
    return labels


edges = st.lists(
    st.tuples(st.tuples(st.integers(-2, 3), st.integers(-2, 3)), st.integers(0, 11)), min_size=1, max_size=3
)


@given(st.lists(edges, min_size=1, max_size=12), st.sampled_from([1, 2, 4, 12]))
def test_stencils_are_those_of_the_definition(lists: Lists, row: int) -> None:
    parameters = (PlanParameter("w", (12 // row, row), 0),)
    assert translate(bundle(lists), parameters).label.tolist() == by_definition(lists, row)


@given(st.lists(edges, min_size=1, max_size=12))
def test_a_hash_that_says_nothing_changes_nothing(lists: Lists) -> None:
    parameters = (PlanParameter("w", (3, 4), 0),)
    honest = translate(bundle(lists), parameters)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neurograph.compiler.translate.multipliers", lambda n: np.zeros(n, dtype=np.uint64))
        blind = translate(bundle(lists), parameters)
    assert np.array_equal(honest.label, blind.label)
    assert np.array_equal(honest.first, blind.first)


def test_positions_are_not_mistaken_for_one_another_across_a_border() -> None:
    """(0, 3) → (1, 0) is one step in row-major memory and another in the plane."""
    lists: Lists = [[((0, 0), 0), ((0, 1), 1)], [((0, 3), 0), ((1, 0), 1)]]
    assert translate(bundle(lists), None).label.tolist() == [0, 1]


def test_taps_are_relative_to_the_first_source_and_the_start_of_the_row() -> None:
    lists: Lists = [[((1, 1), 5), ((1, 2), 6)]]
    found = translate(bundle(lists), (PlanParameter("w", (3, 4), 0),))
    taps = found.taps(0)
    assert taps.source.array.tolist() == [[0, 0], [0, 1]]
    assert taps.weight is not None
    assert taps.weight.array.tolist() == [1, 2]
    assert found.weight.tolist() == [4]


def test_weights_of_several_rows_count_from_the_first() -> None:
    found = translate(bundle([[((0, 0), 7), ((0, 1), 2)]]), (PlanParameter("w", (3, 4), 0),))
    weight = found.taps(0).weight
    assert weight is not None
    assert weight.array.tolist() == [0, -5]
