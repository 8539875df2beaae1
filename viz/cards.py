"""One layer as a card: its name, what it computes, its shape and counts, and a small picture of its planes."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2

from neurograph.shapes import times

from .colours import GREY, INK, KINDS, PAPER, mix
from .facts import Facts
from .numbers import counted, large
from .scene import LEADING, Cell, Line, Shape, lines_height, text_width

GLYPH = 62.0
"""Height kept free above the text for the picture of the planes."""
LEAST_WIDTH = 112.0
PADDING = 9.0


def card(fact: Facts) -> Shape:
    """The card of a layer, centred on the origin; the picture of its planes is drawn over its upper part by `glyph`."""
    lines = tuple(_lines(fact))
    width = max(LEAST_WIDTH, *(text_width(line.words, line.size, line.bold) + 2 * PADDING for line in lines))
    height = GLYPH + lines_height(lines) + 2 * PADDING
    blank = Line("", GLYPH / LEADING, INK)
    border, thickness = (INK, 2.6) if fact.head else (GREY, 1.0)
    return Shape(
        fact.name, 0, 0, width, height, (Cell((blank, *lines), width),), "rounded", KINDS.get(fact.kind, PAPER), border, thickness
    )  # fmt: skip


def _lines(fact: Facts) -> Iterator[Line]:
    yield Line(fact.title, 16, INK, bold=True)
    if fact.times > 1:
        yield Line(f"× {fact.times}", 15, INK, bold=True)
    if fact.label:
        yield Line(fact.label, 12, GREY)
    words, _, rest = fact.operation.partition(", ")
    if words != fact.name:
        yield Line(words, 13, INK)
    if rest:
        yield Line(rest, 12, GREY)
    if fact.activation:
        yield Line(fact.activation, 13, INK)
    if fact.shape:
        yield Line(times(fact.shape), 15, INK, bold=True)
    if fact.kind == "input":
        yield Line(counted(fact.n_neurons, "input"), 12, INK)
        return
    yield Line(f"{large(fact.n_neurons)} neuron" + "s" * (fact.n_neurons != 1), 12, INK)
    yield Line(f"{large(fact.n_edges)} edge" + "s" * (fact.n_edges != 1), 12, INK)
    if fact.n_parameters:
        yield Line(f"{large(fact.n_parameters)} parameter" + "s" * (fact.n_parameters != 1), 12, INK)
    if fact.uses:
        yield Line(f"each weight ×{fact.uses}", 11.5, GREY)
    if fact.sees:
        yield Line(f"sees {fact.sees}", 11.5, GREY)
    for words in fact.through:
        yield Line(words, 11.5, GREY)
    if fact.head:
        yield Line(fact.head, 12, INK, bold=True)


def glyph(fact: Facts, shape: Shape) -> list[Shape]:
    """The planes of a layer as stacked sheets, their size growing with the logarithm of the real one."""
    height, width, sheets = _extent(fact)
    step = 4.0
    left = shape.x - (width + (sheets - 1) * step) / 2
    middle = shape.top + PADDING + GLYPH / 2 - 3
    fill = mix(KINDS.get(fact.kind, PAPER), "#5b6b85", 0.42)
    drawn = []
    for number in range(sheets):
        x = left + width / 2 + number * step
        y = middle + ((sheets - 1) / 2 - number) * step * 0.6
        drawn.append(
            Shape(
                ("sheet", fact.name, number),
                x,
                y,
                width,
                height,
                (),
                "box",
                mix(fill, PAPER, 0.12 * (sheets - 1 - number)),
                PAPER,
                1,
            )
        )
    return drawn


def _extent(fact: Facts) -> tuple[float, float, int]:
    """Height, width and number of sheets."""
    if len(fact.shape) == 3:
        channels, rows, columns = fact.shape
        return _length(rows), _length(columns), min(6, 1 + int(log2(channels)))
    if len(fact.shape) == 2:
        return _length(fact.shape[0]), _length(fact.shape[1]), 1
    return min(GLYPH - 8, _length(fact.shape[0] if fact.shape else 1)), 8.0, 1


def _length(extent: int) -> float:
    return min(GLYPH - 16, 6 + 6.0 * log2(max(extent, 1)))
