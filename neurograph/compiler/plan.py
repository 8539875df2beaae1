"""The compiler's intermediate representation: what the passes make and `bind` executes.

A plan is a list of steps in topological order. A step computes the neurons of one population (or some of them) from projections;
a projection is made of loop nests, and of a table for the neurons whose stencil nobody shares. Positions are coordinates, not
memory; weights are addresses in one flat space (`PlanParameter.offset` + flat index), so a stencil may cross parameters. Everything
is frozen, arrays compare by content, and equal plans are equal values.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import node_id
from neurograph.graph.heads import HeadSpec
from neurograph.parameters import Reference

Position = tuple[int, ...]
Edge = tuple[Hashable, Hashable, Reference | None, str]
"""Target, source, weight reference, op."""

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
    """A stencil: what a neuron reads, relative to its two anchors, in fan-in order (row-major; max: the order of ties)."""

    source: Numbers
    """Source offsets from the first source (all 0 there), shape (T, rank of the source). `ONE` has rank 0."""

    weight: Numbers | None
    """Weight offsets, shape (T,): from the start of the row where all weights lie in one row of a parameter, else from the
    first weight; they may be negative. None where edges carry no weight."""


@dataclass(frozen=True)
class Axis:
    """One loop of a nest: `count` neurons, `step` apart along target axis `along`.

    From one to the next the sources shift by `source` and the weights by `weight`. Weight 0: tied; else source 0: lanes;
    neither 0: parallel.
    """

    along: int
    count: int
    step: int
    source: Position
    weight: int

    @property
    def word(self) -> str:
        """``lanes``, ``tied`` or ``parallel``."""
        if self.weight == 0:
            return "tied"
        return "parallel" if any(self.source) else "lanes"


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
    """Innermost first: channels, then columns, then rows. None at all: one neuron, whose stencil larger boxes share."""

    @property
    def n_neurons(self) -> int:
        return prod(axis.count for axis in self.axes)

    @property
    def n_edges(self) -> int:
        return self.n_neurons * len(self.taps.source)


@dataclass(frozen=True)
class Table:
    """Neurons whose stencil no neighbour shares, as rows of edges (CSR): rows by position, edges in fan-in order."""

    target: Numbers
    """Positions, shape (n, rank of the target)."""

    start: Numbers
    """Row starts, shape (n + 1,)."""

    source: Numbers
    """Source positions, shape (edges, rank of the source)."""

    weight: Numbers | None
    """Weight addresses, shape (edges,); None where edges carry no weight."""

    origin: Numbers | None = None
    """In a joint table, per edge: 0 for the projection's own source, k for `PlanProjection.others[k - 1]`."""

    @property
    def n_neurons(self) -> int:
        return len(self.target)

    @property
    def n_edges(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class PlanProjection:
    """Edges from one population (or from `ONE`) into a step, with equal dropout, port and padding.

    Source positions outside the source's box hold the value of the parameter `halo`; where `halo` is None they hold 0 and
    stand for no edge (the `pad` pass puts them there).

    A *joint* projection has `others`: a maximum over several sources, where the order of a tie runs across them. It has no
    nests; its table names the source of every edge, positions have trailing zeros up to the largest rank.
    """

    source: Hashable
    nests: tuple[Nest, ...] = ()
    table: Table | None = None
    dropout: str | None = None
    port: int = 0
    halo: str | None = None
    others: tuple[tuple[Hashable, str | None], ...] = ()
    """Further (source, dropout) of a joint projection."""

    @property
    def n_edges(self) -> int:
        """Number of taps; after `pad` some of them may stand for no edge."""
        return sum(nest.n_edges for nest in self.nests) + (self.table.n_edges if self.table else 0)


@dataclass(frozen=True)
class PlanPopulation:
    """A box of positions that neurons sit in. Hand-made neurons share populations found by depth and order."""

    name: Hashable
    shape: Position
    nodes: tuple[Hashable, ...] | None = None
    """Node ids in row-major order, where they are not ``(name, *index)``; None where no neuron sits."""

    @property
    def size(self) -> int:
        return prod(self.shape)

    def node(self, position: Position) -> Hashable:
        """Node id of the neuron at `position`."""
        if self.nodes is None:
            return node_id(self.name, position)
        flat = 0
        for extent, i in zip(self.shape, position, strict=True):
            flat = flat * extent + i
        return self.nodes[flat]


@dataclass(frozen=True)
class Fusion:
    """What the `fuse` pass moved into a step: its bias and activation, the loss of its head, and the pooling that follows."""

    bias: bool = False
    activation: bool = False
    loss: bool = False
    pool: Hashable = None
    """The max pool that alone reads this step."""


@dataclass(frozen=True)
class Route:
    """How δ goes back through a maximum: to winners only, or added onto everything its windows share.

    `assigns`: windows share no neuron, so each error is written once, and what no window reads stays 0. `gates`: the ReLU behind
    is passed on the way, since a winner is positive or has slope 0.
    """

    assigns: bool = False
    gates: bool = False

    @property
    def word(self) -> str:
        """``winners`` or ``dense``."""
        return "winners" if self.assigns else "dense"


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

    fusion: Fusion | None = None
    """From the pass `fuse`; None: nothing is fused, everything runs as a pass of its own."""

    route: Route | None = None
    """From the pass `route`, on maxima; None: dense."""


@dataclass(frozen=True)
class PlanParameter:
    """A parameter's place in the flat space of weight addresses."""

    name: str
    shape: Position
    offset: int

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def row(self) -> int:
        """Length of a row: the weights of one tied group."""
        return max(1, prod(self.shape[1:])) if self.shape else 1


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
    """Per head: its population, and the positions of its columns where they are not the whole population in order.
    ``(None, None)`` where the columns lie in several populations: see `spread`."""

    dropouts: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[int, tuple[tuple[Hashable, Position], ...]] = field(default_factory=dict)
    """Head number → (population, position) of each column, for heads whose columns lie in several populations."""

    constants: Mapping[tuple[str, Position], Hashable] = field(default_factory=dict)
    """(halo, position) → node id, for constants that are not called ``(halo, *position)``."""

    def population(self, name: Hashable) -> PlanPopulation:
        """The population of that name."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[Hashable, PlanPopulation]:
        return {population.name: population for population in self.populations}

    def nodes(self, population: Hashable) -> tuple[Hashable, ...]:
        """Node ids of a population, row-major; None where no neuron sits. Enumerates them: for plans of small networks."""
        box = self.population(population)
        return box.nodes or tuple(node_id(box.name, index) for index in np.ndindex(*box.shape))

    @cached_property
    def places(self) -> Mapping[Hashable, tuple[Hashable, Position]]:
        """Node id → (population, position), for populations whose node ids are not ``(name, *index)``."""
        found: dict[Hashable, tuple[Hashable, Position]] = {}
        for population in self.populations:
            for flat, node in enumerate(population.nodes or ()):
                if node is not None:
                    found[node] = population.name, tuple(int(i) for i in np.unravel_index(flat, population.shape))
        return found

    @property
    def n_weights(self) -> int:
        """Size of the flat space of weight addresses."""
        return sum(parameter.size for parameter in self.parameters)

    def edges(self) -> Iterator[Edge]:
        """Every edge as (target, source, weight reference, op), and one from `ONE` per neuron with a bias.

        Examples
        --------
        >>> from neurograph.compiler import plan
        >>> from neurograph.graph.neuron_graph import NeuronGraph
        >>> g = NeuronGraph()
        >>> g.add_input("x")
        >>> g.add_neuron("h", bias="b")
        >>> g.connect("x", "h", weight="w")
        >>> sorted(plan(g).edges())
        [('h', '1', ('b', 0), 'weighted'), ('h', 'x', ('w', 0), 'weighted')]
        """
        from neurograph.compiler.readback import edges

        return edges(self)

    def __str__(self) -> str:
        from neurograph.compiler.printing import write_plan

        return write_plan(self)
