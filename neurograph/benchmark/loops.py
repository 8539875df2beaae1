"""The loops behind `neurograph.benchmark.peak`, compiled when they are first needed."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

SUMS = 12
"""Independent sums: two units that multiply and add, four cycles each, and some to spare; on AVX2 they still fit the registers."""
FLOAT, INDEX = ir.FloatType(), ir.IntType(64)


@cache
def reader() -> Any:
    """A compiled function that sums an array: as fast as memory can be read."""

    @numba.njit(nogil=True, fastmath=True)
    def read(values: Any) -> Any:
        found = np.float32(0)
        for i in range(len(values)):  # a loop over the values themselves is not vectorised
            found += values[i]
        return found

    read(np.ones(1, dtype=np.float32))
    return read


@cache
def fma_loop(lanes: int) -> Any:
    """A compiled function of n: n rounds of `SUMS` fused multiply-adds on vectors of so many lanes."""

    def spin(typing_context: Any, n: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return _write_loop(builder, arguments[0], lanes)

        return types.float32(types.int64), generate

    rounds: Any = intrinsic(spin)

    @numba.njit(nogil=True)
    def run(n: Any) -> Any:
        return rounds(n)

    run(np.int64(1))
    return run


def _write_loop(builder: Any, n: Any, lanes: int) -> Any:
    """The loop in LLVM: each sum becomes x·y + sum; everything depends on n, so that nothing can be worked out beforehand."""
    vector = ir.VectorType(FLOAT, lanes)
    kind = ir.FunctionType(vector, [vector] * 3)
    declare: Any = cgutils.get_or_insert_function
    fma = declare(builder.module, kind, f"llvm.fma.v{lanes}f32")
    number = builder.sitofp(n, FLOAT)
    x, y = (_spread(builder, builder.fdiv(number, ir.Constant(FLOAT, by)), vector) for by in (1e9, 3e9))
    starts = [_spread(builder, builder.fmul(number, ir.Constant(FLOAT, float(k))), vector) for k in range(SUMS)]
    before, loop, end = builder.block, builder.append_basic_block("spin"), builder.append_basic_block("spun")
    builder.branch(loop)
    builder.position_at_end(loop)
    i, sums = builder.phi(INDEX), [builder.phi(vector) for _ in range(SUMS)]
    added = [builder.call(fma, [x, y, s]) for s in sums]
    following = builder.add(i, ir.Constant(INDEX, 1))
    builder.cbranch(builder.icmp_signed("<", following, n), loop, end)
    for phi, start, value in zip([i, *sums], [ir.Constant(INDEX, 0), *starts], [following, *added], strict=True):
        phi.add_incoming(start, before)
        phi.add_incoming(value, loop)
    builder.position_at_end(end)
    total = added[0]
    for value in added[1:]:
        total = builder.fadd(total, value)
    return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))


def _spread(builder: Any, number: Any, vector: Any) -> Any:
    """A vector of one number."""
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), lanes)
