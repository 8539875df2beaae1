"""Hostile names come out as text: in DOT, through Graphviz, and in our own SVG."""

from __future__ import annotations

import random
import shutil
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neurograph.viz.dot import to_dot
from neurograph.viz.escape import escape
from neurograph.viz.scene import Cell, Line, Scene, Shape
from neurograph.viz.svg import to_svg

from neurograph.viz import graphviz
from tests.viz_scenes import texts_of

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz program dot")

HOSTILE = [
    'a"]; evil [label="x"',
    "</TD></TR></TABLE>> ]; evil",
    "<B>bold</B>",
    "<script>alert(1)</script>",
    "&lt;b&gt; &amp; &#60;",
    "\\N \\G \\E \\T \\H \\L \\n \\r \\l",
    "\\",
    "end\\",
    '\\"',
    '"',
    "'",
    "{left|right}",
    "]]>",
    "<!-- -->",
    "%s %d ${x} `x`",
    "[URL='javascript:alert(1)']",
    '<IMG SRC="/etc/passwd"/>',
    "graph digraph subgraph node edge strict",
    "\u202eevil",
    "ünïcode 漢字 δ ∂ 🙂",
    "null\x00byte \x1b[31m",
    "\ud800 lone",
    "\ufffe\uffff",
]


def scene_with(names: list[str]) -> Scene:
    shapes = [
        Shape(
            number,
            60,
            20 + 30 * number,
            100,
            24,
            (Cell((Line(name, 12),), 100),),
            "box",
            "#ffffff",
            "#000000",
            1,
            hint=name,
        )
        for number, name in enumerate(names)
    ]
    return Scene(names[0], 200, 60 + 30 * len(names), tuple(shapes))


def as_shown(name: str) -> str:
    """What a reader should see of a name: letters as they are, what no XML may hold as a replacement mark."""
    allowed = [letter if _is_text(ord(letter)) else "\ufffd" for letter in name]
    return "".join(allowed)


def _is_text(code: int) -> bool:
    return (
        code >= 0x20
        and not 0x7F <= code < 0xA0
        and not 0xD800 <= code <= 0xDFFF
        and code & 0xFFFE != 0xFFFE
        and code != 0x202E
    )


def words(text: str) -> list[str]:
    """The words of a text: Graphviz draws runs of blanks as one."""
    return text.replace("\xa0", " ").split()


@needs_dot
def test_hostile_names_are_shown_by_graphviz_as_written() -> None:
    svg = graphviz.run(to_dot(scene_with(HOSTILE)), "svg", "neato", ("-n2",))
    assert svg is not None
    shown = texts_of(svg)
    assert [words(text) for text in shown] == [words(as_shown(name)) for name in HOSTILE]
    assert svg.count(b'class="node"') == len(HOSTILE)
    assert b"<image" not in svg
    assert b"href" not in svg.replace(b"xmlns:xlink", b"")


def test_hostile_names_are_shown_by_our_svg_as_written() -> None:
    svg = to_svg(scene_with(HOSTILE)).encode()
    assert texts_of(svg) == [as_shown(name) for name in HOSTILE]
    hints = [e.text for e in ET.fromstring(svg).iter() if e.tag.endswith("}title")]
    assert hints[1:] == [as_shown(name) for name in HOSTILE]


@needs_dot
def test_hostile_hints_are_hints() -> None:
    svg = graphviz.run(to_dot(scene_with(HOSTILE)), "svg", "neato", ("-n2",))
    assert svg is not None
    key = "{http://www.w3.org/1999/xlink}title"
    hints = [e.attrib[key] for e in ET.fromstring(svg).iter() if key in e.attrib]
    assert [words(hint) for hint in hints] == [words(as_shown(name)) for name in HOSTILE]


def ten_thousand_names() -> list[str]:
    """Hostile pieces, put together at random."""
    dice = random.Random(0)
    pieces = [*HOSTILE, "<", ">", "&", '"', "\\", "\\\\", "\\N", "{", "|", ";", "--", "->", "x", "7", "δ"]
    return ["a" + "".join(dice.choice(pieces) for _ in range(dice.randint(1, 5))) + "z" for _ in range(10_000)]


def test_ten_thousand_hostile_names_are_shown_by_our_svg_as_written() -> None:
    names = ten_thousand_names()
    svg = to_svg(scene_with(names)).encode()
    assert texts_of(svg) == [as_shown(name) for name in names]
    assert {element.tag.split("}")[1] for element in ET.fromstring(svg).iter()} == {"svg", "title", "rect", "g", "text"}


@needs_dot
def test_ten_thousand_hostile_names_are_shown_as_written() -> None:
    names = ten_thousand_names()
    svg = graphviz.run(to_dot(scene_with(names)), "svg", "neato", ("-n2",), timeout=300)
    assert svg is not None
    shown = texts_of(svg)
    assert sum(words(text) == words(as_shown(name)) for text, name in zip(shown, names, strict=True)) == 10_000


@given(st.text(st.characters(), max_size=40))
def test_any_text_survives_our_svg(name: str) -> None:
    shown = texts_of(to_svg(scene_with(["x" + name])).encode())
    assert len(shown) == 1
    assert len(shown[0]) == len(name) + 1
    for before, after in zip("x" + name, shown[0], strict=True):
        assert after in (before, " ", "\ufffd")
        assert after == before or not before.isalnum() or not before.isprintable()


@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), max_size=40))
def test_ascii_is_kept_exactly(name: str) -> None:
    assert ET.fromstring(f"<t>{escape(name)}</t>").text == (name or None)
    assert ET.fromstring(f'<t a="{escape(name)}"/>').attrib["a"] == name
