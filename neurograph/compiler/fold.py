"""Fourth pass: the neurons of a stencil into boxes, which are loop nests.

Channels first and repeatedly (else one deleted edge would split the lanes of a whole map), then the other axes, last first. A
run continues only where the last neuron ended, with the same shift of sources and of weights. Neurons whose stencil
fills no box of two stay in a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.bundle import Bundle
from neurograph.compiler.plan import Axis, Nest, PlanParameter, Table
from neurograph.compiler.translate import Stencils, translate

Index = NDArray[np.int64]


@dataclass
class Boxes:
    """Boxes of neurons: where each begins, and the axes found so far."""

    label: Index
    """Per box: what must be equal before two boxes may join."""

    target: Index
    """Per box: position of its first neuron, shape (boxes, rank of the target)."""

    source: Index
    """Per box: source anchor of its first neuron, shape (boxes, rank of the source)."""

    weight: Index
    row: Index
    """Per box: number of its first neuron."""

    form: Index = field(init=False)
    """Per box: its axes, a number into `forms`."""

    forms: list[tuple[Axis, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.form = np.zeros(len(self.label), dtype=np.int64)
        self.forms = [()]

    @property
    def axes(self) -> list[tuple[Axis, ...]]:
        """Per box: its axes, innermost first."""
        return [self.forms[form] for form in self.form.tolist()]


def discover(rows: Bundle, parameters: Sequence[PlanParameter]) -> tuple[tuple[Nest, ...], Table | None]:
    """Nests and table of one projection's edges: translate, then fold."""
    if not len(rows):
        return (), None
    return fold(translate(rows, parameters))


def fold(stencils: Stencils) -> tuple[tuple[Nest, ...], Table | None]:
    """Loop nests of equal stencil, and the neurons whose stencil no neighbour shares."""
    rows = stencils.rows
    boxes = Boxes(stencils.label, rows.target, stencils.source, stencils.weight, np.arange(len(rows)))
    join_all(boxes)
    longest = np.zeros(len(stencils.first), dtype=np.int64)
    np.maximum.at(longest, boxes.label, boxes.form)
    alone = longest[boxes.label] == 0
    nests = _nests(boxes, stencils, np.flatnonzero(~alone))
    return nests, rows.take(np.sort(boxes.row[alone])).as_table()


def folding_order(rank: int) -> list[int]:
    """Target axes in the order in which they are folded: channels, then the others from the last.

    Examples
    --------
    >>> folding_order(3), folding_order(1)
    ([0, 2, 1], [0])
    """
    return [0, *range(rank - 1, 0, -1)][:rank]


def join_all(boxes: Boxes) -> None:
    """Join boxes along every axis, each as often as that finds something."""
    for along in folding_order(boxes.target.shape[1]):
        while join(boxes, along):
            pass


def join(boxes: Boxes, along: int) -> bool:
    """Join neighbouring boxes along one target axis, once; False if there was nothing to join."""
    _sort(boxes, along)
    source, weight, linked = _steps(boxes, along)
    runs = _runs(source, weight, linked)
    if not len(runs):
        return False
    head, last = runs[:, 0], runs[:, 1]
    boxes.form[head] = _longer_forms(boxes, along, head, last - head + 1, source[head], weight[head])
    keep = np.ones(len(boxes.label), dtype=np.bool_)
    inner = np.zeros(len(boxes.label) + 1, dtype=np.int64)
    np.add.at(inner, head + 1, 1)
    np.add.at(inner, last + 1, -1)
    keep[np.cumsum(inner[:-1]) > 0] = False
    for name in ("label", "target", "source", "weight", "row", "form"):
        setattr(boxes, name, getattr(boxes, name)[keep])
    return True


def _sort(boxes: Boxes, along: int) -> None:
    """By stencil, axes, the other target coordinates, and last the coordinate along the axis."""
    others = [boxes.target[:, axis] for axis in range(boxes.target.shape[1]) if axis != along]
    order = np.lexsort((boxes.target[:, along], *others, boxes.form, boxes.label))
    for name in ("label", "target", "source", "weight", "row", "form"):
        setattr(boxes, name, getattr(boxes, name)[order])


def _steps(boxes: Boxes, along: int) -> tuple[Index, Index, NDArray[np.bool_]]:
    """From each box to the next: shift of sources, of weights, and whether the next begins where this one ends."""
    extent = np.array([_extent(form, along) for form in boxes.forms], dtype=np.int64)
    wanted = np.zeros((len(boxes.label) - 1, boxes.target.shape[1]), dtype=np.int64)
    wanted[:, along] = extent[boxes.form[:-1]]
    linked = (np.diff(boxes.target, axis=0) == wanted).all(axis=1)
    linked &= (np.diff(boxes.label) == 0) & (np.diff(boxes.form) == 0)
    return np.diff(boxes.source, axis=0), np.diff(boxes.weight), linked


def _extent(form: tuple[Axis, ...], along: int) -> int:
    return next((axis.step * axis.count for axis in reversed(form) if axis.along == along), 1)


def _runs(source: Index, weight: Index, linked: NDArray[np.bool_]) -> Index:
    """Runs of linked boxes with equal steps, as (first, last): greedy from the left, no box in two runs."""
    links = np.flatnonzero(linked)
    if not len(links):
        return np.zeros((0, 2), dtype=np.int64)
    same = np.diff(links) == 1
    same &= (source[links[1:]] == source[links[:-1]]).all(axis=1) & (weight[links[1:]] == weight[links[:-1]])
    breaks = np.flatnonzero(~same)
    begins = links[np.concatenate([[0], breaks + 1])]
    ends = links[np.concatenate([breaks, [len(links) - 1]])] + 1
    runs, taken = [], -1
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        head = begin + (begin == taken)
        if head < end:
            runs.append((head, end))
            taken = end
    return np.array(runs, dtype=np.int64).reshape(-1, 2)


def _longer_forms(boxes: Boxes, along: int, head: Index, count: Index, source: Index, weight: Index) -> Index:
    """Numbers of the forms that have one more axis; new ones are appended to `forms`."""
    keys = np.column_stack([boxes.form[head], count, weight, source])
    distinct, inverse = np.unique(keys, axis=0, return_inverse=True)
    numbers = []
    for form, n, w, *s in distinct.tolist():
        axes = boxes.forms[form]
        numbers.append(len(boxes.forms))
        boxes.forms.append((*axes, Axis(along, n, _extent(axes, along), tuple(s), w)))
    return np.array(numbers, dtype=np.int64)[inverse.reshape(-1)]


def _nests(boxes: Boxes, stencils: Stencils, chosen: Index) -> tuple[Nest, ...]:
    """Nests in order of their first neurons."""
    chosen = chosen[np.argsort(boxes.row[chosen])]
    weighted = stencils.rows.weight is not None
    taps = {label: stencils.taps(label) for label in np.unique(boxes.label[chosen]).tolist()}
    return tuple(
        Nest(
            taps[boxes.label[i]],
            tuple(boxes.target[i].tolist()),
            tuple(boxes.source[i].tolist()),
            int(boxes.weight[i]) if weighted else None,
            boxes.forms[boxes.form[i]],
        )
        for i in chosen.tolist()
    )
