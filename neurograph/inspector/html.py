"""Sheets as HTML: one self-contained page without scripts, readable on a phone, with tables a screen reader can walk."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from neurograph.inspector.parts import Grid, HeatMap, Part, Prose, Sheet
from neurograph.inspector.table import HEAD, align

LONG = 40
"""Characters that a cell shows on one line."""
STYLE = """\
:root { color-scheme: light dark; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
p { margin: .3rem 0; overflow-wrap: anywhere; }
.about { opacity: .75; }
.formula, td, th { font-family: ui-monospace, monospace; font-variant-numeric: tabular-nums; }
.detail { padding-left: 1.2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .4rem 0; font-size: .9rem; }
caption { text-align: left; white-space: nowrap; opacity: .75; font-size: .85rem; }
td, th { padding: .15rem .7rem .15rem 0; text-align: left; white-space: pre; font-weight: normal; }
td.long { white-space: normal; min-width: 24ch; overflow-wrap: anywhere; }
thead th { border-bottom: 1px solid; font-weight: bold; }
tr.noted > * { font-weight: bold; }
section + section { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); margin-top: .8rem; padding-top: .5rem; }
.map td, .map th { padding: .1rem .35rem; text-align: right; min-width: 1.1rem; }
@media (max-width: 30rem) { table { font-size: .8rem; } tbody th { white-space: normal; } .detail { padding-left: .6rem; } }"""


def as_page(sheet: Sheet, about: str = "") -> str:
    """A whole page.

    Parameters
    ----------
    about : str
        A line under the title: which network, which sample, which weights.
    """
    body = as_fragment(sheet, about)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(str(sheet[0]))}</title>\n<style>\n{STYLE}\n</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>"
    )


def as_fragment(sheet: Sheet, about: str = "") -> str:
    """The body alone, as a notebook shows it.

    Examples
    --------
    >>> print(as_fragment(["h<1>", "", "  z = Σ w·a"]))
    <h1>h&lt;1&gt;</h1>
    <section>
    <p class="formula">z = Σ w·a</p>
    </section>
    """
    lines = [f"<h1>{escape(str(sheet[0]))}</h1>"]
    if about:
        lines.append(f'<p class="about">{escape(about)}</p>')
    for part in _sections(sheet[1:]):
        lines += ["<section>", *(_block(block) for block in part), "</section>"]
    return "\n".join(lines)


def _sections(parts: Sequence[Part]) -> list[list[Part]]:
    """The parts between empty lines."""
    found: list[list[Part]] = [[]]
    for part in parts:
        if part == "":
            found.append([])
        else:
            found[-1].append(part)
    return [section for section in found if section]


def _block(part: Part) -> str:
    if isinstance(part, Grid):
        return _table(part)
    if isinstance(part, HeatMap):
        return _map(part)
    if isinstance(part, Prose):
        return f"<p>{escape(' '.join(part.lines))}</p>"
    indent = len(part) - len(part.lstrip())
    deeper = f' style="padding-left: {indent - 2}ch"' if indent > 4 else ""
    return f'<p class="formula{" detail" if indent > 2 else ""}"{deeper}>{escape(part.strip())}</p>'


def _table(grid: Grid) -> str:
    columns = [[row[i] for row in grid.rows] for i in range(len(grid.heads))]
    aligned = [column if i < grid.words else align(column) for i, column in enumerate(columns)]
    notes = dict(grid.notes)
    widths = [0 if i < grid.words else max(map(len, column), default=0) for i, column in enumerate(aligned)]
    over = [head.rjust(min(width, HEAD)) for head, width in zip(grid.heads, widths, strict=True)]
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in over)
    lines = [
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(grid.caption)}">',
        f"<table>\n<caption>{escape(grid.caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>",
    ]
    for r in range(len(grid.rows)):
        first, *others = [column[r] for column in aligned]
        cells = "".join(map(_words, [*others, *([notes[r]] if r in notes else [])]))
        noted = ' class="noted"' if r in notes else ""
        lines.append(f'<tr{noted}><th scope="row">{escape(first)}</th>{cells}</tr>')
    return "\n".join([*lines, "</tbody>\n</table>\n</div>"])


def _words(cell: str) -> str:
    """A cell; one that holds a sentence or a path may break its line, so that nobody has to scroll for its end."""
    return f'<td class="long">{escape(cell)}</td>' if len(cell) > LONG else f"<td>{escape(cell)}</td>"


# -- maps -------------------------------------------------------------------------------------------------------------
WARM, COLD = "230, 126, 34", "41, 128, 220"
"""What is above 0, and what below; told apart by people who see few colours, on white as on black."""


def _map(part: HeatMap) -> str:
    """A table of shaded cells; where a cell is too narrow for its number, it is there for those who point or listen."""
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in part.columns)
    lines = [
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(part.caption)}">',
        f'<table class="map">\n<caption>{escape(part.caption)}</caption>',
        f"<thead><tr><td></td>{heads}</tr></thead>\n<tbody>",
    ]
    for row, cells, exact, shades in zip(part.rows, part.cells, part.exact, part.shades, strict=True):
        made = "".join(map(_cell, cells, exact, shades))
        lines.append(f'<tr><th scope="row">{escape(row)}</th>{made}</tr>')
    legend = [f'<p class="about">{escape(part.legend)}</p>'] if part.legend else []
    return "\n".join([*lines, "</tbody>\n</table>\n</div>", *legend])


def _cell(written: str, exact: str, shade: float | None) -> str:
    whole = f' title="{escape(exact)}" aria-label="{escape(exact)}"' if exact != written else ""
    if not shade:
        return f"<td{whole}>{escape(written)}</td>"
    colour = WARM if shade > 0 else COLD
    return f'<td style="background: rgba({colour}, {0.1 + 0.65 * abs(shade):.2f})"{whole}>{escape(written)}</td>'
