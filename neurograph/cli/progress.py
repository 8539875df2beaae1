"""How training shows itself: a bar in a terminal, a line an epoch elsewhere, nothing where silence was asked for."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurograph.training import Epoch, History
    from neurograph.training.fit import Progress

INTERVAL = 0.1
"""Seconds between two looks at the bar, so that looking costs nothing."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def step(self, progress: Progress) -> None:
        """After each step."""

    def epoch(self, history: History) -> None:
        """After each epoch."""

    def say(self, line: str) -> None:
        """A line of text."""


class Lines(Silent):
    """A line an epoch."""

    def __init__(self, n_epochs: int) -> None:
        self.n_epochs = n_epochs

    def epoch(self, history: History) -> None:
        self.say(epoch_line(history.epochs[-1], self.n_epochs))

    def say(self, line: str) -> None:
        print(line, flush=True)


class Bar(Lines):
    """A line an epoch, and below them a bar: loss, samples a second, time left."""

    def __init__(self, n_epochs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        super().__init__(n_epochs)
        columns = (TextColumn("epoch {task.fields[epoch]}/{task.fields[of]}"), BarColumn(bar_width=30))
        facts = TextColumn("loss {task.fields[loss]}  {task.fields[speed]} samples/s  {task.fields[left]} left")
        self._console = Console(highlight=False, markup=False, soft_wrap=True)
        self._bar = Progress(*columns, facts, console=self._console, transient=True)
        self._task = self._bar.add_task("", total=None, epoch=1, of=n_epochs, loss="-", speed="-", left="-")
        self._shown = 0.0

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.stop()

    def step(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._shown < INTERVAL:
            return
        self._shown, per_step = now, progress.seconds / progress.batch
        self._bar.update(
            self._task,
            completed=progress.step,
            total=progress.n_steps,
            epoch=progress.epoch,
            of=progress.n_epochs,
            loss=f"{progress.loss:.4f}",
            speed=f"{progress.samples / progress.seconds:,.0f}",
            left=clock((progress.n_steps - progress.step) * per_step),
        )

    def say(self, line: str) -> None:
        self._console.print(line)


def reporter(n_epochs: int, quiet: bool) -> Silent:
    """The fitting way to show progress here."""
    if quiet:
        return Silent()
    return Bar(n_epochs) if sys.stdout.isatty() else Lines(n_epochs)


def epoch_line(epoch: Epoch, n_epochs: int) -> str:
    """One epoch on one line."""
    parts = [f"epoch {epoch.epoch:>{len(str(n_epochs))}}/{n_epochs}", f"loss {epoch.loss:.5f}"]
    if epoch.validation_loss is not None:
        parts.append(f"test loss {epoch.validation_loss:.5f}")
    if epoch.validation_accuracy is not None:
        parts.append(f"test accuracy {100 * epoch.validation_accuracy:6.2f} %")
    if epoch.accuracy is not None:
        parts.append(f"accuracy {100 * epoch.accuracy:6.2f} %")
    speed = epoch.samples / epoch.seconds if epoch.seconds else 0.0
    return "  ".join([*parts, f"{epoch.seconds:.2f} s", f"{speed:,.0f} samples/s"])


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds.

    Examples
    --------
    >>> clock(7.4), clock(754)
    ('0:07', '12:34')
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
