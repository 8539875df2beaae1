"""Where every neuron of a neuron view stands: columns by rank, planes of maps as grids, units as columns."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from neurograph.graph.address import Node

from .groups import Group

HEIGHT = 430.0
"""Room for the neurons of one column, in points."""
WIDTH = 1160.0
WIDEST = 960.0
"""Width that the neurons of all columns may have together; columns of at most `NARROW` are not made smaller."""
NARROW = 90.0
LARGEST = {"map": 50.0, "unit": 64.0, "single": 88.0}
GAPS = {"map": 7.0, "unit": 16.0, "single": 62.0}

LEAST = 2.4
"""Side of the smallest neuron."""
TALLEST = 24
"""Neurons of several sequences that may stand in one column."""
FEW = 6
"""Neurons a layer, up to which a network without maps is drawn with room for words on its edges."""

PLANE_GAP = 26.0
RIM = 0.46
"""Width of a padded position beside a plane, in pitches."""
RANK_GAP = 86.0
WIDEST_RANK_GAP = 250.0


@dataclass(frozen=True)
class Spot:
    """A neuron's place, its size, and the column of its plane (for lanes)."""

    node: Node
    x: float
    y: float
    size: float
    column: int
    columns: int


@dataclass(frozen=True)
class Panel:
    """A group, placed: its spots, and the box around them."""

    group: Group
    spots: tuple[Spot, ...]
    left: float
    right: float
    top: float
    bottom: float
    pitch: float = 0.0

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


def form_of(group: Group) -> str:
    """``map``, ``unit`` or ``single``: what a group's neurons are drawn as."""
    return "single" if group.is_single else "map" if len(group.shape) > 1 else "unit"


def is_roomy(groups: Sequence[Group]) -> bool:
    """Whether there are so few neurons that words fit between them."""
    return all(form_of(group) != "map" and len(group.nodes) <= FEW for group in groups)


def place(groups: Sequence[Group], header: float, words: Mapping[Hashable, float]) -> list[Panel]:
    """Place groups in columns by rank, each column centred.

    Parameters
    ----------
    groups : sequence of Group
    header : float
        Height kept free above every layer for its name.
    words : mapping
        Group → width of what stands above it.
    """
    ranks: dict[int, list[Group]] = {}
    for group in groups:
        ranks.setdefault(group.rank, []).append(group)
    roomy = is_roomy(groups)
    columns = [_Column.of(ranks[rank], header, roomy, WIDTH / 3) for rank in sorted(ranks)]
    wide = sum(column.width for column in columns if column.width > NARROW)
    narrow = sum(column.width for column in columns) - wide
    if wide + narrow > WIDEST:
        share = max(0.2, (WIDEST - narrow) / wide) if wide else 1.0
        columns = [_Column.of(c.groups, header, roomy, c.width * share) if c.width > NARROW else c for c in columns]
    gap = _rank_gap(columns)
    tallest = max(column.height for column in columns)
    panels: dict[Hashable, Panel] = {}
    centre, reach = 0.0, (0.0, 0.0)
    for number, column in enumerate(columns):
        half, head = column.width / 2, max(words.get(group.name, 0.0) for group in column.groups) / 2
        if number:
            centre += max(reach[0] + gap + half, reach[1] + 16 + head)
        for panel in column.panels(centre - half, (tallest - column.height) / 2, header):
            panels[panel.group.name] = panel
        reach = (half, head)
    return [panels[group.name] for group in groups]


def _rank_gap(columns: Sequence[_Column]) -> float:
    if len(columns) < 2:
        return 0.0
    free = (WIDTH - sum(column.width for column in columns)) / (len(columns) - 1)
    return max(RANK_GAP if len(columns) <= 5 else 0.7 * RANK_GAP, min(WIDEST_RANK_GAP, free))


