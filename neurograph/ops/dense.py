"""Layers that read everything: dense (z = Σ w·a + b) and rbf (z = Σ (a − w)², LeNet-5's output of 1998)."""

from __future__ import annotations

from math import prod
from typing import Any, Literal

from pydantic import Field

from neurograph.ops.base import Bias, ComputingLayer, Count, Initialisation, Laid, WeightedLayer, Wires, as_array
from neurograph.ops.view import View, view_of
from neurograph.ops.wiring import Blocks
from neurograph.parameters import ParameterSpec
from neurograph.shapes import row_major


def _read_all(view: View, units: int, weight: str) -> tuple[Wires, ...]:
    """Wires from every neuron of a view, row-major, to every unit."""
    inner = prod(view.shape[1:])
    wires = []
    for part in view.parts:
        steps = row_major(part.shape) if part.shape else (1,)
        first, *others = part.shape or (1,)
        axes = [Blocks(1, units, first, view.size, steps[0])]
        axes += [Blocks(1, 1, extent, 0, step) for extent, step in zip(others, steps[1:], strict=True)]
        wires.append(Wires(part.population, tuple(axes), weight, part.offset * inner, part.dropout))
    return tuple(wires)


class Dense(WeightedLayer):
    """A fully connected layer; weight (units, inputs), as PyTorch."""

    kind: Literal["dense"] = "dense"
    units: Count = Field(description="Number of neurons.")

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        (view,) = inputs
        weight = self.weight_spec((self.units, view.size), view.size, self.units)
        bias = Bias(self.bias_name, (1,)) if self.bias_name else None
        wires = _read_all(view, self.units, self.weight_name)
        parameters = (weight, *self.bias_specs((self.units,)))
        return Laid(view_of(self.name, (self.units,)), "weighted", wires, parameters, bias, activation=self.activation)


class Rbf(ComputingLayer):
    """Euclidean radial basis functions: each unit measures its squared distance from a pattern."""

    kind: Literal["rbf"] = "rbf"
    units: Count = Field(description="Number of patterns.")
    weights: list[Any] | None = Field(None, description="The patterns, one row a unit.")
    init: Initialisation = Field("uniform", description="Initialisation of the patterns.")
    trainable: bool = Field(True, description="Whether the patterns train.")

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        (view,) = inputs
        shape = (self.units, view.size)
        values = None if self.weights is None else as_array(self.weights, shape, "weights")
        weight = ParameterSpec(f"{self.name}.weight", shape, self.init, view.size, self.units, values, self.trainable)
        wires = _read_all(view, self.units, weight.name)
        return Laid(view_of(self.name, (self.units,)), "rbf", wires, (weight,), activation=self.activation)
