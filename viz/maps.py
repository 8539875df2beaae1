"""The maps view: one node a feature map, as in Y(l−1,m) → Z(l,n); connection tables drawn, and written as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neurograph.graph.address import write_node
from neurograph.graph.topology import Projection, Topology
from neurograph.ops.wiring import Pairs
from neurograph.shapes import times

from .arrange import ranks_of
from .colours import GREY, INK, KINDS, PAPER, tie_colour
from .facts import Facts, facts_of
from .heat import draw_heat
from .legend import SIZE, Entry, Stroke, colour_bar, entries
from .matrix import Entry as Cross
from .matrix import Matrix, draw_matrix
from .numbers import counted
from .scene import Canvas, Cell, Curve, Form, Line, Point, Scene, Shape, lines_height, text_width
from .subject import Subject

HEIGHT = 470.0
LARGEST, GAP = 58.0, 8.0
MOST = 16
"""Maps of a layer that are drawn."""
MOST_PIXELS = 9_000
ROOM = 120.0
MOST_COLUMNS = 9


@dataclass(frozen=True)
class Column:
    """The maps of a layer that are drawn, and where."""

    fact: Facts
    n: int
    shapes: Mapping[int, Shape]
    left: float
    right: float


def maps_scene(subject: Subject, layer: str | None = None) -> Scene:
    """Draw the feature maps of a topology.

    Parameters
    ----------
    subject : Subject
    layer : str, optional
        Only this layer and what it reads. Default: as many layers as there is room for, from the input on.

    Raises
    ------
    DrawingError
        For a graph made by hand, which has no maps.
    """
    from neurograph.errors import DrawingError

    topology = subject.network
    if not isinstance(topology, Topology) or topology.is_hand_drawn:
        raise DrawingError(f"{subject.name}: drawn neuron by neuron, it has no feature maps; use --view neurons.")
    facts = _chosen(facts_of(subject, topology), topology, layer)
    canvas = Canvas()
    columns = _columns(canvas, subject, facts)
    for fact in facts:
        for projection in topology.into(fact.name):
            if projection.source in columns:
                _wires(canvas, projection, columns[projection.source], columns[fact.name])
    beside = len(columns) <= 3
    at = (canvas.right + 90, min(s.top for s in canvas.shapes) + 60) if beside else (
        min(s.left for s in canvas.shapes), canvas.bottom + 30
    )  # fmt: skip
    for fact in facts:
        at = (at[0], _tables(canvas, topology, fact.name, at))
    _words(canvas, subject, topology, columns, facts)
    return canvas.scene(subject.name, least_width=760)


def _chosen(facts: Sequence[Facts], topology: Topology, layer: str | None) -> list[Facts]:
    if layer is None:
        return list(facts[:MOST_COLUMNS])
    topology.population(layer)
    near = {layer, *(projection.source for projection in topology.into(layer))}
    return [fact for fact in facts if fact.name in near]


# -- columns -----------------------------------------------------------------------------------------------------------
def _columns(canvas: Canvas, subject: Subject, facts: Sequence[Facts]) -> dict[str, Column]:
    ranks = ranks_of(facts) if all(s in {f.name for f in facts} for f in facts for s in f.sources) else {
        fact.name: number for number, fact in enumerate(facts)
    }  # fmt: skip
    ranks = _dense(facts, ranks)
    found: dict[str, Column] = {}
    left = 0.0
    for rank in range(max(ranks.values()) + 1):
        here = [fact for fact in facts if ranks[fact.name] == rank]
        width = max(_width(fact) for fact in here)
        y = -HEIGHT / 2 if len(here) > 1 else None
        for fact in here:
            column = _column(canvas, subject, fact, left, width, y, HEIGHT / len(here) - 60)
            found[fact.name] = column
            y = max(shape.bottom for shape in column.shapes.values()) + 70
        left += width + (ROOM if len(facts) > 3 else 2 * ROOM)
    return found


def _dense(facts: Sequence[Facts], ranks: Mapping[str, int]) -> dict[str, int]:
    """Ranks without gaps."""
    order = sorted({ranks[fact.name] for fact in facts})
    return {fact.name: order.index(ranks[fact.name]) for fact in facts}


def _n_maps(fact: Facts) -> int:
    return fact.shape[0] if len(fact.shape) > 1 else 1


def _width(fact: Facts) -> float:
    return max(70.0, *(text_width(line.words, line.size, line.bold) for line in _head(fact)))


def _head(fact: Facts) -> list[Line]:
    words, _, rest = fact.operation.partition(", ")
    lines = [Line(fact.name, 15, INK, bold=True)]
    lines += [Line(words, 12, GREY)] if words != fact.name else []
    lines += [Line(rest, 11.5, GREY)] if rest else []
    return [*lines, *([Line(fact.activation, 12, GREY)] if fact.activation else []), Line(times(fact.shape), 12, INK)]


def _column(
    canvas: Canvas, subject: Subject, fact: Facts, left: float, width: float, top: float | None, room: float
) -> Column:
    n, shown = _n_maps(fact), min(MOST, _n_maps(fact))
    side = min(LARGEST, (room - GAP * (shown - 1)) / shown)
    total = shown * side + GAP * (shown - 1) if len(fact.shape) > 1 else min(room, 200.0)
    wide = side if len(fact.shape) > 1 else 26.0
    first = -total / 2 if top is None else top
    middle = left + width / 2
    shapes: dict[int, Shape] = {}
    for number in range(shown):
        tall = side if len(fact.shape) > 1 else total
        y = first + number * (side + GAP) + tall / 2
        shapes[number] = _node(canvas, subject, fact, number, (middle, y), (wide, tall))
    head = _head(fact)
    canvas.text(middle - width / 2, first - lines_height(head) - 10, head, width, "center")
    if shown < n:
        canvas.text(middle - width / 2, first + total + 4, [Line(f"… {n - shown:,} more", 12, GREY)], width, "center")
    return Column(fact, n, shapes, middle - wide / 2, middle + wide / 2)


def _node(
    canvas: Canvas, subject: Subject, fact: Facts, number: int, at: tuple[float, float], size: tuple[float, float]
) -> Shape:
    fill = KINDS.get(fact.kind, PAPER)
    key = ("map", fact.name, number)
    values = _values(subject, fact, number)
    words = str(number) if len(fact.shape) > 1 else str(fact.shape[0])
    label: tuple[Line, ...] = ()
    if values is None:
        label = (Line(words, min(13.0, size[1] * 0.5, size[0] * 1.4 / len(words)), INK),)
    hint = write_node((fact.name, number)) if len(fact.shape) > 1 else f"{fact.name}: {counted(fact.shape[0], 'unit')}"
    form: Form = "rounded" if len(fact.shape) == 1 else "box"
    shape = Shape(key, *at, *size, (Cell(label, size[0]),), form, fill, GREY, 1.0, hint)
    canvas.add(shape)
    if values is not None:
        array, largest = values
        cell = min(size[0] / array.shape[1], size[1] / array.shape[0]) * 0.94
        draw_heat(
            canvas,
            key,
            array,
            at[0] - array.shape[1] * cell / 2,
            at[1] - array.shape[0] * cell / 2,
            cell,
            largest,
            hint,
        )
    return shape


def _values(subject: Subject, fact: Facts, number: int) -> tuple[Any, float] | None:
    """What a map shows of the sample, and the end of its layer's scale; None without a pass, or where it has too many values."""
    if not subject.has_values or subject.inspector is None or len(fact.shape) != 3 or subject.values == "difference":
        return None
    if fact.shape[1] * fact.shape[2] * min(MOST, fact.shape[0]) > MOST_PIXELS:
        return None
    values = getattr(subject.inspector.trace, subject.values)
    if fact.name not in values:
        return None
    maps = values[fact.name][subject.inspector.sample]
    return maps[number], float(abs(maps).max(initial=0.0))


