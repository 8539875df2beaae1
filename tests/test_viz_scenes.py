"""What every picture must keep: nothing covers anything, text stays in its box, edges end at shapes, curves are whole."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neurograph.viz.colours import contrast, ink_on
from neurograph.viz.scene import Scene, Shape, lines_height, text_width
from neurograph.viz.subject import Subject
from neurograph.viz.svg import to_svg
from neurograph.viz.views import Wish, make_scene

import neurograph as ng
from neurograph.graph.address import write_node
from neurograph.viz import graphviz
from tests.strategies import Case, cases
from tests.test_inspector import inspect_case
from tests.viz_scenes import all_scenes, large_scenes, name_of, scene_of

every_scene = pytest.mark.parametrize(
    "arguments",
    [*all_scenes(), *(pytest.param(scene, marks=pytest.mark.slow) for scene in large_scenes())],
    ids=name_of,
)
SLACK = 2.5
BACKGROUNDS = ("sheet", "outline", "seen", "pixel", "dot")
"""Shapes that stand on or around others on purpose: the planes on a card, the frame of a receptive field."""


def words(shape: Shape) -> list[str]:
    return [line.words for cell in shape.cells for line in cell.lines if line.words.strip()]


def text_box(shape: Shape) -> tuple[float, float, float, float]:
    """Where a shape's text stands: left, top, right, bottom."""
    widths = [max((text_width(x.words, x.size, x.bold) for x in cell.lines), default=0.0) for cell in shape.cells]
    height = max(lines_height(cell.lines) for cell in shape.cells)
    width = sum(cell.width for cell in shape.cells) if len(shape.cells) > 1 else max(widths)
    start = {"left": shape.left, "center": shape.x - width / 2, "right": shape.right - width}
    left = start[shape.cells[0].align]
    return left, shape.y - height / 2, left + width, shape.y + height / 2


def seen(shape: Shape) -> tuple[float, float, float, float]:
    """What of a shape is seen: all of it, or of a piece of text only the letters."""
    if shape.form == "plain" and not shape.fill:
        return text_box(shape)
    return shape.left, shape.top, shape.right, shape.bottom


def is_background(shape: Shape) -> bool:
    return isinstance(shape.key, tuple) and shape.key[:1] and shape.key[0] in BACKGROUNDS


def clashes(scene: Scene) -> list[Any]:
    """Words of shapes that cover one another by more than the slack."""
    shapes = [s for s in scene.shapes if not is_background(s) and (words(s) or (s.fill and s.form != "plain"))]
    shapes = [s for s in shapes if not (isinstance(s.key, tuple) and s.key[:1] in (("bar",), ("zero",)))]
    boxes = np.array([seen(shape) for shape in shapes]).reshape(-1, 4)
    order = np.argsort(boxes[:, 0], kind="stable")
    lefts = boxes[order, 0]
    found = []
    for place, i in enumerate(order):  # from left to right; what begins behind the end of one cannot meet it
        behind = order[place + 1 : np.searchsorted(lefts, boxes[i, 2] - SLACK)]
        wide = np.minimum(boxes[i, 2], boxes[behind, 2]) - boxes[behind, 0]
        tall = np.minimum(boxes[i, 3], boxes[behind, 3]) - np.maximum(boxes[i, 1], boxes[behind, 1])
        found += [(words(shapes[i]), words(shapes[j])) for j in behind[(wide > SLACK) & (tall > SLACK)]]
    return found


def overflows(scene: Scene) -> list[Any]:
    """Words of shapes whose text leaves them."""
    found = []
    for shape in scene.shapes:
        if words(shape) and shape.form != "plain":
            left, top, right, bottom = text_box(shape)
            wide = left < shape.left - SLACK or right > shape.right + SLACK
            if wide or bottom - top > shape.height + SLACK:
                found.append(words(shape))
    return found


def unreadable(scene: Scene) -> list[Any]:
    """Lines that do not stand out from their ground, or are too small."""
    lines = [(line, shape.fill or "#ffffff") for shape in scene.shapes for cell in shape.cells for line in cell.lines]
    return [
        (line, ground)
        for line, ground in lines
        if line.words.strip() and (contrast(line.colour, ground) <= 2.6 or line.size < 4.5)
    ]


@every_scene
def test_no_shape_covers_another(arguments: Any) -> None:
    assert not clashes(scene_of(*arguments))


@every_scene
def test_text_stays_inside_its_shape(arguments: Any) -> None:
    assert not overflows(scene_of(*arguments))


@every_scene
def test_text_can_be_read_on_its_ground(arguments: Any) -> None:
    assert not unreadable(scene_of(*arguments))


@given(cases(), st.sampled_from(["a", "z", "delta"]))
@settings(max_examples=40)
def test_pictures_of_drawn_networks_are_as_tidy(case: Case, values: str) -> None:
    inspector = inspect_case(case)
    topology = ng.lay_out(case.spec)
    nodes = [write_node(node) for name in topology.populations for node in topology.nodes(name)]
    around = nodes[case.seed % len(nodes)]
    subject = Subject(topology, inspector, values=values)
    views = [("around", around), ("layers", None)]
    views += [("neurons", around), ("neurons", None)] if topology.n_edges <= 1000 else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphviz, "find", lambda: None)
        for view, lit in views:
            scene = make_scene(subject, Wish(view, lit))
            assert (clashes(scene), overflows(scene), unreadable(scene)) == ([], [], [])


@every_scene
def test_curves_are_whole_and_inside(arguments: Any) -> None:
    scene = scene_of(*arguments)
    keys = {shape.key for shape in scene.shapes}
    assert len(keys) == len(scene.shapes)
    for curve in scene.curves:
        assert (len(curve.path) - 1) % 3 == 0
        assert {curve.source, curve.target} <= keys
        assert all(0 <= x <= scene.width and 0 <= y <= scene.height for x, y in curve.path)
    for shape in scene.shapes:
        assert -1 <= shape.left <= shape.right <= scene.width + 1
        assert -1 <= shape.top <= shape.bottom <= scene.height + 1


@every_scene
def test_own_svg_is_well_formed_and_refers_to_nothing(arguments: Any) -> None:
    root = ET.fromstring(to_svg(scene_of(*arguments)).encode())
    assert {element.tag.split("}")[1] for element in root.iter()} <= {
        "svg",
        "title",
        "rect",
        "g",
        "path",
        "polygon",
        "circle",
        "text",
    }
    names = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in names if "href" in name or name.startswith("on")}


@pytest.mark.parametrize("arguments", [a for a in all_scenes() if a[1] != "layers"], ids=name_of)
def test_pictures_of_neurons_fit_a_projector(arguments: Any) -> None:
    """Scaled to 1280×720 the numbers of a neuron are still at least 6 pixels high, names and sums 9."""
    scene = scene_of(*arguments)
    scale = min(1280 / scene.width, 720 / scene.height)
    for shape in scene.shapes:
        for cell in shape.cells:
            for line in cell.lines:
                if line.words.strip():
                    assert line.size * scale >= (9 if line.bold and line.size > 14 else 5.5), (line, scale)


def test_ink_is_the_more_readable_of_two() -> None:
    for ground in ("#ffffff", "#d2522a", "#2a6fb5", "#f5ab86", "#7fb0dc"):
        assert contrast(ink_on(ground), ground) >= 4
