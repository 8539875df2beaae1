"""Where on the maps a shared weight is asked for: its uses, summed over the samples, by the position of their targets."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod

from neurograph.graph.address import write_node
from neurograph.graph.layout import Layout
from neurograph.inspector.cards import Use, UseMap
from neurograph.inspector.formulas import total

MOST = 4
"""Maps that are shown; a weight on more of them belongs to no place."""


def use_maps(layout: Layout, uses: Sequence[Use]) -> tuple[UseMap, ...]:
    """One map for every group of neurons with rows and columns that uses the weight more than once."""
    found: dict[tuple[Hashable, int], dict[tuple[int, ...], list[float]]] = {}
    for use in uses:
        name, index = layout.place(use.target)
        if len(index) < 2:
            return ()
        found.setdefault((name, index[0]), {}).setdefault(index[1:], []).append(use.product)
    if len(found) > MOST or all(len(at) < 2 for at in found.values()):
        return ()
    return tuple(
        UseMap(write_node((name, group)), _framed(layout.shapes[name][1:], at)) for (name, group), at in found.items()
    )


def _framed(shape: tuple[int, ...], at: dict[tuple[int, ...], list[float]]) -> tuple[tuple[float | None, ...], ...]:
    """Rows of a map; a sequence is one row."""
    n_columns = shape[-1]
    flat: list[float | None] = [None] * prod(shape)
    for index, products in at.items():
        flat[index[0] * n_columns + index[1] if len(index) == 2 else index[0]] = total(products)
    return tuple(tuple(flat[start : start + n_columns]) for start in range(0, len(flat), n_columns))
