"""Sheets as text for a terminal: decimal points under one another, indented as on the page."""

from __future__ import annotations

from neurograph.inspector.parts import HeatMap, Part, Prose, Sheet
from neurograph.inspector.table import table


def as_text(sheet: Sheet) -> str:
    """A sheet as lines of text."""
    return "\n".join(line for part in sheet for line in _lines(part))


def _lines(part: Part) -> list[str]:
    if isinstance(part, str):
        return [part]
    if isinstance(part, Prose):
        return [f"  {line}" for line in part.lines]
    if isinstance(part, HeatMap):
        return _map(part)
    lines = table(part.heads, part.rows, part.words)
    for row, note in part.notes:
        lines[1 + row] += f"   {note}"
    return lines


def _map(part: HeatMap) -> list[str]:
    """Numbers aligned at their points, or digits side by side."""
    if not part.legend:
        rows = [[row, *cells] for row, cells in zip(part.rows, part.cells, strict=True)]
        return [f"  {part.caption}", *table(["", *part.columns], rows)]
    rows = [["", *part.columns], *([row, *cells] for row, cells in zip(part.rows, part.cells, strict=True))]
    lines = [" ".join(cell.rjust(2) for cell in row) for row in rows]
    return [f"  {part.caption}", *(f"    {line}".rstrip() for line in lines), f"    {part.legend}"]
