"""Which of a plan's parameters are biases: penalties leave them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.plan import ONE, Nest, Plan
from neurograph.graph.roles import biases_of
from neurograph.graph.topology import Topology

if TYPE_CHECKING:
    from neurograph.graph.neuron_graph import NeuronGraph

Index = NDArray[np.int64]


def bias_names(plan: Plan, network: NeuronGraph | Topology | None) -> frozenset[str]:
    """Names of the biases, as the network declares them; of a plan that comes alone, what is multiplied by 1."""
    if network is not None:
        return biases_of(network)
    projections = [p for step in plan.steps if step.op == "weighted" for p in step.projections if p.source == ONE]
    found = [_addresses(nest) for projection in projections for nest in projection.nests if nest.weight is not None]
    found += [p.table.weight.array for p in projections if p.table is not None and p.table.weight is not None]
    every = np.unique(np.concatenate([np.zeros(0, np.int64), *found]))
    starts = np.searchsorted(every, [p.offset for p in plan.parameters])
    ends = np.searchsorted(every, [p.offset + p.size for p in plan.parameters])
    return frozenset(p.name for p, start, end in zip(plan.parameters, starts, ends, strict=True) if start < end)


def _addresses(nest: Nest) -> Index:
    """Every weight address of a nest."""
    assert nest.weight is not None
    addresses: Index = nest.weight + (nest.taps.weight.array if nest.taps.weight is not None else np.zeros(1, np.int64))
    for axis in nest.axes:
        if axis.weight:
            addresses = np.add.outer(addresses, np.arange(axis.count) * axis.weight).reshape(-1)
    return addresses
