"""The confusion matrix: which classes were taken for which."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Batch, Engine
from neurograph.errors import DrawingError, UsageError

from ..colours import GREY, INK, ink_on, mix
from .figure import SMALL, TEXT, foot, new, styled
from .verdicts import judge
from .words import percent, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NUMBERED = 20
"""Classes up to which every count is written."""
NAMED = 40
"""Classes up to which every one is named."""
LEAST = 5
"""Mistakes at which the scale of colours ends at least: a single one is not to look grave."""
TOP = 12
"""Most frequent confusions that are listed."""
RIGHT, WRONG = "#dbe9f9", ("#ffffff", "#fde3d2", "#f5ab86", "#d2522a", "#7d2611")
"""Ground of the diagonal, and the scale of what is beside it: its own, or the few mistakes of a good network would be white."""


@styled
def confusion(
    engine: Engine,
    x: Batch,
    y: Batch,
    head: Hashable | None = None,
    *,
    names: Sequence[str] = (),
    title: str = "",
    note: str = "",
) -> Figure:
    r"""How often each class (rows) was taken for each (columns), on samples whose classes are known.

    Parameters
    ----------
    engine : Program or ReferenceEngine
    x, y : array_like or mapping
    head : str, optional
        Which head; needed only where there are several.
    names : sequence of str, optional
        Of the classes; default: their numbers.
    title, note : str
        What is shown, and where it comes from.

    Returns
    -------
    matplotlib.figure.Figure
        The diagonal is what was right; colours count the mistakes only.

    Raises
    ------
    DrawingError
        If the targets are no classes (regression).

    Examples
    --------
    >>> import neurograph as ng, numpy as np
    >>> text = 'input = [2]\nlayer = [{name = "out", kind = "dense", units = 2}]\nloss.kind = "cross_entropy"'
    >>> topology = ng.lay_out(ng.load(text))
    >>> program = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology))
    >>> figure = confusion(program, np.array([[-1.0, 0], [1, 0], [0, 2]]), np.array([0, 1, 1]))
    >>> int(figure.axes[0].images[0].get_array().shape[0])
    2
    """
    verdicts = judge(engine, x, y, head)
    counts = verdicts.counts()
    return _matrix(counts, names, title or _title(counts, verdicts.head), note)


@styled
def matrix(counts: NDArray[Any], names: Sequence[str] = (), title: str = "", note: str = "") -> Figure:
    """A confusion matrix of counts, shape (classes, classes): true classes in rows, predicted ones in columns.

    Raises
    ------
    UsageError
        If the names are not as many as the classes.
    """
    return _matrix(counts, names, title, note)


def _matrix(counts: NDArray[Any], names: Sequence[str], title: str, note: str) -> Figure:
    n = len(counts)
    if names and len(names) != n:
        raise UsageError(f"confusion: {len(names)} names for {n} classes; give one for each, or none.")
    if not counts.sum():
        raise DrawingError("confusion: no samples, so nothing to count.")
    figure = new(title or _title(counts, ""))
    grid = figure.add_gridspec(1, 2, width_ratios=[1.75, 1])
    axes = figure.add_subplot(grid[0])
    words = [plain(name, 14) for name in names] or [str(i) for i in range(n)]
    _cells(figure, axes, counts)
    _name(axes, words, n)
    _list(figure.add_subplot(grid[1]), counts, words)
    foot(figure, "\n".join(part for part in (_missing(n), note) if part))
    return figure


def _title(counts: NDArray[Any], head: str) -> str:
    right, n = int(np.trace(counts)), int(counts.sum())
    return f"{head + ': ' if head else ''}{right:,} of {n:,} right ({percent(right / max(n, 1))})"


def _cells(figure: Figure, axes: Axes, counts: NDArray[Any]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    n = len(counts)
    wrong = np.where(np.eye(n, dtype=bool), 0, counts)
    most = max(int(wrong.max()), LEAST)
    colours = LinearSegmentedColormap.from_list("mistakes", WRONG, N=511).with_extremes(bad=RIGHT)
    shown = np.ma.masked_array(counts, np.eye(n, dtype=bool))
    image = axes.imshow(shown, cmap=colours, vmin=0, vmax=most, interpolation="nearest")
    image.set_gid("counts")
    bar = figure.colorbar(image, ax=axes, fraction=0.04, pad=0.02, aspect=30)
    bar.set_ticks(sorted({0, most // 2, most}))
    bar.ax.tick_params(labelsize=SMALL)
    bar.set_label("samples taken for another class")
    if n <= NUMBERED:
        size = TEXT + 1 if n <= 12 else SMALL
        for (row, column), count in np.ndenumerate(counts):
            if count:
                ground = RIGHT if row == column else _ground(int(count) / most)
                weight = "bold" if row == column else "normal"
                look: dict[str, Any] = {"fontsize": size, "color": ink_on(ground), "fontweight": weight}
                axes.text(column, row, f"{count:,}", ha="center", va="center", **look)


def _ground(share: float) -> str:
    place = share * (len(WRONG) - 1)
    low = min(int(place), len(WRONG) - 2)
    return mix(WRONG[low], WRONG[low + 1], place - low)


def _name(axes: Axes, words: list[str], n: int) -> None:
    axes.set(xlabel="taken for", ylabel="true class")
    step = 1 if n <= NAMED else -(-n // 10)
    places = range(0, n, step)
    longest = max(len(words[i]) for i in places)
    axes.set_xticks(
        places, [words[i] for i in places], rotation=90 if longest * len(places) > 60 else 0, fontsize=SMALL
    )
    axes.set_yticks(places, [words[i] for i in places], fontsize=SMALL)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set(visible=True, color=GREY)


def _list(axes: Axes, counts: NDArray[Any], words: list[str]) -> None:
    """Words beside the picture: the most frequent confusions."""
    from .figure import bare

    bare(axes)
    axes.set(xlim=(0, 1), ylim=(TOP + 1.5, -0.5))
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    order = [i for i in np.argsort(-wrong, axis=None, kind="stable")[:TOP] if wrong.flat[i]]
    rows = [(int(wrong.flat[i]), *(words[int(k)] for k in np.unravel_index(i, wrong.shape))) for i in order]
    axes.text(0, 0, "Most frequent mistakes" if rows else "No mistake", fontsize=TEXT, fontweight="bold", color=INK)
    for number, (count, true, taken) in enumerate(rows, 1):
        axes.text(0.14, number, f"{count:,}", ha="right", fontsize=TEXT, color=INK)
        axes.text(0.18, number, f"{true} taken for {taken}", fontsize=TEXT, color=INK)


def _missing(n: int) -> str:
    return (
        ""
        if n <= NUMBERED
        else f"Left out: the {n * n:,} counts as numbers; they are written up to {NUMBERED} classes."
    )
