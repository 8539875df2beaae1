"""How large updates are beside the weights they change, layer by layer and step by step."""

from __future__ import annotations

from itertools import cycle
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from neurograph.errors import DrawingError

from ..colours import GREY
from .figure import LINES, SMALL, foot, logarithmic, new, only_finite, styled
from .ratios import Ratios
from .words import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THUMB = 1e-3
"""Where the ratio of a network that learns well often lies, as a rule of thumb says."""
FEW = 30
"""Steps up to which each is a dot."""
LAYERS = 10
"""Layers shown."""


@styled
def updates(ratios: Ratios, *, title: str = "", note: str = "") -> Figure:
    """Size of each update as a share of the weights it changes: ‖new w − w‖ / ‖w‖.

    Parameters
    ----------
    ratios : Ratios
        What watched a training: ``ng.fit(program, x, y, on_step=ratios)``.
    title, note : str
        What is shown, and where it comes from.

    Returns
    -------
    matplotlib.figure.Figure
        A curve a layer on a logarithmic axis; of many steps faint, with the mean over a window of neighbours on top.

    Raises
    ------
    DrawingError
        If no step was watched.

    References
    ----------
    A. Karpathy, CS231n, "Ratio of weights:updates": about 10⁻³; far above, the rate may be too high, far below, too low.
    """
    if not ratios.steps:
        raise DrawingError("updates: no step was watched; pass the ratios to fit, as on_step.")
    rows = {name: only_finite(value or None for value in row) for name, row in ratios.rows.items()}
    drawn = {name: row for name, row in rows.items() if any(map(isfinite, row))}
    if not drawn:
        raise DrawingError("updates: no weight changed in the steps watched.")
    shown = _chosen(list(drawn))
    figure = new(title or f"{ratios.name}: size of the updates beside the weights")
    axes = figure.add_subplot()
    window = max(1, len(ratios.steps) // 40)
    for name, colour in zip(shown, cycle(LINES), strict=False):
        marker = "o" if len(ratios.steps) <= FEW else ""
        faint: dict[str, Any] = {"alpha": 0.25, "linewidth": 1.0} if window > 1 else {}
        label = "" if window > 1 else plain(name.removesuffix(".weight"))
        axes.plot(ratios.steps, drawn[name], color=colour, marker=marker, gid=name, label=label or "_", **faint)
        if window > 1:
            x, y = _smooth(ratios.steps, drawn[name], window)
            axes.plot(x, y, color=colour, label=plain(name.removesuffix(".weight")), gid=f"{name}: mean")
    logarithmic(axes, "y")
    axes.axhline(THUMB, color=GREY, linestyle="--", linewidth=1.5)
    axes.annotate("rule of thumb: 0.001", (1, THUMB), (-4, 4), **_AT_RIGHT, fontsize=SMALL, color=GREY)
    axes.set(xlabel="step", ylabel="‖new w − w‖ / ‖w‖")
    axes.grid(axis="y")
    figure.legend(loc="outside right upper")
    left_out = [name for name in ratios.rows if name not in shown]
    told = f"Left out: {', '.join(left_out[:8])}{' …' if len(left_out) > 8 else ''}." if left_out else ""
    smooth = f"Faint: every step. Bold: the mean over {window} steps." if window > 1 else ""
    foot(figure, "\n".join(part for part in (smooth, told, note) if part))
    return figure


_AT_RIGHT: dict[str, Any] = {
    "xycoords": ("axes fraction", "data"),
    "textcoords": "offset points",
    "ha": "right",
    "va": "bottom",
}


def _chosen(names: list[str]) -> list[str]:
    if len(names) <= LAYERS:
        return names
    return [names[round(i * (len(names) - 1) / (LAYERS - 1))] for i in range(LAYERS)]


def _smooth(steps: list[int], row: list[float], window: int) -> tuple[list[float], list[float]]:
    """Geometric means over windows, at the windows' middles: equal ways on a logarithmic axis count equally.

    Examples
    --------
    >>> x, y = _smooth([1, 2, 3, 4], [0.01, 0.0001, 1.0, 0.01], 2)
    >>> x, [round(value, 3) for value in y]
    ([1.5, 2.5, 3.5], [0.001, 0.01, 0.1])
    """
    logs = np.log10(np.array(row))
    kernel = np.ones(window) / window
    y = 10 ** np.convolve(logs, kernel, "valid")
    x = np.convolve(np.array(steps, dtype=np.float64), kernel, "valid")
    return [float(v) for v in x], [float(v) for v in y]
