"""Receptive fields: which part of the input a neuron can see, from the wirings alone."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from neurograph.graph.layout import layout_of
from neurograph.graph.topology import Projection, Topology
from neurograph.ops.wiring import Blocks, Pairs, Wiring

Span = tuple[int, int]
"""First and last coordinate along one axis."""

Box = tuple[Span, ...]


def receptive_field(topology: Topology, neuron: Hashable) -> dict[str, Box]:
    """A box of each input that holds everything a neuron can see; the smallest one unless windows are dilated.

    Parameters
    ----------
    topology : Topology
    neuron : str or node id
        Such as ``"conv2[3,5,5]"``.

    Returns
    -------
    dict
        Input population → (first, last) along each of its axes; inputs that the neuron does not reach are left out. Padded
        positions do not count: a box never leaves its input.

    Raises
    ------
    UnknownName
        If there is no such neuron.

    Notes
    -----
    Walks back through the projections above the neuron, once each; no neuron is enumerated. Strides and dilations may skip
    positions inside a box.

    Examples
    --------
    >>> import neurograph as ng
    >>> receptive_field(ng.lay_out(ng.load("lenet5")), "conv2[3,5,5]")
    {'input': ((0, 0), (8, 21), (8, 21))}
    """
    name, index = layout_of(topology).place(neuron)
    seen: dict[str, Box] = {str(name): tuple((i, i) for i in index)}
    order = list(topology.populations)
    for target in reversed(order[: order.index(str(name)) + 1]):
        if target in seen:
            for projection in topology.into(target):
                box = _through(topology, projection, seen[target])
                if box is not None:
                    seen[projection.source] = _joined(seen.get(projection.source), box)
    return {name: seen[name] for name, p in topology.populations.items() if p.is_input and name in seen}


def extents(box: Box) -> tuple[int, ...]:
    """Size of a box along each axis.

    Examples
    --------
    >>> extents(((0, 0), (8, 21), (8, 21)))
    (1, 14, 14)
    """
    return tuple(last - first + 1 for first, last in box)


def middle(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index in the middle of a population, where windows are clipped least."""
    return tuple(n // 2 for n in shape)


def _through(topology: Topology, projection: Projection, box: Box) -> Box | None:
    """What a box of targets sees of a projection's source; None where it sees nothing."""
    source = topology.populations[projection.source]
    framed = (*box, *[(0, 0)] * (len(projection.axes) - len(box)))
    spans = []
    for axis, span, extent in zip(projection.axes, framed, source.shape, strict=True):
        sources = [i for i in _ends(axis, span) if 0 <= i < extent]
        if not sources:
            return None
        spans.append((min(sources), max(sources)))
    return tuple(spans)


def _ends(axis: Wiring, span: Span) -> Iterator[int]:
    """Source coordinates of a span of targets, among them the least and the greatest that exist."""
    for target in _telling(axis, span):
        sources = axis.into(target).source
        inside = sources[(sources >= 0) & (sources < axis.n_sources)]  # padded positions are edges, but not input
        if len(inside):
            yield int(inside.min())
            yield int(inside.max())


def _telling(axis: Wiring, span: Span) -> Iterable[int]:
    """Targets that suffice: the ends, and for windows those whose reach a border clips (dilated taps may skip position 0)."""
    first, last = span
    if isinstance(axis, Pairs):
        return range(first, last + 1)
    if isinstance(axis, Blocks):
        return {first, last}
    clipped = -(-axis.before // axis.stride)
    reach = axis.dilation * (axis.kernel - 1) - axis.before
    free = (axis.n_sources - 1 - reach) // axis.stride
    return sorted({first, *range(first, min(last, clipped) + 1), *range(max(first, free), last + 1), last})


def _joined(one: Box | None, other: Box) -> Box:
    if one is None:
        return other
    return tuple((min(a, c), max(b, d)) for (a, b), (c, d) in zip(one, other, strict=True))
