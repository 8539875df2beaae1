"""The exact part: both engines on the integer twin, compared with `array_equal`, up to the weights after one training step."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import node_id, write_node, write_reference
from neurograph.parameters import Parameters
from neurograph.reference import ReferenceEngine
from neurograph.trace import Trace
from neurograph.training import SGD
from neurograph.verification import draws
from neurograph.verification.consistency import Given, heads_owe
from neurograph.verification.exactness import is_exact
from neurograph.verification.passed import flatten
from neurograph.verification.report import Row
from neurograph.verification.wires import Numbers, Wires

Array = NDArray[Any]
MANTISSA = {"float32": 2.0**24, "float64": 2.0**53}


@dataclass(frozen=True)
class Drawn:
    """An integer draw that fits its float type, and what the textbook engine makes of it."""

    params: Parameters
    given: Given
    learning_rate: float
    expected: Trace
    after: Mapping[str, Array]
    """The weights after one training step."""


def draw(
    engine: ReferenceEngine,
    numbers: Numbers,
    wires: Wires,
    dtype: str,
    batch: int,
    random: np.random.Generator,
    scales: tuple[draws.Scale, ...] = draws.SCALES,
    by_target: bool = True,
) -> Drawn | None:
    """Draw integers for a twin until all sums are exact in `dtype`, from rich to meagre; None if none fits.

    Parameters
    ----------
    engine : ReferenceEngine
        Of the twin; its parameters are overwritten.
    by_target : bool
        True: targets, and the weights after a training step; False: an upstream gradient.
    """
    for scale in scales:
        found = _attempt(engine, numbers, wires, dtype, batch, random, scale, by_target)
        if found is not None:
            return found
    return None


def _attempt(
    engine: ReferenceEngine,
    numbers: Numbers,
    wires: Wires,
    dtype: str,
    batch: int,
    random: np.random.Generator,
    scale: draws.Scale,
    by_target: bool,
) -> Drawn | None:
    engine.params.update(draws.integers(engine.graph, random, scale))
    params = engine.params.copy()
    x = draws.inputs(engine.layout, random, batch, scale.value)
    wanted = draws.upstream(engine.layout, random, batch, 2)
    seed = int(random.integers(2**31)) if engine.graph.dropouts else None
    given = Given(x, wanted if by_target else None, None if by_target else wanted, "sum", seed)
    trace = given.run(engine)
    rate = 0.5 ** int(random.integers(1, 4))
    changes = {name: rate * trace.gradient[name] for name in _trained(trace, params)}
    passed = flatten(numbers, trace, np.float64, seed)
    if not is_exact(numbers, passed, trace, wires, heads_owe(numbers, passed, given), changes, MANTISSA[dtype]):
        return None
    after = {name: params[name] - changes[name] if name in changes else params[name] for name in params}
    return Drawn(params, given, rate, trace, after)


def _trained(trace: Trace, params: Parameters) -> list[str]:
    return [name for name in trace.gradient if params.trainable[name]]


# -- comparing --------------------------------------------------------------------------------------------------------
def compare(drawn: Drawn, make: Callable[[Parameters], Any], engine: str = "both") -> list[Row]:
    """Run another engine on the draw and compare every number with the textbook's.

    Parameters
    ----------
    make : callable
        Parameters → engine (a bound program).
    """
    program = make(drawn.params.copy())
    found = drawn.given.run(program)
    rows = compare_traces(drawn.expected, found, engine)
    outputs = program.forward(drawn.given.x, training=drawn.given.seed is not None, seed=drawn.given.seed)
    rows += _compare_outputs(drawn.expected, outputs, engine)
    return rows + _compare_step(drawn, make, engine)


def _compare_step(drawn: Drawn, make: Callable[[Parameters], Any], engine: str) -> list[Row]:
    """The weights after one step of a fresh program: no trace before it has left anything that training does not store itself."""
    if drawn.given.targets is None:
        return []
    program = make(drawn.params.copy())
    optimizer = SGD(drawn.learning_rate)
    program.train_step(drawn.given.x, drawn.given.targets, optimizer, reduction="sum", seed=drawn.given.seed)
    return [_row(name, "weights", after, program.params[name], engine) for name, after in drawn.after.items()]


def compare_traces(expected: Trace, found: Trace, engine: str = "both") -> list[Row]:
    """z, a and δ of every population and the gradient of every parameter, which must be equal."""
    rows = []
    for quantity in ("z", "a", "delta"):
        ours, theirs = getattr(expected, quantity), getattr(found, quantity)
        rows += [_row(name, quantity, ours[name], theirs[name], engine) for name in ours]
    rows += [_row(name, "gradient", g, found.gradient.get(name), engine) for name, g in expected.gradient.items()]
    return rows


def _compare_outputs(trace: Trace, outputs: Any, engine: str) -> list[Row]:
    rows = []
    for head in trace.layout.heads:
        found = outputs[head.name] if isinstance(outputs, Mapping) else outputs
        if head.members is None:
            expected = trace.a[head.name]
        else:
            expected = np.stack(
                [trace.a[name, *index] if index else trace.a[name] for name, index in head.members], axis=1
            )
        rows.append(_row("outputs" if head.name is None else head.name, "a", expected, found, engine))
    return rows


def _row(layer: Hashable, quantity: str, expected: Array, found: Array | None, engine: str) -> Row:
    if found is None or np.shape(found) != np.shape(expected):
        shape = "missing" if found is None else f"of shape {np.shape(found)} for {np.shape(expected)}"
        return Row(layer, quantity, "integer", np.inf, shape, 0, engine)
    expected, found = np.asarray(expected, np.float64), np.asarray(found, np.float64)
    if np.array_equal(expected, found, equal_nan=True):
        return Row(layer, quantity, "integer", 0.0, "", expected.size, engine)
    difference = np.abs(np.where(np.isnan(expected) & np.isnan(found), 0, expected - found))
    difference = np.where(np.isnan(difference), np.inf, difference)
    worst = np.unravel_index(int(np.argmax(difference)), difference.shape)
    where = _where(layer, quantity, tuple(int(i) for i in worst), expected.shape)
    return Row(layer, quantity, "integer", float(difference[worst]), where, expected.size, engine)


def _where(layer: Hashable, quantity: str, worst: tuple[int, ...], shape: tuple[int, ...]) -> str:
    if quantity in ("gradient", "weights"):
        return write_reference((str(layer), int(np.ravel_multi_index(worst, shape)) if worst else 0), shape)
    return f"{write_node(node_id(layer, worst[1:]))}, sample {worst[0]}"
