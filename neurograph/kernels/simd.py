"""Vectors of samples: the same neuron in `width` samples side by side, as one value in registers.

Every operation exists twice: as a few lines of LLVM for compiled kernels, and as a NumPy twin that runs without the JIT and checks
its bounds. A vector argument `like` only says type and width. Masks never leave an operation, so there is one type of value.
"""

from __future__ import annotations

from typing import Any

from neurograph.kernels import simd_numpy
from neurograph.kernels.jit import COMPILED

_operations: Any = simd_numpy
if COMPILED:
    from neurograph.kernels import simd_llvm

    _operations = simd_llvm

Vector = Any
"""A vector value: LLVM's ``<width x float>`` in compiled code, a one-dimensional array in plain Python."""

add = _operations.add
any_nonzero = _operations.any_nonzero
at = _operations.at
divide = _operations.divide
first_max = _operations.first_max
first_max_at = _operations.first_max_at
fma = _operations.fma
fma_where = _operations.fma_where
keep_where_equal = _operations.keep_where_equal
keep_where_positive = _operations.keep_where_positive
load = _operations.load
multiply = _operations.multiply
relu = _operations.relu
root = _operations.root
splat = _operations.splat
store = _operations.store
subtract = _operations.subtract
total = _operations.total
width = _operations.width
zeros = _operations.zeros
