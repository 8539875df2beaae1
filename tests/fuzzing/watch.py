"""Runs inputs one after another and watches each of them: what it raises, how long it takes, what memory it asks for.

An input is a pure function of its target's name and its number, so a failure is told as one line that makes it again.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from neurograph.errors import NeurographError

LONGEST = 2.0
"""Seconds of processor time that one input may take; the clock on the wall also counts what other programs do."""
MOST_MEMORY = 512 * 2**20
"""Bytes by which the process may grow over all inputs together; so no single one asks for more."""
FENCE = 4 * 2**30
"""Bytes of addresses beyond those in use at the beginning; threads and libraries reserve some without using them."""
HOPELESS = 300.0
"""Seconds on the wall after which an input is given up: it waits for something."""
MOST_SHOWN = 4_000
"""Characters of an input shown; longer ones are found again by their number."""
ENOUGH = 10
"""Different failures after which a process stops."""


class Target(Protocol):
    """What is fuzzed: makes an input, runs it, shows it."""

    def __init__(self, folder: Path) -> None: ...

    def make(self, random: Random) -> Any: ...

    def run(self, made: Any) -> str:
        """Run an input and say in a word what became of it; raises NeurographError where it is refused."""

    def shown(self, made: Any) -> str:
        """The input as Python, to be pasted into a test."""


class Hopeless(BaseException):
    """An input that does not end; no handler of an Exception swallows it."""


def demand(holds: bool, what: str) -> None:
    """Raise AssertionError unless it holds; for where a refusal is looked at."""
    if not holds:
        raise AssertionError(what)


@dataclass
class Tally:
    """What became of inputs.

    Attributes
    ----------
    outcomes : Counter of str
    failures : dict of str to str
        The first input of each different failure: what went wrong, and how to make it again.
    slowest : (float, int)
        Seconds and number of the slowest input.
    grown : int
        Bytes by which the process grew.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, -1)
    grown: int = 0

    @property
    def n_inputs(self) -> int:
        """Inputs that were run."""
        return self.outcomes.total()

    def __add__(self, other: Tally) -> Tally:
        failures = {**other.failures, **self.failures}
        slowest, grown = max(self.slowest, other.slowest), max(self.grown, other.grown)
        return Tally(self.outcomes + other.outcomes, failures, slowest, grown)

    def __str__(self) -> str:
        n = max(self.n_inputs, 1)
        mix = ", ".join(f"{word} {100 * count / n:.1f} %" for word, count in self.outcomes.most_common())
        seconds, number = self.slowest
        told = f"{self.n_inputs:,} inputs: {mix}\nslowest: {seconds:.2f} s (number {number}); grown by {self.grown / 2**20:.0f} MiB"
        return "\n\n".join([told, *self.failures.values()])


def campaign(name: str, numbers: Iterable[int]) -> Tally:
    """Run the inputs of these numbers, in this process, until all are done or there are failures enough."""
    from fuzzing.targets import TARGETS

    tally = Tally()
    with TemporaryDirectory() as folder, _alarmed(), fenced(), warnings.catch_warnings():
        warnings.simplefilter("error")
        target = TARGETS[name](Path(folder).resolve())
        before = _most_memory()
        for number in numbers:
            made = target.make(Random(f"{name} {number}"))
            what = _watched(target, made, number, tally)
            tally.grown = _most_memory() - before
            if tally.grown > MOST_MEMORY:
                what = f"memory: the process has grown by {tally.grown / 2**20:.0f} MiB"
            if what is not None:
                key = what.strip().splitlines()[-1] if "Traceback" not in what else _last_place(what)
                again = f"python -m fuzzing {name} --only {number}"
                tally.failures.setdefault(key, f"{what}\nwith {target.shown(made)[:MOST_SHOWN]}\nagain: {again}")
            if len(tally.failures) >= ENOUGH or tally.grown > MOST_MEMORY:
                break
    return tally


def _watched(target: Target, made: Any, number: int, tally: Tally) -> str | None:
    """Run an input; what went wrong, or None."""
    what, seconds = _timed(target, made, tally)
    tally.slowest = max(tally.slowest, (seconds, number))
    if what is None and seconds > LONGEST:
        return f"time: {seconds:.1f} s; at most {LONGEST} are allowed"
    return what


def _timed(target: Target, made: Any, tally: Tally) -> tuple[str | None, float]:
    started, what = time.process_time(), None
    signal.setitimer(signal.ITIMER_REAL, HOPELESS)
    try:
        outcome = target.run(made)
    except NeurographError as error:
        outcome = "refused"
        if not str(error).strip():
            outcome, what = "failed", f"{type(error).__name__} without a message"
    except (Exception, Hopeless):
        outcome, what = "failed", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    tally.outcomes[outcome] += 1
    return what, time.process_time() - started


def _most_memory() -> int:
    """Bytes that the process has had in memory at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _last_place(what: str) -> str:
    """File, line and kind of a traceback's end: two inputs that fail alike are one failure."""
    lines = what.strip().splitlines()
    place = [line for line in lines if line.startswith("  File ")][-1]
    return f"{place} {lines[-1].split(':')[0]}"


@contextlib.contextmanager
def _alarmed() -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise Hopeless(f"not done after {HOPELESS} s")

    before = signal.signal(signal.SIGALRM, ring)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def fenced() -> Iterator[None]:
    """Address space ends some gigabytes above what is in use: an input that asks for everything gets a MemoryError, not the machine."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = Path("/proc/self/statm")
    used = int(pages.read_text().split()[0]) * resource.getpagesize() if pages.exists() else 2**36
    resource.setrlimit(resource.RLIMIT_AS, (used + FENCE, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def in_processes(
    name: str, n: int, processes: int = 2, portion: int = 2_000, show: Callable[[Tally], object] = lambda _: None
) -> Tally:
    """Run the inputs 0 … n−1 in several processes, portion by portion, and show how far they have come."""
    portions = [(name, range(start, min(start + portion, n))) for start in range(0, n, portion)]
    tally = Tally()
    with get_context("spawn").Pool(processes) as pool:
        for part in pool.imap_unordered(_campaign, portions):
            tally += part
            show(tally)
            if len(tally.failures) >= ENOUGH:
                pool.terminate()
                break
    return tally


def _campaign(portion: tuple[str, range]) -> Tally:
    return campaign(*portion)
