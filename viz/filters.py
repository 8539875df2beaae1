"""The filters of a network as small grids in the colours of their edges: every shared weight, and its summed gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from neurograph.graph.address import write_reference
from neurograph.parameters import Reference

from .colours import FAINT, GREY, INK, PAPER, mix, tie_colour
from .numbers import alike, short
from .scene import Canvas, Cell, Line, Shape, text_width
from .subject import Subject

LARGEST_NUMBER_OF_GRIDS = 6
MOST_SLOTS = 150
SIDE = 42.0
TITLE = 34.0


@dataclass(frozen=True)
class Filter:
    """One kernel of a parameter: its slots by row and column."""

    name: str
    title: str
    rows: int
    columns: int
    slots: tuple[int, ...]


def filters_of(subject: Subject, ties: Mapping[Reference, int]) -> list[Filter]:
    """The kernels that hold shared weights; empty where there are too many to show."""
    found: list[Filter] = []
    for name in dict.fromkeys(reference[0] for reference in ties):
        shape = subject.network.parameters[name].shape
        if len(shape) < 3 or subject.network.parameters[name].role != "weight":
            continue
        rows, columns = (1, shape[2]) if len(shape) == 3 else (shape[2], shape[3])
        size = rows * columns
        for number in range(prod(shape[:2])):
            slots = tuple(range(number * size, (number + 1) * size))
            if any((name, slot) in ties for slot in slots):
                title = name if prod(shape[:2]) == 1 else f"{name}[{number // shape[1]},{number % shape[1]}]"
                found.append(Filter(name, title, rows, columns, slots))
    few = len(found) <= LARGEST_NUMBER_OF_GRIDS and sum(len(one.slots) for one in found) <= MOST_SLOTS
    return found if few else []


def _head(subject: Subject, one: Filter, first: bool) -> list[Line]:
    """Name of a filter; what its numbers are is said once, at the first."""
    return [Line(one.title, 13, INK, bold=True), Line(_subtitle(subject) if first else "", 10.5, GREY)]


def draw_filters(
    canvas: Canvas, subject: Subject, given: Sequence[Filter], ties: Mapping[Reference, int], x: float, y: float
) -> float:
    """Filters side by side from the upper left corner (x, y); returns the right end."""
    for number, one in enumerate(given):
        head = canvas.text(x, y, _head(subject, one, first=number == 0))
        for slot, reference in enumerate(one.slots):
            row, column = divmod(slot, one.columns)
            canvas.add(_cell(subject, one, reference, ties, x + column * SIDE, y + TITLE + row * SIDE))
        x += max(one.columns * SIDE, head.width) + 18
    return x


def height_of(given: Sequence[Filter]) -> float:
    """Room that filters side by side take."""
    return max((TITLE + one.rows * SIDE for one in given), default=0.0)


def _subtitle(subject: Subject) -> str:
    if not subject.numbers:
        return "one colour, one weight"
    return "w, and ∂L/∂w = Σ δ·a" if subject.has_delta else "w"


def _cell(subject: Subject, one: Filter, slot: int, ties: Mapping[Reference, int], left: float, top: float) -> Shape:
    reference = (one.name, slot)
    shape = subject.network.parameters[one.name].shape
    colour = tie_colour(ties[reference]) if reference in ties else FAINT
    value = subject.weight(reference)
    inner = SIDE - 5
    lines = [] if value is None else [_fitted(alike(value, subject.largest_weight(one.name)), 15, inner, bold=True)]
    written = write_reference(reference, shape)
    if subject.has_delta and subject.inspector is not None and reference in ties:
        gradient = float(subject.inspector.trace.gradient[one.name].reshape(-1)[slot])
        lines.append(_fitted(short(gradient), 10.5, inner, bold=False))
        written += f" = {short(value, 9)}, gradient {short(gradient, 9)}"
    return Shape(
        ("filter", one.title, slot), left + SIDE / 2, top + SIDE / 2, inner, inner, (Cell(tuple(lines), inner),),
        "box", mix(colour, PAPER, 0.78), colour, 3, written,
    )  # fmt: skip


def _fitted(words: str, size: float, room: float, bold: bool) -> Line:
    """A line as large as asked, or as fits between thick borders."""
    return Line(words, min(size, (room - 5) / text_width(words, 1, bold)), INK, bold=bold)
