"""One compiled call at a time, on so many threads."""

from __future__ import annotations

import ctypes
import functools
import threading
from typing import Any, Protocol

import numba
import numpy as np
from llvmlite import binding

from neurograph.kernels.interpret import stretch
from neurograph.kernels.jit import COMPILED, start_threads

_one_at_a_time = threading.Lock()
"""Numba's simplest threading layer aborts when two Python threads enter parallel kernels at once."""

Word = ctypes.c_size_t * 1


class Launch(Protocol):
    """What `run` is."""

    def __call__(self, work: Any, rows: Any, n: int, threads: int, *, before: bool = False) -> None: ...


def run(work: Any, rows: Any, n: int, threads: int, *, before: bool = False) -> None:
    """Run what is at address `work` (the interpreter) for `n` rows of the contexts; `before` all of them once for the last row."""
    with _one_at_a_time:
        if not COMPILED:
            with np.errstate(all="ignore"):
                for row in ([rows[-1]] if before else []) + list(rows[:n]):
                    work(row)
            return
        first, apart, call = ctypes.addressof(ctypes.c_char.from_buffer(rows)), rows.strides[0], _callable(work)
        if before:
            call(first + (len(rows) - 1) * apart)
        if n == 1 or threads == 1 or _parallel_for() is None:
            for i in range(n):
                call(first + i * apart)
        else:
            _side_by_side(work, first, apart, n, min(threads, n))


@functools.cache
def _callable(address: int) -> Any:
    """What is at an address, as Python calls it; other threads of Python may run meanwhile."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)


def _side_by_side(work: int, first: int, apart: int, n: int, threads: int) -> None:
    """Share rows among threads; how many Numba uses elsewhere stays what it was."""
    usual = numba.get_num_threads()
    try:
        _parallel_for()(stretch(), Word(first), Word(n), Word(apart), work, 0, 1, threads)
    finally:
        if usual != numba.get_num_threads():
            numba.set_num_threads(usual)


@functools.cache
def _parallel_for() -> Any:
    """Numba's way into a parallel region, which every one of its threading layers has under this name.

    It takes a function of (arrays, counts, steps, data); arrays, counts and steps; data; how many dimensions and arrays there are
    besides the first; threads. Called through Numba's own compiler it costs half a second the first time and 50 ms at every start.
    None where a Numba has no such name: rows then run one after another, to the same bits.
    """
    start_threads()
    address, pointer, size = binding.address_of_symbol("numba_parallel_for"), ctypes.c_void_p, ctypes.c_size_t
    if address is None:
        return None
    return ctypes.CFUNCTYPE(None, *[pointer] * 5, size, size, ctypes.c_int)(address)
