"""`verify` can say no: every number that an engine may get wrong is found wrong, and its neuron named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.errors import UsageError
from neurograph.graph.build import build
from neurograph.graph.lay_out import lay_out
from neurograph.parameters import Parameters
from neurograph.reference import ReferenceEngine
from neurograph.trace import Trace, Values
from neurograph.verification import Report, Row, draws, run
from neurograph.verification.consistency import Given, Whose, check_pass, check_weights
from neurograph.verification.differences import check_differences
from neurograph.verification.exact import compare, draw
from neurograph.verification.exactness import Sum, grain
from neurograph.verification.twin import twin_of
from neurograph.verification.update import check_update
from neurograph.verification.wires import every_wire, number

SPEC = """
name = "all_sorts"
input = [2, 6, 6]
[[layer]]
name = "conv"
kind = "conv"
filters = 3
kernel = 3
padding = 1
activation = "tanh"
[[layer]]
name = "pool"
kind = "maxpool"
window = 2
[[layer]]
name = "drop"
kind = "dropout"
keep = 0.8
[[layer]]
name = "mean"
kind = "avgpool"
window = 3
stride = 1
padding = 1
[[layer]]
name = "fc"
kind = "dense"
units = 3
activation = "softmax"
[loss]
kind = "cross_entropy"
"""
TOPOLOGY = lay_out(ng.load(SPEC))
GRAPH = build(TOPOLOGY)
NUMBERS = number(GRAPH)
WIRES = every_wire(NUMBERS)
FLOAT64 = Whose("textbook", np.float64)


def textbook(network: Any, dtype: str, params: Parameters, threads: int | None = None) -> ReferenceEngine:
    """The textbook engine in the program's place."""
    return ReferenceEngine(build(network) if isinstance(network, ng.Topology) else network, params)


def passed(seed: int = 0, masks: int | None = 3) -> tuple[ReferenceEngine, Given, Trace]:
    random = np.random.default_rng(seed)
    engine = ReferenceEngine(GRAPH, draws.float_parameters(GRAPH, random))
    given = Given(draws.inputs(engine.layout, random, 2), draws.targets(engine.layout, random, 2), seed=masks)
    return engine, given, given.run(engine)


def changed(values: Values, name: str, at: tuple[int, ...], by: float) -> Values:
    arrays = {key: array.copy() for key, array in values.items()}
    arrays[name][at] += by
    return Values(NUMBERS.layout, arrays)


def failures(trace: Trace, given: Given) -> list[Row]:
    return [row for row in check_pass(NUMBERS, WIRES, trace, given, FLOAT64) if not row.ok]


# -- local checks -----------------------------------------------------------------------------------------------------
def test_textbook_is_within_its_own_bounds() -> None:
    for seed in range(5):
        for masks in (None, 7):
            _, given, trace = passed(seed, masks)
            assert failures(trace, given) == []


@pytest.mark.parametrize(
    ("name", "at", "address"),
    [
        ("conv", (1, 2, 0, 5), "conv[2,0,5]"),
        ("pool", (0, 1, 2, 0), "pool[1,2,0]"),
        ("mean", (1, 0, 1, 1), "mean[0,1,1]"),
        ("fc", (0, 2), "fc[2]"),
    ],
)
@pytest.mark.parametrize("quantity", ["z", "a", "delta"])
def test_a_wrong_number_is_found_and_its_neuron_named(
    quantity: str, name: str, at: tuple[int, ...], address: str
) -> None:
    _, given, trace = passed()
    wrong = replace(trace, **{quantity: changed(getattr(trace, quantity), name, at, 1e-9)})
    found = [row for row in failures(wrong, given) if row.layer == name and row.quantity == quantity]
    assert [row.where for row in found] == [f"{address}, sample {at[0]}"]


def test_a_wrong_gradient_is_found_and_its_weight_named() -> None:
    _, given, trace = passed()
    for name, at, written in (("conv.weight", (1, 0, 2, 2), "conv.weight[1,0,2,2]"), ("fc.bias", (2,), "fc.bias[2]")):
        gradient = {key: array.copy() for key, array in trace.gradient.items()}
        gradient[name][at] += 1e-9
        assert [row.where for row in failures(replace(trace, gradient=gradient), given)] == [written]


