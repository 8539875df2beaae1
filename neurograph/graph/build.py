"""Write a topology out, neuron by neuron and edge by edge; the only place where size is paid for."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import numpy as np

from neurograph.errors import GraphError, GraphTooLarge, check_type
from neurograph.graph.address import Node, node_id, write_node
from neurograph.graph.layout import layout_of
from neurograph.graph.neighbourhood import Wire, fan_in, fan_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Padding, Population, Projection, Topology
from neurograph.ops.wiring import Index
from neurograph.parameters import Reference
from neurograph.shapes import row_major

EDGE_LIMIT = 2_000_000
BYTES_PER_EDGE = 332
"""Measured: a NetworkX edge with its attributes."""


def build(topology: Topology, around: Node | None = None, limit: int = EDGE_LIMIT) -> NeuronGraph:
    """Write a network out as an explicit graph.

    Parameters
    ----------
    topology : Topology
    around : str or node id, optional
        Write out only this neuron with its fan-in and fan-out: a partial graph, to read, not to run.
    limit : int
        Most edges written out.

    Returns
    -------
    NeuronGraph
        Node ids are ``(layer, *index)``; hand-drawn neurons go by their own name.

    Raises
    ------
    GraphTooLarge
        With the count, the memory it would take and the way out.
    UnknownName
        If there is no neuron `around`.

    Examples
    --------
    >>> import neurograph as ng
    >>> graph = ng.build(ng.lay_out(ng.load("lenet5")), around="conv2[3,5,5]")
    >>> graph.in_degree(("conv2", 3, 5, 5)), graph.out_degree(("conv2", 3, 5, 5))
    (150, 1)
    """
    check_type("build", topology, Topology)
    if around is not None:
        return _partial(topology, around)
    if topology.n_edges > limit:
        raise GraphTooLarge(too_large(topology, limit))
    graph = _empty(topology)
    nodes: dict[str, list[Node]] = {}
    with collector_paused():
        for population in topology.populations.values():
            _check_room(topology, population, limit)
            nodes[population.name] = list(topology.nodes(population.name))
            _add_neurons(graph, population)
            for projection in topology.into(population.name):
                _add_edges(graph, topology, projection, nodes)
    _mark_outputs(graph, topology)
    return graph


@contextmanager
def collector_paused() -> Iterator[None]:
    """Half of the time would go to the garbage collector looking through edges that are all alive (planning needs it too)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def too_large(topology: Topology, limit: int) -> str:
    """The message for a topology with more edges than the limit."""
    largest = max(
        (p for p in topology.populations.values() if not p.is_input),
        key=lambda p: sum(w.n_edges for w in topology.into(p.name)),
    )
    neuron = write_node(node_id(largest.name, tuple(n // 2 for n in largest.shape)))
    return (
        f"{topology.name} has {topology.n_edges:,} edges; written out they need about {memory_text(topology.n_edges)} "
        f'(limit {limit:,} edges). Compile the topology, or build(topology, around="{neuron}").'
    )


def memory_text(n_edges: int) -> str:
    """How much memory an explicit graph of so many edges takes, in words.

    Examples
    --------
    >>> memory_text(412_960), memory_text(672_424_832)
    ('137 MB', '223 GB')
    """
    size = n_edges * BYTES_PER_EDGE
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if size < 1000:
            return f"{size} {unit}"
        size = round(size / 1000)
    return f"{size} EB"


def _check_room(topology: Topology, population: Population, limit: int) -> None:
    if population.size > 4 * limit:
        raise GraphTooLarge(
            f"{topology.name}: '{population.name}' has {population.size:,} neurons (limit {4 * limit:,}). Compile the topology."
        )


def _empty(topology: Topology) -> NeuronGraph:
    return NeuronGraph(
        name=topology.name,
        parameters=dict(topology.parameters),
        shapes={name: p.shape for name, p in topology.populations.items() if p.shape},
        heads=topology.heads,
        dropouts=dict(topology.dropouts),
    )


def _add_neurons(graph: NeuronGraph, population: Population) -> None:
    for index in itertools.product(*map(range, population.shape)):
        _add_neuron(graph, population, index)


def _add_neuron(graph: NeuronGraph, population: Population, index: tuple[int, ...]) -> None:
    bias = population.bias
    graph.add_node(
        node_id(population.name, index),
        order=graph._next_order(),
        kind=population.kind,
        activation=population.activation,
        bias=None if bias is None else (bias.name, bias.index(index)),
        layer=population.name if population.shape else None,
        index=index if population.shape else None,
        divisor=population.divisor,
        output=None,
    )


def _add_edges(graph: NeuronGraph, topology: Topology, projection: Projection, nodes: dict[str, list[Node]]) -> None:
    """Add one projection's edges; constant nodes of a padded frame are added on the way."""
    source, target = topology.populations[projection.source], topology.populations[projection.target]
    columns = _columns(projection)
    into = _picked([graph._pred[node] for node in nodes[target.name]], target, columns[0], len(columns[2]))
    targets = _picked(nodes[target.name], target, columns[0], len(columns[2]))
    sources = _picked(nodes[source.name], source, columns[1], len(columns[2]))
    if projection.padding is not None:
        sources = _framed_sources(graph, projection.padding, source, columns[1], sources)
    out_of = map(graph._succ.__getitem__, sources)
    before = _n_edges_into(graph, nodes[target.name])
    references, dropout = _references(projection, columns[2]), projection.dropout
    # What `add_edges_from` does, in a third of its time: nodes are known to be there, and edges to be new.
    for u, v, successors, predecessors, param in zip(sources, targets, out_of, into, references, strict=False):
        successors[v] = predecessors[u] = {"param": param, "port": 0, "dropout": dropout}
    if _n_edges_into(graph, nodes[target.name]) - before != len(targets):
        raise GraphError(
            f"'{source.name}' and '{target.name}' would be connected twice; a second edge between a pair is not kept."
        )


def _n_edges_into(graph: NeuronGraph, nodes: list[Node]) -> int:
    return sum(len(graph._pred[node]) for node in nodes)


def _references(projection: Projection, weight: Index) -> Iterable[Reference | None]:
    """The reference of every edge; edges of one weight share one tuple."""
    if projection.weight is None:
        return repeat(None)
    distinct, which = np.unique(weight, return_inverse=True)
    references = [(projection.weight, index) for index in distinct.tolist()]
    return map(references.__getitem__, which.tolist())


def _columns(projection: Projection) -> tuple[list[Index], list[Index], Index]:
    """Target and source coordinates per axis, and the weight's flat index, of every edge."""
    links = [axis.links() for axis in projection.axes]
    grid = (
        np.meshgrid(*[np.arange(len(link)) for link in links], indexing="ij")
        if links
        else [np.zeros(1, dtype=np.int64)]
    )
    picks = [axis.reshape(-1) for axis in grid]
    target = [link.target[pick] for link, pick in zip(links, picks, strict=False)]
    source = [link.source[pick] for link, pick in zip(links, picks, strict=False)]
    weight = sum(
        (link.weight[pick] for link, pick in zip(links, picks, strict=False)),
        np.full(len(picks[0]), projection.weight_offset),
    )
    return target, source, weight


def _picked(items: list[Any], population: Population, coordinates: list[Index], count: int) -> list[Any]:
    """What stands at these coordinates in a row-major list of one item a neuron; None outside the population's box."""
    flat, outside = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
    for column, extent, step in zip(coordinates, population.shape, row_major(population.shape), strict=False):
        flat += column * step
        outside |= (column < 0) | (column >= extent)
    flat[outside] = len(items)
    return list(map([*items, None].__getitem__, flat.tolist()))


def _framed_sources(
    graph: NeuronGraph, frame: Padding, source: Population, at: list[Index], inside: list[Node]
) -> list[Node]:
    """The sources with those outside the box replaced by constant nodes."""
    nodes = list(inside)
    for number in [number for number, node in enumerate(inside) if node is None]:
        index = tuple(int(column[number]) for column in at)
        nodes[number] = node_id(frame.layer, index)
        if nodes[number] not in graph:
            _add_constant(graph, frame, source, index)
    return nodes


def _add_constant(graph: NeuronGraph, frame: Padding, source: Population, at: tuple[int, ...]) -> None:
    graph.add_node(
        node_id(frame.layer, at),
        order=graph._next_order(),
        kind="constant",
        activation="identity",
        bias=None,
        layer=frame.layer,
        index=at,
        divisor=None,
        output=None,
        param=(frame.parameter, 0),
        pads=source.name,
    )


def _mark_outputs(graph: NeuronGraph, topology: Topology) -> None:
    for number, members in enumerate(topology.outputs):
        nodes = itertools.chain.from_iterable(topology.nodes(member) for member in members)
        for position, node in enumerate(nodes):
            if node in graph:
                graph.nodes[node]["output"] = (number, position)


def _partial(topology: Topology, around: Node) -> NeuronGraph:
    name, index = layout_of(topology).place(around)
    node = node_id(name, index)
    wires = [*fan_in(topology, node), *fan_out(topology, node)]
    graph = _empty(topology)
    graph.graph["partial"] = True
    for place in _in_order(topology, {(name, index), *(w.from_place for w in wires), *(w.to_place for w in wires)}):
        _add_place(graph, topology, place, wires)
    for wire in wires:
        graph.add_edge(wire.source, wire.target, param=wire.param, port=wire.port, dropout=wire.dropout)
    return graph


def _in_order(topology: Topology, places: set[tuple[Any, tuple[int, ...]]]) -> list[tuple[Any, tuple[int, ...]]]:
    rank = {name: number for number, name in enumerate(topology.populations)}
    return sorted(places, key=lambda place: (rank.get(place[0], -1), place[1]))


def _add_place(graph: NeuronGraph, topology: Topology, place: tuple[Any, tuple[int, ...]], wires: list[Wire]) -> None:
    name, index = place
    if name in topology.populations:
        _add_neuron(graph, topology.populations[name], index)
        return
    projection = next(p for p in topology.projections if p.padding is not None and p.padding.layer == name)
    assert projection.padding is not None
    _add_constant(graph, projection.padding, topology.populations[projection.source], index)
