"""The tied view: the same two layers fully connected, locally connected, and with one shared filter, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from neurograph.graph.topology import Topology
from neurograph.ops.wiring import Window

from .colours import GREY, INK, PAPER, tie_colour
from .legend import SIZE, Stroke, entries
from .legend import Entry as Explained
from .matrix import BLANK, Entry, Matrix, draw_matrix
from .scene import Canvas, Curve, Line, Scene, Shape
from .stations import Slide, choose_layer, slide_of
from .subject import Subject

WIDTH = 372.0
GAP = 44.0
MOST = 8
"""Rows and columns of a map that are drawn, at most."""
MOST_ENTRIES = 1_300
"""Possible edges between what is drawn of two maps, at most."""
SIDE, TALL = 150.0, 170.0
TITLES = ("fully connected", "locally connected, untied", "locally connected, tied: a convolution")
Wires = Mapping[tuple[int, int], int]
"""(target, source) → number of the weight."""


@dataclass(frozen=True)
class Pair:
    """One map of each of the two layers, cut to what is legible.

    Attributes
    ----------
    sources, targets : (rows, columns)
    """

    slide: Slide
    sources: tuple[int, int]
    targets: tuple[int, int]

    @property
    def taps(self) -> int:
        return self.slide.down.kernel * self.slide.across.kernel

    def window(self, target: int) -> dict[int, int]:
        """Source → tap, for one neuron."""
        row, column = divmod(target, self.targets[1])
        found = {}
        for i in range(self.slide.down.kernel):
            for j in range(self.slide.across.kernel):
                y = self.slide.down.stride * row + self.slide.down.dilation * i - self.slide.down.before
                x = self.slide.across.stride * column + self.slide.across.dilation * j - self.slide.across.before
                if 0 <= y < self.sources[0] and 0 <= x < self.sources[1]:
                    found[y * self.sources[1] + x] = i * self.slide.across.kernel + j
        return found

    def wires(self, variant: int) -> dict[tuple[int, int], int]:
        """The edges of a variant, and their weights by number."""
        n_sources, targets = prod(self.sources), range(prod(self.targets))
        if variant == 0:
            return {(t, s): t * n_sources + s for t in targets for s in range(n_sources)}
        shift = self.taps if variant == 1 else 0
        return {(t, s): t * shift + tap for t in targets for s, tap in self.window(t).items()}


def tied_scene(subject: Subject, layer: str | None = None) -> Scene:
    """Compare a layer with what it would be if its weights were untied, and if everything were connected.

    Raises
    ------
    DrawingError
        If the layer has no windows with weights.
    """
    name = choose_layer(subject, layer, _fits, "tied", "a layer whose neurons see windows through weights")
    topology = subject.network
    assert isinstance(topology, Topology)
    slide = slide_of(topology, name)
    assert slide is not None
    pair = _pair(slide)
    canvas = Canvas()
    for variant, title in enumerate(TITLES):
        _column(canvas, pair, variant, title, (WIDTH + GAP) * variant, _counts(topology, name, variant))
    bottom = canvas.bottom + 26
    strokes = tuple(Stroke(tie_colour(i), 2) for i in range(3))
    given = [Explained("one colour = one weight", strokes), Explained("no edge", grounds=(BLANK,))]
    below = entries(
        canvas, 0, bottom, [*given, Explained("matrix: a row is a neuron, a column is a source")], canvas.right
    )
    said = _cut_words(slide, pair, topology, name)
    if said:
        canvas.text(0, below + 4, [Line(said, SIZE, GREY)])
    words = f"{subject.name} · {name}: the same neurons, three ways to connect them"
    head = [Line(words, 22, INK, bold=True), Line("edges of two neurons are drawn; the matrix has all", 13, GREY)]
    canvas.text(0, min(s.top for s in canvas.shapes) - 62, head, 640)
    return canvas.scene(f"{subject.name} {name}", least_width=760)


def _fits(topology: Topology, name: str) -> bool:
    slide = slide_of(topology, name)
    return slide is not None and slide.projection.weight is not None


def _pair(slide: Slide) -> Pair:
    """As many neurons as are legible, and the sources that they see."""
    for most in range(MOST, 0, -1):
        targets = min(most, slide.down.n_targets), min(most, slide.across.n_targets)
        sources = _seen(slide.down, targets[0]), _seen(slide.across, targets[1])
        if prod(sources) * prod(targets) <= MOST_ENTRIES:
            break
    return Pair(slide, sources, targets)


def _seen(axis: Window, n: int) -> int:
    """How far into the source the first n windows reach."""
    return max(1, min(axis.n_sources, axis.stride * (n - 1) + axis.dilation * (axis.kernel - 1) - axis.before + 1))


def _counts(topology: Topology, name: str, variant: int) -> tuple[int, int]:
    """Edges and weights of the whole layer: as it is, untied, or with every source read by every neuron."""
    into = [p for p in topology.into(name) if p.weight is not None]
    size = topology.populations[name].size
    n_edges = sum(p.n_edges for p in into)
    if variant == 0:
        n_edges = sum(topology.populations[p.source].size for p in into) * size
    if variant < 2:
        return n_edges, n_edges
    rows = topology.populations[name].shape[0]
    windows = slide_of(topology, name)
    assert windows is not None
    per_row = sum(p.axes[0].count // rows for p in into) * windows.down.kernel * windows.across.kernel
    return n_edges, rows * per_row


def _column(canvas: Canvas, pair: Pair, variant: int, title: str, left: float, counts: tuple[int, int]) -> None:
    wires = pair.wires(variant)
    canvas.text(left, 0, [Line(title, 17, INK, bold=True)], WIDTH, "center")
    _sketch(canvas, pair, variant, wires, left, 40)
    words = [
        Line(f"{len(wires):,} edges, {len(set(wires.values())):,} weights", 16, INK, bold=True),
        Line(f"whole layer: {counts[0]:,} edges, {counts[1]:,} weights", 12.5, GREY),
    ]
    canvas.text(left, 40 + TALL + 14, words, WIDTH, "center")
    cell = min(WIDTH / prod(pair.sources), 300 / prod(pair.targets), 14.0)
    rows, columns = (pair.targets[1],) * pair.targets[0], (pair.sources[1],) * pair.sources[0]
    gap = 1.5
    width = cell * prod(pair.sources) + gap * (len(columns) - 1)
    matrix = Matrix(left + (WIDTH - width) / 2, 40 + TALL + 66, rows, columns, cell, gap)
    draw_matrix(canvas, ("matrix", variant), matrix, {at: Entry(tie_colour(number)) for at, number in wires.items()})


def _sketch(canvas: Canvas, pair: Pair, variant: int, wires: Wires, left: float, top: float) -> None:
    """Both maps as grids of small neurons, and the edges of two of them."""
    chosen = _chosen(pair)
    pitch = min(SIDE / max(pair.sources), SIDE / max(pair.targets), 30.0)
    lefts = {"source": left + 6, "target": left + WIDTH - 6 - pair.targets[1] * pitch}
    read: dict[int, int] = {}
    for target in reversed(chosen):
        read.update({s: number for (t, s), number in wires.items() if t == target})
    for side, extents in (("source", pair.sources), ("target", pair.targets)):
        for number, (row, column) in enumerate(_grid(extents)):
            x, y = lefts[side] + (column + 0.5) * pitch, top + TALL / 2 + (row + 0.5 - extents[0] / 2) * pitch
            strong = number in chosen if side == "target" else number in read
            fill = tie_colour(read[number]) if side == "source" and strong else PAPER
            border, thickness = (INK, 2.0) if strong and side == "target" else (GREY, 0.7)
            size = pitch * (0.62 if strong else 0.42)
            canvas.add(Shape((side, variant, number), x, y, size, size, (), "circle", fill, border, thickness))
    places = {shape.key: shape for shape in canvas.shapes}
    for (t, s), number in wires.items():
        if t in chosen:
            canvas.curves.append(
                _edge(places[("source", variant, s)], places[("target", variant, t)], tie_colour(number))
            )


def _chosen(pair: Pair) -> tuple[int, ...]:
    """Two neurons far apart, away from the border where there is room."""
    rows, columns = pair.targets
    margins = [-(-max(0, axis.before) // axis.stride) for axis in (pair.slide.down, pair.slide.across)]
    row, column = (m if n > 2 * m + 1 else 0 for m, n in zip(margins, pair.targets, strict=True))
    first = row * columns + column
    return tuple(dict.fromkeys((first, rows * columns - 1 - first)))


def _edge(source: Shape, target: Shape, colour: str) -> Curve:
    start, end = (source.x, source.y), (target.x, target.y)
    dx, dy = (end[0] - start[0]) / 3, (end[1] - start[1]) / 3
    path = (start, (start[0] + dx, start[1] + dy), (end[0] - dx, end[1] - dy), end)
    return Curve(source.key, target.key, path, colour + "c0", 1.3)


def _grid(extents: tuple[int, int]) -> list[tuple[int, int]]:
    return [(row, column) for row in range(extents[0]) for column in range(extents[1])]


def _cut_words(slide: Slide, pair: Pair, topology: Topology, name: str) -> str:
    """What is not drawn."""
    maps = topology.populations[slide.projection.source].shape[0], topology.populations[name].shape[0]
    whole = slide.down.n_targets, slide.across.n_targets
    parts = []
    if pair.targets != whole:
        parts.append(f"the first {pair.targets[0]} × {pair.targets[1]} neurons of {whole[0]} × {whole[1]}")
    if maps != (1, 1):
        parts.append(f"one map of {maps[0]}, and one of {maps[1]}")
    return f"Drawn: {'; '.join(parts)}." if parts else ""
