"""Layers that work element by element: add (a sum of equal shapes) and activation."""

from __future__ import annotations

from typing import ClassVar, Literal

from neurograph.errors import LayerError
from neurograph.ops.base import ComputingLayer, Laid, Wires
from neurograph.ops.view import View, along_channels, check_unflattened, view_of
from neurograph.ops.wiring import Blocks
from neurograph.shapes import times


def _one_to_one(view: View) -> tuple[Wires, ...]:
    channel, *others = (Blocks(extent, 1, 1) for extent in view.shape)
    return tuple(
        Wires(part.population, (wiring, *others), dropout=part.dropout)
        for part, wiring, _ in along_channels(view, channel)
    )


class Add(ComputingLayer):
    """The sum of two or more layers of equal shape: a skip connection ends here."""

    kind: Literal["add"] = "add"
    takes: ClassVar[str] = "many"

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        first = inputs[0].shape
        if len(inputs) < 2:
            raise LayerError("reads one layer; add needs at least two, listed in from.")
        if any(view.shape != first for view in inputs):
            raise LayerError(
                f"its inputs have the shapes {' and '.join(times(v.shape) for v in inputs)}; add needs equal shapes."
            )
        for view in inputs:
            check_unflattened(view, self.kind)
        wires = tuple(wire for view in inputs for wire in _one_to_one(view))
        return Laid(view_of(self.name, first), "sum", wires, activation=self.activation)


class ActivationLayer(ComputingLayer):
    """A neuron per input that applies a function to it."""

    kind: Literal["activation"] = "activation"

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        (view,) = inputs
        check_unflattened(view, self.kind)
        return Laid(view_of(self.name, view.shape), "sum", _one_to_one(view), activation=self.activation)
