"""Neurons of one stencil into boxes: what is found, and what one deleted edge changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planning import assert_says, projection_of, words

import neurograph as ng
from neurograph.compiler import plan
from neurograph.compiler.bundle import Bundle
from neurograph.compiler.fold import Boxes, discover, join_all
from neurograph.compiler.plan import Nest, PlanParameter
from neurograph.graph.neuron_graph import NeuronGraph

SPEC = """
name = "t"
input = [2, 6, 7]
[[layer]]
name = "c"
kind = "conv"
filters = 4
kernel = 3
[[layer]]
name = "p"
kind = "maxpool"
window = 2
"""


ROWLESS = (PlanParameter("w", (1000,), 0),)
"""One weight a row: every neuron counts from its own weight, so neurons of one edge have one stencil."""


def built() -> NeuronGraph:
    return ng.build(ng.lay_out(ng.load(SPEC)))


def neurons_of(nest: Nest) -> set[tuple[int, ...]]:
    found = {nest.target}
    for axis in nest.axes:
        found = {
            (*t[: axis.along], t[axis.along] + i * axis.step, *t[axis.along + 1 :])
            for t in found
            for i in range(axis.count)
        }
    return found


def test_a_convolution_is_discovered_from_structure_alone() -> None:
    made = plan(built())
    assert words(projection_of(made, "c", "input")) == ["4 lanes, 5 tied, 4 tied"]
    (nest,) = projection_of(made, "c", "input").nests
    assert [(axis.along, axis.source, axis.weight) for axis in nest.axes] == [
        (0, (0, 0, 0), 18),
        (2, (0, 0, 1), 0),
        (1, (0, 1, 0), 0),
    ]
    assert words(projection_of(made, "p", "c")) == ["4 tied, 2 tied, 2 tied"]


@pytest.mark.parametrize("edit", ["delete", "retie"])
@pytest.mark.parametrize("touched", [(0, 0, 0), (1, 2, 3), (3, 3, 4), (2, 0, 2)])
def test_one_edited_edge_moves_exactly_the_touched_neuron_out_of_its_nest(edit: str, touched: tuple[int, ...]) -> None:
    g = built()
    source = ("input", 1, touched[1] + 1, touched[2] + 1)
    if edit == "delete":
        g.remove_edge(source, ("c", *touched))
    else:
        g.edges[source, ("c", *touched)]["param"] = ("c.weight", 0)
    projection = projection_of(plan(g), "c", "input")
    assert projection.table is not None
    assert projection.table.target.array.tolist() == [list(touched)]
    inside = [neuron for nest in projection.nests for neuron in neurons_of(nest)]
    assert len(inside) == len(set(inside)) == 4 * 4 * 5 - 1
    assert len({nest.taps for nest in projection.nests}) == 1
    lanes = [axis.count for nest in projection.nests for axis in nest.axes if axis.word == "lanes"]
    assert lanes.count(4) == len(projection.nests) - (1 if touched[0] in (0, 3) else 2), (
        "other positions keep all lanes"
    )
    assert_says(plan(g), g)


def test_many_edits_move_only_the_touched_neurons() -> None:
    g = built()
    rng = np.random.default_rng(0)
    into = [edge for edge in g.edges if edge[1][0] == "c"]
    gone = [into[i] for i in rng.choice(len(into), 12, replace=False)]
    g.remove_edges_from(gone)
    made = projection_of(plan(g), "c", "input")
    whole = {nest.taps for nest in made.nests if len(nest.taps.source) == 18}
    kept = {neuron for nest in made.nests if nest.taps in whole for neuron in neurons_of(nest)}
    assert made.table is not None
    rows = zip(made.table.target.array.tolist(), np.diff(made.table.start.array), strict=True)
    alone = {tuple(target) for target, n_taps in rows if n_taps == 18}
    assert kept | alone == {node[1:] for node in g if node[0] == "c"} - {target[1:] for _, target in gone}


# -- runs -------------------------------------------------------------------------------------------------------------
def boxes(target: list[int], source: list[int], weight: list[int]) -> list[tuple[int, list[tuple[int, int, int, int]]]]:
    """Boxes along one axis as (first target, [(count, step, source, weight)])."""
    columns = [np.array(column, dtype=np.int64) for column in (target, source, weight)]
    found = Boxes(
        np.zeros(len(target), dtype=np.int64), columns[0][:, None], columns[1][:, None], columns[2], columns[0]
    )
    join_all(found)
    return sorted(
        (int(t), [(a.count, a.step, a.source[0], a.weight) for a in axes])
        for t, axes in zip(found.target[:, 0], found.axes, strict=True)
    )


def test_runs_continue_only_where_the_last_neuron_ended() -> None:
    assert boxes([0, 1, 2, 4, 5], [0, 1, 2, 4, 5], [0] * 5) == [(0, [(3, 1, 1, 0)]), (4, [(2, 1, 1, 0)])]


def test_runs_of_runs_are_found() -> None:
    """Two lanes a channel, three channels: depthwise with a multiplier of two."""
    assert boxes([*range(6)], [0, 0, 1, 1, 2, 2], [*range(6)]) == [(0, [(2, 1, 0, 1), (3, 2, 1, 2)])]


def test_a_neuron_is_in_one_run_only() -> None:
    """0 1 2 step by one, 2 3 4 step by two: the run that comes first takes the neuron in the middle."""
    assert boxes([*range(5)], [0, 1, 2, 4, 6], [0] * 5) == [(0, [(3, 1, 1, 0)]), (3, [(2, 1, 2, 0)])]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=14), st.data())
def test_boxes_hold_every_neuron_once_with_its_own_shifts(steps: list[tuple[int, int]], data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    shape = (len(steps), 3)
    keep = rng.random(shape) < 0.9
    keep[0, 0] = True
    target = np.argwhere(keep)
    along = np.cumsum([s for s, _ in steps]), np.cumsum([w for _, w in steps])
    source, weight = along[0][target[:, 0]] + target[:, 1], along[1][target[:, 0]]
    nests, table = discover(Bundle(target, np.arange(len(target) + 1), source[:, None], weight), ROWLESS)
    expected = {tuple(t): (s, w) for t, s, w in zip(target.tolist(), source.tolist(), weight.tolist(), strict=True)}
    found: dict[tuple[int, ...], tuple[int, int]] = {}
    for nest in nests:
        for counters in np.ndindex(*(axis.count for axis in nest.axes)):
            place, at, address = list(nest.target), nest.source[0], nest.weight or 0
            for i, axis in zip(counters, nest.axes, strict=True):
                place[axis.along] += i * axis.step
                at, address = at + i * axis.source[0], address + i * axis.weight
            assert tuple(place) not in found
            found[tuple(place)] = (at, address)
    if table is not None:
        assert table.weight is not None
        for place, at, address in zip(table.target.array, table.source.array, table.weight.array, strict=True):
            assert tuple(place.tolist()) not in found
            found[tuple(place.tolist())] = (int(at[0]), int(address))
    assert found == expected
