"""Edges sorted into bundles: one a projection, its neurons by position, each neuron's edges in fan-in order.

A bundle is what the discovery passes read. Both roads make them: the graph road for everything, the topology road for wirings
that have no product form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.groups import Group, distinct_columns, groups_of
from neurograph.compiler.plan import ONE, Numbers, PlanProjection, Table
from neurograph.compiler.populate import Places
from neurograph.compiler.schedule import spans
from neurograph.compiler.tabulate import NONE, Columns
from neurograph.errors import GraphError
from neurograph.graph.address import write_node
from neurograph.ops.words import WEIGHTED_KINDS

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Bundle:
    """The edges of one projection, as rows: neuron i has the edges ``start[i]:start[i + 1]``."""

    target: Index
    """Positions, shape (n, rank of the target), row-major order."""

    start: Index
    source: Index
    """Positions, shape (edges, rank of the source)."""

    weight: Index | None

    def __len__(self) -> int:
        return len(self.target)

    @property
    def lengths(self) -> Index:
        return np.diff(self.start)

    def take(self, rows: Index) -> Bundle:
        """Some of the neurons."""
        edges = spans(self.start[rows], self.start[rows + 1])
        start = np.concatenate([[0], np.cumsum(self.lengths[rows])])
        return Bundle(self.target[rows], start, self.source[edges], None if self.weight is None else self.weight[edges])

    def as_table(self) -> Table | None:
        """The same edges as a table of the plan; None if there are none."""
        if not len(self):
            return None
        weight = None if self.weight is None else Numbers(self.weight)
        return Table(Numbers(self.target), Numbers(self.start), Numbers(self.source), weight)


@dataclass(frozen=True)
class Sorted:
    """All projections into one step: heads without edges, and the bundle of each (None: a joint table, finished)."""

    projections: tuple[PlanProjection, ...]
    bundles: tuple[Bundle | None, ...]


def bundle(columns: Columns, places: Places) -> tuple[Sorted, ...]:
    """Sort a graph's edges into bundles, step by step.

    Raises
    ------
    GraphError
        If an edge ends at an input, or some edges of a neuron carry a weight and others none.
    """
    slots = _slots(places)
    groups, group = groups_of(columns, places)
    edges = _in_fan_in_order(columns, places, slots, group)
    ends = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=len(groups)))])
    found: list[list[tuple[PlanProjection, Bundle | None]]] = [
        _biases(columns, places, slots, i) for i in range(len(places.steps))
    ]
    for number, key in enumerate(groups):
        rows = edges[ends[number] : ends[number + 1]]
        made = _joint(columns, places, rows) if key.joint else _plain(columns, places, key, rows)
        found[key.step].append(made)
    return tuple(Sorted(tuple(p for p, _ in pairs), tuple(b for _, b in pairs)) for pairs in found)


def _slots(places: Places) -> Index:
    """Rank of every neuron by population and row-major position: a small number that sorts like the place."""
    by_place = np.lexsort((*reversed(places.position.T), places.population))
    slots = np.empty_like(by_place)
    slots[by_place] = np.arange(len(by_place))
    return slots


def _in_fan_in_order(columns: Columns, places: Places, slots: Index, group: Index) -> Index:
    """Edge numbers by group, target's place, and fan-in order: place of the source; for max port, then insertion."""
    n = len(columns.nodes)
    ordered = np.array([key.op == "max" for key in places.steps], dtype=np.bool_)
    is_max = ordered[places.step[columns.target]]
    last = np.where(is_max, columns.source, slots[columns.source])
    if columns.port.any():
        return np.lexsort((last, np.where(is_max, columns.port, 0), slots[columns.target], group))
    if (int(group.max(initial=0)) + 1) * n * n < 2**62:
        return np.argsort((group * n + slots[columns.target]) * n + last, kind="stable")
    return np.lexsort((last, slots[columns.target], group))


def _plain(columns: Columns, places: Places, key: Group, edges: Index) -> tuple[PlanProjection, Bundle]:
    source = places.populations[key.source]
    halo = None
    if key.halo != NONE:
        halo = list(dict.fromkeys(places.constants.halo.values()))[key.halo]
    dropout = None if key.dropout == NONE else columns.dropouts[key.dropout]
    projection = PlanProjection(source.name, dropout=dropout, port=key.port, halo=halo)
    return projection, _rows(columns, places, edges, len(source.shape), columns.weight[edges])


def _rows(columns: Columns, places: Places, edges: Index, rank: int, weight: Index) -> Bundle:
    target = columns.target[edges]
    first = np.flatnonzero(np.concatenate([[True], target[1:] != target[:-1]]))
    neurons = target[first]
    box = places.populations[places.population[neurons[0]]]
    weighted = places.steps[places.step[neurons[0]]].op in WEIGHTED_KINDS
    wrong = np.flatnonzero((weight != NONE) != weighted)
    if len(wrong):
        rule = "every edge into it carries a weight" if weighted else "no edge into it carries a weight"
        kind = places.steps[places.step[neurons[0]]].op
        raise GraphError(f"{write_node(columns.nodes[target[wrong[0]]])}: a neuron of kind {kind}; {rule}.")
    return Bundle(
        places.position[neurons, : len(box.shape)],
        np.append(first, len(edges)),
        places.position[columns.source[edges], :rank],
        weight if weighted else None,
    )


def _joint(columns: Columns, places: Places, edges: Index) -> tuple[PlanProjection, None]:
    """A finished projection whose table runs over several sources."""
    parts = np.stack([places.population[columns.source[edges]], columns.dropout[edges]])
    keys, origin = distinct_columns(parts)
    if places.constants.halo.keys() & set(columns.source[edges].tolist()):
        node = write_node(columns.nodes[columns.target[edges[0]]])
        raise GraphError(f"{node}: a maximum over a constant and neurons of several layers. Put a sum neuron between.")
    sources = [(places.populations[p].name, None if d == NONE else columns.dropouts[d]) for p, d in keys]
    rank = max(len(places.populations[p].shape) for p, _ in keys)
    rows = _rows(columns, places, edges, rank, columns.weight[edges])
    weight = None if rows.weight is None else Numbers(rows.weight)
    table = Table(Numbers(rows.target), Numbers(rows.start), Numbers(rows.source), weight, Numbers(origin))
    return PlanProjection(sources[0][0], table=table, dropout=sources[0][1], others=tuple(sources[1:])), None


def _biases(columns: Columns, places: Places, slots: Index, step: int) -> list[tuple[PlanProjection, Bundle | None]]:
    """The projection from `ONE`: one edge per neuron with a bias."""
    neurons = np.flatnonzero((places.step == step) & (columns.bias != NONE))
    if not len(neurons):
        return []
    neurons = neurons[np.argsort(slots[neurons])]
    box = places.populations[places.steps[step].population]
    n = len(neurons)
    target = places.position[neurons, : len(box.shape)]
    made = Bundle(target, np.arange(n + 1), np.zeros((n, 0), dtype=np.int64), columns.bias[neurons])
    return [(PlanProjection(ONE), made)]


def members_of(places: Places, step: int) -> Numbers | None:
    """Positions of a step's neurons, None where they are the whole population."""
    neurons = np.flatnonzero(places.step == step)
    box = places.populations[places.steps[step].population]
    if len(neurons) == box.size:
        return None
    position = places.position[neurons, : len(box.shape)]
    return Numbers(position[np.lexsort(tuple(reversed(position.T)))])
