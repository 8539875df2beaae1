"""The group view: everything that uses one filter: the neurons that share it, what they read, one colour a weight."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from neurograph.errors import DrawingError, UnknownName, suggest
from neurograph.graph.address import Node, node_id, parse_address, write_node
from neurograph.graph.neighbourhood import fan_in
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Projection, Topology

from .excerpt import Excerpt, Window, cut, windows_of
from .neurons import neuron_scene
from .numbers import counted
from .scene import Scene
from .subject import Subject
from .toeplitz import numbered
from .uses import suits_uses, uses_scene

MOST_EDGES = 520
"""Edges above which only those of some of the neurons are drawn."""
MOST_MAPS = 3
"""Maps that a filter reads, up to which all are drawn."""


@dataclass(frozen=True)
class Filter:
    """A weight-tying group: a parameter, its row, and the layers whose neurons use that row."""

    parameter: str
    row: int
    layers: tuple[str, ...]

    @property
    def written(self) -> str:
        return f"{self.parameter}[{self.row}]"


def group_scene(subject: Subject, group: str | None = None) -> Scene:
    """Draw all uses of one filter.

    Parameters
    ----------
    subject : Subject
    group : str, optional
        ``conv1[0]`` (the first map of a layer), ``conv1.weight[0]`` (the first row of a parameter), or a hand-named weight.
        Default: the first filter that several neurons share.

    Raises
    ------
    UnknownName
        If there is no such group.
    DrawingError
        If nothing is shared.
    """
    topology = subject.network
    if not isinstance(topology, Topology) or topology.is_hand_drawn:
        return _named(subject, group)
    found = find_group(topology, group)
    if suits_uses(topology, found.parameter, found.layers) and not subject.colours_edges:
        return uses_scene(subject, found.parameter, found.row, found.layers[0])
    picture = _picture(topology, found)
    layer = found.layers[0]
    size = prod(topology.populations[layer].shape[1:])
    title = f"{subject.name} · {found.written}: one filter, {counted(size * len(found.layers), 'neuron')}"
    return neuron_scene(subject, picture, None, title)


def find_group(topology: Topology, group: str | None) -> Filter:
    """The filter that a name means.

    Examples
    --------
    >>> import neurograph as ng
    >>> find_group(ng.lay_out(ng.load("lenet5")), "conv2[3]")
    Filter(parameter='conv2.weight', row=3, layers=('conv2',))
    """
    owners = _owners(topology)
    if not owners:
        raise DrawingError(
            f"{topology.name}: --view group shows neurons that share a filter; no layer of this network has maps."
        )
    if group is None:
        parameter = next(iter(owners))
        return Filter(parameter, 0, owners[parameter])
    name, index = parse_address(group) or (group, (0,))
    layers = {layer: parameter for parameter, users in owners.items() for layer in users}
    parameter = name if name in owners else layers.get(name, "")
    if not parameter:
        known = [*layers, *owners]
        raise UnknownName(
            f"--group {group}: no filter of that name{suggest(name, known)} (known: {', '.join(f'{k}[0]' for k in layers)})"
        )
    rows = topology.populations[owners[parameter][0]].shape[0]
    if len(index) != 1 or not 0 <= index[0] < rows:
        raise UnknownName(f"--group {group}: '{name}' has the groups {name}[0]…{name}[{rows - 1}].")
    return Filter(parameter, index[0], owners[parameter])


def _owners(topology: Topology) -> dict[str, tuple[str, ...]]:
    """Weight parameter → layers of maps whose neurons share its rows."""
    found: dict[str, tuple[str, ...]] = {}
    for projection in topology.projections:
        target, name = topology.populations[projection.target], projection.weight
        if name is None or len(target.shape) < 2 or topology.parameters[name].shape[:1] != target.shape[:1]:
            continue
        if target.name not in found.get(name, ()):
            found[name] = (*found.get(name, ()), target.name)
    return found


def _picture(topology: Topology, found: Filter) -> Excerpt:
    windows = windows_of(topology, {})
    keep: dict[str, Window] = {}
    for layer in found.layers:
        for projection in topology.into(layer):
            keep[projection.source] = _maps_read(projection, found.row, windows[projection.source])
        keep[layer] = (range(found.row, found.row + 1), *windows[layer][1:])
    keep = {name: keep[name] for name in topology.populations if name in keep}
    members = [node_id(name, index) for name in found.layers for index in itertools.product(*keep[name])]
    chosen = _chosen(topology, members)
    wires = [wire for node in chosen for wire in fan_in(topology, node)]
    wires = [wire for wire in wires if wire.param is not None and wire.param[0] == found.parameter]
    graph = cut(topology, keep, wires)
    left_out = _left_out(topology, found, graph, chosen, members)
    some = frozenset(chosen) if len(chosen) < len(members) else frozenset()
    ties = numbered(wire.param for wire in wires)
    return Excerpt(graph, some, tuple(left_out), None, ties)


def _maps_read(projection: Projection, row: int, window: Window) -> Window:
    """The first maps that the filter reads, and of each what is drawn."""
    read = sorted(set(projection.axes[0].into(row).source.tolist())) if projection.axes else []
    if len(window) < 2 or not read:
        return window
    return (range(read[0], min(read[0] + MOST_MAPS, read[-1] + 1)), *window[1:])


def _chosen(topology: Topology, members: Sequence[Node]) -> list[Node]:
    """All neurons of the group, or as many, evenly spread, as their edges leave room for."""
    per_neuron = max(1, len(fan_in(topology, members[len(members) // 2])))
    n = MOST_EDGES // per_neuron
    if n >= len(members):
        return list(members)
    n = max(1, min(3, n))
    return [members[round((i + 0.5) * len(members) / n)] for i in range(n)]


def _left_out(
    topology: Topology, found: Filter, graph: NeuronGraph, chosen: Sequence[Node], members: Sequence[Node]
) -> list[str]:
    said = []
    total = sum(prod(topology.populations[name].shape[1:]) for name in found.layers)
    if len(chosen) < total:
        names = ", ".join(write_node(node) for node in chosen)
        said.append(
            f"edges of {counted(len(chosen), 'neuron')} of {total:,} are drawn ({names}); all use the same weights"
        )
    if graph.number_of_edges() < sum(len(fan_in(topology, node)) for node in chosen):
        said.append("of the maps that it reads the first are drawn")
    return said


# -- hand-named weights ------------------------------------------------------------------------------------------------
def _named(subject: Subject, group: str | None) -> Scene:
    """All edges of one named weight, in a network drawn neuron by neuron."""
    graph = subject.network if isinstance(subject.network, NeuronGraph) else _built(subject.network)
    uses: dict[tuple[str, int], list[tuple[Hashable, Hashable]]] = {}
    for source, target, reference in graph.edges(data="param"):
        if reference is not None:
            uses.setdefault(reference, []).append((source, target))
    named: Mapping[str, tuple[str, int]] = {_written(subject, reference): reference for reference in sorted(uses)}
    if not named:
        raise DrawingError(f"{subject.name}: --view group shows edges that share a weight; no edge here has one.")
    name = group if group is not None else max(named, key=lambda n: len(uses[named[n]]))
    if name not in named:
        raise UnknownName(
            f"--group {name}: no weight of that name{suggest(name, named)} (known: {', '.join(list(named)[:20])})"
        )
    edges = uses[named[name]]
    lit = frozenset(node for edge in edges for node in edge)
    rest = graph.copy()
    rest.remove_edges_from([edge for edge in graph.edges if edge not in set(edges)])
    rest.graph["ranks"] = None
    ranked = Excerpt(_with_ranks(rest, graph), frozenset(), (), lit, {named[name]: 0})
    return neuron_scene(subject, ranked, None, f"{subject.name} · {name}: one weight, {counted(len(edges), 'edge')}")


def _built(topology: Topology) -> NeuronGraph:
    from neurograph.graph.build import build

    return build(topology)


def _written(subject: Subject, reference: tuple[str, int]) -> str:
    from neurograph.graph.address import write_reference

    return write_reference(reference, subject.network.parameters[reference[0]].shape)


def _with_ranks(rest: NeuronGraph, whole: NeuronGraph) -> NeuronGraph:
    """Columns as in the whole network, though its other edges are gone."""
    from .groups import groups_of

    rest.graph["ranks"] = {group.name: group.rank for group in groups_of(whole)}
    return rest
