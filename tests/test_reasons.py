"""What a printed plan says about what was not shared, padded, fused or routed: whole lines, each for a network made for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from written import graph_of

import neurograph as ng

SNAPSHOTS = Path(__file__).parent / "snapshots"
CONV = {"kind": "conv", "name": "c", "filters": 2, "kernel": 3, "padding": 1, "activation": "relu"}
VALID = {**CONV, "padding": 0}
POOL = {"kind": "maxpool", "name": "p", "window": 2}
OUT = {"kind": "dense", "name": "o", "units": 2, "from": "p"}
CROSS = {"kind": "cross_entropy"}
Edit = Callable[[ng.NeuronGraph], object]


def lines(layers: list[dict[str, Any]], edit: Edit | None = None, until: str = "route", loss: Any = None) -> list[str]:
    """The plan's lines; what is said about one projection on one line, with ``;`` between."""
    graph = graph_of([1, 6, 6], layers, loss)
    if edit is not None:
        edit(graph)
    return [line.strip() for line in str(ng.plan(graph, until)).replace("\n          ", "; ").splitlines()]


def only(found: list[str], word: str) -> str:
    (line,) = (line for line in found if word in line)
    return line


# -- not shared, not padded --------------------------------------------------------------------------------------------
def test_clipped_borders_are_named_until_pad_joins_them() -> None:
    assert only(lines([CONV], until="fold"), "from input").endswith(
        "and 7 more; 9 stencils (clipped borders read less)"
    )
    assert only(lines([CONV]), "from input") == (
        "from input: 2 lanes × 6 tied × 6 tied × 9 taps; borders share through a zero halo (21 % of the taps)"
    )


def test_clipped_windows_of_a_maximum_stay_several() -> None:
    layers = [{"kind": "maxpool", "name": "p", "window": 3, "padding": 1, "stride": 2}]
    assert only(lines(layers), "from input").endswith(
        "3 stencils (clipped windows keep their own: zero is no neutral source here); "
        "1 neuron alone: no neighbour has the same stencil (1 reads less than usual)"
    )


def test_filters_that_read_other_maps_are_several_stencils() -> None:
    layers = [
        {"kind": "conv", "name": "a", "filters": 4, "kernel": 1},
        {"kind": "conv", "name": "c", "filters": 3, "kernel": 2, "connections": [[0, 1], [0, 2], [1, 3]]},
    ]
    assert only(lines(layers), "from a").endswith("3 stencils (their sources or weights differ by more than one shift)")


def cut(*places: tuple[int, int, int]) -> Edit:
    return lambda g: [g.remove_edge(("input", 0, y, x), ("c", f, y, x)) for f, y, x in places]


def retie(g: ng.NeuronGraph) -> None:
    g.edges[("input", 0, 2, 2), ("c", 0, 2, 2)]["param"] = ("c.weight", 0)


def test_deleted_edges_leave_neurons_alone_and_gaps_between_the_others() -> None:
    assert only(lines([VALID], cut((0, 2, 2))), "from input") == (
        "from input: 2 lanes × 4 tied × 2 tied × 9 taps; 2 lanes × 4 tied × 9 taps; and 3 more; "
        "5 nests of one stencil, since gaps lie between its neurons; "
        "1 neuron alone: no neighbour has the same stencil (1 reads less than usual)"
    )


def test_a_deleted_edge_that_neighbours_share_is_a_stencil_of_its_own() -> None:
    both = only(lines([VALID], cut((0, 2, 2), (0, 2, 3), (0, 3, 2), (0, 3, 3))), "from input")
    assert "; 2 stencils (edges are missing inside the map); " in both
    assert "alone" not in both
    three = only(lines([CONV], cut((0, 2, 2), (0, 2, 3)), until="fold"), "from input")
    assert "; 10 stencils (8: clipped borders read less, 1: edges are missing inside the map); " in three


def test_other_weights_leave_a_neuron_alone_too() -> None:
    assert only(lines([CONV], retie), "from input").endswith(
        "1 neuron alone: no neighbour has the same stencil (other sources or weights)"
    )
    mixed = only(lines([CONV], lambda g: [retie(g), cut((1, 4, 4))(g)]), "from input")
    assert mixed.endswith("2 neurons alone: no neighbour has the same stencil (1 reads less than usual)")


