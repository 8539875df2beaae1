"""Numbers that have a place, as a small map: written out where they fit, else as signed digits, and shaded in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from neurograph.inspector.formulas import is_finite, total
from neurograph.inspector.parts import HeatMap
from neurograph.inspector.table import number

Values = Sequence[Sequence[float | None]]
"""Rows of numbers; None where there is none."""

WIDEST = 12
"""Columns of numbers that still fit a screen; wider maps are written in signed digits."""
LARGEST = 32
"""Rows and columns of a map of digits that still fit a screen."""


def heat_map(caption: str, values: Values, digits: int, at: tuple[int, int] = (0, 0), step: int = 1) -> HeatMap:
    """A map of numbers.

    Parameters
    ----------
    at : tuple of int
        Row and column of the first number.
    step : int
        How far rows and columns are apart.

    Examples
    --------
    >>> heat_map("a", [[1.0, -0.5], [0.0, None]], 6).shades
    [[1.0, -0.5], [0.0, None]]
    """
    largest = max((abs(v) for row in values for v in row if v is not None and is_finite(v)), default=0)
    exact = [["" if v is None else number(v, digits) for v in row] for row in values]
    width = max(map(len, values), default=0)
    small = width <= WIDEST
    return HeatMap(
        caption,
        [str(at[1] + step * x) for x in range(width)],
        [str(at[0] + step * y) for y in range(len(values))],
        exact if small else [[_digit(v, largest) for v in row] for row in values],
        exact,
        [[_shade(v, largest) for v in row] for row in values],
        "" if small else f"9 is up to ±{number(largest, digits)}, 1 a ninth of it; . is exactly 0",
    )


def fits(n_rows: int, n_columns: int) -> bool:
    """Whether a map of this size can be read on a screen."""
    return n_rows <= LARGEST and n_columns <= LARGEST


def coarse(values: Values) -> tuple[Values, int]:
    """Sums over square blocks, as large as it takes to fit a screen; and the side of a block.

    Examples
    --------
    >>> sums, side = coarse([[1.0] * 64] * 64)
    >>> len(sums), sums[0][0], side
    (32, 4.0, 2)
    """
    side = max(1, ceil(len(values) / LARGEST), ceil(max(map(len, values), default=0) / LARGEST))
    if side == 1:
        return values, 1
    return [
        [_block(values, y, x, side) for x in range(0, len(values[y]), side)] for y in range(0, len(values), side)
    ], side


def _block(values: Values, y: int, x: int, side: int) -> float | None:
    found = [v for row in values[y : y + side] for v in row[x : x + side] if v is not None]
    return total(found) if found else None


def _shade(value: float | None, largest: float) -> float | None:
    if value is None or not is_finite(value):
        return None
    return float(value / largest) if largest else 0.0


def _digit(value: float | None, largest: float) -> str:
    """A number as one signed digit: 9 for the largest; a point for exactly 0."""
    if value is None:
        return ""
    if not is_finite(value):
        return "?"
    if value == 0 or not largest:
        return "."
    return f"{'-' if value < 0 else ''}{max(1, ceil(9 * abs(value) / largest - 1e-9))}"
