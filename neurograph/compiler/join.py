"""Boxes of one stencil that continue each other become one box. `pad` needs it after a border has adopted a template."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

from neurograph.compiler.fold import folding_order
from neurograph.compiler.plan import Axis, Nest, Position


@dataclass(frozen=True)
class Box:
    """A nest, and what it was before it adopted another stencil: a nest, a row of a table, or itself."""

    nest: Nest
    was: Nest | int


@dataclass(frozen=True)
class Line:
    """A box as a line along one axis: `count` neurons from `start`, and the shifts between them."""

    box: Box
    start: int
    count: int
    shift: tuple[Position, int] | None
    """Shift of sources and of weights from one neuron to the next; None where there is only one."""


def join_boxes(boxes: Iterable[Box]) -> list[Box]:
    """Join boxes along every axis until nothing joins; a joined box is what it is, and was nothing else."""
    found = list(boxes)
    while found:
        before = len(found)
        for along in folding_order(len(found[0].nest.target)):
            found = _join_along(found, along)
        if len(found) == before:
            break
    return found


def _join_along(boxes: list[Box], along: int) -> list[Box]:
    groups: dict[Hashable, list[Line]] = {}
    done = []
    for box in boxes:
        line = _line(box, along)
        if line is None:
            done.append(box)
        else:
            groups.setdefault(_cross_section(box.nest, along), []).append(line)
    for lines in groups.values():
        done += _joined(sorted(lines, key=lambda line: line.start), along)
    return done


def _line(box: Box, along: int) -> Line | None:
    """The box along one axis; None where it is not one plain line there."""
    own = [axis for axis in box.nest.axes if axis.along == along]
    start = box.nest.target[along]
    if not own:
        return Line(box, start, 1, None)
    if len(own) > 1 or own[0].step != 1:
        return None
    return Line(box, start, own[0].count, (own[0].source, own[0].weight))


def _cross_section(nest: Nest, along: int) -> Hashable:
    others = tuple(axis for axis in nest.axes if axis.along != along)
    return nest.taps, others, nest.target[:along], nest.target[along + 1 :]


def _joined(lines: list[Line], along: int) -> list[Box]:
    found = [lines[0]]
    for line in lines[1:]:
        longer = _continued(found[-1], line, along)
        if longer is None:
            found.append(line)
        else:
            found[-1] = longer
    return [line.box for line in found]


def _continued(line: Line, following: Line, along: int) -> Line | None:
    """Both lines as one, if the second begins where the first ends, with the shifts of both."""
    shift = _shift_between(line, following)
    if following.start != line.start + line.count or {line.shift or shift, following.shift or shift} != {shift}:
        return None
    count = line.count + following.count
    axis = Axis(along, count, 1, *shift)
    nest = line.box.nest
    order = folding_order(len(nest.target))
    axes = sorted([axis, *(a for a in nest.axes if a.along != along)], key=lambda a: order.index(a.along))
    made = replace(nest, axes=tuple(axes))
    return Line(Box(made, made), line.start, count, shift)


def _shift_between(line: Line, following: Line) -> tuple[Position, int]:
    """Shift of sources and weights from the last neuron of one line to the first of the next."""
    first, second = line.box.nest, following.box.nest
    sources, weights = line.shift or ((0,) * len(first.source), 0)
    walked = line.count - 1
    source = tuple(b - a - walked * s for a, b, s in zip(first.source, second.source, sources, strict=True))
    return source, (second.weight or 0) - (first.weight or 0) - walked * weights
