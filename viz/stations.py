"""One layer to look at, and its wires: chosen by name or by default, for topologies and graphs made by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from neurograph.errors import DrawingError, UnknownName, suggest
from neurograph.graph.address import Node, node_id
from neurograph.graph.neighbourhood import Wire, fan_in
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Projection, Topology
from neurograph.ops.wiring import Window

from .subject import Subject


@dataclass(frozen=True)
class Slide:
    """A projection whose windows slide over rows and columns (or over the steps of a sequence).

    Attributes
    ----------
    down, across : Window
        Of rows and of columns; a sequence is one row.
    """

    projection: Projection
    down: Window
    across: Window


def slide_of(topology: Topology, layer: str) -> Slide | None:
    """How windows slide into a layer; None where it has none."""
    for projection in topology.into(layer):
        axes = [axis for axis in projection.axes if isinstance(axis, Window)]
        if len(axes) == 2:
            return Slide(projection, axes[0], axes[1])
        if len(axes) == 1 and len(projection.axes) == 2:
            return Slide(projection, Window(1, 1, 1), axes[0])
    return None


def choose_layer(
    subject: Subject, layer: str | None, fits: Callable[[Topology, str], bool], view: str, what: str
) -> str:
    """A layer of a topology for a view: the one named, else the first that fits.

    Raises
    ------
    DrawingError
        If it does not suit the view, or none does.
    UnknownName
        If there is no such layer.
    """
    topology = subject.network
    if not isinstance(topology, Topology):
        raise DrawingError(f"{subject.name}: --view {view} needs the layers of a spec; a graph made by hand has none.")
    fitting = [p.name for p in topology.populations.values() if not p.is_input and fits(topology, p.name)]
    if layer is None:
        if not fitting:
            raise DrawingError(f"{subject.name}: --view {view} shows {what}; this network has none.")
        return fitting[0]
    topology.population(layer)
    if layer not in fitting:
        allowed = f"Use --layer with one of: {', '.join(fitting)}." if fitting else "This network has none."
        raise DrawingError(f"{subject.name}: '{layer}': --view {view} shows {what}. {allowed}")
    return layer


def nodes_of(subject: Subject, layer: Hashable, most: int) -> tuple[list[Node], tuple[int, ...], int]:
    """The first neurons of a layer in row-major order, its shape, and how many it has."""
    network = subject.network
    if isinstance(network, Topology):
        population = network.population(str(layer))
        indices = itertools.islice(itertools.product(*map(range, population.shape)), most)
        return [node_id(population.name, index) for index in indices], population.shape, population.size
    if subject.layout.shapes.get(layer) == ():
        return [layer], (), 1
    order = [node for node in network.in_order() if network.nodes[node].get("layer") == layer]
    return order[:most], subject.layout.shapes.get(layer, (len(order),)), len(order)


def layers_of(network: Topology | NeuronGraph) -> list[Hashable]:
    """Names of the computing layers."""
    if isinstance(network, Topology):
        return [p.name for p in network.populations.values() if not p.is_input]
    found = (network.nodes[node].get("layer") for node in network.in_order() if network.pred[node])
    return [layer for layer in dict.fromkeys(found) if layer is not None]


def known_layer(subject: Subject, layer: str) -> str:
    """A layer's name, once it is known to be one.

    Raises
    ------
    UnknownName
    """
    known = [str(name) for name in layers_of(subject.network)]
    if layer not in known:
        raise UnknownName(
            f"no layer '{layer}'{suggest(layer, known)} (layers with inputs: {', '.join(known) or 'none'})"
        )
    return layer


def wires_into(subject: Subject, nodes: Iterable[Node]) -> list[Wire]:
    """The edges into these neurons, in order."""
    return [wire for node in nodes for wire in fan_in(subject.network, node)]


def span(numbers: Sequence[int]) -> str:
    """A run of numbers as people write it.

    Examples
    --------
    >>> span([3]), span(range(2, 6))
    ('3', '2…5')
    """
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}…{numbers[-1]}"
