"""The windows view: how windows slide over a map: stride, dilation, padding as grey cells, and what nobody reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from neurograph.graph.topology import Topology
from neurograph.ops.wiring import Window
from neurograph.shapes import times

from .colours import FAINT, GREY, INK, PADDED, PAPER, ink_on, mix, signed, tie_colour
from .describe import operation
from .legend import SIZE, Entry, colour_bar, entries
from .numbers import short
from .rims import after, declared
from .scene import Canvas, Cell, Line, Scene, Shape, text_width
from .stations import Slide, choose_layer, slide_of
from .subject import Subject

HEIGHT = 430.0
MOST = 20
"""Rows and columns of the padded map that are drawn."""
UNREAD = "#f1f2f4"


@dataclass(frozen=True)
class Strip:
    """One axis of the picture: which source positions and which windows are drawn."""

    axis: Window
    positions: range
    windows: range

    @classmethod
    def of(cls, axis: Window) -> Strip:
        low, high = -max(0, axis.before), axis.n_sources + max(0, after(axis))
        positions = range(low, min(high, low + MOST))
        reach = axis.dilation * (axis.kernel - 1)
        fitting = (positions[-1] - reach + axis.before) // axis.stride + 1
        return cls(axis, positions, range(max(1, min(axis.n_targets, fitting))))

    def taps(self, window: int) -> list[int]:
        start = self.axis.stride * window - self.axis.before
        return [start + self.axis.dilation * i for i in range(self.axis.kernel)]

    def is_read(self, position: int) -> bool:
        return any(position in self.taps(window) for window in range(self.axis.n_targets))


def sliding_scene(subject: Subject, layer: str | None = None) -> Scene:
    """Draw one map that a layer reads, four of its windows, and the neurons that look through them.

    Raises
    ------
    DrawingError
        If the layer has no windows.
    """
    name = choose_layer(subject, layer, lambda t, n: slide_of(t, n) is not None, "windows", "a layer with windows")
    topology = subject.network
    assert isinstance(topology, Topology)
    slide = slide_of(topology, name)
    assert slide is not None
    down, across = Strip.of(slide.down), Strip.of(slide.across)
    cell = min(44.0, HEIGHT / len(down.positions), 560 / len(across.positions))
    canvas = Canvas()
    chosen = list(_chosen(down, across))
    _sources(canvas, subject, slide, down, across, cell)
    left = len(across.positions) * cell + 90
    top = (len(down.positions) - len(down.windows)) * cell / 2
    for number, (v, u) in enumerate(chosen):
        _frame(canvas, down, across, (v, u), number, cell)
    _targets(canvas, subject, name, slide, down, across, chosen, (left, top), cell)
    _words(canvas, subject, name, slide, down, across, left)
    return canvas.scene(f"{subject.name} {name}", least_width=760)


def _chosen(down: Strip, across: Strip) -> Iterator[tuple[int, int]]:
    """The first window, the next to the right, the next below, and the last."""
    rows, columns = down.windows, across.windows
    corners = [(0, 0), (0, min(1, len(columns) - 1)), (min(1, len(rows) - 1), 0), (rows[-1], columns[-1])]
    yield from dict.fromkeys(corners)


def _sources(canvas: Canvas, subject: Subject, slide: Slide, down: Strip, across: Strip, cell: float) -> None:
    constant = _constant(subject, slide)
    channel = slide.projection.axes[0].into(0).source.tolist() if len(slide.projection.axes) > 1 else [0]
    source, c = slide.projection.source, int(channel[0]) if channel else 0
    values = _map(subject, source, c)
    largest = max((abs(v) for row in values for v in row), default=0.0)
    for row in down.positions:
        for column in across.positions:
            inside = 0 <= row < slide.down.n_sources and 0 <= column < slide.across.n_sources
            value = values[row][column] if inside and values else None if inside else constant
            read = down.is_read(row) and across.is_read(column)
            fill = PADDED if not inside else UNREAD if not read else PAPER if value is None else signed(value, largest)
            words = "" if value is None or cell < 21 else short(value, 2)
            ink = ink_on(fill) if inside and read else GREY
            lines = [Line(words, min(13.0, cell * 0.36, cell * 0.85 / text_width(words, 1)), ink)] if words else []
            x = (column - across.positions[0] + 0.5) * cell
            y = (row - down.positions[0] + 0.5) * cell
            hint = f"{source}[{c},{row},{column}]" if inside else "padding"
            canvas.add(
                Shape(
                    ("source", row, column),
                    x,
                    y,
                    cell - 2,
                    cell - 2,
                    (Cell(tuple(lines), cell),),
                    "box",
                    fill,
                    FAINT,
                    0.8,
                    hint,
                )
            )


def _map(subject: Subject, source: str, channel: int) -> list[list[float]]:
    """The values of the map that is drawn; none without a pass."""
    if not subject.has_values or subject.inspector is None:
        return []
    values = subject.inspector.trace.a[source][subject.inspector.sample][channel]
    return [[float(v) for v in row] for row in values.reshape(-1, values.shape[-1])]


def _constant(subject: Subject, slide: Slide) -> float | None:
    if slide.projection.weight is None:
        return None
    if slide.projection.padding is not None and isinstance(subject.network, Topology):
        return declared(subject.network, slide.projection.padding.parameter)
    return 0.0


def _frame(canvas: Canvas, down: Strip, across: Strip, at: tuple[int, int], number: int, cell: float) -> None:
    """A window's outline, a little smaller for each, so that none hides another."""
    rows, columns = down.taps(at[0]), across.taps(at[1])
    inset = 2.0 + 2.4 * number
    left, right = (
        (columns[0] - across.positions[0]) * cell + inset,
        (columns[-1] - across.positions[0] + 1) * cell - inset,
    )
    top, bottom = (rows[0] - down.positions[0]) * cell + inset, (rows[-1] - down.positions[0] + 1) * cell - inset
    key = ("seen", number)
    canvas.add(
        Shape(
            key,
            (left + right) / 2,
            (top + bottom) / 2,
            right - left,
            bottom - top,
            (),
            "box",
            None,
            tie_colour(number),
            2.4,
        )
    )


