"""The toeplitz view: a layer's weights as one matrix, a row a neuron, a column a source; equal colour is the same weight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from neurograph.errors import DrawingError
from neurograph.graph.address import Node, write_node, write_reference
from neurograph.graph.neighbourhood import Wire
from neurograph.graph.topology import Topology
from neurograph.parameters import Reference

from .colours import GREY, INK, UNKNOWN, signed, tie_colour
from .filters import draw_filters, filters_of
from .foot import ON_EDGES
from .legend import SIZE, Stroke, colour_bar, entries
from .legend import Entry as Explained
from .matrix import BLANK, Entry, Matrix, draw_matrix, draw_strip
from .numbers import counted, short
from .scene import Canvas, Line, Scene, text_width
from .stations import known_layer, layers_of, nodes_of, wires_into
from .subject import Subject

WIDTH, HEIGHT = 980.0, 470.0
MOST_ROWS, MOST_COLUMNS = 72, 168
MOST_ENTRIES = 4_500
LARGEST_CELL = 25.0


@dataclass(frozen=True)
class Cut:
    """The part of a matrix that is drawn: neurons and sources in order, wires between them, and the sizes of the blocks."""

    targets: tuple[Node, ...]
    sources: tuple[Node, ...]
    wires: tuple[Wire, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    n_targets: int
    n_sources: int


def toeplitz_scene(subject: Subject, layer: str | None = None) -> Scene:
    """Draw the weight matrix of a layer.

    Parameters
    ----------
    subject : Subject
    layer : str, optional
        Default: the first layer with shared weights, else the first.

    Raises
    ------
    UnknownName
        If there is no such layer.
    """
    name = known_layer(subject, layer) if layer is not None else _default(subject)
    cut = _cut(subject, name)
    ties = numbered(wire.param for wire in cut.wires)
    canvas = Canvas()
    labels = [write_node(node) for node in cut.targets]
    cell = min(LARGEST_CELL, WIDTH / (len(cut.sources) + 3), HEIGHT / len(cut.targets))
    named = cell >= 11.5
    room = max((text_width(label, 10.5) for label in labels), default=0.0) + 8 if named else 0.0
    matrix = Matrix(room, 0.0, cut.rows, cut.columns, cell, 1.5 if cell < 8 else 3.0)
    row = {node: number for number, node in enumerate(cut.targets)}
    column = {node: number for number, node in enumerate(cut.sources)}
    draw_matrix(
        canvas,
        "w",
        matrix,
        {(row[w.target], column[w.source]): _entry(subject, w.param, ties) for w in cut.wires if w.source in column},
    )
    if named:
        for number, label in enumerate(labels):
            canvas.text(
                room - 6 - text_width(label, 10.5) * 1.03 - 2,
                matrix.top(number) + cell / 2 - 6.4,
                [Line(label, 10.5, GREY)],
            )
    _vectors(canvas, subject, cut, matrix)
    _words(canvas, subject, name, cut, ties)
    return canvas.scene(f"{subject.name} {name}", least_width=760)


def numbered(references: Iterable[Reference | None]) -> dict[Reference, int]:
    """Weights numbered in the order of their addresses, for colours."""
    found = {r for r in references if r is not None}
    return {reference: number for number, reference in enumerate(sorted(found))}


def _default(subject: Subject) -> str:
    layers = [str(name) for name in layers_of(subject.network)]
    if not layers:
        raise DrawingError(f"{subject.name}: drawn neuron by neuron, it has no layer's matrix; use --view neurons.")
    weighted = [name for name in layers if _is_tied(subject, name)]
    return (weighted or layers)[0]


def _is_tied(subject: Subject, name: str) -> bool:
    from neurograph.graph.sharing import uses_per_weight

    if not isinstance(subject.network, Topology):
        return True
    uses = uses_per_weight(subject.network, name)
    return uses is not None and uses[1] > 1


def _cut(subject: Subject, name: str) -> Cut:
    """The first rows of the matrix, as many as are legible, and the columns in which they have edges."""
    nodes, shape, n_targets = nodes_of(subject, name, MOST_ROWS)
    width = shape[-1] if len(shape) > 1 else len(nodes)
    nodes = nodes[: max(1, MOST_ENTRIES // max(1, min(MOST_COLUMNS, len(wires_into(subject, nodes[:1])))))]
    targets = tuple(nodes[: len(nodes) // width * width if 0 < width <= len(nodes) else len(nodes)])
    wires = wires_into(subject, targets)
    sources: list[Node] = []
    blocks: list[int] = []
    n_sources = 0
    for layer in dict.fromkeys(wire.from_place[0] for wire in wires):
        if isinstance(subject.network, Topology) and str(layer) not in subject.network.populations:
            continue  # padded positions are no neurons
        here, extents, n_here = nodes_of(subject, layer, MOST_COLUMNS)
        n_sources += n_here
        if len(sources) < MOST_COLUMNS:
            step = extents[-1] if len(extents) > 1 else len(here)
            taken = here[: max(step, (MOST_COLUMNS - len(sources)) // step * step)][:MOST_COLUMNS]
            sources += taken
            blocks += _blocks(len(taken), step)
    return Cut(
        targets, tuple(sources), tuple(wires), tuple(_blocks(len(targets), width)), tuple(blocks), n_targets, n_sources
    )


def _blocks(n: int, step: int) -> list[int]:
    """Cells in blocks of `step`, the last as long as what is left."""
    return [min(step, n - first) for first in range(0, n, step)]


def _entry(subject: Subject, reference: Reference | None, ties: dict[Reference, int]) -> Entry:
    if reference is None:
        return Entry("#9aa3b2", "", "an edge without a weight")
    value = subject.on_edge(reference)
    written = write_reference(reference, subject.network.parameters[reference[0]].shape)
    hint = written if value is None else f"{written} = {short(value, 6)}"
    if subject.colours_edges:
        fill = UNKNOWN if value is None else signed(value, subject.largest_on_edges(reference[0]))
    else:
        fill = tie_colour(ties[reference])
    return Entry(fill, "" if value is None else short(value, 2), hint)


def _vectors(canvas: Canvas, subject: Subject, cut: Cut, matrix: Matrix) -> None:
    """Where there is a pass: a above its columns, z beside its rows."""
    if not subject.has_values:
        return
    gap = max(10.0, matrix.cell * 0.6)
    above = [subject.value(node, "a") for node in cut.sources]
    beside = [subject.value(node, "z") for node in cut.targets]
    top = matrix.y - gap - matrix.cell
    draw_strip(canvas, "a", matrix, _strip(above), top, along_columns=True)
    draw_strip(canvas, "z", matrix, _strip(beside), matrix.right + gap, along_columns=False)
    canvas.text(matrix.right + 6, top + matrix.cell / 2 - 9, [Line("a", 15, INK, bold=True)])
    canvas.text(matrix.right + gap, matrix.bottom + 3, [Line("z", 15, INK, bold=True)], matrix.cell, "center")


def _strip(values: Sequence[float | None]) -> list[Entry]:
    largest = max((abs(value) for value in values if value is not None and value == value), default=0.0)
    return [
        Entry(UNKNOWN) if value is None else Entry(signed(value, largest), short(value, 2), short(value, 6))
        for value in values
    ]


def _words(canvas: Canvas, subject: Subject, name: str, cut: Cut, ties: dict[Reference, int]) -> None:
    left, top = min(s.left for s in canvas.shapes), min(s.top for s in canvas.shapes)
    filters = filters_of(subject, ties)
    y = canvas.bottom + 26
    if filters and canvas.right - left < WIDTH * 0.8 and len(filters) <= 2:
        draw_filters(canvas, subject, filters, ties, canvas.right + 46, top)
    elif filters:
        draw_filters(canvas, subject, filters, ties, left, y - 8)
        y = canvas.bottom + 24
    y = _legend(canvas, subject, left, y)
    said = _left_out(cut)
    if said:
        canvas.text(left, y, [Line(said, SIZE, GREY)])
    shown = {w.source for w in cut.wires} & set(cut.sources)
    n_edges = sum(wire.source in shown for wire in cut.wires)
    possible = len(cut.targets) * len(cut.sources)
    about = f"{len(cut.targets):,} × {len(cut.sources):,} possible edges, {n_edges:,} there ({n_edges / possible:.0%})"
    about += f" · {counted(len(ties), 'different weight')}" if ties else ""
    head = [
        Line(f"{subject.name} · {name}: z = W·a" + (" + b" if _has_bias(subject, cut) else ""), 22, INK, bold=True),
        Line(about, 13, GREY),
        Line("a row is a neuron, a column is a source; both row by row of their maps", 13, GREY),
    ]
    canvas.text(left, top - 76, head, 640)


def _legend(canvas: Canvas, subject: Subject, left: float, y: float) -> float:
    if subject.colours_edges:
        colour_bar(canvas, left, y, f"colour: {ON_EDGES[subject.values]}")
        y += 22
    elif subject.has_values:
        colour_bar(canvas, left, y, "colour of a and z, each on its own scale")
        y += 22
    strokes = tuple(Stroke(tie_colour(i), 2) for i in range(3))
    found = [Explained("no edge", grounds=(BLANK,))]
    if not subject.colours_edges:
        found.insert(0, Explained("one colour = one weight", strokes))
    return entries(canvas, left, y, found, canvas.right) + 6


def _left_out(cut: Cut) -> str:
    parts = []
    if len(cut.targets) < cut.n_targets:
        parts.append(f"rows 0…{len(cut.targets) - 1:,} of {cut.n_targets:,}")
    if len(cut.sources) < cut.n_sources:
        parts.append(f"columns 0…{len(cut.sources) - 1:,} of {cut.n_sources:,}")
    return f"Drawn: {', '.join(parts)}." if parts else ""


def _has_bias(subject: Subject, cut: Cut) -> bool:
    network = subject.network
    if isinstance(network, Topology):
        return any(network.populations[str(subject.layout.place(node)[0])].bias is not None for node in cut.targets[:1])
    return any(network.nodes[node].get("bias") is not None for node in cut.targets)
