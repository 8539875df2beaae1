"""How training shows itself: a table and a bar in a terminal, a line an epoch elsewhere, nothing where silence was asked for."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

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

    def stop(self) -> None:
        """Leave the screen to others."""


class Lines(Silent):
    """A line an epoch.

    Parameters
    ----------
    n_epochs : int
    judged : str
        What the samples are called that are judged: ``"test"`` or ``"validation"``.
    """

    def __init__(self, n_epochs: int, judged: str = "test") -> None:
        self.n_epochs, self.judged = n_epochs, judged

    def epoch(self, history: History) -> None:
        self.say(epoch_line(history.epochs[-1], self.n_epochs, self.judged))

    def say(self, line: str) -> None:
        print(line, flush=True)


class Table(Lines):
    """A table with a row an epoch, and below it a bar: loss, samples a second, time left."""

    def __init__(self, n_epochs: int, judged: str = "test", console: Console | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        super().__init__(n_epochs, judged)
        epoch = TextColumn("epoch {task.fields[epoch]}/{task.fields[of]}")
        facts = TextColumn(
            "loss {task.fields[loss]}  {task.fields[speed]} samples/s  [bold]{task.fields[left]}[/] left"
        )
        self._console = console or Console(highlight=False, markup=False, soft_wrap=True)
        bar = (epoch, BarColumn(bar_width=30), TextColumn("{task.percentage:>3.0f} %"), facts)
        self._bar = Progress(*bar, console=self._console, transient=True)
        self._task = self._bar.add_task("", total=None, epoch=1, of=n_epochs, loss="-", speed="-", left="-")
        self._shown, self._has_heads = 0.0, False

    def __enter__(self) -> Table:
        self._bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def stop(self) -> None:
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

    def epoch(self, history: History) -> None:
        epoch = history.epochs[-1]
        cells = row_of(epoch, self.n_epochs, self.judged)
        if not self._has_heads:
            self._row("  ".join(head.rjust(len(cell)) for head, cell in cells.items()), "bold")
            self._has_heads = True
        is_best = history.best is epoch
        told = "  ".join(cell.rjust(len(head)) for head, cell in cells.items())
        self._row(told + ("  best so far" if is_best else ""), "green" if is_best else "")

    def _row(self, line: str, style: str) -> None:
        from rich.text import Text

        self._console.print(Text(line, style))  # a style of the call would colour the bar, too

    def say(self, line: str) -> None:
        self._console.print(line)


def reporter(n_epochs: int, quiet: bool, judged: str = "test") -> Silent:
    """The fitting way to show progress here."""
    if quiet:
        return Silent()
    return (Table if sys.stdout.isatty() else Lines)(n_epochs, judged)


def row_of(epoch: Epoch, n_epochs: int, judged: str) -> dict[str, str]:
    """The cells of an epoch's row by their heads, each as wide as it will ever be."""
    cells = {"epoch": f"{epoch.epoch:>{len(str(n_epochs))}}/{n_epochs}", "loss": f"{epoch.loss:9.5f}"}
    if epoch.validation_loss is not None:
        cells[f"{judged} loss"] = f"{epoch.validation_loss:9.5f}"
    accuracy, whose = epoch.validation_accuracy, f"{judged} acc."
    if accuracy is None:
        accuracy, whose = epoch.accuracy, "accuracy"
    if accuracy is not None:
        cells[whose] = f"{100 * accuracy:6.2f} %"
    speed = epoch.samples / epoch.seconds if epoch.seconds else 0.0
    cells["rate"] = f"{epoch.learning_rate:>8.3g}"
    return cells | {"samples/s": f"{speed:>9,.0f}", "time": f"{epoch.seconds:6.2f} s"}


def epoch_line(epoch: Epoch, n_epochs: int, judged: str = "test") -> str:
    """One epoch on one line."""
    parts = [f"epoch {epoch.epoch:>{len(str(n_epochs))}}/{n_epochs}", f"loss {epoch.loss:.5f}"]
    if epoch.validation_loss is not None:
        parts.append(f"{judged} loss {epoch.validation_loss:.5f}")
    if epoch.validation_accuracy is not None:
        parts.append(f"{judged} accuracy {100 * epoch.validation_accuracy:6.2f} %")
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
