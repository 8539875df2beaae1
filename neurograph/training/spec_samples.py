"""The worked examples that a spec carries, as samples to train on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Batch
from neurograph.errors import DataError
from neurograph.graph.layout import Layout, Port
from neurograph.shapes import times

if TYPE_CHECKING:
    from neurograph.spec import Spec

Array = NDArray[Any]


def spec_samples(spec: Spec, layout: Layout) -> tuple[Batch, Batch]:
    """The worked examples of a spec: inputs and targets.

    Raises
    ------
    DataError
        If there are none, one has no target, or one does not fit the network.
    """
    if not spec.samples:
        raise DataError(
            f"{spec.name}: nothing to train on: the spec has neither [data] nor [[sample]]. Name a data set: "
            f"--data digits|mnist|FOLDER|FILE.npz."
        )
    for number, sample in enumerate(spec.samples):
        if sample.target is None:
            raise DataError(
                f"{spec.name}: sample {number} has no target, so there is no loss to train on. Add one to the spec, or name a "
                f"data set: --data digits|mnist|FOLDER|FILE.npz."
            )
    x = _joined(f"{spec.name}: input", [sample.input for sample in spec.samples], layout.inputs)
    y = _joined(f"{spec.name}: target", [sample.target for sample in spec.samples], layout.heads)
    return x, y


def _joined(what: str, given: list[Any], ports: tuple[Port, ...]) -> Batch:
    """One array over all samples, or one for each port."""
    if not any(isinstance(value, Mapping) for value in given):
        if len(ports) != 1:
            names = ", ".join(str(port.name) for port in ports)
            raise DataError(f"{what}: expected a table by name ({names}), found values.")
        return _stacked(what, given, ports[0])
    parts = {}
    for port in ports:
        if not all(isinstance(value, Mapping) and port.name in value for value in given):
            raise DataError(f"{what}: every sample needs values for '{port.name}'.")
        parts[port.name] = _stacked(f"{what} '{port.name}'", [value[port.name] for value in given], port)
    return parts


def _stacked(what: str, given: list[Any], port: Port) -> Array:
    """Classes where every value is one whole number for a head of several units, else values in the port's shape."""
    if port.kind != "input" and port.size > 1 and all(isinstance(value, int) for value in given):
        return np.array(given, dtype=np.int64)
    return np.array([_values(f"{what} of sample {i}", value, port) for i, value in enumerate(given)])


def _values(what: str, value: Any, port: Port) -> Array:
    try:
        array = np.array(value, dtype=np.float64)
    except (ValueError, TypeError):
        raise DataError(f"{what}: expected numbers, found {value!r:.60}.") from None
    if array.size != port.size:
        raise DataError(f"{what}: {array.size} values; '{port.name or 'the output'}' needs {times(port.shape)}.")
    return array.reshape(port.shape)
