"""The topology road: the same nests straight from the closed form, without a neuron written out.

A projection is a product of wirings, one an axis. So its stencils are products of one-dimensional stencils, and its nests
products of one-dimensional runs: translate and fold on each axis alone, then multiply. Where a product does not say the same
as the edges do (two projections between one pair of layers, weights that mix the axes), that projection's edges are written
into arrays and take the passes of the graph road.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.bundle import Bundle
from neurograph.compiler.fold import discover, folding_order
from neurograph.compiler.pattern import Pattern, Piece, patterns_of
from neurograph.compiler.plan import Axis, Nest, Numbers, PlanParameter, Position, Table, Taps
from neurograph.compiler.room import check_edges
from neurograph.graph.topology import Bias, Projection
from neurograph.ops.wiring import Blocks

Index = NDArray[np.int64]
Found = tuple[tuple[Nest, ...], Table | None]


def nests_of(projections: Sequence[Projection], rank: int, parameters: Sequence[PlanParameter]) -> Found:
    """Nests and table of the projections that share source, target, dropout and padding.

    Parameters
    ----------
    rank : int
        Number of axes of the target.
    """
    if len(projections) == 1:
        found = _product_of(projections[0], rank, parameters)
        if found is not None:
            return found
    check_edges(projections)
    return discover(expand(projections, rank, parameters), parameters)


def nests_of_bias(bias: Bias, shape: Position, parameters: Sequence[PlanParameter]) -> Found:
    """Nests and table of the edges from `ONE` that carry a population's biases."""
    patterns = [patterns_of(Blocks(1, extent, 1, step), 1) for extent, step in zip(shape, bias.steps, strict=True)]
    return _Product(patterns, len(shape), 0, _parameter(bias.name, parameters).offset, 0, 1).nests()


def _parameter(name: str, parameters: Sequence[PlanParameter]) -> PlanParameter:
    return next(parameter for parameter in parameters if parameter.name == name)


def _product_of(projection: Projection, rank: int, parameters: Sequence[PlanParameter]) -> Found | None:
    """The product of a projection's axes; None where it is not one."""
    n_axes = len(projection.axes)
    if projection.weight is None:
        patterns = [patterns_of(wiring, 0) for wiring in projection.axes]
        product = _Product(patterns, rank, n_axes, None, 0, 1)
    else:
        parameter = _parameter(projection.weight, parameters)
        patterns = [patterns_of(wiring, parameter.row) for wiring in projection.axes]
        product = _Product(patterns, rank, n_axes, parameter.offset, projection.weight_offset, parameter.row)
    return product.nests() if len(set(product.taps)) == len(product.taps) else None


