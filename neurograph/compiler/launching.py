"""One compiled call at a time, on so many threads."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from llvmlite import binding

from neurograph.kernels import in_turn
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
        first, apart, call = _address(rows), rows.strides[0], _callable(work)
        if before:
            call(first + (len(rows) - 1) * apart)
        if n == 1 or threads == 1 or _parallel_for() is None:
            for i in range(n):
                call(first + i * apart)
        else:
            _side_by_side(work, first, apart, n, min(threads, n))


def ready_to_run(work: Any, rows: Any) -> Callable[[], None]:
    """`run` for the first row, which stays where it is: all that can be found out before is."""
    if not COMPILED:
        return functools.partial(run, work, rows, 1, 1)
    call, first = _callable(work), _address(rows)

    def go() -> None:
        with _one_at_a_time:
            call(first)

    return go


@functools.cache
def _callable(address: int) -> Any:
    """What is at an address, as Python calls it; other threads of Python may run meanwhile."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)


@dataclass(frozen=True)
class Turns:
    """Steps that are taken in one call.

    Attributes
    ----------
    n : int
    before : bool
        Whether something runs before all slots.
    slots, parts : int
        Of a batch, and of the update that follows (0: there is none).
    apart : tuple of int
        Bytes from one batch's inputs to the next one's, and from its targets.
    """

    n: int
    before: bool
    slots: int
    parts: int
    apart: tuple[int, int]


def run_in_turn(work: int, rows: Any, turns: Turns, threads: int, sums: Any) -> Any:
    """Take several steps in one call; compiled code only.

    Parameters
    ----------
    work : int
        Address of the interpreter.
    rows : ndarray
        Contexts, set for the first batch.
    turns : Turns
    threads : int
    sums : ndarray, shape (slots or more, 1)
        Where slots sum up losses; zeros.

    Returns
    -------
    ndarray, shape (steps, slots)
        Summed losses.
    """
    told, losses = np.zeros(in_turn.N_TOLD, np.int64), np.zeros((turns.n, turns.slots))
    words = _address(told) + 8 * in_turn.FIRST
    with _one_at_a_time, _NumbasThreadsStay():
        shared = (int(turns.before), turns.slots, turns.parts, threads, *turns.apart)
        parallel = _address_of_parallel_for() or 0
        told[: in_turn.FIRST] = (turns.n, len(rows), *shared, work, stretch(), parallel, words)
        _steps_of(in_turn.in_turn())(*map(_address, (rows, told, sums, losses)))
    return losses


@functools.cache
def _steps_of(address: int) -> Any:
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(address)


def _address(array: Any) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(array))


def _side_by_side(work: int, first: int, apart: int, n: int, threads: int) -> None:
    """Share rows among threads."""
    with _NumbasThreadsStay():
        _parallel_for()(stretch(), Word(first), Word(n), Word(apart), work, 0, 1, threads)


class _NumbasThreadsStay:
    """Leaves Numba with as many threads as it had; a generator would take three times as long."""

    def __enter__(self) -> None:
        self.usual = _numbas_threads()[0]()

    def __exit__(self, *_: object) -> None:
        _numbas_threads()[1](self.usual)


@functools.cache
def _numbas_threads() -> tuple[Any, Any]:
    """To ask and to say how many there are, in a quarter of the time that Numba's own way takes."""
    start_threads()
    asked, said = (binding.address_of_symbol(f"{word}_num_threads") for word in ("get", "set"))
    return ctypes.CFUNCTYPE(ctypes.c_int)(asked), ctypes.CFUNCTYPE(None, ctypes.c_int)(said)


@functools.cache
def _parallel_for() -> Any:
    """Numba's way into a parallel region, which every one of its threading layers has under this name.

    It takes a function of (arrays, counts, steps, data); arrays, counts and steps; data; how many dimensions and arrays there are
    besides the first; threads. Called through Numba's own compiler it costs half a second the first time and 50 ms at every start.
    None where a Numba has no such name: rows then run one after another, to the same bits.
    """
    address, pointer, size = _address_of_parallel_for(), ctypes.c_void_p, ctypes.c_size_t
    if address is None:
        return None
    return ctypes.CFUNCTYPE(None, *[pointer] * 5, size, size, ctypes.c_int)(address)


@functools.cache
def _address_of_parallel_for() -> int | None:
    start_threads()
    found: int | None = binding.address_of_symbol("numba_parallel_for")
    return found
