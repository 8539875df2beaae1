"""What a layer's card says: its maps one a line, or a single map and its kernel as little grids."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.inspector.formulas import total
from neurograph.inspector.layers import Kernel, LayerCard
from neurograph.inspector.parts import Grid, Sheet
from neurograph.inspector.table import largest, number
from neurograph.shapes import times

Array = NDArray[Any]
WIDEST = 12
"""Columns of a grid that still fit a screen."""


def layer_sheet(card: LayerCard, digits: int, limit: int) -> Sheet:
    """The whole card."""
    kind = "" if card.kind == "weighted" else f"{card.kind} "
    activation = "" if card.activation == "identity" else f", {card.activation}"
    what = "a group" if card.is_group else "a layer"
    shape = f", {times(card.shape)}" if card.a.ndim > 1 else ""
    which = f", sample {card.sample}" if card.sample else ""
    there = np.count_nonzero(~np.isnan(card.z))
    title = f"{card.name}: {what} of {there:,} {kind}neuron{'' if there == 1 else 's'}{shape}{activation}{which}"
    body = _group(card, digits, limit) if card.is_group else _layer(card, digits, limit)
    return [title, "", *_ranges(card, digits), "", *body]


def _ranges(card: LayerCard, digits: int) -> Sheet:
    """Least, mean and largest z, a and δ."""
    rows = []
    for name, values in (("z", card.z), ("a", card.a), ("δ", card.delta)):
        known = np.array([]) if values is None else values[~np.isnan(values)]
        if known.size:
            numbers = [float(known.min()), total(known.tolist()) / known.size, float(known.max())]
            rows.append([name, *(number(value, digits) for value in numbers), f"{np.count_nonzero(known == 0):,}"])
    return [Grid("the ranges", ["", "least", "mean", "largest", "exactly 0"], rows)]


def _layer(card: LayerCard, digits: int, limit: int) -> Sheet:
    """One line a map; of a layer without maps, one line a neuron."""
    name = card.name
    if card.a.ndim == 1:
        deltas = [None] * len(card.a) if card.delta is None else card.delta.tolist()
        units = list(zip(range(len(card.a)), card.z.tolist(), card.a.tolist(), deltas, strict=True))
        shown, rest = largest(units, lambda unit: unit[2], limit)
        rows = [[f"{name}[{i}]", *(number(value, digits) for value in values)] for i, *values in shown]
        return [Grid("the neurons", ["neuron", "z", "a", "δ"], rows), *_left_out(len(rest), "neuron")]
    maps = [(k, card.a[k], None if card.delta is None else card.delta[k]) for k in range(len(card.a))]
    shown_maps, rest_maps = largest(maps, lambda item: float(np.nanmax(np.abs(item[1]), initial=0.0)), limit)
    rows = [[f"{name}[{k}]", *_of_map(f"{name}[{k}", a, delta, digits)] for k, a, delta in shown_maps]
    heads = ["map", "mean a", "largest a", "Σ|δ|", "at"]
    return [Grid("the maps", heads, rows), *_left_out(len(rest_maps), "map")]


def _of_map(name: str, a: Array, delta: Array | None, digits: int) -> list[str]:
    if np.isnan(a).all():
        return ["-", "-", "-", "removed"]
    top = np.unravel_index(int(np.nanargmax(a)), a.shape)
    where = f"{name},{','.join(str(int(i)) for i in top)}]"
    asked = None if delta is None else float(np.nansum(np.abs(delta)))
    return [*(number(value, digits) for value in (float(np.nanmean(a)), float(np.nanmax(a)), asked)), where]


def _left_out(n: int, what: str) -> Sheet:
    return [f"    … and {n:,} {what}{'' if n == 1 else 's'} with smaller activations"] if n else []


def _group(card: LayerCard, digits: int, limit: int) -> Sheet:
    """The map and the kernel, as grids where they fit."""
    sheet: Sheet = [*_grids("a", card.a, digits, limit)]
    if card.delta is not None:
        sheet += _grids("δ", card.delta, digits, limit)
    if card.bias is not None:
        sheet += [f"  the bias of them all = {number(card.bias, digits)}"]
    for kernel in card.kernels:
        sheet += ["", *_kernel(kernel, digits, limit)]
    return sheet


def _kernel(kernel: Kernel, digits: int, limit: int) -> Sheet:
    uses = (
        f"  {kernel.name}: {kernel.w.size:,} weights, {times(kernel.w.shape)}, the same for every neuron of the group"
    )
    sheet: Sheet = [uses, *_grids("w", kernel.w, digits, limit)]
    if kernel.gradient is not None:
        sheet += _grids("∂loss/∂w", kernel.gradient, digits, limit)
    return sheet


def _grids(what: str, values: Array, digits: int, limit: int) -> Sheet:
    """A grid of rows and columns for each further index; the first `limit` of them."""
    framed = values.reshape(-1, *values.shape[-2:]) if values.ndim > 1 else values.reshape(1, 1, -1)
    if framed.shape[1] > 2 * WIDEST or framed.shape[2] > WIDEST:
        return [f"  {what}: {times(values.shape)} numbers, too many to write here; --format json has them"]
    sheet: Sheet = []
    for k, grid in enumerate(framed[:limit]):
        caption = f"{what}, channel {k}" if len(framed) > 1 else what
        rows = [[str(y), *(number(value, digits) for value in row)] for y, row in enumerate(grid.tolist())]
        sheet += [f"  {caption}", Grid(f"the values of {caption}", ["", *map(str, range(grid.shape[1]))], rows)]
    more = len(framed) - limit
    return [*sheet, *([f"    … and {more:,} more channel{'' if more == 1 else 's'}"] if more > 0 else [])]
