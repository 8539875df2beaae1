"""The interpreter: one compiled call per batch walks the instructions of a program for every block of samples.

The batch is cut into blocks of as many samples as a vector holds. Block b belongs to slot b mod `slots`; every slot has an arena
and a gradient of its own and is worked on by one thread at a time, block after block. So sums have the same bits for any number
of threads, and memory does not grow with the batch.

Interpreter, launcher and kernels are compiled apart and call each other by address: each is compiled once for all networks, and
only when an instruction first needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from numba import prange

from neurograph.kernels import code as c
from neurograph.kernels import elementwise, losses, nests, windows
from neurograph.kernels.jit import by_address, entry
from neurograph.kernels.simd import (
    Pointer,
    call_kernel,
    call_slot,
    context_type,
    get,
    integers,
    number,
    offset,
    put,
)

WIDE, NARROW = 16, 4
"""Samples in a vector: for batches, and for a sample or a few."""

KERNELS: dict[int, Callable[[Pointer, Pointer], None]] = {
    c.LOAD_INPUT: elementwise.load_input,
    c.LOAD_MASK: elementwise.load_mask,
    c.FILL: elementwise.fill,
    c.COPY: elementwise.copy,
    c.COPY_BACK: elementwise.copy_back,
    c.EXPORT: elementwise.export,
    c.DOT: nests.dot,
    c.DOT_SOURCES: nests.dot_sources,
    c.DOT_WEIGHTS: nests.dot_weights,
    c.MAX: windows.maximum,
    c.MAX_BACK: windows.maximum_back,
    c.SQUARES: windows.squares,
    c.SQUARES_BACK: windows.squares_back,
    c.DISTANCE: windows.distance,
    c.DISTANCE_BACK: windows.distance_back,
    c.ACTIVATE: elementwise.activate,
    c.SLOPE: elementwise.times_slope,
    c.SOFTMAX: elementwise.softmax,
    c.SOFTMAX_BACK: elementwise.softmax_back,
    c.LOSS: losses.add_loss,
    c.UPSTREAM_GRADIENT: losses.add_upstream,
}
"""What carries out each instruction: a function of a context and of the instruction's row."""


@cache
def kernel(operation: int, dtype: str, width: int) -> Any:
    """The kernel of one operation for one precision and vector width: its address, or in plain Python the function."""
    return by_address(KERNELS[operation], context_type(dtype, width), instruction=True)


@cache
def interpreter() -> Any:
    """`run_slot`, as an address (in plain Python: the function)."""
    return by_address(run_slot, context_type("float32", 1), instruction=False)


def run_slot(context: Pointer) -> None:
    """Walk the instructions for every block of one slot."""
    code, kernels = integers(context, c.CODE), integers(context, c.KERNELS)
    mode, n = number(context, c.MODE), number(context, c.BLOCK)
    fields = integers(context, c.SELF)
    end = number(context, c.N_INSTRUCTIONS) * c.FIELDS
    for block in range(number(context, c.FIRST_BLOCK), number(context, c.END_BLOCK), number(context, c.BLOCK_STEP)):
        put(fields, c.FIRST_SAMPLE, block * n)
        valid = min(n, number(context, c.BATCH) - block * n)
        put(fields, c.VALID, valid)
        put(fields, c.PASSES, valid if number(context, c.PASS_STEP) else 1)
        for row in range(0, end, c.FIELDS):
            if get(code, row + c.WHEN) & ~mode == 0:
                call_kernel(get(kernels, get(code, row + c.OP)), context, offset(code, row))


@entry
def launch(slot: Any, contexts: Any, n_slots: int) -> None:
    """Run the interpreter at address `slot` for every row of the contexts, in parallel."""
    for i in prange(n_slots):
        call_slot(slot, contexts, i)
