"""What a picture is, before anybody draws it: shapes and curves at places, in points, y downwards.

Views make scenes; `dot` hands them to Graphviz and `svg` writes them itself. Both draw the same picture.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from .colours import INK

Point = tuple[float, float]
Align = Literal["left", "center", "right"]
Form = Literal["box", "rounded", "circle", "plain"]


@dataclass(frozen=True)
class Line:
    """One line of text in one style. The words are any text at all; drawing escapes them."""

    words: str
    size: float = 12
    colour: str = INK
    bold: bool = False


@dataclass(frozen=True)
class Cell:
    """A column of lines inside a shape."""

    lines: tuple[Line, ...]
    width: float
    align: Align = "center"


@dataclass(frozen=True)
class Shape:
    """A box, a circle or a piece of text, given by its centre.

    Parameters
    ----------
    key : hashable
        What curves call it; it never appears in the picture.
    cells : tuple of Cell
        Side by side, centred as a row.
    hint : str
        What hovering shows.
    """

    key: Hashable
    x: float
    y: float
    width: float
    height: float
    cells: tuple[Cell, ...] = ()
    form: Form = "box"
    fill: str | None = None
    border: str | None = None
    thickness: float = 1
    hint: str = ""

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2

    def moved(self, dx: float, dy: float) -> Shape:
        """The same shape elsewhere."""
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True)
class Curve:
    """A line from one shape to another: cubic Bézier pieces p0 c c p1 c c p2 … that begin and end where it is seen to."""

    source: Hashable
    target: Hashable
    path: tuple[Point, ...]
    colour: str = INK
    thickness: float = 1
    dashed: bool = False
    arrow: bool = False
    hint: str = ""

    def moved(self, dx: float, dy: float) -> Curve:
        """The same curve elsewhere."""
        return replace(self, path=tuple((x + dx, y + dy) for x, y in self.path))


@dataclass(frozen=True)
class Scene:
    """A whole picture. Curves lie under shapes, later ones over earlier ones."""

    title: str
    width: float
    height: float
    shapes: tuple[Shape, ...] = ()
    curves: tuple[Curve, ...] = ()


@dataclass
class Canvas:
    """Where a view collects what it draws; `scene` cuts it to size."""

    shapes: list[Shape] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        self.shapes.extend(shapes)

    def text(
        self, x: float, y: float, lines: Iterable[Line], width: float = 0, align: Align = "left", hint: str = ""
    ) -> Shape:
        """Lines of text in a column whose top left corner is (x, y), as wide as the text needs and at least `width`."""
        given = tuple(lines)
        width = max([width, *(text_width(line.words, line.size, line.bold) * 1.03 + 2 for line in given)])
        height = lines_height(given)
        key = ("text", len(self.shapes))
        made = Shape(
            key, x + width / 2, y + height / 2, width, height, (Cell(given, width, align),), "plain", hint=hint
        )
        self.add(made)
        return made

    @property
    def bottom(self) -> float:
        return max((shape.bottom for shape in self.shapes), default=0)

    @property
    def right(self) -> float:
        return max((shape.right for shape in self.shapes), default=0)

    def scene(self, title: str, margin: float = 24, least_width: float = 0, least_height: float = 0) -> Scene:
        """Everything drawn, moved so that the margin is free on all sides."""
        points = [point for curve in self.curves for point in curve.path]
        left = min([*(s.left for s in self.shapes), *(x for x, _ in points)], default=0)
        top = min([*(s.top for s in self.shapes), *(y for _, y in points)], default=0)
        right = max([*(s.right for s in self.shapes), *(x for x, _ in points)], default=0)
        bottom = max([*(s.bottom for s in self.shapes), *(y for _, y in points)], default=0)
        width, height = max(right - left + 2 * margin, least_width), max(bottom - top + 2 * margin, least_height)
        dx, dy = margin - left, margin - top
        return Scene(
            title,
            width,
            height,
            tuple(s.moved(dx, dy) for s in self.shapes),
            tuple(c.moved(dx, dy) for c in self.curves),
        )


def lines_height(lines: Iterable[Line]) -> float:
    """Height of lines set one under the other."""
    return sum(line.size * LEADING for line in lines)


LEADING = 1.22
"""Distance of two lines of text, in their size."""


def text_width(words: str, size: float, bold: bool = False) -> float:
    """About how wide a text is, for making room; never too little for common words.

    Examples
    --------
    >>> round(text_width("conv1", 10)), round(text_width("iii", 10)) < round(text_width("mmm", 10))
    (27, True)
    """
    return sum(_advance(letter) for letter in words) * size * (1.08 if bold else 1.0)


def _advance(letter: str) -> float:
    for letters, width in _ADVANCES:
        if letter in letters:
            return width
    return 0.69 if letter.isupper() else 0.57


_ADVANCES = (
    ("ijl'′", 0.23),
    (" .,:;|!/·[]ftI", 0.28),
    ("r()-{}`", 0.34),
    ("cksvxyzJ", 0.5),
    ("mWM", 0.85),
    ("w", 0.73),
    ("→%@…", 0.98),
)
"""Letters and their widths in Helvetica, in their size; other small letters and digits are 0.57 wide."""
