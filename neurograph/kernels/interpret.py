"""The interpreter: one compiled call per batch walks the instructions of a program for every block of samples.

The batch is cut into blocks of as many samples as a vector holds. Block b belongs to slot b mod `slots`; every slot has an arena
and a gradient of its own and is worked on by one thread at a time, block after block. So sums have the same bits for any number
of threads, and memory does not grow with the batch.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from neurograph.kernels import code as c
from neurograph.kernels import elementwise, losses, nests, windows
from neurograph.kernels.jit import entry, inner
from neurograph.kernels.simd import zeros

Array = Any

WIDE, NARROW = 16, 4
"""Samples in a vector: for batches, and for a sample or a few."""


@entry
def run_wide(
    mem: Array,
    w: Array,
    gradient: Array,
    loss: Array,
    code: Array,
    ints: Array,
    numbers: Array,
    batch: Array,
    blocks: Array,
) -> None:
    """Blocks ``blocks[0] … blocks[1]`` in vectors of `WIDE` samples, on ``blocks[2]`` slots, in mode ``blocks[3]``.

    Parameters
    ----------
    mem : ndarray, shape (slots, arena)
        One arena a slot.
    w : ndarray
        All weights in their flat space, then the constants 1 and 1/divisor.
    gradient : ndarray, shape (slots, weights)
        Added to.
    loss : ndarray, shape (slots,), float64
        Added to.
    code : ndarray of int64, shape (instructions, FIELDS)
    ints : ndarray of int64
        Cells, taps, runs and groups.
    numbers : ndarray of float64
        What losses and dropouts need.
    batch : tuple of ndarray
        x, targets or upstream, masks, outputs; one row a sample.
    blocks : ndarray of int64
        First block, end, slots, mode, neurons of a plane.
    """
    for slot in prange(blocks[2]):
        like = zeros(mem, WIDE)
        loss[slot] += _run_slot(like, mem[slot], w, gradient[slot], code, ints, numbers, batch, blocks, slot, WIDE)


@entry
def run_narrow(
    mem: Array,
    w: Array,
    gradient: Array,
    loss: Array,
    code: Array,
    ints: Array,
    numbers: Array,
    batch: Array,
    blocks: Array,
) -> None:
    """As `run_wide`, in vectors of `NARROW` samples."""
    for slot in prange(blocks[2]):
        like = zeros(mem, NARROW)
        loss[slot] += _run_slot(like, mem[slot], w, gradient[slot], code, ints, numbers, batch, blocks, slot, NARROW)


@inner
def _run_slot(
    like: Any,
    mem: Array,
    w: Array,
    gradient: Array,
    code: Array,
    ints: Array,
    numbers: Array,
    batch: Array,
    blocks: Array,
    slot: int,
    n: int,
) -> float:
    x, t, masks, out = batch
    summed = 0.0
    mem[:n] = 1  # the neuron that biases come from
    for block in range(blocks[0] + slot, blocks[1], blocks[2]):
        valid = min(n, len(x) - block * n)
        for line in range(len(code)):
            row = code[line]
            if row[c.WHEN] & ~blocks[3] == 0:
                summed += _step(
                    like,
                    mem,
                    w,
                    gradient,
                    ints,
                    numbers,
                    x,
                    t,
                    masks,
                    out,
                    row,
                    n,
                    block * n,
                    valid,
                    blocks[3],
                    blocks[4],
                )
    return summed


@inner
def _step(
    like: Any,
    mem: Array,
    w: Array,
    gradient: Array,
    ints: Array,
    numbers: Array,
    x: Array,
    t: Array,
    masks: Array,
    out: Array,
    row: Array,
    n: int,
    first: int,
    valid: int,
    mode: int,
    plane: int,
) -> float:
    """One instruction for one block; returns what it adds to the loss."""
    op = row[c.OP]
    if op == c.DOT:
        nests.dot(like, mem, w, ints, row, plane, row[c.HOW] | (c.KEEP_Z if mode & c.TRACE else 0))
    elif op == c.DOT_SOURCES:
        nests.dot_sources(like, mem, w, ints, row, plane)
    elif op == c.DOT_WEIGHTS:
        nests.dot_weights(like, mem, gradient, ints, row, plane)
    elif op == c.MAX:
        windows.maximum(like, mem, ints, row, plane, row[c.HOW] | (c.KEEP_Z if mode & c.TRACE else 0))
    elif op == c.MAX_BACK:
        windows.maximum_back(like, mem, ints, row, plane)
    elif op == c.SQUARES:
        windows.squares(like, mem, w, ints, row, plane)
    elif op == c.SQUARES_BACK:
        windows.squares_back(like, mem, ints, row, plane)
    elif op == c.DISTANCE:
        windows.distance(like, mem, w, ints, row, plane)
    elif op == c.DISTANCE_BACK:
        windows.distance_back(like, mem, w, gradient, ints, row, plane)
    elif op == c.ACTIVATE:
        elementwise.activate(mem, ints, row, n, plane)
    elif op == c.SLOPE:
        elementwise.times_slope(mem, ints, row, n, plane)
    elif op == c.SOFTMAX:
        elementwise.softmax(mem, ints, row, n, plane)
    elif op == c.SOFTMAX_BACK:
        elementwise.softmax_back(mem, ints, row, n, plane)
    elif op == c.LOSS:
        return losses.add_loss(mem, t, numbers, ints, row, n, plane, first, valid)
    elif op == c.UPSTREAM_GRADIENT:
        losses.add_upstream(mem, t, ints, row, n, plane, first, valid)
    elif op == c.FILL:
        elementwise.fill(mem, w, ints, row, n)
    elif op == c.COPY:
        elementwise.copy(mem, numbers, ints, row, n, plane, row[c.EXTRA] >= 0 and mode & c.DROPOUT != 0)
    elif op == c.COPY_BACK:
        elementwise.copy_back(mem, ints, row, n, plane, row[c.EXTRA] >= 0 and mode & c.DROPOUT != 0)
    elif op == c.LOAD_INPUT:
        elementwise.load_input(mem, x, ints, row, n, first, valid)
    elif op == c.LOAD_MASK:
        elementwise.load_input(mem, masks, ints, row, n, first, valid)
    else:
        elementwise.export(mem, out, ints, row, n, first, valid)
    return 0.0
