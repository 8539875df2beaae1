"""The neuron view: neurons at their places, with their numbers, and edges in the colours of their weights."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from neurograph.graph.address import Node, write_node, write_reference
from neurograph.graph.neuron_graph import NeuronGraph

from .colours import FADED, FAINT, GREY, INK, PAPER, delta_on, ink_on, mix, signed, tie_colour
from .excerpt import Excerpt
from .foot import headline, put_foot, put_headline, put_title, width_of
from .groups import Group, groups_of
from .labels import MOST_EDGES, label_edges
from .numbers import short
from .panels import Panel, Spot, is_roomy, place
from .rims import draw_rim, with_rims
from .scene import Canvas, Cell, Curve, Form, Line, Scene, Shape, lines_height, text_width
from .subject import Subject
from .wires import Looks, draw_edge, lit_path, route, shared_weights, winning_edges

HEADER = 56.0
TINY = 9.0
"""Neurons smaller than this are nothing but their colour."""


def neuron_scene(subject: Subject, picture: Excerpt, around: Node | None = None, title: str = "") -> Scene:
    """Draw neurons.

    Parameters
    ----------
    subject : Subject
    picture : Excerpt
        Which neurons and edges.
    around : node, optional
        A neuron to light up, with its fan-in and the way its activation takes.
    title : str
        What stands above the picture; default the network's name.
    """
    graph = picture.graph
    groups = with_rims(subject, groups_of(graph))
    heads = {group.name: headline(subject, group) for group in groups}
    panels = place(groups, HEADER, {name: width_of(lines) for name, lines in heads.items()})
    looks = _looks(subject, picture, around, any(group.rim for group in groups))
    canvas = Canvas()
    canvas.curves += _edges(subject, graph, panels, looks)
    largest = _scales(subject, panels)
    with_bias = is_roomy(groups) and graph.number_of_edges() <= MOST_EDGES
    for panel in panels:
        draw_rim(canvas, subject, panel, around, looks.ties)
        for spot in panel.spots:
            shape = _neuron(subject, panel.group, spot, largest[panel.group.name])
            canvas.add(_framed(shape, looks) if looks.nodes is None else _lit(shape, graph, looks, around))
            if with_bias or panel.group.is_single:
                _bias(canvas, subject, graph, spot)
            _target(canvas, subject, spot)
        put_headline(canvas, panel, heads[panel.group.name], 20 if with_bias else 7)
    label_edges(canvas, subject, graph)
    put_foot(canvas, subject, picture, looks, around)
    put_title(canvas, title or subject.name, subject.about())
    return canvas.scene(subject.name, least_width=760)


def _looks(subject: Subject, picture: Excerpt, around: Node | None, padded: bool) -> Looks:
    graph = picture.graph
    winners = winning_edges(graph, subject)
    path = None if around is None else set(graph.edges) if graph.is_partial else lit_path(graph, around, winners)
    ties = shared_weights(graph) if picture.ties is None else picture.ties
    nodes = picture.lit
    if nodes is None and path is not None:
        nodes = frozenset(node for edge in path for node in edge) | {around}
    return Looks(ties, winners, path, _largest_weights(subject), nodes, picture.chosen, padded, graph.number_of_edges())


def _largest_weights(subject: Subject) -> Mapping[str, float]:
    """Per parameter the largest number on its edges; hand-named weights are compared with one another."""
    largest = {name: subject.largest_on_edges(name) for name in subject.numbers}
    named = max((size for name, size in largest.items() if subject.numbers[name].shape == ()), default=0.0)
    return {name: named if subject.numbers[name].shape == () else size for name, size in largest.items()}


def _edges(subject: Subject, graph: NeuronGraph, panels: Sequence[Panel], looks: Looks) -> list[Curve]:
    spots = {spot.node: spot for panel in panels for spot in panel.spots}
    home: dict[Hashable, Panel] = {spot.node: panel for panel in panels for spot in panel.spots}
    ends = min(panel.top for panel in panels), max(panel.bottom for panel in panels)
    drawn = [edge for edge in graph.edges if edge[0] in spots]
    curves = [
        draw_edge(graph, subject, edge, looks, route(spots[edge[0]], spots[edge[1]], home, ends)) for edge in drawn
    ]
    rank = [(looks.path is not None and edge in looks.path, edge in looks.winners) for edge in drawn]
    return [curve for _, curve in sorted(zip(rank, curves, strict=True), key=lambda pair: pair[0])]


# -- neurons -----------------------------------------------------------------------------------------------------------
def _scales(subject: Subject, panels: Sequence[Panel]) -> dict[Hashable, float]:
    """The end of each group's colour scale; hand-drawn neurons of one column share theirs."""
    scales = {panel.group.name: subject.largest(spot.node for spot in panel.spots) for panel in panels}
    columns: dict[int, float] = {}
    for panel in panels:
        if panel.group.is_single:
            columns[panel.group.rank] = max(columns.get(panel.group.rank, 0.0), scales[panel.group.name])
    return {p.group.name: columns[p.group.rank] if p.group.is_single else scales[p.group.name] for p in panels}


