"""The step that a weight's card shows: what the optimiser would do, which itself stays where it is."""

from __future__ import annotations

from copy import deepcopy
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
        ng.Adam(0.01),
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
