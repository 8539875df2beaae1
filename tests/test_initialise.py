import numpy as np
import pytest

import neurograph as ng
from neurograph.errors import ParameterError


def dense(init: str) -> ng.Topology:
    return ng.lay_out(ng.load(f'input = [400]\n[[layer]]\nname = "fc"\nkind = "dense"\nunits = 300\ninit = {init}\n'))


@pytest.mark.parametrize(
    ("init", "deviation"),
    [
        ('"he"', np.sqrt(2 / 400)),
        ('"glorot"', np.sqrt(2 / 700)),
        ('"lecun"', np.sqrt(1 / 400)),
        ('"uniform"', np.sqrt(1 / 12)),
    ],
)
def test_draws_have_the_published_deviation(init, deviation):
    weight = ng.initialise(dense(init), seed=3)["fc.weight"]
    assert abs(weight.mean()) < 4 * deviation / np.sqrt(weight.size)
    assert weight.std() == pytest.approx(deviation, rel=0.02)


@pytest.mark.parametrize(("init", "value"), [('"zeros"', 0.0), ('"ones"', 1.0), ("0.25", 0.25), ("3", 3.0)])
def test_constants_fill_the_array(init, value):
    assert (ng.initialise(dense(init))["fc.weight"] == value).all()


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first, again, other = (ng.initialise(dense('"he"'), seed=seed)["fc.weight"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_topology_and_its_graph_start_alike():
    topology = ng.lay_out(ng.load("four"))
    one, two = ng.initialise(topology, seed=5), ng.initialise(ng.build(topology), seed=5)
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_biases_start_at_zero_and_relu_layers_with_he():
    text = 'input = [50]\n[[layer]]\nname = "fc"\nkind = "dense"\nunits = 80\nactivation = "relu"\n'
    params = ng.initialise(ng.lay_out(ng.load(text)))
    assert not params["fc.bias"].any()
    assert params["fc.weight"].std() == pytest.approx(np.sqrt(2 / 50), rel=0.1)


def test_hand_named_weights_are_zero_dimensional():
    g = ng.NeuronGraph()
    g.add_input("x")
    g.add_neuron("y", bias="b")
    g.connect("x", "y", weight="w")
    params = ng.initialise(g)
    assert {name: params[name].shape for name in params} == {"b": (), "w": ()}
    assert params["w"] != 0


def test_an_unknown_initialisation_is_told_with_the_known():
    import dataclasses

    topology = dense('"he"')
    spec = dataclasses.replace(topology.parameters["fc.weight"], init="hee")
    broken = dataclasses.replace(topology, parameters={"fc.weight": spec})
    with pytest.raises(ParameterError) as caught:
        ng.initialise(broken)
    assert str(caught.value) == (
        "fc.weight: unknown initialisation 'hee'; did you mean 'he'? (known: he, glorot, lecun, uniform, zeros, ones)"
    )
