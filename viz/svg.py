"""A scene as SVG, written without any other program: always there, and the same picture as Graphviz draws."""

from __future__ import annotations

from collections.abc import Iterator

from .dot import ARROW, FONT, shortened
from .escape import escape
from .scene import LEADING, Cell, Curve, Line, Scene, Shape, lines_height

_ANCHORS = {"left": "start", "center": "middle", "right": "end"}


def to_svg(scene: Scene) -> str:
    """Write a scene as an SVG document."""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{scene.width:.0f}pt" height="{scene.height:.0f}pt" '
        f'viewBox="0 0 {scene.width:.2f} {scene.height:.2f}" font-family="{FONT}">\n'
        f"<title>{escape(scene.title)}</title>\n"
        f'<rect width="{scene.width:.2f}" height="{scene.height:.2f}" fill="#ffffff"/>\n'
    )
    body = [_curve(curve) for curve in scene.curves] + [_shape(shape) for shape in scene.shapes]
    return head + "\n".join(body) + "\n</svg>\n"


def _curve(curve: Curve) -> str:
    points = list(curve.path)
    tip = ""
    if curve.arrow:
        end, points[-1] = points[-1], shortened(points[-2], points[-1], ARROW)
        tip = _arrowhead(points[-1], end, curve.colour)
    x, y = points[0]
    pieces = " ".join(f"{x:.2f},{y:.2f}" for x, y in points[1:])
    dashes = ' stroke-dasharray="5,3"' if curve.dashed else ""
    stroke, opacity = _paint("stroke", curve.colour)
    return (
        f'<g>{_hint(curve.hint)}<path d="M{x:.2f},{y:.2f} C{pieces}" fill="none" {stroke}{opacity} '
        f'stroke-width="{curve.thickness:g}"{dashes}/>{tip}</g>'
    )


def _arrowhead(base: tuple[float, float], tip: tuple[float, float], colour: str) -> str:
    dx, dy = tip[0] - base[0], tip[1] - base[1]
    half = 0.36
    corners = [tip, (base[0] - dy * half, base[1] + dx * half), (base[0] + dy * half, base[1] - dx * half)]
    fill, opacity = _paint("fill", colour)
    return f'<polygon points="{" ".join(f"{x:.2f},{y:.2f}" for x, y in corners)}" {fill}{opacity}/>'


def _shape(shape: Shape) -> str:
    return f"<g>{_hint(shape.hint)}{_outline(shape)}{''.join(_texts(shape))}</g>"


def _outline(shape: Shape) -> str:
    if shape.form == "plain" and not shape.fill:
        return ""
    paint = f'fill="{shape.fill or "none"}" stroke="{shape.border or "none"}" stroke-width="{shape.thickness:g}"'
    if shape.form == "circle":
        return f'<circle cx="{shape.x:.2f}" cy="{shape.y:.2f}" r="{shape.width / 2:.2f}" {paint}/>'
    radius = ' rx="8"' if shape.form == "rounded" else ""
    return f'<rect x="{shape.left:.2f}" y="{shape.top:.2f}" width="{shape.width:.2f}" height="{shape.height:.2f}"{radius} {paint}/>'


def _texts(shape: Shape) -> Iterator[str]:
    left = shape.x - sum(cell.width for cell in shape.cells) / 2
    for cell in shape.cells:
        yield from _column(cell, left, shape.y)
        left += cell.width


def _column(cell: Cell, left: float, middle: float) -> Iterator[str]:
    x = left + {"left": 0.0, "center": cell.width / 2, "right": cell.width}[cell.align]
    y = middle - lines_height(cell.lines) / 2
    for line in cell.lines:
        yield _text(line, x, y + line.size * (LEADING / 2 + 0.35), _ANCHORS[cell.align])
        y += line.size * LEADING


def _text(line: Line, x: float, y: float, anchor: str) -> str:
    weight = ' font-weight="bold"' if line.bold else ""
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}" font-size="{line.size:g}" fill="{line.colour}"{weight} '
        f'xml:space="preserve">{escape(line.words)}</text>'
    )


def _paint(what: str, colour: str) -> tuple[str, str]:
    """A colour with its transparency apart, as SVG 1.1 wants it."""
    if len(colour) == 9:
        return f'{what}="{colour[:7]}"', f' {what}-opacity="{int(colour[7:], 16) / 255:.3f}"'
    return f'{what}="{colour}"', ""


def _hint(words: str) -> str:
    return f"<title>{escape(words)}</title>" if words else ""
