"""A scene as a DOT graph whose every place is ours: `dot` and `neato -n2` only draw it.

Ids are n0, n1, …; text goes through `escape`; there are no URLs, references or images.
"""

from __future__ import annotations

from typing import Any

from .escape import escape
from .scene import LEADING, Cell, Curve, Line, Point, Scene, Shape

FONT = "Arial,Helvetica,sans-serif"
_FORMS = {"box": "box", "rounded": "box", "circle": "circle", "plain": "plaintext"}
ARROW = 7.0
"""Length of an arrowhead in points."""


def to_dot(scene: Scene) -> str:
    """Write a scene in the DOT language."""
    import pydot

    graph = pydot.Dot(
        "network",
        graph_type="digraph",
        comment=_quoted(scene.title),
        layout='"nop2"',
        outputorder="edgesfirst",
        bgcolor='"white"',
        margin="0",
        pad="0",
        splines='"true"',
    )
    graph.set_node_defaults(fontname=f'"{FONT}"', fixedsize="true", fontsize="12")
    graph.set_edge_defaults(arrowhead="none", arrowsize="0.7")
    names = {shape.key: f"n{number}" for number, shape in enumerate(scene.shapes)}
    for shape in scene.shapes:
        graph.add_node(pydot.Node(names[shape.key], **_node(shape, scene)))
    for number, (x, y) in enumerate([(0.0, 0.0), (scene.width, scene.height)]):
        corner: dict[str, Any] = {
            "pos": _place((x, y), scene),
            "width": "0",
            "height": "0",
            "style": "invis",
            "label": '""',
        }
        graph.add_node(pydot.Node(f"corner{number}", **corner))
    for curve in scene.curves:
        graph.add_edge(pydot.Edge(names[curve.source], names[curve.target], **_edge(curve, scene)))
    return str(graph.to_string())


def _node(shape: Shape, scene: Scene) -> dict[str, Any]:
    style = [word for word, holds in (("filled", shape.fill), ("rounded", shape.form == "rounded")) if holds]
    attributes: dict[str, Any] = {
        "shape": _FORMS[shape.form],
        "pos": _place((shape.x, shape.y), scene),
        "width": f"{shape.width / 72:.4f}",
        "height": f"{shape.height / 72:.4f}",
        "label": _label(shape),
    }
    if shape.fill:
        attributes["fillcolor"] = f'"{shape.fill}"'
    if shape.form != "plain":
        attributes["color"] = f'"{shape.border}"' if shape.border else '"transparent"'
        attributes["penwidth"] = f"{shape.thickness if shape.border else 0:g}"
    if style:
        attributes["style"] = f'"{",".join(style)}"'
    if shape.hint:
        attributes["tooltip"] = _quoted(shape.hint)
    return attributes


def _label(shape: Shape) -> str:
    """The text of a shape as an HTML-like label."""
    if not any(cell.lines for cell in shape.cells):
        return '""'
    if len(shape.cells) == 1:
        return f"<{_column(shape.cells[0], shape.cells[0].align == 'center')}>"
    columns = "".join(f"<TD>{_column(cell)}</TD>" for cell in shape.cells)
    return f"<{_TABLE}<TR>{columns}</TR></TABLE>>"


_TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'


def _column(cell: Cell, free: bool = False) -> str:
    """A column of lines; a `free` one takes the width of its text."""
    align = "" if free else f' ALIGN="{cell.align.upper()}" WIDTH="{cell.width:.0f}"'
    rows = "".join(f'<TR><TD{align} HEIGHT="{line.size * LEADING:.0f}">{_font(line)}</TD></TR>' for line in cell.lines)
    empty = f'<TR><TD WIDTH="{cell.width:.0f}"></TD></TR>'
    return f"{_TABLE}{rows or empty}</TABLE>"


def _font(line: Line) -> str:
    words = escape(line.words, dot=True)
    if not words:
        return ""
    inner = f"<B>{words}</B>" if line.bold else words
    return f'<FONT POINT-SIZE="{line.size:g}" COLOR="{line.colour}">{inner}</FONT>'


def _edge(curve: Curve, scene: Scene) -> dict[str, Any]:
    attributes = {"color": f'"{curve.colour}"', "penwidth": f"{curve.thickness:g}", "pos": _path(curve, scene)}
    if curve.dashed:
        attributes["style"] = '"dashed"'
    if curve.arrow:
        attributes["arrowhead"] = "normal"
    if curve.hint:
        attributes["tooltip"] = _quoted(curve.hint)
    return attributes


def _path(curve: Curve, scene: Scene) -> str:
    points = list(curve.path)
    tip = ""
    if curve.arrow:
        end, points[-1] = points[-1], shortened(points[-2], points[-1], ARROW)
        tip = f"e,{_xy(end, scene)} "
    return f'"{tip}{" ".join(_xy(point, scene) for point in points)}"'


def shortened(before: Point, end: Point, length: float) -> Point:
    """The point `length` short of the end, coming from `before`."""
    dx, dy = end[0] - before[0], end[1] - before[1]
    distance = (dx * dx + dy * dy) ** 0.5
    share = length / distance if distance > length else 0.5
    return end[0] - dx * share, end[1] - dy * share


def _place(point: Point, scene: Scene) -> str:
    return f'"{_xy(point, scene)}!"'


def _xy(point: Point, scene: Scene) -> str:
    return f"{point[0]:.2f},{scene.height - point[1]:.2f}"


def _quoted(text: str) -> str:
    r"""A quoted DOT string for a hint, where Graphviz reads escapes twice."""
    return f'"{escape(text.replace(chr(92), chr(92) * 2), dot=True)}"'