# -- edges -------------------------------------------------------------------------------------------------------------
def _wires(canvas: Canvas, projection: Projection, source: Column, target: Column) -> None:
    """Which map reads which; where all read all, those of one map stand out."""
    pairs = _pairs(projection, source, target)
    drawn = [(t, s) for t, s in pairs if t in target.shapes and s in source.shapes]
    everybody = len(drawn) == len(source.shapes) * len(target.shapes) and len(drawn) > 12
    for t, s in sorted(drawn, key=lambda pair: pair[0] == 0):
        strong = not everybody or t == 0
        table = isinstance(projection.axes[0], Pairs)
        colour = tie_colour(t) + "cc" if table else INK + "aa" if strong else "#6b728038"
        canvas.curves.append(_curve(source.shapes[s], target.shapes[t], colour, 1.1 if strong else 0.7))


def _pairs(projection: Projection, source: Column, target: Column) -> list[tuple[int, int]]:
    """Which map of the target reads which map of the source; a layer of units counts as one."""
    if len(target.fact.shape) < 2 or len(source.fact.shape) < 2 or not projection.axes:
        return [(t, s) for t in (target.shapes if len(target.fact.shape) > 1 else (0,)) for s in source.shapes]
    links = projection.axes[0].links()
    return list(dict.fromkeys(zip(links.target.tolist(), links.source.tolist(), strict=True)))


