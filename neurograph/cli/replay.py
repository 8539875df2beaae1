"""The first steps of a run, taken once more from its first weights: the same samples, order, rates and seeds, so the same updates."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurograph.errors import DrawingError

if TYPE_CHECKING:
    from neurograph.parameters import Parameters
    from neurograph.training import History, Run
    from neurograph.training.fit import Progress
    from neurograph.training.settings import Settings

BUDGET = 6_000_000_000
"""Edges times samples that are run through at most, unless steps are asked for: some seconds."""
MOST = 2_000
"""Steps at most, unless more are asked for."""


@dataclass(frozen=True)
class Replayed:
    """What was taken once more.

    Attributes
    ----------
    steps, of : int
        Steps taken, and steps the run has done.
    is_faithful : bool
        Whether every epoch that was replayed as a whole had the loss that the run had, to the last bit.
    """

    steps: int
    of: int
    is_faithful: bool

    def __str__(self) -> str:
        told = f"All {self.of:,} steps" if self.steps == self.of else f"The first {self.steps:,} of {self.of:,} steps"
        return told if self.is_faithful else f"{told} (not quite as they were: the losses differ)"


def replay(run: Run, steps: int | None, watch: Callable[[Parameters], Callable[[Progress], None]]) -> Replayed:
    """Take the first steps of a run once more, in memory; the run itself stays as it is.

    Parameters
    ----------
    run : Run
    steps : int, optional
        So many; default: all that it has done, within BUDGET.
    watch : callable
        Given the weights before the first step, returns what `fit` is to call after each.

    Raises
    ------
    DrawingError
        If it has not done an epoch, or began with weights that are not known any more.
    """
    from neurograph.cli.engines import make_engine
    from neurograph.graph.layout import layout_of
    from neurograph.training import fit
    from neurograph.training.interruption import Interruption
    from neurograph.training.samples import samples_for
    from neurograph.training.settings import Settings

    done = run.history.step
    if not done:
        raise DrawingError(f"{run.folder}: no epoch is finished yet, so there are no updates. Train on: --resume.")
    topology, s = run.topology, Settings.from_dict(run.arguments["settings"])
    layout = layout_of(topology)
    learned = run.arguments.get("normaliser")
    samples = samples_for(
        run.spec, layout, s.data, s.prepare, s.augment, seed=s.seed, limit=s.limit, normaliser=learned
    )
    params = _first_weights(run, s)
    most = steps or max(1, min(MOST, BUDGET // max(1, topology.n_edges * min(s.batch_size, samples.n))))
    enough, told = Interruption(), watch(params)
    taken = 0

    def step(progress: Progress) -> None:
        nonlocal taken
        taken = progress.step
        told(progress)
        if min(most, done) <= taken < progress.n_steps:
            enough.asked = signal.SIGINT

    history = fit(
        make_engine(topology, params, s.engine, s.threads),
        samples.x,
        samples.y,
        optimizer=s.make_optimizer(),
        validation=samples.watched,
        augment=samples.augment,
        interruption=enough,
        on_step=step,
        **{**s.for_fit(), "restore_best": False},
    )
    return Replayed(taken, done, _alike(history, run.history))


def _first_weights(run: Run, settings: Settings) -> Parameters:
    from neurograph.graph.initialise import initialise

    transfer = run.arguments.get("transfer") or {}
    if "from" in transfer:
        raise DrawingError(
            f"{run.folder}: began with the weights of {transfer['from']}, which need not be what they were then; so its first steps "
            f"cannot be taken once more. In Python: ng.fit(…, on_step=ng.viz.plots.Ratios(topology, params))."
        )
    params = initialise(run.topology, settings.seed)
    params.freeze(*transfer.get("frozen", ()))
    return params


def _alike(replayed: History, kept: History) -> bool:
    return all(one.loss == other.loss for one, other in zip(replayed.epochs, kept.epochs, strict=False))
