"""What is innermost in a program's memory: channels, where stencils have lanes to fill vectors, or the samples of a block.

With channels innermost a vector holds filters or units that read the same sources; one sample is as quick as one of many, and δ visits
winners only. With samples innermost a vector holds one neuron in 16 samples: no structure is needed, so irregular graphs stay fast.
"""

from __future__ import annotations

from dataclasses import dataclass

from neurograph.compiler.plan import ONE, Nest, Plan, PlanProjection
from neurograph.compiler.storage import HALF, WHOLE
from neurograph.errors import UsageError, suggest

CHANNELS, SAMPLES = "channels", "samples"
CHOICES = ("auto", CHANNELS, SAMPLES)

SPREAD, POOLED, DENSE, ALONE = 0.12, 0.09, 0.07, 1.0
"""Microseconds for a thousand edges, forward and backward, as measured with channels innermost: where lanes fill vectors, where a maximum
behind leaves δ to winners only, where every weight is used once, and where a neuron shares with nobody."""

HALF_VECTORS = 0.6
"""How much of a whole vector's speed a half one has for each of its lanes."""

SHARED_BY_SAMPLES, DENSE_BY_SAMPLES = 0.15, 0.25
"""The same with samples innermost."""

PIECE = 400
"""Nanoseconds a sample, with channels innermost, for every further nest that the stencils of a step fall into, as measured."""

BROKEN = 10
"""So many further nests tell of a network that was edited."""

FEW_WASTE = 3
"""How many times as long a single sample takes with samples innermost, whose vectors then are nearly empty."""


@dataclass(frozen=True)
class Innermost:
    """What is innermost, and why.

    Attributes
    ----------
    word : str
        ``"channels"`` or ``"samples"``, for batches.
    reason : str
        One sentence.
    for_few : str
        The same for a sample or a few.
    """

    word: str
    reason: str
    for_few: str


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
        return Innermost(asked, "as asked.", asked)
    edges, channels, samples, alone, pieces = 0, 0.0, 0.0, 0, 0
    for step in plan.steps:
        read = [projection for projection in step.projections if step.op == "weighted" and projection.source != ONE]
        further = sum(len(projection.nests) for projection in read) - len(read)
        is_whole = len(read) == 1 and further == 0 and read[0].table is None
        is_pooled = is_whole and step.fusion is not None and step.fusion.pool is not None
        for projection in read:
            for count, by_channels, by_samples, is_alone in _costs(projection, is_pooled):
                edges, alone = edges + count, alone + (count if is_alone else 0)
                channels, samples = channels + count * by_channels, samples + count * by_samples
        pieces += max(further, 0)
    channels += PIECE * pieces
    for_few = CHANNELS if channels <= FEW_WASTE * samples else SAMPLES
    share = 100 * alone / max(edges, 1)
    if channels <= samples:
        return Innermost(
            CHANNELS, f"{100 - share:.0f} % of the weighted edges lie in lanes, which fill vectors.", for_few
        )
    if share >= 10:
        why = f"{share:.0f} % of the weighted edges lie in no lanes"
    elif pieces >= BROKEN:
        why = f"the stencils fall into {pieces} further nests"
    else:
        why = "the lanes are too few to fill vectors"
    few = "; a sample by itself runs with channels innermost" if for_few == CHANNELS else ""
    return Innermost(SAMPLES, f"{why}, so that one neuron of many samples to a vector is quicker{few}.", for_few)


def _costs(projection: PlanProjection, is_pooled: bool) -> list[tuple[int, float, float, bool]]:
    """Of each nest and of the table: edges, their cost with channels and with samples innermost, and whether they share no lanes."""
    found = [(nest.n_edges, *_cost(nest, is_pooled)) for nest in projection.nests]
    if projection.table is not None:
        found.append((projection.table.n_edges, ALONE, SHARED_BY_SAMPLES, True))
    return found


def _cost(nest: Nest, is_pooled: bool) -> tuple[float, float, bool]:
    lanes = max((axis.count for axis in nest.axes if axis.along == 0 and abs(axis.step) == 1), default=1)
    is_dense = all(axis.weight != 0 for axis in nest.axes)
    by_samples = DENSE_BY_SAMPLES if is_dense else SHARED_BY_SAMPLES
    if lanes < 2:
        return ALONE, by_samples, True
    whole, halves = -(-lanes // WHOLE), -(-lanes // HALF)
    filled = max(lanes / (whole * WHOLE), HALF_VECTORS * lanes / (halves * HALF))
    at_best = DENSE if is_dense else POOLED if is_pooled else SPREAD
    return min(ALONE, at_best / filled), by_samples, False
