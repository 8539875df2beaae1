"""Several steps in one compiled call: batch after batch forward, backward and an update, launched as Python launches those of one."""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import types

from neurograph.kernels import code as c
from neurograph.kernels.jit import address_with, inner
from neurograph.kernels.simd import Pointer, call_parallel, call_slot, get, put

(N_STEPS, N_ROWS, BEFORE, N_SLOTS, N_PARTS, THREADS, INPUTS_APART, TARGETS_APART) = range(8)
(WORK, STRETCH, PARALLEL_FOR, WORDS) = range(8, 12)
FIRST, COUNT, APART = range(12, 15)
N_TOLD = 15
"""What `run_steps` is told: how many steps; rows of contexts; whether something runs before all slots; slots of a batch, parts of an
update; threads; how many bytes two batches lie apart; addresses of the interpreter, of `neurograph.kernels.interpret.run_stretch`, of
Numba's `parallel_for` (0: there is none), and of the three places behind it, where `parallel_for` looks for the rows it
shares out."""


@cache
def in_turn() -> Any:
    """`run_steps`, as an address."""
    integers, reals = types.CPointer(types.int64), types.CPointer(types.float64)
    return address_with(run_steps, (integers, integers, reals, reals))


def run_steps(contexts: Pointer, told: Pointer, sums: Pointer, losses: Pointer) -> None:
    """Take `N_STEPS` steps; every slot's sum of losses, which begins at 0 for each, goes to `losses`, step by step.

    The contexts are set for the first batch, the last row for what runs before all slots.
    """
    last, slots, parts = (get(told, N_ROWS) - 1) * c.N_CONTEXT, get(told, N_SLOTS), get(told, N_PARTS)
    for step in range(get(told, N_STEPS)):
        for row in range(0, last + 1, c.N_CONTEXT):
            put(contexts, row + c.PHASE, 1 if row == last else 0)
            if step > 0:
                put(contexts, row + c.INPUTS, get(contexts, row + c.INPUTS) + get(told, INPUTS_APART))
                put(contexts, row + c.TARGETS_GIVEN, get(contexts, row + c.TARGETS_GIVEN) + get(told, TARGETS_APART))
        if get(told, BEFORE):
            call_slot(get(told, WORK), get(contexts, last + c.SELF))
        _launch(contexts, told, slots)
        for part in range(parts):
            row = part * c.N_CONTEXT
            put(contexts, row + c.PHASE, 2)
            put(contexts, row + c.PART, part)
            put(contexts, row + c.N_PARTS, parts)
        if parts:
            _launch(contexts, told, parts)
        for slot in range(slots):
            put(losses, step * slots + slot, get(sums, slot))
            put(sums, slot, 0.0)


@inner
def _launch(contexts: Pointer, told: Pointer, n: int) -> None:
    """Run the first `n` rows, on so many threads."""
    threads = min(get(told, THREADS), n)
    if threads == 1 or get(told, PARALLEL_FOR) == 0:
        for row in range(0, n * c.N_CONTEXT, c.N_CONTEXT):
            call_slot(get(told, WORK), get(contexts, row + c.SELF))
        return
    put(told, FIRST, get(contexts, c.SELF))
    put(told, COUNT, n)
    put(told, APART, 8 * c.N_CONTEXT)
    call_parallel(get(told, PARALLEL_FOR), get(told, STRETCH), get(told, WORDS), get(told, WORK), threads)
