"""Words around a picture of neurons: the title, what stands above each layer, and the foot with filters, sums and legend."""

from __future__ import annotations

from collections.abc import Sequence

from neurograph.graph.address import Node
from neurograph.graph.topology import Topology
from neurograph.shapes import times

from .captions import SMALLEST, caption, scaled
from .colours import DELTA, GREY, INK, NEGATIVE, PADDED, POSITIVE, tie_colour
from .describe import activation, neuron_kind, operation
from .excerpt import Excerpt
from .filters import draw_filters, filters_of, height_of
from .groups import Group
from .legend import SIZE, Entry, Stroke, colour_bar, entries
from .panels import Panel
from .scene import Canvas, Line, lines_height, text_width
from .subject import Subject
from .wires import Looks

NARROWEST = 720.0
WORDS = {
    "a": "activation a",
    "z": "z",
    "delta": "δ = ∂loss/∂z",
    "difference": "a by the textbook minus a by the compiled program",
}
ON_EDGES = {"weight": "weight", "gradient": "gradient of the edge's weight"}


def headline(subject: Subject, group: Group) -> list[Line]:
    """What stands above a layer: its name, what it computes, its shape; nothing above a hand-drawn neuron."""
    if group.is_single:
        return []
    kind, name = neuron_kind(group.kind), str(group.name)
    if isinstance(subject.network, Topology):
        kind = operation(subject.network, subject.network.populations[name])
    computes = ", ".join(part for part in (kind, activation(group.activation)) if part)
    title = f"{name} · {subject.labels[name]}" if name in subject.labels else name
    lines = [Line(title, 16, INK, bold=True)]
    lines += [Line(computes, 12.5, GREY)] if computes != title else []
    whole = subject.layout.shapes.get(group.name, group.shape)
    return [*lines, Line(times(whole), 12.5, GREY), *_part(group, whole)]


def _part(group: Group, whole: tuple[int, ...]) -> list[Line]:
    """Which part of the layer is drawn."""
    if group.window is None:
        return []
    words = {1: ("units",), 2: ("channels", "steps"), 3: ("maps", "rows", "columns")}[len(whole)]
    cut = [
        f"{word} {span.start}…{span.stop - 1}" if len(span) > 1 else f"{word[:-1]} {span.start}"
        for word, span, extent in zip(words, group.window, whole, strict=True)
        if len(span) < extent
    ]
    return [Line(f"drawn: {' · '.join(cut)}", 11.5, INK)]


def width_of(lines: Sequence[Line]) -> float:
    """Width of a column of lines."""
    return max((text_width(line.words, line.size, line.bold) for line in lines), default=0.0)


def put_headline(canvas: Canvas, panel: Panel, lines: Sequence[Line], room: float) -> None:
    """Write a headline above its panel."""
    if lines:
        width = width_of(lines)
        canvas.text(panel.middle - width / 2, panel.top - lines_height(lines) - room, lines, width, "center")


def put_title(canvas: Canvas, title: str, about: str) -> None:
    """Name and counts above everything."""
    top, left = min(shape.top for shape in canvas.shapes), min(shape.left for shape in canvas.shapes)
    canvas.text(left, top - 62, [Line(title, 22, INK, bold=True), Line(about, 13, GREY)], 700)


def put_foot(canvas: Canvas, subject: Subject, picture: Excerpt, looks: Looks, around: Node | None) -> None:
    """Filters, the lit neuron's sums, and the legend."""
    left, right = min(s.left for s in canvas.shapes), max(canvas.right, NARROWEST)
    top = canvas.bottom + 26
    filters = filters_of(subject, looks.ties)
    x = draw_filters(canvas, subject, filters, looks.ties, left, top)
    if around is not None and subject.inspector is not None and subject.has_values and subject.values != "difference":
        lines = caption(subject.inspector, around)
        if x + 14 + width_of(lines) * SMALLEST > right and filters:
            top, x = top + height_of(filters) + 18, left - 14
        canvas.text(x + 14, top, scaled(lines, right - x - 14))
    y = _scale(canvas, subject, left, canvas.bottom + 26)
    bottom = entries(canvas, left, y, _entries(subject, picture, looks, bool(filters)), right)
    if picture.left_out:
        canvas.text(left, bottom + 4, [Line("; ".join(picture.left_out) + ".", SIZE, GREY)])


def _scale(canvas: Canvas, subject: Subject, left: float, y: float) -> float:
    """The colour bar, where there are colours; returns where the next line of the legend stands."""
    if subject.has_values:
        end = colour_bar(canvas, left, y, f"colour: {WORDS[subject.values]}, each layer on its own scale")
        if subject.has_delta and subject.values in ("a", "z"):
            canvas.text(end + 14, y - SIZE * 0.61, [Line("δ = ∂loss/∂z", SIZE, DELTA)])
        return y + 22
    if subject.colours_edges:
        colour_bar(canvas, left, y, f"colour of an edge: {ON_EDGES[subject.values]}, each layer on its own scale")
        return y + 22
    return y


def _entries(subject: Subject, picture: Excerpt, looks: Looks, filters: bool) -> list[Entry]:
    graph, found = picture.graph, []
    if looks.ties and not subject.colours_edges:
        strokes = tuple(Stroke(tie_colour(i), 2) for i in range(min(3, len(looks.ties))))
        found.append(Entry("one colour = one shared weight" + (", as in the filter" if filters else ""), strokes))
    if "max" in {kind for _, kind in graph.nodes(data="kind")} and looks.winners:
        found.append(Entry("wins in a max pool and alone gets its δ", (Stroke(INK, 2.4),)))
        found.append(Entry("loses: δ 0", (Stroke(GREY, 0.8, True),)))
    plain = any(r is not None and r not in looks.ties for _, _, r in graph.edges(data="param"))
    if subject.numbers and plain and not subject.colours_edges:
        found.append(Entry("positive weight", (Stroke(POSITIVE, 2),)))
        found.append(Entry("negative weight", (Stroke(NEGATIVE, 2),)))
        found.append(Entry("thicker = larger"))
    if looks.padded:
        found.append(Entry("padding", grounds=(PADDED,)))
    return found
