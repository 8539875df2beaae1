"""The local checks: every number an engine reports, recomputed from that engine's own neighbouring numbers, in extended precision.

z from its own a, a from its own z, δ from its own δ and winners, a gradient from its own δ·a. The permitted disagreement of a sum
of n terms is (n + 2)·u·Σ|terms|. End to end no such bound holds; from neighbour to neighbour it does, and it names the guilty
neuron.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import write_reference
from neurograph.graph.neighbourhood import fan_in
from neurograph.ops.words import ACTIVATIONS, NEURON_KINDS
from neurograph.verification import formulas
from neurograph.verification.formulas import Wide, rounding
from neurograph.verification.heads import Owed, groups_of
from neurograph.verification.passed import Passed
from neurograph.verification.report import Row
from neurograph.verification.wires import NONE, Index, Numbers, Traits, Wires, traits

Array = NDArray[Any]
KIND = {word: i for i, word in enumerate(NEURON_KINDS)}


@dataclass(frozen=True)
class Check:
    """Numbers found, expected, and how far apart they may be: shape (n, batch), or (n, 1) for gradients."""

    quantity: str
    which: Index
    found: Array
    expected: Array
    bound: Array

    def units(self) -> Array:
        """Disagreement in units of the bound; where the yardstick itself left the finite range, nothing is claimed."""
        difference = np.abs(self.found.astype(Wide) - self.expected)
        with np.errstate(invalid="ignore", divide="ignore"):
            units = np.where(difference == 0, 0, difference / self.bound)
        units = np.where(np.isnan(units), np.inf, units)
        return np.where(np.isfinite(self.expected), units, 0).astype(np.float64)


def rows_by_layer(numbers: Numbers, check: Check, part: str, engine: str) -> list[Row]:
    """One row for every population that a check touched."""
    if not len(check.which):
        return []
    units = check.units()
    layers: dict[Hashable, list[int]] = {}
    for row, neuron in enumerate(check.which.tolist()):
        layers.setdefault(numbers.population(neuron), []).append(row)
    rows = []
    for layer, members in layers.items():
        found = units[members]
        worst, sample = divmod(int(np.argmax(found)), found.shape[1])
        neuron = numbers.written(int(check.which[members[worst]]))
        where = f"{neuron}, sample {sample}" if found[worst, sample] > 0 else ""
        rows.append(Row(layer, check.quantity, part, float(found[worst, sample]), where, found.size, engine))
    return rows


# -- sums -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Sums:
    """Per group: Σ terms, Σ |terms| and the number of terms."""

    value: Array
    size: Array
    count: Array


def summed(terms: Array, group: Index, n: int) -> Sums:
    """Sum rows of `terms` by group; groups without rows are 0."""
    count = np.bincount(group, minlength=n)[:, None]
    return Sums(by_group(np.add, terms, group, n), by_group(np.add, np.abs(terms), group, n), count)


def by_group(ufunc: np.ufunc, terms: Array, group: Index, n: int) -> Array:
    """Reduce rows of `terms` by group."""
    result = np.zeros((n, terms.shape[1]), dtype=terms.dtype)
    if len(group):
        order = np.argsort(group, kind="stable")
        ordered = group[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        result[ordered[starts]] = ufunc.reduceat(terms[order], starts, axis=0)
    return result


def tiny(count: Any, dtype: Any) -> Any:
    """What underflow may take from a sum of `count` terms."""
    return (count + 2) * formulas.underflow(dtype)


# -- forward ----------------------------------------------------------------------------------------------------------
def check_z(numbers: Numbers, passed: Passed, which: Index, wires: Wires) -> list[Check]:
    """Check z of the neurons `which` (ascending), whose fan-in is `wires`; and the winners of maxima."""
    of = traits(numbers, which)
    group = np.searchsorted(which, wires.target)
    kind = of.kind[group]
    arrived, w = passed.arrived(wires), passed.weight(wires)
    terms = arrived.copy()
    terms[kind == KIND["weighted"]] *= w[kind == KIND["weighted"]]
    terms[kind == KIND["l2"]] **= 2
    terms[kind == KIND["rbf"]] = (arrived - w)[kind == KIND["rbf"]] ** 2
    sums = summed(terms, group, len(which))
    doubt = np.where((kind == KIND["rbf"])[:, None], 2 * np.abs(arrived - w) * passed.doubt(wires), 0)
    through = np.bincount(group[wires.dropout != NONE], minlength=len(which))[:, None] > 0
    z, bound = _from_sums(of, passed, sums, np.where(through & bool(passed.factors), 2, 0))
    bound += by_group(np.add, doubt, group, len(which))
    checks = _maxima(passed, which, of, wires, arrived, group, z, bound)
    plain = (of.kind != KIND["input"]) & (of.kind != KIND["constant"])
    return [Check("z", which[plain], passed.z[which[plain]], z[plain], bound[plain]), *checks]


def _from_sums(of: Traits, passed: Passed, sums: Sums, extra: Array) -> tuple[Array, Array]:
    """Expected z of sums of all kinds, and its bound."""
    u = rounding(passed.dtype)
    value, size, count = sums.value.copy(), sums.size.copy(), sums.count + extra
    biased = of.bias != NONE
    bias = np.where(biased, passed.w[of.bias], 0).astype(Wide)[:, None]
    value, size, count = value + bias, size + np.abs(bias), count + biased[:, None]
    mean = of.kind == KIND["mean"]
    divisor = np.where(np.isnan(of.divisor), sums.count[:, 0], of.divisor).astype(Wide)[:, None]
    value[mean], size[mean] = value[mean] / divisor[mean], size[mean] / np.abs(divisor[mean])
    bound = (count + 2) * u * size + tiny(count, passed.dtype) * (count > 0)
    root = of.kind == KIND["l2"]
    value[root] = np.sqrt(value[root])
    bound[root] = (count[root] + 2) * u * value[root] + np.sqrt(tiny(count[root], passed.dtype))
    return value, bound


def _maxima(
    passed: Passed, which: Index, of: Traits, wires: Wires, arrived: Array, group: Index, z: Array, bound: Array
) -> list[Check]:
    """Put the maxima into z and bound; check that each recorded winner attains its maximum."""
    rows = np.flatnonzero(of.kind == KIND["max"])
    if not len(rows):
        return []
    reading = np.isin(group, rows)
    largest = by_group(np.maximum, arrived[reading], group[reading], len(which))
    z[rows] = largest[rows]
    behind_dropout = 2 * rounding(passed.dtype) * np.abs(largest)
    bound[rows] = behind_dropout[rows] if passed.factors else 0
    winner = passed.winners[wires.target] == wires.slot[:, None]
    won = by_group(np.add, np.where(winner, arrived, 0)[reading], group[reading], len(which))
    one = by_group(np.add, winner[reading].astype(Wide), group[reading], len(which))
    won = np.where(one == 1, won, np.nan)
    return [Check("winners", which[rows], won[rows], largest[rows], bound[rows])]


def check_a(numbers: Numbers, passed: Passed, which: Index) -> list[Check]:
    """Check a of the neurons `which` from their own z; softmax heads are checked whole."""
    words = [ACTIVATIONS[i] for i in traits(numbers, which).activation.tolist()]
    z, expected, bound = (
        passed.z[which].astype(Wide),
        np.zeros((len(which), passed.batch), Wide),
        np.zeros((len(which), passed.batch), Wide),
    )
    for word in dict.fromkeys(words):
        rows = np.array([w == word for w in words])
        if word != "softmax":
            expected[rows] = formulas.value(word, z[rows])
            bound[rows] = formulas.value_bound(word, z[rows], expected[rows], passed.dtype)
    plain = np.array([word != "softmax" for word in words], dtype=bool)
    checks = [Check("a", which[plain], passed.a[which[plain]], expected[plain], bound[plain])]
    for head in numbers.layout.heads:
        for part in groups_of(numbers, head) if head.activation == "softmax" else []:
            own = passed.z[part.which].astype(Wide)
            p = formulas.softmax(own)
            checks.append(Check("a", part.which, passed.a[part.which], p, formulas.softmax_bound(own, p, passed.dtype)))
    return checks


# -- backward ---------------------------------------------------------------------------------------------------------
def check_delta(numbers: Numbers, passed: Passed, which: Index, wires: Wires, heads: list[Owed]) -> Check:
    """Check δ of the neurons `which` (ascending), whose fan-out is `wires`."""
    u = rounding(passed.dtype)
    group = np.searchsorted(which, wires.source)
    slopes = _slopes_to_source(numbers, passed, wires)
    above = passed.delta[wires.target].astype(Wide)
    terms = np.where(above == 0, 0, above * slopes)
    sums = summed(terms, group, len(which))
    doubt = by_group(np.add, _doubt_of_distances(numbers, passed, wires), group, len(which))
    words = [ACTIVATIONS[i] for i in traits(numbers, which).activation.tolist()]
    expected, bound = np.zeros_like(sums.value), np.zeros_like(sums.value)
    extra = 2 if passed.factors else 0
    z, a = passed.z[which].astype(Wide), passed.a[which].astype(Wide)
    for word in dict.fromkeys(words):
        if word == "softmax":
            continue  # a softmax head is read by nobody: its δ is its head's alone
        rows = np.array([w == word for w in words])
        f = formulas.slope(word, z[rows], a[rows], passed.dtype)
        expected[rows] = sums.value[rows] * f.value
        count = sums.count[rows] + extra
        bound[rows] = u * sums.size[rows] * ((count + 2) * np.abs(f.value) + f.spread)
        bound[rows] += doubt[rows] * np.abs(f.value)
        bound[rows] += tiny(count, passed.dtype) * (1 + sums.size[rows]) * (sums.count[rows] > 0)
    for head in heads:
        at = np.searchsorted(which, head.which)
        inside = (at < len(which)) & (which[np.minimum(at, len(which) - 1)] == head.which)
        expected[at[inside]] += head.delta[inside]
        bound[at[inside]] += head.bound[inside] + u * np.abs(expected[at[inside]])
    return Check("delta", which, passed.delta[which], expected, bound)


def _doubt_of_distances(numbers: Numbers, passed: Passed, wires: Wires) -> Array:
    """What δ·2(a − w) may be off by because a arrived rounded, behind a dropout: the difference magnifies it."""
    is_rbf = (traits(numbers, wires.target).kind == KIND["rbf"])[:, None]
    return np.asarray(
        np.where(is_rbf, 2 * np.abs(passed.delta[wires.target]) * passed.factor(wires) * passed.doubt(wires), 0)
    )


def _slopes_to_source(numbers: Numbers, passed: Passed, wires: Wires) -> Array:
    """∂z_target/∂a_source along each wire, (wires, batch)."""
    targets, at = np.unique(wires.target, return_inverse=True)
    of = traits(numbers, targets)
    kind = of.kind[at]
    arrived, w, factor = passed.arrived(wires), passed.weight(wires), passed.factor(wires)
    slopes = np.ones_like(arrived)
    rows = kind == KIND["weighted"]
    slopes[rows] = np.broadcast_to(w, slopes.shape)[rows]
    rows = kind == KIND["mean"]
    slopes[rows] /= _divisors(numbers, of, targets)[at].astype(Wide)[rows, None]
    rows = kind == KIND["l2"]
    y = passed.z[wires.target].astype(Wide)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes[rows] = np.where(y == 0, 0, arrived / y)[rows]
    rows = kind == KIND["rbf"]
    slopes[rows] = 2 * (arrived - w)[rows]
    rows = kind == KIND["max"]
    slopes[rows] = (passed.winners[wires.target] == wires.slot[:, None])[rows]
    return slopes * factor


def _divisors(numbers: Numbers, of: Traits, targets: Index) -> Array:
    """What each target's mean divides by; the in-degree where a network drawn by hand does not say."""
    divisor = of.divisor.copy()
    for i in np.flatnonzero(np.isnan(divisor) & (of.kind == KIND["mean"])).tolist():
        divisor[i] = len(fan_in(numbers.network, numbers.node(int(targets[i]))))
    return divisor


