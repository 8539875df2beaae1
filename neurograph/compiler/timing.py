"""How long each step of a program takes: its instructions run one at a time, in the order and on the numbers of a real training step.

A `Stopwatch` takes the place of the runner's launcher. Where that walks all instructions of a block in one compiled call, the
stopwatch makes a call for each, on one thread, and books the time to the step that the instruction was written for. Kernels, memory
and results are those of the program.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

from neurograph.compiler.emit import Mark
from neurograph.compiler.image import Image
from neurograph.compiler.launching import run
from neurograph.compiler.program import Program
from neurograph.engine import Batch, Optimizer
from neurograph.kernels import code as c

EMPTY_CALLS = 200
"""Calls without an instruction, to know what a call alone takes."""
REST: Hashable = None
"""The name of what belongs to no step: inputs and outputs forward, the loss backward, and as `REST, "call"` what is no instruction."""


class Stopwatch:
    """Runs contexts instruction by instruction; see `neurograph.compiler.launching.run`.

    Attributes
    ----------
    seconds : dict
        (population, phase) → seconds so far.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self.seconds: dict[Mark, float] = dict.fromkeys(image.marks, 0.0)
        self._call = 0.0

    def __call__(self, work: Any, rows: Any, n: int, threads: int, *, before: bool = False) -> None:
        n_before, n_first, n_last, n_after = self._image.parts
        begin, after, every = n_before + n_first, len(self._image.code) - n_after, len(self._image.code)
        kept = [list(row) for row in rows]
        self._call = self._call or self._empty(work, rows[:1])
        if before:
            self._walk(work, rows[len(rows) - 1 :], range(n_before))
        for slot in range(n):
            row, context = rows[slot], rows[slot : slot + 1]
            if kept[slot][c.PHASE] == 2:
                self._walk(work, context, range(after, every))
                continue
            steps = kept[slot][c.MODE] & c.STEP
            if kept[slot][c.IS_FIRST] and not steps:
                self._walk(work, context, range(n_before, begin))
            for block in range(kept[slot][c.FIRST_BLOCK], kept[slot][c.END_BLOCK], kept[slot][c.BLOCK_STEP]):
                valid = min(row[c.BLOCK], row[c.BATCH] - block * row[c.BLOCK])
                row[c.FIRST_SAMPLE], row[c.VALID] = block * row[c.BLOCK], valid
                row[c.PASSES] = valid if row[c.PASS_STEP] else 1
                self._walk(work, context, range(every) if steps else range(begin, after - n_last))
            if kept[slot][c.IS_LAST] and not steps:
                self._walk(work, context, range(after - n_last, after))
        for row, values in zip(rows, kept, strict=True):
            row[:] = values

    def _walk(self, work: Any, context: Any, instructions: range) -> None:
        """Run some instructions, each in a call of its own, if the mode of the run wants them."""
        mode = int(context[0][c.MODE])
        for i in instructions:
            if int(self._image.code[i, c.WHEN]) & ~mode == 0:
                self.seconds[self._image.marks[i]] += max(0.0, self._one(work, context, i, 1) - self._call)

    def _one(self, work: Any, context: Any, first: int, count: int) -> float:
        """Seconds of a call that walks `count` instructions: they pose as those that come after all blocks."""
        row = context[0]
        row[c.PHASE], row[c.N_INSTRUCTIONS], row[c.N_AFTER] = 2, first + count, count
        begin = time.perf_counter()
        run(work, context, 1, 1)
        return time.perf_counter() - begin

    def _empty(self, work: Any, context: Any) -> float:
        return min(self._one(work, context, 0, 0) for _ in range(EMPTY_CALLS))


def step_seconds(
    program: Program, x: Batch, target: Batch | None, optimizer: Optimizer, seconds: float = 0.5
) -> dict[Mark, float]:
    """Seconds that each step takes for a batch, forward and backward, on one core: the least over many batches, since a neighbour only adds.

    Parameters
    ----------
    program : Program
        It trains while it is timed.
    target : array_like, optional
        None: forward only.
    seconds : float
        How long to go on, roughly.

    Returns
    -------
    dict
        (population, phase) → seconds a batch; ``(None, phase)`` is what belongs to no step, ``(None, "call")`` what a batch takes
        besides its instructions: reading it, updating weights, and the calls themselves.
    """

    def once() -> None:
        if target is None:
            program.forward(x)
        else:
            program.train_step(x, target, optimizer)

    program = program.for_batch(len(program._reading.given(x)))
    runner = program._runner
    usual, stopwatch = runner.launch, Stopwatch(program._image)
    wholes: list[float] = []
    batches: list[dict[Mark, float]] = []
    once()
    begin = time.perf_counter()
    while not batches or time.perf_counter() - begin < seconds:
        wholes.append(_seconds(once))
        runner.launch = stopwatch
        try:
            stopwatch.seconds = dict.fromkeys(stopwatch.seconds, 0.0)
            once()
        finally:
            runner.launch = usual
        batches.append(stopwatch.seconds)
    found = {mark: min(took[mark] for took in batches) for mark in stopwatch.seconds}
    return {**found, (REST, "call"): max(0.0, min(wholes) - sum(found.values()))}


def _seconds(once: Callable[[], None]) -> float:
    begin = time.perf_counter()
    once()
    return time.perf_counter() - begin
