"""The pipeline view: image → filter → map → pool → outputs, with values in every node and the filters between the maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurograph.errors import DrawingError
from neurograph.graph.address import node_id, write_node
from neurograph.graph.topology import Population, Topology
from neurograph.shapes import times

from .between import LEAST_WITH_NUMBERS, MAP_GAP, Station, draw_between
from .colours import DELTA, GREY, INK, PAPER, delta_on, ink_on, signed
from .cone import Reach, ancestors, descendants
from .field import FRAME
from .foot import WORDS
from .heat import draw_heat
from .legend import SIZE, Entry, colour_bar, entries
from .numbers import counted, short
from .scene import Canvas, Cell, Form, Line, Scene, Shape, lines_height, text_width
from .stations import slide_of
from .subject import Subject

MOST_MAPS = 3
MOST_LAYERS = 9
MOST_UNITS = 12
HEIGHT = 400.0
LARGEST = 44.0
LEAST_CELL = 7.0
"""Side of a node below which a map without values is only an outline."""
MOST_PIXELS = 128 * 128


def pipeline_scene(subject: Subject) -> Scene:
    """Draw the stations of a pass.

    Raises
    ------
    DrawingError
        For a network drawn neuron by neuron, which has no layers.
    """
    topology = subject.network
    if not isinstance(topology, Topology) or topology.is_hand_drawn:
        raise DrawingError(f"{subject.name}: drawn neuron by neuron, it has no pipeline of layers; use --view neurons.")
    order = list(topology.populations.values())[:MOST_LAYERS]
    stations = [_station(p, len(order)) for p in order]
    focus = _focus(subject, topology, order)
    canvas = Canvas()
    x = 0.0
    for number, station in enumerate(stations):
        if number:
            x = draw_between(canvas, subject, topology, station, x)
        x = _draw(canvas, subject, station, x, focus)
    _words(canvas, subject, topology, stations, bool(focus))
    return canvas.scene(subject.name, least_width=760)


def _station(population: Population, n_layers: int) -> Station:
    shape = population.shape
    if len(shape) < 2:
        n = shape[0] if shape else 1
        rows = min(n, MOST_UNITS)
        return Station(population, 1, rows, 1, min(LARGEST, HEIGHT / max(rows, 1)))
    rows, columns = (shape[1], shape[2]) if len(shape) == 3 else (1, shape[1])
    n_maps = min(shape[0], MOST_MAPS)
    room = (HEIGHT - MAP_GAP * (n_maps - 1)) / n_maps
    return Station(population, n_maps, rows, columns, min(LARGEST, room / rows, 1500 / n_layers / columns))


def _focus(subject: Subject, topology: Topology, order: list[Population]) -> dict[str, Reach]:
    """One neuron of the first map layer, what it sees and who sees it: framed in every station."""
    for population in order:
        if not population.is_input and len(population.shape) > 1 and slide_of(topology, population.name) is not None:
            at = _telling(subject, topology, population)
            own: Reach = tuple((i,) for i in at)
            near = {**ancestors(topology, population.name, own, 1), **descendants(topology, population.name, own, 1)}
            return {**near, population.name: own}
    return {}


def _telling(subject: Subject, topology: Topology, population: Population) -> tuple[int, ...]:
    """The most active neuron of a map whose window no border clips, or one in the middle."""
    shape = population.shape
    if not subject.has_values or subject.inspector is None:
        return (0, *(n // 2 for n in shape[1:]))
    values = np.abs(subject.inspector.trace.a[population.name][subject.inspector.sample][:MOST_MAPS])
    slide = slide_of(topology, population.name)
    assert slide is not None
    for axis, window in enumerate((slide.down, slide.across)[-(len(shape) - 1) :], start=1):
        margin = -(-max(0, window.before) // window.stride)
        if shape[axis] > 2 * margin:
            at = np.arange(shape[axis])
            outside = (at < margin) | (at >= shape[axis] - margin)
            values = np.where(np.expand_dims(outside, [i for i in range(len(shape)) if i != axis]), -1.0, values)
    return tuple(int(i) for i in np.unravel_index(int(values.argmax()), values.shape))


# -- stations ----------------------------------------------------------------------------------------------------------
def _draw(canvas: Canvas, subject: Subject, station: Station, left: float, focus: dict[str, Reach]) -> float:
    p = station.population
    head = _head(subject, station)
    width = max(station.width, *(text_width(line.words, line.size, line.bold) for line in head))
    x = left + (width - station.width) / 2
    total = station.n_maps * station.height + (station.n_maps - 1) * MAP_GAP
    y = -total / 2
    canvas.text(left, y - lines_height(head) - 14, head, width, "center")
    reach = focus.get(p.name)
    largest = _largest(subject, p)
    for number in range(station.n_maps):
        if (
            station.cell >= LEAST_WITH_NUMBERS
            or len(p.shape) < 2
            or (not subject.has_values and station.cell >= LEAST_CELL)
        ):
            _cells(canvas, subject, station, number, (x, y), largest)
        else:
            _picture(canvas, subject, station, number, (x, y), largest)
        if reach is not None and len(reach) == len(p.shape) > 1 and number in reach[0]:
            _frame(canvas, p.name, number, reach, (x, y), station.cell)
        y += station.height + MAP_GAP
    rest = (p.shape[0] if p.shape else 1) - (station.n_maps if len(p.shape) > 1 else station.rows)
    if rest > 0:
        canvas.text(left, y - MAP_GAP + 5, [Line(f"… {rest:,} more", 12, GREY)], width, "center")
    return left + width


def _head(subject: Subject, station: Station) -> list[Line]:
    name = station.population.name
    title = f"{name} · {subject.labels[name]}" if name in subject.labels else name
    return [Line(title, 16, INK, bold=True), Line(times(station.population.shape), 12.5, GREY)]


def _largest(subject: Subject, population: Population) -> float:
    if not subject.has_values or subject.inspector is None or subject.values == "difference":
        return (
            subject.largest(node_id(population.name, i) for i in np.ndindex(population.shape))
            if subject.has_values
            else 0.0
        )
    values = getattr(subject.inspector.trace, subject.values)
    here = values[population.name][subject.inspector.sample] if population.name in values else np.zeros(1)
    return float(np.abs(here).max(initial=0.0))


def _cells(
    canvas: Canvas, subject: Subject, station: Station, number: int, at: tuple[float, float], largest: float
) -> None:
    shape, size = station.population.shape, station.cell
    for row in range(station.rows):
        for column in range(station.columns):
            index = (
                (number, row, column)
                if len(shape) == 3
                else (number, column)
                if len(shape) == 2
                else (row,)
                if shape
                else ()
            )
            node = node_id(station.population.name, index)
            value = subject.main(node)
            fill = PAPER if value is None else signed(value, largest)
            x, y = at[0] + (column + 0.5) * size, at[1] + (row + 0.5) * size
            lines = _numbers(subject, node, value, fill, size - 2)
            form: Form = "box" if len(shape) > 1 else "circle"
            hint = subject.hint(node, write_node(node))
            canvas.add(Shape(node, x, y, size - 2, size - 2, (Cell(lines, size),), form, fill, "#8a93a3", 0.9, hint))


def _numbers(subject: Subject, node: Any, value: float | None, fill: str, size: float) -> tuple[Line, ...]:
    if value is None or size < LEAST_WITH_NUMBERS - 2:
        return ()
    words = short(value, 3)
    lines = [Line(words, min(14.0, size * 0.36, size * 0.86 / text_width(words, 1, True)), ink_on(fill), bold=True)]
    delta = subject.value(node, "delta") if subject.has_delta and subject.values in ("a", "z") else None
    if delta is not None and size > 32:
        below = f"δ {short(delta, 2)}"
        fit = min(10.5, size * 0.86 / text_width(below, 1))
        lines += [Line(below, fit, delta_on(fill))] if fit >= 6.5 else []
    return tuple(lines)


def _picture(
    canvas: Canvas, subject: Subject, station: Station, number: int, at: tuple[float, float], largest: float
) -> None:
    """A map too large for numbers: its values as colours."""
    p = station.population
    key = (p.name, number)
    wide, tall = station.width, station.height
    shown = subject.values if subject.values != "difference" else "a"
    values = getattr(subject.inspector.trace, shown) if subject.has_values and subject.inspector is not None else {}
    if subject.inspector is not None and p.name in values and station.rows * station.columns <= MOST_PIXELS:
        here = values[p.name][subject.inspector.sample][number].reshape(station.rows, station.columns)
        draw_heat(canvas, key, here, at[0], at[1], station.cell, largest, write_node(key))
    canvas.add(Shape(("outline", *key), at[0] + wide / 2, at[1] + tall / 2, wide, tall, (), "box", None, GREY, 0.8))


def _frame(canvas: Canvas, name: str, number: int, reach: Reach, at: tuple[float, float], cell: float) -> None:
    """Frame what the neuron sees, the neuron itself, or who sees it."""
    rows, columns = (reach[-2] if len(reach) == 3 else (0,)), reach[-1]
    left, right = at[0] + columns[0] * cell, at[0] + (columns[-1] + 1) * cell
    top, bottom = at[1] + rows[0] * cell, at[1] + (rows[-1] + 1) * cell
    middle = ((left + right) / 2, (top + bottom) / 2)
    canvas.add(Shape(("seen", name, number), *middle, right - left, bottom - top, (), "box", None, FRAME, 3.0))


def _words(canvas: Canvas, subject: Subject, topology: Topology, stations: list[Station], framed: bool) -> None:
    left, top = min(shape.left for shape in canvas.shapes), min(shape.top for shape in canvas.shapes)
    y = canvas.bottom + 26
    if subject.has_values:
        end = colour_bar(canvas, left, y, f"colour: {WORDS[subject.values]}, each layer on its own scale")
        if subject.has_delta and subject.values in ("a", "z") and any(s.cell > 34 for s in stations):
            canvas.text(end + 14, y - SIZE * 0.61, [Line("δ = ∂loss/∂z", SIZE, DELTA)])
        y += 22
    bottom = y
    if framed:
        bottom = entries(
            canvas, left, y, [Entry("framed: one neuron, what it sees, and who sees it", grounds=(FRAME,))], 1200
        )
    said = []
    if any(p.shape and p.shape[0] > s.n_maps for s in stations for p in [s.population] if len(p.shape) > 1):
        said.append(
            f"of every layer the first maps are drawn, at most {MOST_MAPS}, each filter for the first map that it reads"
        )
    rest = len(topology.populations) - len(stations)
    said += [f"{counted(rest, 'layer')} more not drawn"] if rest else []
    if said:
        canvas.text(left, bottom + 2, [Line("; ".join(said).capitalize() + ".", SIZE, GREY)])
    canvas.text(left, top - 62, [Line(subject.name, 22, INK, bold=True), Line(subject.about(), 13, GREY)], 640)
