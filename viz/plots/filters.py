"""Filters as images: one picture for the weights of a layer, every kernel in the colours of signed numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..colours import GREY
from ..numbers import short
from .figure import SMALL, foot, new, styled
from .kernels import Kernels, Network, kernels
from .tiles import LETTERS, Tile, best_columns, canvas, crop, largest_of, paint, reach_of, say, scale, side_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIMIT = 64
"""Filters shown."""
CHANNELS = 8
"""Of each, the input maps shown."""
MATRIX = (64, 128)
"""Rows and columns shown of a weight matrix."""
LEAST = 0.42
"""Inches that an image is wide and high at least."""
ROOM = (5.7, 11.2)
GAPS = (0.08, 0.08)


@styled
def filters(
    network: Network,
    weights: Mapping[str, NDArray[Any]],
    layer: str | None = None,
    *,
    limit: int = LIMIT,
    note: str = "",
) -> Figure:
    """The weights of one layer as images.

    Parameters
    ----------
    network : Topology or NeuronGraph
    weights : mapping of str to ndarray
        Such as a `Parameters`, ``run.parameters`` or ``trace.weights``.
    layer : str, optional
        A layer or a parameter; default: the first that has weights. Single weights of hand-drawn networks are one table.
    limit : int
        Filters shown at most.
    note : str
        Where the weights come from.

    Returns
    -------
    matplotlib.figure.Figure
        White is 0; all images have one scale. Dense layers have an image a unit where what they look at has rows and columns.
        What had no room is told below.

    Raises
    ------
    UnknownName, DrawingError
        If there is no such layer, or it has no weights.

    Examples
    --------
    >>> import neurograph as ng
    >>> topology = ng.lay_out(ng.load("four"))
    >>> figure = filters(topology, ng.initialise(topology))
    >>> figure.axes[0].images[0].get_array()[1].tolist()
    [1.0, 1.0, 1.0]
    """
    found = kernels(network, weights, layer)
    name = getattr(network, "name", "") or "network"
    figure = new(f"{name}: {found.name}")
    axes = canvas(figure, ROOM)
    left_out = _matrix(axes, found) if found.is_table else _bands(axes, found, limit)
    reach, largest = reach_of(found.values), largest_of([found.values])
    scale(figure, axes, reach, "weight", reach < largest)
    beyond = (
        f"Colours end at ±{short(reach)}, behind which few weights lie; the largest is {short(largest)}."
        if reach < largest
        else ""
    )
    what = f"{found.what[0].upper()}{found.what[1:]}."
    foot(figure, "\n".join(part for part in (what, beyond, left_out, note) if part))
    return figure


def _bands(axes: Axes, found: Kernels, limit: int) -> str:
    """Filters in bands: a column a filter, below each other its input maps. Says what was left out."""
    all_filters, all_channels, rows, columns = found.values.shape
    channels = min(all_channels, CHANNELS)
    band = (rows * channels, columns)
    left = LETTERS + 0.1 if channels > 1 else 0.0
    room = (ROOM[0], ROOM[1] - left)
    gaps = (LETTERS + 0.12 + GAPS[0] * channels, GAPS[1])
    n = min(all_filters, limit)
    while n > 1 and _width(n, band, room, gaps, columns) < LEAST:
        n -= 1
    across = best_columns(n, band, room, gaps)
    side = min(side_of(n, across, band, room, gaps), 0.9)
    tiles = []
    for number in range(n):
        down, right = divmod(number, across)
        x = left + right * (columns * side + gaps[1])
        y = down * (rows * channels * side + gaps[0]) + LETTERS
        say(axes, x + columns * side / 2, y - 0.05, str(number), ha="center", va="bottom")
        for channel in range(channels):
            top = y + channel * (rows * side + GAPS[0])
            tiles.append(Tile(found.values[number, channel], x, top, side, f"{found.name}[{number},{channel}]"))
            if right == 0 and channels > 1:
                say(axes, left - 0.08, top + rows * side / 2, str(channel), ha="right", va="center", color=GREY)
    paint(axes, tiles, reach_of(found.values))
    crop(axes, tiles)
    what = "units" if "unit" in found.what else "filters"
    return _left_out((n, all_filters, what), (channels, all_channels, "input maps"))


def _width(n: int, band: tuple[int, int], room: tuple[float, float], gaps: tuple[float, float], columns: int) -> float:
    return side_of(n, best_columns(n, band, room, gaps), band, room, gaps) * columns


def _matrix(axes: Axes, found: Kernels) -> str:
    """One table of weights, a row a target."""
    whole = found.values[0, 0]
    table = whole[: MATRIX[0], : MATRIX[1]]
    rows, columns = table.shape
    left = 0.1 + 0.115 * max((len(name) for name in found.targets[:rows]), default=0)
    top = LETTERS if found.sources else 0.0
    side = min((ROOM[0] - top) / rows, (ROOM[1] - left) / columns, 0.9)
    tile = Tile(table, left, top, side, found.name)
    paint(axes, [tile], reach_of(whole))
    crop(axes, [tile])
    if side >= LETTERS:
        for number, name in enumerate(found.targets[:rows]):
            say(axes, left - 0.08, top + (number + 0.5) * side, name, ha="right", va="center")
    if side >= 0.12 * max((len(name) for name in found.sources), default=0):
        for number, name in enumerate(found.sources[:columns]):
            say(axes, left + (number + 0.5) * side, top - 0.05, name, ha="center", va="bottom", fontsize=SMALL)
    return _left_out((rows, whole.shape[0], "rows"), (columns, whole.shape[1], "columns"))


def _left_out(*counts: tuple[int, int, str]) -> str:
    """What was left out, in words.

    Examples
    --------
    >>> _left_out((16, 120, "filters"), (8, 8, "input maps"))
    'Left out: shown are the first 16 of 120 filters.'
    """
    parts = [f"the first {shown:,} of {there:,} {what}" for shown, there, what in counts if shown < there]
    return f"Left out: shown are {' and '.join(parts)}." if parts else ""
