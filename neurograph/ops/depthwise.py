"""Depthwise convolution: every input map has its own filters and nothing is summed over maps."""

from __future__ import annotations

from math import prod
from typing import Literal

from pydantic import Field

from neurograph.ops.base import Bias, Count, Laid, PerAxis, WeightedLayer, Wires, per_axis
from neurograph.ops.view import View, along_channels, check_axes, view_of
from neurograph.ops.windows import Padding, fit
from neurograph.ops.wiring import Blocks


class Depthwise(WeightedLayer):
    """Weight (channels·multiplier, 1, *kernel); output map f reads input map f // multiplier."""

    kind: Literal["depthwise"] = "depthwise"
    kernel: PerAxis = Field(description="Extent of the filter, one number or one per axis.")
    stride: PerAxis = Field(1, description="Step of the filter.")
    padding: Padding = Field(0, description="Number, per axis, per side ([[0, 1], [0, 1]]), 'valid', 'same' or 'full'.")
    multiplier: Count = Field(1, description="Filters for each input map.")

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        (view,) = inputs
        check_axes(view, self.kind)
        rank = len(view.shape) - 1
        kernel, stride = per_axis(self.kernel, rank, "kernel"), per_axis(self.stride, rank, "stride")
        windows = fit(self.kind, "kernel", view.shape, kernel, stride, self.padding)
        taps = prod(kernel)
        filters = view.shape[0] * self.multiplier
        axes = windows.axes(None, windows.tap_weights)
        channel = Blocks(view.shape[0], self.multiplier, 1, target_weight=taps)
        wires = tuple(
            Wires(part.population, (wiring, *axes), self.weight_name, offset, part.dropout)
            for part, wiring, offset in along_channels(view, channel)
        )
        weight = self.weight_spec((filters, 1, *kernel), taps, taps * self.multiplier)
        bias = Bias(self.bias_name, (1, *[0] * rank)) if self.bias_name else None
        shape = (filters, *windows.outputs)
        return Laid(
            view_of(self.name, shape),
            "weighted",
            wires,
            (weight, *self.bias_specs((filters,))),
            bias,
            activation=self.activation,
        )
