"""Strips: every edge is written once, pairs without an edge say so, and owners that share little stay alone."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray

import neurograph as ng
from neurograph.compiler.strips import REACH, Strips, as_table, row_strips, strips, use_strips
from neurograph.kernels import code as c
from neurograph.kernels.jit import COMPILED
from neurograph.kernels.narrow import short
from neurograph.kernels.strips import ACROSS, TAP

MISSING = 1
Edge = tuple[tuple[int, ...], int, int]
"""Labels of the owner, what it meets, the value of the pair."""


def random_edges(n_owners: int, n_met: int, share: float, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Which owner meets what: `share` of all pairs, and every owner something."""
    random = np.random.default_rng(seed)
    there = random.random((n_owners, n_met)) < share
    there[np.arange(n_owners), random.integers(0, n_met, n_owners)] = True
    owner, met = np.nonzero(there)
    shuffled = random.permutation(len(owner))
    return owner[shuffled], met[shuffled] + 100


def edges_of(made: Strips, n_labels: int) -> list[Edge]:
    """Read strips back; the values of missing pairs must be `MISSING`."""
    return [*_across(made, n_labels), *_alone(made, n_labels)]


def _across(made: Strips, n_labels: int) -> list[Edge]:
    found, at = [], 0
    for _ in range(made.n_across):
        n, owners = made.across[at : at + 2].tolist()
        labels = made.across[at + 2 : at + 2 + n_labels * ACROSS].reshape(n_labels, ACROSS)
        at += 2 + n_labels * ACROSS
        for met, *values in made.across[at : at + TAP * n].reshape(n, TAP).tolist():
            assert values[owners:] == [MISSING] * (ACROSS - owners)
            found += [(tuple(labels[:, k].tolist()), met, v) for k, v in enumerate(values) if v != MISSING]
        at += TAP * n
    assert at == len(made.across)
    return found


def _alone(made: Strips, n_labels: int) -> list[Edge]:
    found, at = [], 0
    for _ in range(made.n_alone):
        n, *labels = made.alone[at : at + 1 + n_labels].tolist()
        at += 1 + n_labels
        found += [(tuple(labels), met, value) for met, value in made.alone[at : at + 2 * n].reshape(n, 2).tolist()]
        at += 2 * n
    assert at == len(made.alone)
    return found


@pytest.mark.parametrize("share", [0.02, 0.5, 0.6, 0.95, 1.0])
@pytest.mark.parametrize("n_owners", [1, 3, 4, 5, 17])
def test_strips_hold_every_edge_once(n_owners: int, share: float) -> None:
    owner, met = random_edges(n_owners, 40, share, seed=n_owners)
    value = np.arange(len(owner)) + 1000
    labels = np.stack([np.arange(n_owners) + 5000, np.arange(n_owners) + 7000], axis=1)
    made = strips(owner, met, value, labels, MISSING)
    wanted = [
        ((5000 + o, 7000 + o), m, v) for o, m, v in zip(owner.tolist(), met.tolist(), value.tolist(), strict=True)
    ]
    assert Counter(edges_of(made, 2)) == Counter(wanted)


def test_owners_that_share_little_stay_alone() -> None:
    owner, met = random_edges(8, 400, 0.02, seed=0)
    assert strips(owner, met, met, np.arange(8)[:, None], MISSING).n_alone == 8
    owner, met = random_edges(8, 400, 0.95, seed=0)
    assert strips(owner, met, met, np.arange(8)[:, None], MISSING).n_across == 2


def test_weight_that_leads_to_a_target_twice_keeps_both_uses() -> None:
    target, source, weight = np.array([10, 10, 10, 11]), np.array([3, 4, 5, 3]), np.array([7, 7, 8, 8])
    wanted = [((7,), 10, 3), ((7,), 10, 4), ((8,), 10, 5), ((8,), 11, 3)]
    assert Counter(edges_of(use_strips(target, source, weight, MISSING), 1)) == Counter(wanted)


def test_shared_sources_are_loaded_once() -> None:
    owner, source = np.repeat(np.arange(4), 30), np.tile(np.arange(30), 4)
    made = row_strips(owner, source, np.arange(120) + 2, np.arange(4) + 50, np.zeros(4, dtype=np.int64), MISSING)
    assert (made.n_across, len(made.across), made.n_alone) == (1, 2 + 2 * ACROSS + 30 * TAP, 0)


@pytest.mark.skipif(COMPILED, reason="compiled code reads narrow integers in every other test")
def test_narrow_integers_stand_two_to_a_place() -> None:
    narrow = np.array([3, -4, 2**31 - 1], dtype=np.int32)
    table = as_table(narrow)
    assert len(table) == 2
    assert [short(table, i) for i in range(3)] == narrow.tolist()


# -- programs ---------------------------------------------------------------------------------------------------------
def edited(n_removed: int) -> ng.NeuronGraph:
    """A small convolution in front of a dense head, without some of its edges."""
    spec = ng.load(
        """
        name = "crumbs"
        input = [2, 6, 6]

        [[layer]]
        name = "conv"
        kind = "conv"
        filters = 5
        kernel = 3
        activation = "relu"

        [[layer]]
        name = "head"
        kind = "dense"
        units = 7

        [loss]
        kind = "mse"
        form = "half_sum"
        """
    )
    graph = ng.build(ng.lay_out(spec))
    edges = list(graph.edges)
    for i in np.random.default_rng(0).choice(len(edges), n_removed, replace=False):
        graph.remove_edge(*edges[i])
    return graph


