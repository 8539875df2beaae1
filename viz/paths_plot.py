"""Where optimisers go: the heights of a loss over two weights, and the path that each of them takes down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurograph.errors import DrawingError

from .colours import INK, POSITIVE
from .plots.figure import SMALL, amount_colours, new, styled
from .plots.words import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]

FINE = 40
"""Points of a height map along each axis."""
COLUMNS = 3
LEVELS = 7
"""Lines of equal loss."""


@styled
def descents(
    loss: Callable[[Array, Array], Array],
    paths: Mapping[str, ArrayLike],
    *,
    around: tuple[float, float, float, float],
    title: str = "Descents",
    note: str = "",
) -> Figure:
    """One panel a path, all over the same landscape.

    Parameters
    ----------
    loss : callable
        Height at arrays of both weights; finite and at least 0 in what is shown.
    paths : mapping of str to array_like, shape (steps + 1, 2)
        What stands above each panel → both weights at the start and after every step.
    around : tuple of float
        Least and largest first weight, least and largest second weight.
    title, note : str
        Above and below all panels.

    Raises
    ------
    DrawingError
        If there is no path, or one is not a list of pairs.

    Examples
    --------
    >>> figure = descents(lambda a, b: a**2 + b**2, {"straight": [[1, 1], [0, 0]]}, around=(-2, 2, -2, 2))
    >>> len(figure.axes)
    1
    """
    if not paths:
        raise DrawingError("descents: there is no path to draw; give at least one.")
    left, right, low, high = around
    across, up = np.meshgrid(np.linspace(left, right, FINE), np.linspace(low, high, FINE))
    heights = np.asarray(loss(across, up), np.float64)
    figure = new(title, note)
    columns = min(COLUMNS, len(paths))
    panels = figure.subplots(ceil(len(paths) / columns), columns, squeeze=False, sharex=True, sharey=True).reshape(-1)
    for panel, (name, path) in zip(panels, paths.items(), strict=False):
        _landscape(panel, across, up, heights)
        _path(panel, name, np.asarray(path, np.float64))
        panel.set(xlim=(left, right), ylim=(low, high))
    for panel in panels[len(paths) :]:
        panel.remove()
    for panel in panels[: len(paths)]:
        grid = panel.get_subplotspec()
        panel.set(
            xlabel="first weight" if grid.is_last_row() else "", ylabel="second weight" if grid.is_first_col() else ""
        )
    return figure


def _landscape(panel: Axes, across: Array, up: Array, heights: Array) -> None:
    """Lines of equal loss, closer together near the bottom, where they are lighter."""
    levels = heights.min() + (heights.max() - heights.min()) * np.linspace(0, 1, LEVELS + 2)[1:-1] ** 2
    colours = amount_colours()(np.linspace(0.3, 0.75, LEVELS))
    panel.contour(across, up, heights, levels=levels, colors=colours, linewidths=1.2)


def _path(panel: Axes, name: str, path: Array) -> None:
    if path.ndim != 2 or path.shape[1] != 2 or not np.isfinite(path).all():
        raise DrawingError(
            f"descents: the path '{name}' has the shape {path.shape}; pairs of finite weights are expected."
        )
    panel.plot(path[:, 0], path[:, 1], color=POSITIVE, marker="o", markersize=3.5, linewidth=1.4)
    panel.plot(*path[0], color=INK, marker="s", markersize=7)
    panel.plot(*path[-1], color=INK, marker="*", markersize=12)
    panel.set_title(plain(name, 60), fontsize=SMALL)
