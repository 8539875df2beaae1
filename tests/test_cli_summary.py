"""`neurograph summary`: whole screens, and the numbers behind them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neurograph.cli import main
from neurograph.graph.lay_out import lay_out
from neurograph.graph.summary import summarise
from neurograph.spec import load

LENET5 = """\
layer  kind           shape  neurons    edges  connections  parameters  uses/weight   sees
------------------------------------------------------------------------------------------
input  input        1×28×28
conv1  conv relu    6×28×28    4,704  107,736      112,440         156      676–784    5×5
pool1  maxpool      6×14×14    1,176    4,704        4,704           0                 6×6
conv2  conv relu   16×10×10    1,600  240,000      241,600       2,416          100  14×14
pool2  maxpool       16×5×5      400    1,600        1,600           0               16×16
fc1    dense relu       120      120   48,000       48,120      48,120            1  28×28
fc2    dense relu        84       84   10,080       10,164      10,164            1  28×28
fc3    dense             10       10      840          850         850            1  28×28
------------------------------------------------------------------------------------------
total                          8,094  412,960      419,478      61,706

lenet5: 784 inputs, 6,518 units (neurons without fixed pools).
As an explicit graph: 412,960 edges × 332 bytes ≈ 137 MB; neurograph.build writes it out.
"""
DRAWN = """\
layer  kind              shape  neurons  edges  connections  parameters  uses/weight             sees
-----------------------------------------------------------------------------------------------------
x1     input                 1
x2     input                 1
h1     weighted sigmoid      1        1      2            3           3            2  2 of the inputs
h2     weighted sigmoid      1        1      2            3      shared            2  2 of the inputs
o      weighted sigmoid      1        1      2            3           2            1  2 of the inputs
-----------------------------------------------------------------------------------------------------
total                                 3      6            9           5

net: 2 inputs, 3 units (neurons without fixed pools).
1 fixed number is not counted as parameters.
h2 shares w1, w2, b1.
As an explicit graph: 6 edges × 332 bytes ≈ 2 kB; neurograph.build writes it out.
"""
SHARED = """\
name = "shared"
[[input]]
name = "left"
shape = [1, 40]
[[input]]
name = "right"
shape = [1, 40]
[[layer]]
name = "c1"
kind = "conv"
filters = 2
kernel = 3
from = "left"
padding = 1
padding_value = -1.0
[[layer]]
name = "c2"
kind = "conv"
filters = 2
kernel = 3
from = "right"
padding = 1
weights_from = "c1"
[[layer]]
name = "sum"
kind = "add"
from = ["c1", "c2"]
"""
SHARED_SCREEN = """\
layer  kind   shape  neurons  edges  connections  parameters  uses/weight             sees
------------------------------------------------------------------------------------------
left   input   1×40
right  input   1×40
c1     conv    2×40       80    240          320           8           40                3
c2     conv    2×40       80    236          316      shared        39–40                3
sum    add     2×40       80    160          160           0               left 3, right 3
------------------------------------------------------------------------------------------
total                    240    636          796           8

shared: 80 inputs, 240 units (neurons without fixed pools).
1 fixed number is not counted as parameters.
c2 shares c1.weight, c1.bias.
As an explicit graph: 636 edges × 332 bytes ≈ 211 kB; neurograph.build writes it out.
"""


def screen(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_summary_of_lenet5(capsys: pytest.CaptureFixture[str]) -> None:
    assert screen(capsys, "summary", "lenet5") == LENET5


def test_summary_of_a_hand_drawn_network(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    main(["new", str(tmp_path / "net"), "--template", "neurons"])
    capsys.readouterr()
    assert screen(capsys, "summary", str(tmp_path / "net.toml")) == DRAWN


def test_summary_names_several_inputs_and_shared_weights(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "shared.toml").write_text(SHARED)
    assert screen(capsys, "summary", str(tmp_path / "shared.toml")) == SHARED_SCREEN


def test_summary_of_a_network_too_large_to_write_out(capsys: pytest.CaptureFixture[str]) -> None:
    lines = screen(capsys, "summary", "alexnet").splitlines()
    assert lines[-1] == (
        "As an explicit graph: 672,424,832 edges × 332 bytes ≈ 223 GB; more than build's limit of 2,000,000 edges; "
        "compile the topology, or build(topology, around=NEURON)."
    )


def test_json_carries_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    summary = json.loads(screen(capsys, "summary", "lenet5", "--json"))
    totals = {
        key: summary[key] for key in ("inputs", "neurons", "units", "edges", "connections", "parameters", "graph_bytes")
    }
    assert totals == {
        "inputs": 784,
        "neurons": 8094,
        "units": 6518,
        "edges": 412960,
        "connections": 419478,
        "parameters": 61706,
        "graph_bytes": 412960 * 332,
    }
    for key in ("edges", "connections", "parameters", "fixed"):
        assert sum(layer[key] for layer in summary["layers"]) == summary[key]
    assert summary["layers"][3]["sees"] == {"input": [1, 14, 14]}
    assert summary["layers"][1]["uses"] == [676, 784]


@pytest.mark.parametrize(
    "name",
    [
        "lenet5",
        "mazur",
        "xor",
        "four",
        "sixteen",
        "digits",
        "mlp",
        "linear",
        "mlp300",
        "mlp800",
        "lenet1",
        "lenet5-1998",
        "zipcode-1989",
        "alexnet",
        "vgg19",
    ],
)
def test_layers_add_up_to_the_topology(name: str) -> None:
    topology = lay_out(load(name))
    summary = summarise(topology)
    assert sum(layer.edges for layer in summary.layers) == topology.n_edges
    assert sum(layer.connections for layer in summary.layers) == topology.n_connections
    assert sum(layer.parameters for layer in summary.layers) == topology.n_parameters
    assert sum(layer.neurons for layer in summary.layers if layer.kind != "input") == topology.n_neurons


def test_summary_of_a_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "no/such.toml"]) == 2
    assert capsys.readouterr().out == ""
