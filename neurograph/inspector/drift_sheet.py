"""A drift as a sheet: what each copy asks on the first step, and how far apart they are after each."""

from __future__ import annotations

import numpy as np

from neurograph.inspector.drift import Drift, spread_of
from neurograph.inspector.sheets import Grid, Prose, Sheet
from neurograph.inspector.table import largest, number


def drift_sheet(drift: Drift, digits: int, limit: int) -> Sheet:
    """The first update copy by copy, the drift step by step, and where the copies went."""
    weights = f"{drift.n_weights:,} shared weight{'s' * (drift.n_weights != 1)}"
    sheet: Sheet = [f"Untie {drift.what}: {weights}, followed on {len(drift.owners):,} copies of {drift.watched}", ""]
    sheet += [f"  {drift.watched} = {number(drift.tied[0], digits)}, {drift.optimizer}", *_first(drift, digits, limit)]
    sheet += ["", *_steps(drift, digits, limit), "", Prose(_words(drift))]
    return sheet


def _first(drift: Drift, digits: int, limit: int) -> Sheet:
    """What each copy asks for, and what it becomes."""
    n = drift.n_steps
    numbered = list(enumerate(drift.owners))
    shown, rest = largest(numbered, lambda pair: float(drift.gradients[pair[0]]), limit)
    rows = []
    for k, owner in shown:
        values = (drift.gradients[k], drift.copies[1, k], drift.copies[n, k])
        rows.append([owner, *(number(float(value), digits) for value in values)])
    heads = ["copy", "own gradient", "after step 1", *([f"after step {n}"] if n > 1 else [])]
    rows = [row[: len(heads)] for row in rows]
    left = []
    if rest:
        gradients = [float(drift.gradients[k]) for k, _ in rest]
        zero = " all exactly 0" if not any(gradients) else f" together {number(sum(gradients), digits)}"
        left = [f"    … and {len(rest):,} with smaller gradients,{zero}"]
    total = f"    Σ = {number(float(drift.gradients.sum()), digits)}; the gradient of the tied weight = {number(drift.gradient, digits)}"
    return [Grid("the first update, copy by copy", heads, rows), *left, total]


def _steps(drift: Drift, digits: int, limit: int) -> Sheet:
    """A line a step; of many steps the first, the last and some between."""
    heads = ["step", "tied", "copies: least", "mean", "most", "spread", "spread of all"]
    with_loss = not np.isnan(drift.losses).any()
    heads += ["loss tied", "loss untied"] if with_loss else []
    tiny = bool(np.any((drift.losses > 0) & (drift.losses < 1e-4)))
    rows = []
    for step in shown_steps(drift.n_steps, limit):
        copies = drift.copies[step]
        values = [drift.tied[step], copies.min(), copies.mean(), copies.max()]
        spreads = [_small(spread_of(copies)), _small(float(drift.spread[step]))]
        losses = (
            [_small(float(v)) if tiny else number(float(v), digits) for v in drift.losses[step]] if with_loss else []
        )
        rows.append([str(step), *(number(float(value), digits) for value in values), *spreads, *losses])
    return [f"  {drift.watched}, tied and untied", Grid("step by step", heads, rows)]


def _small(value: float) -> str:
    """With three digits and the exponent, so that a column of them can be compared."""
    return f"{value:.2e}" if value else "0"


def shown_steps(n_steps: int, limit: int) -> list[int]:
    """The steps that a table shows: all, or about `limit` of them, closer together at the beginning.

    Examples
    --------
    >>> shown_steps(4, 12), shown_steps(1000, 6)
    ([0, 1, 2, 3, 4], [0, 1, 6, 32, 178, 1000])
    """
    if n_steps < limit + 3:
        return list(range(n_steps + 1))
    between = np.geomspace(1, n_steps, max(limit - 1, 2))
    return [0, *sorted({round(float(step)) for step in between})]


def _words(drift: Drift) -> tuple[str, ...]:
    n = len(drift.owners)
    silent = int(np.count_nonzero(drift.gradients == 0))
    lines = [
        f"Tied, the weight moves by the sum of what its {n:,} uses ask for. Untied, each copy moves by its own part alone, and",
        "they stop being one weight: a stroke learnt at one place is no longer known at the others.",
    ]
    if silent:
        lines.append(
            f"{silent:,} of the {n:,} copies are asked for nothing on the first step, and stay where they are."
        )
    lines.append(
        "Spread: the standard deviation between the copies; of all: its root mean square over all untied weights."
    )
    if spread_of(drift.copies[-1]) == 0:
        lines.append("Here all copies ask for the same, so they stay equal.")
    return tuple(lines)
