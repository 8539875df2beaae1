"""Optimisers against their formulas written out, and against PyTorch where it is installed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from textbook_rows import ROWS
from torch_steps import CASES, RATES, by_torch, gradients, kept, start
from written import drawn, graph_of

import neurograph as ng
from neurograph.compiler.roles import bias_names
from neurograph.errors import RunError, UsageError
from neurograph.graph.roles import biases_of
from neurograph.spec.update import HYPERPARAMETERS, OptimizerWord
from neurograph.training import SGD, Adam
from neurograph.training.optimizers import OPTIMIZERS, Optimizer, Penalty, choose

EACH = [
    lambda: SGD(0.1),
    lambda: SGD(0.1, 0.9),
    lambda: SGD(0.1, 0.9, "classical"),
    lambda: SGD(0.1, 0.9, nesterov=True),
    lambda: SGD(0.1, 0.9, "classical", nesterov=True),
    lambda: ng.AdaGrad(0.1),
    lambda: ng.RMSProp(0.01),
    lambda: ng.RMSProp(0.01, momentum=0.9),
    lambda: Adam(0.1),
    lambda: ng.AdamW(0.1),
    lambda: Adam(0.1, l1=0.1, l2=0.1, n_samples=3, clip_norm=0.5),
]


def trajectory(
    optimizer: Optimizer, gradients: list[float], start: float = 1.0, dtype: type = np.float64
) -> list[float]:
    w = np.array(start, dtype=dtype)
    seen = []
    for g in gradients:
        optimizer.step({"w": w}, {"w": np.array(g, dtype=dtype)})
        seen.append(float(w))
    return seen


def test_plain_gradient_descent() -> None:
    assert trajectory(SGD(0.5), [1.0, -2.0, 4.0]) == [0.5, 1.5, -0.5]


def test_momentum_in_pytorchs_form() -> None:
    """Velocity by hand: v = 1, 0.5·1 − 2 = −1.5, 0.5·−1.5 + 4 = 3.25."""
    assert trajectory(SGD(0.5, momentum=0.5), [1.0, -2.0, 4.0]) == [0.5, 1.25, -0.375]


def test_momentum_in_the_classical_form_keeps_the_old_rate() -> None:
    """With the rate halved after the first step: v = −0.5, then 0.5·−0.5 − 0.25·1 = −0.5."""
    optimizer = SGD(0.5, momentum=0.5, form="classical")
    w = np.array([1.0])
    optimizer.step({"w": w}, {"w": np.array([1.0])})
    optimizer.scale = 0.5
    optimizer.step({"w": w}, {"w": np.array([1.0])})
    assert w.tolist() == [0.0]


def test_both_forms_agree_at_a_constant_rate() -> None:
    gradients = [1.0, -2.0, 4.0, 0.5]
    classical = trajectory(SGD(0.25, 0.5, "classical"), gradients)
    assert classical == trajectory(SGD(0.25, 0.5, "pytorch"), gradients)


def test_adam_follows_its_formula() -> None:
    gradients, m, v, w, expected = [0.3, -1.2, 0.7, 0.01], 0.0, 0.0, 1.0, []
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= 0.05 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        expected.append(w)
    np.testing.assert_allclose(trajectory(Adam(0.05), gradients), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("optimizer", [make() for make in EACH], ids=repr)
def test_arrays_are_updated_in_place_in_their_dtype(optimizer: Optimizer, shape: tuple[int, ...], dtype: type) -> None:
    optimizer.load_state({})
    w, g = np.ones(shape, dtype), np.full(shape, 2.0, dtype)
    same = w
    optimizer.step({"w": w}, {"w": g})
    optimizer.step({"w": w}, {"w": g})
    assert same is w
    assert w.dtype == dtype
    assert (w < 1).all()
    assert (g == 2).all()
    for key, array in optimizer.state().items():
        assert array.dtype == (np.int64 if key.startswith("steps/") else dtype)


def test_each_parameter_has_a_state_of_its_own() -> None:
    optimizer = SGD(1.0, momentum=0.5)
    a, b = np.zeros(2), np.zeros(3)
    optimizer.step({"a": a, "b": b}, {"a": np.ones(2), "b": np.full(3, 2.0)})
    state = optimizer.state()
    assert {key: array.tolist() for key, array in state.items()} == {"velocity/a": [1, 1], "velocity/b": [2, 2, 2]}
    state["velocity/a"][:] = 100
    assert optimizer.state()["velocity/a"].tolist() == [1, 1]


@pytest.mark.parametrize("make", EACH)
def test_a_loaded_state_goes_on_to_the_same_bits(make) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(2)
    gradients = rng.normal(size=(6, 5)).astype(np.float32)
    whole, w = make(), np.ones(5, np.float32)
    for g in gradients:
        whole.step({"w": w}, {"w": g})
    first, second, v = make(), make(), np.ones(5, np.float32)
    for g in gradients[:3]:
        first.step({"w": v}, {"w": g})
    second.load_state(first.state())
    for g in gradients[3:]:
        second.step({"w": v}, {"w": g})
    assert w.tobytes() == v.tobytes()


def test_a_foreign_state_is_refused() -> None:
    with pytest.raises(RunError) as caught:
        SGD(0.1).load_state({"mean/w": np.zeros(1)})
    assert str(caught.value) == "optimizer state 'mean/w' is not of SGD, which remembers velocity."


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(0), "learning_rate: found 0; expected a finite number above 0."),
        (lambda: SGD(float("nan")), "learning_rate: found nan; expected a finite number above 0."),
        (lambda: SGD(True), "learning_rate: found True; expected a finite number above 0."),
        (lambda: SGD("0.1"), "learning_rate: found '0.1'; expected a finite number above 0."),
        (lambda: SGD(0.1, momentum=1), "momentum: found 1; expected a number of at least 0 and below 1."),
        (
            lambda: SGD(0.1, form="torch"),
            "SGD: unknown form 'torch'; did you mean 'pytorch'? (known: pytorch, classical)",
        ),
        (lambda: Adam(beta2=-0.1), "beta2: found -0.1; expected a number of at least 0 and below 1."),
        (lambda: Adam(epsilon=0), "epsilon: found 0; expected a finite number above 0."),
        (
            lambda: SGD(nesterov=True),
            "SGD: nesterov looks ahead along the momentum, which is 0; give momentum, such as 0.9.",
        ),
        (lambda: ng.RMSProp(rho=1), "rho: found 1; expected a number of at least 0 and below 1."),
        (lambda: ng.AdaGrad(epsilon=-1), "epsilon: found -1; expected a finite number above 0."),
        (lambda: SGD(l1=-1), "l1: found -1; expected a finite number of at least 0."),
        (lambda: SGD(l2="1"), "l2: found '1'; expected a finite number of at least 0."),
        (
            lambda: ng.AdamW(weight_decay=float("inf")),
            "weight_decay: found inf; expected a finite number of at least 0.",
        ),
        (lambda: SGD(clip_norm=0), "clip_norm: found 0; expected a finite number above 0."),
        (lambda: SGD(n_samples=0), "n_samples: found 0; expected a whole number of at least 1."),
        (
            lambda: SGD(clip_norm=1, clip_value=1),
            "clip_norm and clip_value: found both; a gradient is clipped by one of them. Leave one out.",
        ),
        (
            lambda: choose("adm"),
            "unknown optimizer 'adm'; did you mean 'adam'? (known: gd, sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw)",
        ),
    ],
)
def test_wrong_hyperparameters_are_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value) == message


# -- against PyTorch --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("case", CASES)
def test_a_hundred_steps_are_pytorchs(case: str) -> None:
    """To nine digits and more, against numbers that PyTorch computed once."""
    kind, options, _ = CASES[case]
    optimizer, values = getattr(ng, kind)(RATES[kind], **options), start()
    optimizer.spare(frozenset({"b"}))
    expected = kept()[case]
    for step, g in enumerate(gradients(), 1):
        optimizer.step(values, g)
        for name, value in expected.get(str(step), {}).items():
            np.testing.assert_allclose(values[name], value, rtol=1e-9, atol=1e-12, err_msg=f"{name}, step {step}")
    assert str(step) in expected


@pytest.mark.parametrize("case", CASES)
def test_the_numbers_kept_are_todays_pytorchs(case: str) -> None:
    pytest.importorskip("torch")
    for step, values in by_torch(case).items():
        for name, value in values.items():
            np.testing.assert_allclose(value, kept()[case][step][name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("ours", [ng.SGD, ng.AdaGrad, ng.RMSProp, ng.Adam, ng.AdamW])
def test_defaults_are_pytorchs(ours: type[Optimizer]) -> None:
    """All but the rate of SGD, which PyTorch has at 0.001 and we at 0.1."""
    torch = pytest.importorskip("torch")
    theirs = {"AdaGrad": "Adagrad", "RMSProp": "RMSprop"}.get(ours.__name__, ours.__name__)
    known = getattr(torch.optim, theirs)([torch.zeros(1)]).param_groups[0]
    beta1, beta2 = known.get("betas", (None, None))
    names = {"learning_rate": "lr", "epsilon": "eps", "rho": "alpha"}
    for key, value in ours().options.items():
        if key in ("form", "l1", "l2", "n_samples", "clip_norm", "clip_value") or (key, theirs) == (
            "learning_rate",
            "SGD",
        ):
            continue
        assert value == {"beta1": beta1, "beta2": beta2}.get(key, known.get(names.get(key, key))), key


# -- penalties and clipping -------------------------------------------------------------------------------------------
def test_penalties_are_the_lectures_to_the_last_digit() -> None:
    row = ROWS["s2.l1_l2"]
    w = {"w": np.array(row["w"])}
    l1, l2 = Penalty(l1=row["lam"], m=row["m"]), Penalty(l2=row["lam"], m=row["m"])
    assert (l1.loss(w), l2.loss(w)) == (row["expected_l1"], row["expected_l2"])
    assert l1.gradient(w["w"]).tolist() == row["expected_grad_l1"]
    assert l2.gradient(w["w"]).tolist() == row["expected_grad_l2"]


def test_penalties_are_the_slopes_of_what_they_add_to_the_loss() -> None:
    penalty, w, h = Penalty(l1=0.3, l2=0.2, m=4), np.random.default_rng(0).normal(size=5), 1e-6
    for i in range(5):
        up, down = w.copy(), w.copy()
        up[i], down[i] = w[i] + h, w[i] - h
        slope = (penalty.loss({"w": up}) - penalty.loss({"w": down})) / (2 * h)
        assert penalty.gradient(w)[i] == pytest.approx(slope, rel=1e-8)


def test_a_shared_weight_counts_once() -> None:
    """Nine weights of a filter, used 324 times: nine terms; the biases none."""
    engine = ng.ReferenceEngine(ng.build(ng.lay_out(ng.load("four"))), ng.initialise(ng.lay_out(ng.load("four"))))
    optimizer = ng.SGD(1e-9, l2=0.5, n_samples=2)
    values = {name: np.array(value) for name, value in engine.params.items()}
    expected = sum(0.25 * float(np.square(values[name]).sum()) for name in values if not name.endswith("bias"))
    optimizer.spare(biases_of(engine.graph))
    assert optimizer.penalty_loss(values) == pytest.approx(expected, rel=1e-14)
    assert sum(value.size for name, value in values.items() if name.startswith("conv.w")) == 9


@pytest.mark.parametrize("make", [lambda: ng.SGD(1.0, l1=0.5), lambda: ng.Adam(l2=0.5)])
def test_penalties_without_a_number_of_samples_are_refused(make: Callable[[], Optimizer]) -> None:
    optimizer, w = make(), np.ones(2)
    for ask in (lambda: optimizer.step({"w": w}, {"w": w}), lambda: optimizer.rule(["w"])):
        with pytest.raises(
            UsageError, match=r"need m, the number of training samples. Give n_samples=…, or train with fit"
        ):
            ask()
    assert w.tolist() == [1, 1]
    assert all(count == 0 for count in optimizer.state().values())
    optimizer.train_on(4)
    optimizer.step({"w": w}, {"w": np.ones(2)})
    assert (w < 1).all()


def test_given_samples_win_over_those_that_fit_counts() -> None:
    optimizer = ng.SGD(l2=1.0, n_samples=10)
    optimizer.train_on(1000)
    assert optimizer.penalty.m == 10


def test_fit_counts_the_samples_of_the_penalties() -> None:
    """One step of 6 samples: w − η(g + 2λ/m·w) of the weights, w − η·g of the bias."""
    graph = graph_of([3], [{"kind": "dense", "name": "o", "units": 2}], {"kind": "mse"})
    x, y = np.random.default_rng(0).normal(size=(6, 3)), np.ones((6, 2))
    for make in (lambda p: ng.ReferenceEngine(graph, p), lambda p: ng.compile(graph, p, "float64", 1)):
        params = drawn(graph)
        before, g = {name: np.array(value) for name, value in params.items()}, make(params).backprop(x, y).gradient
        ng.fit(make(params), x, y, 1, 6, ng.SGD(0.5, l2=3.0), validation=(x, y))
        for name, keep in (("o.weight", 1.0), ("o.bias", 0.0)):
            expected = before[name] - 0.5 * (g[name] + keep * before[name])
            np.testing.assert_allclose(params[name], expected, rtol=1e-12, atol=1e-14)


def test_a_plan_that_comes_without_its_network_knows_its_biases() -> None:
    for layers in (
        [{"kind": "conv", "filters": 2, "kernel": 2}, {"kind": "dense", "units": 2}],
        [{"kind": "dense", "units": 2}],
    ):
        graph = graph_of([1, 3, 3], layers, {"kind": "mse"})
        assert bias_names(ng.plan(graph), None) == biases_of(graph) != frozenset()
    by_hand = ng.load("mazur")
    assert bias_names(ng.plan(ng.lay_out(by_hand)), None) == biases_of(ng.lay_out(by_hand)) == {"b1", "b2"}


@pytest.mark.parametrize("length", [0.5, 5.0, 50.0])
def test_gradients_are_shortened_together(length: float) -> None:
    a, b = np.zeros(2), np.zeros(1)
    optimizer = SGD(1.0, clip_norm=length)
    optimizer.step({"a": a, "b": b}, {"a": np.array([3.0, 0.0]), "b": np.array([4.0])})
    assert np.sqrt((a**2).sum() + (b**2).sum()) == pytest.approx(min(length, 5.0), rel=1e-6)
    assert b[0] / a[0] == pytest.approx(4 / 3)


def test_values_are_clipped_behind_the_penalty() -> None:
    w = np.array([1.0, -1.0, 0.0])
    SGD(1.0, clip_value=0.75, l2=0.5, n_samples=1).step({"w": w}, {"w": np.array([0.0, 0.5, np.nan])})
    assert w[:2].tolist() == [0.25, -0.5]
    assert np.isnan(w[2])


def test_decay_is_apart_from_momentum() -> None:
    """Two steps without a gradient: (1 − 0.5·0.5)² of the weight is left, and nothing is remembered; the bias stays."""
    w, b, optimizer = np.array([1.0]), np.array([1.0]), SGD(0.5, momentum=0.5, weight_decay=0.5)
    optimizer.spare(frozenset({"b"}))
    for _ in range(2):
        optimizer.step({"w": w, "b": b}, {"w": np.zeros(1), "b": np.zeros(1)})
    assert (w[0], b[0], optimizer.state()["velocity/w"][0]) == (0.5625, 1.0, 0.0)
    optimizer.scale = 0.5
    optimizer.step({"w": w}, {"w": np.zeros(1)})
    assert w[0] == 0.5625 * (1 - 0.25 * 0.5)


# -- by their words -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("word", "given", "shown"),
    [
        ("gd", {"learning_rate": 0.5}, "SGD(learning_rate=0.5)"),
        ("sgd", {"momentum": 0.5}, "SGD(learning_rate=0.1, momentum=0.5)"),
        ("momentum", {}, "SGD(learning_rate=0.01, momentum=0.9)"),
        ("nesterov", {"l2": 0.5}, "SGD(learning_rate=0.01, momentum=0.9, nesterov=True, l2=0.5)"),
        ("adagrad", {"epsilon": 1e-6}, "AdaGrad(learning_rate=0.01, epsilon=1e-06)"),
        ("rmsprop", {"rho": 0.9}, "RMSProp(learning_rate=0.01, rho=0.9)"),
        ("adam", {"beta1": 0.5, "clip_norm": 1}, "Adam(learning_rate=0.001, beta1=0.5, clip_norm=1.0)"),
        ("adamw", {"weight_decay": None}, "AdamW(learning_rate=0.001)"),
        ("adamw", {"weight_decay": 0.1}, "AdamW(learning_rate=0.001, weight_decay=0.1)"),
    ],
)
def test_optimizers_have_words(word: str, given: dict[str, Any], shown: str) -> None:
    assert repr(choose(word, **given)) == shown
    assert set(OPTIMIZERS) == set(HYPERPARAMETERS) == set(get_args(OptimizerWord))


@pytest.mark.parametrize(
    "optimizer", [kind(0.5, l1=0.1, n_samples=3) for kind in (SGD, ng.AdaGrad, ng.RMSProp, Adam)], ids=repr
)
def test_what_is_shown_makes_the_same_optimizer_again(optimizer: Optimizer) -> None:
    assert eval(repr(optimizer), vars(ng) | {kind: getattr(ng, kind) for kind in RATES}).options == optimizer.options
