"""Why something in a plan was not shared, padded, fused or routed, in words; each reason is found the way the pass found it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

import numpy as np

from neurograph.compiler.fuse import readers_of
from neurograph.compiler.pad import match, reach
from neurograph.compiler.plan import ONE, Nest, Plan, PlanProjection, Step, Taps

POOLS_THAT_ADD = ("mean", "l2")


# -- sharing ----------------------------------------------------------------------------------------------------------
def why_not_shared(plan: Plan, step: Step, projection: PlanProjection) -> list[str]:
    """Why a projection is more than one nest, and why neurons stay in its table."""
    uses: Counter[Taps] = Counter()
    for nest in projection.nests:
        uses[nest.taps] += nest.n_neurons
    reasons = []
    if len(uses) > 1:
        reasons.append(
            f"{len(uses)} stencils ({_why_several(plan, step, projection, max(uses, key=uses.__getitem__))})"
        )
    if len(projection.nests) > len(uses):
        stencils = "one stencil" if len(uses) == 1 else f"{len(uses)} stencils"
        reasons.append(f"{len(projection.nests)} nests of {stencils}, since gaps lie between its neurons")
    if projection.others:
        reasons.append("one table, so that ties keep their order across sources")
    elif projection.table is not None:
        reasons.append(_why_alone(projection, uses))
    return reasons


def _why_several(plan: Plan, step: Step, projection: PlanProjection, template: Taps) -> str:
    others = {nest.taps: nest for nest in projection.nests if nest.taps != template}
    if step.op != "weighted" or projection.source == ONE:
        if any(len(taps.source) != len(template.source) for taps in others):
            return "clipped windows keep their own: zero is no neutral source here"
        return "their sources or weights differ by more than one shift"
    found = Counter(_difference(plan, projection, nest, template) for nest in others.values())
    if len(found) == 1:
        return next(iter(found))
    return ", ".join(f"{count}: {reason}" for reason, count in found.most_common())


def _difference(plan: Plan, projection: PlanProjection, nest: Nest, template: Taps) -> str:
    """How a nest's stencil differs from the one that most neurons have."""
    found = match(nest.taps, template)
    if found is None:
        return "their sources or weights differ by more than one shift"
    shift, missing = found
    extent = np.array(plan.population(projection.source).shape, dtype=np.int64)
    low, high = reach(nest, missing + np.array(shift, dtype=np.int64))
    outside = ((high < 0) | (low >= extent)).any(axis=1).all()
    return "clipped borders read less" if outside else "edges are missing inside the map"


def _why_alone(projection: PlanProjection, uses: Counter[Taps]) -> str:
    assert projection.table is not None
    n = projection.table.n_neurons
    said = f"{n:,} neuron{'s' if n > 1 else ''} alone: no neighbour has the same stencil"
    if not uses:
        return said
    usual = len(max(uses, key=uses.__getitem__).source)
    fewer = int(np.count_nonzero(np.diff(projection.table.start.array) < usual))
    reason = f"{fewer:,} read{'s' if fewer == 1 else ''} less than usual" if fewer else "other sources or weights"
    return f"{said} ({reason})"


# -- fusing -----------------------------------------------------------------------------------------------------------
def why_not_fused(plan: Plan, step: Step) -> list[str]:
    """What the pass `fuse` left outside a step, and why; nothing where the pass was not run."""
    if step.fusion is None:
        return []
    notes = []
    if not step.fusion.bias and any(projection.source == ONE for projection in step.projections):
        notes.append("bias added apart: along the lanes it does not go up in equal steps")
    if not step.fusion.activation and not step.fusion.loss and step.activation != "softmax":
        notes.append(f"not fused: {step.activation}, a pass of its own over the finished sums")
    return [*notes, *_why_no_loss(plan, step), *_why_no_pool(plan, step)]


def _why_no_loss(plan: Plan, step: Step) -> list[str]:
    if step.fusion is None or step.fusion.loss:
        return []
    for number, (head, (name, _)) in enumerate(zip(plan.heads, plan.outputs, strict=True)):
        if head.loss is None or head.loss.kind != "cross_entropy":
            continue
        if number in plan.spread and step.population in {of for of, _ in plan.spread[number]}:
            return ["not fused: loss, since its outputs lie in several populations"]
        if name == step.population and step.activation not in ("identity", "softmax"):
            return [f"not fused: loss, since {step.activation} stands between"]
    return []


def _why_no_pool(plan: Plan, step: Step) -> list[str]:
    """One line for every pool that reads a step and is not moved in."""
    if step.fusion is None or step.fusion.pool is not None:
        return []
    reading = [plan.steps[number] for number in readers_of(plan).get(step.population, [])]
    pools = {id(reader): reader for reader in reading if reader.op in ("max", *POOLS_THAT_ADD)}
    return [f"not fused with {pool.population}: {_why_not(plan, step, pool, reading)}" for pool in pools.values()]


def _why_not(plan: Plan, step: Step, pool: Step, reading: list[Step]) -> str:
    others = list(dict.fromkeys(str(reader.population) for reader in reading if reader is not pool))
    if others:
        return f"also read by {', '.join(others)}"
    if step.population in _heads(plan):
        return f"{step.population} is an output"
    if sum(other.population == step.population for other in plan.steps) > 1:
        return f"several steps compute {step.population}"
    if pool.op in POOLS_THAT_ADD:
        return "only a maximum moves in"
    dropout = next((projection.dropout for projection in pool.projections if projection.dropout), None)
    if dropout is not None:
        return f"{dropout} stands between"
    return (
        f"{pool.population} reads other maps too"
        if pool.members is None
        else f"only a part of {pool.population} is a maximum"
    )


def _heads(plan: Plan) -> set[Hashable]:
    return {name for name, _ in plan.outputs} | {name for spread in plan.spread.values() for name, _ in spread}


# -- routing ----------------------------------------------------------------------------------------------------------
def why_not_routed(plan: Plan, step: Step) -> list[str]:
    """Why δ does not go to the winners of a maximum only; nothing where the passes were not run."""
    if step.op != "max" or step.fusion is None:
        return []
    if step.route is not None:
        return [] if step.route.assigns else ["backward: δ is added, since windows overlap"]
    fused = {producer.fusion.pool for producer in plan.steps if producer.fusion is not None}
    inputs = {population.name for population in plan.inputs}
    stored = [str(projection.source) for projection in step.projections if projection.source not in inputs]
    if step.population in fused or not stored:
        return []
    return [f"backward: δ is added, since {', '.join(stored)} {'is' if len(stored) == 1 else 'are'} stored"]
