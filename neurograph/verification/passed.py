"""One engine's pass laid out by neuron number, ready for checks that know nothing of layers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.masks import dropout_mask, join_masks
from neurograph.trace import Trace
from neurograph.verification.formulas import Wide, rounding
from neurograph.verification.report import Row
from neurograph.verification.wires import NONE, Numbers, Wires

Array = NDArray[Any]


@dataclass(frozen=True)
class Passed:
    """A pass by neuron number.

    Attributes
    ----------
    z, a, delta : ndarray, shape (neurons and constants, batch)
        In the engine's dtype; NaN where no neuron sits.
    w : ndarray
        All weights by address, as the engine rounded them.
    factors : mapping
        Dropout number → mask/keep, shape (neurons and constants, batch); empty at inference.
    winners : ndarray of int, shape (neurons and constants, batch)
        In-edge number of each maximum; −1 elsewhere.
    """

    z: Array
    a: Array
    delta: Array
    w: Array
    factors: Mapping[int, Array]
    winners: Array
    dtype: Any

    @property
    def batch(self) -> int:
        """Number of samples."""
        return int(self.a.shape[1])

    def arrived(self, wires: Wires) -> Array:
        """What arrives along each wire, (wires, batch): the source's activation behind its dropout, wide."""
        return self.a[wires.source].astype(Wide) * self.factor(wires)

    def factor(self, wires: Wires) -> Array:
        """What each wire multiplies its source's activation by, wide."""
        factor = np.ones((len(wires), self.batch), dtype=Wide)
        for dropout, values in self.factors.items():
            through = wires.dropout == dropout
            factor[through] = values[wires.source[through]]
        return factor

    def doubt(self, wires: Wires) -> Array:
        """How far an engine's own `arrived` may be off: behind a dropout a·mask/keep is rounded, twice."""
        behind = (wires.dropout != NONE)[:, None] & bool(self.factors)
        return np.asarray(np.where(behind, 2 * rounding(self.dtype) * np.abs(self.arrived(wires)), 0))

    def weight(self, wires: Wires) -> Array:
        """The weight on each wire as a column, wide; 0 on unweighted ones."""
        return np.where(wires.weight == NONE, 0, self.w[wires.weight]).astype(Wide)[:, None]


def flatten(numbers: Numbers, trace: Trace, dtype: Any, seed: int | None) -> Passed:
    """Lay a trace out by number; `seed` is that of the dropout masks, None at inference."""
    batch = trace.batch
    size = numbers.n_neurons + len(numbers.constants)
    w = np.zeros(max(1, sum(prod(spec.shape) for spec in numbers.network.parameters.values())), dtype=dtype)
    for name, address in numbers.addresses.items():
        if name in trace.weights:
            w[address : address + trace.weights[name].size] = trace.weights[name].reshape(-1)
    z, a, delta = (_by_number(numbers, values, size, batch, dtype) for values in (trace.z, trace.a, trace.delta))
    for i, reference in enumerate(numbers.constants):
        a[numbers.n_neurons + i] = w[numbers.address(reference)]
    winners = _by_number(numbers, trace.winners, size, batch, np.int64)
    factors = (
        {}
        if seed is None
        else {i: _factors(numbers, name, size, batch, seed) for i, name in enumerate(numbers.dropouts)}
    )
    return Passed(z, a, delta, w, factors, winners, dtype)


def _by_number(numbers: Numbers, values: Mapping[Hashable, Array], size: int, batch: int, dtype: Any) -> Array:
    array = np.full((size, batch), NONE if dtype is np.int64 else np.nan, dtype=dtype)
    for name in values:
        start = numbers.starts[name]
        array[start : start + prod(numbers.layout.shapes[name])] = values[name].reshape(batch, -1).T
    return array


# -- dropout ----------------------------------------------------------------------------------------------------------
def dropped(numbers: Numbers, dropout: str) -> list[Hashable]:
    """Populations that a dropout layer lies over, in the layout's order."""
    network = numbers.network
    if isinstance(network, NeuronGraph):
        nodes = network.nodes
        sources = [source for source, _, name in network.edges(data="dropout") if name == dropout]
        found = {nodes[source]["layer"] if nodes[source].get("layer") is not None else source for source in sources}
    else:
        found = {p.source for p in network.projections if p.dropout == dropout}
    return [name for name in numbers.layout.shapes if name in found]


def _mask(numbers: Numbers, dropout: str, source: Hashable, batch: int, seed: int) -> Array:
    keep = numbers.network.dropouts[dropout]
    return dropout_mask(seed, dropout, source, batch, numbers.layout.shapes[source], keep)


def _factors(numbers: Numbers, dropout: str, size: int, batch: int, seed: int) -> Array:
    factors = np.ones((size, batch), dtype=Wide)
    for source in dropped(numbers, dropout):
        start = numbers.starts[source]
        mask = _mask(numbers, dropout, source, batch, seed).reshape(batch, -1).T
        factors[start : start + len(mask)] = mask.astype(Wide) / Wide(numbers.network.dropouts[dropout])
    return factors


def masks_agree(numbers: Numbers, trace: Trace, part: str, engine: str, seed: int) -> list[Row]:
    """The masks that an engine recorded, against their definition: they must be equal."""
    rows = []
    for dropout in numbers.dropouts:
        sources = dropped(numbers, dropout)
        if not sources:
            continue
        expected = join_masks(
            {s: _mask(numbers, dropout, s, trace.batch, seed) for s in sources}, numbers.layout.shapes
        )
        found = trace.masks.get(dropout)
        same = found is not None and np.array_equal(found, expected)
        rows.append(Row(dropout, "masks", part, 0.0 if same else np.inf, "", expected.size, engine))
    return rows
