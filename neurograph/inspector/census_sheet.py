"""What a census says: dead units and why, saturated units, who won the pooling windows, edges that never carried a δ."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from neurograph.graph.address import Node, write_node
from neurograph.inspector.census import Census, DeadUnit, LayerCensus, WindowCensus
from neurograph.inspector.neuron import node_at
from neurograph.inspector.sheets import Grid, Prose, Sheet
from neurograph.inspector.table import number


def census_sheet(census: Census, digits: int, limit: int) -> Sheet:
    """The sheet of a census; tables keep `limit` rows."""
    layers = [layer for layer in census.layers.values() if layer.n_edges]
    inputs = ", ".join(f"{name} from {number(low)} to {number(high)}" for name, (low, high) in _ranges(census))
    sheet: Sheet = [f"census over {_count(census.n_samples, 'sample')}", f"  {inputs}"]
    sheet += _dead([layer for layer in layers if layer.n_rectified], census, digits, limit)
    sheet += _saturated([layer for layer in layers if layer.n_saturating], census, limit)
    for layer in layers:
        if layer.windows is not None:
            sheet += _windows(layer, layer.windows, census, limit)
    return sheet + _idle(layers, census, limit)


def _ranges(census: Census) -> list[tuple[str, tuple[float, float]]]:
    """The inputs' ranges; those of many single inputs as one."""
    if len(census.inputs) <= 4:
        return [(str(name), ends) for name, ends in census.inputs.items()]
    lows, highs = zip(*census.inputs.values(), strict=True)
    return [("inputs", (min(lows), max(highs)))]


# -- dead units -------------------------------------------------------------------------------------------------------
def _dead(layers: list[LayerCensus], census: Census, digits: int, limit: int) -> Sheet:
    if not layers:
        return []
    dead = [unit for layer in layers for unit in layer.dead]
    sheet: Sheet = ["", "  dead units: ReLUs that never fired; no δ passes them, and their weights do not learn"]
    rows = [
        [str(layer.name), f"{layer.n_rectified:,}", f"{len(layer.dead):,}", _share(len(layer.dead), layer.n_rectified)]
        for layer in layers
        if layer.dead
    ]
    if not dead:
        units = sum(layer.n_rectified for layer in layers)
        return [*sheet, Prose((f"None: each of the {_count(units, 'unit')} fired in at least one sample.",))]
    sheet += _shortened("dead units by layer", ["layer", "ReLUs", "dead", "share"], rows, limit)
    groups = [name for layer in layers for name in layer.dead_groups]
    if groups:
        sheet.append(Prose((f"Whole maps that never fired: {_listed(groups, limit)}.",)))
    sheet += ["", "  why"]
    sheet += _shortened("why they never fired", ["such as", "units", "largest z", "why"], _whys(layers, digits), limit)
    if not census.ranges_known:
        sheet.append(Prose(("The network has too many edges to work out the largest possible sums.",)))
    return sheet


def _whys(layers: list[LayerCensus], digits: int) -> list[list[str]]:
    """One row for all units of a layer with the same reason."""
    rows = []
    for layer in layers:
        by_reason: dict[str, list[DeadUnit]] = {}
        for unit in layer.dead:
            by_reason.setdefault(unit.reason, []).append(unit)
        for reason, units in by_reason.items():
            largest = max(unit.largest_z for unit in units)
            rows.append([write_node(units[0].node), f"{len(units):,}", number(largest, min(digits, 3)), reason])
    return rows


# -- saturated units --------------------------------------------------------------------------------------------------
def _saturated(layers: list[LayerCensus], census: Census, limit: int) -> Sheet:
    if not layers:
        return []
    title = f"  saturated units: |f′(z)| < {number(census.threshold)}, so that hardly any δ passes"
    if not any(layer.flat.any() for layer in layers):
        return ["", title, Prose(("None, in no sample.",))]
    rows = []
    for layer in layers:
        n = layer.n_saturating
        most = int(layer.flat.argmax())
        share = f"{layer.flat.sum() / (n * census.n_samples):.1%}"
        always = int((layer.flat == census.n_samples).sum())
        index = tuple(map(int, np.unravel_index(most, layer.flat.shape))) if layer.flat.shape else ()
        worst = f"{write_node(node_at(census.layout, (layer.name, index)))} in {layer.flat.reshape(-1)[most] / census.n_samples:.1%}"
        rows.append([str(layer.name), f"{n:,}", share, f"{always:,}", worst])
    heads = ["layer", "units", "of all units × samples", "always", "most"]
    return [
        "",
        title,
        *_shortened("saturated units by layer", heads, rows, limit),
    ]


