"""The uses of a shared weight in order, and where on the maps it is asked for: sums over the samples by the targets' position."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod

from neurograph.graph.address import Node, write_node
from neurograph.graph.layout import Layout
from neurograph.inspector.cards import Use, UseMap
from neurograph.inspector.formulas import total
from neurograph.trace import Trace

MOST = 4
"""Maps that are shown; a weight on more of them belongs to no place."""


def uses_in_order(trace: Trace, weight: str) -> tuple[Use, ...]:
    """A weight's uses by target, source and sample, in the network's order, whether it is written out or not."""
    layout = trace.layout
    order = {name: number for number, name in enumerate(layout.shapes)}

    def rank(node: Node) -> tuple[int, tuple[int, ...]]:
        if node == "1" and node not in order:
            return -1, ()  # a bias: the edge from the neuron that is always 1
        padded = isinstance(node, tuple) and node[0] not in order and node not in (layout.renamed or {})
        name, index = (node[0], node[1:]) if padded else layout.place(node)  # type: ignore[index]
        return order.get(name, len(order)), index

    uses = (Use(*use) for use in trace.contributions(weight))
    return tuple(sorted(uses, key=lambda use: (rank(use.target), rank(use.source), use.sample)))


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
