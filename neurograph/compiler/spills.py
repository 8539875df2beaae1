"""Margins that are not what those who gather need: a reader that looks beyond the border leaves errors there on its way back."""

from __future__ import annotations

from collections.abc import Collection, Hashable

from neurograph.compiler.arena import reach, sources_of
from neurograph.compiler.plan import ONE, Plan


def spilt(plan: Plan, gathers: Collection[tuple[int, int, int]]) -> frozenset[Hashable]:
    """Populations into whose margins some reader spreads errors.

    Whoever gathers its errors writes none beyond the border, who reads through a view of its own hands none of them back, and a table
    lists places that are there.

    Parameters
    ----------
    plan : Plan
    gathers : collection of (step, projection, nest)
        Nests whose errors are gathered.
    """
    found: set[Hashable] = set()
    for i, step in enumerate(plan.steps):
        for j, projection in enumerate(step.projections):
            ((name, dropout), *_) = sources_of(projection)
            if name == ONE or dropout is not None or projection.halo is not None:
                continue
            shape = plan.population(name).shape
            for k, nest in enumerate(projection.nests):
                low, high = reach(nest)
                if (i, j, k) not in gathers and ((low < 0).any() or (high >= shape).any()):
                    found.add(name)
    return frozenset(found)
