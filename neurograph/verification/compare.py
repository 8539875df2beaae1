"""One number, three ways: the textbook engine, the compiled program, and a finite difference of the loss.

Each engine's number is held against what its own neighbouring numbers make of it, in units of the rounding bound (see `local`); a
finite difference against the error it estimates of itself (see `differences`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.build import build
from neurograph.graph.layout import Place, layout_of
from neurograph.graph.topology import Topology
from neurograph.parameters import Parameters, Reference
from neurograph.reference import ReferenceEngine
from neurograph.trace import Trace
from neurograph.verification import local
from neurograph.verification.consistency import Given, heads_owe
from neurograph.verification.differences import ATTEMPTS, FLOOR, STEP, loss_of
from neurograph.verification.passed import flatten
from neurograph.verification.run import bound_program
from neurograph.verification.wires import Numbers, number, wires_into, wires_of_weight, wires_out_of

Array = NDArray[Any]
TEXTBOOK = "textbook engine"
DIFFERENCE = "finite difference"
MOST_EDGES = 1_000_000
"""Up to here the textbook engine takes part: it needs the network written out."""
MOST_PARAMETERS = 20_000_000
"""Up to here float64 takes part, in which alone a finite difference means something."""


@dataclass(frozen=True)
class Way:
    """One way to a number.

    Attributes
    ----------
    quantity : str
        "z", "a", "delta" or "gradient".
    by : str
        Who says so.
    value : float or None
        None for a finite difference where the loss is not smooth.
    units : float or None
        How far it is off, in units of its bound: 1 is what rounding may do. None where there is nothing to hold it against.
    """

    quantity: str
    by: str
    value: float | None
    units: float | None


def compare_neuron(topology: Topology, params: Parameters, given: Given, place: Place, sample: int = 0) -> list[Way]:
    """A neuron's z, a and δ, by everybody who can say them; δ is ∂(sum of the samples' losses)/∂z."""
    numbers, ways = number(topology), []
    for by, engine, dtype in _engines(topology, params):
        ways += _of_neuron(numbers, given.run(engine), given, place, sample, by, dtype)
    claimed = next(way.value for way in ways if way.quantity == "delta")
    if topology.n_edges <= MOST_EDGES:
        moved = _moving_z(topology, params, replace(given, reduction="sum"), place, sample)
        ways.append(_difference("delta", moved, float(claimed or 0.0)))
    order = ("z", "a", "delta")
    return sorted(ways, key=lambda way: order.index(way.quantity))


def compare_weight(topology: Topology, params: Parameters, given: Given, reference: Reference) -> list[Way]:
    """A weight's gradient, by everybody who can say it."""
    name, index = reference
    numbers, ways = number(topology), []
    last: Any = None
    for by, engine, dtype in _engines(topology, params):
        trace = given.run(engine)
        last = engine if dtype is np.float64 else last
        gradient = trace.gradient.get(name)
        if gradient is None:
            return []
        wires, biased = wires_of_weight(numbers, reference)
        passed = flatten(numbers, trace, dtype, None)
        row = local.check_gradient(numbers, passed, name, np.asarray(gradient), wires, biased, given.reduction)
        ways.append(Way("gradient", by, float(np.asarray(gradient).reshape(-1)[index]), row.worst))
    if last is not None:
        ways.append(_difference("gradient", _moving_weight(last, given, reference), float(ways[0].value or 0.0)))
    return ways


# -- engines ----------------------------------------------------------------------------------------------------------
def _engines(topology: Topology, params: Parameters) -> list[tuple[str, Any, Any]]:
    """Who takes part: a name, an engine of its own, and its float type."""
    found: list[tuple[str, Any, Any]] = []
    if topology.n_edges <= MOST_EDGES:
        found.append((TEXTBOOK, ReferenceEngine(build(topology), params.copy()), np.float64))
    dtypes = (np.float64, np.float32) if topology.n_parameters <= MOST_PARAMETERS else (np.float32,)
    for dtype in dtypes:
        name = np.dtype(dtype).name
        found.append((f"program, {name}", bound_program(topology, name, params.copy()), dtype))
    return found


def _of_neuron(
    numbers: Numbers, trace: Trace, given: Given, place: Place, sample: int, by: str, dtype: Any
) -> list[Way]:
    name, index = place
    i = numbers.of(place)
    passed = flatten(numbers, trace, dtype, None)
    which = np.array([i], dtype=np.int64)
    with np.errstate(all="ignore"):
        checks = local.check_z(numbers, passed, which, wires_into(numbers, [i]))
        checks += local.check_a(numbers, passed, which)
        out_of = wires_out_of(numbers, [i])
        checks.append(local.check_delta(numbers, passed, which, out_of, heads_owe(numbers, passed, given)))
        units = {check.quantity: _units(check, i, sample) for check in checks if i in check.which}
    values = {"z": trace.z, "a": trace.a, "delta": trace.delta}
    return [
        Way(quantity, by, float(array[name][(sample, *index)]), units.get(quantity))
        for quantity, array in values.items()
    ]


