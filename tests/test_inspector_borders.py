"""The weight card's sentences: how much cancels, and why the border leaves out uses."""

from __future__ import annotations

import numpy as np
import pytest

import neurograph as ng
from neurograph.graph.address import write_reference
from neurograph.inspector import Inspector
from tests.test_inspector import inspect

SPEC = """
name = "local"
input = [1, 4, 4]
[[layer]]
name = "l"
kind = "conv"
filters = 2
kernel = 3
padding = 1
tie = "{tie}"
"""


def test_lenet5_uses_this_weight_756_times_and_says_why() -> None:
    topology = ng.lay_out(ng.load("lenet5"))
    program = ng.compile(topology, ng.initialise(topology, seed=0))
    inspector = Inspector(program, np.random.default_rng(0).random((1, 1, 28, 28)), [3])
    card = inspector.weight("conv1.weight[0,0,2,1]")
    assert (card.n_copies, card.positions) == (756, 784)
    assert str(card).endswith(
        "  update the copies are still equal: one weight, used 756 times.\n"
        "  756, not 784: at the other 28 positions the window hangs over the border, and this tap reads nothing."
    )
    assert inspector.weight("conv1.weight[0,0,2,2]").positions is None
    assert inspector.weight("conv2.weight[0,0,0,0]").positions is None  # no padding: every tap is used everywhere
    assert inspector.weight("fc1.weight[0,0]").positions is None
    assert inspector.weight("conv1.bias[0]").positions is None


def test_every_tap_of_a_padded_kernel_is_counted_alike_from_graph_and_topology() -> None:
    topology = ng.lay_out(ng.load("four"))
    x = np.array([ng.load("four").samples[0].input], dtype=float).reshape(1, 1, 6, 6)
    program = Inspector(
        ng.compile(topology, ng.initialise(topology, seed=0), dtype="float64"), x, upstream=[[0.5, -0.25]]
    )
    textbook = inspect("four")
    for flat in range(9):
        name = write_reference(("conv.weight", flat), (1, 1, 3, 3))
        y, x_tap = divmod(flat, 3)
        expected = (6 - (y != 1)) * (6 - (x_tap != 1))
        for inspector in (program, textbook):
            card = inspector.weight(name)
            assert (card.n_copies, card.positions) == (expected, None if expected == 36 else 36)


def test_what_is_not_shared_by_position_has_no_border_sentence() -> None:
    spec = SPEC.format(tie="none")
    topology = ng.lay_out(ng.load(spec))
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    inspector = Inspector(engine, np.ones((1, 1, 4, 4)), upstream=np.ones((1, *engine.layout.heads[0].shape)))
    shape = inspector.trace.weights["l.weight"].shape
    for flat in range(0, int(np.prod(shape)), 5):
        assert inspector.weight(write_reference(("l.weight", flat), shape)).positions is None
    tied = ng.lay_out(ng.load(SPEC.format(tie="map")))
    engine = ng.ReferenceEngine(ng.build(tied), ng.initialise(tied, seed=0))
    inspector = Inspector(engine, np.ones((1, 1, 4, 4)), upstream=np.ones((1, 2, 4, 4)))
    assert inspector.weight("l.weight[1,0,0,0]").positions == 16


def test_an_edge_taken_out_of_the_middle_is_not_blamed_on_the_border() -> None:
    topology = ng.lay_out(ng.load("four"))
    graph = ng.build(topology)
    graph.remove_edge(("input", 0, 2, 3), ("conv", 0, 2, 3))
    engine = ng.ReferenceEngine(graph, ng.initialise(topology, seed=0))
    card = Inspector(engine, np.ones((1, 1, 6, 6)), upstream=[[0.5, -0.25]]).weight("conv.weight[0,0,1,1]")
    assert (card.n_copies, card.positions) == (35, None)


def test_what_remains_is_the_share_that_does_not_cancel() -> None:
    inspector = inspect("four")
    assert inspector.weight("conv.weight[0,0,1,1]").remains == pytest.approx(44.625 / 57.375)
    silent = inspector.weight("conv.weight[0,0,0,0]")
    assert (silent.sum, silent.remains) == (0.0, None)
    assert "is left" not in str(silent)
    assert inspect("mazur").weight("w5").remains == 1.0
