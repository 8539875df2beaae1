"""Small images in rows, in the colours of signed numbers: what filters, feature maps and mistakes are shown as.

The axes they stand on are measured in inches, so that letters fit where they are put.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..colours import GREY, INK, ink_on, signed
from ..numbers import alike, short
from .figure import SMALL, bare, signed_colours
from .words import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]

NUMBERED = 0.55
"""Inches of a cell's width from which a number stands in it."""
LETTERS = 0.25
"""Inches of one line of text."""


@dataclass(frozen=True)
class Tile:
    """One small image and the place it has.

    Attributes
    ----------
    values : ndarray, shape (rows, columns)
    x, y : float
        Its upper left corner, in inches from that of the axes.
    side : float
        Inches from one value to the next.
    name : str
        What it is, as `gid` of its artist.
    """

    values: Array
    x: float
    y: float
    side: float
    name: str = ""

    @property
    def width(self) -> float:
        return float(self.values.shape[1] * self.side)

    @property
    def height(self) -> float:
        return float(self.values.shape[0] * self.side)


def largest_of(arrays: Iterable[Array]) -> float:
    """The largest finite magnitude, at which a scale ends; 1 where there is none but 0."""
    peaks = [np.abs(a[np.isfinite(a)]).max(initial=0.0) for a in map(np.asarray, arrays)]
    return float(max(peaks, default=0.0)) or 1.0


def reach_of(values: Array) -> float:
    """Where a scale had better end: at the largest magnitude, or below it where only one number in 200 lies beyond.

    Examples
    --------
    >>> reach_of(np.array([1.0, -2.0])), reach_of(np.append(np.ones(999), 50.0))
    (2.0, 1.0)
    """
    sizes = np.abs(values[np.isfinite(values)])
    largest = largest_of([sizes])
    usual = float(np.quantile(sizes, 0.995)) if sizes.size >= 400 else 0.0
    return usual if 0 < usual < largest / 1.5 else largest


def best_columns(n: int, shape: tuple[int, int], room: tuple[float, float], gaps: tuple[float, float]) -> int:
    """In how many columns n images of a shape are largest.

    Parameters
    ----------
    shape : (rows, columns)
        Of one image, in values.
    room, gaps : (height, width)
        In inches: what there is, and what each image needs besides itself.

    Examples
    --------
    >>> best_columns(16, (5, 5), (5.0, 10.0), (0.25, 0.1))
    6
    """
    return max(range(1, n + 1), key=lambda columns: side_of(n, columns, shape, room, gaps))


def side_of(
    n: int, columns: int, shape: tuple[int, int], room: tuple[float, float], gaps: tuple[float, float]
) -> float:
    """Inches from one value to the next if n images stand in so many columns."""
    rows = ceil(n / columns)
    return min((room[0] / rows - gaps[0]) / shape[0], (room[1] / columns - gaps[1]) / shape[1])


def canvas(figure: Figure, room: tuple[float, float], place: Any = None) -> Axes:
    """Axes measured in inches from the upper left corner."""
    axes = figure.add_subplot(place) if place is not None else figure.add_subplot()
    axes.set(xlim=(0, room[1]), ylim=(room[0], 0), aspect="equal", anchor="NW")
    bare(axes)
    return axes


def paint(axes: Axes, tiles: Sequence[Tile], largest: float) -> None:
    """Draw images on one scale from −largest over 0 (white) to +largest; numbers stand in cells that have room for them."""
    from matplotlib.colors import Normalize
    from matplotlib.image import AxesImage
    from matplotlib.patches import Rectangle

    norm, colours = Normalize(-largest, largest), signed_colours()
    for tile in tiles:
        extent = (tile.x, tile.x + tile.width, tile.y + tile.height, tile.y)
        image = AxesImage(axes, cmap=colours, norm=norm, extent=extent, interpolation="nearest", origin="upper")
        image.set_data(np.ma.masked_invalid(np.asarray(tile.values, dtype=np.float64)))
        image.set_gid(tile.name)
        axes.add_image(image)
        axes.add_patch(Rectangle((tile.x, tile.y), tile.width, tile.height, fill=False, edgecolor=GREY, linewidth=0.8))
        if tile.side >= NUMBERED:
            _write(axes, tile, largest)


def _write(axes: Axes, tile: Tile, largest: float) -> None:
    size = min(SMALL * tile.side / NUMBERED, 18)
    for (row, column), value in np.ndenumerate(tile.values):
        x, y = tile.x + (column + 0.5) * tile.side, tile.y + (row + 0.5) * tile.side
        if np.isfinite(value):
            ink = ink_on(signed(float(value), largest))
            axes.text(x, y, alike(float(value), largest), ha="center", va="center", color=ink, fontsize=size)


def crop(axes: Axes, tiles: Sequence[Tile], below: float = 0.0) -> None:
    """Leave no empty room below and beside the tiles (but so many inches for words), so that they stand in the middle."""
    axes.set_xlim(-0.03, max(tile.x + tile.width for tile in tiles) + 0.03)
    axes.set_ylim(max(tile.y + tile.height for tile in tiles) + 0.03 + below, -0.03)
    axes.set_anchor("C")


def say(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    """Write beside a tile."""
    axes.text(x, y, plain(text), **{"fontsize": SMALL, "color": INK, **look})


def scale(figure: Figure, axes: Axes, largest: float, what: str, beyond: bool = False) -> None:
    """The legend of the colours: from −largest over 0 to +largest; with points where numbers lie `beyond`."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colours = ScalarMappable(Normalize(-largest, largest), signed_colours())
    bar = figure.colorbar(
        colours, ax=axes, fraction=0.03, pad=0.01, shrink=0.8, aspect=30, extend="both" if beyond else "neither"
    )
    ends = [-largest, -largest / 2, 0, largest / 2, largest]
    bar.set_ticks(ends, labels=[short(end) for end in ends])
    bar.ax.tick_params(labelsize=SMALL)
    bar.set_label(plain(what))
    bar.outline.set_edgecolor(GREY)