class _Product:
    """All combinations of one pattern an axis.

    Parameters
    ----------
    patterns : list of list of Pattern
        Per axis.
    rank, source_rank : int
        Number of axes of the target and of the source.
    base : int, optional
        Address of the parameter; None where edges carry no weight.
    offset : int
        The projection's own offset into the parameter.
    row : int
        Length of the parameter's rows.
    """

    def __init__(
        self, patterns: list[list[Pattern]], rank: int, source_rank: int, base: int | None, offset: int, row: int
    ) -> None:
        self.rank, self.source_rank, self.base, self.offset, self.row = rank, source_rank, base, offset, row
        self.combinations = list(itertools.product(*patterns))
        self.shifts = [self._shift(combination) for combination in self.combinations]
        self.taps = [self._taps(c, shift) for c, shift in zip(self.combinations, self.shifts, strict=True)]

    def nests(self) -> Found:
        """Nests and table, in order of their first neurons."""
        shared: list[Nest] = []
        alone: list[Nest] = []
        for combination, taps, shift in zip(self.combinations, self.taps, self.shifts, strict=True):
            pieces = itertools.product(*(pattern.pieces for pattern in combination))
            made = [self._nest(taps, shift, piece) for piece in pieces]
            (shared if any(nest.axes for nest in made) else alone).extend(made)
        return tuple(sorted(shared, key=_first_neuron)), table_of(sorted(alone, key=_first_neuron))

    def _shift(self, combination: tuple[Pattern, ...]) -> int:
        """First weight minus the start of its row, where all weights lie in one row; else 0."""
        first = (self.offset + sum(pattern.residue for pattern in combination)) % self.row
        low = sum(int(pattern.weight.min()) for pattern in combination)
        high = sum(int(pattern.weight.max()) for pattern in combination)
        return first if first + low >= 0 and first + high < self.row else 0

    def _taps(self, combination: tuple[Pattern, ...], shift: int) -> Taps:
        lengths = [len(pattern.source) for pattern in combination]
        source = np.empty((*lengths, self.source_rank), dtype=np.int64)
        for axis in range(self.source_rank):
            shape = [-1 if axis == other else 1 for other in range(len(lengths))]
            source[..., axis] = combination[axis].source.reshape(shape)
        if self.base is None:
            return Taps(Numbers(source.reshape(-1, self.source_rank)), None)
        weight = np.full(1, shift, dtype=np.int64)
        for pattern in combination:
            weight = np.add.outer(weight, pattern.weight).reshape(-1)
        return Taps(Numbers(source.reshape(len(weight), self.source_rank)), Numbers(weight))

    def _nest(self, taps: Taps, shift: int, pieces: tuple[Piece, ...]) -> Nest:
        axes = [self._lifted(axis, along) for along in folding_order(self.rank) for axis in pieces[along].axes]
        weight = None if self.base is None else self.base + self.offset + sum(piece.weight for piece in pieces) - shift
        source = tuple(piece.source for piece in pieces[: self.source_rank])
        return Nest(taps, tuple(piece.target for piece in pieces[: self.rank]), source, weight, tuple(axes))

    def _lifted(self, axis: Axis, along: int) -> Axis:
        """An axis found along one coordinate, spoken in all of them."""
        source = [0] * self.source_rank
        if along < self.source_rank:
            source[along] = axis.source[0]
        return Axis(along, axis.count, axis.step, tuple(source), axis.weight)


def _first_neuron(nest: Nest) -> Position:
    return nest.target


def table_of(nests: Sequence[Nest]) -> Table | None:
    """Nests of one neuron each, in order of their targets, as the rows of a table."""
    if not nests:
        return None
    n_taps = [len(nest.taps.source) for nest in nests]
    source = np.concatenate([nest.taps.source.array + np.array(nest.source, dtype=np.int64) for nest in nests])
    weights = [
        nest.taps.weight.array + nest.weight
        for nest in nests
        if nest.taps.weight is not None and nest.weight is not None
    ]
    return Table(
        Numbers([nest.target for nest in nests]),
        Numbers(np.concatenate([[0], np.cumsum(n_taps)])),
        Numbers(source),
        Numbers(np.concatenate(weights)) if weights else None,
    )


def expand(projections: Sequence[Projection], rank: int, parameters: Sequence[PlanParameter]) -> Bundle:
    """The edges of projections between one pair of layers, written into arrays."""
    target, source, weight = zip(*(_columns(projection, rank, parameters) for projection in projections), strict=True)
    targets, sources = np.concatenate(target), np.concatenate(source)
    order = np.lexsort((*reversed(sources.T), *reversed(targets.T)))
    targets, sources = targets[order], sources[order]
    new = np.concatenate([[True], (targets[1:] != targets[:-1]).any(axis=1)]) if len(targets) else np.zeros(0, np.bool_)
    first = np.flatnonzero(new)
    weights = None if projections[0].weight is None else np.concatenate(weight)[order]
    return Bundle(targets[first], np.append(first, len(targets)), sources, weights)


def _columns(projection: Projection, rank: int, parameters: Sequence[PlanParameter]) -> tuple[Index, Index, Index]:
    links = [wiring.links() for wiring in projection.axes]
    picks = [pick.reshape(-1) for pick in np.meshgrid(*[np.arange(len(link)) for link in links], indexing="ij")]
    target = np.stack([link.target[pick] for link, pick in zip(links, picks, strict=True)], axis=1)[:, :rank]
    source = np.stack([link.source[pick] for link, pick in zip(links, picks, strict=True)], axis=1)
    weight = np.zeros(len(target), dtype=np.int64)
    if projection.weight is not None:
        weight += _parameter(projection.weight, parameters).offset + projection.weight_offset
        for link, pick in zip(links, picks, strict=True):
            weight += link.weight[pick]
    return target, source, weight