def _targets(
    canvas: Canvas, subject: Subject, name: str, slide: Slide, down: Strip, across: Strip,
    chosen: Sequence[tuple[int, int]], at: tuple[float, float], cell: float,
) -> None:  # fmt: skip
    values = _map(subject, name, 0)
    for v in down.windows:
        for u in across.windows:
            x, y = at[0] + (u + 0.5) * cell, at[1] + (v + 0.5) * cell
            words = short(values[v][u], 2) if values and cell >= 21 else ""
            size = min(13.0, cell * 0.36, cell * 0.85 / max(text_width(words, 1), 0.1))
            cells = (Cell((Line(words, size, INK),) if words else (), cell),)
            number = chosen.index((v, u)) if (v, u) in chosen else None
            fill = PAPER if number is None else mix(tie_colour(number), PAPER, 0.72)
            border, thickness = (GREY, 0.9) if number is None else (tie_colour(number), 3.0)
            canvas.add(Shape(("target", v, u), x, y, cell - 4, cell - 4, cells, "box", fill, border, thickness))


def _words(canvas: Canvas, subject: Subject, name: str, slide: Slide, down: Strip, across: Strip, left: float) -> None:
    topology = subject.network
    assert isinstance(topology, Topology)
    source = topology.populations[slide.projection.source]
    target = topology.populations[name]
    top = min(shape.top for shape in canvas.shapes)
    first = min(shape.top for shape in canvas.shapes if isinstance(shape.key, tuple) and shape.key[0] == "target")
    canvas.text(0, top - 26, [Line(f"{source.name} {times(source.shape)}", 15, INK, bold=True)])
    canvas.text(left, min(first, canvas.bottom) - 26, [Line(f"{name} {times(target.shape)}", 15, INK, bold=True)])
    y = canvas.bottom + 18
    axes = (slide.across,) if slide.down.kernel == slide.down.n_sources == 1 else (slide.down, slide.across)
    words = ("columns",) if len(axes) == 1 else ("rows", "columns")
    sums = dict.fromkeys(_size(axis) for axis in axes)
    named = [f"{word}: {_size(axis)}" for word, axis in zip(words, axes, strict=True)]
    lines = [Line(f"rows and columns: {next(iter(sums))}", 15, INK)] if len(sums) == 1 and len(axes) == 2 else [
        Line(line, 15, INK) for line in named
    ]  # fmt: skip
    y = canvas.text(0, y, lines).bottom + 22
    if subject.has_values:
        colour_bar(canvas, 0, y, "colour: activation a")
        y += 22
    bottom = entries(canvas, 0, y, _entries(slide, axes), max(canvas.right, 720))
    said = _left_out(down, across, source.shape, target.shape)
    if said:
        canvas.text(0, bottom + 2, [Line(said, SIZE, GREY)])
    head = [
        Line(f"{subject.name} · {name}: {operation(topology, target)}", 22, INK, bold=True),
        Line(subject.about(), 13, GREY),
    ]
    canvas.text(0, top - 92, head, 640)


def _size(axis: Window) -> str:
    """The arithmetic of a layer's size."""
    total = max(0, axis.before) + max(0, after(axis))
    before, extra = max(0, axis.before), total - max(0, axis.before)
    padded = f" + {before} + {extra}" if total else ""
    window = str(axis.kernel) if axis.dilation == 1 else f"({axis.dilation}·({axis.kernel} − 1) + 1)"
    unread = -after(axis) if after(axis) < 0 else 0
    inside = f"({axis.n_sources}{padded} − {window}{f' − {unread} unread' if unread else ''})"
    return f"{inside} / {axis.stride} + 1 = {axis.n_targets}"


def _entries(slide: Slide, axes: Sequence[Window]) -> list[Entry]:
    found = [Entry("a window, and the neuron that looks through it", grounds=(tie_colour(0), tie_colour(1)))]
    if any(axis.before > 0 or after(axis) > 0 for axis in axes):
        constant = "" if slide.projection.weight is not None else ", passed over"
        found.append(Entry(f"padding{constant}", grounds=(PADDED,)))
    if any(not Strip.of(axis).is_read(i) for axis in axes for i in Strip.of(axis).positions):
        found.append(Entry("read by no window", grounds=(UNREAD,)))
    return found


def _left_out(down: Strip, across: Strip, source: tuple[int, ...], target: tuple[int, ...]) -> str:
    parts = []
    if (len(down.windows), len(across.windows)) != (down.axis.n_targets, across.axis.n_targets):
        parts.append(f"the first {len(down.windows)} × {len(across.windows)} windows")
    if len(source) > 1 and (source[0], target[0]) != (1, 1):
        parts.append(f"one map of {source[0]}, and one of {target[0]}")
    return f"Drawn: {'; '.join(parts)}." if parts else ""
