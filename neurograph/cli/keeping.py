"""What of a training is kept, and when: after every epoch, every so often amid one, and when it is asked to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from neurograph.errors import NeurographError, SaveError

if TYPE_CHECKING:
    from neurograph.cli.job import Job
    from neurograph.training import History
    from neurograph.training.checkpoints import Checkpoint
    from neurograph.training.history import Begun


AT_MOST_EVERY = 1.0
"""Seconds: of epochs that are shorter, not every one is written; a kill then costs so much, a wish to stop nothing."""

SHARE = 0.05
"""Of the time, at most, for writing: a history of many thousand epochs takes longer to write than one of them to train."""


class Keeping:
    """Writes a job's run folder, and says what is in it.

    Parameters
    ----------
    job : Job
    show : callable
        Told of the history after every epoch.
    """

    def __init__(self, job: Job, show: Callable[[History], object]) -> None:
        self.job, self._show = job, show
        self._last: Checkpoint | None = None
        self._best: Checkpoint | None = None
        self._due = -float("inf")

    def epoch(self, history: History) -> None:
        """After an epoch."""
        if self.job.run is None:
            self.job.history = history.copy()
        else:
            self._last = self.job.run.moment(self.job.engine.params, self.job.optimizer.state(), history)
            self._best = self._last if history.best is history.epochs[-1] else self._best
            if time.monotonic() >= self._due:
                self.write()
        self._show(history)

    def pause(self, history: History, begun: Begun | None) -> None:
        """Amid an epoch, or when asked to stop."""
        if begun is not None and self.job.run is not None:
            self._last = self.job.run.moment(self.job.engine.params, self.job.optimizer.state(), history, begun)
        self.write()

    def write(self) -> None:
        """Write what is not written yet."""
        if self._last is not None and self.job.run is not None:
            begin = time.monotonic()
            self.job.run.write(self._last, self._best)
            self.job.history, self.job.begun = self._last.history, self._last.begun
            self._last = self._best = None
            end = time.monotonic()
            self._due = end + max(AT_MOST_EVERY, (end - begin) / SHARE)

    def told(self) -> str:
        """What is kept, and how to go on with it; nothing without a run folder."""
        if self.job.run is None:
            return "Nothing was kept (--out DIR keeps a run)."
        return f"Kept: {self._moment()}. Go on with: neurograph train --resume {self.job.run.folder}"

    def explained(self, error: NeurographError) -> NeurographError:
        """The error, with what has been kept from before it."""
        if self.job.run is None:
            return error
        folder = self.job.run.folder
        if isinstance(error, SaveError) and not folder.exists():
            way = f"Training stopped; up to {self._moment()} it was kept. Put the folder back, or name it as it is called now: "
            return SaveError(f"{error} {way}neurograph train --resume DIR")
        if isinstance(error, SaveError):
            way = f"Training stopped; what was kept before is whole: {self._moment()}. Make room, then go on with: "
            return SaveError(f"{error} {way}neurograph train --resume {folder}")
        self.write()  # of short epochs the last good one may not be written yet
        way = f"The last good weights are kept: {self._moment()}, {folder / 'last.safetensors'}. From there the same steps would"
        return type(error)(f"{error} {way} come to the same end; begin anew with other settings.")

    def _moment(self) -> str:
        """Where the last checkpoint stands."""
        job = self.job
        epochs = f"{len(job.history)} epoch{'s' * (len(job.history) != 1)}"
        if job.begun is None:
            return epochs
        return f"{epochs} and {job.begun.batch:,} batch{'es' * (job.begun.batch != 1)} of the next"