def test_a_missing_gradient_is_found() -> None:
    _, given, trace = passed()
    gradient = {name: array for name, array in trace.gradient.items() if name != "conv.bias"}
    assert [row.where for row in failures(replace(trace, gradient=gradient), given)] == ["conv.bias is missing"]


def test_a_winner_that_is_not_the_largest_is_found() -> None:
    _, given, trace = passed(masks=None)
    winners = {"pool": (trace.winners["pool"] + 1) % 4}
    assert "winners" in {row.quantity for row in failures(replace(trace, winners=winners), given)}


def test_a_wrong_mask_is_found() -> None:
    _, given, trace = passed()
    masks = {"drop": 1 - trace.masks["drop"]}
    assert [row.quantity for row in failures(replace(trace, masks=masks), given)] == ["masks"]


def test_a_wrong_loss_is_found() -> None:
    _, given, trace = passed()
    assert trace.loss is not None
    assert [row.quantity for row in failures(replace(trace, loss=trace.loss * (1 + 1e-9)), given)] == ["loss"]
    assert [row.quantity for row in failures(replace(trace, loss=None), given)] == ["loss"]


def test_input_that_arrives_changed_is_found() -> None:
    _, given, trace = passed()
    wrong = replace(trace, z=changed(trace.z, "input", (0, 1, 2, 3), 1e-12))
    assert ("input", "z") in {(row.layer, row.quantity) for row in failures(wrong, given)}


def test_weights_other_than_those_in_the_store_are_found() -> None:
    engine, _, trace = passed()
    assert all(row.ok for row in check_weights(trace, engine.params, FLOAT64))
    engine.params["fc.bias"] = engine.params["fc.bias"] + 1e-15
    assert [row.layer for row in check_weights(trace, engine.params, FLOAT64) if not row.ok] == ["fc.bias"]


@pytest.mark.parametrize("name", ["conv.weight", "fc.bias"])
def test_a_weight_that_moved_wrongly_is_found(name: str) -> None:
    engine, given, trace = passed()
    before = dict(engine.params)
    engine.train_step(given.x, given.targets, ng.SGD(0.1), seed=given.seed)  # type: ignore[arg-type]
    arguments = (NUMBERS, WIRES, trace, given, before, engine.params, 0.1, FLOAT64)
    assert all(row.ok for row in check_update(*arguments))
    engine.params[name] = engine.params[name] + 1e-9
    assert [row.layer for row in check_update(*arguments) if not row.ok] == [name]


def test_a_frozen_weight_that_moved_is_found() -> None:
    engine, given, trace = passed()
    engine.params.set_trainable("fc.bias", False)
    before = dict(engine.params)
    engine.train_step(given.x, given.targets, ng.SGD(0.1), seed=given.seed)  # type: ignore[arg-type]
    assert all(row.ok for row in check_update(NUMBERS, WIRES, trace, given, before, engine.params, 0.1, FLOAT64))
    engine.params["fc.bias"] = np.nextafter(engine.params["fc.bias"], 9.0)
    rows = check_update(NUMBERS, WIRES, trace, given, before, engine.params, 0.1, FLOAT64)
    assert [row.layer for row in rows if not row.ok] == ["fc.bias"]


def test_sampled_checks_find_what_the_whole_finds() -> None:
    _, given, trace = passed()
    numbers = number(TOPOLOGY)
    rows = check_pass(numbers, None, trace, given, FLOAT64, np.random.default_rng(0))
    assert all(row.ok for row in rows)
    assert {row.layer for row in rows} >= {"input", "conv", "pool", "mean", "fc", "conv.weight", "fc.bias", "drop"}
    arrays = {name: array * (1 + 1e-9) for name, array in trace.delta.items()}
    wrong = replace(trace, delta=Values(NUMBERS.layout, {**arrays, "fc": trace.delta["fc"]}))
    rows = check_pass(numbers, None, wrong, given, FLOAT64, np.random.default_rng(0))
    assert {row.layer for row in rows if not row.ok and row.quantity == "delta"} == {"mean"}


