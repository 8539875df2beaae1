"""From a network to a file: choose a view, make the scene, and let Graphviz (or our own writer) draw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurograph.errors import DrawingError, suggest
from neurograph.graph.address import Node
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.inspector import Inspector

from . import graphviz
from .dot import to_dot
from .scene import Scene
from .subject import OF_EDGES, VALUES, Subject
from .svg import to_svg
from .views import Wish, choose_view, known_view, make_scene

FORMS = ("svg", "png", "pdf", "dot")
STRUCTURE = ("layers", "tied")
"""Views that show no numbers of a pass."""
DPI = 108
MANY_SHAPES = 3_000
"""Shapes above which an SVG is written without Graphviz, which adds nothing to it but time."""


@dataclass(frozen=True)
class Drawn:
    """What was written, and who drew it: ``"Graphviz"``, or ``"neurograph"`` where there is no Graphviz.

    `path` has the ending .svg where another was asked for and nobody here can draw it. A notebook shows the picture.
    """

    path: Path
    by: str
    view: str

    def _repr_svg_(self) -> str | None:
        return self.path.read_text(encoding="utf-8") if self.path.suffix == ".svg" else None

    def _repr_png_(self) -> bytes | None:
        return self.path.read_bytes() if self.path.suffix == ".png" else None


def draw(
    network: Topology | NeuronGraph,
    path: str | Path,
    *,
    view: str | None = None,
    around: Node | None = None,
    group: str | None = None,
    layer: str | None = None,
    depth: int = 1,
    folded: bool = True,
    overlay: str = "a",
    inspector: Inspector | None = None,
    other: Inspector | None = None,
    weights: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    note: str = "",
) -> Drawn:
    """Draw a network into a file: what ``neurograph draw`` does.

    Parameters
    ----------
    network : Topology or NeuronGraph
    path : str or Path
        Its ending says the form: .svg, .png, .pdf or .dot.
    view : str, optional
        One of `VIEWS`: ``layers``, ``maps``, ``neurons``, ``pipeline``, ``around``, ``group``, ``windows``, ``tied``, ``toeplitz``.
        Default: group, if one is given; toeplitz, if a layer is; neurons for small networks; around, if a neuron is given; layers.
    around : str or node id, optional
        One neuron: lit up in the neuron view, in the middle of the view around it.
    group : str, optional
        A weight-tying group for the group view: ``conv1[0]``, ``conv1.weight[0]``, or a hand-named weight.
    layer : str, optional
        One layer, for the views maps, windows, tied and toeplitz.
    depth : int
        How many steps the view around a neuron goes back and on.
    folded : bool
        Whether the layer view draws repeated blocks once, where there are many layers.
    overlay : str
        What colours show: ``a``, ``z`` or ``delta`` of neurons, ``weight`` or ``gradient`` of edges, the ``difference`` between the
        engines (`inspector` minus `other`), or ``none``.
    inspector : Inspector, optional
        A pass whose numbers are shown.
    other : Inspector, optional
        The same pass by the other engine.
    weights : mapping, optional
        Weights to show where there is no pass, such as a `Parameters`.
    labels : mapping, optional
        Layer → free text beside its name.
    note : str
        Where the numbers come from.

    Raises
    ------
    DrawingError
        If a view, overlay or form is unknown or does not suit the network, or Graphviz fails.
    UnknownName
        If there is no such neuron, group or layer.

    Examples
    --------
    >>> import neurograph as ng, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     drawn = draw(ng.lay_out(ng.load("four")), folder + "/four.dot")
    ...     drawn.view, drawn.path.read_text().startswith("digraph")
    ('neurons', True)
    """
    target = Path(path)
    form = check(target, view, overlay)
    subject = Subject(network, inspector, weights, overlay, labels or {}, note, other)
    _check_numbers(subject)
    wish = Wish(view, around, group, layer, depth, folded)
    chosen = choose_view(subject, wish)
    return save(make_scene(subject, wish), target, form, chosen)


def save(scene: Scene, target: Path, form: str, view: str) -> Drawn:
    """Write a scene into a file."""
    if form == "dot":
        target.write_text(to_dot(scene), encoding="utf-8")
        return Drawn(target, "neurograph", view)
    made = None if form == "svg" and len(scene.shapes) > MANY_SHAPES else render(scene, form)
    if made is not None:
        target.write_bytes(made)
        return Drawn(target, "Graphviz", view)
    target = target.with_suffix(".svg")
    target.write_text(to_svg(scene), encoding="utf-8")
    return Drawn(target, "neurograph", view)


def check(path: Path, view: str | None, overlay: str) -> str:
    """The form a file name asks for, once view and overlay are known words; to fail before anything is computed.

    Raises
    ------
    DrawingError
        Naming the word and those that are known.
    """
    if view is not None:
        known_view(view)
    if overlay not in VALUES:
        raise DrawingError(f"--overlay {overlay}: unknown{suggest(overlay, VALUES)} (known: {', '.join(VALUES)})")
    return form_of(path)


def _check_numbers(subject: Subject) -> None:
    """Whether there are the numbers that the overlay shows."""
    if subject.values == "difference" and subject.inspector is not None and subject.other is None:
        raise DrawingError(
            f"{subject.name}: --overlay difference needs the pass of both engines: draw(…, inspector=, other=)."
        )
    if subject.values in ("delta", "gradient") and subject.inspector is not None and not subject.inspector.has_delta:
        raise DrawingError(
            f"{subject.name}: --overlay {subject.values}: this sample has no target, and so no δ. Give it one, or use --overlay a or z."
        )


def needs_numbers(network: Topology | NeuronGraph, wish: Wish, overlay: str) -> bool:
    """Whether the picture would show the numbers of a pass."""
    if overlay == "none":
        return False
    return choose_view(Subject(network), wish) not in STRUCTURE or overlay in OF_EDGES


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


def render(scene: Scene, form: str) -> bytes | None:
    """What Graphviz draws of a scene, as svg, png or pdf; None where there is no Graphviz."""
    options = ("-n2", f"-Gdpi={DPI}") if form == "png" else ("-n2",)
    return graphviz.run(to_dot(scene), form, "neato", options)
