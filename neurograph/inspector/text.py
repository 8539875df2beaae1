"""Sheets as text for a terminal: decimal points under one another, indented as on the page."""

from __future__ import annotations

from neurograph.inspector.sheets import Grid, Prose, Sheet
from neurograph.inspector.table import table


def as_text(sheet: Sheet) -> str:
    """A sheet as lines of text."""
    return "\n".join(line for part in sheet for line in _lines(part))


def _lines(part: str | Grid | Prose) -> list[str]:
    if isinstance(part, str):
        return [part]
    if isinstance(part, Prose):
        return [f"  {line}" for line in part.lines]
    lines = table(part.heads, part.rows, part.words)
    for row, note in part.notes:
        lines[1 + row] += f"   {note}"
    return lines
