"""What edges must have in common to be one projection: step, source, port, dropout and padding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.populate import Places
from neurograph.compiler.tabulate import NONE, Columns
from neurograph.errors import GraphError
from neurograph.graph.address import write_node

Index = NDArray[np.int64]


@dataclass(frozen=True, order=True)
class Group:
    """What the edges of a projection have in common, as numbers."""

    step: int
    source: int = 0
    port: int = 0
    halo: int = NONE
    dropout: int = NONE
    joint: bool = False


def groups_of(columns: Columns, places: Places) -> tuple[list[Group], Index]:
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
    keys, code = distinct_columns(parts)
    groups = [Group(s, source, port, halo, dropout) for s, source, port, halo, dropout in keys]
    joint = _joint_edges(columns, places, code, len(groups))
    if not joint.any():
        return groups, code
    shared = {s: len(groups) + i for i, s in enumerate(sorted(set(step[joint].tolist())))}
    groups += [Group(s, joint=True) for s in shared]
    code = code.copy()
    code[joint] = [shared[s] for s in step[joint].tolist()]
    used = np.unique(code)
    dense = np.zeros(len(groups), dtype=np.int64)
    dense[used] = np.arange(len(used))
    return [groups[i] for i in used], dense[code]


def _halo_of_edges(columns: Columns, places: Places, step: Index, source: Index) -> Index:
    """Per edge: number of the constants' parameter around what it reads, or NONE.

    All edges between a step and a population that it pads are one projection; those from hand-made constants stay apart.
    """
    constants = places.constants
    names = list(dict.fromkeys(constants.halo.values()))
    halo = np.full(len(step), NONE, dtype=np.int64)
    if not names:
        return halo
    frame, apart = np.full((2, len(columns.nodes)), NONE, dtype=np.int64)
    for neuron, name in constants.halo.items():
        (apart if neuron in constants.by_hand else frame)[neuron] = names.index(name)
    halo = np.maximum(frame, apart)[columns.source]
    framed = frame[columns.source] >= 0
    pair = step * len(places.populations) + source
    for key, first in zip(*np.unique(pair[framed], return_index=True), strict=True):
        halo[(pair == key) & (halo == NONE)] = halo[framed][first]
    return halo


def distinct_columns(parts: Index) -> tuple[list[tuple[int, ...]], Index]:
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
