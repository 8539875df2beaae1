"""The compiler's intermediate representation: what the passes make and `bind` executes.

A plan is a list of steps in topological order. A step computes the neurons of one population (or some of them) from projections;
a projection is made of loop nests, and of a table for the neurons whose stencil nobody shares. Positions are coordinates, not
memory; weights are addresses in one flat space (`PlanParameter.offset` + flat index), so a stencil may cross parameters. Everything
is frozen, arrays compare by content, and equal plans are equal values.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.neuron_graph import HeadSpec

Position = tuple[int, ...]
ONE = "1"
"""Name of the source that is always 1; a bias is the weight of an edge from it."""


class Numbers:
    """An int64 array that is read-only, hashable and equal by content."""

    __slots__ = ("_hash", "array")

    def __init__(self, values: Any) -> None:
        self.array: NDArray[np.int64] = np.array(values, dtype=np.int64)
        self.array.flags.writeable = False
        self._hash = hash((self.array.shape, self.array.tobytes()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Numbers) and self._hash == other._hash and np.array_equal(self.array, other.array)

    def __hash__(self) -> int:
        return self._hash

    def __len__(self) -> int:
        return len(self.array)

    def __repr__(self) -> str:
        return f"Numbers({self.array.tolist()!r:.80})"


@dataclass(frozen=True)
class Taps:
    """A stencil: what a neuron reads, relative to its anchors. The first offset is 0."""

    source: Numbers
    """Source offsets, shape (T, rank of the source)."""

    weight: Numbers | None
    """Weight offsets, shape (T,); None where edges carry no weight."""


@dataclass(frozen=True)
class Axis:
    """One loop of a nest: `count` neurons, `step` apart along target axis `along`.

    From one to the next the sources shift by `source` and the weights by `weight`. Source 0: lanes; weight 0: tied;
    neither: parallel.
    """

    along: int
    count: int
    step: int
    source: Position
    weight: int

    @property
    def word(self) -> str:
        """``lanes``, ``tied`` or ``parallel``."""
        if not any(self.source):
            return "lanes"
        return "tied" if self.weight == 0 else "parallel"


@dataclass(frozen=True)
class Nest:
    """A box of neurons with one stencil.

    The neuron at loop counters i has target ``target + Σ i·step`` (along each axis), and its tap t reads the source at
    ``source + Σ i·axis.source + taps.source[t]`` through the weight at ``weight + Σ i·axis.weight + taps.weight[t]``.
    """

    taps: Taps
    target: Position
    source: Position
    weight: int | None
    axes: tuple[Axis, ...]
    """Innermost first."""

    @property
    def n_neurons(self) -> int:
        product = 1
        for axis in self.axes:
            product *= axis.count
        return product

    @property
    def n_edges(self) -> int:
        return self.n_neurons * len(self.taps.source)


@dataclass(frozen=True)
class Table:
    """Neurons whose stencil nobody shares, as rows of edges (CSR), in order of their positions."""

    target: Numbers
    """Positions, shape (n, rank of the target)."""

    start: Numbers
    """Row starts, shape (n + 1,)."""

    source: Numbers
    """Source positions, shape (edges, rank of the source)."""

    weight: Numbers | None
    """Weight addresses, shape (edges,); None where edges carry no weight."""


@dataclass(frozen=True)
class PlanProjection:
    """Edges from one population (or from `ONE`) into a step, with equal dropout and port."""

    source: Hashable
    nests: tuple[Nest, ...] = ()
    table: Table | None = None
    dropout: str | None = None
    port: int = 0


@dataclass(frozen=True)
class PlanPopulation:
    """A box of positions that neurons sit in. Hand-made neurons share populations found by depth and order."""

    name: Hashable
    shape: Position
    nodes: tuple[Hashable, ...] | None = None
    """Node ids in row-major order, where they are not ``(name, *index)``."""


@dataclass(frozen=True)
class Step:
    """One population's neurons of equal op and activation."""

    population: Hashable
    op: str
    activation: str
    projections: tuple[PlanProjection, ...]
    divisor: float | None = None
    """For mean: what the sum is divided by."""

    members: Numbers | None = None
    """Positions (n, rank) where the step is not the whole population."""


@dataclass(frozen=True)
class PlanParameter:
    """A parameter's place in the flat space of weight addresses."""

    name: str
    shape: Position
    offset: int

    @property
    def size(self) -> int:
        product = 1
        for extent in self.shape:
            product *= extent
        return product


@dataclass(frozen=True)
class Plan:
    """A network as steps. `print(plan)` shows it, `plan.edges()` reads it back."""

    name: str
    parameters: tuple[PlanParameter, ...]
    inputs: tuple[PlanPopulation, ...]
    populations: tuple[PlanPopulation, ...]
    """All populations, inputs first."""

    steps: tuple[Step, ...]
    heads: tuple[HeadSpec, ...] = ()
    outputs: tuple[tuple[Hashable, Numbers | None], ...] = ()
    """Per head: its population, and the positions of its columns where they are not the whole population in order."""

    dropouts: Mapping[str, float] = field(default_factory=dict)
