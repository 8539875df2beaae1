"""Convolution (cross-correlation): z(f,v,u) = Σ w(f,c,i,j)·a(c, s·v + d·i − p, s·u + d·j − p) + b(f)."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from neurograph.errors import LayerError
from neurograph.ops.base import Bias, Count, Laid, Number, PerAxis, WeightedLayer, Whole, Wires, per_axis
from neurograph.ops.view import View, along_channels, check_axes, view_of
from neurograph.ops.windows import Padding, Windows, fit
from neurograph.ops.wiring import Blocks, Pairs, Wiring
from neurograph.parameters import ParameterSpec
from neurograph.shapes import Shape, row_major, times

MOST_TABLED = 10**7
"""Slots of a weight array with a connection table at most: which of them are used is written out."""


class Conv(WeightedLayer):
    """A convolution over 1, 2 or more spatial axes; weight (filters, channels / groups, *kernel), as PyTorch."""

    kind: Literal["conv"] = "conv"
    filters: Count = Field(description="Number of feature maps.")
    kernel: PerAxis = Field(description="Extent of the filter, one number or one per axis.")
    stride: PerAxis = Field(1, description="Step of the filter.")
    padding: Padding = Field(0, description="Number, per axis, per side ([[0, 1], [0, 1]]), 'valid', 'same' or 'full'.")
    dilation: PerAxis = Field(1, description="Distance between the filter's taps.")
    groups: Count = Field(1, description="Maps and filters fall into so many groups; a filter reads its own.")
    connections: list[list[Whole]] | None = Field(None, description="Input maps of each filter; excludes groups.")
    tie: Literal["map", "none"] = Field("map", description="'none': locally connected, every neuron its own weights.")
    tie_bias: Literal["map", "none"] | None = Field(None, description="Default: as tie.")
    padding_value: Number | None = Field(None, description="Padded positions become constant neurons of this value.")

    word: ClassVar[str] = "kernel"

    @model_validator(mode="after")
    def _connections_exclude_groups(self) -> Self:
        if self.connections is not None and self.groups != 1:
            raise ValueError(
                "connections and groups exclude each other; connections already say which maps a filter reads"
            )
        return self

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        (view,) = inputs
        check_axes(view, self.kind)
        windows = self._windows(view.shape)
        shape = (self.filters, *windows.outputs)
        channels = view.shape[0] // self.groups
        row = channels * prod(windows.kernel)
        spatial = row_major(windows.outputs)
        tied = self.tie == "map"
        filter_weight = row if tied else row * prod(windows.outputs)
        wiring = self._channels(view.shape[0], filter_weight, prod(windows.kernel))
        targets = None if tied else tuple(row * step for step in spatial)
        axes = windows.axes(targets, windows.tap_weights, self.padding_value is not None)
        wires = tuple(
            Wires(
                part.population,
                (channel, *axes),
                self.weight_name,
                offset,
                part.dropout,
                self.padding_value is not None,
            )
            for part, channel, offset in along_channels(view, wiring)
            if channel.count
        )
        bias = self._bias(windows.outputs)
        parameters = (
            *self._weight(shape, channels, windows),
            *self.bias_specs(self._bias_shape(shape)),
            *self._padding(view),
        )
        return Laid(view_of(self.name, shape), "weighted", wires, parameters, bias, activation=self.activation)

    def _windows(self, shape: Shape) -> Windows:
        rank = len(shape) - 1
        if shape[0] % self.groups or self.filters % self.groups:
            raise LayerError(
                f"groups {self.groups} must divide both its {shape[0]} input channels and its {self.filters} filters."
            )
        kernel, stride, dilation = (per_axis(getattr(self, w), rank, w) for w in ("kernel", "stride", "dilation"))
        return fit(self.kind, "kernel", shape, kernel, stride, self.padding, dilation)

    def _channels(self, n_channels: int, filter_weight: int, channel_weight: int) -> Wiring:
        if self.connections is None:
            return Blocks(
                self.groups, self.filters // self.groups, n_channels // self.groups, filter_weight, channel_weight
            )
        self._check_connections(n_channels)
        wires = [
            (f, c, f * filter_weight + c * channel_weight)
            for f, maps in enumerate(self.connections)
            for c in sorted(maps)
        ]
        return Pairs(self.filters, n_channels, tuple(wires))

    def _check_connections(self, n_channels: int) -> None:
        assert self.connections is not None
        if len(self.connections) != self.filters:
            raise LayerError(
                f"connections has {len(self.connections)} rows; it needs one for each of the {self.filters} filters."
            )
        for number, maps in enumerate(self.connections):
            if len(set(maps)) < len(maps):
                raise LayerError(f"connections row {number} lists a map twice.")
            wrong = [c for c in maps if c >= n_channels]
            if wrong or not maps:
                raise LayerError(
                    f"connections row {number} lists {wrong or 'no map'}; the input maps are 0…{n_channels - 1}."
                )

    def _bias_is_tied(self) -> bool:
        return (self.tie_bias or self.tie) == "map"

    def _bias(self, outputs: Shape) -> Bias | None:
        if self.bias_name is None:
            return None
        steps = (1, *[0] * len(outputs)) if self._bias_is_tied() else (prod(outputs), *row_major(outputs))
        return Bias(self.bias_name, steps)

    def _bias_shape(self, shape: Shape) -> Shape:
        return (shape[0],) if self._bias_is_tied() else (prod(shape),)

    def _weight(self, shape: Shape, channels: int, windows: Windows) -> tuple[ParameterSpec, ...]:
        rows = shape[0] if self.tie == "map" else prod(shape)
        weight_shape = (rows, channels, *windows.kernel)
        taps = prod(windows.kernel)
        used = None
        fan_in = channels * taps
        if self.connections is not None:
            if prod(weight_shape) > MOST_TABLED:
                raise LayerError(
                    f"connections into a weight of shape {times(weight_shape)}; at most {MOST_TABLED:,} slots may have a table."
                )
            table = np.zeros((self.filters, channels), dtype=bool)
            for number, maps in enumerate(self.connections):
                table[number, maps] = True
            fan_in = round(table.sum() / self.filters * taps)
            per_row = np.repeat(table, rows // self.filters, axis=0)
            used = np.broadcast_to(per_row.reshape(rows, channels, *[1] * len(windows.kernel)), weight_shape).copy()
        return (self.weight_spec(weight_shape, fan_in, self.filters // self.groups * taps, used),)

    def _padding(self, view: View) -> tuple[ParameterSpec, ...]:
        if self.padding_value is None:
            return ()
        if len(view.parts) > 1:
            raise LayerError("padding_value reads a concatenation; it needs a single layer as its source.")
        if view.parts[0].dropout is not None:
            raise LayerError(
                "padding_value reads through a dropout, which would thin out constants; put the dropout elsewhere."
            )
        value: Any = np.array(self.padding_value)
        return (ParameterSpec(f"{self.name}.padding", (), None, values=value, trainable=False, role="constant"),)
