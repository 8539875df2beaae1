"""Finite differences: δ and gradients against the loss itself, by moving weights and inputs a little and looking.

A direction is moved by ±h and ±h/2; where the two estimates differ, the loss bends or breaks in between (a ReLU switches, a
maximum changes hands), and another direction is tried with a smaller step. What the two leave of disagreement, and what is left of
a kink (the second difference), bound the error of the smaller one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import write_reference
from neurograph.trace import Trace
from neurograph.verification.consistency import Given
from neurograph.verification.report import Row

Array = NDArray[Any]
Direction = Callable[[], Array]
STEP = 2e-5
ATTEMPTS = 6
FLOOR = 2e-8
"""Rounding of the loss, over the step, relative to the sizes involved."""


def check_differences(engine: Any, given: Given, random: np.random.Generator, name: str, slots: int = 2) -> list[Row]:
    """Compare gradients and input δ with finite differences of the loss.

    Parameters
    ----------
    engine : Engine
        Float64; its parameters are moved, and put back.
    given : Given
        With an upstream gradient g, Σ g·a takes the loss's place.
    slots : int
        Single weights tried per parameter, besides one direction through all of them.
    """
    trace = given.run(engine)
    rows = [_of_parameter(engine, given, trace, parameter, random, name, slots) for parameter in trace.gradient]
    rows += [_of_input(engine, given, trace, port, random, name, slots) for port in given.x]
    return [row for row in rows if row.checked]


def loss_of(engine: Any, given: Given) -> float:
    """The loss, or Σ g·a where an upstream gradient stands for it."""
    if given.targets is not None:
        return float(given.run(engine).loss or 0.0)
    outputs = engine.forward(given.x, training=given.seed is not None, seed=given.seed)
    assert given.upstream is not None
    total = 0.0
    for name, g in given.upstream.items():
        a = outputs[name] if isinstance(outputs, dict) else outputs
        total += float(np.nansum(np.asarray(a, np.float64) * g))
    return total / (len(g) if given.reduction == "mean" else 1)


def _of_parameter(
    engine: Any, given: Given, trace: Trace, parameter: str, random: np.random.Generator, name: str, slots: int
) -> Row:
    original = engine.params[parameter].copy()

    def moved(step: Array) -> float:
        engine.params[parameter] = original + step
        return loss_of(engine, given)

    try:
        used = np.asarray(trace.gradient[parameter])
        row = _worst(
            moved, used, _directions(original.shape, random, slots), Row(parameter, "gradient", "differences", 0.0)
        )
    finally:
        engine.params[parameter] = original
    where = write_reference((parameter, int(row.where)), original.shape) if row.where else ""
    return replace(row, where=where, engine=name)


def _of_input(
    engine: Any, given: Given, trace: Trace, port: Hashable, random: np.random.Generator, name: str, slots: int
) -> Row:
    original = np.asarray(given.x[port], dtype=np.float64)
    places = next(p for p in trace.layout.inputs if p.name == port).members
    delta = (
        trace.delta[port]
        if places is None
        else np.stack([trace.delta[n, *i] if i else trace.delta[n] for n, i in places], axis=1)
    )
    share = len(original) if given.reduction == "mean" else 1

    def moved(step: Array) -> float:
        return loss_of(engine, replace(given, x={**given.x, port: original + step}))

    slope = np.nan_to_num(np.asarray(delta, np.float64)) / share
    row = _worst(moved, slope, _directions(original.shape, random, slots), Row(port, "delta", "differences", 0.0))
    return replace(row, where=f"direction {row.where}" if row.where else "", engine=name)


def _directions(shape: tuple[int, ...], random: np.random.Generator, slots: int) -> Iterator[tuple[str, Direction]]:
    """Directions to move in: one through everything, drawn anew at every attempt, then single slots."""
    yield "", lambda: np.asarray(random.uniform(-1, 1, shape))
    for _ in range(min(slots, prod(shape))):
        slot = int(random.integers(prod(shape)))
        yield str(slot), partial(_along, slot, shape)


def _along(slot: int, shape: tuple[int, ...]) -> Array:
    """The direction of a single slot."""
    return np.reshape(np.arange(prod(shape)) == slot, shape).astype(np.float64)


def _worst(moved: Callable[[Array], float], slope: Array, directions: Iterator[tuple[str, Direction]], row: Row) -> Row:
    for where, direction in directions:
        units = _units(moved, slope, direction)
        if units is not None:
            worse = units > row.worst
            row = replace(
                row, worst=max(units, row.worst), where=where if worse else row.where, checked=row.checked + 1
            )
    return row


def _units(moved: Callable[[Array], float], slope: Array, direction: Direction) -> float | None:
    """Disagreement along a direction in units of its error, or None where no attempt found the loss smooth."""
    for attempt in range(ATTEMPTS):
        v, h = direction(), STEP / 4**attempt
        claimed = float(np.sum(slope * v))
        wide = (moved(h * v) - moved(-h * v)) / (2 * h)
        up, down, here = moved(h / 2 * v), moved(-h / 2 * v), moved(0 * v)
        estimate = (up - down) / h
        size = abs(claimed) + abs(estimate) + float(np.sum(np.abs(slope * v)))
        noise = FLOOR * 4**attempt * (abs(here) + size + 1e-3)
        bends = abs(up - 2 * here + down) / h
        if abs(wide - estimate) <= 1e-4 * size + noise and bends <= 1e-3 * size + noise:
            return float(abs(claimed - estimate) / (abs(wide - estimate) + bends + noise))
    return None
