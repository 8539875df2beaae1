"""Which views there are, which one suits a network, and the scene of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from neurograph.errors import DrawingError, suggest
from neurograph.graph.address import Node, node_id, write_node
from neurograph.graph.build import build
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.receptive import middle
from neurograph.graph.topology import Topology
from neurograph.inspector.neuron import find

from .around import around_scene
from .excerpt import Excerpt, excerpt_of
from .layers import layer_scene
from .maps import maps_scene
from .neurons import neuron_scene
from .pipeline import pipeline_scene
from .reach import reach_scene
from .scene import Scene
from .sharing import group_scene
from .sliding import sliding_scene
from .subject import Subject
from .tied import tied_scene
from .toeplitz import toeplitz_scene

SMALL = (100, 400)
"""Nodes and edges up to which a network is drawn neuron by neuron unless asked otherwise."""
LEGIBLE = (420, 4_000)
"""Nodes and edges up to which all of its edges are drawn."""


@dataclass(frozen=True)
class Wish:
    """What a picture is of.

    Parameters
    ----------
    view : str, optional
        One of `VIEWS`. Default: what suits the rest.
    around : str or node id, optional
        One neuron.
    group : str, optional
        A weight-tying group: ``conv1[0]``, ``conv1.weight[0]``, or a hand-named weight.
    layer : str, optional
        One layer.
    depth : int
        How many edges back and on from a neuron.
    folded : bool
        Whether repeated blocks of layers are drawn once.
    """

    view: str | None = None
    around: Node | None = None
    group: str | None = None
    layer: str | None = None
    depth: int = 1
    folded: bool = True


def _neurons(subject: Subject, wish: Wish) -> Scene:
    network = subject.network
    node = None if wish.around is None else find(network, subject.layout, wish.around).node
    nodes, edges = size_of(subject)
    if isinstance(network, Topology) and (nodes > LEGIBLE[0] or edges > LEGIBLE[1]):
        return neuron_scene(subject, excerpt_of(subject, node), node)
    graph = network if isinstance(network, NeuronGraph) else build(network)
    return neuron_scene(subject, Excerpt(graph), node)


def _around(subject: Subject, wish: Wish) -> Scene:
    node = wish.around if wish.around is not None else example(subject)
    return around_scene(subject, node) if wish.depth == 1 else reach_scene(subject, node, wish.depth)


VIEWS: Mapping[str, Callable[[Subject, Wish], Scene]] = {
    "layers": lambda subject, wish: layer_scene(subject, wish.folded),
    "maps": lambda subject, wish: maps_scene(subject, wish.layer),
    "neurons": _neurons,
    "pipeline": lambda subject, wish: pipeline_scene(subject),
    "around": _around,
    "group": lambda subject, wish: group_scene(subject, wish.group),
    "windows": lambda subject, wish: sliding_scene(subject, wish.layer),
    "tied": lambda subject, wish: tied_scene(subject, wish.layer),
    "toeplitz": lambda subject, wish: toeplitz_scene(subject, wish.layer),
}
"""View → what draws it."""


def choose_view(subject: Subject, wish: Wish) -> str:
    """The view asked for, or the one that suits what is asked about, or the network."""
    if wish.view is not None:
        return wish.view
    if wish.group is not None:
        return "group"
    if wish.layer is not None:
        return "toeplitz"
    nodes, edges = size_of(subject)
    if wish.depth == 1 and nodes <= SMALL[0] and edges <= SMALL[1]:
        return "neurons"
    return "around" if wish.around is not None or isinstance(subject.network, NeuronGraph) else "layers"


def make_scene(subject: Subject, wish: Wish) -> Scene:
    """The scene of a view.

    Raises
    ------
    DrawingError
        If the view is unknown, or does not suit the network.
    UnknownName
        If the network has no such neuron, group or layer.
    """
    return VIEWS[known_view(choose_view(subject, wish))](subject, wish)


def known_view(view: str) -> str:
    """A view's name, once it is known to be one."""
    if view not in VIEWS:
        raise DrawingError(f"--view {view}: unknown view{suggest(view, VIEWS)} (known: {', '.join(VIEWS)})")
    return view


def size_of(subject: Subject) -> tuple[int, int]:
    """Nodes, inputs among them, and edges."""
    if isinstance(subject.network, Topology):
        return subject.network.n_neurons + subject.network.n_inputs, subject.network.n_edges
    return subject.network.number_of_nodes(), subject.network.number_of_edges()


def example(subject: Subject) -> str:
    """A neuron worth looking at: in the middle of the second computing layer, or of the last."""
    if isinstance(subject.network, Topology):
        computing = [p for p in subject.network.populations.values() if not p.is_input]
        chosen = computing[min(1, len(computing) - 1)]
        return write_node(node_id(chosen.name, middle(chosen.shape)))
    order = [node for node in subject.network.in_order() if subject.network.pred[node]]
    return write_node(order[len(order) // 2])
