"""The biases of a step by formula and by list, against the biases that the plan's edges name."""

from __future__ import annotations

import numpy as np
import pytest

import neurograph as ng
from neurograph.compiler.arena import make_arena
from neurograph.compiler.biases import Biases
from neurograph.compiler.plan import ONE
from neurograph.compiler.storage import Storage, parameters_with_lanes

ZERO = 10**6
SPECS = {
    "tied": "filters = 4\nkernel = 3\npadding = 1",
    "a bias each": 'filters = 4\nkernel = 3\npadding = 1\ntie_bias = "none"',
    "untied": 'filters = 4\nkernel = 3\ntie = "none"',
}


def written(layer: str) -> ng.Topology:
    text = f'name = "t"\ninput = [2, 5, 6]\n[[layer]]\nname = "c"\nkind = "conv"\n{layer}\n[[layer]]\nname = "d"\nkind = "dense"\nunits = 3\n'
    return ng.lay_out(ng.load(text))


def named(plan: ng.Plan) -> dict[object, tuple[str, int]]:
    """Neuron → its bias, as the plan reads it back."""
    return {
        target: reference for target, source, reference, _ in plan.edges() if source == ONE and reference is not None
    }


@pytest.mark.parametrize("channels", [False, True])
@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("layer", SPECS)
def test_every_neuron_finds_its_bias(layer: str, by_hand: bool, channels: bool) -> None:
    topology = written(SPECS[layer])
    network: object = topology
    if by_hand:
        network = ng.build(topology)
        network.nodes["c", 1, 2, 2]["bias"] = ("c.bias", 0)
        network.nodes["c", 2, 0, 1]["bias"] = None
    plan = ng.plan(network)
    arena, storage = make_arena(plan, channels), Storage(plan, parameters_with_lanes(plan) if channels else set())
    wanted = named(plan)
    assert len(wanted) == topology.n_neurons - by_hand
    for step in plan.steps:
        box = arena.boxes[step.population]
        found = Biases(step, box, storage, ZERO).of(box.every())
        for index, address in zip(np.ndindex(box.shape), found.tolist(), strict=True):
            node = (step.population, *index)
            if node not in wanted:
                assert address == ZERO
                continue
            name, place = wanted[node]
            stored = storage.parameters[name]
            assert address == stored.start + place


def test_a_step_of_two_groups_without_a_common_bias_does_not_begin_with_it() -> None:
    topology = written(SPECS["a bias each"])
    program = ng.compile(topology, ng.initialise(topology), innermost="channels")
    for name in program.params:
        program.params[name] = np.random.default_rng(0).normal(size=program.params.shape(name))
    x = np.random.default_rng(1).random((3, 2, 5, 6))
    want = ng.ReferenceEngine(ng.build(topology), program.params).forward(x)
    np.testing.assert_allclose(program.forward(x), want, rtol=1e-5, atol=1e-6)
