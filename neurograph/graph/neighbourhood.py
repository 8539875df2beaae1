"""One neuron's surroundings, or one weight's uses, without writing the network out."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import Node, node_id
from neurograph.graph.layout import Place, layout_of
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Projection, Topology
from neurograph.ops.wiring import Links
from neurograph.parameters import Reference
from neurograph.trace import Contribution, Trace, column, number_in

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[Any]


class Wire(NamedTuple):
    """One edge: node ids, places, the weight's reference, port and dropout layer."""

    source: Node
    target: Node
    param: Reference | None
    port: int
    dropout: str | None
    from_place: Place
    to_place: Place


def fan_in(network: Topology | NeuronGraph, node: Node) -> list[Wire]:
    """Edges into a neuron, in the network's order.

    Parameters
    ----------
    network : Topology or NeuronGraph
    node : node id

    Notes
    -----
    On a topology, time and memory are those of this neuron's edges (and of the axes' extents).
    """
    if isinstance(network, NeuronGraph):
        return [_graph_wire(network, source, node) for source, _ in network.fan_in(node)]
    name, index = layout_of(network).place(node)
    order = {population: number for number, population in enumerate(network.populations)}
    wires = []
    for projection in network.into(str(name)):
        frame = _framed(index, len(projection.axes))
        wires += _wires(network, projection, [axis.into(i) for axis, i in zip(projection.axes, frame, strict=True)])
    return sorted(
        wires, key=lambda wire: (wire.port, order.get(str(wire.from_place[0]), len(order)), wire.from_place[1])
    )


def fan_out(network: Topology | NeuronGraph, node: Node) -> list[Wire]:
    """Edges out of a neuron, by target."""
    if isinstance(network, NeuronGraph):
        return [_graph_wire(network, node, target) for target, _ in network.fan_out(node)]
    name, index = layout_of(network).place(node)
    wires = []
    for projection in network.out_of(str(name)):
        frame = _framed(index, len(projection.axes))
        wires += _wires(network, projection, [axis.out_of(i) for axis, i in zip(projection.axes, frame, strict=True)])
    return wires


def uses(network: Topology | NeuronGraph, name: str, index: int = 0) -> list[Wire]:
    """Edges that carry one weight, by target, then source.

    Notes
    -----
    On a topology, only the axes' links are enumerated and joined where their contributions add up to `index`.
    """
    if isinstance(network, NeuronGraph):
        return [_graph_wire(network, source, target) for source, target in network.uses(name, index)]
    wires: list[Wire] = []
    for projection in network.projections:
        if projection.weight == name:
            wires += _uses(network, projection, index - projection.weight_offset)
    return wires


def _uses(topology: Topology, projection: Projection, remainder: int) -> Iterator[Wire]:
    links = [axis.links() for axis in projection.axes]
    if not links:
        if remainder == 0:
            yield from _wires(topology, projection, [])
        return
    for chosen in _summing_to(links, remainder):
        yield _wire(
            topology,
            projection,
            [link.target[i] for link, i in zip(links, chosen, strict=True)],
            [link.source[i] for link, i in zip(links, chosen, strict=True)],
            remainder,
        )


def _summing_to(links: Sequence[Links], remainder: int) -> Iterator[tuple[int, ...]]:
    """Combinations of one link an axis whose weight contributions sum to `remainder`, in order of their targets."""
    smallest = [int(link.weight.min()) if len(link) else 0 for link in links]
    largest = [int(link.weight.max()) if len(link) else 0 for link in links]

    def extend(axis: int, rest: int) -> Iterator[tuple[int, ...]]:
        if axis == len(links) - 1:
            for i in np.flatnonzero(links[axis].weight == rest):
                yield (int(i),)
            return
        least, most = sum(smallest[axis + 1 :]), sum(largest[axis + 1 :])
        weight = links[axis].weight
        for i in np.flatnonzero((rest - weight >= least) & (rest - weight <= most)):
            for others in extend(axis + 1, rest - int(weight[i])):
                yield (int(i), *others)

    yield from extend(0, remainder)


