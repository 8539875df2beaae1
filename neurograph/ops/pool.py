"""Pooling: max, mean and L2 over windows or whole maps, and LeCun's trainable subsampling."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Literal

from pydantic import Field

from neurograph.ops.base import Bias, ComputingLayer, Laid, PerAxis, WeightedLayer, Wires, per_axis
from neurograph.ops.view import View, along_channels, check_axes, view_of
from neurograph.ops.windows import Padding, WindowMisfit, Windows, fit
from neurograph.ops.wiring import Blocks
from neurograph.shapes import Shape


class _Pool(ComputingLayer):
    """A pool over sliding windows; padded positions have no edge."""

    window: PerAxis = Field(description="Extent of the window, one number or one per axis.")
    stride: PerAxis | None = Field(None, description="Default: the window.")
    padding: Padding = Field(0, description="Number, per axis, per side ([[0, 1], [0, 1]]), 'valid', 'same' or 'full'.")

    neuron_kind: ClassVar[str] = "max"

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        (view,) = inputs
        check_axes(view, self.kind)
        windows = self._windows(view.shape)
        channel = Blocks(view.shape[0], 1, 1)
        wires = tuple(
            Wires(part.population, (wiring, *windows.axes()), dropout=part.dropout)
            for part, wiring, _ in along_channels(view, channel)
        )
        divisor = float(prod(windows.kernel)) if self.neuron_kind == "mean" else None
        shape = (view.shape[0], *windows.outputs)
        return Laid(view_of(self.name, shape), self.neuron_kind, wires, divisor=divisor, activation=self.activation)

    def _windows(self, shape: Shape) -> Windows:
        rank = len(shape) - 1
        window = per_axis(self.window, rank, "window")
        stride = per_axis(self.stride, rank, "stride") if self.stride is not None else window
        windows = fit(self.kind, "window", shape, window, stride, self.padding)
        for axis, wires in enumerate(windows.axes()):
            before, after = windows.padding[axis]
            if before >= window[axis] or (wires.n_targets - 1) * stride[axis] - before >= shape[1 + axis]:
                raise WindowMisfit(
                    f"padding {[before, after]} leaves a window without any input; use padding < window {window[axis]}."
                )
        return windows


class MaxPool(_Pool):
    """The largest of each window; the first in row-major order wins ties."""

    kind: Literal["maxpool"] = "maxpool"
    neuron_kind: ClassVar[str] = "max"


class AvgPool(_Pool):
    """The sum of each window divided by the window's size (padding counts as zeros, as PyTorch)."""

    kind: Literal["avgpool"] = "avgpool"
    neuron_kind: ClassVar[str] = "mean"


class L2Pool(_Pool):
    """The Euclidean norm of each window."""

    kind: Literal["l2pool"] = "l2pool"
    neuron_kind: ClassVar[str] = "l2"


class GlobalPool(ComputingLayer):
    """One value per map."""

    kind: Literal["globalpool"] = "globalpool"
    op: Literal["max", "mean", "l2"] = Field("mean", description="What is taken over each map.")

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        (view,) = inputs
        check_axes(view, self.kind)
        channels, *extents = view.shape
        whole = tuple(Blocks(1, 1, extent) for extent in extents)
        wires = tuple(
            Wires(part.population, (wiring, *whole), dropout=part.dropout)
            for part, wiring, _ in along_channels(view, Blocks(channels, 1, 1))
        )
        divisor = float(prod(extents)) if self.op == "mean" else None
        return Laid(view_of(self.name, (channels,)), self.op, wires, divisor=divisor, activation=self.activation)


class Subsample(WeightedLayer):
    """LeCun's subsampling: the sum of each window times one coefficient per map, plus one bias per map."""

    kind: Literal["subsample"] = "subsample"
    window: PerAxis = Field(description="Extent of the window, and its step.")

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        (view,) = inputs
        check_axes(view, self.kind)
        rank, channels = len(view.shape) - 1, view.shape[0]
        window = per_axis(self.window, rank, "window")
        windows = fit(self.kind, "window", view.shape, window, window, 0)
        wires = tuple(
            Wires(part.population, (wiring, *windows.axes()), self.weight_name, offset, part.dropout)
            for part, wiring, offset in along_channels(view, Blocks(channels, 1, 1, target_weight=1))
        )
        weight = self.weight_spec((channels,), prod(window), 1)
        bias = Bias(self.bias_name, (1, *[0] * rank)) if self.bias_name else None
        shape = (channels, *windows.outputs)
        return Laid(
            view_of(self.name, shape),
            "weighted",
            wires,
            (weight, *self.bias_specs((channels,))),
            bias,
            activation=self.activation,
        )
