"""A story as data: frames in order, each a title, an equation, its numbers and what a teacher would say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from textwrap import wrap
from typing import Any, overload

from neurograph.inspector.cards import plain
from neurograph.inspector.sheets import Grid, Prose, Sheet
from neurograph.inspector.table import number

Cell = str | float | Fraction | None
"""A word, or a number that waits for the digits it is written with."""
Line = tuple[Cell, ...]
"""A worked line: its words and numbers, to be joined."""

CHAPTERS = ("input", "forward", "loss", "delta", "contributions", "sums", "update")
"""The order of a story."""
WIDTH = 96


@dataclass(frozen=True)
class Table:
    """Rows of cells. `words` columns are text; `rest` says what was left out; `notes` are remarks behind a row."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[Line, ...]
    words: int = 1
    rest: Line = ()
    notes: tuple[tuple[int, str], ...] = ()

    def sheet(self, digits: int) -> Sheet:
        """As it is set."""
        rows = [[_written(cell, digits) for cell in row] for row in self.rows]
        grid = Grid(self.caption, self.heads, rows, self.words, self.notes)
        return [grid, *([f"    {rest}"] if (rest := written(self.rest, digits)) else [])]

    def as_json(self, digits: int) -> dict[str, Any]:
        """As plain data, with the numbers as they are."""
        rows = [list(row) for row in self.rows]
        return {"caption": self.caption, "heads": list(self.heads), "rows": rows, "rest": written(self.rest, digits)}


@dataclass(frozen=True)
class Frame:
    """One step of a story.

    Attributes
    ----------
    chapter : str
        One of `CHAPTERS`.
    title, equation : str
    words : str
        One or two sentences.
    lines : tuple of Line
        The equation with its numbers.
    tables : tuple of Table
    where : int
        The stage of the network it is about, by its number in `Story.strip`.
    """

    chapter: str
    title: str
    equation: str
    words: str
    lines: tuple[Line, ...] = ()
    tables: tuple[Table, ...] = ()
    where: int = 0

    def sheet(self, digits: int = 6) -> Sheet:
        """What the frame says, before it is set as text or HTML."""
        sheet: Sheet = [self.title, "", f"  {self.equation}"]
        for table in self.tables:
            sheet += table.sheet(digits)
        sheet += [f"    {written(line, digits)}" for line in self.lines]
        return [*sheet, "", Prose(tuple(wrap(self.words, WIDTH)))]

    def as_json(self, digits: int = 15) -> dict[str, Any]:
        """The frame as plain data; tables keep their numbers, worked lines are written with so many digits."""
        tables = [table.as_json(digits) for table in self.tables]
        found: dict[str, Any] = plain(
            {
                "chapter": self.chapter,
                "title": self.title,
                "equation": self.equation,
                "lines": [written(line, digits) for line in self.lines],
                "tables": tables,
                "words": self.words,
            }
        )
        return found


@dataclass(frozen=True)
class Story(Sequence[Frame]):
    """Forward, loss, δ, contributions, sums, update: one pass of backpropagation as frames.

    Attributes
    ----------
    name : str
        Of the network.
    by : str
        ``"layer"`` or ``"neuron"``.
    frames : tuple of Frame
    strip : tuple of str
        The stages of the network, from the input to the loss.
    n_left_out : int
        Neurons that a story neuron by neuron leaves out.
    """

    name: str
    by: str
    frames: tuple[Frame, ...]
    strip: tuple[str, ...]
    n_left_out: int = 0

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | Sequence[Frame]:
        return self.frames[index]

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self.frames)

    def screen(self, index: int, digits: int = 6) -> str:
        """One frame as text, under its number and the place in the network it is about."""
        from neurograph.inspector.text import as_text

        frame = self.frames[index]
        path = shown_strip(self.strip, frame.where)
        return "\n".join([f"{index + 1}/{len(self)}  {path}", "", as_text(frame.sheet(digits))])

    def text(self, digits: int = 6) -> str:
        """All frames as text, one after the other."""
        return f"\n\n{'─' * WIDTH}\n".join(self.screen(index, digits) for index in range(len(self)))

    def page(self, digits: int = 6, about: str = "") -> str:
        """A self-contained HTML page to step through; without scripts, and on paper, it shows every frame."""
        from neurograph.inspector.story_page import story_page

        return story_page(self, digits, about)

    def as_json(self, digits: int = 15) -> dict[str, Any]:
        """The story as plain data."""
        return {
            "story": self.name,
            "by": self.by,
            "n_left_out": self.n_left_out,
            "stages": list(self.strip),
            "frames": [{"number": n, **frame.as_json(digits)} for n, frame in enumerate(self.frames, 1)],
        }

    def _repr_html_(self) -> str:
        from neurograph.inspector.html import as_fragment

        return "\n".join(as_fragment(frame.sheet()) for frame in self.frames)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Story of {self.name} by {self.by}: {len(self)} frames>"


def shown_strip(strip: Sequence[str], where: int) -> str:
    """The path through the network, with the place that a frame is about in brackets.

    Examples
    --------
    >>> shown_strip(["input", "conv", "E"], 1)
    'input → [conv] → E'
    >>> shown_strip([f"c{n}" for n in range(20)], 9)
    '… → c6 → c7 → c8 → [c9] → c10 → c11 → c12 → …'
    """
    marked = [f"[{name}]" if n == where else name for n, name in enumerate(strip)]
    if len(" → ".join(marked)) <= WIDTH - 10:
        return " → ".join(marked)
    first, last = max(0, where - 3), min(len(marked), where + 4)
    return " → ".join([*(["…"] if first else []), *marked[first:last], *(["…"] if last < len(marked) else [])])


def factor(value: Cell) -> Line:
    """A number within a product or a difference: in brackets where it is below 0.

    Examples
    --------
    >>> factor(2.0), factor(-2.0), factor(None)
    ((2.0,), ('(', -2.0, ')'), (None,))
    """
    return (value,) if value is None or isinstance(value, str) or not value < 0 else ("(", value, ")")


def added(parts: Sequence[Line]) -> Line:
    """A sum of parts, as cells.

    Examples
    --------
    >>> added([(1.0,), (2.0, "·", 3.0)])
    (1.0, ' + ', 2.0, '·', 3.0)
    """
    return joined(parts, " + ")


def joined(parts: Sequence[Line], between: str) -> Line:
    """Parts one after the other, with something in between."""
    cells: list[Cell] = []
    for number_of_part, part in enumerate(parts):
        cells += [*([between] if number_of_part else []), *part]
    return tuple(cells)


def written(line: Line, digits: int) -> str:
    """A line with its numbers written.

    Examples
    --------
    >>> written(("z = ", 2 / 3, "·", 3.0), digits=3)
    'z = 0.667·3'
    """
    return "".join(_written(cell, digits) for cell in line)


def _written(cell: Cell, digits: int) -> str:
    return cell if isinstance(cell, str) else number(cell, digits)
