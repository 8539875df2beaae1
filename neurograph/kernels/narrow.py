"""Integers of 32 bits, two to a place of a table: half the memory that must be read for an edge."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurograph.kernels.jit import COMPILED
from neurograph.kernels.simd import Pointer


def _short(pointer: Pointer, i: int) -> int:
    """The narrow integer `i` narrow places behind a pointer."""
    assert 0 <= i < 2 * len(pointer), f"index {i} outside a memory of {2 * len(pointer)}"
    return int(pointer[i // 2 : i // 2 + 1].view(np.int32)[i % 2])


short: Any = _short

if COMPILED:
    from llvmlite import ir
    from numba import types

    from neurograph.kernels.operation import intrinsic

    @intrinsic
    def _compiled(typingctx: Any, pointer: Any, i: Any) -> Any:
        """The same, unchecked."""

        def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            narrow = builder.bitcast(args[0], ir.IntType(32).as_pointer())
            return builder.sext(builder.load(builder.gep(narrow, [args[1]])), ir.IntType(64))

        return types.int64(pointer, types.int64), make

    short = _compiled
