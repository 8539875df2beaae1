"""Floating-point operations of a sample, by the plan: what a dense computation of the network's weighted edges costs.

Biases, activations and pools are not counted: they cost no multiplication.
"""

from __future__ import annotations

from neurograph.compiler.counting import FLOP_PER_TAP, n_taps
from neurograph.compiler.plan import ONE, Plan, PlanProjection, Step


def forward(plan: Plan) -> int:
    """Of a forward pass: multiply and add for every weighted edge.

    Examples
    --------
    >>> import neurograph as ng
    >>> plan = ng.plan(ng.lay_out(ng.load("lenet5")))
    >>> forward(plan), training(plan)
    (833040, 2263920)
    """
    return sum(n_taps(step) * FLOP_PER_TAP.get(step.op, 1) for step in plan.steps if is_weighted(step))


def training(plan: Plan) -> int:
    """Of a forward and backward pass."""
    return forward(plan) + sum(backward(plan, step) for step in plan.steps)


def backward(plan: Plan, step: Step) -> int:
    """Of a step's backward pass if every δ is visited: once for the gradient, once for what sources other than inputs are owed."""
    if not is_weighted(step):
        return 0
    inputs = {population.name for population in plan.inputs}
    owed = sum(p.n_edges for p in step.projections if p.source != ONE and p.source not in inputs)
    return 2 * (n_taps(step) + owed)


def is_weighted(step: Step) -> bool:
    """Whether its edges carry weights."""
    return any(projection.source != ONE and _has_weights(projection) for projection in step.projections)


def _has_weights(projection: PlanProjection) -> bool:
    table = projection.table
    return any(nest.weight is not None for nest in projection.nests) or (table is not None and table.weight is not None)
