"""The input as a small picture, with the part that one neuron sees framed."""

from __future__ import annotations

from collections.abc import Iterator

from neurograph.graph.address import Node
from neurograph.graph.receptive import Box, receptive_field
from neurograph.graph.topology import Topology
from neurograph.shapes import times

from .colours import FAINT, GREY, INK, signed
from .scene import Canvas, Line, Shape
from .subject import Subject

SIDE = 150.0
MOST_PIXELS = 2_000
GAP = 44.0
FRAME = "#0b7d5c"


def draw_field(canvas: Canvas, subject: Subject, node: Node, middle: float) -> float:
    """Draw the inputs a neuron sees from x = 0, centred on `middle`; returns where the next thing may begin."""
    if not isinstance(subject.network, Topology):
        return 0.0
    boxes = {
        name: box
        for name, box in receptive_field(subject.network, node).items()
        if _is_image(subject.network, name, node)
    }
    if not boxes:
        return 0.0
    total = len(boxes) * (SIDE + 62) - 12
    y = middle - total / 2 + 20
    for name, box in boxes.items():
        _picture(canvas, subject, name, box, y)
        y += SIDE + 62
    return SIDE + GAP


def _is_image(topology: Topology, name: str, node: Node) -> bool:
    """Whether an input has rows and columns worth a picture, and the neuron is not one of them."""
    return (
        len(topology.populations[name].shape) == 3
        and node != name
        and not (isinstance(node, tuple) and node[0] == name)
    )


def _picture(canvas: Canvas, subject: Subject, name: str, box: Box, top: float) -> None:
    assert isinstance(subject.network, Topology)
    channels, rows, columns = subject.network.populations[name].shape
    step = SIDE / max(rows, columns)
    width, height = columns * step, rows * step
    left = (SIDE - width) / 2
    canvas.text(
        left - 20,
        top - 22,
        [Line(f"{name} {times((channels, rows, columns))}", 13, INK, bold=True)],
        width + 40,
        "center",
    )
    canvas.add(*_pixels(subject, name, rows, columns, left, top, step))
    canvas.add(Shape(("outline", name), left + width / 2, top + height / 2, width, height, (), "box", None, GREY, 0.8))
    (y0, y1), (x0, x1) = box[1], box[2]
    wide, tall = (x1 - x0 + 1) * step, (y1 - y0 + 1) * step
    canvas.add(
        Shape(
            ("seen", name),
            left + x0 * step + wide / 2,
            top + y0 * step + tall / 2,
            wide,
            tall,
            (),
            "box",
            None,
            FRAME,
            2.6,
        )
    )
    words = f"sees rows {y0}…{y1}, columns {x0}…{x1}" if (wide, tall) != (width, height) else "sees all of it"
    canvas.text(-20, top + height + 6, [Line(words, 12, FRAME)], SIDE + 40, "center")


def _pixels(
    subject: Subject, name: str, rows: int, columns: int, left: float, top: float, step: float
) -> Iterator[Shape]:
    """The first channel of the sample, if it is small enough to draw pixel by pixel."""
    if not subject.has_values or subject.inspector is None or rows * columns > MOST_PIXELS:
        return
    image = subject.inspector.trace.a[name][subject.inspector.sample, 0]
    largest = float(abs(image).max())
    for row in range(rows):
        for column in range(columns):
            fill = signed(float(image[row, column]), largest)
            x, y = left + (column + 0.5) * step, top + (row + 0.5) * step
            yield Shape(
                ("pixel", name, row, column),
                x,
                y,
                step + 0.3,
                step + 0.3,
                (),
                "box",
                fill,
                FAINT if step > 8 else None,
                0.4,
            )