# -- finite differences -----------------------------------------------------------------------------------------------
class Wrong:
    """An engine whose gradients or input δ are off by a thousandth."""

    def __init__(self, engine: ReferenceEngine, what: str) -> None:
        self._engine, self._what, self.params = engine, what, engine.params

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._engine.forward(*args, **kwargs)

    def backprop(self, *args: Any, **kwargs: Any) -> Trace:
        trace = self._engine.backprop(*args, **kwargs)
        if self._what == "gradient":
            return replace(trace, gradient={name: array * 1.001 for name, array in trace.gradient.items()})
        return replace(trace, delta=Values(trace.layout, {name: array * 1.001 for name, array in trace.delta.items()}))


@pytest.mark.parametrize("by_upstream", [False, True])
def test_differences_accept_the_textbook_and_refuse_wrong_slopes(by_upstream: bool) -> None:
    engine, given, _ = passed()
    if by_upstream:
        g = draws.upstream(engine.layout, np.random.default_rng(5), 2)
        given = replace(given, targets=None, upstream=g, reduction="sum")
    rows = check_differences(engine, given, np.random.default_rng(1), "textbook")
    assert {row.layer for row in rows} == {"conv.weight", "conv.bias", "fc.weight", "fc.bias", "input"}
    assert all(row.ok for row in rows)
    for what, layers in (("gradient", {"conv.weight", "conv.bias", "fc.weight", "fc.bias"}), ("delta", {"input"})):
        rows = check_differences(Wrong(engine, what), given, np.random.default_rng(1), "wrong")
        assert {row.layer for row in rows if not row.ok} == layers


def test_differences_put_the_parameters_back() -> None:
    engine, given, _ = passed()
    before = dict(engine.params)
    check_differences(engine, given, np.random.default_rng(1), "textbook")
    assert all(np.array_equal(before[name], engine.params[name]) for name in before)


# -- integers ---------------------------------------------------------------------------------------------------------
def test_grain_is_the_lowest_bit() -> None:
    assert grain(np.array([1.0, 3.5, -96.0, 2.0**-1074, 0.0])).tolist() == [1.0, 0.5, 32.0, 2.0**-1074, np.inf]


def test_sums_know_their_size_and_grain_without_rounding_products() -> None:
    terms = Sum(np.array([[3.0], [2.0**30 + 1], [5.0]]), np.array([[0.5], [2.0**30 + 1], [-4.0]]))
    size, finest = terms.per_group(np.array([0, 1, 0]), 3)
    assert finest[:, 0].tolist() == [0.5, 1.0, np.inf]
    assert size[0, 0] == 21.5
    assert size[1, 0] / finest[1, 0] > 2.0**53


def test_draws_that_do_not_fit_are_rejected() -> None:
    twin, _ = twin_of(GRAPH)
    numbers = number(twin)
    engine, wires = ReferenceEngine(twin, ng.initialise(twin)), every_wire(numbers)  # type: ignore[arg-type]
    large = (draws.Scale(2**12, 1000, 2**12),)
    random = np.random.default_rng(0)
    assert draw(engine, numbers, wires, "float32", 2, random, large) is None
    assert draw(engine, numbers, wires, "float64", 2, random, (draws.SCALES[-1],)) is not None


def test_twin_replaces_what_leaves_the_integers_and_says_so() -> None:
    for network in (TOPOLOGY, GRAPH):
        twin, replaced = twin_of(network)
        graph = build(twin) if isinstance(twin, ng.Topology) else twin
        assert {activation for _, activation in graph.nodes(data="activation")} == {"identity", "relu"}
        assert graph.nodes["mean", 0, 0, 0]["divisor"] == 8.0
        assert graph.dropouts == {"drop": 0.5}
        assert replaced == [
            "tanh by relu",
            "the divisor 9 by 8",
            "softmax by identity",
            "the loss cross_entropy by half the sum of squares",
            "keep 0.8 of drop by 0.5",
        ]
        assert list(graph.edges) == list(GRAPH.edges)


