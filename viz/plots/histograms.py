"""How weights and δ are spread, layer by layer: whether a layer learns, is dead, or drowns the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import DrawingError
from neurograph.trace import Trace

from ..colours import NEGATIVE, POSITIVE
from ..numbers import short
from .figure import foot, new, styled
from .ridges import Ridge, ridges
from .strata import strata_names
from .words import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]

ROWS = 14
"""Layers shown."""
DECADES = 12
"""Powers of ten shown of δ."""


@styled
def histograms(trace: Trace, weights: Mapping[str, Array] | None = None, *, title: str = "", note: str = "") -> Figure:
    """Weights, and |δ| over a batch, per layer.

    Parameters
    ----------
    trace : Trace
        A forward and backward pass of either engine, over as many samples as one likes. After a forward pass alone there
        are no δ, and only weights are shown.
    weights : mapping of str to ndarray, optional
        Default: the weights of that pass.
    title, note : str
        What is shown, and where it comes from.

    Returns
    -------
    matplotlib.figure.Figure
        Left: weights, all layers on one axis, each with its standard deviation. Right: the sizes of δ on a logarithmic axis,
        where layers through which errors vanish stand ever further to the left, and the share of δ that is exactly 0 (behind a
        ReLU at rest, or beside a pool's winner).

    Raises
    ------
    DrawingError
        If there is neither a weight nor a δ.

    Examples
    --------
    >>> import neurograph as ng, numpy as np
    >>> topology = ng.lay_out(ng.load("four"))
    >>> program = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology))
    >>> figure = histograms(program.backprop(np.ones((1, 1, 6, 6)), upstream=np.ones((1, 2))))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['Weights', '|δ|, a logarithmic axis']
    """
    left = _weights(trace, trace.weights if weights is None else weights)
    right = _deltas(trace)
    if not left and not right:
        raise DrawingError("histograms: the network has no weights, and the pass no δ.")
    shown, missing = zip(*(_chosen(rows) for rows in (left, right)), strict=True)
    name = getattr(trace.network, "name", "") or "network"
    figure = new(title or f"{name}: weights and δ of every layer")
    grid = figure.add_gridspec(1, sum(map(bool, shown)))
    if shown[0]:
        _draw_weights(figure.add_subplot(grid[0]), shown[0])
    if shown[1]:
        _draw_deltas(figure.add_subplot(grid[-1]), shown[1], trace.batch)
    left_out = [name for names in missing for name in names]
    told = f"Left out: {', '.join(left_out[:8])}{' …' if len(left_out) > 8 else ''}." if left_out else ""
    why = "" if shown[1] else "No δ: the pass had no target."
    foot(figure, "\n".join(part for part in (why, told, note) if part))
    return figure


def _weights(trace: Trace, weights: Mapping[str, Array]) -> list[Ridge]:
    """A row for each array of weights; single weights of hand-drawn networks are one row."""
    specs = trace.network.parameters
    rows, alone = [], []
    for name, spec in specs.items():
        if spec.role != "weight" or name not in weights:
            continue
        values = np.asarray(weights[name], dtype=np.float64)
        if spec.shape == ():
            alone.append(float(values))
        else:
            rows.append(
                Ridge(name.removesuffix(".weight"), _finite(values if spec.used is None else values[spec.used]))
            )
    rows += [Ridge("weights", _finite(np.array(alone)))] if alone else []
    return [Ridge(row.name, row.values, f"std {short(float(row.values.std()), 2)}") for row in rows if row.values.size]


def _deltas(trace: Trace) -> list[Ridge]:
    """A row for each layer that has δ: the logarithms of those that are not 0."""
    rows = []
    for name, members in strata_names(trace).items():
        if not all(member in trace.delta for member in members):
            continue
        values = _finite(np.concatenate([np.asarray(trace.delta[m], dtype=np.float64).reshape(-1) for m in members]))
        if values.size:
            sizes = np.abs(values[values != 0])
            rows.append(Ridge(name, np.log10(sizes), f"{percent(round(1 - sizes.size / values.size, 3))} zero"))
    return rows


def _draw_weights(axes: Axes, rows: list[Ridge]) -> None:
    from matplotlib.ticker import MaxNLocator

    largest = max((float(np.abs(row.values).max()) for row in rows), default=1.0) or 1.0
    axes.set_title("Weights")
    ridges(axes, rows, (-1.02 * largest, 1.02 * largest), NEGATIVE)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.axvline(0, color="white", linewidth=1)
    axes.set_xlabel("weight")


def _draw_deltas(axes: Axes, rows: list[Ridge], batch: int) -> None:
    seen = [row.values for row in rows if row.values.size]
    high = ceil(max((float(v.max()) for v in seen), default=0.0) + 1e-9)
    low = max(floor(min((float(v.min()) for v in seen), default=-1.0)), high - DECADES)
    axes.set_title("|δ|, a logarithmic axis")
    ridges(axes, [_within(row, low) for row in rows], (low, high), POSITIVE)
    step = max(1, -(-(high - low) // 5))
    ticks = range(high, low - 1, -step)
    axes.set_xticks(list(ticks), ["1" if tick == 0 else f"1e{tick}".replace("-", "−") for tick in ticks])
    cut = "; smaller ones stand at its end" if any(v.min() < low for v in seen) else ""
    axes.set_xlabel(f"|δ| over {batch:,} sample{'' if batch == 1 else 's'}{cut}")


def _within(row: Ridge, low: float) -> Ridge:
    return Ridge(row.name, np.maximum(row.values, low), row.remark)


def _chosen(rows: list[Ridge]) -> tuple[list[Ridge], list[str]]:
    """As many rows as there is room for, evenly spread, and the names of the others."""
    if len(rows) <= ROWS:
        return rows, []
    kept = {round(i * (len(rows) - 1) / (ROWS - 1)) for i in range(ROWS)}
    return [row for i, row in enumerate(rows) if i in kept], [row.name for i, row in enumerate(rows) if i not in kept]


def _finite(values: Iterable[float] | Array) -> Array:
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    return array[np.isfinite(array)]