def _units(check: local.Check, neuron: int, sample: int) -> float:
    return float(check.units()[int(np.flatnonzero(check.which == neuron)[0]), sample])


# -- finite differences -----------------------------------------------------------------------------------------------
def _difference(quantity: str, moved: Callable[[float], float], claimed: float) -> Way:
    """The loss's slope along one number, from ±h and ±h/2; none where every step meets a kink."""
    for attempt in range(ATTEMPTS):
        h = STEP / 4**attempt
        wide = (moved(h) - moved(-h)) / (2 * h)
        up, down, here = moved(h / 2), moved(-h / 2), moved(0.0)
        estimate = (up - down) / h
        size = 2 * abs(claimed) + abs(estimate)
        noise = FLOOR * 4**attempt * (abs(here) + size + 1e-3)
        bends = abs(up - 2 * here + down) / h
        if abs(wide - estimate) <= 1e-4 * size + noise and bends <= 1e-3 * size + noise:
            error = abs(wide - estimate) + bends + noise
            return Way(quantity, DIFFERENCE, float(estimate), float(abs(claimed - estimate) / error))
    return Way(quantity, DIFFERENCE, None, None)


def _moving_weight(engine: Any, given: Given, reference: Reference) -> Callable[[float], float]:
    """The loss with one weight, and so all its copies, moved a little."""
    name, index = reference
    original = engine.params[name].copy()

    def moved(by: float) -> float:
        values = np.array(original, dtype=np.float64)
        values.reshape(-1)[index] += by
        engine.params[name] = values
        loss = loss_of(engine, given)
        engine.params[name] = original
        return loss

    return moved


def _moving_z(
    topology: Topology, params: Parameters, given: Given, place: Place, sample: int
) -> Callable[[float], float]:
    """The summed loss with one neuron's z moved a little, in one sample."""
    only = _only(given, sample)
    for port in layout_of(topology).inputs:
        if port.members is not None and place in port.members:
            return _moving_x(topology, params, only, port.name, (port.members.index(place),))
        if port.members is None and port.name == place[0]:
            return _moving_x(topology, params, only, port.name, place[1])
    nudged = _Nudged(topology, params, place)

    def moved(by: float) -> float:
        nudged.nudge.by = by
        return loss_of(nudged, only)

    return moved


def _moving_x(
    topology: Topology, params: Parameters, only: Given, name: Hashable, index: tuple[int, ...]
) -> Callable[[float], float]:
    """The same for an input, which is its own z."""
    engine = ReferenceEngine(build(topology), params)

    def moved(by: float) -> float:
        x = np.array(only.x[name], dtype=np.float64)
        x[(0, *index)] += by
        return loss_of(engine, replace(only, x={**only.x, name: x}))

    return moved


def _only(given: Given, sample: int) -> Given:
    """One sample of a batch."""

    def cut(arrays: Mapping[Hashable, Array] | None) -> dict[Hashable, Array] | None:
        return (
            None if arrays is None else {key: np.asarray(array)[sample : sample + 1] for key, array in arrays.items()}
        )

    return replace(given, x=cut(given.x) or {}, targets=cut(given.targets), upstream=cut(given.upstream))


class _Nudge:
    """A neuron kind's rule whose z is moved by `by`."""

    def __init__(self, rule: Any) -> None:
        self.rule = rule
        self.by = 0.0

    def z(self, a: Any, w: Any, b: float) -> float:
        return float(self.rule.z(a, w, b)) + self.by

    def dz_da(self, a: Any, w: Any, z: float) -> Any:
        return self.rule.dz_da(a, w, z - self.by)

    def dz_dw(self, a: Any, w: Any, z: float) -> Any:
        return self.rule.dz_dw(a, w, z - self.by)


class _Nudged(ReferenceEngine):
    """The textbook engine with one neuron whose z can be moved."""

    def __init__(self, topology: Topology, params: Parameters, place: Place) -> None:
        super().__init__(build(topology), params)
        members, positions = self._network.populations[place[0]]
        shape = self.layout.shapes[place[0]]
        at = int(np.ravel_multi_index(place[1], shape)) if shape else 0
        i = members[positions.index(at)]
        neurons = list(self._network.neurons)
        self.nudge = _Nudge(neurons[i].rule)
        neurons[i] = replace(neurons[i], rule=self.nudge)
        self._network = replace(self._network, neurons=neurons)
