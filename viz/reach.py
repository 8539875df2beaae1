"""The view around one neuron to a chosen depth: what it sees and who sees it, layer by layer, on planes of neurons."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable

from neurograph.graph.address import Node, node_id, write_node
from neurograph.graph.neighbourhood import Wire, fan_in, fan_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.inspector.neuron import find

from .cone import Reach, ancestors, descendants
from .excerpt import CUT, MOST_UNITS, Excerpt, Window, all_edges, cut
from .neurons import neuron_scene
from .numbers import counted
from .scene import Scene
from .subject import Subject

MOST_MAPS = 6
MOST_EDGES = 420
"""Edges of one step back or on above which only those of the strongest neuron are drawn."""
SMALL_MAP = 32


def reach_scene(subject: Subject, around: Node, depth: int) -> Scene:
    """Draw what a neuron reaches in `depth` steps back and on.

    Parameters
    ----------
    subject : Subject
    around : str or node id
    depth : int
        Edges back and on.

    Raises
    ------
    UnknownName
        If there is no such neuron.
    """
    node = find(subject.network, subject.layout, around).node
    title = f"{subject.name} · {write_node(node)}, {counted(depth, 'step')} back and on"
    if isinstance(subject.network, NeuronGraph):
        return neuron_scene(subject, _of_graph(subject.network, node, depth), node, title)
    return neuron_scene(subject, _of_topology(subject, subject.network, node, depth), node, title)


def _of_graph(graph: NeuronGraph, node: Node, depth: int) -> Excerpt:
    near = {node}
    for step in ("pred", "succ"):
        front = {node}
        for _ in range(depth):
            front = {other for one in front for other in getattr(graph, step)[one]}
            near |= front
    part = all_edges(graph, near)
    part.graph["partial"] = True
    return Excerpt(part, frozenset(), (), frozenset(near))


def _of_topology(subject: Subject, topology: Topology, node: Node, depth: int) -> Excerpt:
    layer, index = subject.layout.place(node)
    name = str(layer)
    own: Reach = tuple((i,) for i in index)
    reached = {**ancestors(topology, name, own, depth), **descendants(topology, name, own, depth), name: own}
    windows = {
        p.name: _window(p.shape, reached[p.name], index if p.name == name else None)
        for p in topology.populations.values()
        if p.name in reached
    }
    wires = [
        *_walk(subject, topology, node, depth, backward=True),
        *_walk(subject, topology, node, depth, backward=False),
    ]
    graph = cut(topology, windows, wires)
    lit = frozenset(
        node_id(layer, at) for layer, reach in reached.items() for at in itertools.product(*reach) if node_id(layer, at) in graph
    ) if sum(_size(reach) for reach in reached.values()) < 200_000 else frozenset(_lit(graph, reached))  # fmt: skip
    return Excerpt(graph, frozenset({node}), tuple(_left_out(topology, graph, reached, lit, wires)), lit)


def _size(reach: Reach) -> int:
    size = 1
    for axis in reach:
        size *= len(axis)
    return size


def _lit(graph: NeuronGraph, reached: dict[str, Reach]) -> Iterable[Node]:
    """The neurons drawn that are reached."""
    sets = {layer: [set(axis) for axis in reach] for layer, reach in reached.items()}
    for node, data in graph.nodes(data=True):
        layer, index = (node, ()) if data["layer"] is None else (data["layer"], data["index"])
        if all(i in axis for i, axis in zip(index, sets[layer], strict=True)):
            yield node


def _window(shape: tuple[int, ...], reach: Reach, own: tuple[int, ...] | None) -> Window:
    """Small maps whole, large ones around what is reached; of many maps the first reached."""
    if not shape:
        return ()
    if len(shape) == 1:
        return (_part(reach[0], shape[0], MOST_UNITS, 0),)
    first = own[0] if own is not None else reach[0][0]
    n = 1 if own is not None else min(MOST_MAPS, reach[0][-1] - first + 1)
    rest = (
        _part(axis, extent, CUT if extent > SMALL_MAP else extent, 2)
        for axis, extent in zip(reach[1:], shape[1:], strict=True)
    )
    return (range(first, first + n), *rest)


def _part(reach: tuple[int, ...], extent: int, most: int, margin: int) -> range:
    """A run of coordinates around what is reached, at most `most`."""
    if extent <= most:
        return range(extent)
    wanted = min(most, reach[-1] - reach[0] + 1 + 2 * margin)
    first = max(0, min((reach[0] + reach[-1]) // 2 - wanted // 2, extent - wanted))
    return range(first, first + wanted)


def _walk(subject: Subject, topology: Topology, node: Node, depth: int, backward: bool) -> list[Wire]:
    """The edges of every step: all of them while they are few, else those of the neuron that counts most."""
    found: list[Wire] = []
    front: list[Node] = [node]
    for _ in range(depth):
        step = fan_in if backward else fan_out
        n = len(step(topology, front[0])) if front else 0
        if n * len(front) > MOST_EDGES:
            front = [max(front, key=lambda one: (abs(subject.value(one, "a") or 0.0), write_node(one)))]
        wires = [wire for one in front for wire in step(topology, one)]
        found += wires
        front = list(dict.fromkeys(_end(topology, wires, backward)))
    return found


def _end(topology: Topology, wires: Iterable[Wire], backward: bool) -> list[Hashable]:
    """Where edges come from or go to; padded positions lead nowhere."""
    if not backward:
        return [wire.target for wire in wires]
    return [wire.source for wire in wires if str(wire.from_place[0]) in topology.populations]


def _left_out(
    topology: Topology, graph: NeuronGraph, reached: dict[str, Reach], lit: frozenset[Node], wires: list[Wire]
) -> list[str]:
    said = []
    n_reached = sum(map(_size, reached.values()))
    if n_reached > len(lit):
        said.append(
            f"{counted(n_reached - len(lit), 'neuron')} that it reaches are not drawn: above each layer stands which part is"
        )
    n_layers = len(topology.populations) - len(reached)
    if n_layers:
        said.append(f"{counted(n_layers, 'layer')} out of reach, not drawn")
    drawn = graph.number_of_edges()
    said.append(f"drawn are {counted(drawn, 'edge')}; where a step has too many, those of its most active neuron")
    return said