def instructions(graph: ng.NeuronGraph) -> list[tuple[int, int]]:
    """(Operation, lanes) of a program with samples innermost."""
    program = ng.compile(graph, ng.initialise(graph, seed=0), innermost="samples")
    return [(int(row[c.OP]), int(row[c.LANES])) for row in program._image.code]


def test_edited_convolution_is_a_few_instructions() -> None:
    ops = Counter(op for op, _ in instructions(edited(60)))
    assert 1 <= ops[c.STRIPS_DOT] <= 4
    assert 1 <= ops[c.STRIPS_WEIGHTS] <= 4
    assert ops[c.DOT] <= 2


def test_a_whole_layer_keeps_its_nest() -> None:
    ops = Counter(op for op, _ in instructions(edited(0)))
    assert ops[c.STRIPS_DOT] == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 3, 17])
@pytest.mark.parametrize("n_removed", [1, 60, 700])
def test_strips_equal_the_textbook_on_whole_numbers(n_removed: int, batch: int, dtype: str) -> None:
    graph, random = edited(n_removed), np.random.default_rng(1)
    params = ng.initialise(graph, seed=0)
    for name in params:
        params[name] = random.integers(-2, 3, params[name].shape)
    x = random.integers(-2, 3, (batch, 2, 6, 6)).astype(float)
    t = random.integers(-2, 3, (batch, 7)).astype(float)
    program = ng.compile(graph, params, dtype=dtype, innermost="samples")
    ours = program.backprop(x, t, reduction="sum")
    theirs = ng.ReferenceEngine(graph, params).backprop(x, t, reduction="sum")
    for name in params:
        np.testing.assert_array_equal(ours.gradient[name], theirs.gradient[name], err_msg=name)
    for layer in ("conv", "head"):
        np.testing.assert_array_equal(ours.z[layer], theirs.z[layer])
        np.testing.assert_array_equal(ours.delta[layer], theirs.delta[layer])


def test_removed_edges_stay_without_gradient() -> None:
    """A deleted edge shares a strip with its neighbours and must not come back as an edge."""
    graph = edited(0)
    graph.remove_edge(*next(edge for edge in graph.edges if edge[1][0] == "head"))
    params = ng.initialise(graph, seed=0)
    program = ng.compile(graph, params, innermost="samples")
    x, t = np.random.default_rng(0).random((3, 2, 6, 6)), np.ones((3, 7))
    gradient = program.backprop(x, t).gradient["head.weight"]
    assert gradient[0, 0] == 0
    assert np.count_nonzero(gradient[1:]) > 0


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("shortcuts", [0.1, 1.0])
def test_small_worlds_equal_the_textbook(shortcuts: float, tied: bool) -> None:
    """Rings with shortcuts: neighbours share some of their sources; without ties every weight has one use."""
    ring = nx.watts_strogatz_graph(40, 6, shortcuts, seed=3)
    graph, random = ng.NeuronGraph(), np.random.default_rng(0)
    for i in range(40):
        graph.add_input(f"n0_{i}")
    for layer, i in itertools.product((1, 2), range(40)):
        graph.add_neuron(f"n{layer}_{i}", activation="relu")
        for k, j in enumerate(sorted({i, *ring[i]})):
            weight = f"w{layer}_{k % 4}_{i % 5}" if tied else f"w{layer}_{j}_{i}"
            graph.connect(f"n{layer - 1}_{j}", f"n{layer}_{i}", weight=weight)
    graph.set_outputs([f"n2_{i}" for i in range(40)], loss="mse", form="half_sum")
    params = ng.initialise(graph, seed=0)
    for name in params:
        params[name] = int(random.integers(-2, 3))
    x, t = random.integers(-2, 3, (5, 40)).astype(float), random.integers(-2, 3, (5, 40)).astype(float)
    program = ng.compile(graph, params, innermost="samples")
    ops = {int(row[c.OP]) for row in program._image.code}
    assert (c.STRIPS_WEIGHTS in ops, c.STRIPS_WEIGHTS_ONCE in ops) == (tied, not tied)
    ours = program.backprop(x, t, reduction="sum")
    theirs = ng.ReferenceEngine(graph, params).backprop(x, t, reduction="sum")
    for name in params:
        assert float(ours.gradient[name]) == float(theirs.gradient[name]), name


def test_weights_of_many_targets_are_taken_in_stretches() -> None:
    target = np.arange(3 * REACH) + 10
    made = use_strips(np.tile(target, 4), np.arange(12 * REACH), np.repeat(np.arange(4), 3 * REACH), MISSING)
    assert (made.n_across, made.n_alone) == (3, 0)
    met = made.across.reshape(3, -1)[:, 2 + ACROSS :: TAP]
    np.testing.assert_array_equal(met.reshape(-1), target)
