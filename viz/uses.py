"""A filter and everybody who uses it: one small copy of the source map a neuron, its window in the colours of the weights."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from neurograph.graph.address import Node, node_id, write_node
from neurograph.graph.neighbourhood import Wire, fan_in
from neurograph.graph.topology import Population, Topology
from neurograph.parameters import Reference

from .colours import DELTA, FAINT, GREY, INK, PAPER, mix, tie_colour
from .filters import draw_filters, filters_of
from .legend import SIZE, Entry, Stroke, entries
from .numbers import counted, short
from .scene import Canvas, Line, Scene, Shape, text_width
from .subject import Subject
from .toeplitz import numbered

MOST_NEURONS = 49
MOST_ROWS = 12
"""Rows and columns of a source map that is drawn once a neuron."""
HEIGHT = 480.0
WORDS = 30.0
"""Room under each copy for the neuron's name and numbers."""
GAP = 16.0


def suits_uses(topology: Topology, parameter: str, layers: tuple[str, ...]) -> bool:
    """Whether a filter has so few neurons, on so small a map, that each can have a copy of it."""
    if len(layers) != 1 or len(topology.populations[layers[0]].shape) != 3:
        return False
    sources = [p.source for p in topology.into(layers[0]) if p.weight == parameter]
    if len(sources) != 1 or len(topology.populations[sources[0]].shape) != 3:
        return False
    channels, *extents = topology.populations[sources[0]].shape
    _, rows, columns = topology.populations[layers[0]].shape
    return channels == 1 and max(extents) <= MOST_ROWS and rows * columns <= MOST_NEURONS


def uses_scene(subject: Subject, parameter: str, row: int, layer: str) -> Scene:
    """Draw the uses of one filter.

    Parameters
    ----------
    subject : Subject
        A topology that `suits_uses`.
    parameter : str
    row : int
        The group: a row of the parameter.
    layer : str
        Whose neurons use it.
    """
    topology = subject.network
    assert isinstance(topology, Topology)
    target = topology.populations[layer]
    nodes = [node_id(layer, (row, *index)) for index in itertools.product(*map(range, target.shape[1:]))]
    wires = {node: fan_in(topology, node) for node in nodes}
    source = topology.populations[next(p.source for p in topology.into(layer))]
    ties = numbered(wire.param for found in wires.values() for wire in found)
    canvas = Canvas()
    filters = filters_of(subject, ties)
    right = draw_filters(canvas, subject, filters, ties, 0, 0)
    cell = min(
        15.0, (HEIGHT / target.shape[1] - WORDS - GAP) / source.shape[1], 800 / target.shape[2] / source.shape[2]
    )
    pitch = (max(source.shape[2] * cell + GAP, 74.0), source.shape[1] * cell + WORDS + GAP)
    for number, node in enumerate(nodes):
        at = right + 30 + number % target.shape[2] * pitch[0], number // target.shape[2] * pitch[1]
        _copy(canvas, subject, node, wires[node], source, ties, at, cell)
    _words(canvas, subject, f"{parameter}[{row}]", len(nodes), ties)
    return canvas.scene(f"{subject.name} {parameter}[{row}]", least_width=760)


def _copy(
    canvas: Canvas, subject: Subject, node: Node, wires: list[Wire], source: Population, ties: Mapping[Reference, int],
    at: tuple[float, float], cell: float,
) -> None:  # fmt: skip
    """The source map as one neuron sees it."""
    seen = {wire.from_place[1]: wire for wire in wires}
    channels, rows, columns = source.shape
    for index in itertools.product(range(channels), range(rows), range(columns)):
        x, y = at[0] + (index[2] + 0.5) * cell, at[1] + (index[1] + 0.5) * cell
        a = subject.value(node_id(source.name, index), "a") if subject.has_values else None
        wire = seen.get(index)
        fill = PAPER if wire is None or wire.param is None else mix(tie_colour(ties[wire.param]), PAPER, 0.25)
        key = ("use", node, *index)
        canvas.add(Shape(key, x, y, cell - 1, cell - 1, (), "box", fill, FAINT, 0.5, _hint(node, index, wire)))
        if a:  # where the source is active, a dot
            dot = cell * 0.36
            canvas.add(Shape(("seen", *key), x, y, dot, dot, (), "circle", INK if wire is not None else GREY, None, 0))
    lines = [Line(write_node(node), 10.5, INK, bold=True)]
    z, delta = subject.value(node, "z"), subject.value(node, "delta")
    if subject.has_values and z is not None:
        words = f"z {short(z, 3)}" + (f"  δ {short(delta, 2)}" if subject.has_delta else "")
        lines.append(
            Line(words, min(10.0, (columns * cell + GAP - 4) / text_width(words, 1)), DELTA if delta else GREY)
        )
    canvas.text(at[0] - 1, at[1] + rows * cell + 2, lines)


def _hint(node: Node, index: tuple[int, ...], wire: Wire | None) -> str:
    return write_node(node) if wire is None else f"{write_node(wire.source)} → {write_node(node)}"


def _words(canvas: Canvas, subject: Subject, written: str, n: int, ties: Mapping[Reference, int]) -> None:
    left, top = min(shape.left for shape in canvas.shapes), min(shape.top for shape in canvas.shapes)
    y = canvas.bottom + 24
    given = [Entry("one colour = one weight, in every copy", tuple(Stroke(tie_colour(i), 2) for i in range(3)))]
    given.append(Entry("a copy: the source map as one neuron sees it"))
    given += [Entry("a dot: the source is not 0", grounds=(INK,))] if subject.has_values else []
    bottom = entries(canvas, left, y, given, max(canvas.right, 720))
    if subject.has_delta:
        said = (
            "Each neuron asks δ·a of each of its weights; what all of them ask together is the gradient in the filter."
        )
        canvas.text(left, bottom + 2, [Line(said, SIZE, GREY)])
    about = f"{counted(n, 'neuron')}, {counted(len(ties), 'weight')}, each used by as many neurons as have its colour"
    title = f"{subject.name} · {written}: one filter, {counted(n, 'neuron')}"
    canvas.text(left, top - 62, [Line(title, 22, INK, bold=True), Line(about, 13, GREY)], 640)
