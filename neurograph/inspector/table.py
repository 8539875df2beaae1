"""Small tables of numbers as text: decimal points under one another, the largest rows first where there are too many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import isnan
from typing import TypeVar

from neurograph.inspector.formulas import total

Row = TypeVar("Row")
HEAD = 3
"""Characters of a column's numbers over which its head stands at the right end, as over a column of digits."""
LONGEST = 24
"""Characters of a fraction that are still read."""


def number(value: float | Fraction | None, digits: int = 6) -> str:
    """Write a number with so many significant digits; None as a dash, −0 as 0; fractions as such, unless too long to read.

    Examples
    --------
    >>> number(0.1 + 0.2), number(-0.0), number(None), number(1e-9), number(2 / 3, digits=3)
    ('0.3', '0', '-', '1e-09', '0.667')
    >>> number(Fraction(-51, 8)), number(Fraction(1, 10**30 + 1))
    ('-51/8', '≈1e-30')
    """
    if isinstance(value, Fraction):
        return str(value) if len(str(value)) <= LONGEST else f"≈{float(value):.{digits}g}"
    if value is None:
        return "-"
    return f"{value:.{digits}g}" if value else "0"


def largest(rows: Sequence[Row], size: Callable[[Row], float], limit: int) -> tuple[list[Row], list[Row]]:
    """Split rows into the `limit` largest in absolute size and the rest, both in their old order.

    Where some must go, all that are exactly 0 go; of nothing but zeros three stay.

    Examples
    --------
    >>> largest([1, -5, 3, 0], size=float, limit=2)
    ([-5, 3], [1, 0])
    >>> largest([0, 7, 0, 0], size=float, limit=2)
    ([7], [0, 0, 0])
    """
    if len(rows) <= limit:
        return list(rows), []
    sizes = [abs(size(row)) for row in rows]
    ranked = sorted(range(len(rows)), key=lambda i: (-sizes[i] if not isnan(sizes[i]) else float("-inf"), i))
    chosen = {i for i in ranked[:limit] if sizes[i] != 0} or set(ranked[: min(3, limit)])
    return [rows[i] for i in sorted(chosen)], [rows[i] for i in range(len(rows)) if i not in chosen]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1, indent: str = "    ") -> list[str]:
    r"""Lines of a table. The first `words` columns are text, the others numbers, aligned at their decimal points.

    Examples
    --------
    >>> print("\n".join(table(["source", "a"], [["x1", "0.05"], ["x2", "12"]], indent="")))
    source   a
    x1       0.05
    x2      12
    """
    body = [list(row) for row in rows]
    columns = [[row[i] for row in body] for i in range(len(heads))]
    aligned = [column if i < words else align(column) for i, column in enumerate(columns)]
    widths = [max(map(len, [head, *column]), default=0) for head, column in zip(heads, aligned, strict=True)]
    lines = []
    for row in [list(heads), *([column[r] for column in aligned] for r in range(len(body)))]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if row == list(heads):
            cells = [
                c if i < words else c.strip().rjust(min(w, HEAD)).ljust(w)
                for i, (c, w) in enumerate(zip(cells, widths, strict=True))
            ]
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def align(numbers: Sequence[str]) -> list[str]:
    """Pad written numbers so that their decimal points stand under one another; other words stay as they are.

    Examples
    --------
    >>> align(["1.5", "-20"]), align(["c.weight[0]", "c.weight[10]"])
    (['  1.5', '-20'], ['c.weight[0]', 'c.weight[10]'])
    """
    if any(text[:1].isalpha() and text not in ("inf", "nan") for text in numbers):
        return list(numbers)
    split = [text.partition(".") if "e" not in text and not text.endswith("…") else (text, "", "") for text in numbers]
    left = max((len(whole) for whole, _, _ in split), default=0)
    return [whole.rjust(left) + point + rest for whole, point, rest in split]


def left_out(rest: Sequence[object], products: list[float], digits: int, what: str, add: bool) -> list[str]:
    """One line that counts what a shortened table leaves out."""
    if not rest:
        return []
    zero = sum(product == 0 for product in products)
    if zero == len(rest):
        return [f"    … and {count(len(rest), f'more {what}')}, {'each' if zero > 1 else 'it'} exactly 0"]
    note = f", together {number(total(products), digits)}" if add else ""
    exact = f" ({zero:,} of them exactly 0)" if zero else ""
    return [f"    … and {count(len(rest), f'smaller {what}')}{note}{exact}"]


def count(n: int, what: str) -> str:
    """A number of things.

    Examples
    --------
    >>> count(1, "edge"), count(1200, "edge")
    ('1 edge', '1,200 edges')
    """
    return f"{n:,} {what}" + ("" if n == 1 else "s")
