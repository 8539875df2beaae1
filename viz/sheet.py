"""Many layers as rows of one sheet, in order; what does not come from the row above comes by an arc at the side."""

from __future__ import annotations

from collections.abc import Sequence

from neurograph.shapes import times

from .colours import GREY, INK, KINDS, PAPER
from .facts import Facts
from .numbers import large
from .scene import Align, Canvas, Cell, Curve, Form, Line, Point, Shape, text_width

SIZE = 14.0
LANE = 13.0
_HEADS = ("layer", "computes", "shape", "neurons", "edges", "parameters", "each weight", "sees", "")


def draw_sheet(canvas: Canvas, facts: Sequence[Facts]) -> None:
    """Draw layers as rows from the origin downwards."""
    rows = [_row(fact) for fact in facts]
    aligns: tuple[Align, ...] = ("left", "left", "left", "right", "right", "right", "right", "right", "left")
    widths = [max(text_width(row[i], SIZE, bold=i == 0) for row in [_HEADS, *rows]) + 20 for i in range(len(_HEADS))]
    height, gap = (21.0, 5.0) if len(facts) > 16 else (30.0, 14.0)
    total = sum(widths) + 16
    _put(canvas, ("heads",), _HEADS, widths, aligns, total, -height - 2, height, "plain", None, False)
    for number, (fact, row) in enumerate(zip(facts, rows, strict=True)):
        y = number * (height + gap)
        _put(
            canvas,
            fact.name,
            row,
            widths,
            aligns,
            total,
            y,
            height,
            "rounded",
            KINDS.get(fact.kind, PAPER),
            bool(fact.head),
        )
    _edges(canvas, facts, height, gap, total)


def _row(fact: Facts) -> tuple[str, ...]:
    computes = ", ".join(
        part for part in (fact.operation, fact.activation, *(f"after {words}" for words in fact.through)) if part
    )
    name = f"{fact.title} · {fact.label}" if fact.label else fact.title
    end = "  ".join(part for part in (f"× {fact.times}" if fact.times > 1 else "", fact.head) if part)
    counts = (
        ("", "", "")
        if fact.kind == "input"
        else (large(fact.n_neurons), large(fact.n_edges), large(fact.n_parameters) if fact.n_parameters else "")
    )
    uses = f"×{fact.uses}" if fact.uses else ""
    return (name, computes, times(fact.shape), *counts, uses, fact.sees, end)


def _put(
    canvas: Canvas, key: object, row: Sequence[str], widths: Sequence[float], aligns: Sequence[Align], total: float, y: float,
    height: float, form: Form, fill: str | None, strong: bool,
) -> None:  # fmt: skip
    cells = []
    for i, (words, width, align) in enumerate(zip(row, widths, aligns, strict=True)):
        head = fill is None
        padded = f"{words}  " if align == "right" else f"  {words}"
        cells.append(
            Cell((Line(padded, 12 if head else SIZE, GREY if head else INK, bold=not head and i == 0),), width, align)
        )
    border = None if fill is None else INK if strong else GREY
    canvas.add(
        Shape(key, total / 2, y + height / 2, total, height, tuple(cells), form, fill, border, 2.2 if strong else 0.8)
    )


def _edges(canvas: Canvas, facts: Sequence[Facts], height: float, gap: float, right: float) -> None:
    """Short arrows between neighbours, arcs for the rest, each in the nearest free lane."""
    row = {fact.name: number for number, fact in enumerate(facts)}
    lanes: list[list[tuple[int, int]]] = []
    pitch = height + gap
    wires = [(row[source], row[fact.name]) for fact in facts for source in fact.sources]
    for source, target in sorted(wires, key=lambda wire: wire[1] - wire[0]):
        ends = facts[source].name, facts[target].name
        if target - source == 1:
            x, top, bottom = 34.0, source * pitch + height, target * pitch
            path: tuple[Point, ...] = (
                (x, top),
                (x, top + (bottom - top) / 3),
                (x, bottom - (bottom - top) / 3),
                (x, bottom),
            )
            canvas.curves.append(Curve(*ends, path, INK, 1.4 if gap > 8 else 2.4, arrow=gap > 8))
            continue
        x = right + 14 + LANE * _lane(lanes, source, target)
        y, end = source * pitch + height * 0.68, target * pitch + height * 0.32
        turn = 6.0
        path = (
            (right, y), (right + 6, y), (x - turn, y), (x - turn, y), (x, y), (x, y), (x, y + turn),
            (x, y + turn), (x, end - turn), (x, end - turn), (x, end), (x, end), (x - turn, end),
            (x - turn, end), (right + 6, end), (right, end),
        )  # fmt: skip
        canvas.curves.append(Curve(*ends, path, "#7a4fb0", 1.8, arrow=True))


def _lane(lanes: list[list[tuple[int, int]]], source: int, target: int) -> int:
    """The first lane in which nothing overlaps; a new one where all are taken."""
    for number, taken in enumerate(lanes):
        if all(target <= first or last <= source for first, last in taken):
            taken.append((source, target))
            return number
    lanes.append([(source, target)])
    return len(lanes) - 1
