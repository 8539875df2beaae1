"""Tables as a notebook shows them: for what is neither card nor sheet, such as a history or a report."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

SCREEN = 40
"""Rows that are shown in full; of more, the first and the last, and how many lie between."""


def html_table(rows: Sequence[Sequence[str]], lines: Sequence[str] = ()) -> str:
    """A table as HTML, the first row its head, with lines of text below it.

    Parameters
    ----------
    rows : sequence of sequence of str
        All of one length; any text, it is escaped.
    lines : sequence of str

    Examples
    --------
    >>> print(html_table([["epoch", "loss"], ["1", "0.5"]], ["a < b"]))
    <table style="text-align:right" cellpadding="4"><thead><tr><th>epoch</th><th>loss</th></tr></thead>
    <tbody><tr><td>1</td><td>0.5</td></tr></tbody></table>
    <p>a &lt; b</p>
    """
    head, *body = rows
    shown = [_row(cells, "td") for cells in body]
    if len(body) > SCREEN:
        n, half = len(body) - SCREEN, SCREEN // 2
        shown[half:-half] = [f'<tr><td colspan="{len(head)}">… and {n:,} more …</td></tr>']
    table = f"<thead>{_row(head, 'th')}</thead>\n<tbody>{''.join(shown)}</tbody>"
    framed = f'<table style="text-align:right" cellpadding="4">{table}</table>'
    return "\n".join([framed, *(f"<p>{escape(line)}</p>" for line in lines)])


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
