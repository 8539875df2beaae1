"""What every neuron can at most be, whatever the input: intervals from the range of the inputs, layer by layer.

The bound is the textbook's estimate: each in-edge takes the end of its source's interval that suits it best. Sources that cannot
be at their best together make the true range smaller, never larger.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from math import erf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.inspector.census_wiring import NO_SLOT, FanIns, Members, Wiring
from neurograph.ops.words import LEAK

Array = NDArray[Any]

LEAST = {"gelu": -0.17, "silu": -0.2785}
"""Activations that fall before they rise → a number below their least value (−0.16997…, −0.27846…)."""


def _sigmoid(z: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0.0, -z)))


def _gelu(z: Array) -> Array:
    return np.asarray([0.0 if value <= -40 else 0.5 * value * (1 + erf(value / sqrt(2))) for value in z])


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, LEAK * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0.0))),
    "softplus": lambda z: np.logaddexp(0.0, z),
    "gelu": _gelu,
    "silu": lambda z: np.where(np.isneginf(z), 0.0, z * _sigmoid(z)),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "scaled_tanh": lambda z: 1.7159 * np.tanh(2 * z / 3),
}
"""Elementwise activation → its values; all but those of `LEAST` never fall."""


class Ranges:
    """The least and the greatest z and a of every neuron.

    Parameters
    ----------
    wiring : Wiring
    inputs : mapping
        Input layer → its least and greatest value.

    Attributes
    ----------
    low, high : ndarray
        Of every column's a. Columns that were not asked for are NaN.
    """

    def __init__(self, wiring: Wiring, inputs: Mapping[Hashable, tuple[float, float]]) -> None:
        self.wiring = wiring
        n = wiring.n_columns + len(wiring.constants)
        self.low, self.high = np.full(n, np.nan), np.full(n, np.nan)
        for reference, column in wiring.constants.items():
            self.low[column] = self.high[column] = wiring.weights[wiring.slot(reference)]
        for name, (low, high) in inputs.items():
            self.low[self._columns(name)], self.high[self._columns(name)] = low, high

    @np.errstate(invalid="ignore")  # what is not known stays unknown: NaN
    def add(self, name: Hashable, members: Members, edges: FanIns) -> tuple[Array, Array]:
        """Work out one layer, whose sources are known; returns the least and the greatest z."""
        low, high = np.zeros(len(members.kind)), np.zeros(len(members.kind))
        for kind in dict.fromkeys(members.kind[members.there].tolist()):
            mine = members.kind == kind
            of_kind = mine[edges.target]
            chosen = FanIns(edges.target[of_kind], edges.column[of_kind], edges.slot[of_kind])
            least, most = self._z(kind, members, chosen)
            low[mine], high[mine] = least[mine], most[mine]
        self.low[self._columns(name)], self.high[self._columns(name)] = _through(members, low, high)
        return low, high

    # -- inner --------------------------------------------------------------------------------------------------------
    def _columns(self, name: Hashable) -> slice:
        first = self.wiring.offset[name]
        return slice(first, first + int(np.prod(self.wiring.layout.shapes[name], dtype=np.int64)))

    def _z(self, kind: str, members: Members, edges: FanIns) -> tuple[Array, Array]:
        n = len(members.kind)
        low, high = self.low[edges.column], self.high[edges.column]
        if kind == "max":
            return _largest(edges, low, n), _largest(edges, high, n)
        w = self.wiring.weights[edges.slot] if kind in ("weighted", "rbf") else 1.0
        if kind in ("l2", "rbf"):
            shift = w if kind == "rbf" else 0.0
            most = np.maximum((low - shift) ** 2, (high - shift) ** 2)
            least = np.maximum(np.maximum(low - shift, shift - high), 0.0) ** 2
            sums = _sum(edges, least, n), _sum(edges, most, n)
            return sums if kind == "rbf" else (np.sqrt(sums[0]), np.sqrt(sums[1]))
        bias = np.where(
            members.bias == NO_SLOT, 0.0, self.wiring.weights[members.bias] if len(self.wiring.weights) else 0
        )
        share = members.divisor if kind == "mean" else 1.0
        least, most = np.minimum(w * low, w * high), np.maximum(w * low, w * high)
        return _sum(edges, least, n) / share + bias, _sum(edges, most, n) / share + bias


def _sum(edges: FanIns, values: Array, n: int) -> Array:
    return np.asarray(np.bincount(edges.target, values, minlength=n))


def _largest(edges: FanIns, values: Array, n: int) -> Array:
    found = np.full(n, -np.inf)
    np.maximum.at(found, edges.target, values)
    return found


def _through(members: Members, low: Array, high: Array) -> tuple[Array, Array]:
    """The ranges of a = f(z)."""
    a_low, a_high = np.zeros_like(low), np.ones_like(high)  # what a softmax makes
    for word, function in ACTIVATIONS.items():
        mine = members.activation == word
        if mine.any():
            ends = function(low[mine]), function(high[mine])
            a_low[mine], a_high[mine] = np.minimum(*ends), np.maximum(*ends)
            if word in LEAST:
                a_low[mine] = np.where((low[mine] < 0) & (high[mine] > -2), LEAST[word], a_low[mine])
    return a_low, a_high