# -- pooling windows --------------------------------------------------------------------------------------------------
def _windows(layer: LayerCensus, found: WindowCensus, census: Census, limit: int) -> Sheet:
    n = len(found.windows)
    total = n * census.n_samples
    sheet: Sheet = ["", f"  {layer.name}: who won its {_count(n, 'window')}, {total:,} times in all"]
    heads = ["input", "wins", "share", *(["with a δ"] if census.has_delta else [])]
    if found.positions is not None:
        rows = [
            [_place(offset), f"{wins:,}", _share(wins, sum(w for w, _ in found.positions.values())), f"{paid:,}"]
            for offset, (wins, paid) in found.positions.items()
        ]
        heads[0] = "place in the window"
    else:
        rows = [
            [
                f"{write_node(w.source)} in {write_node(node)}",
                f"{w.wins:,}",
                _share(w.wins, census.n_samples),
                f"{w.paid:,}",
            ]
            for node, winners in found.windows.items()
            for w in winners
        ]
    sheet += _shortened(f"winners of {layer.name}", heads, [row[: len(heads)] for row in rows], limit)
    if found.n_tied:
        tied = f"{found.n_tied:,} times ({_share(found.n_tied, total)})"
        blank = f", {found.n_blank:,} times with 0" if found.n_blank < found.n_tied else ", each time with 0"
        blank = blank if found.n_blank else ""
        sheet.append(Prose((f"{tied} several inputs shared the maximum{blank}; then the first in order wins.",)))
    if found.n_never:
        sheet.append(Prose((f"{found.n_never:,} of the {_count(found.n_inputs, 'input')} never won.",)))
    return sheet


def window_sheet(census: Census, neuron: Node, limit: int) -> Sheet:
    """The sheet of one pooling window.

    Raises
    ------
    UnknownName
        If the neuron is no maximum.
    """
    winners = census.window(neuron)
    rows = [[write_node(w.source), f"{w.wins:,}", _share(w.wins, census.n_samples), f"{w.paid:,}"] for w in winners]
    heads = ["input", "wins", "share", *(["with a δ"] if census.has_delta else [])]
    title = f"{neuron if isinstance(neuron, str) else write_node(neuron)}: who won its window in "
    return [
        title + _count(census.n_samples, "sample"),
        "",
        *_shortened("the inputs of the window", heads, [row[: len(heads)] for row in rows], limit),
    ]


def _place(offset: tuple[int, ...]) -> str:
    words = ("row", "column") if len(offset) == 2 else ("position",) if len(offset) == 1 else None
    if words is None:
        return ", ".join(map(str, offset))
    return ", ".join(f"{word} {i}" for word, i in zip(words, offset, strict=True))


# -- edges ------------------------------------------------------------------------------------------------------------
def _idle(layers: list[LayerCensus], census: Census, limit: int) -> Sheet:
    if not census.has_delta:
        return ["", "  δ: not asked for; give targets."]
    sheet: Sheet = ["", "  edges that never carried a δ"]
    rows = [
        [str(layer.name), f"{layer.n_edges:,}", f"{layer.n_idle:,}", _share(layer.n_idle, layer.n_edges)]
        for layer in layers
        if layer.n_idle
    ]
    if not rows:
        edges = sum(layer.n_edges for layer in layers)
        return [*sheet, Prose((f"None: each of the {_count(edges, 'edge')} carried one in at least one sample.",))]
    sheet += _shortened("edges that never carried a δ, by layer", ["into", "edges", "never", "share"], rows, limit)
    sheet.append(
        Prose(("An edge carries a δ where its target's δ is not 0; into a maximum, where its source also wins.",))
    )
    return sheet


# -- small words ------------------------------------------------------------------------------------------------------
def _shortened(caption: str, heads: list[str], rows: list[list[str]], limit: int) -> Sheet:
    """The first rows of a table, and a count of the rest."""
    grid = Grid(caption, heads, rows[:limit])
    return [grid, f"    … and {_count(len(rows) - limit, 'more row')}"] if len(rows) > limit else [grid]


def _listed(names: Iterable[str], limit: int) -> str:
    found = list(names)
    return ", ".join(found[:limit]) + (f" and {len(found) - limit} more" if len(found) > limit else "")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")