# -- not fused ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("layers", "edit", "reason"),
    [
        ([CONV, POOL, {"kind": "conv", "name": "d", "filters": 1, "kernel": 1, "from": "c"}], None, "also read by d"),
        ([CONV, {"kind": "dropout", "name": "drop", "keep": 0.5}, POOL], None, "drop stands between"),
        ([CONV, {"kind": "avgpool", "name": "p", "window": 2}], None, "only a maximum moves in"),
        (
            [CONV, POOL],
            lambda g: g.nodes["c", 0, 0, 0].update(activation="tanh"),
            "several steps compute c",
        ),
        ([CONV, POOL], lambda g: g.nodes["p", 0, 0, 0].update(kind="sum"), "also read by p"),
        (
            [CONV, {**CONV, "name": "b"}, {"kind": "concat", "name": "both", "from": ["b", "c"]}, POOL],
            None,
            "p reads other maps too",
        ),
    ],
    ids=["second reader", "dropout", "mean", "two activations", "part of a pool", "concat"],
)
def test_a_pool_that_is_not_moved_in_has_a_reason(layers: list[dict[str, Any]], edit: Edit | None, reason: str) -> None:
    assert f"not fused with p: {reason}" in lines(layers, edit)


def test_an_output_keeps_its_map() -> None:
    def both(g: ng.NeuronGraph) -> None:
        g.set_outputs([*(n for n in g if n[0] == "c"), *(n for n in g if n[0] == "p")], loss="mse")

    assert "not fused with p: c is an output" in lines([CONV, POOL], both)


def test_bias_and_activation_apart_have_a_reason() -> None:
    found = lines([{**CONV, "activation": "tanh"}], lambda g: g.nodes["c", 1, 2, 2].update(bias=("c.bias", 0)))
    assert "bias added apart: along the lanes it does not go up in equal steps" in found
    assert "not fused: tanh, a pass of its own over the finished sums" in found


def test_a_loss_spread_over_populations_is_apart() -> None:
    graph = graph_of([4], [{"kind": "dense", "name": "o", "units": 2}], CROSS)
    graph.nodes["o", 0]["layer"] = None
    graph.nodes["o", 0]["index"] = None
    assert "not fused: loss, since its outputs lie in several populations" in str(ng.plan(graph))


def test_nothing_is_said_before_the_pass_has_run() -> None:
    for until in ("fold", "pad"):
        assert [line for line in lines([CONV, POOL, OUT], until=until) if "fused" in line or "backward" in line] == []


# -- not routed --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([CONV, {**POOL, "stride": 1}], "windows overlap"),
        ([CONV, POOL, {"kind": "conv", "name": "d", "filters": 1, "kernel": 1, "from": "c"}], "c is stored"),
    ],
)
def test_added_deltas_have_a_reason(layers: list[dict[str, Any]], reason: str) -> None:
    assert only(lines(layers), "backward") == f"backward: δ is added, since {reason}"


def test_a_maximum_over_the_input_needs_no_reason() -> None:
    assert [line for line in lines([POOL]) if line.startswith("backward")] == []


# -- a whole screen ----------------------------------------------------------------------------------------------------
def test_plan_of_an_edited_network_is_that_of_the_snapshot() -> None:
    """Delete the snapshot and run the test once to write it anew."""
    layers = [
        CONV,
        POOL,
        {"kind": "conv", "name": "d", "filters": 2, "kernel": 1, "from": "c", "activation": "tanh"},
        {"kind": "avgpool", "name": "q", "window": 2},
        {"kind": "add", "name": "s", "from": ["p", "q"]},
        {"kind": "dense", "name": "o", "units": 3},
    ]
    graph = graph_of([1, 6, 6], layers, CROSS)
    cut((0, 2, 2))(graph)
    graph.remove_edge(("s", 0, 1, 1), ("o", 1))
    text = f"{ng.plan(graph)}\n"
    kept = SNAPSHOTS / "plan-edited.txt"
    if not kept.exists():
        kept.write_text(text, encoding="utf-8")
        pytest.fail(f"{kept.name} was missing and is now written; look at it, and commit it")
    assert text == kept.read_text(encoding="utf-8")
