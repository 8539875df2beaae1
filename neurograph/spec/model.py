"""The declaration of a network: what a spec file may say, as frozen types. Reading the file is `neurograph.spec.load`'s job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, field_validator

from neurograph.ops import AnyLayer
from neurograph.ops.base import Activation, Count, LayerSpec, Name, Number, Options, Whole
from neurograph.spec.data import AugmentSpec, DataSpec
from neurograph.spec.update import UpdateSpec

Extents = Annotated[list[Count], Field(min_length=1, max_length=3)]


class InputSpec(Options):
    """One of several inputs."""

    name: Name = Field(description="Unique name of the input.")
    shape: Extents = Field(description="Channels, then positions, such as [1, 28, 28].")


class NeuronSpec(Options):
    """One neuron of a hand-drawn network."""

    id: Name = Field(description="Its name in the graph.")
    kind: Literal["input", "weighted", "max", "mean", "l2", "sum", "rbf"] = Field(
        "weighted", description="How z comes from what it reads."
    )
    activation: Activation = Field("identity", description="Function applied to z.")
    bias: Name | None = Field(None, description="Name of its bias; the same name twice is one shared bias.")
    divisor: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = Field(
        None, description="What a mean divides by; default: how many it reads."
    )
    output: bool = Field(False, description="Whether it is an output; outputs are numbered in the order of the file.")


class EdgeSpec(Options):
    """One edge of a hand-drawn network."""

    source: Name = Field(alias="from", description="The neuron it starts at.")
    target: Name = Field(alias="to", description="The neuron it ends at.")
    weight: Name | None = Field(None, description="Name of its weight; the same name twice is one shared weight.")
    value: Number | None = Field(None, description="First value of the weight.")


class NamedParameter(Options):
    """Value and trainability of a named weight or bias of a hand-drawn network."""

    name: Name = Field(description="A weight or bias that an edge or neuron names.")
    value: Number | None = Field(None, description="Its first value.")
    trainable: bool = Field(True, description="Whether training changes it.")


class LossSpec(Options):
    """What a head is trained for."""

    kind: Literal["cross_entropy", "binary_cross_entropy", "mse", "rbf_map"] = Field(description="What is minimised.")
    of: Name | None = Field(None, description="The head; needed where there are several.")
    weight: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = Field(
        1.0, description="Factor of this loss in the sum over heads."
    )
    form: Literal["mean", "half_sum"] = Field("mean", description="Of mse: the mean over outputs, or half the sum.")
    targets: Annotated[list[Number], Field(min_length=2, max_length=2)] = Field(
        [0.0, 1.0], description="Off and on values of one-hot targets."
    )
    j: Number = Field(1.0, description="Constant class of rbf_map.")
    labels: Annotated[list[Whole], Field(min_length=2)] | Literal["input"] | None = Field(
        None,
        description="For each class of the data set, which class of this head it is; input: the head is to give the input again.",
    )
    label_smoothing: Annotated[float, Field(strict=True, ge=0, lt=1)] = Field(
        0.0, description="ε of the cross-entropies: targets become (1 − ε)·t + ε/K."
    )
    class_weights: (
        Annotated[list[Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]], Field(min_length=2)]
        | Literal["balanced"]
        | None
    ) = Field(None, description="Factor of a sample's loss by its class, or balanced: n/(K·n_c) from training labels.")


class TrainSpec(UpdateSpec):
    """How to train; every key can be overridden with --set train.KEY=VALUE."""

    epochs: Whole = Field(default=10, description="Passes over the training samples.")
    batch_size: Count = Field(default=32, description="Samples of one update.")
    reduction: Literal["mean", "sum"] = Field(
        default="mean", description="Gradients of a batch: their mean or their sum."
    )
    seed: Whole = Field(default=0, description="Of first weights, shuffling and dropout.")
    patience: Count | None = Field(default=None, description="Stop after so many epochs without a better one.")
    min_delta: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = Field(
        default=0.0, description="By how much an epoch must be better to count as better."
    )
    watch: Literal["validation_accuracy", "validation_loss", "accuracy", "loss"] | None = Field(
        default=None, description="What tells better from worse; default: the first of them that is measured."
    )
    keep: Literal["best", "last"] | None = Field(
        default=None, description="Weights to end with; default: the best where patience is set, else the last."
    )


class SampleSpec(Options):
    """A worked example that the spec carries: an input, and a target or an upstream gradient."""

    input: Any = Field(description="Numbers in the input's shape, or flat; for several inputs a table by name.")
    target: Any = Field(None, description="A class, or numbers in the head's shape; for several heads a table by name.")
    upstream: Any = Field(None, description="∂loss/∂a of the outputs, instead of a target.")
    label: str | None = Field(None, description="Free text.")


class Unreadable(LayerSpec):
    """Stands for a layer that could not be read, so that those behind it can."""

    takes: ClassVar[str] = "many"


MOST_FAULTS = 100
"""So many faults are listed at most; nobody reads more, and naming what was probably meant takes time."""


@dataclass(frozen=True)
class Origin:
    """Where a spec came from: the file as written, and the line of each table, by location such as ``("layer", 2)``."""

    path: str = "<text>"
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict)
    text: str = ""

    def where(self, *location: str | int) -> str:
        """``path:line`` of the nearest table or key known."""
        for length in range(len(location), 0, -1):
            if location[:length] in self.lines:
                return f"{self.path}:{self.lines[location[:length]]}"
        return self.path


class Spec(Options):
    """A network as declared: layers, or neurons and edges drawn by hand; never both."""

    name: Annotated[str, Field(min_length=1, max_length=64)] = "network"
    description: str = ""
    source: str = Field("", description="Paper or lecture it comes from.")
    input: Extents | list[InputSpec] = Field(default_factory=list)
    layers: list[AnyLayer] = Field(default_factory=list, alias="layer")
    neurons: list[NeuronSpec] = Field(default_factory=list, alias="neuron")
    edges: list[EdgeSpec] = Field(default_factory=list, alias="edge")
    parameters: list[NamedParameter] = Field(default_factory=list, alias="parameter")
    losses: list[LossSpec] = Field(default_factory=list, alias="loss")
    data: DataSpec | None = None
    augment: AugmentSpec | None = None
    train: TrainSpec = Field(default_factory=TrainSpec)
    samples: list[SampleSpec] = Field(default_factory=list, alias="sample")

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @field_validator("losses", mode="before")
    @classmethod
    def _one_loss_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, Mapping) else value

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Input name → shape; a single input is called "input"."""
        if self.input and isinstance(self.input[0], InputSpec):
            return {i.name: tuple(i.shape) for i in self.input if isinstance(i, InputSpec)}
        return {"input": tuple(n for n in self.input if isinstance(n, int))} if self.input else {}

    @property
    def input_names(self) -> list[str]:
        """Names of [[input]] tables as declared, twice where given twice; empty for a single unnamed input."""
        return [i.name for i in self.input if isinstance(i, InputSpec)]

    @property
    def is_hand_drawn(self) -> bool:
        """True where the network is given neuron by neuron."""
        return bool(self.neurons)

    @property
    def origin(self) -> Origin:
        """Where it came from."""
        return self._origin

    def from_origin(self, origin: Origin) -> Spec:
        """The same spec, with where it came from."""
        copy = self.model_copy()
        copy._origin = origin
        return copy
