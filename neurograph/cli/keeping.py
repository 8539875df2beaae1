"""What of a training is kept, and when: after every epoch, every so often amid one, and when it is asked to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from neurograph.errors import NeurographError, SaveError

if TYPE_CHECKING:
    from neurograph.cli.job import Job
    from neurograph.training import History
    from neurograph.training.history import Begun


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

    def epoch(self, history: History) -> None:
        """After an epoch."""
        self._save(history, None)
        self._show(history)

    def pause(self, history: History, begun: Begun | None) -> None:
        """Amid an epoch, or when asked to stop."""
        if begun is not None:  # otherwise the end of the epoch has been kept already
            self._save(history, begun)

    def _save(self, history: History, begun: Begun | None) -> None:
        job = self.job
        if job.run is not None:
            job.run.save(job.engine.params, job.optimizer.state(), history, begun)
        job.history, job.begun = history.copy(), begun

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
        if isinstance(error, SaveError):
            way = f"Training stopped; what was kept before is whole: {self._moment()}. Make room, then go on with: "
            return SaveError(f"{error} {way}neurograph train --resume {folder}")
        way = f"The last good weights are kept: {self._moment()}, {folder / 'last.safetensors'}. From there the same steps would"
        return type(error)(f"{error} {way} come to the same end; begin anew with other settings.")

    def _moment(self) -> str:
        """Where the last checkpoint stands."""
        job = self.job
        epochs = f"{len(job.history)} epoch{'s' * (len(job.history) != 1)}"
        return epochs if job.begun is None else f"{epochs} and {job.begun.batch:,} batches of the next"
