"""A sample or a few at a time: contexts stay set from call to call, and every call in any order gives what it gives alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neurograph as ng

CALLS = [
    "forward 1",
    "forward 3",
    "train 1",
    "forward 1",
    "trace 1",
    "forward 1",
    "evaluate 2",
    "train 1",
    "train 4",
    "train 4",
    "forward 4",
]


def called(program: Any, call: str, x: Any, y: Any, optimizer: Any) -> Any:
    """What one call answers."""
    if call.startswith("forward"):
        return program.forward(x)
    if call.startswith("train"):
        return np.array(program.train_step(x, y, optimizer))
    if call.startswith("trace"):
        trace = program.backprop(x, y)
        return np.concatenate([trace.a[name].reshape(-1) for name in ("input", "out")])
    return np.array(program.evaluate(x, y).loss)


@pytest.mark.parametrize("innermost", ["channels", "samples"])
def test_calls_in_any_order_answer_as_each_alone(innermost: str) -> None:
    spec = 'input = [2, 6, 6]\n[[layer]]\nname = "c"\nkind = "conv"\nfilters = 3\nkernel = 3\nactivation = "relu"\n'
    spec += '[[layer]]\nname = "out"\nkind = "dense"\nunits = 3\n[loss]\nkind = "cross_entropy"'
    topology, random = ng.lay_out(ng.load(spec)), np.random.default_rng(0)
    params = ng.initialise(topology, seed=0)
    many = ng.compile(topology, params, dtype="float64", threads=1, innermost=innermost)
    for number in [*range(len(CALLS)), *random.permutation(2 * len(CALLS))]:
        call = CALLS[number % len(CALLS)]
        size = int(call.split()[1])
        x, y = random.random((size, 2, 6, 6)), random.integers(0, 3, size)
        x.flags.writeable = False
        values = {name: value.copy() for name, value in params.items()}
        alone = ng.compile(topology, ng.Parameters(values), dtype="float64", threads=1, innermost=innermost)
        expected = called(alone, call, x, y, ng.SGD(0.1))
        found = called(many, call, x, y, ng.SGD(0.1))
        np.testing.assert_array_equal(found, expected, err_msg=call)
        for name, value in params.items():
            np.testing.assert_array_equal(value, alone.params[name], err_msg=f"{call}: {name}")


def test_answers_stay_when_the_next_is_asked_for() -> None:
    topology = ng.lay_out(ng.load("xor"))
    program = ng.compile(topology, ng.initialise(topology, seed=0))
    asked = [np.array([[0.0, 1.0]], np.float32), np.array([[1.0, 1.0]], np.float32)] * 2
    answers = [program.forward(x) for x in asked]
    assert (answers[0] == answers[2]).all()
    assert (answers[1] == answers[3]).all()
    assert (answers[0] != answers[1]).any()


def test_again_and_again_other_numbers_other_weights_and_other_kinds_of_arrays() -> None:
    topology, random = ng.lay_out(ng.load("four")), np.random.default_rng(0)
    params = ng.initialise(topology, seed=0)
    program = ng.compile(topology, params, dtype="float64", threads=1)
    name, shape = next(iter(params)), program.layout.inputs[0].shape
    for i in range(12):
        x = random.random((2 if i == 7 else 1, *shape, 2))[..., 0]
        if i % 3 == 1:
            params[name] = params[name] + 1
        if i % 4 == 3:
            x = x.astype(np.float32)
        alone = ng.compile(
            topology, ng.Parameters({n: v.copy() for n, v in params.items()}), dtype="float64", threads=1
        )
        expected = alone.forward(np.array(x.tolist()).reshape(-1, *shape))
        for given in (x, np.asfortranarray(x), x):
            np.testing.assert_array_equal(program.forward(given), expected, err_msg=str(i))
    with pytest.raises(ng.NeurographError, match="needs"):
        program.forward(x.reshape(1, -1))
    with pytest.raises(ng.NeurographError, match="x"):
        program.forward(x.astype(object) * 1j)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, ">i8"])
@pytest.mark.parametrize("wrong", [None, -1, 3])
def test_classes_are_read_in_any_kind_of_integer_and_refused_where_there_is_none(dtype: str, wrong: int | None) -> None:
    spec = ng.load('input = [4]\n[[layer]]\nname = "out"\nkind = "dense"\nunits = 3\n[loss]\nkind = "cross_entropy"')
    topology = ng.lay_out(spec)
    program = ng.compile(topology, ng.initialise(topology, seed=0), dtype="float64", threads=1)
    x, classes = np.ones((6, 4)), [0, 1, 2, 2, 1, 0]
    expected = program.backprop(x, classes).loss
    if wrong is None:
        assert program.backprop(x, np.array(classes, dtype)).loss == expected
    elif wrong != -1 or np.dtype(dtype).kind == "i":
        with pytest.raises(ng.NeurographError, match=str(wrong)):
            program.train_step(x, np.array([*classes[:5], wrong], dtype), ng.SGD(0.1))
