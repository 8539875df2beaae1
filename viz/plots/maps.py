"""Feature maps: what one sample becomes on its way through the network, layer below layer, or one layer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurograph.trace import Trace

from ..colours import FAINT, GREY
from ..numbers import short
from .figure import TEXT, foot, new, styled
from .strata import Stratum, strata, stratum
from .tiles import LETTERS, NUMBERED, Tile, best_columns, canvas, crop, largest_of, paint, say, scale, side_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIMIT = 64
"""Maps of one layer."""
ROWS = 8
"""Layers in the overview."""
STRIP = 10
"""Maps of each layer in the overview."""
UNITS = 1_024
"""Neurons without rows and columns that are shown of one layer."""
ROOM = (5.7, 11.2)
LEFT, RIGHT = 2.5, 1.35
GAP = 0.08
WORDS = {"a": "activation a", "z": "pre-activation z", "delta": "δ"}


@styled
def maps(
    trace: Trace,
    sample: int = 0,
    layer: str | None = None,
    *,
    what: str = "a",
    limit: int = LIMIT,
    title: str = "",
    note: str = "",
) -> Figure:
    """One sample on its way through the network: every layer below the one before, or one layer in full.

    Parameters
    ----------
    trace : Trace
        Of either engine: ``inspector.trace``, ``program.backprop(x, y)``.
    sample : int
        Which of the batch.
    layer : str, optional
        Only this one, larger. Default: all, each on a scale of its own.
    what : str
        ``"a"``, ``"z"`` or ``"delta"``.
    limit : int
        Maps of one layer at most.
    title, note : str
        What is shown, and where the sample comes from.

    Returns
    -------
    matplotlib.figure.Figure
        White is 0 everywhere. Neurons without rows and columns stand in reading order. What had no room is told below.

    Raises
    ------
    UnknownName
        If there is no such layer.
    UsageError
        If there is no such sample.

    Examples
    --------
    >>> import neurograph as ng, numpy as np
    >>> topology = ng.lay_out(ng.load("four"))
    >>> program = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology))
    >>> figure = maps(program.backprop(np.ones((1, 1, 6, 6)), upstream=np.zeros((1, 2))))
    >>> len(figure.axes[0].images), figure.axes[0].images[1].get_array().shape  # input, conv, pool, outputs
    (4, (6, 6))
    """
    name = getattr(trace.network, "name", "") or "network"
    if layer is not None:
        return _one(stratum(trace, layer, sample, what), what, limit, title or f"{name}: {layer}", note)
    figure = new(title or f"{name}: one sample, layer by layer")
    axes = canvas(figure, ROOM)
    layers = strata(trace, sample, what)
    shown = _chosen(layers)
    height = ROOM[0] / len(shown)
    left_out, tiles = [], []
    for number, one in enumerate(shown):
        y = number * height
        if number:
            axes.axhline(y, color=FAINT, linewidth=0.8)
        row, missing = _strip(axes, one, y, height, limit)
        left_out += [missing] if missing else []
        tiles += row
        say(axes, 0, y + height / 2 - 0.13, one.name, va="center", fontweight="bold", fontsize=TEXT)
        say(axes, 0, y + height / 2 + 0.13, _shape(one), va="center", color=GREY)
        paint(axes, row, largest_of([one.values]))
    left_out += _layers_left_out(layers, shown)
    scale(figure, axes, 1.0, f"share of the layer's largest |{'δ' if what == 'delta' else what}|")
    foot(figure, "\n".join(part for part in (_told(left_out), note) if part))
    return figure


def _shape(one: Stratum) -> str:
    return (
        ", ".join(one.neurons[:6]) + (", …" if len(one.neurons) > 6 else "")
        if one.neurons
        else one.title.split("  ")[1]
    )


def _chosen(layers: list[Stratum]) -> list[Stratum]:
    """All layers, or as many as there is room for, evenly spread from the first to the last."""
    if len(layers) <= ROWS:
        return layers
    return [layers[round(i * (len(layers) - 1) / (ROWS - 1))] for i in range(ROWS)]


def _layers_left_out(layers: list[Stratum], shown: list[Stratum]) -> list[str]:
    there = {id(one) for one in shown}
    names = [one.name for one in layers if id(one) not in there]
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return [f"the layers {', '.join(names[:8])}{more}"] if names else []


def _told(left_out: list[str]) -> str:
    return f"Left out: {'; '.join(left_out)}." if left_out else ""


def _strip(axes: Axes, one: Stratum, y: float, height: float, limit: int) -> tuple[list[Tile], str]:
    """One layer in a row: as many maps as there is room for, and its largest number at the right."""
    width = ROOM[1] - LEFT - RIGHT
    say(axes, LEFT + width + 0.15, y + height / 2, f"largest {short(largest_of([one.values]))}", va="center")
    if not one.has_places:
        return _units(axes, one, (LEFT, y + 0.04), (height - 0.08, width))
    n_maps, rows, columns = one.values.shape
    n = min(n_maps, limit, STRIP)
    side = min((height - 0.12) / rows, (width / n - GAP) / columns)
    across = [LEFT + number * (columns * side + GAP) for number in range(n)]
    top = y + (height - rows * side) / 2
    tiles = [Tile(one.values[i], x, top, side, f"{one.name}[{i}]") for i, x in enumerate(across)]
    return tiles, f"{n_maps - n:,} of {n_maps:,} maps of {one.name}" if n < n_maps else ""


def _units(axes: Axes, one: Stratum, corner: tuple[float, float], room: tuple[float, float]) -> tuple[list[Tile], str]:
    """Neurons without places: in one row with their names, or in several where they are many."""
    numbers = one.values.reshape(-1)[:UNITS]
    n, (x, y), (height, width) = numbers.size, corner, room
    columns = best_columns(n, (1, 1), room, (0.0, 0.0))
    is_row = (height - LETTERS) >= NUMBERED * 0.8 and width / n >= NUMBERED
    if is_row:
        columns, y, height = n, y + LETTERS, height - LETTERS
    side = min(side_of(n, columns, (1, 1), (height, width), (0.0, 0.0)), 0.8)
    rows = -(-n // columns)
    grid = np.full(rows * columns, np.nan)
    grid[:n] = numbers
    tile = Tile(grid.reshape(rows, columns), x, y + (height - rows * side) / 2, side, one.name)
    if is_row:
        for i, name in enumerate(one.neurons or tuple(map(str, range(n)))):
            say(axes, x + (i + 0.5) * side, tile.y - 0.04, name, ha="center", va="bottom", color=GREY)
    size = one.values.size
    return [tile], f"{size - n:,} of {size:,} neurons of {one.name}" if n < size else ""


def _one(one: Stratum, what: str, limit: int, title: str, note: str) -> Figure:
    """One layer in full."""
    figure = new(title)
    axes = canvas(figure, ROOM)
    if not one.has_places:
        tiles, left_out = _units(axes, one, (0, 0), ROOM)
    else:
        tiles, left_out = _grid(axes, one, limit)
    paint(axes, tiles, largest_of([one.values]))
    crop(axes, tiles)
    scale(figure, axes, largest_of([one.values]), WORDS[what])
    order = "" if one.has_places or tiles[0].values.shape[0] == 1 else "Neurons in reading order."
    foot(figure, "\n".join(part for part in (order, _told([left_out] if left_out else []), note) if part))
    return figure


def _grid(axes: Axes, one: Stratum, limit: int) -> tuple[list[Tile], str]:
    """Maps in rows, each with its number."""
    n_maps, rows, columns = one.values.shape
    n = min(n_maps, limit)
    gaps = (LETTERS + GAP, GAP)
    across = best_columns(n, (rows, columns), ROOM, gaps)
    side = min(side_of(n, across, (rows, columns), ROOM, gaps), 0.9)
    tiles = []
    for number in range(n):
        down, right = divmod(number, across)
        x, y = right * (columns * side + GAP), down * (rows * side + gaps[0]) + LETTERS
        tiles.append(Tile(one.values[number], x, y, side, f"{one.name}[{number}]"))
        if n_maps > 1:
            say(axes, x + columns * side / 2, y - 0.05, str(number), ha="center", va="bottom")
    return tiles, f"{n_maps - n:,} of {n_maps:,} maps" if n < n_maps else ""
