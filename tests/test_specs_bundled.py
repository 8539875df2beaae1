"""The bundled networks against their published counts, layer by layer."""

from __future__ import annotations

import time
import tomllib

import numpy as np
import pytest

import neurograph as ng
from neurograph.graph.topology import Topology
from neurograph.spec import bundled
from neurograph.spec.library import folder

# neurons without inputs, units (without fixed pools), edges, connections, trainable parameters
TOTALS = {
    "four": (47, 38, 310, 310, 27),
    "sixteen": (22, 18, 168, 184, 18),
    "mazur": (4, 4, 8, 12, 8),
    "xor": (3, 3, 6, 9, 9),
    "linear": (10, 10, 7_840, 7_850, 7_850),
    "mlp": (40, 40, 23_820, 23_860, 23_860),
    "mlp300": (310, 310, 238_200, 238_510, 238_510),
    "mlp800": (810, 810, 635_200, 636_010, 636_010),
    "digits": (3_594, 3_082, 262_720, 265_802, 9_930),
    "lenet5": (8_094, 6_518, 412_960, 419_478, 61_706),
    "lenet1": (3_850, 3_850, 94_592, 98_442, 2_578),
    "lenet5-1998": (8_094, 8_094, 332_824, 340_908, 60_000),
    "zipcode-1989": (1_000, 1_000, 63_660, 64_660, 9_760),
    "alexnet": (781_736, 659_272, 672_424_832, 673_084_104, 60_965_224),
    "vgg19": (16_391_656, 14_861_288, 18_963_942_144, 18_978_803_432, 143_667_240),
}

# AlexNet's 13×13 maps: a 3×3 window with padding 1 has 13·3 − 2 = 37 places a row inside; 27 with 5 and 2: 129.
# layer: shape, trainable parameters, connections
LAYERS = {
    "lenet5": {
        "conv1": ((6, 28, 28), 156, 107_736 + 4_704),
        "pool1": ((6, 14, 14), 0, 4_704),
        "conv2": ((16, 10, 10), 2_416, 241_600),
        "pool2": ((16, 5, 5), 0, 1_600),
        "fc1": ((120,), 48_120, 48_120),
        "fc2": ((84,), 10_164, 10_164),
        "fc3": ((10,), 850, 850),
    },
    "lenet1": {
        "h1": ((4, 24, 24), 104, 59_904),
        "h2": ((4, 12, 12), 8, 2_880),
        "h3": ((12, 8, 8), 512, 32_768),
        "h4": ((12, 4, 4), 24, 960),
        "output": ((10,), 1_930, 1_930),
    },
    "lenet5-1998": {
        "c1": ((6, 28, 28), 156, 122_304),
        "s2": ((6, 14, 14), 12, 5_880),
        "c3": ((16, 10, 10), 1_516, 151_600),
        "s4": ((16, 5, 5), 32, 2_000),
        "c5": ((120, 1, 1), 48_120, 48_120),
        "f6": ((84,), 10_164, 10_164),
        "output": ((10,), 0, 840),
    },
    "zipcode-1989": {
        "h1": ((12, 8, 8), 1_068, 19_968),
        "h2": ((12, 4, 4), 2_592, 38_592),
        "h3": ((30,), 5_790, 5_790),
        "output": ((10,), 310, 310),
    },
    "alexnet": {
        "conv1": ((96, 55, 55), 34_944, 290_400 * 364),
        "pool1": ((96, 27, 27), 0, 69_984 * 9),
        "conv2": ((256, 27, 27), 307_456, 256 * 48 * 129 * 129 + 186_624),
        "pool2": ((256, 13, 13), 0, 43_264 * 9),
        "conv3": ((384, 13, 13), 885_120, 384 * 256 * 37 * 37 + 64_896),
        "conv4": ((384, 13, 13), 663_936, 384 * 192 * 37 * 37 + 64_896),
        "conv5": ((256, 13, 13), 442_624, 256 * 192 * 37 * 37 + 43_264),
        "pool3": ((256, 6, 6), 0, 9_216 * 9),
        "fc6": ((4096,), 37_752_832, 37_752_832),
        "fc7": ((4096,), 16_781_312, 16_781_312),
        "fc8": ((1000,), 4_097_000, 4_097_000),
    },
}


TABLE_I = (
    "012",
    "123",
    "234",
    "345",
    "450",
    "501",
    "0123",
    "1234",
    "2345",
    "3450",
    "4501",
    "5012",
    "0134",
    "1245",
    "0235",
    "012345",
)
"""Which maps of S2 each map of C3 reads."""


def topology(name: str) -> Topology:
    return ng.lay_out(ng.load(name))


def layer_counts(network: Topology, layer: str) -> tuple[tuple[int, ...], int, int]:
    population = network.populations[layer]
    edges = sum(projection.n_edges for projection in network.into(layer))
    parameters = [spec for name, spec in network.parameters.items() if name.split(".")[0] == layer and spec.trainable]
    connections = edges + (population.size if population.bias is not None else 0)
    return population.shape, sum(spec.size for spec in parameters), connections


