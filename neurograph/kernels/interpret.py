"""The interpreter: one compiled call per batch walks the instructions of a program for every block of samples.

The batch is cut into blocks of as many samples as a vector holds. Block b belongs to slot b mod `slots`; every slot has an arena
and a gradient of its own and is worked on by one thread at a time, block after block. So sums have the same bits for any number
of threads, and memory does not grow with the batch.

Interpreter, launcher and kernels are compiled apart and call each other by address: each is compiled once for all networks, and
only when an instruction first needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from numba import types

from neurograph.kernels import (
    back,
    contract,
    elementwise,
    losses,
    nests,
    nests_back,
    packing,
    runs,
    steps,
    strips,
    transfer,
    update,
    windows,
    winners,
)
from neurograph.kernels import code as c
from neurograph.kernels.jit import COMPILED, address_with, by_address, inner
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
    c.LOAD_INPUT: transfer.load_input,
    c.LOAD_MASK: transfer.load_mask,
    c.FILL: elementwise.fill,
    c.COPY: elementwise.copy,
    c.COPY_BACK: elementwise.copy_back,
    c.EXPORT: transfer.export,
    c.DOT: nests.dot,
    c.DOT_SOURCES: nests_back.dot_sources,
    c.DOT_WEIGHTS: nests_back.dot_weights,
    c.MAX: windows.maximum,
    c.MAX_BACK: windows.maximum_back,
    c.SQUARES: windows.squares,
    c.SQUARES_BACK: windows.squares_back,
    c.DISTANCE: windows.distance,
    c.DISTANCE_BACK: windows.distance_back,
    c.ACTIVATE: elementwise.activate,
    c.SLOPE: elementwise.times_slope,
    c.GELU: elementwise.gaussian,
    c.GELU_SLOPE: elementwise.times_gaussian_slope,
    c.SOFTMAX: elementwise.softmax,
    c.SOFTMAX_BACK: elementwise.softmax_back,
    c.CROSS_ENTROPY: losses.cross_entropy,
    c.BINARY_CROSS_ENTROPY: losses.binary_cross_entropy,
    c.SQUARED: losses.squared,
    c.RBF_MAP: losses.rbf_map,
    c.UPSTREAM_GRADIENT: losses.add_upstream,
    c.LANES_DOT: contract.dot,
    c.LANES_SOURCES: back.spread,
    c.LANES_SOURCES_ONE_BY_ONE: back.one_by_one,
    c.LANES_WEIGHTS: contract.weights,
    c.LANES_BIAS: contract.bias,
    c.RUN_DOT: runs.dot,
    c.RUN_SOURCES: runs.sources,
    c.RUN_WEIGHTS: runs.weights,
    c.WINNERS: winners.winners,
    c.PACK: packing.pack,
    c.UNPACK: packing.unpack,
    c.CLEAR: packing.clear,
    c.LANES_STEP: steps.step,
    c.LANES_POOLED: contract.pooled,
    c.LANES_GATHER: back.gather,
    c.KEEP: steps.keep,
    c.APPLY: steps.apply,
    c.UPDATE: update.update,
    c.STRIPS_DOT: strips.dot,
    c.STRIPS_SOURCES: strips.sources,
    c.STRIPS_WEIGHTS: strips.weights,
    c.STRIPS_WEIGHTS_ONCE: strips.weights_once,
}
"""What carries out each instruction: a function of a context and of the instruction's row."""


@cache
def kernel(operation: int, dtype: str, width: int) -> Any:
    """The kernel of one operation for one precision and vector width: its address, or in plain Python the function."""
    function, width = function_of(operation, width)
    if COMPILED:
        return by_address(function, context_type(dtype, width), instruction=True)
    return partial(_as_wide_as, width, function)


def function_of(operation: int, width: int) -> tuple[Callable[[Pointer, Pointer], None], int]:
    """What carries out an operation, and with vectors of how many numbers."""
    return (KERNELS[operation - c.HALF], WIDE // 2) if operation >= c.HALF else (KERNELS[operation], width)


def _as_wide_as(width: int, function: Callable[[Pointer, Pointer], None], context: Pointer, row: Pointer) -> None:
    """In plain Python a vector is as long as its context says."""
    before = context[c.WIDTH]
    context[c.WIDTH] = width
    function(context, row)
    context[c.WIDTH] = before


@cache
def interpreter() -> Any:
    """`run_slot`, as an address (in plain Python: the function)."""
    return by_address(run_slot, context_type("float32", 1), instruction=False)


def run_slot(context: Pointer) -> None:
    """Walk the instructions of one slot: those for every block of it, and what its first and last call add.

    In mode `STEP` every block is one sample that changes the weights before the next comes: each walks all parts.
    """
    n, fields, every = number(context, c.BLOCK), integers(context, c.SELF), number(context, c.N_INSTRUCTIONS)
    before, after = number(context, c.N_BEFORE), every - number(context, c.N_AFTER)
    begin, end = before + number(context, c.N_FIRST), after - number(context, c.N_LAST)
    if number(context, c.PHASE) == 1:
        _walk(context, 0, before)
        return
    if number(context, c.PHASE) == 2:
        _walk(context, after, every)
        return
    steps = number(context, c.MODE) & c.STEP != 0
    if number(context, c.IS_FIRST) and not steps:
        _walk(context, before, begin)
    for block in range(number(context, c.FIRST_BLOCK), number(context, c.END_BLOCK), number(context, c.BLOCK_STEP)):
        put(fields, c.FIRST_SAMPLE, block * n)
        valid = min(n, number(context, c.BATCH) - block * n)
        put(fields, c.VALID, valid)
        put(fields, c.PASSES, valid if number(context, c.PASS_STEP) else 1)
        _walk(context, 0 if steps else begin, every if steps else end)
    if number(context, c.IS_LAST) and not steps:
        _walk(context, end, after)


@inner
def _walk(context: Pointer, first: int, last: int) -> None:
    code, kernels, mode = integers(context, c.CODE), integers(context, c.KERNELS), number(context, c.MODE)
    for row in range(first * c.FIELDS, last * c.FIELDS, c.FIELDS):
        if get(code, row + c.WHEN) & ~mode == 0:
            call_kernel(get(kernels, get(code, row + c.OP)), context, offset(code, row))


@cache
def stretch() -> Any:
    """`run_stretch`, as an address."""
    return address_with(run_stretch, (*[types.CPointer(types.int64)] * 3, types.int64))


def run_stretch(rows: Pointer, count: Pointer, apart: Pointer, work: int) -> None:
    """What a thread is handed by Numba's `parallel_for`: some rows of the contexts, of which each goes to what is at address `work`."""
    for i in range(get(count, 0)):
        call_slot(work, get(rows, 0) + i * get(apart, 0))
