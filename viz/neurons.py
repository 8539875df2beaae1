"""The neuron view: every neuron of a small network at its place, with its numbers, every edge in the colour of its weight."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from neurograph.graph.address import Node, write_node, write_reference
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.shapes import times

from .captions import SMALLEST, caption, scaled
from .colours import DELTA, FAINT, GREY, INK, NEGATIVE, PAPER, POSITIVE, delta_on, ink_on, mix, signed, tie_colour
from .describe import activation, neuron_kind, operation
from .filters import draw_filters, filters_of, height_of
from .groups import Group, groups_of
from .labels import MOST_EDGES, label_edges
from .legend import SIZE, Entry, Stroke, colour_bar, entries
from .numbers import short
from .panels import Panel, Spot, is_roomy, place
from .scene import Canvas, Cell, Curve, Form, Line, Scene, Shape, lines_height, text_width
from .subject import Subject
from .wires import Looks, draw_edge, lit_path, route, shared_weights, winning_edges

HEADER = 56.0


def neuron_scene(subject: Subject, graph: NeuronGraph, around: Node | None = None) -> Scene:
    """Draw a written-out network.

    Parameters
    ----------
    subject : Subject
    graph : NeuronGraph
        The network, written out.
    around : node, optional
        A neuron to light up, with its fan-in and the way its activation takes.
    """
    groups = groups_of(graph)
    heads = {group.name: _headline(subject, group) for group in groups}
    panels = place(groups, HEADER, {name: _width(lines) for name, lines in heads.items()})
    looks = _looks(subject, graph, around)
    canvas = Canvas()
    canvas.curves += _edges(subject, graph, panels, looks)
    largest = _scales(subject, panels)
    with_bias = is_roomy(groups) and graph.number_of_edges() <= MOST_EDGES
    for panel in panels:
        for spot in panel.spots:
            shape = _neuron(subject, panel.group, spot, largest[panel.group.name])
            canvas.add(shape if around is None else _lit(shape, graph, looks, around))
            if with_bias or panel.group.is_single:
                _bias(canvas, subject, graph, spot)
            _target(canvas, subject, spot)
        _put_headline(canvas, panel, heads[panel.group.name], 20 if with_bias else 7)
    label_edges(canvas, subject, graph)
    _foot(canvas, subject, graph, looks, around)
    _title(canvas, subject)
    return canvas.scene(subject.name, least_width=760)


def _looks(subject: Subject, graph: NeuronGraph, around: Node | None) -> Looks:
    winners = winning_edges(graph, subject)
    largest = _largest_weights(subject)
    path = None if around is None else lit_path(graph, around, winners)
    return Looks(shared_weights(graph), winners, path, largest)


def _largest_weights(subject: Subject) -> dict[str, float]:
    """Per parameter its largest absolute weight; hand-named weights are compared with one another."""
    largest = {name: subject.largest_weight(name) for name in subject.numbers}
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
    fill = "#ffffff" if value is None else signed(value, largest)
    form: Form = "box" if len(group.shape) > 1 else "circle"
    lines = _lines(subject, group, spot, fill)
    border = "#8a93a3" if len(group.shape) > 1 else GREY
    hint = subject.hint(spot.node, write_node(spot.node))
    return Shape(
        spot.node, spot.x, spot.y, spot.size, spot.size, (Cell(lines, spot.size),), form, fill, border, 1, hint
    )


def _lines(subject: Subject, group: Group, spot: Spot, fill: str) -> tuple[Line, ...]:
    ink = ink_on(fill)
    value, size = subject.main(spot.node), spot.size
    name = (
        [Line(write_node(spot.node), min(16, 2 * size / max(len(write_node(spot.node)), 3)), ink, bold=True)]
        if group.is_single
        else []
    )
    if value is None:
        return tuple(name)
    words = short(value)
    letter = f"{subject.values.replace('delta', 'δ')} " if group.is_single else ""
    fit = min(
        15.0, size * 0.36, size * (0.86 if len(group.shape) > 1 else 0.74) / max(text_width(letter + words, 1), 0.1)
    )
    lines = [*name, Line(letter + words, fit, ink, bold=not group.is_single)] if fit >= 5 else name
    delta = subject.value(spot.node, "delta")
    if subject.has_delta and subject.values != "delta" and delta is not None and fit >= 7:
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


def _lit(shape: Shape, graph: NeuronGraph, looks: Looks, around: Node) -> Shape:
    """A neuron in a picture that is about one neuron: on its path in the foreground, else stepping back."""
    node = shape.key
    if node == around:
        return replace(shape, border=INK, thickness=4.5)
    if not any(node in edge for edge in looks.path or ()):
        return _faded(shape)
    reference = graph.edges[node, around].get("param") if graph.has_edge(node, around) else None
    if reference is not None and reference in looks.ties:
        return replace(shape, border=tie_colour(looks.ties[reference]), thickness=4.0)
    return replace(shape, border=INK, thickness=2.6)


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


# -- words -------------------------------------------------------------------------------------------------------------
def _headline(subject: Subject, group: Group) -> list[Line]:
    """What stands above a layer: its name, what it computes, its shape; nothing above a hand-drawn neuron."""
    if group.is_single:
        return []
    kind = neuron_kind(group.kind)
    if isinstance(subject.network, Topology):
        kind = operation(subject.network, subject.network.populations[str(group.name)])
    name = str(group.name)
    computes = ", ".join(part for part in (kind, activation(group.activation)) if part)
    title = f"{name} · {subject.labels[name]}" if name in subject.labels else name
    lines = [Line(title, 16, INK, bold=True)]
    lines += [Line(computes, 12.5, GREY)] if computes != title else []
    return [*lines, Line(times(group.shape), 12.5, GREY)]


def _width(lines: Sequence[Line]) -> float:
    return max((text_width(line.words, line.size, line.bold) for line in lines), default=0.0)


def _put_headline(canvas: Canvas, panel: Panel, lines: Sequence[Line], room: float) -> None:
    if lines:
        width = _width(lines)
        canvas.text(panel.middle - width / 2, panel.top - lines_height(lines) - room, lines, width, "center")


def _title(canvas: Canvas, subject: Subject) -> None:
    top = min(shape.top for shape in canvas.shapes)
    left = min(shape.left for shape in canvas.shapes)
    lines = [Line(subject.name, 22, INK, bold=True), Line(subject.about(), 13, GREY)]
    canvas.text(left, top - 62, lines, 700)


def _foot(canvas: Canvas, subject: Subject, graph: NeuronGraph, looks: Looks, around: Node | None) -> None:
    """Filters, the lit neuron's sums, and the legend."""
    left, right = min(s.left for s in canvas.shapes), max(canvas.right, 720)
    top = canvas.bottom + 26
    filters = filters_of(subject, looks.ties)
    x = draw_filters(canvas, subject, filters, looks.ties, left, top)
    if around is not None and subject.inspector is not None:
        lines = caption(subject.inspector, around)
        width = max(text_width(line.words, line.size, line.bold) for line in lines)
        if x + 14 + width * SMALLEST > right and filters:
            top, x = top + height_of(filters) + 18, left - 14
        canvas.text(x + 14, top, scaled(lines, right - x - 14))
    y = canvas.bottom + 26
    if subject.has_values:
        word = {"a": "activation a", "z": "z", "delta": "δ"}[subject.values]
        end = colour_bar(canvas, left, y, f"colour: {word}, each layer on its own scale")
        if subject.has_delta and subject.values != "delta":
            canvas.text(end + 14, y - SIZE * 0.61, [Line("δ = ∂loss/∂z", SIZE, DELTA)])
        y += 22
    entries(canvas, left, y, _entries(subject, graph, looks, bool(filters)), right)


def _entries(subject: Subject, graph: NeuronGraph, looks: Looks, filters: bool) -> list[Entry]:
    found = []
    if looks.ties:
        strokes = tuple(Stroke(tie_colour(i), 2) for i in range(min(3, len(looks.ties))))
        found.append(Entry("one colour = one shared weight" + (", as in the filter" if filters else ""), strokes))
    kinds = {kind for _, kind in graph.nodes(data="kind")}
    if "max" in kinds and looks.winners:
        found.append(Entry("wins in a max pool and alone gets its δ", (Stroke(INK, 2.4),)))
        found.append(Entry("loses: δ 0", (Stroke(GREY, 0.8, True),)))
    if subject.numbers and any(r is not None and r not in looks.ties for _, _, r in graph.edges(data="param")):
        found.append(Entry("positive weight", (Stroke(POSITIVE, 2),)))
        found.append(Entry("negative weight", (Stroke(NEGATIVE, 2),)))
        found.append(Entry("thicker = larger"))
    return found
