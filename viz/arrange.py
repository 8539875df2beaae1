"""Where cards stand and how arrows run: laid out by Graphviz's `dot` where there is one, else by ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import graphviz
from .colours import INK
from .facts import Facts
from .scene import Curve, Point, Shape

RANK_GAP, NODE_GAP = 26.0, 26.0
Places = dict[str, Point]


def arrange(facts: Sequence[Facts], shapes: Mapping[str, Shape]) -> tuple[Places, list[Curve]]:
    """Centres of cards and curves between them, from left to right."""
    plain = graphviz.run(_skeleton(facts, shapes), "plain", "dot")
    return _read(plain.decode("utf-8"), facts) if plain is not None else by_ranks(facts, shapes)


def ranks_of(facts: Sequence[Facts]) -> dict[str, int]:
    """Column of each layer: one after the last of its sources."""
    ranks: dict[str, int] = {}
    for fact in facts:
        ranks[fact.name] = 1 + max((ranks[source] for source in fact.sources), default=-1)
    return ranks


# -- by Graphviz -------------------------------------------------------------------------------------------------------
def _skeleton(facts: Sequence[Facts], shapes: Mapping[str, Shape]) -> str:
    """Boxes and arrows without words, for layout alone."""
    import pydot

    graph = pydot.Dot(
        "layers", graph_type="digraph", rankdir="LR", ranksep=f"{RANK_GAP / 72:.4f}", nodesep=f"{NODE_GAP / 72:.4f}"
    )
    graph.set_node_defaults(shape="box", fixedsize="true", label='""')
    graph.set_edge_defaults(arrowhead="none")
    names = {fact.name: f"n{number}" for number, fact in enumerate(facts)}
    for fact in facts:
        shape = shapes[fact.name]
        graph.add_node(pydot.Node(names[fact.name], width=f"{shape.width / 72:.4f}", height=f"{shape.height / 72:.4f}"))
    for fact in facts:
        for source in fact.sources:
            graph.add_edge(pydot.Edge(names[source], names[fact.name], weight=str(1 + 8 * (len(fact.sources) == 1))))
    return str(graph.to_string())


def _read(plain: str, facts: Sequence[Facts]) -> tuple[Places, list[Curve]]:
    """Read Graphviz's plain format: inches, y upwards."""
    places: Places = {}
    curves = []
    for line in plain.splitlines():
        words = line.split()
        if words[:1] == ["node"]:
            places[facts[int(words[1][1:])].name] = (float(words[2]) * 72, -float(words[3]) * 72)
        elif words[:1] == ["edge"]:
            count = int(words[3])
            numbers = [float(word) * 72 for word in words[4 : 4 + 2 * count]]
            path = tuple(zip(numbers[::2], (-y for y in numbers[1::2]), strict=True))
            curves.append(_arrow(facts[int(words[1][1:])].name, facts[int(words[2][1:])].name, path))
    return places, curves


# -- by ranks ----------------------------------------------------------------------------------------------------------
def by_ranks(facts: Sequence[Facts], shapes: Mapping[str, Shape]) -> tuple[Places, list[Curve]]:
    """One column a rank; within it the order of the network; arrows that skip a column run above everything."""
    ranks = ranks_of(facts)
    columns = [[fact.name for fact in facts if ranks[fact.name] == rank] for rank in range(max(ranks.values()) + 1)]
    places: Places = {}
    left = 0.0
    for column in columns:
        width = max(shapes[name].width for name in column)
        top = -(sum(shapes[name].height for name in column) + NODE_GAP * (len(column) - 1)) / 2
        for name in column:
            places[name] = (left + width / 2, top + shapes[name].height / 2)
            top += shapes[name].height + NODE_GAP
        left += width + RANK_GAP * 1.6
    highest = min(places[name][1] - shapes[name].height / 2 for name in places)
    return places, _curves(facts, shapes, places, ranks, highest)


def _curves(
    facts: Sequence[Facts], shapes: Mapping[str, Shape], places: Places, ranks: Mapping[str, int], highest: float
) -> list[Curve]:
    curves, n_skips = [], 0
    for fact in facts:
        for source in fact.sources:
            (x, y), (u, v) = places[source], places[fact.name]
            start, end = (x + shapes[source].width / 2, y), (u - shapes[fact.name].width / 2, v)
            if ranks[fact.name] - ranks[source] == 1:
                bend = (end[0] - start[0]) / 2
                path: tuple[Point, ...] = (start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end)
            else:
                n_skips += 1
                path = _above(
                    places[source], places[fact.name], shapes[source], shapes[fact.name], highest - 14 - 12 * n_skips
                )
            curves.append(_arrow(source, fact.name, path))
    return curves


def _above(source: Point, target: Point, one: Shape, other: Shape, level: float) -> tuple[Point, ...]:
    """From the top of one card to the top of another, over what lies between."""
    start, end = (source[0], source[1] - one.height / 2), (target[0], target[1] - other.height / 2)
    middle = ((start[0] + end[0]) / 2, level)
    return start, (start[0], level), (start[0], level), middle, (end[0], level), (end[0], level), end


def _arrow(source: str, target: str, path: tuple[Point, ...]) -> Curve:
    return Curve(source, target, path, INK, 1.5, arrow=True)