@pytest.mark.parametrize("what", ["z", "a", "delta", "gradient", "weights"])
def test_one_wrong_integer_is_found(what: str) -> None:
    twin, _ = twin_of(GRAPH)
    numbers = number(twin)
    engine = ReferenceEngine(twin, ng.initialise(twin))  # type: ignore[arg-type]
    drawn = draw(engine, numbers, every_wire(numbers), "float64", 2, np.random.default_rng(0))
    assert drawn is not None
    assert all(row.ok for row in compare(drawn, lambda params: textbook(twin, "float64", params)))
    expected = drawn.expected
    if what == "weights":
        wrong = replace(drawn, after={**drawn.after, "fc.bias": drawn.after["fc.bias"] + 1})
        layer = "fc.bias"
    elif what == "gradient":
        gradient = {**expected.gradient, "fc.bias": expected.gradient["fc.bias"] + [0, 2, 0]}
        wrong, layer = replace(drawn, expected=replace(expected, gradient=gradient)), "fc.bias"
    else:
        values = changed(getattr(expected, what), "pool", (1, 0, 1, 2), 1.0)
        wrong, layer = replace(drawn, expected=replace(expected, **{what: values})), "pool"
    found = [row for row in compare(wrong, lambda params: textbook(twin, "float64", params)) if not row.ok]
    assert [(row.layer, row.quantity) for row in found] == [(layer, what)]
    assert found[0].worst in (1.0, 2.0)


# -- verify -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def without_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "bound_program", textbook)


@pytest.mark.usefixtures("without_compiler")
@pytest.mark.parametrize("network", [ng.load(SPEC), TOPOLOGY, GRAPH], ids=["spec", "topology", "graph"])
def test_verify_takes_specs_topologies_and_graphs(network: Any) -> None:
    report = ng.verify(network, samples=2, dtypes=("float64",))
    assert report.ok
    assert report.worst is not None
    assert 0 < report.worst.worst <= 1
    assert {row.part for row in report.rows} == {"integer", "float64", "differences"}
    assert {layer for layer, _ in report.table()} == {"input", "conv", "pool", "drop", "mean", "fc", "loss"}
    assert report.notes[0].startswith("Integers ran on the integer twin: the same wiring, with tanh by relu, ")


@pytest.mark.usefixtures("without_compiler")
def test_verify_samples_what_is_too_large_to_write_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "WHOLE", 100)
    report = ng.verify(TOPOLOGY, samples=2, dtypes=("float64",))
    assert report.ok
    assert {row.part for row in report.rows} == {"float64"}
    assert "edges are too many to write out (limit 100)" in report.notes[0]
    assert "all_sorts: the program agrees with itself on " in str(report)


def test_verify_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(network: Any, dtype: str, params: Parameters, threads: int | None = None) -> Any:
        shifted = params.copy()
        engine = textbook(network, dtype, shifted)
        shifted["fc.bias"] = shifted["fc.bias"] + 1
        return engine

    monkeypatch.setattr(run, "bound_program", wrong)
    report = ng.verify(GRAPH, samples=2, dtypes=("float64",))
    assert not report.ok
    assert report.worst in report.failures
    assert "all_sorts: the engines DISAGREE." in str(report)
    assert ("fc", "z") in {(row.layer, row.quantity) for row in report.failures if row.part == "integer"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samples": 0}, "samples: found 0; it is an integer of at least 1."),
        ({"samples": True}, "samples: found True; it is an integer of at least 1."),
        ({"dtypes": ("float16",)}, "dtypes: found ['float16']; known are float64, float32."),
        ({"dtypes": ()}, "dtypes: found (); known are float64, float32."),
    ],
)
def test_verify_refuses_wrong_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        ng.verify(GRAPH, **arguments)
    assert str(caught.value) == message


def test_an_empty_report_proves_nothing() -> None:
    assert not Report("nothing").ok
    assert Report("nothing").worst is None


def test_report_prints_a_line_per_layer_and_the_worst_first() -> None:
    rows = [
        Row("h", "z", "integer", 0.0, checked=4),
        Row("h", "a", "float32", 0.25, "h[1], sample 0", 4),
        Row("h.weight", "gradient", "float32", 3.0, "h.weight[0,1]", 2),
        Row("o", "delta", "float32", 7.0, "o[0], sample 1", 2, "textbook"),
    ]
    report = Report("tiny", rows, ["A note."])
    assert str(report).splitlines() == [
        "layer  integer  float32",
        "-----------------------",
        "h            0        3",
        "o                     7",
        "",
        "tiny: the engines DISAGREE.",
        "textbook, float32: delta of o at o[0], sample 1, units of the bound: 7",
        "program, float32: gradient of h.weight at h.weight[0,1], units of the bound: 3",
        "A note.",
    ]
    assert report.as_dict()["ok"] is False
    assert report.as_dict()["rows"][2]["where"] == "h.weight[0,1]"
