"""Layers that make no neurons: flatten, concat and dropout only change how later layers see earlier ones."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from neurograph.errors import LayerError
from neurograph.ops.base import Laid, LayerSpec, Number
from neurograph.ops.view import View
from neurograph.shapes import times


class Flatten(LayerSpec):
    """All neurons along one axis, row-major."""

    kind: Literal["flatten"] = "flatten"

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        return Laid(inputs[0].flattened())


class Concat(LayerSpec):
    """Layers one after another along the first axis."""

    kind: Literal["concat"] = "concat"
    takes: ClassVar[str] = "many"

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        if len(inputs) < 2:
            raise LayerError("reads one layer; concat needs at least two, listed in from.")
        rest = inputs[0].shape[1:]
        if any(len(view.shape) != len(inputs[0].shape) or view.shape[1:] != rest for view in inputs):
            shapes = " and ".join(times(view.shape) for view in inputs)
            raise LayerError(f"its inputs have the shapes {shapes}; concat needs them equal in all axes but the first.")
        parts, offset = [], 0
        for view in inputs:
            parts += [replace(part, offset=part.offset + offset) for part in view.parts]
            offset += view.shape[0]
        return Laid(View((offset, *rest), tuple(parts)))


class Dropout(LayerSpec):
    """Inverted dropout: in training every value is kept with probability `keep` and divided by it; else the identity."""

    kind: Literal["dropout"] = "dropout"
    keep: Number | None = Field(None, gt=0, le=1, description="Probability to keep a value.")
    rate: Number | None = Field(None, ge=0, lt=1, description="Probability to drop a value; 1 − keep.")

    @model_validator(mode="after")
    def _one_of_keep_and_rate(self) -> Self:
        if (self.keep is None) == (self.rate is None):
            raise ValueError("give keep (probability to keep) or rate (probability to drop), one of them")
        return self

    @property
    def kept(self) -> float:
        """The probability to keep."""
        return self.keep if self.keep is not None else 1.0 - (self.rate or 0.0)

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        (view,) = inputs
        through = next((part.dropout for part in view.parts if part.dropout), None)
        if through is not None:
            raise LayerError(
                f"reads '{through}', which is a dropout already; an edge passes through one dropout. Keep one of them."
            )
        parts = tuple(replace(part, dropout=self.name) for part in view.parts)
        return Laid(View(view.shape, parts), keep=self.kept)
