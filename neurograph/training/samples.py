"""What a training reads: a data set brought to the network's input, or the samples that the spec carries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.data import load_data
from neurograph.engine import Batch
from neurograph.errors import DataError
from neurograph.graph.layout import Layout, Port
from neurograph.shapes import times
from neurograph.training.batches import count, take

if TYPE_CHECKING:
    from neurograph.spec import Spec

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs and targets to train on, and others to test on, if there are any."""

    name: str
    x: Batch
    y: Batch
    test: tuple[Batch, Batch] | None = None

    @property
    def n(self) -> int:
        """Number of training samples."""
        return count(self.x, self.y)

    @property
    def n_test(self) -> int:
        """Number of test samples."""
        return 0 if self.test is None else count(*self.test)

    @property
    def digest(self) -> str:
        """SHA-256 over everything a training reads."""
        sha = hashlib.sha256()
        for batch in (self.x, self.y, *(self.test or ())):
            for name, part in batch.items() if isinstance(batch, Mapping) else [("", batch)]:
                array = np.ascontiguousarray(part)
                sha.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
        return sha.hexdigest()

    def limited(self, n: int | None) -> Samples:
        """The first `n` training samples; the test samples stay."""
        return self if n is None else replace(self, x=take(self.x, slice(n)), y=take(self.y, slice(n)))


def samples_for(spec: Spec, layout: Layout, data: str | None, prepare: Mapping[str, Any]) -> Samples:
    """The samples of a data set, or of the spec where `data` is None.

    Raises
    ------
    DataError
        If there are none, or they do not fit the network.
    """
    if data is None:
        return spec_samples(spec, layout)
    if len(layout.inputs) != 1:
        raise DataError(
            f"{spec.name}: a network of {len(layout.inputs)} inputs cannot be fed from '{data}'; use samples in the spec."
        )
    try:
        found = load_data(data).prepared(layout.inputs[0].shape, **prepare)
    except DataError as error:
        raise DataError(f"{spec.name}, data {data}: {error}") from None
    _check_classes(spec, layout, data, int(max(found.y.max(), found.yt.max())) + 1)
    return Samples(data, found.x, found.y, (found.xt, found.yt))


def spec_samples(spec: Spec, layout: Layout) -> Samples:
    """The worked examples of a spec; there are none to test on.

    Raises
    ------
    DataError
        If there are none, one has no target, or one does not fit the network.
    """
    if not spec.samples:
        raise DataError(
            f"{spec.name}: nothing to train on: the spec has neither [data] nor [[sample]]. Name a data set: "
            f"--data digits|mnist|FOLDER."
        )
    for number, sample in enumerate(spec.samples):
        if sample.target is None:
            raise DataError(
                f"{spec.name}: sample {number} has no target, so there is no loss to train on. Add one to the spec, or name a "
                f"data set: --data digits|mnist|FOLDER."
            )
    x = _joined(f"{spec.name}: input", [sample.input for sample in spec.samples], layout.inputs)
    y = _joined(f"{spec.name}: target", [sample.target for sample in spec.samples], layout.heads)
    return Samples("its samples", x, y)


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


def _check_classes(spec: Spec, layout: Layout, data: str, n_classes: int) -> None:
    for head in layout.heads:
        if head.size > 1 and head.shape[0] < n_classes:
            raise DataError(
                f"{spec.name}, data {data}: {n_classes} classes; '{head.name or 'the output'}' has {head.shape[0]} units."
            )