def test_every_bundled_network_has_its_counts_here() -> None:
    assert set(bundled()) == set(TOTALS)


@pytest.mark.parametrize("name", TOTALS)
def test_totals_are_the_published_ones(name: str) -> None:
    n = topology(name)
    assert (n.n_neurons, n.n_units, n.n_edges, n.n_connections, n.n_parameters) == TOTALS[name]


@pytest.mark.parametrize(("name", "layer"), [(name, layer) for name, layers in LAYERS.items() for layer in layers])
def test_each_layer_has_its_published_counts(name: str, layer: str) -> None:
    assert layer_counts(topology(name), layer) == LAYERS[name][layer]


@pytest.mark.parametrize("name", LAYERS)
def test_layers_add_up_to_the_totals(name: str) -> None:
    assert sum(parameters for _, parameters, _ in LAYERS[name].values()) == TOTALS[name][4]
    assert sum(connections for *_, connections in LAYERS[name].values()) == TOTALS[name][3]
    assert list(LAYERS[name]) == [p.name for p in topology(name).populations.values() if not p.is_input]


def test_zip_code_network_has_1256_units_with_its_inputs() -> None:
    network = topology("zipcode-1989")
    assert network.n_units + network.n_inputs == 1_256


def test_zip_code_network_without_edges_for_padding_has_51232_connections() -> None:
    text = (folder() / "zipcode-1989.toml").read_text(encoding="utf-8")
    without = ng.lay_out(ng.load(text.replace("padding_value = -1", "")))
    assert without.n_connections == 51_232
    assert without.n_parameters == 9_760


def test_lenet5_on_32_by_32_has_the_edges_of_the_lecture() -> None:
    text = (folder() / "lenet5.toml").read_text(encoding="utf-8")
    network = ng.lay_out(ng.load(text.replace("[1, 28, 28]", "[1, 32, 32]").replace("padding = 2\n", "")))
    assert (network.n_edges, network.n_parameters, network.n_inputs) == (422_824, 61_706, 1_024)


def test_alexnet_without_groups_has_the_larger_counts() -> None:
    text = (folder() / "alexnet.toml").read_text(encoding="utf-8")
    network = ng.lay_out(ng.load(text.replace("groups = 2", "groups = 1")))
    assert (network.n_parameters, network.n_edges) == (62_378_344, 1_045_132_160)


@pytest.mark.parametrize("name", ["alexnet", "vgg19"])
def test_large_networks_are_loaded_and_counted_in_a_tenth_of_a_second(name: str) -> None:
    best = min(_seconds_to_count(name) for _ in range(5))
    assert best < 0.1, f"{best:.3f} s"


def _seconds_to_count(name: str) -> float:
    started = time.perf_counter()
    network = topology(name)
    _ = (network.n_neurons, network.n_edges, network.n_connections, network.n_parameters)
    return time.perf_counter() - started


@pytest.mark.parametrize("name", TOTALS)
def test_every_file_says_its_source_and_describes_itself_in_one_line(name: str) -> None:
    text = (folder() / f"{name}.toml").read_text(encoding="utf-8")
    comment = text.split("\n\nname = ")[0]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert "# Source: " in comment
    assert "ounts" in comment
    spec = tomllib.loads(text)
    assert spec["name"] == name
    assert "\n" not in bundled()[name]
    assert 20 < len(bundled()[name]) < 110
    assert spec["source"]


@pytest.mark.parametrize("name", [name for name, (*_, parameters) in TOTALS.items() if parameters < 10**6])
def test_given_weights_are_the_first_weights(name: str) -> None:
    spec = ng.load(name)
    params = ng.initialise(topology(name), seed=3)
    for layer in spec.layers:
        weights = getattr(layer, "weights", None)
        if weights is not None:
            assert np.array_equal(params[f"{layer.name}.weight"].reshape(-1), np.array(weights).reshape(-1))


def test_digit_patterns_of_1998_are_ten_different_bitmaps_of_plus_and_minus_one() -> None:
    patterns = ng.initialise(topology("lenet5-1998"))["output.weight"]
    assert patterns.shape == (10, 84)
    assert set(np.unique(patterns)) == {-1.0, 1.0}
    apart = [int(np.sum(a != b)) for i, a in enumerate(patterns) for b in patterns[:i]]
    assert min(apart) >= 5
    assert not ng.initialise(topology("lenet5-1998")).trainable["output.weight"]


def test_connection_table_of_1998_is_the_published_one() -> None:
    (c3,) = [layer for layer in ng.load("lenet5-1998").layers if layer.name == "c3"]
    assert [set(map(int, row)) for row in TABLE_I] == [set(row) for row in c3.connections]  # type: ignore[union-attr]


def test_xor_answers_zero_one_one_zero() -> None:
    spec = ng.load("xor")
    engine = ng.ReferenceEngine(ng.build(ng.lay_out(spec)), ng.initialise(ng.lay_out(spec)))
    answers = engine.forward(np.array([sample.input for sample in spec.samples], dtype=float))
    assert np.array_equal(answers.reshape(-1), [0, 1, 1, 0])
