"""Runs an image's instructions over batches: arenas, gradient slots, threads, and calls short enough for a Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.aligned import SLACK, aligned_zeros
from neurograph.compiler.contexts import Contexts, Few
from neurograph.compiler.image import Image
from neurograph.compiler.launching import Launch, Turns, ready_to_run, run, run_in_turn
from neurograph.compiler.sharing import run_shared, shared_stretches
from neurograph.compiler.updating import Ruled
from neurograph.kernels import code as c
from neurograph.kernels.code import N_PLANES
from neurograph.kernels.interpret import NARROW, WIDE, interpreter
from neurograph.kernels.jit import COMPILED, start_threads

Array = NDArray[Any]

SLOTS = 4
"""Parts of a batch that are summed apart. Fixed, so that sums have the same bits for any number of threads."""
CALL_SECONDS = 0.1
"""What one call aims for: Ctrl-C is heard between calls."""
MOST_KEPT = 1 << 25
"""Bytes of activations and δ that are kept of a batch."""
NEAR = 1 << 19
"""Bytes that a block may work on and have them at hand."""


@dataclass(frozen=True)
class Last:
    """A few samples that ran forward: in which shape they came, where they and their answers stand, and how to run the same again."""

    shape: tuple[int, ...]
    contexts: Contexts
    few: Few
    x: Array
    out: Array
    run: Callable[[], None]


class Runner:
    """Memory and machine of one program.

    Parameters
    ----------
    image : Image
    dtype : str
    threads : int
    """

    def __init__(self, image: Image, dtype: str, threads: int) -> None:
        self.image, self.dtype = image, np.dtype(dtype)
        self.threads = min(threads, start_threads())
        n_weights = image.storage.n_weights
        self.weights = aligned_zeros(1, n_weights + len(image.constants) + SLACK, self.dtype)[0]
        self.weights[n_weights : n_weights + len(image.constants)] = image.constants
        self.slots = aligned_zeros(SLOTS, image.n_gradient + SLACK, self.dtype)
        self._packed = aligned_zeros(1, image.n_packed + SLACK, self.dtype)[0]
        self._contexts: dict[int, Contexts] = {}
        self._kept: tuple[Array, Array] = np.zeros((1, max(image.kept, 1)), self.dtype), np.zeros(1, np.int64)
        self._block_seconds = 0.0
        self._shared = shared_stretches(image) if COMPILED and self.threads > 1 else []
        self._last: Last | None = None
        self.launch: Launch = run
        """What runs the interpreter; a stopwatch may take its place (see `neurograph.compiler.timing`)."""

    def forward(self, x: Array, masks: Array | None, mode: int, n_columns: int) -> Array:
        """Run forward and take out `n_columns` columns a sample."""
        out = np.empty((len(x), n_columns), self.dtype)
        self._run(x, None, masks, out, mode)
        return out

    def again(self, x: Array) -> Array | None:
        """What `forward` would give, for as many samples as the last time; None: something else came in between, ask it."""
        last = self._last
        if last is None or x.shape != last.shape or x.dtype != self.dtype or last.contexts.aimed_at is not last.few:
            return None
        last.x[...] = x
        if self._shared:
            run_shared(self.launch, last.few.rows, len(x), self._shared, self.threads)
        else:
            last.run()
        return last.out.copy()

    def expect_again(self, given: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        """The next samples may come in the shape `given`, and want answers of the shape `wanted`: what `again` is for."""
        contexts = self._contexts.get(NARROW)
        few = None if contexts is None else contexts.aimed_at
        if contexts is None or few is None or few.out is None:
            self._last = None
        else:
            self._last = Last(
                given,
                contexts,
                few,
                few.x.reshape(given),
                few.out.reshape(wanted),
                ready_to_run(interpreter(), few.rows),
            )

    def backward(self, x: Array, t: Array, masks: Array | None, out: Array | None, mode: int) -> tuple[float, int]:
        """Run forward and backward; returns the summed loss, and in how many slots the gradient stands."""
        loss = self._run(x, t, masks, out, mode | c.BACKWARD | c.SUM | c.SPREAD)
        return loss, self._n_slots(len(x), self._block(len(x), mode))

    def train(self, x: Array, t: Array, masks: Array | None, mode: int, rule: Ruled, ranges: Array) -> float:
        """Run forward and backward and change the weights by a rule, in mode `STEP` after every sample; returns the summed loss."""
        block = self._block(len(x), mode)
        slots = 1 if mode & c.STEP else self._n_slots(len(x), block)
        contexts = self._contexts_for(block, slots)
        kept, rows = self._room_to_keep(len(x) if mode & c.LATER else 0)
        contexts.rule_by(rule, ranges, slots, kept, rows)
        loss = self._run(x, t, masks, None, mode | c.BACKWARD)
        if not mode & c.STEP:
            parts = min(self.threads, slots)
            self.launch(interpreter(), contexts.after(parts), parts, self.threads)
        return loss

    def train_in_turn(self, x: Array, t: Array, batch: int, mode: int, rule: Ruled, ranges: Array) -> list[float]:
        """`train` for one batch of so many samples after another, in one call; returns their summed losses. Compiled code only."""
        block = self._block(batch, mode)
        slots = 1 if mode & c.STEP else self._n_slots(batch, block)
        contexts = self._contexts_for(block, slots)
        contexts.rule_by(rule, ranges, slots, *self._room_to_keep(batch if mode & c.LATER else 0))
        contexts.losses.fill(0)
        contexts.aim((x[:batch], t[:batch], None, None), mode | c.BACKWARD | c.QUIET)
        rows = contexts.over((0, -(-batch // block)), slots, True)
        parts = 0 if mode & c.STEP else min(self.threads, slots)
        turns = Turns(len(x) // batch, parts > 0, slots, parts, (batch * x.strides[0], batch * t.strides[0]))
        losses = run_in_turn(interpreter(), rows, turns, self.threads, contexts.losses)
        return [float(sum(of_slots)) for of_slots in losses.tolist()]

    def may_keep(self, batch: int) -> bool:
        """Whether there is room to keep what a batch's gradient is made of."""
        return batch * self.image.kept * self.dtype.itemsize <= MOST_KEPT

    def _room_to_keep(self, batch: int) -> tuple[Array, Array]:
        if len(self._kept[0]) < max(batch, 1):
            columns = max(self.image.kept, 1)
            kept = aligned_zeros(1, batch * columns + SLACK, self.dtype)[0, : batch * columns].reshape(batch, columns)
            self._kept = kept, np.arange(batch, dtype=np.int64) * columns
        return self._kept

    def loss(self, x: Array, t: Array, out: Array) -> float:
        """Run forward for the summed loss, and the outputs into `out`."""
        return self._run(x, t, None, out, c.TARGETS | c.OUTPUTS | c.PROBABILITIES)

    def _run(self, x: Array, t: Array | None, masks: Array | None, out: Array | None, mode: int) -> float:
        if len(x) <= NARROW and masks is None and not mode & c.TRACE:
            return self._run_few(x, t, out, mode | c.QUIET)
        block = self._block(len(x), mode)
        n_blocks, slots = -(-len(x) // block), self._n_slots(len(x), block) if not mode & c.STEP else 1
        contexts = self._contexts_for(block, slots)
        wants_loss = mode & c.TARGETS
        if wants_loss:
            contexts.losses.fill(0)
        contexts.aim((x, t, masks, out), mode if mode & c.TRACE else mode | c.QUIET)
        first = 0
        while first < n_blocks:
            end = min(n_blocks, first + self._blocks_a_call(slots))
            started = time.perf_counter()
            rows = contexts.over((first, end), slots, end == n_blocks)
            self.launch(
                interpreter(),
                rows,
                slots,
                self.threads,
                before=first == 0 and mode & (c.BACKWARD | c.STEP) == c.BACKWARD,
            )
            self._block_seconds = (time.perf_counter() - started) / (end - first)
            first = end
        if not wants_loss:
            return 0.0
        return float(sum(contexts.losses.ravel().tolist()))

    def _run_few(self, x: Array, t: Array | None, out: Array | None, mode: int) -> float:
        """The same for a few samples, in one call, without what would take longer than their kernels."""
        contexts = self._contexts_for(1 if mode & c.STEP else NARROW, 1)
        few = contexts.aim_at_few(x, t, out, mode)
        if mode & c.TARGETS:
            contexts.losses.fill(0)
        if self._shared and not mode & c.BACKWARD:
            run_shared(self.launch, few.rows, len(x), self._shared, self.threads)
        else:
            self.launch(interpreter(), few.rows, 1, 1, before=mode & (c.BACKWARD | c.STEP) == c.BACKWARD)
        if out is not None:
            out[:] = few.out
        return contexts.losses.item(0) if mode & c.TARGETS else 0.0

    def _n_slots(self, batch: int, block: int) -> int:
        return min(SLOTS, -(-batch // block))

    def _block(self, batch: int, mode: int) -> int:
        """Samples in a block: with channels innermost so few that their activations and errors stay in the nearer cache."""
        if batch <= NARROW or mode & c.STEP:
            return 1 if mode & c.STEP else NARROW
        near = 2 * self.image.plane * WIDE * self.dtype.itemsize <= NEAR
        return WIDE if near or not self.image.channels else WIDE // 2

    def _blocks_a_call(self, slots: int) -> int:
        """A multiple of `slots`, so that every block stays with its slot whatever the length of calls."""
        if self._block_seconds == 0:
            return slots
        return max(1, int(CALL_SECONDS / self._block_seconds) // slots) * slots

    def _contexts_for(self, block: int, slots: int) -> Contexts:
        contexts = self._contexts.get(block)
        if contexts is None or contexts.slots < slots:
            places, step = N_PLANES * self.image.plane, 0
            if self.image.channels:
                step = _odd(places)
                memory = aligned_zeros(slots, block * step + SLACK, self.dtype)
                for sample in range(block):
                    memory[:, sample * step : sample * step + WIDE] = 1  # the neuron that biases come from
            else:
                memory = aligned_zeros(slots, places * block, self.dtype)
                memory[:, :block] = 1
            if block == NARROW and self._shared:
                memory = np.broadcast_to(memory[:1], (min(self.threads, SLOTS), memory.shape[1]))
            contexts = Contexts(self.image, memory, self.weights, self._packed, self.slots, block, step)
            self._contexts[block] = contexts
        return contexts


def _odd(places: int) -> int:
    """At least so many places, in an odd number of vectors: equal places of several samples then share no cache set."""
    vectors = -(-places // WIDE)
    return WIDE * (vectors + 1 - vectors % 2)
