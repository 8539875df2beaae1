"""A trace never changes, though a program lends it its own memory: whatever the program does next, it is copied before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from written import toml

import neurograph as ng
from neurograph.trace import Borrowed, Trace, glance, number_in

X, Y = np.linspace(0, 1, 2 * 36).reshape(2, 1, 6, 6), np.array([0, 2])


def program(dtype: str = "float32") -> ng.compiler.program.Program:
    layers = [
        {"kind": "conv", "name": "c", "filters": 3, "kernel": 3, "activation": "relu"},
        {"kind": "dense", "name": "out", "units": 3},
    ]
    topology = ng.lay_out(ng.load(toml([1, 6, 6], layers, {"kind": "cross_entropy"})))
    return ng.compile(topology, ng.initialise(topology, seed=0), dtype=dtype)


def numbers(trace: Trace) -> dict[str, bytes]:
    """Everything that a trace borrows, as bytes; nothing of it is taken (and so copied) in the trace itself."""
    arrays = {("weights", name): glance(trace.weights, name) for name in trace.weights}
    arrays |= {("gradient", name): glance(trace.gradient, name) for name in trace.gradient}
    return {"/".join(key): array.tobytes() for key, array in arrays.items()}


def another_pass(run: ng.compiler.program.Program) -> None:
    run.backprop(X[:1] * 3, Y[:1])


def one_step(run: ng.compiler.program.Program) -> None:
    run.train_step(X, Y, ng.SGD(learning_rate=0.5))


def one_adam_step(run: ng.compiler.program.Program) -> None:
    run.train_step(X, Y, ng.Adam(learning_rate=0.5))


def single_steps(run: ng.compiler.program.Program) -> None:
    run.train_steps(X, Y, ng.SGD(learning_rate=0.5))
    run.train_step(X[:1], Y[:1], ng.SGD(learning_rate=0.5))


def other_weights(run: ng.compiler.program.Program) -> None:
    run.params["c.weight"] = np.ones((3, 1, 3, 3))
    run.forward(X)


@pytest.mark.parametrize("then", [another_pass, one_step, one_adam_step, single_steps, other_weights])
def test_a_trace_stays_as_it_was_whatever_its_program_does_next(
    then: Callable[[ng.compiler.program.Program], None],
) -> None:
    run = program()
    trace = run.backprop(X, Y)
    before = numbers(trace)
    then(run)
    assert numbers(trace) == before
    assert numbers(run.backprop(X, Y)) != before or then is another_pass


def test_weights_that_nobody_changed_are_shared_between_traces() -> None:
    run = program()
    first, second = run.backprop(X, Y), run.backprop(2 * X, Y)
    assert first.weights is second.weights
    run.params["out.bias"] = np.ones(3)
    assert run.backprop(X, Y).weights is not second.weights
    assert second.weights["out.bias"].tolist() == [0, 0, 0]


def test_reading_one_number_copies_nothing() -> None:
    trace = program().backprop(X, Y)
    assert isinstance(trace.gradient, Borrowed)
    name = "c.weight"
    assert number_in(trace.gradient, (name, 4)) == trace.gradient[name].reshape(-1)[4]
    memory = glance(trace.weights, name)
    assert number_in(trace.weights, (name, 4)) == memory.reshape(-1)[4]
    assert glance(trace.weights, name) is memory
    assert trace.weights[name] is not memory
    assert trace.weights[name] is trace.weights[name]


def test_an_array_that_was_taken_belongs_to_whoever_took_it() -> None:
    run = program()
    trace = run.backprop(X, Y)
    trace.gradient["c.weight"][...] = 7.0
    again = run.backprop(X, Y)
    assert again.loss == trace.loss
    assert not (again.gradient["c.weight"] == 7.0).any()


def test_weights_that_traces_share_cannot_be_changed_through_one_of_them() -> None:
    taken = program().backprop(X, Y).weights["c.weight"]
    with pytest.raises(ValueError, match="read-only"):
        taken[...] = 7.0


def test_cards_copy_none_of_a_programs_weights() -> None:
    inspector = ng.Inspector(program(), X, Y)
    trace = inspector.trace
    standing = {name: (glance(trace.weights, name), glance(trace.gradient, name)) for name in trace.gradient}
    inspector.neuron("c[1,2,2]").text()
    inspector.weight("c.weight[1,0,0,2]", ng.Adam()).text()
    inspector.weight("out.bias[1]", ng.SGD()).text()
    inspector.layer("c[1]").text()
    inspector.layer("out").text()
    inspector.loss().text()
    inspector.paths("out[1]", "input[0,3,3]").text()
    for name, (weights, gradient) in standing.items():
        assert glance(trace.weights, name) is weights
        assert glance(trace.gradient, name) is gradient
