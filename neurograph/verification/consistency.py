"""One pass of one engine, checked: all of it where the graph is written out, samples of it where it is too large for that."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import read_batch, read_targets
from neurograph.graph.topology import Topology
from neurograph.parameters import Parameters
from neurograph.trace import Trace
from neurograph.verification import local
from neurograph.verification.formulas import Wide, rounding
from neurograph.verification.heads import Owed, owed
from neurograph.verification.passed import Passed, flatten, masks_agree
from neurograph.verification.report import Row
from neurograph.verification.wires import (
    Index,
    Numbers,
    Wires,
    traits,
    wires_into,
    wires_of_weight,
    wires_out_of,
)

Array = NDArray[Any]
NEURONS_PER_LAYER = 12
WEIGHTS_PER_PARAMETER = 4


@dataclass(frozen=True)
class Given:
    """What an engine was given: exactly one of `targets` and `upstream`; `seed` is None at inference."""

    x: Mapping[Hashable, Array]
    targets: Mapping[Hashable, Array] | None = None
    upstream: Mapping[Hashable, Array] | None = None
    reduction: str = "mean"
    seed: int | None = None

    def run(self, engine: Any) -> Trace:
        """Let an engine do one forward and backward pass."""
        trace: Trace = engine.backprop(
            self.x,
            self.targets,
            upstream=self.upstream,
            reduction=self.reduction,
            training=self.seed is not None,
            seed=self.seed,
        )
        return trace


@dataclass(frozen=True)
class Whose:
    """Whose numbers are checked, and in which float type."""

    engine: str
    dtype: Any

    @property
    def part(self) -> str:
        """The report's column."""
        return str(np.dtype(self.dtype))


def heads_owe(numbers: Numbers, passed: Passed, given: Given) -> list[Owed]:
    """δ of all head neurons, from what was given."""
    heads = numbers.layout.heads
    if given.targets is not None:
        return owed(numbers, passed, read_targets(given.targets, heads, passed.batch), None)
    assert given.upstream is not None
    return owed(numbers, passed, None, read_batch(given.upstream, heads))


def check_pass(
    numbers: Numbers,
    wires: Wires | None,
    trace: Trace,
    given: Given,
    whose: Whose,
    random: np.random.Generator | None = None,
) -> list[Row]:
    """Check every number of a trace; with `wires` None, of some neurons of each layer and some weights of each parameter."""
    with np.errstate(all="ignore"):  # places without a neuron hold NaN; what left the finite range is not compared
        return _check_pass(numbers, wires, trace, given, whose, random)


def _check_pass(
    numbers: Numbers,
    wires: Wires | None,
    trace: Trace,
    given: Given,
    whose: Whose,
    random: np.random.Generator | None,
) -> list[Row]:
    passed = flatten(numbers, trace, whose.dtype, given.seed)
    heads = heads_owe(numbers, passed, given)
    rows = _given_numbers(numbers, passed, given, whose)
    if given.seed is not None:
        rows += masks_agree(numbers, trace, whose.part, whose.engine, given.seed)
    if wires is not None:
        which = np.concatenate([numbers.members(name) for name in numbers.layout.shapes])
        checks = _checks(numbers, passed, which, wires, wires, heads)
        rows += _all_gradients(numbers, passed, trace, wires, given.reduction, whose)
    else:
        assert random is not None
        which = _some_neurons(numbers, random)
        into, out_of = wires_into(numbers, which.tolist()), wires_out_of(numbers, which.tolist())
        checks = _checks(numbers, passed, which, into, out_of, heads)
        rows += _some_gradients(numbers, passed, trace, given.reduction, whose, random)
    for check in checks:
        rows += local.rows_by_layer(numbers, check, whose.part, whose.engine)
    if given.targets is not None:
        rows.append(_loss(trace, heads, given.reduction, whose))
    return rows


def _checks(
    numbers: Numbers, passed: Passed, which: Index, into: Wires, out_of: Wires, heads: list[Owed]
) -> list[local.Check]:
    checks = local.check_z(numbers, passed, which, into)
    checks += local.check_a(numbers, passed, which)
    neurons = out_of.where(out_of.source < numbers.n_neurons)  # constants have no δ
    return [*checks, local.check_delta(numbers, passed, which, neurons, heads)]


def _given_numbers(numbers: Numbers, passed: Passed, given: Given, whose: Whose) -> list[Row]:
    """Inputs arrive as given, rounded once."""
    rows = []
    for port in numbers.layout.inputs:
        x = np.asarray(given.x[port.name]).astype(whose.dtype).reshape(passed.batch, -1).T
        if port.members is not None:
            which = np.array([numbers.of(place) for place in port.members])
        else:
            which = numbers.members(port.name)
            x = x[which - numbers.starts[port.name]]
        same = np.array_equal(passed.z[which], x) and np.array_equal(passed.a[which], x)
        rows.append(Row(port.name, "z", whose.part, 0.0 if same else np.inf, "", x.size, whose.engine))
    return rows


