"""What a neuron reads, cut into windows: one block a source map, or one list a source layer."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from neurograph.graph.address import write_node
from neurograph.graph.layout import Layout
from neurograph.graph.neighbourhood import fan_in
from neurograph.inspector import Term

from .subject import Subject

LONGEST_LIST = 12


@dataclass(frozen=True)
class Block:
    """A window of one map (or a list of single neurons): terms by row and column.

    Attributes
    ----------
    names : tuple of str
        Row names of a list; empty for a window.
    n_left_out : int
        Neurons of the list that are not shown, and `left_out`, the sum of their products.
    """

    title: str
    rows: int
    columns: int
    terms: dict[tuple[int, int], Term]
    names: tuple[str, ...] = ()
    n_left_out: int = 0
    left_out: float = 0.0

    @property
    def total(self) -> float:
        """Sum of the products shown."""
        return fsum(term.product for term in self.terms.values())

    @property
    def size(self) -> float:
        return fsum(abs(term.product) for term in self.terms.values())


def terms_of(subject: Subject, node: Hashable) -> tuple[Term, ...]:
    """The in-edges of a neuron; without a pass a and products are 0 and only weights are known."""
    if subject.inspector is not None:
        return subject.inspector.neuron(node).terms
    return tuple(Term(w.source, 0.0, subject.weight(w.param), 0.0, None) for w in fan_in(subject.network, node))


def blocks_of(layout: Layout, terms: Iterable[Term]) -> list[Block]:
    """Cut terms into blocks, in the order of the terms."""
    by_map: dict[tuple[Hashable, ...], list[tuple[tuple[int, ...], Term]]] = {}
    for term in terms:
        layer, index = _place(layout, term.source)
        key = (layer, index[0]) if len(index) > 1 else (layer,) if index else ()
        by_map.setdefault(key, []).append((index, term))
    return [_window(key, found) if len(key) > 1 else _list(key, found) for key, found in by_map.items()]


def _place(layout: Layout, node: Hashable) -> tuple[Hashable, tuple[int, ...]]:
    """A neuron's layer and index; padded positions, which have no place, by their id."""
    if isinstance(node, tuple) and node and node[0] not in layout.shapes and node not in layout.shapes:
        return node[0], tuple(node[1:])
    return layout.place(node)


def _window(key: tuple[Hashable, ...], found: Sequence[tuple[tuple[int, ...], Term]]) -> Block:
    places = [(index[1], index[2]) if len(index) > 2 else (0, index[1]) for index, _ in found]
    top, left = min(row for row, _ in places), min(column for _, column in places)
    cells = {(row - top, column - left): term for (row, column), (_, term) in zip(places, found, strict=True)}
    rows, columns = max(row for row, _ in cells) + 1, max(column for _, column in cells) + 1
    span = _span(top, rows) if len(found[0][0]) > 2 else ""
    return Block(f"{key[0]}[{key[1]}{f',{span}' if span else ''},{_span(left, columns)}]", rows, columns, cells)


def _span(first: int, count: int) -> str:
    return str(first) if count == 1 else f"{first}…{first + count - 1}"


def _list(key: tuple[Hashable, ...], found: Sequence[tuple[tuple[int, ...], Term]]) -> Block:
    terms = [term for _, term in found]
    ranked = sorted(range(len(terms)), key=lambda i: (-abs(terms[i].product), i))[:LONGEST_LIST]
    shown = [terms[i] for i in sorted(ranked)]
    rest = [term.product for i, term in enumerate(terms) if i not in set(ranked)]
    cells = {(row, 0): term for row, term in enumerate(shown)}
    names = tuple(write_node(term.source) for term in shown)
    return Block(str(key[0]) if key else "", len(shown), 1, cells, names, len(rest), fsum(rest))
