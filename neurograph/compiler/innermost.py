"""What is innermost in a program's memory: channels, where stencils have lanes to fill vectors, or the samples of a block.

With channels innermost a vector holds filters or units that read the same sources; one sample is as quick as one of many, and δ visits
winners only. With samples innermost a vector holds one neuron in 16 samples: no structure is needed, so irregular graphs stay fast.
"""

from __future__ import annotations

from dataclasses import dataclass

from neurograph.compiler.plan import ONE, Nest, Plan, PlanProjection
from neurograph.errors import UsageError, suggest

CHANNELS, SAMPLES = "channels", "samples"
CHOICES = ("auto", CHANNELS, SAMPLES)

FILLED, ALONE, BY_SAMPLES = 0.9, 0.04, 0.2
"""Share of the machine's peak that was measured: a vector of lanes that is full, one lane by itself, and any edge by samples."""


@dataclass(frozen=True)
class Innermost:
    """What is innermost, and why.

    Attributes
    ----------
    word : str
        ``"channels"`` or ``"samples"``.
    reason : str
        One sentence.
    """

    word: str
    reason: str


def choose(plan: Plan, asked: str = "auto") -> Innermost:
    """Choose by the time that the weighted edges of a plan would take either way.

    Raises
    ------
    UsageError
        If `asked` is no choice.

    Examples
    --------
    >>> import neurograph as ng
    >>> choose(ng.plan(ng.lay_out(ng.load("lenet5")))).word
    'channels'
    """
    if asked not in CHOICES:
        raise UsageError(f"innermost: found '{asked}'{suggest(asked, CHOICES)}; allowed are {', '.join(CHOICES)}.")
    if asked != "auto":
        return Innermost(asked, "as asked.")
    edges, time, alone = 0, 0.0, 0
    for step in plan.steps:
        for projection in step.projections:
            if step.op == "weighted" and projection.source != ONE:
                for count, share in _shares(projection):
                    edges, time = edges + count, time + count / share
                    alone += count if share == ALONE else 0
    by_samples = edges / BY_SAMPLES
    share = 100 * alone / max(edges, 1)
    if time <= by_samples:
        return Innermost(CHANNELS, f"{100 - share:.0f} % of the weighted edges lie in lanes, which fill vectors.")
    why = (
        "the lanes are too few to fill vectors"
        if share < 10
        else f"{share:.0f} % of the weighted edges lie in no lanes"
    )
    return Innermost(SAMPLES, f"{why}; one neuron of many samples to a vector is quicker.")


def _shares(projection: PlanProjection) -> list[tuple[int, float]]:
    """(Edges, share of the peak) of each nest and of the table, with channels innermost."""
    found = [(nest.n_edges, _share(nest)) for nest in projection.nests]
    if projection.table is not None:
        found.append((projection.table.n_edges, ALONE))
    return found


def _share(nest: Nest) -> float:
    lanes = max((axis.count for axis in nest.axes if axis.along == 0 and abs(axis.step) == 1), default=1)
    if lanes < 2:
        return ALONE
    vector = 16 if lanes > 8 else 8
    return max(ALONE, FILLED * lanes / (vector * -(-lanes // vector)) * (1.0 if vector == 16 else 0.6))
