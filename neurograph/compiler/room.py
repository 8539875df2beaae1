"""How much a plan writes out, and where that is too much: what one neuron reads, and the neurons along one axis.

A plan in closed form costs what its stencils cost, whatever the number of neurons. Only a stencil itself can be too large, or edges
that have no product form; both are counted before any memory is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from neurograph.errors import GraphTooLarge
from neurograph.graph.topology import Projection, Topology
from neurograph.ops.wiring import Blocks, Window, Wiring

LIMIT = 100_000_000
"""Taps of one stencil, positions along one axis, or edges without a product form: with 8 bytes a number, a few GB."""
WAY_OUT = "Make the layer or its input smaller; `neurograph summary` counts a network of any size."


def check_room(topology: Topology) -> None:
    """Refuse a topology whose stencils or axes are too long to be written out.

    Raises
    ------
    GraphTooLarge
        With the count and the limit.
    """
    for name, population in topology.populations.items():
        longest = max(population.shape, default=1)
        if longest > LIMIT and not population.is_input:
            raise GraphTooLarge(
                f"{topology.name}: '{name}' has {longest:,} neurons along one axis; a plan writes an axis out, up to {LIMIT:,}. "
                f"{WAY_OUT}"
            )
    for projection in topology.projections:
        n = max(prod(map(fan_in, projection.axes)), *map(_positions, projection.axes))
        if n > LIMIT:
            raise GraphTooLarge(
                f"{topology.name}: a neuron of '{projection.target}' reads '{projection.source}' at {n:,} places; a plan writes out "
                f"what one neuron reads, up to {LIMIT:,}. {WAY_OUT}"
            )


def check_edges(projections: Sequence[Projection]) -> None:
    """Refuse to write out more edges than fit; for projections that are compared edge by edge."""
    n = sum(projection.n_edges for projection in projections)
    if n > LIMIT:
        source, target = projections[0].source, projections[0].target
        raise GraphTooLarge(
            f"'{target}' reads '{source}' in a way that a plan finds only edge by edge, and these are {n:,} edges (limit {LIMIT:,}). "
            f"{WAY_OUT}"
        )


def fan_in(axis: Wiring) -> int:
    """The most sources that a target sees along one axis.

    Examples
    --------
    >>> from neurograph.ops.wiring import Pairs
    >>> fan_in(Blocks(2, 3, 4)), fan_in(Window(5, 5, kernel=3)), fan_in(Pairs(2, 2, ((0, 0, 0), (1, 0, 1), (1, 1, 2))))
    (4, 3, 2)
    """
    if isinstance(axis, Blocks):
        return axis.sources
    if isinstance(axis, Window):
        return axis.kernel
    return int(np.bincount(axis.links().target).max(initial=0))


def _positions(axis: Wiring) -> int:
    """How many numbers it takes to write one axis out."""
    return axis.n_targets * axis.kernel if isinstance(axis, Window) else axis.n_targets
