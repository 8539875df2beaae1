"""The view around one neuron of a network of any size: its receptive field, its window term by term, and its fan-out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from neurograph.graph.address import Node, write_node
from neurograph.graph.neighbourhood import fan_out
from neurograph.graph.topology import Topology
from neurograph.inspector import Influence, Term
from neurograph.inspector.neuron import Neuron, find

from .captions import caption, scaled
from .colours import GREY, INK, NEGATIVE, POSITIVE, delta_on, ink_on, signed
from .describe import activation, neuron_kind, operation
from .field import draw_field
from .grids import Plan, draw_blocks, plan_blocks
from .legend import colour_bar
from .numbers import counted, short
from .scene import Canvas, Cell, Curve, Line, Scene, Shape, lines_height, text_width
from .subject import Subject
from .windows import blocks_of, terms_of

HEIGHT = 500.0
RADIUS = 66.0
MOST_TARGETS = 10
ROW = 30.0


@dataclass(frozen=True)
class Surroundings:
    """A neuron, what it reads, who reads it, and for max pools the source that won."""

    neuron: Neuron
    terms: tuple[Term, ...]
    edges: tuple[Influence, ...]
    winner: Node | None

    @classmethod
    def of(cls, subject: Subject, node: Node) -> Surroundings:
        neuron = find(subject.network, subject.layout, node)
        if subject.inspector is None:
            edges = (
                Influence(w.target, 0.0, subject.weight(w.param), 0.0) for w in fan_out(subject.network, neuron.node)
            )
            return cls(neuron, terms_of(subject, neuron.node), tuple(edges), None)
        card = subject.inspector.neuron(neuron.node)
        return cls(neuron, card.terms, card.fan_out, None if card.winner is None else card.terms[card.winner].source)


def around_scene(subject: Subject, around: Node) -> Scene:
    """Draw one neuron with what it reads and who reads it.

    Raises
    ------
    UnknownName
        If there is no such neuron.
    """
    seen = Surroundings.of(subject, around)
    node = seen.neuron.node
    plan = plan_blocks(subject, blocks_of(subject.layout, seen.terms), seen.neuron.kind, HEIGHT, seen.winner)
    canvas = Canvas()
    x = draw_field(canvas, subject, node, HEIGHT / 2)
    x, gates = draw_blocks(canvas, subject, plan, x, HEIGHT / 2)
    centre = (x + (84 if plan.blocks else 20) + RADIUS, HEIGHT / 2)
    _centre(canvas, subject, seen.neuron, centre)
    _wires_in(canvas, plan, gates, node, centre)
    _fan_out(canvas, subject, seen, centre)
    _foot(canvas, subject, node)
    _title(canvas, subject, seen)
    return canvas.scene(f"{subject.name} {write_node(node)}", least_width=760)


def _centre(canvas: Canvas, subject: Subject, neuron: Neuron, at: tuple[float, float]) -> None:
    node, name = neuron.node, write_node(neuron.node)
    value = subject.main(node)
    fill = "#fff7e6" if value is None else signed(value, abs(value) * 1.6)
    ink = ink_on(fill)
    lines = [Line(name, min(17, 2.9 * RADIUS / max(len(name), 6)), ink, bold=True)]
    for letter, what in (("z", "z"), ("a", "a"), ("δ", "delta")):
        number = subject.value(node, what)
        if number is not None and subject.has_values:
            lines.append(Line(f"{letter} = {short(number, 4)}", 15, delta_on(fill) if what == "delta" else ink))
    shape = Shape(
        node,
        *at,
        2 * RADIUS,
        2 * RADIUS,
        (Cell(tuple(lines), 2 * RADIUS),),
        "circle",
        fill,
        INK,
        3,
        subject.hint(node, name),
    )
    canvas.add(shape)
    if neuron.bias is not None:
        value = subject.weight(neuron.bias)
        words = "+ bias" + ("" if value is None else f" {short(value, 4)}")
        canvas.text(at[0] - 80, at[1] - RADIUS - 24, [Line(words, 14, GREY)], 160, "center")


def _wires_in(canvas: Canvas, plan: Plan, gates: Sequence[Shape], node: Node, centre: tuple[float, float]) -> None:
    """From every block to the neuron, in the colour of the block's sum."""
    largest = max((abs(block.total) for block in plan.blocks), default=0.0)
    for block, gate in zip(plan.blocks, gates, strict=True):
        share = abs(block.total) / largest if largest else 0.0
        colour = GREY if not block.total else POSITIVE if block.total > 0 else NEGATIVE
        canvas.curves.append(
            _bend(gate, node, (gate.right, gate.y), (centre[0] - RADIUS, centre[1]), colour, 1.2 + 3 * share)
        )


def _bend(
    source: Shape, target: Node, start: tuple[float, float], end: tuple[float, float], colour: str, thickness: float
) -> Curve:
    bend = (end[0] - start[0]) * 0.5
    path = (start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end)
    return Curve(source.key, target, path, colour, thickness, arrow=True)


