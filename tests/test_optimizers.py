"""Optimisers against their formulas written out, and against PyTorch where it is installed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neurograph.errors import RunError, UsageError
from neurograph.training import SGD, Adam
from neurograph.training.optimizers import Optimizer


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
@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, 0.9), SGD(0.1, 0.9, "classical"), Adam(0.1)], ids=repr)
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


@pytest.mark.parametrize("make", [lambda: SGD(0.1, 0.9), lambda: SGD(0.1, 0.9, "classical"), lambda: Adam(0.1)])
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
    ],
)
def test_wrong_hyperparameters_are_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_pytorch_agrees_over_100_steps(name: str) -> None:
    torch = pytest.importorskip("torch")
    w = np.linspace(-1, 1, 7)
    tensor = torch.tensor(w.copy(), requires_grad=True)
    ours, theirs = {
        "sgd": lambda: (SGD(0.05), torch.optim.SGD([tensor], lr=0.05)),
        "momentum": lambda: (SGD(0.05, momentum=0.9), torch.optim.SGD([tensor], lr=0.05, momentum=0.9)),
        "adam": lambda: (Adam(0.05), torch.optim.Adam([tensor], lr=0.05)),
    }[name]()
    for g in np.random.default_rng(0).normal(size=(100, 7)):
        ours.step({"w": w}, {"w": g})
        tensor.grad = torch.tensor(g)
        theirs.step()
    np.testing.assert_allclose(w, tensor.detach().numpy(), rtol=1e-10)
