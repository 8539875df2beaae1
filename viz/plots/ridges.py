"""Histograms below each other on one axis, a row a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..colours import FAINT, GREY, INK
from .figure import SMALL
from .words import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]

BINS = 60
FEW = 12
"""Values up to which each is a stroke: a histogram of so few shows nothing."""
HIGH = 0.86
"""Height of the highest bin, in rows."""


@dataclass(frozen=True)
class Ridge:
    """One row.

    Attributes
    ----------
    name : str
    values : ndarray
        Finite numbers.
    remark : str
        What stands at its right end.
    """

    name: str
    values: Array
    remark: str = ""


def ridges(axes: Axes, rows: Sequence[Ridge], ends: tuple[float, float], colour: str) -> None:
    """Draw rows from top to bottom; each is as high as its highest bin, whatever the others are."""
    look: dict[str, Any]
    edges = np.linspace(*ends, BINS + 1)
    for number, row in enumerate(rows):
        base = len(rows) - 1 - number
        axes.axhline(base, color=FAINT, linewidth=0.8, zorder=0)
        if 0 < len(row.values) <= FEW:
            look = {"color": colour, "linewidth": 2.5, "gid": row.name}
            axes.vlines(row.values, base, base + HIGH * 0.6, **look)
        elif len(row.values):
            counts = np.histogram(row.values, edges)[0]
            heights = base + HIGH * counts / max(int(counts.max()), 1)
            axes.stairs(heights, edges, baseline=base, fill=True, color=colour, alpha=0.85, linewidth=0, gid=row.name)
        if row.remark:
            look = {"xytext": (6, 0), "textcoords": "offset points", "fontsize": SMALL, "color": GREY, "va": "center"}
            where = (1, base + 0.25)
            axes.annotate(plain(row.remark), where, xycoords=("axes fraction", "data"), annotation_clip=False, **look)
    axes.set(xlim=ends, ylim=(-0.08, len(rows)))
    axes.set_yticks(
        [len(rows) - 1 - i + 0.25 for i in range(len(rows))], [plain(row.name, 22) for row in rows], color=INK
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
