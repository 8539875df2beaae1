"""Stencils and runs along one axis of a projection: translate and fold where there is only one coordinate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.bundle import Bundle
from neurograph.compiler.fold import Boxes, join_all
from neurograph.compiler.plan import Axis
from neurograph.compiler.translate import translate
from neurograph.ops.wiring import Blocks, Links, Wiring

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Piece:
    """A run of targets along one axis: the first target, its first source and weight, and the loops (source steps of rank 1)."""

    target: int
    source: int
    weight: int
    axes: tuple[Axis, ...]

    @property
    def n_targets(self) -> int:
        """Number of targets in the run."""
        count = 1
        for axis in self.axes:
            count *= axis.count
        return count


@dataclass(frozen=True)
class Pattern:
    """A stencil along one axis, relative to its first source and first weight, and the runs that have it."""

    source: Index
    weight: Index
    residue: int
    """Where in its row the first weight lies, the same for all runs."""

    pieces: tuple[Piece, ...]


def patterns_of(wiring: Wiring, row: int) -> list[Pattern]:
    """The patterns of a wiring.

    Parameters
    ----------
    row : int
        Length of the weight's rows. Patterns whose first weights lie at different places of a row are different patterns.
        0: weights do not matter (there are none).

    Examples
    --------
    >>> from neurograph.ops.wiring import Window
    >>> clipped = patterns_of(Window(5, 5, kernel=3, before=1, tap_weight=1), row=3)
    >>> [(p.source.tolist(), p.residue, [piece.n_targets for piece in p.pieces]) for p in clipped]
    [([0, 1], 0, [1]), ([0, 1], 1, [1]), ([0, 1, 2], 0, [3])]
    """
    if not wiring.count:
        return []
    return _of_blocks(wiring, row) if isinstance(wiring, Blocks) else _of_links(wiring.links(), row)


def _of_blocks(blocks: Blocks, row: int) -> list[Pattern]:
    """All targets of blocks see the same list, so a dense layer costs its units and not its edges."""
    target = np.arange(blocks.n_targets, dtype=np.int64)
    taps = np.arange(blocks.sources, dtype=np.int64)
    weighted = row > 0
    weight = target * (blocks.target_weight * weighted)
    first = target // blocks.targets * blocks.sources
    offsets = taps * (blocks.source_weight * weighted)
    return _by_residue(taps, offsets, target, first, weight, row)


def _of_links(links: Links, row: int) -> list[Pattern]:
    order = np.lexsort((links.source, links.target))
    targets, source, weight = links.target[order], links.source[order], links.weight[order] * (row > 0)
    first = np.flatnonzero(np.concatenate([[True], targets[1:] != targets[:-1]]))
    rows = Bundle(targets[first, None], np.append(first, len(targets)), source[:, None], weight)
    stencils = translate(rows, None)
    patterns = []
    for label in range(len(stencils.first)):
        members = first[stencils.label == label]
        taps = stencils.taps(label)
        assert taps.weight is not None
        lists = taps.source.array[:, 0], taps.weight.array
        patterns += _by_residue(*lists, targets[members], source[members], weight[members], row)
    return patterns


def _by_residue(taps: Index, offsets: Index, target: Index, source: Index, weight: Index, row: int) -> list[Pattern]:
    """Patterns of one list of taps: one for each place in a row where the first weight lies."""
    residues = weight % max(row, 1)
    patterns = []
    for residue in np.unique(residues).tolist():
        here = residues == residue
        boxes = Boxes(np.zeros_like(target[here]), target[here, None], source[here, None], weight[here], target[here])
        join_all(boxes)
        numbers = zip(
            boxes.target[:, 0].tolist(), boxes.source[:, 0].tolist(), boxes.weight.tolist(), boxes.axes, strict=True
        )
        patterns.append(Pattern(taps, offsets, residue, tuple(Piece(*piece) for piece in numbers)))
    return patterns