def _loss(trace: Trace, heads: list[Owed], reduction: str, whose: Whose) -> Row:
    parts = [head.loss for head in heads if head.loss is not None]
    share = Wide(trace.batch if reduction == "mean" else 1)
    expected = sum((value for value, _ in parts), Wide(0)) / share
    u = rounding(whose.dtype)
    bound = sum((room for _, room in parts), Wide(0)) / share + (len(parts) + 4) * u * np.abs(expected)
    found = Wide(np.nan) if trace.loss is None else Wide(trace.loss)
    check = local.Check("loss", np.zeros(1, int), *(np.full((1, 1), v, dtype=Wide) for v in (found, expected, bound)))
    return Row("loss", "loss", whose.part, float(check.units()[0, 0]), "", 1, whose.engine)


# -- gradients --------------------------------------------------------------------------------------------------------
def _all_gradients(
    numbers: Numbers, passed: Passed, trace: Trace, wires: Wires, reduction: str, whose: Whose
) -> list[Row]:
    present = np.concatenate([numbers.members(name) for name in numbers.layout.shapes])
    bias = traits(numbers, present).bias
    rows = []
    for name, gradient in trace.gradient.items():
        first = numbers.addresses[name]
        carrying = wires.where((wires.weight >= first) & (wires.weight < first + gradient.size))
        biased = present[(bias >= first) & (bias < first + gradient.size)]
        row = local.check_gradient(numbers, passed, name, gradient, carrying, biased, reduction)
        used = np.zeros(gradient.size, dtype=bool)
        used[carrying.weight - first] = True
        used[traits(numbers, biased).bias - first] = True
        if np.any(gradient.reshape(-1)[~used] != 0):
            row = replace(row, worst=np.inf, where=f"{name}: a slot that nobody uses has a gradient")
        rows.append(replace(row, part=whose.part, engine=whose.engine))
    missing = [name for name in _expected_gradients(numbers, wires, bias) if name not in trace.gradient]
    return rows + [Row(name, "gradient", whose.part, np.inf, f"{name} is missing", 0, whose.engine) for name in missing]


def _expected_gradients(numbers: Numbers, wires: Wires, bias: Index) -> list[str]:
    used = np.unique(np.concatenate([wires.weight, bias]))
    starts = sorted(
        (start, name) for name, start in numbers.addresses.items() if prod(numbers.network.parameters[name].shape)
    )
    return [
        name
        for start, name in starts
        if np.any((used >= start) & (used < start + prod(numbers.network.parameters[name].shape)))
    ]


def _some_gradients(
    numbers: Numbers, passed: Passed, trace: Trace, reduction: str, whose: Whose, random: np.random.Generator
) -> list[Row]:
    rows = []
    for name, gradient in trace.gradient.items():
        spec = numbers.network.parameters[name]
        slots = np.arange(gradient.size) if spec.used is None else np.flatnonzero(spec.used.reshape(-1))
        for slot in random.choice(slots, min(WEIGHTS_PER_PARAMETER, len(slots)), replace=False).tolist():
            wires, biased = wires_of_weight(numbers, (name, slot))
            row = local.check_gradient(numbers, passed, name, gradient, wires, biased, reduction)
            rows.append(replace(row, part=whose.part, engine=whose.engine))
    return rows


def _some_neurons(numbers: Numbers, random: np.random.Generator) -> Index:
    """The corners and a few neurons in between of every population, ascending."""
    assert isinstance(numbers.network, Topology)
    chosen: set[int] = set()
    for name, start in numbers.starts.items():
        size = prod(numbers.layout.shapes[name])
        chosen.update({start, start + size - 1})
        chosen.update((start + random.integers(0, size, NEURONS_PER_LAYER)).tolist())
    return np.array(sorted(chosen), dtype=np.int64)


def is_finite(trace: Trace) -> bool:
    """Whether a trace stayed where agreement is claimed: finite, and far from overflow even when squared."""
    values = [*trace.z.values(), *trace.a.values(), *trace.delta.values(), *trace.gradient.values()]
    return all(bool(np.all(np.abs(value[~np.isnan(value)]) < 1e12)) for value in values) and _same_holes(trace)


def _same_holes(trace: Trace) -> bool:
    """NaN stands for removed neurons only: in z, a and δ at the same places."""
    return all(
        np.array_equal(np.isnan(trace.a[name]), np.isnan(trace.z[name]))
        and np.array_equal(np.isnan(trace.a[name]), np.isnan(trace.delta[name]))
        for name in trace.a
    )


def check_weights(trace: Trace, params: Parameters, whose: Whose) -> list[Row]:
    """The weights an engine says it used are those in the store, rounded once."""
    rows = []
    for name, used in trace.weights.items():
        same = np.array_equal(np.asarray(used), params[name].astype(whose.dtype))
        rows.append(Row(name, "weights", whose.part, 0.0 if same else np.inf, "", used.size, whose.engine))
    return rows
