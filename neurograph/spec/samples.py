"""The worked examples that a spec carries, and whether they fit its network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from neurograph.errors import Fault
from neurograph.ops.base import numbers
from neurograph.shapes import Shape, times
from neurograph.spec.model import SampleSpec, Spec
from neurograph.spec.resolve import Resolved
from neurograph.spec.wording import found


@dataclass(frozen=True)
class Ports:
    """What samples must fit: shapes of inputs and heads by name, and which heads have a loss.

    The single head of a hand-drawn network is called None.
    """

    inputs: Mapping[str | None, Shape]
    heads: Mapping[str | None, Shape]
    with_loss: bool


def ports_of_layers(spec: Spec, resolved: Resolved) -> Ports | None:
    """Ports of a network given by layers; None where there is no head, or one could not be laid out."""
    if not resolved.heads or any(name not in resolved.laid for name in resolved.heads) or not spec.inputs:
        return None
    heads: dict[str | None, Shape] = {name: resolved.laid[name].view.shape for name in resolved.heads}
    inputs: dict[str | None, Shape] = dict(spec.inputs.items())
    return Ports(inputs, heads, bool(spec.losses))


def ports_of_drawing(spec: Spec) -> Ports:
    """Ports of a hand-drawn network: its inputs in order, and its outputs in order."""
    n_inputs = sum(neuron.kind == "input" for neuron in spec.neurons)
    n_outputs = sum(neuron.output for neuron in spec.neurons)
    return Ports({"input": (n_inputs,)}, {None: (n_outputs,)}, bool(spec.losses))


def faults_of_samples(spec: Spec, ports: Ports) -> Iterator[Fault]:
    """Every sample that does not fit."""
    for number, sample in enumerate(spec.samples):
        for key, what in _wrong(sample, ports):
            yield Fault(spec.origin.where("sample", number, key), f"sample {number}: {what}")


def _wrong(sample: SampleSpec, ports: Ports) -> Iterator[tuple[str, str]]:
    for what in _misfits("input", sample.input, ports.inputs):
        yield "input", what
    if sample.target is not None and sample.upstream is not None:
        yield "upstream", "has a target and an upstream gradient; it needs one of them."
    if sample.target is not None:
        if not ports.with_loss:
            yield "target", "has a target, but the network has no [loss]; add one, or give upstream instead."
        for what in _misfits("target", sample.target, ports.heads, classes=True):
            yield "target", what
    for what in _misfits("upstream", sample.upstream, ports.heads) if sample.upstream is not None else ():
        yield "upstream", what


def _misfits(what: str, value: Any, shapes: Mapping[str | None, Shape], classes: bool = False) -> Iterator[str]:
    """What is wrong with values for one port, or with a table of values for several."""
    names = [str(name) for name in shapes if name is not None]
    if isinstance(value, Mapping):
        if set(value) != set(names):
            yield f"{what} has values for {', '.join(map(str, value)) or 'nothing'}; it needs {', '.join(names) or 'a list'}."
        for name in names:
            if name in value:
                yield from _misfit(f"{what} '{name}'", value[name], shapes[name], classes)
    elif len(shapes) > 1:
        yield f"{what} must be a table by name ({', '.join(names)}); found {found(value)}."
    else:
        yield from _misfit(what, value, next(iter(shapes.values())), classes)


def _misfit(what: str, value: Any, shape: Shape, classes: bool) -> Iterator[str]:
    size = prod(shape)
    if classes and size > 1 and isinstance(value, int) and not isinstance(value, bool):
        if len(shape) > 1 and prod(shape[1:]) > 1:
            yield f"{what} is one class; it needs {times(shape)} numbers."
        elif not 0 <= value < shape[0]:
            yield f"{what} is class {found(value)}; the head has the classes 0…{shape[0] - 1}."
        return
    array = numbers(value)
    if array is None:
        yield f"{what} must be numbers{' or a class' if classes and size > 1 else ''}; found {found(value)}."
    elif array.size != size:
        yield f"{what} has {array.size} numbers; it needs {times(shape)}{f' = {size}' if len(shape) > 1 else ''}."
    elif not np.isfinite(array).all():
        yield f"{what} holds a value that is not finite."
