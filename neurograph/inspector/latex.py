r"""Sheets as LaTeX, to paste into a handout: needs no package, every character escaped, mathematical signs as commands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neurograph.inspector.equations import Equation
from neurograph.inspector.parts import Grid, HeatMap, Part, Prose, Sheet

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
    "≠": r"$\ne$",
    "…": r"\dots{}",
    "±": r"$\pm$",
    "β": r"$\beta$",
    "ε": r"$\varepsilon$",
    "η": r"$\eta$",
    "λ": r"$\lambda$",
    "ρ": r"$\rho$",
    "₁": "${}_1$",
    "₂": "${}_2$",
    "μ": r"$\mu$",
    "½": r"$\frac{1}{2}$",
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


NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(?:\[[0-9,-]*\])?")
IN_MATHEMATICS = {
    "·": r"\cdot ",
    "Σ": r"\sum ",
    "δ": r"\delta ",
    "β": r"\beta ",
    "ε": r"\varepsilon ",
    "η": r"\eta ",
    "λ": r"\lambda ",
    "ρ": r"\rho ",
    "₁": "_1",
    "₂": "_2",
    "μ": r"\mu ",
    "∂": r"\partial ",
    "√": r"\surd ",
    "−": "-",
    "′": "'",
    "²": "^2",
    "≈": r"\approx ",
    "…": r"\dots ",
}
"""Character → what it is between dollars."""
SYMBOLS = ("z", "a", "w", "f", "v", "n", "g", "m", "s", "t", "c", "d")
WORDS = (
    "more",
    "from",
    "the",
    "loss",
    "gradient",
    "before",
    "now",
    "new",
    "is",
    "decayed",
    "clipped",
    "corrected",
    "length",
    "steps",
)


def as_mathematics(equations: Sequence[Equation]) -> str:
    r"""Equations as one displayed formula, as notebooks and LaTeX set it.

    Examples
    --------
    >>> print(as_mathematics([Equation("z", ("w1·i1", "2·3", "6"))]))
    $\displaystyle \begin{array}{rcl}
    z & = & \mathtt{w1}\cdot \mathtt{i1} \\
     & = & 2\cdot 3 \\
     & = & 6
    \end{array}$
    """
    rows = []
    for equation in equations:
        where = r" \qquad \text{where } " + mathematics(equation.where) if equation.where else ""
        for number, side in enumerate(equation.sides):
            left = mathematics(equation.left) if number == 0 else ""
            rows.append(f"{left} & = & {mathematics(side)}{where if number == 0 else ''}")
    return "$\\displaystyle \\begin{array}{rcl}\n" + " \\\\\n".join(rows) + "\n\\end{array}$"


def mathematics(text: str) -> str:
    r"""One side of an equation between dollars: names upright, numbers and signs as mathematics.

    Examples
    --------
    >>> mathematics("f′(z)·δ(o_1) + 3 more")
    "f'(z)\\cdot \\delta (\\mathtt{o\\_1}) + 3\\text{ more}"
    """
    found, end = [], 0
    for match in NAME.finditer(text):
        found += [_signs(text[end : match.start()]), _named(match[0])]
        end = match.end()
    return "".join([*found, _signs(text[end:])]).replace(r" \text{", r"\text{ ")


def _named(name: str) -> str:
    if name in SYMBOLS:
        return name
    if name in ("max", "min", "log"):
        return "\\" + name
    if name in WORDS:
        return r"\text{" + name + "}"
    return r"\mathtt{" + "".join(f"\\{c}" if c == "_" else c for c in name) + "}"


def _signs(text: str) -> str:
    return "".join(IN_MATHEMATICS.get(c, PLAIN.get(c, c) if c in "&#%{}$" else c) for c in text)


def escape(text: str) -> str:
    r"""Text that LaTeX prints as it stands.

    Examples
    --------
    >>> print(escape("w_1 & 50% of Σ w·a"))
    w\_1 \& 50\% of $\Sigma$ w$\cdot$a
    """
    return "".join(PLAIN.get(character, character) for character in text)


def _block(part: Part) -> list[str]:
    if isinstance(part, Grid):
        return ["", *_tabular(part)]
    if isinstance(part, HeatMap):
        return ["", *_map(part)]
    if isinstance(part, Prose):
        return ["", r"\noindent " + escape(" ".join(part.lines))]
    if part == "":
        return ["", r"\medskip"]
    indent = len(part) - len(part.lstrip())
    return ["", r"\noindent" + (r"\quad " if indent > 2 else " ") + escape(part.strip())]


def _map(part: HeatMap) -> list[str]:
    rows = [[row, *cells] for row, cells in zip(part.rows, part.cells, strict=True)]
    letters = "r" * (1 + len(part.columns))
    begin = r"\noindent{\footnotesize\setlength{\tabcolsep}{2pt}\begin{tabular}{" + letters + "}"
    lines = [
        r"\noindent " + escape(part.caption),
        "",
        begin,
        _row(["", *part.columns]),
        r"\hline",
        *map(_row, rows),
        r"\end{tabular}}",
    ]
    return [*lines, *(["", r"\noindent " + escape(part.legend)] if part.legend else [])]


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
