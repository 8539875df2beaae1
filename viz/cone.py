"""What a neuron reaches, layer by layer: everything it sees, and everything that sees it, up to a depth; without a graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurograph.graph.topology import Projection, Topology
from neurograph.ops.wiring import Blocks, Wiring

Reach = tuple[tuple[int, ...], ...]
"""Coordinates along each axis: the neurons reached are all combinations."""


def ancestors(topology: Topology, layer: str, reach: Reach, depth: int) -> dict[str, Reach]:
    """What neurons see, up to `depth` edges back, themselves not among it.

    Parameters
    ----------
    topology : Topology
    layer : str
    reach : tuple of tuple of int
        The neurons asked about: all combinations of these coordinates.
    depth : int

    Returns
    -------
    dict
        Layer → coordinates along each of its axes. Exact along one road; where roads of different reach join, their hull.

    Examples
    --------
    >>> import neurograph as ng
    >>> ancestors(ng.lay_out(ng.load("four")), "pool", ((0,), (1,), (0,)), 2)
    {'conv': ((0,), (2, 3), (0, 1)), 'input': ((0,), (1, 2, 3, 4), (0, 1, 2))}
    """
    return _spread(topology, layer, reach, depth, backward=True)


def descendants(topology: Topology, layer: str, reach: Reach, depth: int) -> dict[str, Reach]:
    """What sees neurons, up to `depth` edges on, themselves not among it.

    Examples
    --------
    >>> import neurograph as ng
    >>> descendants(ng.lay_out(ng.load("four")), "conv", ((0,), (3,), (1,)), 2)
    {'pool': ((0,), (1,), (0,)), 'outputs': ((0, 1),)}
    """
    return _spread(topology, layer, reach, depth, backward=False)


def _spread(topology: Topology, layer: str, reach: Reach, depth: int, backward: bool) -> dict[str, Reach]:
    found: dict[str, Reach] = {}
    front = {layer: reach}
    for _ in range(depth):
        following: dict[str, Reach] = {}
        for name, here in front.items():
            for projection in topology.into(name) if backward else topology.out_of(name):
                other = projection.source if backward else projection.target
                there = through(topology, projection, here, backward)
                if there is not None:
                    following[other] = _joined(following.get(other), there)
        for name, there in following.items():
            found[name] = _joined(found.get(name), there)
        front = following
    return found


def through(topology: Topology, projection: Projection, reach: Reach, backward: bool) -> Reach | None:
    """The other ends of a projection's edges at these neurons; None where there are none."""
    rank = len(topology.populations[projection.source].shape)
    framed = (*reach, *[(0,)] * (rank - len(reach)))
    ends = [_ends(axis, at, backward) for axis, at in zip(projection.axes, framed, strict=True)]
    if not all(ends):
        return None
    return tuple(ends if backward else ends[: len(topology.populations[projection.target].shape)])


def _ends(axis: Wiring, at: Sequence[int], backward: bool) -> tuple[int, ...]:
    if isinstance(axis, Blocks):
        here, there = (axis.targets, axis.sources) if backward else (axis.sources, axis.targets)
        groups = sorted({i // here for i in at})
        return tuple(i for group in groups for i in range(group * there, (group + 1) * there))
    links = [axis.into(i) if backward else axis.out_of(i) for i in at]
    ends = np.unique(np.concatenate([link.source if backward else link.target for link in links]))
    limit = axis.n_sources if backward else axis.n_targets
    return tuple(int(i) for i in ends if 0 <= i < limit)


def _joined(one: Reach | None, other: Reach) -> Reach:
    if one is None:
        return other
    return tuple(tuple(sorted({*a, *b})) for a, b in zip(one, other, strict=True))
