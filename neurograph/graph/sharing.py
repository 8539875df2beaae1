"""How often each weight is used: the size of weight tying, counted in closed form."""

from __future__ import annotations

import math

import numpy as np

from neurograph.graph.topology import Projection, Topology
from neurograph.ops.wiring import Blocks, Pairs, Window, Wiring

Range = tuple[int, int]
"""Least and most."""


def uses_per_weight(topology: Topology, layer: str) -> Range | None:
    """How often a layer uses each of its weights: the least and the most edges that carry the same reference.

    Parameters
    ----------
    topology : Topology
    layer : str

    Returns
    -------
    (least, most), or None for layers without weights
        They differ where padding clips some taps more often than others.

    Notes
    -----
    A weight's flat index is the sum of what each axis adds, every slot in one way; so the uses of a slot are the product, over the
    axes, of how many wires add the same number. No edge is enumerated.

    Examples
    --------
    >>> import neurograph as ng
    >>> topology = ng.lay_out(ng.load("lenet5"))
    >>> uses_per_weight(topology, "conv1"), uses_per_weight(topology, "fc1"), uses_per_weight(topology, "pool1")
    ((676, 784), (1, 1), None)
    """
    ranges = [_of_projection(p) for p in topology.into(layer) if p.weight is not None and not _reads_nothing(p)]
    if not ranges:
        return None
    if topology.populations[layer].shape == ():
        return _of_named_weights(topology, layer)
    return min(least for least, _ in ranges), max(most for _, most in ranges)


def _reads_nothing(projection: Projection) -> bool:
    """Whether a part of a concatenation appears in no row of the connection table."""
    return any(isinstance(axis, Pairs) and axis.count == 0 for axis in projection.axes)


def _of_projection(projection: Projection) -> Range:
    ranges = [_of_axis(axis) for axis in projection.axes]
    return math.prod(least for least, _ in ranges), math.prod(most for _, most in ranges)


def _of_axis(axis: Wiring) -> Range:
    """Least and most wires of one axis that add the same number to the flat index."""
    if isinstance(axis, Blocks):
        uses = (1 if axis.target_weight else axis.n_targets) * (1 if axis.source_weight else axis.sources)
        return uses, uses
    if isinstance(axis, Window):
        return _of_window(axis)
    counts = np.unique(axis.links().weight, return_counts=True)[1]
    return int(counts.min()), int(counts.max())


def _of_window(axis: Window) -> Range:
    if not axis.tap_weight and not axis.target_weight:
        return axis.count, axis.count
    inside = [axis.n_targets if axis.padded else axis._inside(tap) for tap in range(axis.kernel)]
    if not axis.target_weight:
        return min(inside), max(inside)
    if not axis.tap_weight:  # one weight a position: as many uses as taps inside
        taps = [len(axis.into(target)) for target in range(axis.n_targets)]
        return min(taps), max(taps)
    return int(min(inside) == axis.n_targets), int(max(inside) > 0)


def _of_named_weights(topology: Topology, neuron: str) -> Range:
    """Hand-drawn networks: the same name on several edges, anywhere, is one weight."""
    names = [p.weight for p in topology.projections]
    counts = [names.count(p.weight) for p in topology.into(neuron) if p.weight is not None]
    return min(counts), max(counts)


def written(uses: Range | None) -> str:
    """Write a range as people read it.

    Examples
    --------
    >>> written((676, 784)), written((100, 100)), written(None)
    ('676–784', '100', '')
    """
    return "" if uses is None else "–".join(f"{n:,}" for n in dict.fromkeys(uses))
