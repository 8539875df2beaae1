"""A matrix as a grid in blocks: a cell per edge, nothing where there is none."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from .colours import FAINT, PAPER, ink_on
from .scene import Canvas, Cell, Line, Shape, text_width

BLANK = "#f3f4f6"
"""Ground of a block: no edge."""
LEAST_WITH_WORDS = 19.0


@dataclass(frozen=True)
class Entry:
    """One edge in a matrix."""

    fill: str
    words: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Matrix:
    """Where a matrix stands.

    Attributes
    ----------
    rows, columns : sequence of int
        Sizes of the blocks, from above and from the left.
    cell : float
        Side of a cell; `gap` lies between blocks.
    """

    x: float
    y: float
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    cell: float
    gap: float = 3.0

    def left(self, column: int) -> float:
        return self.x + column * self.cell + self.gap * _blocks_before(self.columns, column)

    def top(self, row: int) -> float:
        return self.y + row * self.cell + self.gap * _blocks_before(self.rows, row)

    @property
    def right(self) -> float:
        return self.x + sum(self.columns) * self.cell + self.gap * (len(self.columns) - 1)

    @property
    def bottom(self) -> float:
        return self.y + sum(self.rows) * self.cell + self.gap * (len(self.rows) - 1)


def draw_matrix(canvas: Canvas, key: Hashable, matrix: Matrix, entries: Mapping[tuple[int, int], Entry]) -> None:
    """Draw the blocks, and an entry wherever there is one."""
    _grounds(canvas, key, matrix)
    for (row, column), entry in entries.items():
        canvas.add(_cell((key, row, column), matrix.left(column), matrix.top(row), matrix.cell, entry))


def draw_strip(
    canvas: Canvas, key: Hashable, matrix: Matrix, entries: Sequence[Entry], at: float, along_columns: bool
) -> None:
    """A vector beside a matrix: one cell a column at the height `at`, or one a row at x = `at`."""
    for number, entry in enumerate(entries):
        x, y = (matrix.left(number), at) if along_columns else (at, matrix.top(number))
        canvas.add(_cell((key, number), x, y, matrix.cell, entry))


def _grounds(canvas: Canvas, key: Hashable, matrix: Matrix) -> None:
    row = 0
    for height in matrix.rows:
        column = 0
        for width in matrix.columns:
            left, top, wide, tall = matrix.left(column), matrix.top(row), width * matrix.cell, height * matrix.cell
            ground = ("outline", key, row, column)
            canvas.add(Shape(ground, left + wide / 2, top + tall / 2, wide, tall, (), "box", BLANK, FAINT, 0.5))
            column += width
        row += height


def _cell(key: Hashable, left: float, top: float, side: float, entry: Entry) -> Shape:
    words: tuple[Line, ...] = ()
    if entry.words and side >= LEAST_WITH_WORDS:
        size = min(12.0, side * 0.42, side * 0.9 / max(text_width(entry.words, 1), 0.1))
        words = (Line(entry.words, size, ink_on(entry.fill)),) if size >= 5.5 else ()
    inner = side - (1.0 if side > 6 else 0.2)
    border, thickness = (FAINT, 0.5) if entry.fill == PAPER else (None, 0.0)
    return Shape(
        key, left + side / 2, top + side / 2, inner, inner, (Cell(words, side),), "box", entry.fill, border, thickness, entry.hint
    )  # fmt: skip


def _blocks_before(sizes: Sequence[int], position: int) -> int:
    """How many whole blocks end at or before a position."""
    before = passed = 0
    for size in sizes:
        passed += size
        if passed <= position:
            before += 1
    return min(before, len(sizes) - 1)
