"""How a drawing becomes an input: the scale and place that a data set's digits have, then what the spec's [data] does to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from neurograph.graph.layout import Layout, Port

from .packing import pack

SMALLEST = 8
"""Rows and columns below which nothing can be drawn that anyone would recognise."""


@dataclass(frozen=True)
class Paper:
    """A sheet to draw on.

    Attributes
    ----------
    rows, columns : int
        Of the images of the data set.
    box : float
        Pixels of the box that the ink is scaled to fit.
    centre : str
        ``"mass"``: the ink's centre of mass comes to the middle, as in MNIST; ``"box"``: its bounding box, as in the 8×8 digits.
    pen : float
        Pixels that a line is wide.
    pad, resize, low, high
        As in a spec's [data].
    mean, deviation : tuple of float, optional
        What is subtracted from every input at the end, and what it is then divided by.
    """

    rows: int
    columns: int
    box: float
    centre: str
    pen: float
    pad: tuple[int, int] = (0, 0)
    resize: tuple[int, int] | None = None
    low: float = 0.0
    high: float = 1.0
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None

    def described(self) -> dict[str, Any]:
        """As the page holds it."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "box": self.box,
            "centre": self.centre,
            "pen": self.pen,
            "pad": list(self.pad),
            "resize": None if self.resize is None else list(self.resize),
            "low": self.low,
            "high": self.high,
            "mean": None if self.mean is None else pack(self.mean),
            "deviation": None if self.deviation is None else pack(self.deviation),
        }

    @property
    def size(self) -> int:
        """How many numbers come out."""
        if self.resize is not None:
            return prod(self.resize)
        return (self.rows + 2 * self.pad[0]) * (self.columns + 2 * self.pad[1])


def paper_for(
    layout: Layout, data: str | None, prepare: Mapping[str, Any], normaliser: Mapping[str, Any] | None = None
) -> Paper | None:
    """The sheet that suits a network; None where its input is no picture of one channel.

    Parameters
    ----------
    data : str, optional
        ``"digits"``, or a set of MNIST's digits; None: pictures of the input's own size.
    prepare : mapping
        ``pad, resize, low, high`` as in a spec's [data].
    normaliser : mapping, optional
        What was learned from the training samples (`neurograph.data.normalise.Normaliser.as_dict`).

    Examples
    --------
    >>> import neurograph as ng
    >>> from neurograph.graph.layout import layout_of
    >>> layout = layout_of(ng.lay_out(ng.load("lenet5-1998")))
    >>> paper = paper_for(layout, "mnist", {"pad": 2, "low": -0.1, "high": 1.175})
    >>> (paper.rows, paper.pad, paper.size) if paper else None
    (28, (2, 2), 1024)
    """
    if len(layout.inputs) != 1:
        return None
    port = layout.inputs[0]
    paper = _of_set(data) or _of_shape(port.shape)
    if paper is None:
        return None
    paper = replace(
        paper,
        pad=_pair(prepare.get("pad") or 0),
        resize=None if prepare.get("resize") is None else _pair(prepare["resize"]),
        low=float(prepare.get("low", 0.0)),
        high=float(prepare.get("high", 1.0)),
    )
    if normaliser is not None:
        paper = replace(paper, mean=_spread(normaliser, "mean", port), deviation=_spread(normaliser, "deviation", port))
    return paper if paper.size == port.size else None


def _of_set(data: str | None) -> Paper | None:
    if data is None:
        return None
    return Paper(8, 8, 8.0, "box", 1.2) if data == "digits" else Paper(28, 28, 20.0, "mass", 2.4)


def _of_shape(shape: tuple[int, ...]) -> Paper | None:
    """A sheet of the input's size, with the proportions of MNIST's."""
    if len(shape) != 3 or shape[0] != 1 or min(shape[1:]) < SMALLEST:
        return None
    side = min(shape[1:])
    return Paper(shape[1], shape[2], side * 20 / 28, "mass", side * 2.4 / 28)


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    numbers = [value] if isinstance(value, int) else list(value)
    return numbers[0], numbers[-1]


def _spread(normaliser: Mapping[str, Any], what: str, port: Port) -> tuple[float, ...]:
    """One number an input."""
    values = np.array(normaliser[what], dtype=np.float64).reshape(normaliser["shape"])
    return tuple(np.broadcast_to(values, (1, *port.shape)).ravel().tolist())
