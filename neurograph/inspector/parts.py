"""What a card is made of before it is set: lines, tables, maps of numbers, and prose.

A sheet knows nothing of fonts: `text.py`, `html.py` and `latex.py` set it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Grid(NamedTuple):
    """A table: the first `words` columns are text, the others numbers. `notes` are remarks behind a row, by its number."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    notes: tuple[tuple[int, str], ...] = ()


class Prose(NamedTuple):
    """A sentence or more, as the lines of a screen of text; other forms break it where they like."""

    lines: tuple[str, ...]


class HeatMap(NamedTuple):
    """Numbers in rows and columns, each with a shade from −1 to 1; None where there is no number.

    `cells` is what is written in a narrow space, `exact` the same in full, for those who listen or point.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[str]
    cells: Sequence[Sequence[str]]
    exact: Sequence[Sequence[str]]
    shades: Sequence[Sequence[float | None]]
    legend: str = ""


Part = str | Grid | Prose | HeatMap
Sheet = list[Part]
"""First the title; then formulas, indented as on the screen, tables and prose; an empty line parts z from δ."""