def _framed(index: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """A position in a projection's frame: missing trailing axes are 0."""
    return (*index, *[0] * (rank - len(index)))


def _wires(topology: Topology, projection: Projection, links: list[Links]) -> list[Wire]:
    columns = [
        list(zip(axis.target.tolist(), axis.source.tolist(), axis.weight.tolist(), strict=True)) for axis in links
    ]
    return [
        _wire(
            topology,
            projection,
            [w[0] for w in combination],
            [w[1] for w in combination],
            sum(w[2] for w in combination),
        )
        for combination in itertools.product(*columns)
    ]


def _wire(topology: Topology, projection: Projection, to: Sequence[int], at: Sequence[int], weight: int) -> Wire:
    source, target = topology.populations[projection.source], topology.populations[projection.target]
    here = tuple(int(i) for i in at)[: len(source.shape)]
    there = tuple(int(i) for i in to)[: len(target.shape)]
    inside = all(0 <= i < n for i, n in zip(here, source.shape, strict=True))
    layer: Hashable = source.name if inside or projection.padding is None else projection.padding.layer
    param = None if projection.weight is None else (projection.weight, projection.weight_offset + weight)
    return Wire(
        node_id(layer, here),
        node_id(target.name, there),
        param,
        0,
        projection.dropout,
        (layer, here),
        (target.name, there),
    )


def _graph_wire(graph: NeuronGraph, source: Node, target: Node) -> Wire:
    data = graph.edges[source, target]
    return Wire(
        source,
        target,
        data.get("param"),
        data.get("port", 0),
        data.get("dropout"),
        _place(graph, source),
        _place(graph, target),
    )


def _place(graph: NeuronGraph, node: Node) -> Place:
    data = graph.nodes[node]
    return (node, ()) if data.get("layer") is None else (data["layer"], tuple(data["index"]))


def contributions(trace: Trace, weight: str) -> list[Contribution]:
    """The addends of one weight's or bias's gradient, by edge, then sample (see `Trace.contributions`)."""
    reference = trace.reference(weight)
    found: list[Contribution] = []
    for node, place in biased_neurons(trace.network, reference):
        delta = column(trace.delta[place[0]], place[1]).tolist()
        found += [Contribution("1", node, sample, 1.0, d, d) for sample, d in enumerate(delta)]
    value = number_in(trace.weights, reference)
    for wire in uses(trace.network, *reference):
        found += _addends(trace, wire, value)
    return found


def _addends(trace: Trace, wire: Wire, value: float) -> Iterator[Contribution]:
    is_rbf = kind_of(trace.network, wire.target) == "rbf"
    seen = activity(trace, wire).tolist()
    scale = edge_scale(trace, wire)
    name, index = wire.to_place
    delta = column(trace.delta[name], index).tolist()
    for sample, (a, s, d) in enumerate(zip(seen, scale.tolist(), delta, strict=True)):
        slope = -2.0 * (a * s - value) if is_rbf else a * s
        yield Contribution(wire.source, wire.target, sample, a, d, 0.0 if d == 0.0 else d * slope)


def activity(trace: Trace, wire: Wire) -> Array:
    """The source's activation per sample; a padded position has its constant value."""
    name, index = wire.from_place
    if name in trace.a:
        return column(trace.a[name], index)
    reference = constant_of(trace.network, wire)
    return np.full(trace.batch, number_in(trace.weights, reference))


def edge_scale(trace: Trace, wire: Wire) -> Array:
    """What the edge multiplies its source's activation by, per sample: mask / keep behind dropout, else 1."""
    if wire.dropout is None or wire.dropout not in trace.masks:
        return np.ones(trace.batch)
    mask = trace.masks[wire.dropout]
    sources = [name for name in trace.layout.shapes if name in _dropped(trace.network, wire.dropout)]
    name, index = wire.from_place
    keep = trace.network.dropouts[wire.dropout]
    if len(sources) == 1:
        return column(mask, index) / keep
    shapes = [trace.layout.shapes[source] or (1,) for source in sources]
    before = shapes[: sources.index(name)]
    index = index or (0,)
    if mask.ndim == 1 + len(index):
        return column(mask, (sum(shape[0] for shape in before) + index[0], *index[1:])) / keep
    own = shapes[sources.index(name)]
    return column(mask, (sum(prod(shape) for shape in before) + int(np.ravel_multi_index(index, own)),)) / keep


def _dropped(network: Topology | NeuronGraph, dropout: str) -> set[Hashable]:
    if isinstance(network, Topology):
        return {p.source for p in network.projections if p.dropout == dropout}
    return {_place(network, source)[0] for source, _, name in network.edges(data="dropout") if name == dropout}


def constant_of(network: Topology | NeuronGraph, wire: Wire) -> Reference:
    """Where the value of a wire's constant source lives."""
    if isinstance(network, NeuronGraph):
        reference: Reference = network.nodes[wire.source]["param"]
        return reference
    return (str(wire.from_place[0]), 0)


def kind_of(network: Topology | NeuronGraph, node: Node) -> str:
    """The neuron kind of a node."""
    if isinstance(network, NeuronGraph):
        return str(network.nodes[node]["kind"])
    return network.populations[str(layout_of(network).place(node)[0])].kind


def biased_neurons(network: Topology | NeuronGraph, reference: Reference) -> list[tuple[Node, Place]]:
    """Neurons whose bias is this slot, in order."""
    if isinstance(network, NeuronGraph):
        return [
            (node, _place(network, node)) for node in network.in_order() if network.nodes[node].get("bias") == reference
        ]
    found: list[tuple[Node, Place]] = []
    for population in network.populations.values():
        bias = population.bias
        if bias is not None and bias.name == reference[0]:
            ranges = [range(n) for n in population.shape]
            if bias.steps and bias.steps[-1] == 0:
                ranges[0] = range(reference[1], reference[1] + 1)
            matching = (index for index in itertools.product(*ranges) if bias.index(index) == reference[1])
            found += [(node_id(population.name, index), (population.name, index)) for index in matching]
    return found
