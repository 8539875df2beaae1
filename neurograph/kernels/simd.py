"""Vectors of samples, and the pointers they come from: the same neuron in `width` samples side by side, as one value in registers.

Every operation exists twice: as a few lines of LLVM for compiled kernels, and as a NumPy twin that runs without the JIT and checks
its bounds. A kernel finds all it needs in its *context* (see `code`). An argument `like` only says precision and width. Masks
never leave an operation, so there is one type of value.
"""

from __future__ import annotations

from typing import Any

from neurograph.kernels import simd_numpy
from neurograph.kernels.jit import COMPILED

_operations: Any = simd_numpy
_parts: Any = simd_numpy
if COMPILED:
    from neurograph.kernels import parts_llvm, simd_llvm

    _operations, _parts = simd_llvm, parts_llvm

Pointer = Any
"""A typed address in compiled code, an array in plain Python."""

Vector = Any
"""A vector value: LLVM's ``<width x float>`` in compiled code, a one-dimensional array in plain Python."""

add = _operations.add
any_nonzero = _operations.any_nonzero
call_kernel = _operations.call_kernel
call_slot = _operations.call_slot
call_parallel = _operations.call_parallel
context_type = _operations.context_type
divide = _operations.divide
first_max = _operations.first_max
first_max_at = _operations.first_max_at
fma = _operations.fma
fma_where = _operations.fma_where
get = _operations.get
integers = _operations.integers
keep_where_equal = _operations.keep_where_equal
keep_where_positive = _operations.keep_where_positive
load = _operations.load
load_part = _parts.load_part
multiply = _operations.multiply
number = _operations.number
offset = _operations.offset
put = _operations.put
reals = _operations.reals
relu = _operations.relu
root = _operations.root
splat = _operations.splat
spread = _operations.spread
store = _operations.store
store_part = _parts.store_part
subtract = _operations.subtract
total = _operations.total
values = _operations.values
width = _operations.width
zero = _operations.zero
