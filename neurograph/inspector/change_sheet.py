"""A comparison as a sheet: what was changed, what became of the loss, a line a layer, and the neurons that moved most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurograph.graph.address import write_node
from neurograph.inspector.change import Change, LayerChange, Mask, Moved, Pair
from neurograph.inspector.sheets import Grid, Prose, Sheet
from neurograph.inspector.table import number

SYMBOLS = {"z": "z", "a": "a", "delta": "δ"}


def change_sheet(change: Change, digits: int, limit: int) -> Sheet:
    """The whole comparison."""
    sheet: Sheet = [f"What if {change.name}?", ""]
    sheet += [
        f"  {a.name}: {number(a.before, digits)} → {number(a.after, digits)} ({a.kind})" for a in change.alterations
    ]
    if change.loss is not None:
        which = "loss" if change.batch == 1 else f"loss of the {change.batch} samples"
        sheet.append(f"  {which}: {_arrow(change.loss, digits)}{_by(change.loss, digits)}")
    sheet += [f"  {write_node(head)} says: {old} → {new}" for head, (old, new) in change.labels.items()]
    sheet += ["", "  changed, of the neurons that the change can reach", _counts(change), Prose(_words(change))]
    for layer in change.layers.values():
        if layer.pairs["z"][0].shape != ():
            sheet += _of_layer(change, layer, digits, limit)
    return sheet + _of_lone(change, digits)


def _counts(change: Change) -> Grid:
    """A line a layer: how many changed, of those that could have."""
    whats = list(next(iter(change.layers.values())).pairs)
    rows = []
    for layer in change.layers.values():
        if any(layer.reached(what) for what in whats):
            cells = (f"{int(np.count_nonzero(layer.changed(w))):,} of {layer.reached(w):,}" for w in whats)
            rows.append([write_node(layer.name), f"{int(np.count_nonzero(layer.there)):,}", *cells])
    heads = ["layer", "neurons", *(SYMBOLS[what] for what in whats)]
    return Grid("layer by layer", heads, rows, words=len(heads))


def _words(change: Change) -> tuple[str, ...]:
    n, reached = len(change), 0
    for layer in change.layers.values():
        could = np.logical_or.reduce(list(layer.could.values())) & layer.there
        reached += int(np.count_nonzero(could & ~layer.any))
    lines = [f"{n:,} neuron{'s' * (n != 1)} changed; " + _unmoved(reached)]
    for place, asked in change.held.items():
        name = write_node(place[0] if not place[1] else (place[0], *place[1]))
        lines.append(
            f"{name} is held: it no longer follows its z, so its δ is 0 and nothing flows back through it. ∂loss/∂a there is {asked:.6g}."
        )
    return tuple(lines)


def _unmoved(n: int) -> str:
    if not n:
        return "every other neuron is out of the change's reach."
    verb = "another is" if n == 1 else f"{n:,} others are"
    return (
        f"{verb} within its reach, and kept all their numbers."
        if n > 1
        else f"{verb} within its reach, and kept all its numbers."
    )


def _of_layer(change: Change, layer: LayerChange, digits: int, limit: int) -> Sheet:
    """The tables of one layer: z and a, then δ."""
    forward = layer.changed("z") | layer.changed("a")
    sheet: Sheet = []
    if forward.any():
        moved = list(layer.moved(change.layout, _largest(layer, ("a", "z"), forward, limit)))
        sheet += _table(layer, moved, ("z", "a"), int(np.count_nonzero(forward)), digits)
    back = layer.changed("delta")
    if back.any():
        moved = list(layer.moved(change.layout, _largest(layer, ("delta",), back, limit)))
        sheet += _table(layer, moved, ("delta",), int(np.count_nonzero(back)), digits)
    return ["", *sheet] if sheet else []


def _of_lone(change: Change, digits: int) -> Sheet:
    """One table for all neurons of a hand-drawn network."""
    lone = [layer for layer in change.layers.values() if layer.pairs["z"][0].shape == ()]
    moved = [m for layer in lone for m in layer.moved(change.layout)]
    if not moved:
        return []
    whats = tuple(lone[0].pairs)
    return ["", Grid("before, after, and the change", _heads(whats), [_row(m, whats, digits) for m in moved])]


def _largest(layer: LayerChange, by: Sequence[str], mask: Mask, limit: int) -> Mask:
    """Of the marked neurons those that moved most, by the first quantity, then by the next."""
    moves = [np.abs(new - old) for old, new in (layer.pairs[what] for what in by)]
    order = np.lexsort([-np.nan_to_num(move, nan=np.inf)[mask] for move in reversed(moves)])
    chosen = np.zeros(mask.shape, dtype=bool)
    places = np.argwhere(mask)[order[:limit]]
    chosen[tuple(places.T)] = True
    return chosen


def _table(layer: LayerChange, moved: list[Moved], whats: Sequence[str], n: int, digits: int) -> Sheet:
    symbols = " and ".join(SYMBOLS[what] for what in whats)
    grid = Grid("before, after, and the change", _heads(whats), [_row(m, whats, digits) for m in moved])
    left = n - len(moved)
    rest = [f"    … and {left:,} more that moved less"] if left else []
    return [f"  {write_node(layer.name)}: {symbols}", grid, *rest]


def _heads(whats: Sequence[str]) -> list[str]:
    return ["neuron", *(head for what in whats for head in (SYMBOLS[what], "after", "change"))]


def _row(moved: Moved, whats: Sequence[str], digits: int) -> list[str]:
    cells = [write_node(moved.node)]
    for what in whats:
        old, new = getattr(moved, what)
        same = old == new or (old != old and new != new)
        cells += [number(old, digits), "=" if same else number(new, digits), "" if same else number(new - old, digits)]
    return cells


def _arrow(pair: Pair, digits: int) -> str:
    return f"{number(pair[0], digits)} → {number(pair[1], digits)}"


def _by(pair: Pair, digits: int) -> str:
    return ", unchanged" if pair[0] == pair[1] else f" ({pair[1] - pair[0]:+.{digits}g})"
