"""What all layer kinds have in common: the options every layer takes, and what laying one out gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from neurograph.errors import LayerError
from neurograph.ops.view import View
from neurograph.ops.wiring import Wiring
from neurograph.parameters import ParameterSpec
from neurograph.shapes import Shape, times

NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"
RESERVED_NAMES = ("input", "loss")
LARGEST = 2**63 - 1

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Count = Annotated[int, Field(strict=True, ge=1, le=LARGEST)]
Whole = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Activation = Literal[
    "identity", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu", "sigmoid", "tanh", "scaled_tanh", "softmax"
]
Initialisation = Literal["he", "glorot", "lecun", "uniform", "zeros", "ones"] | Number
PerAxis = Count | list[Count]


@dataclass(frozen=True)
class Bias:
    """Which bias a neuron of the layer has: ``name[Σ i·step]`` for the neuron at (i0, i1, …)."""

    name: str
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Wires:
    """One projection into the layer, before it is given its target (see `neurograph.graph.topology.Projection`)."""

    source: str
    axes: tuple[Wiring, ...]
    weight: str | None = None
    weight_offset: int = 0
    dropout: str | None = None
    padded: bool = False


@dataclass(frozen=True)
class Laid:
    """A layer laid out: its neurons and wires, or (flatten, concat, dropout) only a new view of older neurons."""

    view: View
    kind: str | None = None
    """Neuron kind; None where the layer makes no neurons."""

    wires: tuple[Wires, ...] = ()
    parameters: tuple[ParameterSpec, ...] = ()
    bias: Bias | None = None
    divisor: float | None = None
    activation: str = "identity"
    keep: float | None = None
    """For dropout: the probability to keep."""


class Options(BaseModel):
    """Base of every table in a spec: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LayerSpec(Options):
    """Options that every layer takes."""

    name: Name = Field(description="Unique name of the layer.")
    label: str | None = Field(None, max_length=200, description="Free text shown in diagrams.")
    sources: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, alias="from", description="Layers (or 'input') it reads; default: the layer before."
    )

    takes: ClassVar[str] = "one"
    """``one`` source, or ``many``."""

    kind: str

    @field_validator("sources", mode="before")
    @classmethod
    def _one_name_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    def lay(self, inputs: tuple[View, ...]) -> Laid:
        """Lay the layer out over what it reads.

        Raises
        ------
        LayerError
            If the options do not fit the inputs.
        """
        raise NotImplementedError(f"{type(self).__name__}.lay")


class ComputingLayer(LayerSpec):
    """A layer that makes neurons."""

    activation: Activation = Field("identity", description="Function applied to z.")


class WeightedLayer(ComputingLayer):
    """A layer with weights."""

    bias: bool | list[Number] = Field(True, description="True, false, or the numbers.")
    init: Initialisation | None = Field(
        None, description="Initialisation of the weights; default: he before ReLUs, else glorot."
    )
    weights: list[Any] | None = Field(None, description="Given numbers, in the weight's shape or flat.")
    trainable: bool | list[Literal["weight", "bias"]] = Field(
        True, description="True, false, or the list of what trains."
    )
    weights_from: str | None = Field(None, description="Share weight and bias of another layer of equal shapes.")

    @model_validator(mode="after")
    def _shared_weights_are_not_given(self) -> Self:
        own = [word for word in ("weights", "init") if getattr(self, word) is not None]
        if self.weights_from is not None and own:
            raise ValueError(
                f"weights_from and {own[0]} exclude each other; the weights are those of '{self.weights_from}'"
            )
        return self

    def is_trainable(self, part: str) -> bool:
        """Whether this layer's ``"weight"`` or ``"bias"`` trains."""
        return self.trainable if isinstance(self.trainable, bool) else part in self.trainable

    @property
    def weight_name(self) -> str:
        """Name of the weight array; the owner's under `weights_from`."""
        return f"{self.weights_from or self.name}.weight"

    @property
    def bias_name(self) -> str | None:
        """Name of the bias array, or None."""
        if self.bias is False:
            return None
        own = self.weights_from is None or isinstance(self.bias, list)
        return f"{self.name if own else self.weights_from}.bias"

    def weight_spec(
        self, shape: Shape, fan_in: int, fan_out: int, used: NDArray[np.bool_] | None = None
    ) -> ParameterSpec:
        """Declare the weight array; given numbers are put into its shape."""
        values = None if self.weights is None else as_array(self.weights, shape, "weights")
        if values is not None and used is not None and np.any(values[~used]):
            row, channel, *_ = (int(i) for i in np.argwhere(~used & (values != 0))[0])
            raise LayerError(
                f"weights gives row {row} a value for input map {channel}, which it does not read; write 0 there."
            )
        init = self.init if self.init is not None else ("he" if self.activation in ("relu", "leaky_relu") else "glorot")
        return ParameterSpec(self.weight_name, shape, init, fan_in, fan_out, values, self.is_trainable("weight"), used)

    def bias_specs(self, shape: Shape) -> tuple[ParameterSpec, ...]:
        """Declare the bias array, if the layer has one."""
        if self.bias_name is None:
            return ()
        values = as_array(self.bias, shape, "bias") if isinstance(self.bias, list) else None
        return (ParameterSpec(self.bias_name, shape, "zeros", 0, 0, values, self.is_trainable("bias"), role="bias"),)


def as_array(values: Any, shape: Shape, what: str) -> NDArray[np.float64]:
    """Put given numbers into `shape`; a list of the right length in another nesting is reshaped row-major.

    Raises
    ------
    LayerError
        If something is no finite number, lists are ragged, or there are too many or too few.
    """
    array = numbers(values)
    if array is None:
        raise LayerError(f"{what} must be numbers in the shape {times(shape)}.")
    if array.size != prod(shape):
        raise LayerError(f"{what} has {array.size} numbers; its shape {times(shape)} needs {prod(shape)}.")
    if not np.isfinite(array).all():
        raise LayerError(f"{what} holds a value that is not finite.")
    return array.reshape(shape)


def numbers(values: Any) -> NDArray[np.float64] | None:
    """Nested lists of numbers as an array; None where they are ragged or hold something else (true is no number).

    Examples
    --------
    >>> numbers([[1, 2], [3, 4.5]]), numbers([1, True]), numbers([[1], [2, 3]])
    (array([[1. , 2. ],
           [3. , 4.5]]), None, None)
    """
    try:
        array = np.array(values)
    except ValueError:
        return None
    return array.astype(np.float64) if array.dtype.kind in "fiu" and not _holds_truth(values) else None


def _holds_truth(values: Any) -> bool:
    return any(map(_holds_truth, values)) if isinstance(values, list) else isinstance(values, bool)


def uneven(what: str, n_given: int, rank: int) -> str:
    """The message for a list with another length than the input has spatial axes."""
    entries, axes = "entry" if n_given == 1 else "entries", "axis" if rank == 1 else "axes"
    return f"{what} has {n_given} {entries}; the input has {rank} spatial {axes}."


def per_axis(value: int | Sequence[int], rank: int, what: str) -> tuple[int, ...]:
    """One number per spatial axis; a single one is repeated."""
    if isinstance(value, int):
        return (value,) * rank
    if len(value) != rank:
        raise LayerError(uneven(what, len(value), rank))
    return tuple(value)
