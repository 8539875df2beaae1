"""Runs an image's instructions over batches: arenas, gradient slots, threads, and calls short enough for a Ctrl-C."""

from __future__ import annotations

import threading
import time
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.image import Image
from neurograph.kernels import code as c
from neurograph.kernels.interpret import NARROW, WIDE, run_narrow, run_wide

Array = NDArray[Any]

SLOTS = 4
"""Parts of a batch that are summed apart. Fixed, so that sums have the same bits for any number of threads."""
CALL_SECONDS = 0.1
"""What one call aims for: Ctrl-C is heard between calls."""
ALIGNMENT = 64

_one_at_a_time = threading.Lock()
"""Numba's simplest threading layer aborts when two Python threads enter parallel kernels at once."""


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
        self.threads: int = min(threads, int(getattr(numba.config, "NUMBA_NUM_THREADS", 1)))
        n_weights = image.plan.n_weights
        self.weights = np.zeros(n_weights + len(image.constants), self.dtype)
        self.weights[n_weights:] = image.constants
        self.slots = np.zeros((SLOTS, max(n_weights, 1)), self.dtype)
        self._arenas: dict[int, Array] = {}
        self._block_seconds = 0.0
        self._nothing = np.zeros((1, 1), self.dtype)

    def forward(self, x: Array, masks: Array | None, mode: int, n_columns: int) -> Array:
        """Run forward and take out `n_columns` columns a sample."""
        out = np.empty((len(x), n_columns), self.dtype)
        self._run(x, None, masks, out, mode)
        return out

    def backward(self, x: Array, t: Array, masks: Array | None, out: Array | None, mode: int) -> tuple[float, Array]:
        """Run forward and backward; returns the summed loss and the summed gradient (a buffer of the runner's own)."""
        loss = self._run(x, t, masks, out, mode | c.BACKWARD)
        gradient = self.slots[0]
        for other in self.slots[1:]:
            gradient += other
        return loss, gradient

    def loss(self, x: Array, t: Array, out: Array) -> float:
        """Run forward for the summed loss, and the outputs into `out`."""
        return self._run(x, t, None, out, c.TARGETS | c.OUTPUTS | c.PROBABILITIES)

    def _run(self, x: Array, t: Array | None, masks: Array | None, out: Array | None, mode: int) -> float:
        width, kernel = (NARROW, run_narrow) if len(x) <= NARROW else (WIDE, run_wide)
        n_blocks = -(-len(x) // width)
        slots = min(SLOTS, n_blocks)
        loss = np.zeros(SLOTS)
        if mode & c.BACKWARD:
            self.slots[:] = 0
        batch = (
            x,
            _no_targets if t is None else t,
            self._nothing if masks is None else masks,
            self._nothing if out is None else out,
        )
        memory = self._arena(width, slots)
        first = 0
        while first < n_blocks:
            end = min(n_blocks, first + self._blocks_a_call(slots))
            blocks = np.array([first, end, slots, mode, self.image.plane], dtype=np.int64)
            started = time.perf_counter()
            self._call(kernel, memory, loss, batch, blocks)
            self._block_seconds = (time.perf_counter() - started) / (end - first)
            first = end
        return float(loss.sum())

    def _call(self, kernel: Any, memory: Array, loss: Array, batch: Any, blocks: Array) -> None:
        image = self.image
        with _one_at_a_time, np.errstate(all="ignore"):
            before = numba.get_num_threads()
            numba.set_num_threads(self.threads)
            try:
                kernel(memory, self.weights, self.slots, loss, image.code, image.tables, image.numbers, batch, blocks)
            finally:
                numba.set_num_threads(before)

    def _blocks_a_call(self, slots: int) -> int:
        """A multiple of `slots`, so that every block stays with its slot whatever the length of calls."""
        if self._block_seconds == 0:
            return slots
        return max(1, int(CALL_SECONDS / self._block_seconds) // slots) * slots

    def _arena(self, width: int, slots: int) -> Array:
        memory = self._arenas.get(width)
        if memory is None or len(memory) < slots:
            length = 4 * self.image.plane * width
            memory = _aligned_zeros(slots, length, self.dtype)
            self._arenas[width] = memory
        return memory


_no_targets = np.zeros((1, 1))


def _aligned_zeros(rows: int, length: int, dtype: Any) -> Array:
    """Zeros whose rows start at multiples of `ALIGNMENT` bytes; pages that nobody touches cost nothing."""
    per_line = ALIGNMENT // dtype.itemsize
    length = -(-length // per_line) * per_line
    flat = np.zeros(rows * length + per_line, dtype)
    skip = (-flat.ctypes.data // dtype.itemsize) % per_line
    return flat[skip : skip + rows * length].reshape(rows, length)