@dataclass(frozen=True)
class _Column:
    groups: tuple[Group, ...]
    size: float
    roomy: bool
    width: float
    height: float

    @classmethod
    def of(cls, groups: Sequence[Group], header: float, roomy: bool, widest: float) -> _Column:
        size = _size(groups, header, roomy, widest)
        width = max(_extent(group, size, roomy)[0] for group in groups)
        height = sum(_extent(group, size, roomy)[1] + _header(group, header) for group in groups) + _between(groups) * (
            len(groups) - 1
        )
        return cls(tuple(groups), size, roomy, width, height)

    def panels(self, left: float, top: float, header: float) -> list[Panel]:
        panels = []
        for group in self.groups:
            width, height = _extent(group, self.size, self.roomy)
            top += _header(group, header)
            panels.append(_panel(group, self.size, self.roomy, left + (self.width - width) / 2, top))
            top += height + _between(self.groups)
        return panels


def _between(groups: Sequence[Group]) -> float:
    """Room between two groups of one column."""
    return GAPS["single"] if all(group.is_single for group in groups) else PLANE_GAP


def _header(group: Group, header: float) -> float:
    return 0.0 if group.is_single else header


def _size(groups: Sequence[Group], header: float, roomy: bool, most: float) -> float:
    """The largest neuron that lets a column of groups fit the height, and the width that it may have."""
    size = min(LARGEST[form_of(group)] for group in groups)
    while size > LEAST:
        height = sum(_extent(group, size, roomy)[1] + _header(group, header) for group in groups) + _between(groups) * (
            len(groups) - 1
        )
        widest = max(_extent(group, size, roomy)[0] for group in groups)
        if height <= HEIGHT + header and widest <= most + 1e-6:
            break
        size = size - 1 if size > 12 else size * 0.97
    return size


def _pitch(group: Group, size: float, roomy: bool) -> float:
    form = form_of(group)
    gap = GAPS["single"] if roomy else GAPS[form]
    return size + gap * size / LARGEST[form] if size > 8 else size


def _plane_columns(group: Group) -> int:
    """Planes stand one under the other while few; many fill a block that is about as high as a column."""
    planes, rows, columns = group.grid
    if columns == 1 and rows > 1:  # sequences
        return 1 if planes * rows <= TALLEST else planes
    if planes <= 8:
        return 1 if planes <= 3 else 2
    return min(range(1, planes + 1), key=lambda across: max(across * columns * 3, -(-planes // across) * rows))


def _plane_gap(size: float) -> float:
    return PLANE_GAP / 2 * min(1.0, max(size, 4.0) / 20)


def rim_of(group: Group, pitch: float) -> float:
    """Width of the padding that is drawn around every plane of a group."""
    return group.rim * RIM * pitch


def _plane(group: Group, size: float, roomy: bool) -> tuple[float, float]:
    """Width and height of one plane, with its padding."""
    _, rows, columns = group.grid
    pitch = _pitch(group, size, roomy)
    rim = 2 * rim_of(group, pitch)
    return columns * pitch - (pitch - size) + rim, rows * pitch - (pitch - size) + rim


def _extent(group: Group, size: float, roomy: bool) -> tuple[float, float]:
    planes, across = group.grid[0], _plane_columns(group)
    down = -(-planes // across)
    width, height = _plane(group, size, roomy)
    gap = _plane_gap(size)
    return across * width + (across - 1) * gap, down * height + (down - 1) * gap


def _panel(group: Group, size: float, roomy: bool, left: float, top: float) -> Panel:
    planes, rows, columns = group.grid
    pitch, across = _pitch(group, size, roomy), _plane_columns(group)
    rim = rim_of(group, pitch)
    wide, tall = (extent + _plane_gap(size) for extent in _plane(group, size, roomy))
    spots = []
    for number, node in enumerate(group.nodes):
        if node is None:
            continue
        plane, rest = divmod(number, rows * columns) if planes > 1 else (0, number)
        row, column = (rest % rows, rest // rows) if form_of(group) == "unit" else divmod(rest, columns)
        x = left + rim + plane % across * wide + column * pitch + size / 2
        y = top + rim + plane // across * tall + row * pitch + size / 2
        lane = plane % across * columns + column
        spots.append(Spot(node, x, y, size, lane, across * columns))
    width, height = _extent(group, size, roomy)
    return Panel(group, tuple(spots), left, left + width, top, top + height, pitch)
