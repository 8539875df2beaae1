"""The pass `route`: which way δ takes back through maxima, to winners only or added onto all that windows share.

Pure, and optional: without it every maximum adds.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Box
from neurograph.compiler.cells import cells_of_nest
from neurograph.compiler.fuse import readers_of
from neurograph.compiler.plan import Plan, Position, Route, Step

Index = NDArray[np.int64]


def route(plan: Plan) -> Plan:
    """Annotate every maximum whose source `fuse` found to be read by it alone."""
    producers = {
        step.fusion.pool: step for step in plan.steps if step.fusion is not None and step.fusion.pool is not None
    }
    readers = readers_of(plan)
    return replace(
        plan, steps=tuple(_routed(plan, step, producers.get(step.population), readers) for step in plan.steps)
    )


def _routed(plan: Plan, step: Step, producer: Step | None, readers: dict[Hashable, list[int]]) -> Step:
    if step.op != "max" or producer is None or len(readers[producer.population]) != 1:
        return step
    read = _times_read(step, plan, producer.population)
    if read.max() > 1:
        return replace(step, route=Route())
    gates = producer.activation == "relu" and step.activation == "identity"
    return replace(step, route=Route(assigns=True, gates=gates))


def _times_read(step: Step, plan: Plan, source: Hashable) -> Index:
    """How many windows each source position lies in."""
    projection = step.projections[0]
    target, read = _tight(plan.population(step.population).shape), _tight(plan.population(source).shape)
    cells = [cells_of_nest(nest, target, read, 0, with_lanes=False) for nest in projection.nests]
    addresses = [(found.source[:, None] + found.taps[:, 0]).reshape(-1) for found in cells]
    if projection.table is not None:
        addresses.append(read.address(projection.table.source.array))
    counts: Index = np.bincount(np.concatenate(addresses), minlength=read.size)
    return counts


def _tight(shape: Position) -> Box:
    """A box without margins."""
    none = (0,) * len(shape)
    return Box(0, shape, none, none)