def check_gradient(
    numbers: Numbers, passed: Passed, name: str, gradient: Array, wires: Wires, biased: Index, reduction: str
) -> Row:
    """A parameter's gradient from the engine's own δ·a; `wires` and `biased` are all that use it."""
    at = np.concatenate([wires.weight, traits(numbers, biased).bias]) - numbers.addresses[name]
    delta = passed.delta[wires.target].astype(Wide)
    arrived = passed.arrived(wires)
    is_rbf = traits(numbers, wires.target).kind == KIND["rbf"]
    slopes = np.where(is_rbf[:, None], 2 * (passed.weight(wires) - arrived), arrived)
    terms = np.concatenate([np.where(delta == 0, 0, delta * slopes), passed.delta[biased].astype(Wide)])
    doubt = np.where(is_rbf[:, None], 2 * np.abs(delta) * passed.doubt(wires), 0)
    doubt = np.concatenate([doubt, np.zeros((len(biased), passed.batch), Wide)])
    return _gradient_row(passed, name, gradient, at, terms, doubt, reduction)


def _gradient_row(
    passed: Passed, name: str, gradient: Array, at: Index, terms: Array, doubt: Array, reduction: str
) -> Row:
    slots, group = np.unique(at, return_inverse=True)
    sums = summed(terms, group, len(slots))
    share = Wide(passed.batch if reduction == "mean" else 1)
    count = sums.count * passed.batch + (2 if passed.factors else 0) + (2 if reduction == "mean" else 0)
    size = sums.size.sum(axis=1, keepdims=True) / share
    bound = (count + 2) * rounding(passed.dtype) * size + tiny(count, passed.dtype)
    bound += by_group(np.add, doubt, group, len(slots)).sum(axis=1, keepdims=True) / share
    expected = sums.value.sum(axis=1, keepdims=True) / share
    check = Check("gradient", slots, gradient.reshape(-1)[slots][:, None], expected, bound)
    units = check.units()
    if not len(units):
        return Row(name, "gradient", "", 0.0, "", 0)
    worst = int(np.argmax(units))
    where = write_reference((name, int(slots[worst])), gradient.shape) if units[worst, 0] > 0 else ""
    return Row(name, "gradient", "", float(units[worst, 0]), where, len(units))