def _curve(source: Shape, target: Shape, colour: str, thickness: float) -> Curve:
    start, end = (source.right, source.y), (target.left, target.y)
    bend = (end[0] - start[0]) * 0.4
    path: tuple[Point, ...] = (start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end)
    return Curve(source.key, target.key, path, colour, thickness)


# -- tables and words --------------------------------------------------------------------------------------------------
def _tables(canvas: Canvas, topology: Topology, name: str, at: Point) -> float:
    """The connection tables of a layer, as LeCun's Table I has them: a column a map, a row a map that it may read."""
    left, top = at
    for projection in topology.into(name):
        if not projection.axes or not isinstance(projection.axes[0], Pairs):
            continue
        n_rows, n_columns = topology.populations[projection.source].shape[0], topology.populations[name].shape[0]
        if max(n_rows, n_columns) > 40:
            continue
        cell = 18.0
        words = f"{name} reads {projection.source}: a column is a map of {name}, a row one of {projection.source}"
        canvas.text(left, top, [Line(words, 13, INK, bold=True)])
        matrix = Matrix(left + 30, top + 42, (n_rows,), (n_columns,), cell)
        links = projection.axes[0].links()
        pairs = zip(links.source.tolist(), links.target.tolist(), strict=True)
        draw_matrix(canvas, ("table", name, projection.source), matrix, {at: Cross(tie_colour(at[1])) for at in pairs})
        for column in range(n_columns):
            canvas.text(matrix.left(column), top + 24, [Line(str(column), 11, GREY)], cell, "center")
        for row in range(n_rows):
            canvas.text(left, matrix.top(row) + 2, [Line(str(row), 11, GREY)], 24, "right")
        top = matrix.bottom + 26
    return top


def _words(
    canvas: Canvas, subject: Subject, topology: Topology, columns: Mapping[str, Column], facts: Sequence[Facts]
) -> None:
    left, top = min(shape.left for shape in canvas.shapes), min(shape.top for shape in canvas.shapes)
    y = canvas.bottom + 22
    if subject.has_values and any(_values(subject, fact, 0) is not None for fact in facts):
        from .foot import WORDS

        colour_bar(canvas, left, y, f"colour: {WORDS[subject.values]}, each layer on its own scale")
        y += 22
    found = [Entry("an edge: this map reads that one", (Stroke(INK + "aa", 1.1),))]
    if any(_n_maps(f) > 3 for f in facts):
        found.append(Entry("strong: what the first map reads, where all read all", (Stroke(INK + "aa", 1.4),)))
    tables = any(isinstance(p.axes[0], Pairs) for f in facts for p in topology.into(f.name) if p.axes)
    found += (
        [Entry("a colour a map, where a table says who reads whom", tuple(Stroke(tie_colour(i)) for i in range(3)))]
        if tables
        else []
    )
    bottom = entries(canvas, left, y, found, max(canvas.right, 720))
    rest = len(topology.populations) - len(columns)
    if rest:
        canvas.text(
            left, bottom + 2, [Line(f"Not drawn: {counted(rest, 'layer')}; --layer draws any of them.", SIZE, GREY)]
        )
    canvas.text(left, top - 62, [Line(subject.name, 22, INK, bold=True), Line(subject.about(), 13, GREY)], 640)
