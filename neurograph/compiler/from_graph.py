"""The graph road: a plan from nothing but nodes and edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neurograph.compiler.bundle import Bundle, Sorted, bundle, members_of
from neurograph.compiler.plan import (
    Nest,
    Numbers,
    Plan,
    PlanParameter,
    PlanPopulation,
    PlanProjection,
    Position,
    Step,
    Table,
)
from neurograph.compiler.populate import Places, populate
from neurograph.compiler.tabulate import Columns, place_parameters, tabulate
from neurograph.errors import GraphError
from neurograph.graph.heads import HeadSpec

if TYPE_CHECKING:
    from neurograph.graph.neuron_graph import NeuronGraph

Discover = Callable[[Bundle, tuple[PlanParameter, ...]], tuple[tuple[Nest, ...], Table | None]]
"""Turns the edges of a projection into nests and a table."""


def keep_tables(rows: Bundle, parameters: tuple[PlanParameter, ...]) -> tuple[tuple[Nest, ...], Table | None]:
    """Discover nothing: every edge stays in a table. Always right."""
    return (), rows.as_table()


def from_graph(graph: NeuronGraph, discover: Discover) -> Plan:
    """The plan of a graph, with `discover` run over each projection.

    Raises
    ------
    GraphError
        If the graph cannot be computed.
    """
    if graph.is_partial:
        raise GraphError(
            "this graph is one neuron's neighbourhood, to read and not to run. Plan the topology, or a whole graph."
        )
    from neurograph.graph.build import collector_paused  # late: a topology needs no NetworkX

    try:
        with collector_paused():
            return _plan(graph, discover)
    except (GraphError, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError):
        graph.validate()  # names every broken rule, where there are any
        raise


def _plan(graph: NeuronGraph, discover: Discover) -> Plan:
    parameters = place_parameters(graph.parameters)
    columns = tabulate(graph, parameters)
    places = populate(columns, graph.graph.get("shapes", {}), parameters)
    sorted_edges = bundle(columns, places)
    steps = tuple(_step(places, i, found, discover, parameters) for i, found in enumerate(sorted_edges))
    heads, outputs, spread = _outputs(graph, columns, places)
    return Plan(
        str(graph.graph.get("name") or ""),
        parameters,
        _inputs(columns, places),
        places.populations,
        steps,
        heads,
        outputs,
        dict(graph.dropouts),
        spread,
        places.constants.names,
    )


def _step(
    places: Places, number: int, found: Sorted, discover: Discover, parameters: tuple[PlanParameter, ...]
) -> Step:
    key = places.steps[number]
    projections = tuple(
        head if rows is None else _filled(head, discover(rows, parameters))
        for head, rows in zip(found.projections, found.bundles, strict=True)
    )
    name = places.populations[key.population].name
    return Step(name, key.op, key.activation, projections, key.divisor, members_of(places, number))


def _filled(head: PlanProjection, found: tuple[tuple[Nest, ...], Table | None]) -> PlanProjection:
    return replace(head, nests=found[0], table=found[1])


def _inputs(columns: Columns, places: Places) -> tuple[PlanPopulation, ...]:
    is_input = np.array([neuron["kind"] == "input" for neuron in columns.attributes], dtype=np.bool_)
    numbers = sorted(set(places.population[is_input].tolist()))
    return tuple(places.populations[i] for i in numbers)


def _outputs(
    graph: NeuronGraph, columns: Columns, places: Places
) -> tuple[
    tuple[HeadSpec, ...], tuple[tuple[object, Numbers | None], ...], dict[int, tuple[tuple[object, Position], ...]]
]:
    """Heads that have members, where their columns sit, and the heads that are spread over several populations."""
    number = {node: i for i, node in enumerate(columns.nodes)}
    heads: list[HeadSpec] = []
    outputs: list[tuple[object, Numbers | None]] = []
    spread: dict[int, tuple[tuple[object, Position], ...]] = {}
    for which, head in enumerate(graph.heads):
        members = [number[node] for node in graph.outputs(which)]
        if not members:
            continue
        boxes = {int(i) for i in places.population[members]}
        box = places.populations[min(boxes)]
        if len(boxes) > 1:
            spread[len(heads)] = tuple(_place(places, member) for member in members)
            outputs.append((None, None))
        else:
            outputs.append((box.name, None if head.name == box.name else _columns(places, members, box)))
        heads.append(head)
    return tuple(heads), tuple(outputs), spread


def _place(places: Places, neuron: int) -> tuple[object, Position]:
    box = places.populations[places.population[neuron]]
    return box.name, tuple(places.position[neuron, : len(box.shape)].tolist())


def _columns(places: Places, members: list[int], box: PlanPopulation) -> Numbers | None:
    position = places.position[members, : len(box.shape)]
    flat = np.ravel_multi_index(tuple(position.T), box.shape)
    return None if np.array_equal(flat, np.arange(box.size)) else Numbers(position)
