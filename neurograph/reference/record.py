"""From the passes' lists to the arrays of a trace. The place of a neuron that was removed from its layer holds NaN."""

from __future__ import annotations

from collections.abc import Hashable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.reference.network import Head, Network
from neurograph.reference.passes import Factors, Rows, arriving
from neurograph.reference.rules import winner

Array = NDArray[Any]
NOBODY = -1
"""In the array of a max pool's winners: a neuron that is not there, or not a maximum."""


def record_values(network: Network, rows: Rows) -> dict[Hashable, Array]:
    """Population → array (batch, *shape)."""
    numbers = np.array(rows)
    recorded = {}
    for name, (members, positions) in network.populations.items():
        shape = network.layout.shapes[name]
        array = np.full((len(rows), prod(shape)), np.nan)
        array[:, positions] = numbers[:, members]
        recorded[name] = array.reshape(len(rows), *shape)
    return recorded


def record_winners(network: Network, a: Rows, factors: Factors) -> dict[Hashable, Array]:
    """Population with max neurons → array (batch, *shape) of the winning in-edge's number, in fan-in order."""
    recorded = {}
    for name, (members, positions) in network.populations.items():
        if any(network.neurons[i].kind == "max" for i in members):
            shape = network.layout.shapes[name]
            array = np.full((len(a), prod(shape)), NOBODY, dtype=np.int64)
            for i, position in zip(members, positions, strict=True):
                if network.neurons[i].kind == "max":
                    array[:, position] = [winner(arriving(network.neurons[i], n, a, factors)) for n in range(len(a))]
            recorded[name] = array.reshape(len(a), *shape)
    return recorded


def head_array(head: Head, rows: Rows) -> Array:
    """What a head returns: (batch, *head shape)."""
    array = np.full((len(rows), head.port.size), np.nan)
    array[:, head.positions] = [[row[i] for i in head.neurons] for row in rows]
    return array.reshape(len(rows), *head.port.shape)
