"""`neurograph plan`: whole screens, both roads, and the JSON behind them."""

from __future__ import annotations

import json
import os

import pytest

from neurograph.cli import main
from neurograph.compiler import PASSES
from neurograph.graph.lay_out import lay_out
from neurograph.spec import load

FOUR = """\
plan four: 3 steps, 3 nests, 310 edges, 27 weights and biases
  step        op             neurons  edges  weights  FLOP  nests
  conv 1×6×6  weighted relu       36    256        9   648  1
      from input: 6 tied × 6 tied × 9 taps; borders share through a zero halo (21 % of the taps)
      fused: activation
      followed at once by pool, which alone reads it
  pool 1×3×3  max                  9     36        0    36  1
      from conv: 3 alike × 3 alike × 4 taps
      backward: δ goes to winners only, past their ReLU
  outputs 2   weighted             2     18       18    36  1
      from pool: 2 lanes × 9 taps
"""
FOLDED = "      from input: 4 tied × 4 tied × 9 taps; 4 tied × 6 taps; and 3 more\n          5 stencils (clipped borders read less)\n"


COST = "\ncost of a sample, in batches of "


def screen(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is printed about the plan itself; costs, which differ from machine to machine, are cut off."""
    return whole(capsys, *arguments).partition(COST)[0]


def whole(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["plan", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_plan_shows_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert screen(capsys, "four") == FOUR


def test_costs_stand_below_the_whole_plan(capsys: pytest.CaptureFixture[str]) -> None:
    shown = whole(capsys, "four", "--batch", "2")
    lines = shown[len(FOUR) :].splitlines()
    assert shown.startswith(FOUR)
    assert lines[1].startswith("cost of a sample, in batches of 2")
    assert [line.split()[:3] for line in lines[4:8]] == [
        ["conv", "648", "306"],
        ["pool", "36", "180"],
        ["outputs", "36", "80"],
        ["all", "720", "566"],
    ]
    assert lines[9].startswith("runs with samples innermost: 95 % of the weighted edges lie in no lanes")
    assert [line.split()[0] for line in lines[10:]] == ["conv", "pool", "outputs"]
    assert COST not in whole(capsys, "four", "--until", "fuse")


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="takes minutes without the JIT")
@pytest.mark.parametrize("name", ["four", "mazur", "digits"])
def test_time_says_how_long_every_step_takes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(whole(capsys, name, "--time", "--batch", "8", "--json"))
    steps = [step["population"] for step in found["steps"]]
    assert [(cost["step"], cost["phase"]) for cost in found["costs"]] == [
        (step, phase) for step in steps for phase in ("forward", "backward")
    ]
    large = {step["population"] for step in found["steps"] if step["weights"] and step["flop"] > 10_000}
    assert all(cost["seconds"] > 0 for cost in found["costs"] if cost["step"] in large)  # a pool may run inside another
    assert set(found["rest"]) == {
        "inputs and outputs",
        "loss, and clearing what is added to",
        "updating weights, reading the batch, calls",
    }
    shown = whole(capsys, name, "--time")
    assert " measured    of peak" in shown
    costs = shown.partition("\n\nruns with")[0].splitlines()
    assert costs[-1].endswith(" samples a second on one core")


@pytest.mark.parametrize("until", PASSES)
@pytest.mark.parametrize("name", ["four", "mazur", "zipcode-1989"])
def test_both_roads_print_the_same_plan(name: str, until: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert screen(capsys, name, "--until", until, "--graph") == screen(capsys, name, "--until", until)


def test_every_pass_changes_something(capsys: pytest.CaptureFixture[str]) -> None:
    shown = [screen(capsys, "four", "--until", until) for until in PASSES]
    assert len(set(shown)) == len(PASSES)
    assert shown[-1] == FOUR
    assert FOLDED in shown[0]


def test_json_counts_what_the_topology_counts(capsys: pytest.CaptureFixture[str]) -> None:
    plan = json.loads(screen(capsys, "lenet5", "--json"))
    topology = lay_out(load("lenet5"))
    assert plan["name"] == "lenet5"
    assert sum(step["edges"] for step in plan["steps"]) == topology.n_edges
    assert sum(step["neurons"] for step in plan["steps"]) == topology.n_neurons
    (nest,) = plan["steps"][2]["projections"][1]["nests"]
    assert nest["taps"] == 150
    assert {(axis["count"], axis["kind"]) for axis in nest["axes"]} == {(16, "lanes"), (10, "tied")}


def test_a_plan_of_a_network_too_large_to_write_out_touches_no_neuron(capsys: pytest.CaptureFixture[str]) -> None:
    assert screen(capsys, "alexnet").startswith("plan alexnet: 11 steps, 19 nests, 672,424,832 edges, ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["four", "--until", "fsue"],
            "plan: no pass 'fsue'; did you mean 'fuse'? (known: fold, pad, fuse, route)\n",
        ),
        (
            ["four", "--until", "fold", "--time"],
            "plan: --time runs the network, which needs every pass; leave out --until.\n",
        ),
        (
            ["alexnet", "--graph"],
            "alexnet has 672,424,832 edges; written out they need about 223 GB (limit 2,000,000 edges). "
            'Compile the topology, or build(topology, around="conv2[128,13,13]").\n',
        ),
    ],
    ids=["pass", "time", "size"],
)
def test_mistakes_end_in_one_message(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *arguments]) == 2
    assert capsys.readouterr() == ("", message)
