"""Numbers to verify with: weights, inputs and targets, as small integers or as floats of ordinary size."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.initialise import initialise
from neurograph.graph.layout import Layout, Port
from neurograph.parameters import Parameters, ParameterSpec
from neurograph.verification.wires import Network

Array = NDArray[Any]
Arrays = dict[Hashable, Array]


@dataclass(frozen=True)
class Scale:
    """How large integer draws are: weights up to `weight`, of which about `edges` an in-edge set are not 0; inputs up to `value`."""

    weight: int
    edges: float
    value: int


SCALES = (Scale(3, 1000, 3), Scale(2, 9, 3), Scale(2, 4, 2), Scale(1, 4, 2), Scale(1, 2, 1), Scale(1, 1, 1))
"""From rich to meagre; an integer draw that does not fit its float type is tried again with the next."""


def integers(network: Network, random: np.random.Generator, scale: Scale) -> dict[str, Array]:
    """Small integer weights and biases by name; unused slots are 0."""
    return {name: _integers(spec, random, scale) for name, spec in network.parameters.items()}


def _integers(spec: ParameterSpec, random: np.random.Generator, scale: Scale) -> Array:
    values = random.integers(-scale.weight, scale.weight + 1, spec.shape)
    if spec.role == "weight" and spec.fan_in > 0:
        values = values * (random.random(spec.shape) < scale.edges / spec.fan_in)
    return np.asarray(_used(spec, values), dtype=np.float64)


def float_parameters(network: Network, random: np.random.Generator) -> Parameters:
    """Weights as they would be initialised, given numbers included, each shaken; biases and constants away from 0.

    Shaken, so that no two numbers are equal by design and nothing sits exactly on a kink.
    """
    params = initialise(network, seed=int(random.integers(2**31)))
    values = {}
    for name, spec in network.parameters.items():
        size = 0.3 if spec.role == "weight" else 0.5
        shaken = params[name] * random.uniform(0.8, 1.2, spec.shape) + _shake(spec, size, random)
        values[name] = _used(spec, shaken)
    params.update(values)
    return params


def _shake(spec: ParameterSpec, size: float, random: np.random.Generator) -> Array:
    return np.asarray(random.uniform(-size, size, spec.shape) / np.sqrt(max(1, spec.fan_in)))


def _used(spec: ParameterSpec, values: Array) -> Array:
    return values if spec.used is None else np.where(spec.used, values, 0)


def inputs(layout: Layout, random: np.random.Generator, batch: int, largest: int | None = None) -> Arrays:
    """A batch by input name: integers up to `largest`, or floats in (−1, 1)."""
    return {port.name: _draw(port, random, batch, largest) for port in layout.inputs}


def upstream(layout: Layout, random: np.random.Generator, batch: int, largest: int | None = None) -> Arrays:
    """∂loss/∂a by head name."""
    return {port.name: _draw(port, random, batch, largest) for port in layout.heads}


def _draw(port: Port, random: np.random.Generator, batch: int, largest: int | None) -> Array:
    shape = (batch, *port.shape)
    if largest is not None:
        return random.integers(-largest, largest + 1, shape).astype(np.float64)
    return random.uniform(-1, 1, shape)


def targets(layout: Layout, random: np.random.Generator, batch: int) -> Arrays | None:
    """Targets by head name that fit its loss: classes, probabilities or values; None where a head has no loss."""
    if any(head.loss is None for head in layout.heads) or not layout.heads:
        return None
    return {head.name: _target(head, random, batch) for head in layout.heads}


def _target(head: Port, random: np.random.Generator, batch: int) -> Array:
    assert head.loss is not None
    if head.loss.kind == "mse":
        return random.uniform(-1, 1, (batch, *head.shape))
    if head.loss.kind == "binary_cross_entropy":
        return random.integers(0, 2, (batch, *head.shape)).astype(np.float64)
    if len(head.shape) and head.shape[0] >= 2:
        return random.integers(0, head.shape[0], (batch, *head.shape[1:]))
    return np.ones((batch, *head.shape))


def uneven_labels(layout: Layout) -> Arrays:
    """Labels by head name in which every class has its own share: unit c is on in c + 1 rows, and nothing is in the last."""
    found = {}
    for head in layout.heads:
        n_units = head.shape[0] if head.shape else 1
        rows = np.zeros((n_units * (n_units + 1) // 2 + 1, n_units))
        rows[np.arange(len(rows) - 1), np.repeat(np.arange(n_units), np.arange(n_units) + 1)] = 1
        values = rows.reshape(len(rows), n_units, *[1] * (len(head.shape) - 1))
        off, on = head.loss.targets if head.loss is not None else (0.0, 1.0)
        found[head.name] = np.broadcast_to(off + (on - off) * values, (len(rows), *head.shape)).copy()
    return found
