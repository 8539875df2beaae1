"""Compiled updates are bit for bit the optimisers' own, and share what they remember."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from written import drawn, graph_of, toml

import neurograph as ng
from neurograph.errors import TrainingError, UsageError
from neurograph.kernels.contract import LONGEST
from neurograph.kernels.jit import COMPILED
from neurograph.kernels.update import STRETCH

LAYERS = [
    {"kind": "conv", "name": "c", "filters": 3, "kernel": 3, "activation": "relu"},
    {"kind": "dense", "name": "h", "units": 20, "activation": "tanh"},
    {"kind": "dense", "name": "o", "units": 3},
]
ALL = {"l1": 0.3, "l2": 0.2, "n_samples": 7, "weight_decay": 0.3, "clip_value": 0.05}
OPTIMIZERS = [
    pytest.param(lambda: ng.SGD(0.1), id="sgd"),
    pytest.param(lambda: ng.SGD(0.1, momentum=0.9), id="momentum"),
    pytest.param(lambda: ng.SGD(0.1, momentum=0.9, form="classical"), id="classical"),
    pytest.param(lambda: ng.SGD(0.1, momentum=0.9, nesterov=True), id="nesterov"),
    pytest.param(lambda: ng.SGD(0.1, 0.9, "classical", nesterov=True), id="classical-nesterov"),
    pytest.param(lambda: ng.AdaGrad(0.1), id="adagrad"),
    pytest.param(lambda: ng.RMSProp(0.01), id="rmsprop"),
    pytest.param(lambda: ng.RMSProp(0.01, momentum=0.9), id="rmsprop-momentum"),
    pytest.param(lambda: ng.Adam(0.01), id="adam"),
    pytest.param(lambda: ng.AdamW(0.01), id="adamw"),
    pytest.param(lambda: ng.SGD(0.1, l1=0.3, n_samples=7), id="l1"),
    pytest.param(lambda: ng.SGD(0.1, momentum=0.9, l2=0.2, n_samples=7), id="l2"),
    pytest.param(lambda: ng.SGD(0.1, momentum=0.9, weight_decay=0.3), id="decay"),
    pytest.param(lambda: ng.SGD(0.1, clip_value=0.05), id="clip_value"),
    pytest.param(lambda: ng.SGD(0.1, momentum=0.9, clip_norm=0.2, l2=0.2, n_samples=7), id="clip_norm"),
    pytest.param(lambda: ng.SGD(0.1, momentum=0.9, nesterov=True, **ALL), id="nesterov-all"),
    pytest.param(lambda: ng.RMSProp(0.01, **ALL), id="rmsprop-all"),
    pytest.param(lambda: ng.Adam(0.01, **ALL), id="adam-all"),
][:: 1 if COMPILED else 3]
"""Without the JIT a third of them."""


singles_only = pytest.mark.skipif(not COMPILED, reason="plain Python takes single steps")


class Plain:
    """An optimiser whose compiled twin nobody finds."""

    def __init__(self, optimizer: Any) -> None:
        self.inner = optimizer

    def step(self, values: Mapping[str, Any], gradients: Mapping[str, Any]) -> None:
        self.inner.step(values, gradients)

    def spare(self, biases: frozenset[str]) -> None:
        self.inner.spare(biases)


def program(dtype: str, innermost: str = "channels", threads: int = 1) -> Any:
    graph = graph_of([1, 5, 5], LAYERS, {"kind": "cross_entropy"})
    return ng.compile(graph, drawn(graph), dtype, threads, innermost=innermost)


def batch(seed: int, n: int = 40) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    return random.standard_normal((n, 1, 5, 5)), random.integers(0, 3, n)


def same(a: Mapping[str, Any], b: Mapping[str, Any]) -> None:
    assert set(a) == set(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_updates_are_the_optimizers_bit_for_bit(make: Any, dtype: str) -> None:
    ours, theirs = program(dtype, "samples"), program(dtype, "samples")
    fast, slow = make(), make()
    for step in range(6):
        fast.scale = slow.scale = 1.0 - step / 8
        if step == 3:
            for engine in (ours, theirs):
                engine.params.set_trainable("c.bias", False)
        x, y = batch(step, n=40 if step else 3)
        assert ours.train_step(x, y, fast) == theirs.train_step(x, y, Plain(slow))
        same(ours.params, theirs.params)
    same(fast.state(), slow.state())


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("n", [1, 2, 33])
def test_dense_weights_changed_without_a_gradient_in_memory_are_the_optimizers_too(make: Any, n: int) -> None:
    """Their gradient is summed over all samples at once, so only the order of the sum differs."""
    ours, theirs = program("float64"), program("float64")
    fast, slow = make(), make()
    for step in range(4):
        x, y = batch(step, n)
        assert ours.train_step(x, y, fast) == pytest.approx(theirs.train_step(x, y, Plain(slow)), rel=1e-12)
        for name in theirs.params:
            np.testing.assert_allclose(ours.params[name], theirs.params[name], rtol=1e-12, atol=1e-13, err_msg=name)
    for name, value in slow.state().items():
        np.testing.assert_allclose(fast.state()[name], value, rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_a_layer_wider_than_all_room_for_lanes_is_changed_by_single_samples(momentum: float) -> None:
    layers = [
        {"kind": "dense", "name": "wide", "units": LONGEST + 300, "activation": "relu"},
        {"kind": "dense", "name": "o", "units": 2},
    ]
    network = ng.lay_out(ng.load(toml([2], layers, {"kind": "cross_entropy"})))
    trained = []
    for made in (ng.SGD(0.1, momentum=momentum), Plain(ng.SGD(0.1, momentum=momentum))):
        program = ng.compile(network, ng.initialise(network, 0), dtype="float64", innermost="channels")
        for target in (0, 1):
            program.train_step(np.ones((1, 2)), np.array([target]), made)
        trained.append(program.params)
    for name, value in trained[1].items():
        np.testing.assert_allclose(trained[0][name], value, rtol=1e-12, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_state_may_be_saved_and_loaded_between_steps(make: Any) -> None:
    straight, resumed = program("float32"), program("float32")
    first, second = make(), make()
    for step in range(4):
        straight.train_step(*batch(step), first)
    for step in range(2):
        resumed.train_step(*batch(step), second)
    third = make()
    third.load_state(second.state())
    for step in range(2, 4):
        resumed.train_step(*batch(step), third)
    same(straight.params, resumed.params)
    same(first.state(), third.state())


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_one_optimizer_may_serve_two_programs_in_turn(make: Any) -> None:
    graph = graph_of([1, 5, 5], LAYERS, {"kind": "cross_entropy"})
    params = drawn(graph)
    pair = [ng.compile(graph, params, "float64", 1, innermost="channels") for _ in range(2)]
    alone = program("float64")
    shared, own = make(), make()
    for step in range(4):
        pair[step % 2].train_step(*batch(step), shared)
        alone.train_step(*batch(step), own)
    same(params, alone.params)


def test_weights_thawed_later_start_their_own_count_in_adam() -> None:
    ours, theirs = program("float64"), program("float64")
    fast, slow = ng.Adam(0.01), ng.Adam(0.01)
    for step in range(4):
        for engine in (ours, theirs):
            engine.params.set_trainable("c.bias", step >= 2)
        ours.train_step(*batch(step), fast)
        theirs.train_step(*batch(step), Plain(slow))
        same(ours.params, theirs.params)
    same(fast.state(), slow.state())


@singles_only
@pytest.mark.parametrize(
    ("size", "threads", "innermost"), [(1, 1, "channels"), (3, 1, "channels"), (18, 2, "channels"), (33, 2, "samples")]
)
@pytest.mark.parametrize("make", OPTIMIZERS)
def test_steps_in_one_call_are_those_taken_one_by_one(make: Any, size: int, threads: int, innermost: str) -> None:
    one_by_one, in_turn = (program("float64", innermost, threads) for _ in range(2))
    first, second = make(), make()
    x, y = batch(3, 4 * size)
    parts = [slice(i, i + size) for i in range(0, len(x), size)]
    before = [one_by_one.train_step(x[part], y[part], first) for part in parts[:1]]
    rest = [one_by_one.train_step(x[part], y[part], first) for part in parts[1:]]
    assert in_turn.train_steps(x[parts[0]], y[parts[0]], second, size) in (None, before)
    losses = in_turn.train_steps(x[size:], y[size:], second, size)
    if losses is None:
        assert not isinstance(second, ng.SGD) or second.clip_norm is not None
        return
    assert losses == rest
    same(dict(one_by_one.params), dict(in_turn.params))
    same(first.state(), second.state())


@singles_only
def test_steps_in_one_call_without_numbas_parallel_region_have_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = batch(3, 4 * 70)
    losses = []
    for patched in (False, True):
        engine = program("float64", "channels", 2)
        if patched:
            monkeypatch.setattr("neurograph.compiler.launching._address_of_parallel_for", lambda: None)
        losses.append(engine.train_steps(x, y, ng.SGD(0.01), 70))
    assert losses[0] == losses[1]
    assert len(losses[0]) == 4


def test_what_cannot_be_taken_in_one_call_says_so() -> None:
    """Rates that change from step to step; and everything without the JIT."""
    x, y = batch(3, 4)
    engine = program("float64")
    before = {name: np.array(value) for name, value in engine.params.items()}
    assert engine.train_steps(x, y, ng.Adam(0.1), 2) is None
    assert COMPILED or engine.train_steps(x, y, ng.SGD(0.1), 2) is None
    same(before, dict(engine.params))


def test_steps_in_one_call_are_of_whole_batches() -> None:
    x, y = batch(3, 10)
    with pytest.raises(UsageError, match="found 10 samples; allowed are whole batches of 4"):
        program("float64").train_steps(x, y, ng.SGD(0.1), 4)
    with pytest.raises(UsageError, match="found batch_size = 0; it must be 1 or more"):
        program("float64").train_steps(x, y, ng.SGD(0.1), 0)


@pytest.mark.parametrize("reduction", ["mean", "sum"] if COMPILED else ["mean"])
@pytest.mark.parametrize(
    ("size", "steps"), [(1, 300), (1, None), (7, None), (7, 40), (64, None)][: 5 if COMPILED else 1]
)
def test_fit_takes_steps_of_many_samples_in_one_call_and_every_step(
    size: int, steps: int | None, reduction: str
) -> None:
    fitted, stepped = program("float64"), program("float64")
    x, y = batch(4, 400)
    told: list[int] = []
    rate = 0.002 if reduction == "mean" else 0.002 / size
    history = ng.fit(
        fitted, x, y, 1, size, ng.SGD(rate, momentum=0.5), seed=2, steps=steps, reduction=reduction,
        on_step=lambda p: told.append(p.step),
    )  # fmt: skip
    optimizer, total = ng.SGD(rate, momentum=0.5), 0.0
    rows = np.random.default_rng([0, 2, 0]).permutation(400)[: steps * size if steps else 400]
    for i in range(0, len(rows), size):
        some = rows[i : i + size]
        loss = stepped.train_step(x[some], y[some], optimizer, reduction)
        total += (loss if reduction == "mean" else loss / len(some)) * len(some)
    same(dict(fitted.params), dict(stepped.params))
    assert history.epochs[-1].loss == total / len(rows)
    assert told[-1] == -(-len(rows) // size)
    assert len(told) < told[-1] or not COMPILED


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_more_weights_than_a_stretch_are_all_updated(make: Any) -> None:
    """A layer of several stretches, whose last one is short."""
    graph = graph_of([50], [{"kind": "dense", "units": 50}], {"kind": "mse"})
    assert STRETCH < 50 * 50
    assert 50 * 50 % STRETCH
    random = np.random.default_rng(0)
    x, t = random.standard_normal((20, 50)), random.standard_normal((20, 50))
    ours, theirs = (ng.compile(graph, drawn(graph), "float64", 2, innermost="samples") for _ in range(2))
    fast, slow = make(), make()
    for _ in range(2):
        assert ours.train_step(x, t, fast) == theirs.train_step(x, t, Plain(slow))
        same(ours.params, theirs.params)


def test_decay_and_penalties_stay_on_the_quick_road() -> None:
    """A weight's step needs no gradient in memory, with all that may come before it; only roots and common lengths do."""
    engine = program("float32")
    names = tuple(engine.params)
    for kind in ({}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}):
        assert engine._updating.ruled(ng.SGD(0.1, **kind, **ALL), names, 1).on_the_spot
    assert not engine._updating.ruled(ng.Adam(0.1, **ALL), names, 1).on_the_spot
    assert engine._updating.ruled(ng.SGD(0.1, clip_norm=1.0), names, 1) is None


@pytest.mark.skipif(not COMPILED, reason="slow without the JIT")
@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_gradients_beyond_the_finite_range_are_told_without_warnings(clip_norm: float | None) -> None:
    topology = ng.lay_out(ng.load("linear"))
    program = ng.compile(topology, ng.initialise(topology, 0), dtype="float32", threads=2)
    x = np.full((64, 1, 28, 28), 1e38)
    with pytest.raises(TrainingError, match="finite"):
        ng.fit(program, x, np.arange(64) % 10, epochs=1, optimizer=ng.SGD(0.1, clip_norm=clip_norm))