# -- who reads it ------------------------------------------------------------------------------------------------------
def _fan_out(canvas: Canvas, subject: Subject, seen: Surroundings, centre: tuple[float, float]) -> None:
    node, edges = seen.neuron.node, seen.edges
    ranked = sorted(range(len(edges)), key=lambda i: (-_size(subject, edges[i]), i))[:MOST_TARGETS]
    shown = [edges[i] for i in sorted(ranked)]
    if not shown:
        return
    rest = [edge.product for i, edge in enumerate(edges) if i not in set(ranked)]
    left = centre[0] + RADIUS + 90
    top = centre[1] - len(shown) * ROW / 2
    heads, widths = _columns(subject, shown)
    _row(canvas, ("heads",), heads, widths, left, top - ROW * 0.72, None)
    largest = max(abs(edge.product) for edge in shown)
    for number, edge in enumerate(shown):
        shape = _row(canvas, edge.target, _cells(subject, edge), widths, left, top + ROW * (number + 0.5), edge)
        share = abs(edge.product) / largest if largest else 0.0
        colour = (
            GREY if not edge.product or edge.product != edge.product else POSITIVE if edge.product > 0 else NEGATIVE
        )
        start, end = (centre[0] + RADIUS, centre[1]), (shape.left, shape.y)
        bend = (end[0] - start[0]) * 0.5
        path = (start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end)
        canvas.curves.append(Curve(node, shape.key, path, colour, 0.9 + 2.2 * share, arrow=True))
    if rest:
        total = f", together {short(fsum(rest))}" if subject.has_delta else ""
        words = f"… and {len(rest):,} more{total}"
        canvas.text(left, top + ROW * len(shown) + 6, [Line(words, 12.5, GREY)], sum(widths))


def _size(subject: Subject, edge: Influence) -> float:
    return abs(edge.product) if subject.has_delta else abs(edge.w or 0.0)


def _columns(subject: Subject, shown: Sequence[Influence]) -> tuple[list[str], list[float]]:
    name = max(text_width(write_node(edge.target), 14, bold=True) for edge in shown) + 20
    if not subject.has_delta:
        known = any(edge.w is not None for edge in shown)
        return (["read by", "w"], [name, 70.0]) if known else (["read by"], [name])
    heads, widths = ["read by", "δ", "w", "hands back"], [name, 86.0, 78.0, 98.0]
    return (
        (heads, widths)
        if any(edge.w is not None for edge in shown)
        else ([*heads[:2], heads[3]], [*widths[:2], widths[3]])
    )


def _cells(subject: Subject, edge: Influence) -> list[str]:
    w = [short(edge.w)] if edge.w is not None else []
    return [write_node(edge.target), *([short(edge.delta), *w, short(edge.product)] if subject.has_delta else w)]


def _row(
    canvas: Canvas,
    key: object,
    words: Sequence[str],
    widths: Sequence[float],
    left: float,
    y: float,
    edge: Influence | None,
) -> Shape:
    size = 14.0 if edge is not None else 12.0
    cells = tuple(
        Cell(
            (
                Line(
                    word if i else f"  {word}",
                    size,
                    INK if edge is not None else GREY,
                    bold=i == 0 and edge is not None,
                ),
            ),
            width,
            "center" if i else "left",
        )
        for i, (word, width) in enumerate(zip(words, widths, strict=False))
    )
    total = sum(widths)
    form, fill, border = ("rounded", "#f6f3ec", "#b9b3a4") if edge is not None else ("plain", None, None)
    made = Shape(key, left + total / 2, y, total, ROW - 6, cells, form, fill, border, 0.8)  # type: ignore[arg-type]
    canvas.add(made)
    return made


# -- words -------------------------------------------------------------------------------------------------------------
def _title(canvas: Canvas, subject: Subject, seen: Surroundings) -> None:
    left, top = min(shape.left for shape in canvas.shapes), min(shape.top for shape in canvas.shapes)
    neuron = seen.neuron
    what = neuron_kind(neuron.kind)
    if isinstance(subject.network, Topology):
        what = operation(subject.network, subject.network.populations[str(neuron.place[0])])
    words = ", ".join(part for part in (what, activation(neuron.activation)) if part)
    counts = f"{counted(len(seen.terms), 'edge')} in, {counted(len(seen.edges), 'edge')} out"
    note = f" · {subject.note}" if subject.note and subject.has_values else ""
    lines = [
        Line(f"{subject.name} · {write_node(neuron.node)}", 22, INK, bold=True),
        Line(f"{words} · {counts}{note}", 13, GREY),
    ]
    canvas.text(left, top - lines_height(lines) - 22, lines, 640)


def _foot(canvas: Canvas, subject: Subject, node: Node) -> None:
    left, y = min(shape.left for shape in canvas.shapes), canvas.bottom + 22
    if subject.inspector is not None and subject.has_values:
        lines = caption(subject.inspector, node)[1:]
        made = canvas.text(left, y, scaled(lines, canvas.right - left, most=1.15))
        y = made.bottom + 20
    if subject.numbers:
        what = "a, w and products" if subject.has_values else "w"
        colour_bar(canvas, left, y, f"colour: {what}, each on its own scale · lines: blue −, red +, thicker = larger")
