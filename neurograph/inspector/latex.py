r"""Sheets as LaTeX, to paste into a handout: needs no package, every character escaped, mathematical signs as commands."""

from __future__ import annotations

from collections.abc import Sequence

from neurograph.inspector.sheets import Grid, Prose, Sheet

PLAIN = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "[": "{[}",
    "]": "{]}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    '"': r"\textquotedbl{}",
    "Σ": r"$\Sigma$",
    "δ": r"$\delta$",
    "σ": r"$\sigma$",
    "∂": r"$\partial$",
    "√": r"$\surd$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "−": "$-$",
    "-": "$-$",
    "′": "$'$",
    "²": "${}^2$",
    "→": r"$\to$",
    "←": r"$\leftarrow$",
    "≈": r"$\approx$",
    "≤": r"$\le$",
    "…": r"\dots{}",
}
"""Character → what LaTeX wants instead."""


def as_latex(sheet: Sheet, about: str = "") -> str:
    """A sheet as a fragment that compiles inside any document."""
    lines = [r"\paragraph{" + escape(str(sheet[0])) + "}"]
    if about:
        lines.append(f"({escape(about)})")
    for part in sheet[1:]:
        lines += _block(part)
    return "\n".join(lines)


def escape(text: str) -> str:
    r"""Text that LaTeX prints as it stands.

    Examples
    --------
    >>> print(escape("w_1 & 50% of Σ w·a"))
    w\_1 \& 50\% of $\Sigma$ w$\cdot$a
    """
    return "".join(PLAIN.get(character, character) for character in text)


def _block(part: str | Grid | Prose) -> list[str]:
    if isinstance(part, Grid):
        return ["", *_tabular(part)]
    if isinstance(part, Prose):
        return ["", r"\noindent " + escape(" ".join(part.lines))]
    if part == "":
        return ["", r"\medskip"]
    indent = len(part) - len(part.lstrip())
    return ["", r"\noindent" + (r"\quad " if indent > 2 else " ") + escape(part.strip())]


def _tabular(grid: Grid) -> list[str]:
    columns = [[row[i] for row in grid.rows] for i in range(len(grid.heads))]
    letters = "".join("r" if i >= grid.words and all(map(_is_number, c)) else "l" for i, c in enumerate(columns))
    notes = dict(grid.notes)
    note = "l" if notes else ""
    lines = [r"\noindent\begin{tabular}{" + letters + note + "}", _row(grid.heads), r"\hline"]
    lines += [_row([*row, *([notes[r]] if r in notes else [])]) for r, row in enumerate(grid.rows)]
    return [*lines, r"\end{tabular}"]


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-")[:1].isdigit() or cell == "-"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(escape, cells)) + r" \\"
