"""Copies in and out of the arena: columns of a batch into neurons, neurons into columns of what is given out.

Neurons come as *pieces* (see `code`): up to three nested loops over addresses, whose columns follow one another.
"""

from __future__ import annotations

from neurograph.kernels.code import (
    BLOCK,
    COUNT,
    EXTRA,
    FIRST_SAMPLE,
    INPUT_COLUMNS,
    INPUTS,
    MASK_COLUMNS,
    MASKS,
    MEMORY,
    NEURON_STEP,
    OUTPUT,
    OUTPUT_COLUMNS,
    PASS_STEP,
    PASSES,
    PIECE,
    SHIFT,
    START,
    TABLES,
    VALID,
)
from neurograph.kernels.jit import inner
from neurograph.kernels.simd import (
    Pointer,
    get,
    integers,
    load,
    load_part,
    number,
    offset,
    put,
    store,
    store_part,
    values,
    width,
    zero,
)


@inner
def _copy_line(to: Pointer, apart: int, source: Pointer, step: int, length: int, like: Pointer) -> None:
    """Numbers `step` apart to places `apart`; the last vector of neighbours overlaps the one before rather than be a short one."""
    n = width(like)
    if apart == 1 and step == 1 and length >= n:
        for k in range(0, length, n):
            i = min(k, length - n)
            store(to, i, load(source, i, like))
    else:
        for k in range(length):
            put(to, k * apart, get(source, k * step))


@inner
def _load(context: Pointer, row: Pointer, x: Pointer, columns: int) -> None:
    like = zero(context)
    mem, ints, n = values(context, MEMORY), integers(context, TABLES), width(like)
    wide, valid = number(context, NEURON_STEP), number(context, VALID)
    for turn in range(number(context, PASSES)):
        column = (number(context, FIRST_SAMPLE) + turn) * columns + get(row, EXTRA)
        for piece in range(get(row, START), get(row, START) + PIECE * get(row, COUNT), PIECE):
            length, step = get(ints, piece + 5), get(ints, piece + 6) * wide
            rows, apart, start = get(ints, piece + 3), get(ints, piece + 4), get(ints, piece) + get(row, SHIFT)
            for i in range(get(ints, piece + 1)):
                far = start + i * get(ints, piece + 2)
                for j in range(rows):
                    first = far + j * apart
                    if number(context, PASS_STEP) == 0:
                        for k in range(length):
                            for sample in range(0, number(context, BLOCK), n):
                                v = load_part(x, column + k + sample * columns, columns, valid - sample, like)
                                store(mem, first * wide + k * step + sample, v)
                    else:
                        to = offset(mem, first + turn * number(context, PASS_STEP))
                        _copy_line(to, step, offset(x, column), 1, length, like)
                    column += length


def load_input(context: Pointer, row: Pointer) -> None:
    """Columns of x, from column `EXTRA` on, into the arena; where samples lie side by side, those beyond the batch are 0."""
    _load(context, row, values(context, INPUTS), number(context, INPUT_COLUMNS))


def load_mask(context: Pointer, row: Pointer) -> None:
    """Columns of the masks, likewise."""
    _load(context, row, values(context, MASKS), number(context, MASK_COLUMNS))


def export(context: Pointer, row: Pointer) -> None:
    """Pieces of the arena (shifted to a plane by `SHIFT`) into columns of the output, from column `EXTRA` on."""
    like = zero(context)
    mem, ints, out = values(context, MEMORY), integers(context, TABLES), values(context, OUTPUT)
    wide, valid, n, columns = (
        number(context, NEURON_STEP),
        number(context, VALID),
        width(like),
        number(context, OUTPUT_COLUMNS),
    )
    for turn in range(number(context, PASSES)):
        column = (number(context, FIRST_SAMPLE) + turn) * columns + get(row, EXTRA)
        for piece in range(get(row, START), get(row, START) + PIECE * get(row, COUNT), PIECE):
            length, step = get(ints, piece + 5), get(ints, piece + 6) * wide
            rows, apart, start = get(ints, piece + 3), get(ints, piece + 4), get(ints, piece) + get(row, SHIFT)
            for i in range(get(ints, piece + 1)):
                far = start + i * get(ints, piece + 2)
                for j in range(rows):
                    first = far + j * apart
                    if number(context, PASS_STEP) == 0:
                        for k in range(length):
                            for sample in range(0, valid, n):
                                v = load(mem, first * wide + k * step + sample, like)
                                store_part(out, column + k + sample * columns, columns, valid - sample, v)
                    else:
                        source = offset(mem, first + turn * number(context, PASS_STEP))
                        _copy_line(offset(out, column), 1, source, step, length, like)
                    column += length
