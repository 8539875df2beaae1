"""The topology road: a plan from populations and projections, in time proportional to layers, kernels and units."""

from __future__ import annotations

from neurograph.compiler.closed_form import nests_of, nests_of_bias
from neurograph.compiler.fold import discover
from neurograph.compiler.from_graph import from_graph
from neurograph.compiler.plan import ONE, Plan, PlanParameter, PlanPopulation, PlanProjection, Step
from neurograph.compiler.room import check_room
from neurograph.compiler.tabulate import place_parameters
from neurograph.graph.topology import Population, Projection, Topology
from neurograph.ops.wiring import Window

Key = tuple[str, str]
"""Source, and dropout ("" for none)."""


def from_topology(topology: Topology) -> Plan:
    """The plan of a topology, equal to that of the graph built from it.

    Raises
    ------
    GraphTooLarge
        For a topology that has to be written out first (see `has_closed_form`) and is too large for that, or of which one
        neuron reads too much.
    """
    if not has_closed_form(topology):
        from neurograph.graph.build import build  # late: few topologies need NetworkX

        return from_graph(build(topology), discover)
    check_room(topology)
    parameters = place_parameters(topology.parameters)
    populations = tuple(PlanPopulation(p.name, p.shape) for p in topology.populations.values())
    ordered = tuple(sorted(populations, key=lambda box: not topology.populations[str(box.name)].is_input))
    inputs = tuple(box for box in populations if topology.populations[str(box.name)].is_input)
    steps = tuple(_step(topology, p, parameters) for p in topology.populations.values() if not p.is_input)
    outputs = tuple((members[0], None) for members in topology.outputs)
    return Plan(topology.name, parameters, inputs, ordered, steps, topology.heads, outputs, dict(topology.dropouts))


def has_closed_form(topology: Topology) -> bool:
    """False for single hand-drawn neurons, means over their in-degree, and maxima over several layers.

    Those depend on single neurons, and `from_graph` knows what to do about them.
    """
    for population in topology.populations.values():
        if not population.shape or (population.kind == "mean" and population.divisor is None):
            return False
        if population.kind == "max" and not _disjoint(topology.into(population.name)):
            return False
    return all(len(members) == 1 for members in topology.outputs)


def _disjoint(projections: tuple[Projection, ...]) -> bool:
    """True where every target neuron is certain to read through one projection only."""
    if len(projections) < 2:
        return True
    seen: set[int] = set()
    for projection in projections:
        channels = set(projection.axes[0].links().target.tolist())
        if seen & channels:
            return False
        seen |= channels
    return True


def _step(topology: Topology, population: Population, parameters: tuple[PlanParameter, ...]) -> Step:
    projections = []
    if population.bias is not None:
        nests, table = nests_of_bias(population.bias, population.shape, parameters)
        projections.append(PlanProjection(ONE, nests, table))
    for (source, dropout), group in _groups(topology, population).items():
        nests, table = nests_of(group, len(population.shape), parameters)
        if nests or table:
            projections.append(PlanProjection(source, nests, table, dropout or None, halo=_halo(topology, group)))
    divisor = population.divisor if population.kind == "mean" else None
    return Step(population.name, population.kind, population.activation, tuple(projections), divisor)


def _groups(topology: Topology, population: Population) -> dict[Key, list[Projection]]:
    """Projections into a population by what the graph road tells apart, in its order."""
    groups: dict[Key, list[Projection]] = {}
    for projection in topology.into(population.name):
        groups.setdefault((projection.source, projection.dropout or ""), []).append(projection)
    rank = {name: number for number, name in enumerate(topology.populations)}
    dropouts = ["", *topology.dropouts]
    return dict(sorted(groups.items(), key=lambda item: (rank[item[0][0]], dropouts.index(item[0][1]))))


def _halo(topology: Topology, group: list[Projection]) -> str | None:
    """The padding parameter around what a group reads, where any of its windows reaches outside."""
    for projection in topology.into(group[0].target):
        if projection.padding is not None and projection.source == group[0].source and _reaches_outside(projection):
            return projection.padding.parameter
    return None


def _reaches_outside(projection: Projection) -> bool:
    for axis in projection.axes:
        if isinstance(axis, Window) and axis.padded and axis.count:
            links = axis.links()
            if int(links.source.min()) < 0 or int(links.source.max()) >= axis.n_sources:
                return True
    return False
