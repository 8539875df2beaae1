"""The part of a network that a picture has room for: windows of its layers, and edges that say the most, as a graph.

Nothing else is written out, so a network of any size has a neuron view. What is left out is counted.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import prod

from neurograph.graph.address import Node, node_id
from neurograph.graph.neighbourhood import Wire, fan_in, fan_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.receptive import middle
from neurograph.graph.topology import Population, Topology
from neurograph.parameters import Reference

from .cone import ancestors, descendants
from .numbers import counted
from .subject import Subject

Window = tuple[range, ...]
"""The part of a layer that is drawn: a range along each axis."""

MOST_NEURONS = 11_000
MOST_UNITS = 196
MOST_LAYERS = 10
LARGEST_PLANE = 64
"""Rows or columns of a map above which it is cut."""
CUT = 32
MOST_EDGES = 1_200
"""Edges above which only those of a selection are drawn."""


@dataclass(frozen=True)
class Excerpt:
    """What is drawn of a network.

    Attributes
    ----------
    graph : NeuronGraph
        Partial: neurons and edges to draw; ``graph.graph["windows"]`` says which part of each layer it has.
    chosen : frozenset of node
        Neurons whose edges are drawn; empty where all are.
    left_out : tuple of str
        What is not drawn, in words.
    lit : frozenset of node, optional
        Neurons that are lit up; default those of the lit neuron's edges.
    ties : mapping, optional
        Shared weight → number of its colour; default those that several drawn edges carry.
    """

    graph: NeuronGraph
    chosen: frozenset[Node] = frozenset()
    left_out: tuple[str, ...] = ()
    lit: frozenset[Node] | None = None
    ties: Mapping[Reference, int] | None = None


def excerpt_of(subject: Subject, around: Node | None = None) -> Excerpt:
    """What the neuron view shows of a topology: as many neurons as there is room for, and the edges of a few.

    Parameters
    ----------
    subject : Subject
    around : node, optional
        The neuron whose edges are drawn, in both directions. Default: one neuron of every layer, and what it reads.
    """
    topology = subject.network
    assert isinstance(topology, Topology)
    focus = {} if around is None else _focus(topology, *subject.layout.place(around))
    windows = windows_of(
        topology, focus, _near(topology, None if around is None else str(subject.layout.place(around)[0]))
    )
    if around is not None:
        wires, chosen = [*fan_in(topology, around), *fan_out(topology, around)], frozenset({around})
    else:
        targets = [
            _telling(subject, p, windows[p.name])
            for p in topology.populations.values()
            if p.name in windows and not p.is_input
        ]
        wires, chosen = [wire for node in targets for wire in fan_in(topology, node)], frozenset(targets)
    graph = cut(topology, windows, wires)
    return Excerpt(graph, chosen, tuple(_left_out(topology, graph, windows, around)))


def _focus(topology: Topology, name: Hashable, index: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Where to look in every layer: at the neuron, in the middle of what it sees, and of what sees it."""
    at, depth = tuple((i,) for i in index), len(topology.populations)
    reached = {**ancestors(topology, str(name), at, depth), **descendants(topology, str(name), at, depth)}
    centres = {layer: tuple(axis[len(axis) // 2] for axis in reach) for layer, reach in reached.items()}
    return {**centres, str(name): index}


def _near(topology: Topology, layer: str | None) -> list[str]:
    """The layers that there is room for: around one layer, or the first."""
    names = list(topology.populations)
    first = 0 if layer is None else max(0, min(names.index(layer) - MOST_LAYERS // 2, len(names) - MOST_LAYERS))
    return names[first : first + MOST_LAYERS]


def windows_of(
    topology: Topology, focus: Mapping[str, tuple[int, ...]], layers: Iterable[str] | None = None
) -> dict[str, Window]:
    """The part of every layer that is drawn: all of it where there is room, else fewer maps, and maps cut around the focus."""
    names = topology.populations if layers is None else layers
    windows = {name: _window(topology.populations[name], focus.get(name)) for name in names}
    while sum(map(_size, windows.values())) > MOST_NEURONS:
        largest = max(windows, key=lambda name: (len(windows[name]) > 1, _size(windows[name])))
        shape, extents = topology.populations[largest].shape, [len(span) for span in windows[largest]]
        axis = 0 if extents[0] > 1 else max(range(len(shape)), key=lambda i: extents[i])
        at = focus.get(largest, (0, *middle(shape)[1:]))[axis]
        smaller = _around(at, extents[axis] // 2, shape[axis])
        windows[largest] = (*windows[largest][:axis], smaller, *windows[largest][axis + 1 :])
    return windows


def _window(population: Population, focus: tuple[int, ...] | None) -> Window:
    shape = population.shape
    at = focus if focus is not None else (0, *middle(shape)[1:])
    if len(shape) == 1:
        return (_around(at[0], min(shape[0], MOST_UNITS), shape[0]),)
    return tuple(
        _around(i, n if axis == 0 or n <= LARGEST_PLANE else CUT, n)
        for axis, (i, n) in enumerate(zip(at, shape, strict=True))
    )


def _around(at: int, count: int, extent: int) -> range:
    """`count` coordinates around one, inside the extent."""
    first = max(0, min(at - count // 2, extent - count))
    return range(first, first + count)


def _size(window: Window) -> int:
    return prod(len(span) for span in window)


def _telling(subject: Subject, population: Population, window: Window) -> Node:
    """The neuron of a layer whose edges are drawn: the one that is most active among those drawn, else one in the middle."""
    if subject.has_values and subject.inspector is not None and window:
        values = subject.inspector.trace.a[population.name][subject.inspector.sample]
        found = max(itertools.product(*window), key=lambda index: (abs(float(values[index])), index))
        return node_id(population.name, found)
    return node_id(population.name, tuple(span[len(span) // 2] for span in window))


def cut(topology: Topology, windows: Mapping[str, Window], wires: Iterable[Wire]) -> NeuronGraph:
    """A partial graph of the neurons in the windows, and those of the wires that run between them."""
    graph = NeuronGraph(
        name=topology.name,
        parameters=dict(topology.parameters),
        shapes={name: p.shape for name, p in topology.populations.items() if p.shape},
        heads=topology.heads,
        dropouts=dict(topology.dropouts),
        partial=True,
        windows=dict(windows),
        ranks=_ranks(topology),
    )
    number = itertools.count()
    for name, window in windows.items():
        population = topology.populations[name]
        for index in itertools.product(*window):
            graph.add_node(node_id(name, index), order=next(number), **_attributes(population, index))
    for wire in wires:
        if wire.source in graph and wire.target in graph:
            graph.add_edge(wire.source, wire.target, param=wire.param, port=wire.port, dropout=wire.dropout)
    return graph


def _ranks(topology: Topology) -> dict[str, int]:
    """Column of each layer: one after the last of its sources."""
    ranks: dict[str, int] = {}
    for name in topology.populations:
        ranks[name] = 1 + max((ranks[projection.source] for projection in topology.into(name)), default=-1)
    return ranks


def _attributes(population: Population, index: tuple[int, ...]) -> dict[str, object]:
    bias = population.bias
    return {
        "kind": population.kind,
        "activation": population.activation,
        "bias": None if bias is None else (bias.name, bias.index(index)),
        "layer": population.name if index else None,
        "index": index if index else None,
        "divisor": population.divisor,
        "output": None,
    }


def _left_out(topology: Topology, graph: NeuronGraph, windows: Mapping[str, Window], around: Node | None) -> list[str]:
    said = []
    n_layers = len(topology.populations) - len(windows)
    if n_layers:
        said.append(f"{counted(n_layers, 'layer')} not drawn: --around one of their neurons shows them")
    n_neurons = topology.n_neurons + topology.n_inputs - sum(map(_size, windows.values()))
    if n_neurons:
        said.append(
            f"{counted(n_neurons, 'neuron')} (inputs included) not drawn in all: above each layer stands which part of it is"
        )
    drawn = graph.number_of_edges()
    whose = "of the lit neuron" if around is not None else "into one neuron of every layer (framed)"
    said.append(f"drawn are {counted(drawn, 'edge')} {whose}, of {topology.n_edges:,}")
    return said


def all_edges(graph: NeuronGraph, nodes: Collection[Hashable]) -> NeuronGraph:
    """The part of a hand-made graph between these neurons."""
    part: NeuronGraph = graph.subgraph(nodes).copy()
    return part
