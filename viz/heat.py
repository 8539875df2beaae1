"""A map of values as a small picture: neighbours of one colour are one rectangle, so that a picture stays a small file."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from .colours import PAPER, signed
from .scene import Canvas, Shape

LEVELS = 10
"""Steps of the colour scale on either side of 0."""


def draw_heat(
    canvas: Canvas, key: Hashable, values: Any, left: float, top: float, cell: float, largest: float, hint: str = ""
) -> None:
    """Draw a two-dimensional array, row by row, over a white ground.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
    cell : float
        Side of one value.
    largest : float
        The end of the colour scale.
    """
    rows, columns = values.shape
    wide, tall = columns * cell, rows * cell
    canvas.add(Shape(("sheet", key), left + wide / 2, top + tall / 2, wide, tall, (), "box", PAPER, None, 0, hint))
    for row in range(rows):
        colours = [_colour(float(value), largest) for value in values[row]]
        start = 0
        for column in range(1, columns + 1):
            if column == columns or colours[column] != colours[start]:
                if colours[start] != PAPER:
                    width = (column - start) * cell
                    x, y = left + start * cell + width / 2, top + (row + 0.5) * cell
                    canvas.add(
                        Shape(("pixel", key, row, start), x, y, width + 0.2, cell + 0.2, (), "box", colours[start])
                    )
                start = column


def _colour(value: float, largest: float) -> str:
    if value != value or largest <= 0:
        return signed(value, largest)
    return signed(round(max(-1.0, min(1.0, value / largest)) * LEVELS) / LEVELS, 1.0)
