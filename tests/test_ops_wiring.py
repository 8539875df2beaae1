"""Wirings along one axis: counted, listed, and asked from either end, the answers agree."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neurograph.ops.view import Part, along_channels, view_of
from neurograph.ops.wiring import Blocks, Links, Pairs, Window, Wiring

few = st.integers(1, 5)
weights = st.integers(0, 9)
blocks = st.builds(Blocks, few, few, few, weights, weights)
windows = st.builds(
    Window,
    st.integers(1, 9),
    st.integers(1, 9),
    few,
    few,
    st.integers(1, 3),
    st.integers(0, 6),
    weights,
    weights,
    st.booleans(),
)
pairs = st.builds(
    lambda wires: Pairs(5, 5, tuple((t, s, w) for (t, s), w in sorted(wires.items()))),
    st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), weights, max_size=12),
)
wirings: st.SearchStrategy[Wiring] = blocks | windows | pairs


def triples(links: Links) -> list[tuple[int, int, int]]:
    return list(zip(links.target.tolist(), links.source.tolist(), links.weight.tolist(), strict=True))


@given(wirings)
def test_count_is_the_number_of_links(wiring: Wiring) -> None:
    assert wiring.count == len(wiring.links())


@given(wirings)
def test_links_are_ordered_by_target_then_source_without_repeats(wiring: Wiring) -> None:
    found = [(target, source) for target, source, _ in triples(wiring.links())]
    assert found == sorted(set(found))


@given(wirings)
def test_every_target_and_source_knows_its_own_wires(wiring: Wiring) -> None:
    links = triples(wiring.links())
    sources = {source for _, source, _ in links} | set(range(wiring.n_sources))
    for target in range(wiring.n_targets):
        assert triples(wiring.into(target)) == [link for link in links if link[0] == target]
    for source in sources:
        assert triples(wiring.out_of(source)) == [link for link in links if link[1] == source]


@given(windows)
def test_window_sees_what_its_formula_says(window: Window) -> None:
    expected = [
        (t, window.stride * t + window.dilation * i - window.before, t * window.target_weight + i * window.tap_weight)
        for t in range(window.n_targets)
        for i in range(window.kernel)
    ]
    if not window.padded:
        expected = [link for link in expected if 0 <= link[1] < window.n_sources]
    assert triples(window.links()) == expected


def test_windows_with_a_billion_taps_are_counted_at_once() -> None:
    started = time.perf_counter()
    n = 10**9
    assert Window(n, n, n).count == n * (n + 1) // 2
    assert Window(2 * n - 1, n, n, before=n - 1).count == n * n
    assert time.perf_counter() - started < 0.1


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_a_wiring_cut_at_a_concatenation_keeps_every_wire(groups: int, targets: int, first: int, second: int) -> None:
    n_sources = groups * (first + second)
    wiring = Blocks(groups, targets, first + second, 7, 1)
    view = view_of("all", (n_sources, 2))
    cut_at = first * groups
    parts = (Part("a", (cut_at, 2)), Part("b", (n_sources - cut_at, 2), offset=cut_at))
    joined = [
        (target, source + part.offset, weight + offset)
        for part, piece, offset in along_channels(type(view)(view.shape, parts), wiring)
        for target, source, weight in triples(piece.links())
    ]
    assert sorted(joined) == triples(wiring.links())


def test_wirings_are_values() -> None:
    wires = ((0, 0, 1), (1, 0, 2))
    assert Pairs(2, 1, wires) == Pairs(2, 1, wires)
    assert hash(Window(3, 5, 3)) == hash(Window(3, 5, 3))
    assert np.array_equal(Pairs(2, 1, wires).links().weight, [1, 2])
