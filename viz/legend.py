"""What the colours of a picture mean, in the picture."""

from __future__ import annotations

from dataclasses import dataclass

from .colours import FAINT, GREY, INK, signed
from .scene import Canvas, Cell, Curve, Line, Shape, text_width

SIZE = 12.5
STEPS = 11


@dataclass(frozen=True)
class Stroke:
    """How a kind of edge is drawn."""

    colour: str
    thickness: float = 1.5
    dashed: bool = False


@dataclass(frozen=True)
class Entry:
    """One entry: a sample of strokes (or of grounds), and what it means."""

    words: str
    strokes: tuple[Stroke, ...] = ()
    grounds: tuple[str, ...] = ()


def colour_bar(canvas: Canvas, x: float, y: float, what: str) -> float:
    """The signed scale with its ends, and a sentence; returns its right end."""
    step, height = 15.0, 13.0
    left = _words(canvas, x, y, "−max")
    for number in range(STEPS):
        share = number / (STEPS - 1) * 2 - 1
        canvas.add(
            Shape(
                ("bar", x, y, number),
                left + step * (number + 0.5),
                y,
                step,
                height,
                (),
                "box",
                signed(share, 1),
                FAINT,
                0.6,
            )
        )
    zero = left + step * STEPS / 2
    canvas.add(Shape(("zero", x, y), zero, y, 12, 12, (Cell((Line("0", 9.5, GREY),), 12),), "plain"))
    right = _words(canvas, left + step * STEPS + 4, y, "+max")
    return _words(canvas, right + 2, y, what)


def entries(canvas: Canvas, x: float, y: float, given: list[Entry], right: float) -> float:
    """Entries side by side, wrapped at `right`; returns the bottom."""
    at = x
    for number, entry in enumerate(given):
        need = _sample_width(entry) + text_width(entry.words, SIZE) + 26
        if at > x and at + need > right:
            at, y = x, y + 20
        at = _words(canvas, _sample(canvas, at, y, entry, number), y, entry.words) + 12
    return y + 8


def _sample_width(entry: Entry) -> float:
    return 26.0 * bool(entry.strokes) + 15.0 * len(entry.grounds)


def _sample(canvas: Canvas, x: float, y: float, entry: Entry, number: int) -> float:
    """Draw what an entry explains; returns its right end."""
    for i, stroke in enumerate(entry.strokes):
        level = y + (i - (len(entry.strokes) - 1) / 2) * 4.2
        ends = [Shape(("stroke", y, number, i, end), x + 24 * end, level, 0.1, 0.1, (), "plain") for end in (0, 1)]
        canvas.add(*ends)
        path = ((x, level), (x + 8, level), (x + 16, level), (x + 24, level))
        canvas.curves.append(Curve(ends[0].key, ends[1].key, path, stroke.colour, stroke.thickness, stroke.dashed))
    x += 28 * bool(entry.strokes)
    for i, ground in enumerate(entry.grounds):
        canvas.add(Shape(("ground", y, number, i), x + 7, y, 13, 13, (), "box", ground, GREY, 0.6))
        x += 15
    return x + 2 * bool(entry.grounds)


def _words(canvas: Canvas, x: float, y: float, words: str) -> float:
    """A piece of text beginning at x, centred on y; returns its right end."""
    width = text_width(words, SIZE) + 4
    canvas.text(x, y - SIZE * 0.61, [Line(words, SIZE, INK)], width)
    return x + width + 4
