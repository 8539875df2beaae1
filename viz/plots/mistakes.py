"""The worst mistakes: the samples that got a wrong label with the most conviction, as images."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Batch, Engine
from neurograph.errors import DrawingError

from ..numbers import short
from .figure import SMALL, TEXT, foot, new, styled
from .tiles import LETTERS, Tile, canvas, crop, largest_of, paint, say, scale, side_of
from .verdicts import Verdicts, judge
from .words import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIMIT = 24
"""Mistakes shown."""
ROOM = (5.8, 11.2)
WORDS = 3 * LETTERS
"""Inches for what stands below an image: three lines."""
LEAST = 1.35
"""Inches that these lines need in width."""


@styled
def mistakes(
    engine: Engine,
    x: Batch,
    y: Batch,
    head: Hashable | None = None,
    *,
    limit: int = LIMIT,
    names: Sequence[str] = (),
    title: str = "",
    note: str = "",
) -> Figure:
    r"""The samples that got a wrong label, the worst first: what they are, and what they were taken for.

    Parameters
    ----------
    engine : Program or ReferenceEngine
    x, y : array_like or mapping
        Samples, and their classes.
    head : str, optional
        Which head; needed only where there are several.
    limit : int
        Samples shown at most.
    names : sequence of str, optional
        Of the classes; default: their numbers.
    title, note : str
        What is shown, and where it comes from.

    Returns
    -------
    matplotlib.figure.Figure
        The worst is the one whose true class was given the least probability; without probabilities, whose output for it fell
        farthest behind.

    Raises
    ------
    DrawingError
        If the targets are no classes (regression), or every position has one.

    Examples
    --------
    >>> import neurograph as ng, numpy as np
    >>> text = 'input = [2]\nlayer = [{name = "out", kind = "dense", units = 2}]\nloss.kind = "cross_entropy"'
    >>> topology = ng.lay_out(ng.load(text))
    >>> program = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology))
    >>> figure = mistakes(program, np.array([[-1.0, 0], [1, 0], [0, 2]]), np.array([1, 0, 1]))
    >>> print(figure.get_suptitle())
    2 of 3 wrong (66.67 %), the worst first
    """
    verdicts = judge(engine, x, y, head)
    if verdicts.sureness is None:
        raise DrawingError(
            f"'{verdicts.head or 'the output'}': a class at every position; mistakes are of whole samples."
        )
    order = verdicts.worst_first()
    n = len(verdicts.true)
    prefix = f"{verdicts.head}: " if verdicts.head else ""
    first = ", the worst first" if len(order) else ""
    figure = new(title or f"{prefix}{len(order):,} of {n:,} wrong ({percent(len(order) / n)}){first}")
    axes = canvas(figure, ROOM)
    if not len(order):
        say(axes, 0, 0.5, "Every sample got its right label.", fontsize=TEXT)
        return figure
    images = _images(x)
    shown = [images[i] for i in order[:limit]]
    told = [_lines(verdicts, int(i), names) for i in order[:limit]]
    pitch = max(LEAST, 0.1 * max(len(lines[0][0]) for lines in told) + 0.1)
    most = _most(len(shown), shown[0].shape, pitch)
    tiles = _place(shown[:most], [f"sample {i}" for i in order[:most]], pitch)
    paint(axes, tiles, largest_of(shown))
    for tile, lines in zip(tiles, told, strict=False):
        middle = tile.x + tile.width / 2
        for line, (text, weight) in enumerate(lines):
            y0 = tile.y + tile.height + 0.04 + line * LETTERS * 0.9
            say(axes, middle, y0, text, ha="center", va="top", fontweight=weight, fontsize=SMALL)
    crop(axes, tiles, below=WORDS)
    scale(figure, axes, largest_of(shown), "input")
    left_out = f"Left out: {len(order) - most:,} more." if most < len(order) else ""
    channels = "Of several channels their mean is shown." if _channels(x) > 1 else ""
    foot(figure, "\n".join(part for part in (_meaning(verdicts), channels, left_out, note) if part))
    return figure


def _lines(verdicts: Verdicts, sample: int, names: Sequence[str]) -> list[tuple[str, str]]:
    """Below an image: the mistake, how sure it was, and which sample this is."""
    assert verdicts.sureness is not None
    true, taken = int(verdicts.true[sample]), int(verdicts.predicted[sample])
    told = [names[i] if names else str(i) for i in (true, taken)]
    p_taken, p_true = (float(verdicts.sureness[sample, i]) for i in (taken, true))
    write = _percent if verdicts.are_probabilities else short
    sure = f"{write(p_taken)}, {write(p_true)}"
    return [(f"{told[0]} taken for {told[1]}", "bold"), (sure, "normal"), (f"sample {sample:,}", "normal")]


def _meaning(verdicts: Verdicts) -> str:
    what = "probability" if verdicts.are_probabilities else "output"
    return f"Below each: its true class and what it was taken for; the {what} of what it was taken for, and of its true class."


def _percent(share: float) -> str:
    """A probability in few letters.

    Examples
    --------
    >>> _percent(0.9999), _percent(0.42), _percent(0.0021), _percent(1e-9)
    ('>99 %', '42 %', '0.2 %', '<0.1 %')
    """
    if share < 0.001:
        return "<0.1 %"
    return f"{100 * share:.1f} %" if share < 0.01 else ">99 %" if share > 0.99 else f"{100 * share:.0f} %"


def _images(x: Batch) -> NDArray[Any]:
    """Every sample as an image, shape (n, rows, columns); the first input's, where there are several."""
    array = np.asarray(next(iter(x.values())) if isinstance(x, Mapping) else x, dtype=np.float64)
    if array.ndim == 4:
        mean: NDArray[Any] = array.mean(axis=1)
        return mean
    return array if array.ndim == 3 else array.reshape(len(array), 1, -1)


def _channels(x: Batch) -> int:
    shape = np.shape(next(iter(x.values())) if isinstance(x, Mapping) else x)
    return int(shape[1]) if len(shape) == 4 else 1


def _most(n: int, shape: tuple[int, int], pitch: float) -> int:
    """As many as there is room for with words below them."""
    across = int(ROOM[1] / pitch) if shape[1] <= 4 * shape[0] else 2
    return min(n, across * int(ROOM[0] / (WORDS + 0.75)))


def _place(images: list[NDArray[Any]], names: list[str], least: float) -> list[Tile]:
    rows, columns = images[0].shape
    n = len(images)
    gaps = (WORDS + 0.1, 0.1)
    across = max(
        (c for c in range(1, n + 1) if ROOM[1] / c >= least),
        key=lambda c: side_of(n, c, (rows, columns), ROOM, gaps),
    )
    side = min(side_of(n, across, (rows, columns), ROOM, gaps), 0.6)
    pitch = max(columns * side + gaps[1], least)
    tiles = []
    for number, image in enumerate(images):
        down, right = divmod(number, across)
        x = right * pitch + (pitch - columns * side) / 2
        tiles.append(Tile(image, x, down * (rows * side + gaps[0]), side, names[number]))
    return tiles
