"""A network counted layer by layer, in closed form: what `neurograph summary` shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from neurograph.graph.address import node_id
from neurograph.graph.build import BYTES_PER_EDGE, EDGE_LIMIT
from neurograph.graph.receptive import extents, middle, receptive_field
from neurograph.graph.sharing import uses_per_weight
from neurograph.graph.topology import Population, Topology


@dataclass(frozen=True)
class LayerSummary:
    """One layer in numbers.

    Attributes
    ----------
    name, kind, activation : str
        `kind` is the spec's word.
    shape : tuple of int
    neurons, edges, connections : int
        `connections` is LeCun's count: edges, and one for each neuron with a bias.
    parameters, fixed : int
        Trainable and fixed numbers that this layer is the first to use.
    uses : (int, int) or None
        Least and most edges of this layer that carry the same weight; None without weights.
    sees : dict
        Input → extents of the box that the layer's middle neuron sees of it.
    shares : tuple of str
        Parameters of earlier layers that this layer uses too.
    """

    name: str
    kind: str
    activation: str
    shape: tuple[int, ...]
    neurons: int
    edges: int
    connections: int
    parameters: int
    fixed: int
    uses: tuple[int, int] | None
    sees: dict[str, tuple[int, ...]]
    shares: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """A network in numbers: its layers (inputs first) and the totals.

    Attributes
    ----------
    neurons, units : int
        All but the inputs; `units` leaves out fixed pools too.
    graph_bytes : int
        What the network would take in memory, written out as a graph.
    fits : bool
        Whether `build` writes it out without being told a higher limit.
    dropouts : mapping of str to float
        Dropout layer → the probability to keep a value in training.
    """

    name: str
    layers: tuple[LayerSummary, ...]
    inputs: int
    neurons: int
    units: int
    edges: int
    connections: int
    parameters: int
    fixed: int
    graph_bytes: int
    fits: bool
    dropouts: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers, for JSON."""
        return asdict(self)


def summarise(topology: Topology) -> Summary:
    """Count a network.

    Notes
    -----
    Nothing is enumerated: time grows with the number of layers, not of neurons.

    Examples
    --------
    >>> import neurograph as ng
    >>> summary = summarise(ng.lay_out(ng.load("lenet5")))
    >>> summary.parameters, summary.layers[1].uses, summary.layers[3].sees
    (61706, (676, 784), {'input': (1, 14, 14)})
    """
    seen: set[str] = set()
    layers = tuple(_layer(topology, population, seen) for population in topology.populations.values())
    return Summary(
        name=topology.name,
        layers=layers,
        inputs=topology.n_inputs,
        neurons=topology.n_neurons,
        units=topology.n_units,
        edges=topology.n_edges,
        connections=topology.n_connections,
        parameters=topology.n_parameters,
        fixed=sum(layer.fixed for layer in layers),
        graph_bytes=topology.n_edges * BYTES_PER_EDGE,
        fits=topology.n_edges <= EDGE_LIMIT,
        dropouts=dict(topology.dropouts),
    )


def _layer(topology: Topology, population: Population, seen: set[str]) -> LayerSummary:
    edges = sum(projection.n_edges for projection in topology.into(population.name))
    used = list(dict.fromkeys(_parameters_of(topology, population)))
    own = [topology.parameters[name] for name in used if name not in seen]
    shared = tuple(name for name in used if name in seen)
    seen.update(used)
    seen_of = (
        {} if population.is_input else receptive_field(topology, node_id(population.name, middle(population.shape)))
    )
    return LayerSummary(
        name=population.name,
        kind=population.layer_kind or population.kind,
        activation=population.activation,
        shape=population.shape,
        neurons=population.size,
        edges=edges,
        connections=edges + (population.size if population.bias is not None else 0),
        parameters=sum(spec.size for spec in own if spec.trainable),
        fixed=sum(spec.size for spec in own if not spec.trainable),
        uses=uses_per_weight(topology, population.name),
        sees={name: extents(box) for name, box in seen_of.items()},
        shares=shared,
    )


def _parameters_of(topology: Topology, population: Population) -> Iterator[str]:
    for projection in topology.into(population.name):
        if projection.weight is not None:
            yield projection.weight
        if projection.padding is not None:
            yield projection.padding.parameter
    if population.bias is not None:
        yield population.bias.name
