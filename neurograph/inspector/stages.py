"""The stages of a network, as a story walks through them: its layers; of a hand-drawn network, the neurons of equal depth."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import node_id, write_node
from neurograph.graph.layout import Layout, Place
from neurograph.graph.neighbourhood import fan_in
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.inspector.neuron import Neuron, at
from neurograph.trace import Trace

if TYPE_CHECKING:
    from neurograph.inspector.inspector import Inspector

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
SPARE = 3
"""A table is not shortened to leave out so few."""


@dataclass(frozen=True)
class Stage:
    """Populations that are computed together."""

    name: str
    populations: tuple[Hashable, ...]
    shapes: tuple[tuple[int, ...], ...]
    is_input: bool = False

    @property
    def size(self) -> int:
        """Number of places for neurons."""
        return sum(prod(shape) for shape in self.shapes)

    def place(self, position: int) -> Place:
        """The place of one neuron, by its number in the stage."""
        for name, shape in zip(self.populations, self.shapes, strict=True):
            if position < prod(shape):
                return name, tuple(int(i) for i in np.unravel_index(position, shape)) if shape else ()
            position -= prod(shape)
        raise IndexError(position)


@dataclass(frozen=True)
class Part:
    """The neurons that a stage has, with their numbers in one sample.

    Attributes
    ----------
    positions : ndarray of int
        Of the neurons that exist, within the stage. Numbers and choices below are in this order.
    """

    stage: Stage
    positions: Index
    trace: Trace
    sample: int

    def __len__(self) -> int:
        return len(self.positions)

    def values(self, what: str) -> Floats:
        """z, a or δ of all its neurons."""
        arrays = getattr(self.trace, what)
        found = [np.asarray(arrays[name][self.sample], np.float64).reshape(-1) for name in self.stage.populations]
        values: Floats = np.concatenate(found)[self.positions]
        return values

    def neuron(self, number: int) -> Neuron:
        """One of them."""
        return at(self.trace.network, self.trace.layout, self.stage.place(int(self.positions[number])))


def part_of(inspector: Inspector, stage: Stage) -> Part:
    """A stage in an inspector's pass and sample."""
    trace = inspector.trace
    return Part(stage, there(trace.network, trace.layout, stage), trace, inspector.sample)


def stages_of(network: Topology | NeuronGraph, layout: Layout) -> list[Stage]:
    """The network's stages, inputs first.

    Examples
    --------
    >>> import neurograph as ng
    >>> from neurograph.graph.layout import layout_of
    >>> topology = ng.lay_out(ng.load("mazur"))
    >>> [stage.name for stage in stages_of(topology, layout_of(topology))]
    ['i1, i2', 'h1, h2', 'o1, o2']
    """
    inputs = {place[0] for port in layout.inputs for place in (port.members or ((port.name, ()),))}
    by_hand = all(shape == () for shape in layout.shapes.values())
    groups = _by_depth(network, layout) if by_hand else [[name] for name in layout.shapes]
    found = []
    for names in groups:
        shapes = tuple(layout.shapes[name] for name in names)
        found.append(Stage(_title(names), tuple(names), shapes, names[0] in inputs))
    return found


def _by_depth(network: Topology | NeuronGraph, layout: Layout) -> list[list[Hashable]]:
    """Hand-made neurons by the length of the longest path that leads to them, each group in the layout's order."""
    depth: dict[Hashable, int] = {}
    for name in _topological(network):
        sources = [wire.from_place[0] for wire in fan_in(network, name)]
        depth[name] = max((depth[source] + 1 for source in sources), default=0)
    inputs = {place for port in layout.inputs for place, _ in port.members or ()}
    groups: dict[int, list[Hashable]] = {}
    for name in layout.shapes:
        groups.setdefault(0 if name in inputs else max(depth[name], 1), []).append(name)
    return [groups[level] for level in sorted(groups)]


def _topological(network: Topology | NeuronGraph) -> Iterable[Hashable]:
    if isinstance(network, Topology):
        return network.populations
    order: Iterable[Hashable] = nx.topological_sort(network)
    return order


def _title(names: Sequence[Hashable]) -> str:
    shown = [write_node(name) for name in names]
    return ", ".join(shown) if len(shown) <= 4 else f"{shown[0]} … {shown[-1]}"


def there(network: Topology | NeuronGraph, layout: Layout, stage: Stage) -> Index:
    """The positions of a stage's neurons; of an edited graph some may be gone."""
    if isinstance(network, Topology):
        return np.arange(stage.size)
    nodes = network.nodes
    renamed = {place: node for node, place in (layout.renamed or {}).items()}
    places = (stage.place(position) for position in range(stage.size))
    return np.flatnonzero([renamed.get(place, node_id(*place)) in nodes for place in places])


def largest_of(values: Floats, limit: int) -> list[int]:
    """The positions of the largest absolute values, in their own order; no number counts as larger than all.

    A few more than `limit` are all taken; where some must go, all that are exactly 0 go, but for the first three.

    Examples
    --------
    >>> largest_of(np.array([1.0, -5.0, 3.0, 0.0]), 2)
    [0, 1, 2, 3]
    >>> largest_of(np.array([0.0, 7.0, 0.0, 0.0, 0.0, 0.0, np.nan, -2.0]), 2), largest_of(np.zeros(9), 4)
    ([1, 6], [0, 1, 2])
    """
    if len(values) <= limit + SPARE:
        return list(range(len(values)))
    ranked = np.argsort(-_sizes(values), kind="stable")
    chosen = [int(position) for position in ranked[:limit] if values[position] != 0]
    return sorted(chosen or [int(position) for position in ranked[: min(3, limit)]])


def top_of(values: Floats) -> int:
    """The position of the largest absolute value."""
    return int(np.argmax(_sizes(values)))


def _sizes(values: Floats) -> Floats:
    return np.where(np.isnan(values), np.inf, np.abs(values))


def others(values: Floats, shown: Sequence[int], what: str) -> str:
    """How many values a table leaves out; empty where it shows all.

    Examples
    --------
    >>> others(np.array([3.0, 0.0, 0.0]), [0], "activations"), others(np.array([3.0, 1.0]), [0], "activations")
    ('… and 2 more, 0 all of them', '… and 1 with smaller activations')
    """
    seen = set(shown)
    left = [value for position, value in enumerate(values.tolist()) if position not in seen]
    if not left:
        return ""
    if any(left):
        return f"… and {len(left):,} with smaller {what}"
    return f"… and {len(left):,} more, 0 all of them" if len(left) > 1 else "… and 1 more, which is 0"


def number_of(inspector: Inspector, what: str, neuron: Neuron) -> float:
    """One neuron's z, a or δ in the inspector's sample; in fractions from an inspector that has them."""
    return inspector._number(what, neuron)
