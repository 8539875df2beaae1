"""Both orders of memory compute the same, whatever layer follows which: what one leaves beyond a border is nothing to another."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.benchmark.networks import without
from neurograph.compiler import bind, plan
from neurograph.compiler.gather import gathered_nests
from neurograph.compiler.innermost import choose
from neurograph.compiler.spills import spilt
from neurograph.kernels.jit import COMPILED
from neurograph.kernels.tiles import LISTED

FIRST = {
    "conv": 'kind = "conv", filters = 8, kernel = 3, padding = 1',
    "conv 1×1": 'kind = "conv", filters = 8, kernel = 1',
    "deep": 'kind = "depthwise", kernel = 3, multiplier = 2, padding = 1',
    "grouped": 'kind = "conv", filters = 8, kernel = 3, padding = 1, groups = 2',
    "dilated": 'kind = "conv", filters = 10, kernel = 3, padding = 2, dilation = 2',
    "valid": 'kind = "conv", filters = 6, kernel = [3, 2]',
}
SECOND = {
    **FIRST,
    "stride": 'kind = "conv", filters = 6, kernel = 3, padding = 1, stride = 2',
    "full": 'kind = "conv", filters = 2, kernel = 3, padding = "full"',
    "one filter": 'kind = "conv", filters = 1, kernel = 5, padding = 2',
    "maximum": 'kind = "maxpool", window = 3, stride = 2, padding = 1',
    "mean": 'kind = "avgpool", window = 3, stride = 1, padding = 1',
    "ones around": 'kind = "conv", filters = 4, kernel = 3, padding = 1, padding_value = 1.0',
    "dropped": 'kind = "dropout", keep = 0.5',
}


def topology(first: str, second: str) -> ng.graph.topology.Topology:
    text = f"""
name = "pair"
input = [2, 9, 7]
layer = [
  {{ name = "c0", kind = "conv", filters = 4, kernel = 3, padding = 1, activation = "tanh" }},
  {{ name = "c1", activation = "relu", {FIRST[first]} }},
  {{ name = "c2", {SECOND[second]} }},
  {{ name = "c3", kind = "conv", filters = 3, kernel = 2, activation = "tanh" }},
  {{ name = "out", kind = "dense", units = 3 }},
]
loss = {{ kind = "cross_entropy" }}
"""
    return ng.lay_out(ng.load(text))


def computed(network: Any, innermost: str) -> dict[str, Any]:
    """δ of every layer and the gradient of every parameter."""
    program = bind(plan(network), ng.initialise(network, 1), dtype="float64", innermost=innermost)
    x = np.random.default_rng(2).normal(size=(3, 2, 9, 7))
    trace = program.backprop(x, np.array([2, 0, 1]), seed=5)
    return {**{f"δ {name}": trace.delta[name] for name in ("c0", "c1", "c3", "out")}, **dict(trace.gradient)}


@pytest.mark.skipif(not COMPILED, reason="plain Python takes minutes for these; drawn networks cover it")
@pytest.mark.parametrize(("first", "second"), list(product(FIRST, SECOND)))
def test_gradients_are_the_same_in_both_orders(first: str, second: str) -> None:
    network = topology(first, second)
    ours, theirs = computed(network, "channels"), computed(network, "samples")
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


def test_a_strided_reader_leaves_errors_where_its_source_gathers() -> None:
    """What the sweep is about: it has pairs of that kind."""
    made = plan(topology("conv", "stride"))
    gathers = gathered_nests(made)
    assert {made.steps[i].population for i, _, _ in gathers} >= {"c1"}
    assert spilt(made, gathers) == {"input", "c1"}
    assert "c1" not in spilt(plan(topology("conv", "valid")), gathers)


@pytest.mark.parametrize(("deleted", "word"), [(0, "channels"), (100, "samples")])
def test_stencils_in_pieces_run_with_samples_innermost(deleted: int, word: str) -> None:
    """A hundred deleted edges cut the stencils of LeNet-5 into two hundred nests, each too short to be worth its tiles."""
    graph = ng.build(ng.lay_out(ng.load("lenet5")))
    chosen = choose(plan(without(graph, deleted)))
    assert (chosen.word, "fall into" in chosen.reason) == (word, deleted > 0)


def test_windows_beyond_the_longest_list() -> None:
    """A maximum with more windows than one list of winners takes."""
    network = ng.lay_out(
        ng.load(
            """
name = "wide"
input = [1, 36, 36]
layer = [
  { name = "c0", kind = "conv", filters = 2, kernel = 2, activation = "relu" },
  { name = "pool", kind = "maxpool", window = 2 },
  { name = "out", kind = "dense", units = 2 },
]
loss = { kind = "cross_entropy" }
"""
        )
    )
    assert prod(network.population("pool").shape) > 2 * LISTED
    x = np.random.default_rng(3).normal(size=(1, 1, 36, 36))
    channels, samples = (
        bind(plan(network), ng.initialise(network, 1), dtype="float64", innermost=innermost).backprop(x, np.array([1]))
        for innermost in ("channels", "samples")
    )
    for name, value in samples.gradient.items():
        np.testing.assert_allclose(channels.gradient[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
