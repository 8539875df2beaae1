"""One compiled call at a time, on so many threads: what the runner and the update share."""

from __future__ import annotations

import threading
from typing import Any, Protocol

import numba
import numpy as np

from neurograph.kernels.interpret import launch
from neurograph.kernels.jit import COMPILED

_one_at_a_time = threading.Lock()
"""Numba's simplest threading layer aborts when two Python threads enter parallel kernels at once."""


class Launch(Protocol):
    """What `run` is."""

    def __call__(self, work: Any, rows: Any, n: int, threads: int, *, before: bool = False) -> None: ...


def run(work: Any, rows: Any, n: int, threads: int, *, before: bool = False) -> None:
    """Run what is at address `work` for `n` contexts; `before` all of them once for the last context."""
    with _one_at_a_time:
        if not COMPILED:
            with np.errstate(all="ignore"):
                launch(work, rows, n, before, True)
        elif n == 1 or threads == 1:
            launch(work, rows, n, before, True)
        else:
            _with_threads(min(threads, n), work, rows, n, before)


def _with_threads(threads: int, work: Any, rows: Any, n: int, before: bool) -> None:
    usual = numba.get_num_threads()
    if usual == threads:
        launch(work, rows, n, before, False)
        return
    numba.set_num_threads(threads)
    try:
        launch(work, rows, n, before, False)
    finally:
        numba.set_num_threads(usual)
