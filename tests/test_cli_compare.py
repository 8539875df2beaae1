"""`explain --compare`: both engines and a finite difference agree on every kind of neuron, and a planted fault shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import neurograph as ng
from neurograph.cli import main
from neurograph.graph.layout import layout_of
from neurograph.verification import compare, draws
from neurograph.verification.compare import DIFFERENCE, TEXTBOOK, Way, compare_neuron, compare_weight
from neurograph.verification.consistency import Given
from tests.strategies import Case, cases

B = """\
four, sample 0 (a four), weights as given

conv[0,3,1]: the same numbers, several ways

    who                 z  off by  apart
    textbook engine   255  0       0
    program, float64  255  0       0
    program, float32  255  0       0

    who                 a  off by  apart
    textbook engine   255  0       0
    program, float64  255  0       0
    program, float32  255  0       0
"""


def compared(capsys: pytest.CaptureFixture[str], spec: str, what: str) -> list[dict[str, Any]]:
    assert main(["explain", spec, what, "--compare", "--json"]) == 0, capsys.readouterr().err
    ways: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["ways"]
    return ways


def test_a_neuron_reads_as_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "four", "conv[0,3,1]", "--compare"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(B)
    assert "    finite difference  0.1999999" in shown or "    finite difference  0.2" in shown
    assert "Up to 1 is agreement." in shown


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ("mazur", "h1"),
        ("mazur", "o2"),
        ("mazur", "i1"),
        ("four", "pool[0,1,0]"),
        ("four", "input[0,3,1]"),
        ("xor", "out[0]"),
    ],
)
def test_everybody_agrees_on_a_neuron(capsys: pytest.CaptureFixture[str], spec: str, what: str) -> None:
    if spec == "xor":
        what = next(iter(ng.lay_out(ng.load("xor")).heads)).name + "[0]"  # type: ignore[operator]
    ways = compared(capsys, spec, what)
    assert {way["by"] for way in ways if way["quantity"] == "delta"} == {
        TEXTBOOK, "program, float64", "program, float32", DIFFERENCE
    }  # fmt: skip
    assert all(way["units"] is None or way["units"] <= 1 for way in ways)
    deltas = [way["value"] for way in ways if way["quantity"] == "delta" and way["value"] is not None]
    assert deltas == pytest.approx([deltas[0]] * len(deltas), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(("spec", "what"), [("mazur", "w5"), ("mazur", "w1"), ("four", "conv.weight[0,0,1,1]")])
def test_everybody_agrees_on_a_weight(capsys: pytest.CaptureFixture[str], spec: str, what: str) -> None:
    ways = compared(capsys, spec, what)
    assert [way["by"] for way in ways] == [TEXTBOOK, "program, float64", "program, float32", DIFFERENCE]
    assert all(way["units"] <= 1 for way in ways if way["units"] is not None)


def test_without_a_target_only_z_and_a_are_compared(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("1 2")
    asked = ["explain", "mazur", "--input", str(tmp_path / "x.txt"), "--compare"]
    assert main([*asked, "h1", "--json"]) == 0
    assert {way["quantity"] for way in json.loads(capsys.readouterr().out)["ways"]} == {"z", "a"}
    assert main([*asked, "w5"]) == 2
    message = "--compare w5: nothing is asked of a weight without a target. Give one, with --target.\n"
    assert capsys.readouterr().err == message


@given(cases())
@settings(max_examples=20)
def test_everybody_agrees_on_drawn_networks(case: Case) -> None:
    topology = ng.lay_out(case.spec)
    random = np.random.default_rng(case.seed)
    layout = layout_of(topology)
    params = draws.float_parameters(topology, random)
    x, targets = draws.inputs(layout, random, case.batch), draws.targets(layout, random, case.batch)
    upstream = draws.upstream(layout, random, case.batch) if targets is None else None
    asked = Given(x, targets, upstream, "sum")
    for name, shape in list(layout.shapes.items())[-3:]:
        place = name, tuple(int(random.integers(n)) for n in shape)
        check(compare_neuron(topology, params, asked, place, case.seed % case.batch))
    for name, spec in list(topology.parameters.items())[:2]:
        used = np.arange(int(np.prod(spec.shape))) if spec.used is None else np.flatnonzero(spec.used)
        check(compare_weight(topology, params, asked, (name, int(random.choice(used)))))


def test_a_hand_drawn_mean_is_compared() -> None:
    drawn = """
    {"name": "by_hand", "neuron": [{"id": "x", "kind": "input"}, {"id": "y", "kind": "input"}, {"id": "m", "kind": "mean", "output": true}],
     "edge": [{"from": "x", "to": "m"}, {"from": "y", "to": "m"}], "loss": [{"kind": "mse"}]}
    """
    topology = ng.lay_out(ng.load(drawn))
    asked = Given({"input": np.array([[1.0, 4.0]])}, {None: np.array([[1.0]])}, None, "sum")
    ways = compare_neuron(topology, ng.initialise(topology, seed=0), asked, ("x", ()))
    check(ways)
    assert [way.value for way in ways if way.by == TEXTBOOK] == [1.0, 1.0, 1.5]


def check(ways: list[Way]) -> None:
    assert all(way.units is None or way.units <= 1 for way in ways), ways


def test_a_wrong_delta_is_far_off_and_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that hands back 1 % too much is caught by its own neighbours, and by the difference, at the one neuron."""
    spec = ng.load("mazur")
    topology = ng.lay_out(spec)
    params = ng.initialise(topology, seed=0)
    asked = Given({"input": np.array([[0.05, 0.1]])}, {None: np.array([[0.01, 0.99]])}, None, "sum")
    honest = compare.bound_program

    def lying(*arguments: Any, **options: Any) -> Any:
        engine = honest(*arguments, **options)
        backprop = engine.backprop

        def wrong(*given: Any, **how: Any) -> Any:
            trace = backprop(*given, **how)
            trace.delta["h1"].setflags(write=True)
            trace.delta["h1"][...] *= 1.01
            return trace

        engine.backprop = wrong
        return engine

    monkeypatch.setattr(compare, "bound_program", lying)
    ways = compare_neuron(topology, params, asked, ("h1", ()))
    off = {way.by: way.units for way in ways if way.quantity == "delta"}
    assert (off[TEXTBOOK] or 0) <= 1
    assert (off[DIFFERENCE] or 0) <= 1
    assert (off["program, float64"] or 0) > 1e10


def test_a_kink_has_no_finite_difference(capsys: pytest.CaptureFixture[str]) -> None:
    ways = compared(capsys, "four", "conv[0,3,0]")  # z = 0 exactly: the ReLU bends here, and its window has δ
    assert main(["explain", "four", "conv[0,3,0]", "--compare"]) == 0
    shown = capsys.readouterr().out
    missing = [way for way in ways if way["by"] == DIFFERENCE and way["value"] is None]
    assert bool(missing) == ("No finite difference: the loss has a kink here" in shown)
