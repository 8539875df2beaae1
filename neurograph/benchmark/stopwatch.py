"""Alternation: every round runs each contender for a short while, one after the other; ratios are taken within rounds."""

from __future__ import annotations

import functools
import itertools
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neurograph.benchmark.peers.contender import Contender, InTurn


@dataclass(frozen=True)
class Spread:
    """A median, and the range it comes from.

    Examples
    --------
    >>> Spread.of([3.0, 1.0, 2.0])
    Spread(median=2.0, low=1.0, high=3.0)
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Pace:
    """How long to measure: rounds, and seconds a contender has in each."""

    rounds: int = 5
    seconds: float = 0.4


Runs = Mapping[str, Callable[[], float]]
"""Contender → a function that runs it for its while, and says how many samples a second."""


def runner(contender: Contender, mode: str, given: Sequence[tuple[object, object]], pace: Pace) -> Callable[[], float]:
    """A function that runs a contender in `mode` (``train`` or ``infer``) over the batches in turn.

    Small batches are handed to `train_steps`, several in one call, where a contender has it: so `neurograph.fit` trains them.
    """
    run: Callable[[Any], object] = contender.train if mode == "train" else contender.infer
    samples = size = len(given[0][0])  # type: ignore[arg-type]
    own = [contender.ready(*batch) for batch in given]  # type: ignore[arg-type]
    if mode == "train" and isinstance(contender, InTurn):
        run, own = functools.partial(contender.train_steps, size=size), contender.in_turn(own)
        samples = len(own[0][0])
    turn = itertools.cycle(own)

    def rate() -> float:
        run(next(turn))  # wakes its threads
        contender.wait()
        begin, n = time.perf_counter(), 0
        while True:
            run(next(turn))
            n += 1
            if time.perf_counter() - begin >= pace.seconds:
                break
        contender.wait()
        return n * samples / (time.perf_counter() - begin)

    for batch in own[:2]:  # whoever compiles does it here
        run(batch)
    contender.wait()
    return rate


REST = 0.15
"""Seconds between two turns: some libraries' threads go on spinning behind their last work, at the next one's cost."""


def alternate(runs: Runs, rounds: int) -> dict[str, list[float]]:
    """Samples a second of every contender in every round."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(REST)
            found[name].append(run())
    return found


def ratio(mine: Sequence[float], theirs: Sequence[float]) -> Spread:
    """How many times as fast, round by round."""
    return Spread.of([a / b for a, b in zip(mine, theirs, strict=True)])


def seconds_of(run: Callable[[], object], times: int = 3) -> Spread:
    """How long a call takes, over a few calls."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        found.append(time.perf_counter() - begin)
    return Spread.of(found)
