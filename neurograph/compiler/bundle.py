"""Edges sorted into bundles: one a projection, its neurons by position, each neuron's edges in fan-in order.

A bundle is what the discovery passes read. Both roads make them: the graph road for everything, the topology road for wirings
that have no product form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.plan import ONE, Numbers, PlanProjection, Table
from neurograph.compiler.populate import Places
from neurograph.compiler.schedule import spans
from neurograph.compiler.tabulate import NONE, Columns
from neurograph.errors import GraphError
from neurograph.graph.address import write_node

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
    groups, group = _groups(columns, places)
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


@dataclass(frozen=True, order=True)
class _Group:
    """What the edges of a projection have in common, as numbers."""

    step: int
    source: int = 0
    port: int = 0
    halo: int = NONE
    dropout: int = NONE
    joint: bool = False


def _slots(places: Places) -> Index:
    """Rank of every neuron by population and row-major position: a small number that sorts like the place."""
    by_place = np.lexsort((*reversed(places.position.T), places.population))
    slots = np.empty_like(by_place)
    slots[by_place] = np.arange(len(by_place))
    return slots


def _groups(columns: Columns, places: Places) -> tuple[list[_Group], Index]:
    """The distinct groups, sorted, and each edge's number among them."""
    step = places.step[columns.target]
    if len(step) and step.min() < 0:
        node = columns.nodes[columns.target[np.argmin(step)]]
        raise GraphError(
            f"{write_node(node)}: an edge into an input or a constant; nothing may feed it. Remove the edge."
        )
    source = places.population[columns.source]
    halo = _halo_of_edges(columns, places, step, source)
    parts = np.stack([step, source, columns.port, halo, columns.dropout])
    keys, code = _distinct(parts)
    groups = [_Group(*key) for key in keys]
    joint = _joint_edges(columns, places, code, len(groups))
    if not joint.any():
        return groups, code
    shared = {s: len(groups) + i for i, s in enumerate(sorted(set(step[joint].tolist())))}
    groups += [_Group(s, joint=True) for s in shared]
    code = code.copy()
    code[joint] = [shared[s] for s in step[joint].tolist()]
    used = np.unique(code)
    dense = np.zeros(len(groups), dtype=np.int64)
    dense[used] = np.arange(len(used))
    return [groups[i] for i in used], dense[code]


def _halo_of_edges(columns: Columns, places: Places, step: Index, source: Index) -> Index:
    """Per edge: number of the padding parameter around what it reads (of all edges between step and population), or NONE."""
    halo = np.full(len(step), NONE, dtype=np.int64)
    names = [name for name in dict.fromkeys(places.halo) if name is not None]
    if not names:
        return halo
    code = {name: i for i, name in enumerate(names)}
    per_neuron = np.array([NONE if name is None else code[name] for name in places.halo])
    halo = per_neuron[columns.source]
    n = len(places.populations)
    pair = step * n + source
    padded: dict[int, int] = {}
    for key, value in {(int(k), int(v)) for k, v in zip(pair[halo >= 0], halo[halo >= 0], strict=True)}:
        if padded.setdefault(key, value) != value:
            name = places.populations[key % n].name
            raise GraphError(
                f"'{name}' is padded with two constants, '{names[value]}' and '{names[padded[key]]}'; use one of them."
            )
    for key, value in padded.items():
        halo[pair == key] = value
    return halo


def _distinct(parts: Index) -> tuple[list[tuple[int, ...]], Index]:
    """Distinct columns of an integer matrix, sorted, and each column's number among them."""
    if not parts.shape[1]:
        return [], np.zeros(0, dtype=np.int64)
    low = parts.min(axis=1, keepdims=True)
    extent = parts.max(axis=1) - low[:, 0] + 1
    key = np.ravel_multi_index(tuple(parts - low), tuple(extent))
    changes = np.concatenate([[True], key[1:] != key[:-1]])
    distinct, inverse = np.unique(key[changes], return_inverse=True)
    code = inverse[np.cumsum(changes) - 1]
    columns = np.stack(np.unravel_index(distinct, tuple(extent)), axis=1) + low[:, 0]
    return [tuple(row) for row in columns.tolist()], code


def _joint_edges(columns: Columns, places: Places, group: Index, n_groups: int) -> NDArray[np.bool_]:
    """Edges into neurons whose order of ties runs across several groups."""
    ordered = np.array([key.op == "max" for key in places.steps], dtype=np.bool_)
    is_max = ordered[places.step[columns.target]]
    if not is_max.any():
        return is_max
    target, of = columns.target[is_max], group[is_max]
    first = np.full(len(columns.nodes), n_groups, dtype=np.int64)
    last = np.full(len(columns.nodes), -1, dtype=np.int64)
    np.minimum.at(first, target, of)
    np.maximum.at(last, target, of)
    return np.asarray(is_max & (first < last)[columns.target])


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


def _plain(columns: Columns, places: Places, key: _Group, edges: Index) -> tuple[PlanProjection, Bundle]:
    source = places.populations[key.source]
    halo = None
    if key.halo != NONE:
        halo = next(h for h in (places.halo[s] for s in columns.source[edges].tolist()) if h is not None)
    dropout = None if key.dropout == NONE else columns.dropouts[key.dropout]
    projection = PlanProjection(source.name, dropout=dropout, port=key.port, halo=halo)
    return projection, _rows(columns, places, edges, len(source.shape), columns.weight[edges])


def _rows(columns: Columns, places: Places, edges: Index, rank: int, weight: Index) -> Bundle:
    target = columns.target[edges]
    first = np.flatnonzero(np.concatenate([[True], target[1:] != target[:-1]]))
    neurons = target[first]
    box = places.populations[places.population[neurons[0]]]
    unweighted = weight == NONE
    if unweighted.any() and not unweighted.all():
        node = columns.nodes[target[np.argmax(unweighted)]]
        raise GraphError(
            f"{write_node(node)}: some edges of its step carry a weight and some none; give each `param`, or none."
        )
    return Bundle(
        places.position[neurons, : len(box.shape)],
        np.append(first, len(edges)),
        places.position[columns.source[edges], :rank],
        None if unweighted.any() else weight,
    )


def _joint(columns: Columns, places: Places, edges: Index) -> tuple[PlanProjection, None]:
    """A finished projection whose table runs over several sources."""
    parts = np.stack([places.population[columns.source[edges]], columns.dropout[edges]])
    keys, origin = _distinct(parts)
    if any(places.halo[s] is not None for s in set(columns.source[edges].tolist())):
        raise GraphError(
            "a maximum over several layers cannot read padding constants; pad with edges of one layer only."
        )
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
