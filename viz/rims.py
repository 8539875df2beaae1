"""Padded positions: grey cells around the planes of a layer that somebody reads with padding."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

from neurograph.graph.address import Node
from neurograph.graph.topology import Projection, Topology
from neurograph.ops.wiring import Window
from neurograph.parameters import Reference

from .colours import FAINT, GREY, INK, PADDED, tie_colour
from .groups import Group
from .numbers import short
from .panels import RIM, Panel
from .scene import Canvas, Cell, Line, Shape
from .subject import Subject

WIDEST = 3
MOST_PLANES = 3
LARGEST = 16
"""Rows and columns up to which padding is drawn."""


def with_rims(subject: Subject, groups: Sequence[Group]) -> list[Group]:
    """Groups that know how many padded positions stand around them, where there is room for these."""
    if not isinstance(subject.network, Topology):
        return list(groups)
    return [replace(group, rim=_rim(subject.network, group)) for group in groups]


def _rim(topology: Topology, group: Group) -> int:
    if len(group.shape) != 3 or group.window is not None or group.shape[0] > MOST_PLANES or max(group.shape) > LARGEST:
        return 0
    rims = [reach for projection in topology.out_of(str(group.name)) for reach in _reaches(projection)]
    return min(WIDEST, max(rims, default=0))


def _reaches(projection: Projection) -> Iterator[int]:
    """How far windows reach over the borders of the source, per axis and side."""
    for axis in projection.axes:
        if isinstance(axis, Window):
            yield max(0, axis.before)
            yield max(0, after(axis))


def after(axis: Window) -> int:
    """How many positions the last window reads behind the end; negative where it leaves some unread."""
    return axis.stride * (axis.n_targets - 1) + axis.dilation * (axis.kernel - 1) - axis.before - axis.n_sources + 1


def draw_rim(
    canvas: Canvas, subject: Subject, panel: Panel, around: Node | None, ties: Mapping[Reference, int]
) -> None:
    """The padded positions of a panel; those that the lit neuron would read have the colour of the weight they miss."""
    group = panel.group
    if not group.rim:
        return
    missed = {} if around is None else _missed(subject, str(group.name), around)
    value = _constant(subject, str(group.name))
    _, rows, columns = group.grid
    firsts = {spot.node[1]: spot for spot in reversed(panel.spots) if isinstance(spot.node, tuple)}
    for channel, spot in firsts.items():
        for row, column in _positions(rows, columns, group.rim):
            reference = missed.get((channel, row, column))
            at = _along(spot.x, column, columns, panel.pitch), _along(spot.y, row, rows, panel.pitch)
            wide, tall = (panel.pitch * (1 if 0 <= i < n else RIM) - 2 for i, n in ((column, columns), (row, rows)))
            canvas.add(_cell((group.name, channel, row, column), at, (wide, tall), value, reference, ties))


def _cell(
    key: tuple[Hashable, ...],
    at: tuple[float, float],
    size: tuple[float, float],
    value: float | None,
    reference: Reference | None,
    ties: Mapping[Reference, int],
) -> Shape:
    border = FAINT if reference is None else tie_colour(ties[reference]) if reference in ties else INK
    words = (Line(short(value), 9.5, GREY),) if value is not None and min(size) >= 13 else ()
    hint = "padding, passed over" if value is None else f"padding, always {short(value)}"
    return Shape(
        ("pad", *key),
        *at,
        *size,
        (Cell(words, size[0]),),
        "box",
        PADDED,
        border,
        1 + 2.0 * (reference is not None),
        hint,
    )


def _positions(rows: int, columns: int, rim: int) -> Iterator[tuple[int, int]]:
    for row in range(-rim, rows + rim):
        for column in range(-rim, columns + rim):
            if not (0 <= row < rows and 0 <= column < columns):
                yield row, column


def _along(first: float, i: int, n: int, pitch: float) -> float:
    """Centre of the i-th position; padded ones are narrower."""
    if i < 0:
        return first - pitch / 2 + (i + 0.5) * RIM * pitch
    if i >= n:
        return first + (n - 0.5) * pitch + (i - n + 0.5) * RIM * pitch
    return first + i * pitch


def _missed(subject: Subject, source: str, around: Node) -> dict[tuple[int, int, int], Reference]:
    """Padded positions in the lit neuron's window → the weight that stands there."""
    assert isinstance(subject.network, Topology)
    layer, index = subject.layout.place(around)
    found: dict[tuple[int, int, int], Reference] = {}
    for projection in subject.network.into(str(layer)):
        if projection.source == source and projection.weight is not None and len(index) == len(projection.axes) == 3:
            found.update(_outside(projection, index))
    return found


def _outside(projection: Projection, index: tuple[int, ...]) -> Iterator[tuple[tuple[int, int, int], Reference]]:
    channels, down, across = projection.axes
    if not isinstance(down, Window) or not isinstance(across, Window):
        return
    into = channels.into(index[0])
    for c, base in zip(into.source.tolist(), into.weight.tolist(), strict=True):
        for i in range(down.kernel):
            for j in range(across.kernel):
                y = down.stride * index[1] + down.dilation * i - down.before
                x = across.stride * index[2] + across.dilation * j - across.before
                if not (0 <= y < down.n_sources and 0 <= x < across.n_sources):
                    taps = i * down.tap_weight + index[1] * down.target_weight
                    taps += j * across.tap_weight + index[2] * across.target_weight
                    yield (c, y, x), (str(projection.weight), projection.weight_offset + base + taps)


def _constant(subject: Subject, source: str) -> float | None:
    """What stands in the padding: 0, or the value that the layer declares; None for pools, which pass over it."""
    assert isinstance(subject.network, Topology)
    found = None
    for projection in subject.network.out_of(source):
        if projection.padding is not None:
            return declared(subject.network, projection.padding.parameter)
        found = 0.0 if projection.weight is not None and max(_reaches(projection), default=0) else found
    return found


def declared(topology: Topology, name: str) -> float:
    """The one number that a constant parameter holds."""
    spec = topology.parameters[name]
    return float(spec.values.reshape(-1)[0]) if spec.values is not None else float(spec.init or 0)
