"""From a network to a file: choose a view, make the scene, and let Graphviz (or our own writer) draw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neurograph.errors import DrawingError, suggest
from neurograph.graph.address import Node, node_id, write_node
from neurograph.graph.build import build
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.receptive import middle
from neurograph.graph.topology import Topology
from neurograph.inspector import Inspector
from neurograph.inspector.neuron import find

from . import graphviz
from .around import around_scene
from .dot import to_dot
from .layers import layer_scene
from .neurons import neuron_scene
from .scene import Scene
from .subject import VALUES, Subject
from .svg import to_svg

VIEWS = ("layers", "neurons", "around")
FORMS = ("svg", "png", "pdf", "dot")
SMALL = (100, 400)
"""Nodes and edges up to which a network is drawn neuron by neuron unless asked otherwise."""
LEGIBLE = (420, 4_000)
"""Nodes and edges up to which it is drawn so when asked."""
DPI = 108


@dataclass(frozen=True)
class Drawn:
    """What was written, and who drew it: ``"Graphviz"``, or ``"neurograph"`` where there is no Graphviz.

    `path` has the ending .svg where another was asked for and nobody here can draw it.
    """

    path: Path
    by: str
    view: str


def draw(
    network: Topology | NeuronGraph,
    path: str | Path,
    *,
    view: str | None = None,
    around: Node | None = None,
    inspector: Inspector | None = None,
    weights: Mapping[str, Any] | None = None,
    values: str = "a",
    labels: Mapping[str, str] | None = None,
    note: str = "",
) -> Drawn:
    """Draw a network into a file.

    Parameters
    ----------
    network : Topology or NeuronGraph
    path : str or Path
        Its ending says the form: .svg, .png, .pdf or .dot.
    view : str, optional
        ``layers``, ``neurons`` or ``around``. Default: neurons for small networks; else around, if a neuron is given, or layers.
    around : str or node id, optional
        One neuron: lit up in the neuron view, in the middle of the view around it.
    inspector : Inspector, optional
        A pass whose numbers are shown.
    weights : mapping, optional
        Weights to show where there is no pass, such as a `Parameters`.
    values : str
        What colours the neurons: ``a``, ``z``, ``delta`` or ``none``.
    labels : mapping, optional
        Layer → free text beside its name.
    note : str
        Where the numbers come from.

    Raises
    ------
    DrawingError
        If a view or form is unknown or does not suit the network, or Graphviz fails.
    UnknownName
        If there is no neuron `around`.

    Examples
    --------
    >>> import neurograph as ng, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     drawn = draw(ng.lay_out(ng.load("four")), folder + "/four.dot")
    ...     drawn.view, drawn.path.read_text().startswith("digraph")
    ('neurons', True)
    """
    target = Path(path)
    form = check(target, view, values)
    subject = Subject(network, inspector, weights, values, labels or {}, note)
    chosen = choose_view(subject, view, around)
    scene = make_scene(subject, chosen, around)
    if form == "dot":
        target.write_text(to_dot(scene), encoding="utf-8")
        return Drawn(target, "neurograph", chosen)
    made = render(scene, form)
    if made is not None:
        target.write_bytes(made)
        return Drawn(target, "Graphviz", chosen)
    target = target.with_suffix(".svg")
    target.write_text(to_svg(scene), encoding="utf-8")
    return Drawn(target, "neurograph", chosen)


def check(path: Path, view: str | None, values: str) -> str:
    """The form a file name asks for, once view and values are known words; to fail before anything is computed.

    Raises
    ------
    DrawingError
        Naming the word and those that are known.
    """
    if view is not None and view not in VIEWS:
        raise DrawingError(f"--view {view}: unknown view{suggest(view, VIEWS)} (known: {', '.join(VIEWS)})")
    if values not in VALUES:
        raise DrawingError(f"--values {values}: unknown{suggest(values, VALUES)} (known: {', '.join(VALUES)})")
    return form_of(path)


def needs_numbers(network: Topology | NeuronGraph, view: str | None, around: Node | None, values: str) -> bool:
    """Whether the picture would show the numbers of a pass."""
    return values != "none" and choose_view(Subject(network), view, around) != "layers"


def form_of(path: Path) -> str:
    """The form a file name asks for.

    Examples
    --------
    >>> form_of(Path("four.SVG"))
    'svg'
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMS:
        found = f"the ending '.{form}'" if form else "no ending"
        raise DrawingError(f"{path}: {found}; a picture ends in .svg, .png, .pdf or .dot.")
    return form


def choose_view(subject: Subject, view: str | None, around: Node | None) -> str:
    """The view asked for, or the one that suits the network.

    Raises
    ------
    DrawingError
        If the view is too much for the network.
    """
    nodes, edges = _size(subject)
    if view is None:
        if nodes <= SMALL[0] and edges <= SMALL[1]:
            return "neurons"
        return "around" if around is not None or isinstance(subject.network, NeuronGraph) else "layers"
    if view == "neurons" and (nodes > LEGIBLE[0] or edges > LEGIBLE[1]):
        raise DrawingError(
            f"{subject.name} has {nodes:,} neurons (inputs counted) and {edges:,} edges; a neuron view is legible up to "
            f'{LEGIBLE[0]:,} and {LEGIBLE[1]:,}. Use --view layers, or --view around --around "{_example(subject)}".'
        )
    return view


def make_scene(subject: Subject, view: str, around: Node | None) -> Scene:
    """The scene of a view."""
    if view == "layers":
        return layer_scene(subject)
    if view == "around":
        return around_scene(subject, around if around is not None else _example(subject))
    network = subject.network
    graph = network if isinstance(network, NeuronGraph) else build(network)
    node = None if around is None else find(network, subject.layout, around).node
    return neuron_scene(replace(subject), graph, node)


def render(scene: Scene, form: str) -> bytes | None:
    """What Graphviz draws of a scene, as svg, png or pdf; None where there is no Graphviz."""
    options = ("-n2", f"-Gdpi={DPI}") if form == "png" else ("-n2",)
    return graphviz.run(to_dot(scene), form, "neato", options)


def _size(subject: Subject) -> tuple[int, int]:
    """Nodes, inputs among them, and edges."""
    if isinstance(subject.network, Topology):
        return subject.network.n_neurons + subject.network.n_inputs, subject.network.n_edges
    return subject.network.number_of_nodes(), subject.network.number_of_edges()


def _example(subject: Subject) -> str:
    """A neuron worth looking at: in the middle of the second computing layer, or of the last."""
    if isinstance(subject.network, Topology):
        computing = [p for p in subject.network.populations.values() if not p.is_input]
        chosen = computing[min(1, len(computing) - 1)]
        return write_node(node_id(chosen.name, middle(chosen.shape)))
    order = [node for node in subject.network.in_order() if subject.network.pred[node]]
    return write_node(order[len(order) // 2])
