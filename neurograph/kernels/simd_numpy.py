"""The operations of `simd` in NumPy: what they mean, for runs without the JIT. Every access checks its bounds.

A pointer is an array, a context a list whose fields hold arrays and integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.kernels.code import MEMORY, WIDTH

Array = NDArray[Any]


def context_type(dtype: str, width: int) -> None:
    """In plain Python a context needs no type."""


def zero(context: Any) -> Array:
    """A vector of zeros, of the precision and width that the context stands for."""
    memory: Array = context[MEMORY]
    return np.zeros(context[WIDTH], memory.dtype)


def width(like: Array) -> int:
    """Number of samples in a vector."""
    return len(like)


def values(context: Any, field: int) -> Array:
    """A pointer to numbers of the program's precision, from a field of the context."""
    found: Array = context[field]
    return found


def integers(context: Any, field: int) -> Array:
    """A pointer to integers."""
    found: Array = context[field]
    return found


def reals(context: Any, field: int) -> Array:
    """A pointer to numbers of double precision."""
    found: Array = context[field]
    return found


def number(context: Any, field: int) -> int:
    """An integer field of the context."""
    return int(context[field])


def get(pointer: Any, i: int) -> Any:
    """What stands `i` places behind a pointer."""
    pointer, i = _whole(pointer, i)
    assert 0 <= i < len(pointer), f"index {i} outside a memory of {len(pointer)}"
    return pointer[i]


def put(pointer: Any, i: int, value: Any) -> None:
    """Write `i` places behind a pointer."""
    pointer, i = _whole(pointer, i)
    assert 0 <= i < len(pointer), f"index {i} outside a memory of {len(pointer)}"
    pointer[i] = value


def _whole(pointer: Any, i: int) -> tuple[Any, int]:
    """The memory that a pointer looks into, and the place in it."""
    whole = getattr(pointer, "whole", None)
    return (pointer, i) if whole is None else (whole, i + pointer.start)


class Shifted(np.ndarray[Any, Any]):
    """A pointer into the middle of a memory, which lies before it too."""

    whole: Array | None = None
    start = 0


def offset(pointer: Array, i: int) -> Array:
    """A pointer `i` places on."""
    whole = getattr(pointer, "whole", None)
    whole, start = (pointer, i) if whole is None else (whole, pointer.start + i)  # type: ignore[attr-defined]
    assert 0 <= start < len(whole), f"index {start} outside a memory of {len(whole)}"
    found = whole[start:].view(Shifted)
    found.whole, found.start = whole, start
    return found


def call_kernel(kernel: Any, context: Any, row: Array) -> None:
    """Run one instruction."""
    kernel(context, row)


def call_slot(slot: Any, context: Any) -> None:
    """Run the interpreter for one slot."""
    slot(context)


def call_parallel(parallel_for: Any, stretch: Any, words: Any, work: Any, threads: int) -> None:
    """Without compiled code there is nothing to share out."""
    raise AssertionError("plain Python launches steps one by one")


def load(memory: Array, i: int, like: Array) -> Array:
    """The vector that starts at ``memory[i]``."""
    assert 0 <= i <= len(memory) - len(like), f"vector at {i} outside a memory of {len(memory)}"
    return memory[i : i + len(like)].copy()


def store(memory: Array, i: int, v: Array) -> None:
    """Write a vector from ``memory[i]`` on."""
    assert 0 <= i <= len(memory) - len(v), f"vector at {i} outside a memory of {len(memory)}"
    memory[i : i + len(v)] = v


def load_part(memory: Array, i: int, step: int, count: int, like: Array) -> Array:
    """A vector whose first `count` numbers (or all, if it has no more) stand `step` apart from ``memory[i]`` on; 0 behind them."""
    found = np.zeros_like(like)
    for k in range(min(count, len(like))):
        found[k] = get(memory, i + k * step)
    return found


def store_part(memory: Array, i: int, step: int, count: int, v: Array) -> None:
    """Write the first `count` numbers of a vector (or all, if it has no more), `step` apart, from ``memory[i]`` on."""
    for k in range(min(count, len(v))):
        put(memory, i + k * step, v[k])


def spread(x: float, like: Array) -> Array:
    """The number x, rounded to the vector's precision, in every place."""
    return np.full_like(like, x)


def splat(memory: Array, i: int, like: Array) -> Array:
    """``memory[i]`` in every sample."""
    return np.full_like(like, get(memory, i))


def add(a: Array, b: Array) -> Array:
    """The sum a + b."""
    return a + b


def subtract(a: Array, b: Array) -> Array:
    """The difference a − b."""
    return a - b


def multiply(a: Array, b: Array) -> Array:
    """a·b."""
    return a * b


def divide(a: Array, b: Array) -> Array:
    """The quotient a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def fma(a: Array, b: Array, c: Array) -> Array:
    """a·b + c."""
    return a * b + c


def fma_where(a: Array, b: Array, c: Array) -> Array:
    """a·b + c, and c where a is 0, even if b is infinite."""
    return np.where(a != 0, a * b + c, c)


def relu(z: Array) -> Array:
    """The larger of z and 0; NaN stays NaN."""
    return np.where(z <= 0, z.dtype.type(0), z)


def root(v: Array) -> Array:
    """√v."""
    return np.sqrt(v)


def first_max(m: Array, x: Array) -> Array:
    """The running maximum: x where it is larger than m, or the first NaN."""
    return np.where(_takes_over(m, x), x, m)


def first_max_at(m: Array, x: Array, where: Array, here: Array) -> Array:
    """Whose maximum it is: `here` where x takes over from m, else `where`."""
    return np.where(_takes_over(m, x), here, where)


def _takes_over(m: Array, x: Array) -> Any:
    return ((x > m) | np.isnan(x)) & ~np.isnan(m)


def keep_where_equal(a: Array, b: Array, v: Array) -> Array:
    """Keep v where a = b, else 0."""
    return np.where(a == b, v, v.dtype.type(0))


def keep_where_positive(a: Array, v: Array) -> Array:
    """Keep v where a > 0, else 0."""
    return np.where(a > 0, v, v.dtype.type(0))


def any_nonzero(v: Array) -> bool:
    """True where some sample is not 0 (NaN is not 0)."""
    return bool(np.any(v != 0))


def total(v: Array) -> Any:
    """The sum over the samples."""
    return v.sum(dtype=v.dtype)
