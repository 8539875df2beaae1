"""The step that a weight's card shows: what the optimiser would do, which itself stays where it is."""

from __future__ import annotations

from copy import deepcopy
from math import sqrt
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.inspector.step import take_step


def trained(optimizer: Any) -> tuple[Any, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """An optimiser with three steps behind it, the weights it stands at, and the next gradient."""
    random = np.random.default_rng(0)
    weights = {"a": random.normal(size=(3, 4)), "b": random.normal(size=5)}
    for _ in range(3):
        optimizer.step(weights, {name: random.normal(size=value.shape) for name, value in weights.items()})
    return optimizer, weights["a"], random.normal(size=(3, 4))


class Together(ng.SGD):
    """Shortens a gradient to length 1: every weight's step needs all the others."""

    each_weight_alone = False

    def step(self, values: Any, gradients: Any) -> None:
        super().step(values, {name: g / np.linalg.norm(g) for name, g in gradients.items()})


@pytest.mark.parametrize(
    "optimizer",
    [
        ng.SGD(0.2),
        ng.SGD(0.1, momentum=0.9),
        ng.SGD(0.1, momentum=0.9, form="classical"),
        ng.SGD(0.1, momentum=0.9, nesterov=True),
        ng.SGD(0.1, 0.9, "classical", nesterov=True),
        ng.AdaGrad(0.1),
        ng.RMSProp(0.01),
        ng.RMSProp(0.01, momentum=0.9),
        ng.Adam(0.01),
        ng.AdamW(0.01),
        ng.SGD(0.1, l1=0.3, l2=0.2, n_samples=3, weight_decay=0.1, clip_value=0.4),
        ng.Adam(0.1, l1=0.3, l2=0.2, n_samples=3, weight_decay=0.1, clip_value=0.4),
        Together(0.1, momentum=0.5),
    ],
    ids=repr,
)
@pytest.mark.parametrize("index", [0, 7])
def test_the_step_of_one_weight_is_the_optimisers_own(optimizer: Any, index: int) -> None:
    optimizer, weights, gradient = trained(deepcopy(optimizer))
    before = optimizer.state()
    step = take_step(optimizer, "a", weights, gradient, index)
    assert all(np.array_equal(optimizer.state()[key], value) for key, value in before.items())
    assert (step.before, step.gradient) == (weights.flat[index], gradient.flat[index])
    optimizer.step({"a": weights}, {"a": gradient})
    assert step.after == weights.flat[index]
    after = optimizer.state()
    for kind, old, new in step.kept:
        if kind != "steps":
            assert (old, new) == (before[f"{kind}/a"].flat[index], after[f"{kind}/a"].flat[index])


# -- as equations -------------------------------------------------------------------------------------------------------
EXTRAS: list[dict[str, Any]] = [
    {},
    {"l1": 0.3, "l2": 0.2, "n_samples": 4},
    {"weight_decay": 0.5},
    {"clip_value": 0.01},
    {"clip_norm": 0.05},
    {"clip_norm": 50.0, "l2": 0.2, "n_samples": 4, "weight_decay": 0.5},
]
KINDS: list[Any] = [
    lambda **more: ng.SGD(0.2, **more),
    lambda **more: ng.SGD(0.1, momentum=0.9, **more),
    lambda **more: ng.SGD(0.1, momentum=0.9, form="classical", **more),
    lambda **more: ng.SGD(0.1, momentum=0.9, nesterov=True, **more),
    lambda **more: ng.SGD(0.1, 0.9, "classical", nesterov=True, **more),
    lambda **more: ng.AdaGrad(0.1, **more),
    lambda **more: ng.RMSProp(0.01, **more),
    lambda **more: ng.RMSProp(0.01, momentum=0.9, **more),
    lambda **more: ng.Adam(0.01, **more),
    lambda **more: ng.AdamW(0.01, **{"weight_decay": 0.2, **more}),
]


def value_of(side: str) -> float:
    """A side of an equation that has numbers in it, as what it comes to."""
    for sign, python in (("·", "*"), ("−", "-"), ("√", "sqrt"), ("²", "**2"), ("^", "**")):
        side = side.replace(sign, python)
    return float(eval(side, {"sqrt": sqrt, "min": min, "max": max}))


@pytest.mark.parametrize("what", ["w5", "b1"])
@pytest.mark.parametrize("extra", EXTRAS, ids=str)
@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_the_equations_hold_and_end_at_the_new_weight(kind: int, extra: dict[str, Any], what: str) -> None:
    """Symbols, numbers, result: the numbers come to the result, after two steps that leave something to remember."""
    spec = ng.load("mazur")
    topology, sample = ng.lay_out(spec), spec.samples[0]
    engine, optimizer = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology)), KINDS[kind](**extra)
    engine.params.set_trainable("b1", True)
    for _ in range(2):
        engine.train_step([sample.input], [sample.target], optimizer)
    inspector = ng.Inspector(engine, [sample.input], [sample.target])
    step = inspector.weight(what, optimizer).step
    for equation in step.equations(17):
        *_, numbers, result = equation.sides
        assert len(equation.sides) == 3, equation
        assert value_of(numbers) == pytest.approx(float(result), rel=1e-12), equation
        assert equation.left in ("new w", "g", "clipped g", "decayed w") or equation.left.split()[0] in (
            "new",
            "corrected",
        )
    lefts = [equation.left for equation in step.equations(6)]
    assert lefts[-1] == "new w"
    assert ("g" in lefts) == ("l2" in extra and what == "w5")
    assert ("clipped g" in lefts) == bool({"clip_norm", "clip_value"} & extra.keys())
    engine.train_step([sample.input], [sample.target], optimizer)
    assert step.after == float(engine.params[what]) == float(step.equations(17)[-1].sides[-1])


def test_an_unknown_optimisers_step_is_told_without_a_formula() -> None:
    optimizer, weights, gradient = trained(Together(0.1, momentum=0.5))
    step = take_step(optimizer, "a", weights, gradient, 1)
    assert [equation.left for equation in step.equations(3)] == ["velocity", "w"]
    assert step.equations(3)[1].sides[0].startswith(f"{step.before:.3g} before, now {step.after:.3g}")
