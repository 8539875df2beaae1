"""The layer view: one box a layer, for networks of any size; cards side by side, or a sheet of rows where there are many."""

from __future__ import annotations

from collections.abc import Sequence

from neurograph.errors import DrawingError
from neurograph.graph.topology import Topology

from .arrange import arrange, ranks_of
from .cards import card, glyph
from .colours import GREY, INK, KINDS
from .facts import Facts, facts_of
from .fold import fold
from .legend import Entry, entries
from .scene import Canvas, Line, Scene
from .sheet import draw_sheet
from .subject import Subject

MOST_RANKS = 9
MOST_CARDS = 18
_FAMILIES = {
    "input": "input",
    "conv": "convolution",
    "depthwise": "convolution",
    "maxpool": "pooling",
    "avgpool": "pooling",
    "l2pool": "pooling",
    "globalpool": "pooling",
    "subsample": "pooling",
    "dense": "dense",
    "rbf": "rbf",
    "add": "add",
    "activation": "activation",
}


def layer_scene(subject: Subject, folded: bool = True) -> Scene:
    """Draw the layers of a topology.

    Parameters
    ----------
    subject : Subject
    folded : bool
        Whether repeated blocks are drawn once, where there are too many layers for cards.

    Raises
    ------
    DrawingError
        For a graph made by hand, which has no layers.
    """
    if not isinstance(subject.network, Topology):
        raise DrawingError(f"{subject.name}: a neuron graph has no layers to draw; use view neurons or around.")
    facts = facts_of(subject, subject.network)
    if folded and not _fits(facts):
        facts = fold(facts)
    canvas = Canvas()
    if _fits(facts):
        _cards(canvas, facts)
    else:
        draw_sheet(canvas, facts)
    _frame(canvas, subject, facts)
    return canvas.scene(subject.name, least_width=720)


def _fits(facts: Sequence[Facts]) -> bool:
    """Whether there is room for cards."""
    return max(ranks_of(facts).values()) < MOST_RANKS and len(facts) <= MOST_CARDS


def _cards(canvas: Canvas, facts: Sequence[Facts]) -> None:
    shapes = {fact.name: card(fact) for fact in facts}
    places, curves = arrange(facts, shapes)
    canvas.curves += curves
    for fact in facts:
        dx, dy = places[fact.name]
        canvas.add(shapes[fact.name].moved(dx, dy), *(shape.moved(dx, dy) for shape in glyph(fact, shapes[fact.name])))


def _frame(canvas: Canvas, subject: Subject, facts: Sequence[Facts]) -> None:
    """Title above, legend below."""
    left, top = min(shape.left for shape in canvas.shapes), min(shape.top for shape in canvas.shapes)
    top = min([top, *(y for curve in canvas.curves for _, y in curve.path)])
    right = max(canvas.right, left + 640)
    below = max([canvas.bottom, *(y for curve in canvas.curves for _, y in curve.path)]) + 24
    families = {_FAMILIES.get(fact.kind, fact.kind): KINDS.get(fact.kind, "#ffffff") for fact in facts}
    given = [Entry(family, grounds=(ground,)) for family, ground in families.items()]
    if any(fact.sees for fact in facts):
        given.append(Entry("sees: receptive field of the middle neuron, in the input"))
    if any(fact.uses for fact in facts):
        given.append(Entry("×n: edges that share each weight"))
    if any(fact.times > 1 for fact in facts):
        given.append(Entry("× n after a row: so many blocks of this kind follow one another; counts are of one"))
    entries(canvas, left, below, given, right)
    about = [Line(subject.name, 22, INK, bold=True), Line(subject.about(), 13, GREY)]
    canvas.text(left, top - 66, about, 700)
