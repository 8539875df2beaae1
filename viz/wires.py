"""How an edge looks and runs: colour by weight, winners bold, a lane behind its own plane, an S between planes."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass

from neurograph.graph.address import Node, write_node, write_reference
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.parameters import Reference

from .colours import GREY, INK, NEGATIVE, POSITIVE, mix, tie_colour
from .numbers import short
from .panels import FEW, Panel, Spot
from .scene import Curve, Point
from .subject import Subject

Edge = tuple[Node, Node]
MANY = 450
"""Edges above which all of them are thin."""


@dataclass(frozen=True)
class Looks:
    """What the edges of one picture have in common.

    Attributes
    ----------
    ties : mapping of reference to int
        Weights that several edges share → their colour's number.
    winners : collection of edge
        Edges that carry the winner of a max pool.
    path : collection of edge, or None
        Edges that are lit; the others step back. None: all are equal.
    largest : mapping
        Parameter → its largest absolute weight (or gradient, where that is shown).
    nodes : collection of node, or None
        Neurons that are lit; the others step back. None: all are equal.
    chosen : collection of node
        Neurons whose edges are drawn, where not all are.
    padded : bool
        Whether padded positions are drawn.
    n_edges : int
        How many edges are drawn.
    """

    ties: Mapping[Reference, int]
    winners: Collection[Edge]
    path: Collection[Edge] | None
    largest: Mapping[str, float]
    nodes: Collection[Node] | None = None
    chosen: Collection[Node] = ()
    padded: bool = False
    n_edges: int = 0


def shared_weights(graph: NeuronGraph) -> dict[Reference, int]:
    """Weights that more than one edge carries, numbered within their parameter."""
    counts: dict[Reference, int] = {}
    for _, _, reference in graph.edges(data="param"):
        if reference is not None:
            counts[reference] = counts.get(reference, 0) + 1
    shared = sorted((reference for reference, n in counts.items() if n > 1), key=lambda r: (str(r[0]), r[1]))
    return {reference: number for number, reference in enumerate(shared)}


def winning_edges(graph: NeuronGraph, subject: Subject) -> set[Edge]:
    """Edges that carry the winner of a max pool in the sample shown."""
    if subject.inspector is None:
        return set()
    found = set()
    for node, kind in graph.nodes(data="kind"):
        if kind == "max" and graph.in_degree(node):
            card = subject.inspector.neuron(node)
            if card.winner is not None:
                found.add((card.terms[card.winner].source, node))
    return found


def lit_path(graph: NeuronGraph, around: Node, winners: Collection[Edge]) -> set[Edge]:
    """The fan-in of a neuron, and every edge that carries its activation on: through max pools only where it wins."""
    lit = {(source, around) for source in graph.pred[around]}
    front, seen = [around], {around}
    while front:
        node = front.pop()
        for target in graph.succ[node]:
            if graph.nodes[target].get("kind") == "max" and winners and (node, target) not in winners:
                continue
            lit.add((node, target))
            if target not in seen:
                seen.add(target)
                front.append(target)
    return lit


def draw_edge(graph: NeuronGraph, subject: Subject, edge: Edge, looks: Looks, path: tuple[Point, ...]) -> Curve:
    """One edge as a curve."""
    source, target = edge
    reference = graph.edges[edge].get("param")
    colour, thickness, dashed = _look(graph, subject, edge, reference, looks)
    lit = looks.path is None or edge in looks.path
    if not lit:
        colour, thickness = "#8a93a31c", 0.7
    elif looks.path is not None and len(looks.path) <= 60:
        thickness = max(thickness * 1.6, 2.2)
    arrow = lit and _has_room_for_arrow(graph, target, looks)
    return Curve(source, target, path, colour, thickness, dashed, arrow, _hint(subject, edge, reference))


def _has_room_for_arrow(graph: NeuronGraph, target: Node, looks: Looks) -> bool:
    if looks.path is None:
        return looks.n_edges <= 24
    return sum((source, target) in looks.path for source in graph.pred[target]) <= 3


def _look(
    graph: NeuronGraph, subject: Subject, edge: Edge, reference: Reference | None, looks: Looks
) -> tuple[str, float, bool]:
    many = looks.n_edges > 60
    if subject.colours_edges and reference is not None:
        return _scaled(subject.on_edge(reference), looks.largest.get(reference[0], 0.0), looks.n_edges)
    if subject.values == "delta" and subject.value(edge[1], "delta") == 0:
        return "#aab1bd70", 0.6, False
    if graph.nodes[edge[1]].get("kind") == "max":
        if edge in looks.winners:
            return INK, 2.4, False
        return ("#6b728080" if many else GREY), 0.8, True
    if reference is None:
        return GREY, 1.0, False
    if reference in looks.ties:
        return tie_colour(looks.ties[reference]) + ("b0" if many else ""), 1.0 if many else 1.8, False
    value = subject.weight(reference)
    if value is None:
        return GREY, 1.0, False
    return _scaled(value, looks.largest.get(reference[0], 0.0), looks.n_edges)


def _scaled(value: float | None, largest: float, n_edges: int) -> tuple[str, float, bool]:
    """Blue below 0, red above, stronger and thicker the larger (thinner among many); grey where it is 0 or not known."""
    if value is None or value == 0 or value != value:
        return "#aab1bd", 0.7, False
    share = min(1.0, abs(value) / largest) if largest else 0.0
    thickness = 0.7 + 1.6 * share if n_edges <= MANY else 0.3 + 0.9 * share
    return mix("#d3d6dc", POSITIVE if value > 0 else NEGATIVE, 0.35 + 0.65 * share), thickness, False


def _hint(subject: Subject, edge: Edge, reference: Reference | None) -> str:
    ends = f"{write_node(edge[0])} → {write_node(edge[1])}"
    if reference is None:
        return ends
    shapes = {name: spec.shape for name, spec in subject.network.parameters.items()}
    value = subject.weight(reference)
    written = write_reference(reference, shapes.get(reference[0], ()))
    return f"{ends}: {written}" + ("" if value is None else f" = {short(value, 6)}")


# -- the way it runs ---------------------------------------------------------------------------------------------------
def route(
    source: Spot, target: Spot, panels: Mapping[Hashable, Panel], tallest: tuple[float, float]
) -> tuple[Point, ...]:
    """A path from one neuron to another: along a lane out of its plane, an S between the planes, a lane into the target's.

    `panels` maps neurons to their panels; `tallest` is the upper and lower end of all panels, for edges that skip a column.
    """
    here, there = panels[source.node], panels[target.node]
    if here.group.rank >= there.group.rank:
        return _arc(source, target)
    start = (source.x + source.size / 2, source.y + _lane(source))
    end = (target.x - target.size / 2, target.y)
    out, into = (here.right + 4, start[1]), (there.left - 4, end[1])
    if len(here.group.shape) < 2 and len(there.group.shape) < 2 and max(len(here.spots), len(there.spots)) <= FEW:
        dy, dx = target.y - source.y, target.x - source.x
        length = (dx * dx + dy * dy) ** 0.5
        start = (source.x + dx / length * source.size / 2, source.y + dy / length * source.size / 2)
        end = (target.x - dx / length * target.size / 2, target.y - dy / length * target.size / 2)
        if there.group.rank - here.group.rank == 1:
            return _straight(start, end)
    if there.group.rank - here.group.rank > 1:
        return _around_columns(source, target, tallest)
    bend = (into[0] - out[0]) * 0.45
    middle = (out, (out[0] + bend, out[1]), (into[0] - bend, into[1]), into)
    return (start, *_third(start, out), *middle, *_third(into, end), end)


def _lane(spot: Spot) -> float:
    """A little up or down by column, so that the edges of one row do not cover one another."""
    if spot.columns < 2:
        return 0.0
    return ((spot.column + 0.5) / spot.columns - 0.5) * spot.size * 0.62


def _straight(start: Point, end: Point) -> tuple[Point, ...]:
    return (start, *_third(start, end), end)


def _third(start: Point, end: Point) -> tuple[Point, Point]:
    dx, dy = (end[0] - start[0]) / 3, (end[1] - start[1]) / 3
    return (start[0] + dx, start[1] + dy), (end[0] - dx, end[1] - dy)


def _around_columns(source: Spot, target: Spot, tallest: tuple[float, float]) -> tuple[Point, ...]:
    """Over or under everything between, whichever is nearer."""
    top, bottom = tallest
    above = (source.y + target.y) / 2 <= (top + bottom) / 2
    level = top - 46 if above else bottom + 30
    start = (source.x + source.size / 2, source.y + _lane(source))
    end = (target.x - target.size / 2, target.y)
    one, other = (start[0] + 70, level), (end[0] - 70, level)
    return (
        start, (start[0] + 45, start[1]), (one[0] - 50, level), one, *_third(one, other), other,
        (other[0] + 50, level), (end[0] - 45, end[1]), end,
    )  # fmt: skip


def _arc(source: Spot, target: Spot) -> tuple[Point, ...]:
    """Between neurons of one column: a bow to the right."""
    start, end = (source.x + source.size / 2, source.y), (target.x + target.size / 2, target.y)
    bow = 30 + abs(target.y - source.y) * 0.3
    return start, (start[0] + bow, start[1]), (end[0] + bow, end[1]), end
