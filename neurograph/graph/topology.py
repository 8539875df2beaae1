"""The network in closed form: populations of neurons and the projections that wire them, without a neuron written out.

Counts are exact Python integers in time proportional to the number of layers. `neurograph.graph.lay_out` makes a topology from a
spec; `neurograph.graph.build` writes it out; `neurograph.compiler` plans it directly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from neurograph.errors import UnknownName, suggest
from neurograph.graph.address import Node, node_id
from neurograph.graph.heads import HeadSpec
from neurograph.ops.wiring import Wiring
from neurograph.ops.words import POOL_KINDS
from neurograph.parameters import ParameterSpec

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Bias:
    """Biases of a population: neuron (i0, i1, …) has the bias ``name[Σ i·step]``."""

    name: str
    steps: tuple[int, ...]

    def index(self, position: tuple[int, ...]) -> int:
        """Flat index of the bias of the neuron at `position`."""
        return sum(step * i for step, i in zip(self.steps, position, strict=True))


@dataclass(frozen=True)
class Population:
    """The neurons of one layer.

    `shape` is the layer's natural shape: (channels, rows, columns), (channels, length), (units,), or () for a single
    hand-drawn neuron. `kind` is a neuron kind, `layer_kind` the word of the spec.
    """

    name: str
    kind: str
    shape: Shape
    activation: str = "identity"
    bias: Bias | None = None
    divisor: float | None = None
    layer_kind: str = ""

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def is_input(self) -> bool:
        return self.kind == "input"


@dataclass(frozen=True)
class Padding:
    """A constant frame around a projection's source: nodes (`layer`, c, y, x) in source coordinates, of value `parameter`."""

    layer: str
    parameter: str


@dataclass(frozen=True)
class Projection:
    """How one population feeds another: the product of one wiring per axis of the source.

    The target's missing trailing axes have coordinate 0 (a dense unit (o,) is (o, 0, 0) here). The weight of an edge is
    ``weight[weight_offset + Σ what the axes add]``; `weight` is None for pools and sums.
    """

    source: str
    target: str
    axes: tuple[Wiring, ...]
    weight: str | None = None
    weight_offset: int = 0
    dropout: str | None = None
    padding: Padding | None = None

    @cached_property
    def n_edges(self) -> int:
        return prod(axis.count for axis in self.axes)


@dataclass(frozen=True)
class Topology:
    """Populations in topological order (inputs first), and the projections into each of them.

    Attributes
    ----------
    populations : mapping of str to Population
    projections : tuple of Projection
        Grouped by target, in the order of the populations, then in the order in which the layer lists its sources.
    parameters : mapping of str to ParameterSpec
    heads : tuple of HeadSpec
        Layers nobody reads (hand-drawn networks: one head called None, whose members are `outputs`).
    outputs : tuple of tuple of str
        Per head, the populations it is made of.
    dropouts : mapping of str to float
        Dropout layer → probability to keep.
    """

    name: str
    populations: Mapping[str, Population]
    projections: tuple[Projection, ...]
    parameters: Mapping[str, ParameterSpec]
    heads: tuple[HeadSpec, ...]
    outputs: tuple[tuple[str, ...], ...]
    dropouts: Mapping[str, float] = field(default_factory=dict)

    # -- counts -------------------------------------------------------------------------------------------------------
    @cached_property
    def n_neurons(self) -> int:
        """All neurons but the inputs."""
        return sum(p.size for p in self.populations.values() if not p.is_input)

    @cached_property
    def n_inputs(self) -> int:
        return sum(p.size for p in self.populations.values() if p.is_input)

    @cached_property
    def n_units(self) -> int:
        """Neurons without the fixed pools, as papers count them."""
        return sum(p.size for p in self.populations.values() if not p.is_input and p.kind not in POOL_KINDS)

    @cached_property
    def n_edges(self) -> int:
        return sum(projection.n_edges for projection in self.projections)

    @cached_property
    def n_connections(self) -> int:
        """Edges plus one per neuron with a bias: LeCun's count."""
        return self.n_edges + sum(p.size for p in self.populations.values() if p.bias is not None)

    @cached_property
    def n_parameters(self) -> int:
        """Trainable parameters; a shared weight counts once, an unused slot not at all."""
        return sum(spec.size for spec in self.parameters.values() if spec.trainable)

    # -- looking things up --------------------------------------------------------------------------------------------
    def population(self, name: str) -> Population:
        """The population of a layer.

        Raises
        ------
        UnknownName
            With the nearest known name.
        """
        try:
            return self.populations[name]
        except KeyError:
            known = ", ".join(self.populations)
            raise UnknownName(f"no layer '{name}'{suggest(name, self.populations)} (known: {known})") from None

    def into(self, name: str) -> tuple[Projection, ...]:
        """Projections into one population."""
        return self._by_target.get(name, ())

    def out_of(self, name: str) -> tuple[Projection, ...]:
        """Projections out of one population."""
        return tuple(p for p in self.projections if p.source == name)

    @cached_property
    def _by_target(self) -> dict[str, tuple[Projection, ...]]:
        grouped: dict[str, list[Projection]] = {}
        for projection in self.projections:
            grouped.setdefault(projection.target, []).append(projection)
        return {name: tuple(group) for name, group in grouped.items()}

    @property
    def is_hand_drawn(self) -> bool:
        """True where every population is a single named neuron."""
        return all(p.shape == () for p in self.populations.values())

    def nodes(self, name: str) -> Iterator[Node]:
        """Node ids of one population, row-major. Enumerates them: ask only where that is small."""
        import itertools

        for index in itertools.product(*map(range, self.populations[name].shape)):
            yield node_id(name, index)

    def __repr__(self) -> str:
        return (
            f"Topology({self.name!r}: {len(self.populations)} populations, {self.n_neurons:,} neurons, {self.n_edges:,} edges, "
            f"{self.n_parameters:,} parameters)"
        )
