"""One training step checked: every weight moved by learning rate times its own gradient, within the bound of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import write_reference
from neurograph.parameters import Parameters
from neurograph.trace import Trace
from neurograph.verification.consistency import Given, Whose
from neurograph.verification.formulas import Wide, rounding
from neurograph.verification.local import KIND, Check, summed
from neurograph.verification.passed import Passed, flatten
from neurograph.verification.report import Row
from neurograph.verification.wires import NONE, Numbers, Wires, traits

Array = NDArray[Any]


def check_update(
    numbers: Numbers,
    wires: Wires,
    trace: Trace,
    given: Given,
    before: Mapping[str, Array],
    params: Parameters,
    rate: float,
    whose: Whose,
) -> list[Row]:
    """Check a step of plain gradient descent, given the trace of the same batch and masks with the weights before it.

    What is fixed must not have moved at all. A gradient summed again, in another order, may differ by its bound.
    """
    with np.errstate(all="ignore"):
        passed = flatten(numbers, trace, whose.dtype, given.seed)
        room = gradient_room(numbers, passed, wires) / (trace.batch if given.reduction == "mean" else 1)
    rows = []
    u, step = rounding(whose.dtype), Wide(rate)
    for name in params:
        old, new = before[name].astype(whose.dtype).astype(Wide), params[name].astype(Wide)
        moved = params.trainable[name] and name in trace.gradient
        gradient = trace.gradient[name].astype(Wide) if moved else np.zeros_like(old)
        first = numbers.addresses[name]
        own_room = room[first : first + old.size].reshape(old.shape) if moved else np.zeros_like(old)
        expected = old - step * gradient if moved else before[name].astype(Wide)
        bound = step * own_room + 3 * u * (step * np.abs(gradient) + np.abs(old)) * moved
        rows.append(_row(name, new, expected, bound, whose))
    return rows


def _row(name: str, new: Array, expected: Array, bound: Array, whose: Whose) -> Row:
    columns = (array.reshape(-1, 1) for array in (new, expected, np.broadcast_to(bound, expected.shape)))
    units = Check("weights", np.arange(new.size), *columns).units()
    worst = int(np.argmax(units))
    where = write_reference((name, worst), new.shape) if units[worst, 0] > 0 else ""
    return Row(name, "weights", whose.part, float(units[worst, 0]), where, new.size, whose.engine)


def gradient_room(numbers: Numbers, passed: Passed, wires: Wires) -> Array:
    """By how much two sums of the same addends may differ, for every weight: twice (n + 2)·u·Σ|addends|."""
    carrying = wires.where(wires.weight != NONE)
    arrived, w = passed.arrived(carrying), passed.weight(carrying)
    rbf = traits(numbers, carrying.target).kind[:, None] == KIND["rbf"]
    addends = passed.delta[carrying.target].astype(Wide) * np.where(rbf, 2 * (w - arrived), arrived)
    present = np.concatenate([numbers.members(name) for name in numbers.layout.shapes])
    bias = traits(numbers, present).bias
    of_biases = passed.delta[present[bias != NONE]].astype(Wide)
    group = np.concatenate([carrying.weight, bias[bias != NONE]])
    sums = summed(np.concatenate([addends, of_biases]), group, len(passed.w))
    terms = sums.count[:, 0] * passed.batch + 4
    return np.asarray(2 * (terms + 2) * rounding(passed.dtype) * sums.size.sum(axis=1))
