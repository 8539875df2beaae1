"""What happens between two stations of the pipeline: the filters of a layer, or an arrow with what it computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurograph.graph.topology import Population, Topology

from .colours import FAINT, INK, ink_on, signed, tie_colour
from .describe import activation, operation
from .numbers import alike
from .scene import Canvas, Cell, Curve, Line, Shape, lines_height, text_width
from .stations import slide_of
from .subject import Subject

LEAST_WITH_NUMBERS = 21.0
"""Side of a node from which on it holds a number."""
GAP = 40.0
MAP_GAP = 30.0


@dataclass(frozen=True)
class Station:
    """A layer in the pipeline: what is drawn of it, and how large."""

    population: Population
    n_maps: int
    rows: int
    columns: int
    cell: float

    @property
    def width(self) -> float:
        return self.columns * self.cell

    @property
    def height(self) -> float:
        return self.rows * self.cell


def draw_between(canvas: Canvas, subject: Subject, topology: Topology, station: Station, left: float) -> float:
    """The filters of a layer, if it has some, or an arrow with what it computes."""
    p = station.population
    words = [Line(part, 12.5, INK) for part in operation(topology, p).split(", ")]
    words += [Line(activation(p.activation), 12.5, INK)] if activation(p.activation) else []
    width = max(text_width(line.words, line.size) for line in words) + 8
    kernels = _kernels(subject, topology, station)
    width = max(width, *(k.shape[1] * _kernel_cell(k, station) for _, k in kernels)) if kernels else max(width, 46.0)
    left += GAP / 2
    middle = left + width / 2
    if kernels:
        top = -(len(kernels) * station.height + (len(kernels) - 1) * MAP_GAP) / 2
        for number, (title, kernel) in enumerate(kernels):
            centre = top + station.height / 2 + number * (station.height + MAP_GAP)
            _kernel(canvas, p.name, number, title, kernel, (middle, centre), _kernel_cell(kernel, station))
        bottom = max(s.bottom for s in canvas.shapes if isinstance(s.key, tuple) and s.key[:2] == ("kernel", p.name))
        canvas.text(left, bottom + 8, words, width, "center")
    else:
        canvas.text(left, -lines_height(words) - 10, words, width, "center")
        ends = [Shape(("end", p.name, i), left + i * width, 0, 0.1, 0.1, (), "plain") for i in (0, 1)]
        canvas.add(*ends)
        third = width / 3
        path = ((left, 0.0), (left + third, 0.0), (left + 2 * third, 0.0), (left + width, 0.0))
        canvas.curves.append(Curve(ends[0].key, ends[1].key, path, INK, 1.8, arrow=True))
    return left + width + GAP / 2


def _kernel_cell(kernel: Any, station: Station) -> float:
    rows, columns = (int(extent) for extent in kernel.shape)
    return min(30.0, 110.0 / columns, station.height / rows)


def _kernels(subject: Subject, topology: Topology, station: Station) -> list[tuple[str, Any]]:
    """For every map drawn the kernel of the first map that it reads."""
    p = station.population
    slide = slide_of(topology, p.name)
    weights = slide.projection.weight if slide is not None else None
    if (
        slide is None
        or weights is None
        or weights not in subject.numbers
        or slide.down.target_weight
        or slide.across.target_weight
    ):
        return []
    found = []
    flat = np.asarray(subject.numbers[weights]).reshape(-1)
    for number in range(station.n_maps):
        links = slide.projection.axes[0].into(number)
        if not len(links):
            continue
        start = slide.projection.weight_offset + int(links.weight[0])
        if not (slide.down.tap_weight or slide.across.tap_weight):
            continue
        rows = np.arange(slide.down.kernel)[:, None] * slide.down.tap_weight
        columns = np.arange(slide.across.kernel)[None, :] * slide.across.tap_weight
        title = f"{weights}[{number},{int(links.source[0])}]" if flat.size > rows.size * columns.size else weights
        found.append((title, flat[start + rows + columns]))
    return found


def _kernel(
    canvas: Canvas, name: str, number: int, title: str, kernel: Any, at: tuple[float, float], cell: float
) -> None:
    largest = float(np.abs(kernel).max(initial=0.0))
    left, top = at[0] - kernel.shape[1] * cell / 2, at[1] - kernel.shape[0] * cell / 2
    with_numbers = cell >= LEAST_WITH_NUMBERS
    size = min(12.0, cell * 0.86 / max(text_width(alike(float(v), largest), 1, True) for v in kernel.flat))
    for (row, column), value in np.ndenumerate(kernel):
        fill = signed(float(value), largest)
        words = alike(float(value), largest) if with_numbers else ""
        lines = (Line(words, size, ink_on(fill), bold=True),) if words else ()
        tie = int(row * kernel.shape[1] + column)
        border, thickness = (tie_colour(tie), 2.0) if with_numbers and kernel.size <= 9 else (FAINT, 0.5)
        x, y = left + (column + 0.5) * cell, top + (row + 0.5) * cell
        canvas.add(
            Shape(
                ("kernel", name, number, row, column),
                x,
                y,
                cell - 2,
                cell - 2,
                (Cell(lines, cell),),
                "box",
                fill,
                border,
                thickness,
            )
        )
    if with_numbers:
        canvas.text(at[0] - 60, top - 19, [Line(title, 12, INK, bold=True)], 120, "center")