def _neuron(subject: Subject, group: Group, spot: Spot, largest: float) -> Shape:
    value = subject.main(spot.node)
    fill = PAPER if value is None else signed(value, largest)
    is_map = len(group.shape) > 1
    form: Form = "box" if is_map or spot.size < TINY else "circle"
    lines = _lines(subject, group, spot, fill)
    border, thickness = ("#8a93a3" if is_map else GREY, 1.0) if spot.size >= 2 * TINY else (FAINT, 0.4)
    if subject.values == "delta" and value == 0:  # it takes no part
        border, lines = FAINT, tuple(replace(line, colour=FADED, bold=False) for line in lines)
    hint = subject.hint(spot.node, write_node(spot.node))
    cells = (Cell(lines, spot.size),)
    return Shape(spot.node, spot.x, spot.y, spot.size, spot.size, cells, form, fill, border, thickness, hint)


def _lines(subject: Subject, group: Group, spot: Spot, fill: str) -> tuple[Line, ...]:
    ink = ink_on(fill)
    value, size = subject.main(spot.node), spot.size
    written = write_node(spot.node)
    name = [Line(written, min(16, 2 * size / max(len(written), 3)), ink, bold=True)] if group.is_single else []
    if value is None or size < TINY:
        return tuple(name)
    words = short(value)
    letter = f"{subject.values.replace('delta', 'δ')} " if group.is_single and len(subject.values) < 6 else ""
    fit = min(
        15.0, size * 0.36, size * (0.86 if len(group.shape) > 1 else 0.74) / max(text_width(letter + words, 1), 0.1)
    )
    lines = [*name, Line(letter + words, fit, ink, bold=not group.is_single)] if fit >= 7.0 else name
    delta = subject.value(spot.node, "delta")
    if subject.has_delta and subject.values in ("a", "z") and delta is not None and fit >= 7:
        lines += _delta_line(delta, size, delta_on(fill))
    while lines_height(lines) > size * 0.97:
        lines.pop()
    return tuple(lines)


def _delta_line(delta: float, size: float, ink: str) -> list[Line]:
    """A neuron's δ under its value: three digits, two where they would be tiny, nothing where two are tiny as well."""
    for digits, least in ((3, 8.0), (2, 7.0)):
        words = f"δ {short(delta, digits)}"
        fit = min(11.5, size * 0.27, size * 0.86 / text_width(words, 1))
        if fit >= least:
            return [Line(words, fit, ink)]
    return []


def _framed(shape: Shape, looks: Looks) -> Shape:
    """A neuron whose edges are drawn, where not everybody's are."""
    return (
        replace(shape, border=INK, thickness=min(2.6, 0.9 + shape.width / 12)) if shape.key in looks.chosen else shape
    )


def _lit(shape: Shape, graph: NeuronGraph, looks: Looks, around: Node | None) -> Shape:
    """A neuron in a picture that is about one neuron: on its path in the foreground, else stepping back."""
    node = shape.key
    small = shape.width < 2 * TINY
    if node == around:
        return replace(shape, border=INK, thickness=2.0 if small else 4.5)
    if node not in (looks.nodes or ()):
        return _faded(shape)
    reference = graph.edges[node, around].get("param") if graph.has_edge(node, around) else None
    if reference is not None and reference in looks.ties:
        return replace(shape, border=tie_colour(looks.ties[reference]), thickness=4.0)
    return replace(shape, border="#6b7280", thickness=0.5) if small else replace(shape, border=INK, thickness=2.6)


def _faded(shape: Shape) -> Shape:
    fill = None if shape.fill is None else mix(shape.fill, PAPER, 0.5)
    cells = tuple(
        replace(cell, lines=tuple(replace(line, colour=mix(ink_on(fill), fill or PAPER, 0.35)) for line in cell.lines))
        for cell in shape.cells
    )
    return replace(shape, fill=fill, border=FAINT, cells=cells)


def _bias(canvas: Canvas, subject: Subject, graph: NeuronGraph, spot: Spot) -> None:
    reference = graph.nodes[spot.node].get("bias")
    if reference is not None:
        shape = subject.network.parameters[reference[0]].shape
        value = subject.weight(reference)
        name = "b" if shape and value is not None else write_reference(reference, shape)
        words = name + ("" if value is None else f" = {short(value)}")
        canvas.text(spot.x - 70, spot.y - spot.size / 2 - 17, [Line(words, 11.5, GREY)], 140, "center")


def _target(canvas: Canvas, subject: Subject, spot: Spot) -> None:
    if subject.has_delta and subject.inspector is not None and spot.columns == 1 and spot.size >= 15:
        target = subject.inspector.target(spot.node)
        if target is not None:
            canvas.text(spot.x + spot.size / 2 + 8, spot.y - 8, [Line(f"target {short(target)}", 12, GREY)], 84)
