"""Weights written on the edges of tiny networks, where no two of them meet."""

from __future__ import annotations

from collections.abc import Iterator

from neurograph.graph.address import write_reference
from neurograph.graph.neuron_graph import NeuronGraph

from .colours import INK, PAPER
from .numbers import short
from .scene import Canvas, Cell, Curve, Line, Point, Shape, text_width
from .subject import Subject

MOST_EDGES = 24
SIZE = 12.5
PLACES = (0.3, 0.7, 0.4, 0.6, 0.22, 0.5, 0.78, 0.35, 0.65, 0.25, 0.45, 0.55, 0.16, 0.84)
"""Where along an edge its label may stand, best first."""


def label_edges(canvas: Canvas, subject: Subject, graph: NeuronGraph) -> None:
    """Write name and value of its weight on every edge, if there are few."""
    if graph.number_of_edges() > MOST_EDGES:
        return
    taken = list(canvas.shapes)
    for number, curve in enumerate(list(canvas.curves)):
        words = _words(subject, graph, curve)
        if words:
            label = _free(curve, words, taken, number)
            if label is not None:
                taken.append(label)
                canvas.add(label)


def _words(subject: Subject, graph: NeuronGraph, curve: Curve) -> str:
    reference = graph.edges[curve.source, curve.target].get("param")
    if reference is None:
        return ""
    value = subject.weight(reference)
    shape = subject.network.parameters[reference[0]].shape
    if shape == ():
        name = write_reference(reference, shape)
        return name if value is None else f"{name} = {short(value)}"
    return "" if value is None else short(value)


def _free(curve: Curve, words: str, taken: list[Shape], number: int) -> Shape | None:
    """A label where nothing stands yet; None where there is no such place, and hovering has to tell."""
    width, height = text_width(words, SIZE) + 8, SIZE * 1.35
    candidates = [_label(words, point, width, height, number) for point in _along(curve)]
    return next((label for label in candidates if not any(_meet(label, shape) for shape in taken)), None)


def _along(curve: Curve) -> Iterator[Point]:
    """Points of a curve at the shares of its way in `PLACES`."""
    pieces = (len(curve.path) - 1) // 3
    for share in PLACES if pieces == 1 else sorted(PLACES, key=lambda share: abs(share - 0.5)):
        piece = min(int(share * pieces), pieces - 1)
        yield _bezier(curve.path[3 * piece : 3 * piece + 4], share * pieces - piece)


def _bezier(p: tuple[Point, ...], t: float) -> Point:
    s = 1 - t
    weights = (s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t)
    return sum(w * x for w, (x, _) in zip(weights, p, strict=True)), sum(
        w * y for w, (_, y) in zip(weights, p, strict=True)
    )


def _label(words: str, at: Point, width: float, height: float, number: int) -> Shape:
    return Shape(("label", number), *at, width, height, (Cell((Line(words, SIZE, INK),), width),), "plain", PAPER)


def _meet(one: Shape, other: Shape) -> bool:
    return (
        abs(one.x - other.x) * 2 < one.width + other.width + 4
        and abs(one.y - other.y) * 2 < one.height + other.height + 4
    )
