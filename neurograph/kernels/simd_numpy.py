"""The operations of `simd` in NumPy: what they mean, for runs without the JIT. Every access checks its bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def zeros(memory: Array, width: int) -> Array:
    """A vector of `width` zeros of the memory's type."""
    return np.zeros(width, memory.dtype)


def width(like: Array) -> int:
    """Number of samples in a vector."""
    return len(like)


def at(memory: Array, i: int) -> Any:
    """``memory[i]``, without the wrap of negative indices."""
    assert 0 <= i < len(memory), f"index {i} outside a memory of {len(memory)}"
    return memory[i]


def load(memory: Array, i: int, like: Array) -> Array:
    """The vector that starts at ``memory[i]``."""
    assert 0 <= i <= len(memory) - len(like), f"vector at {i} outside a memory of {len(memory)}"
    return memory[i : i + len(like)].copy()


def store(memory: Array, i: int, v: Array) -> None:
    """Write a vector from ``memory[i]`` on."""
    assert 0 <= i <= len(memory) - len(v), f"vector at {i} outside a memory of {len(memory)}"
    memory[i : i + len(v)] = v


def splat(memory: Array, i: int, like: Array) -> Array:
    """``memory[i]`` in every sample."""
    return np.full_like(like, at(memory, i))


def add(a: Array, b: Array) -> Array:
    """A + b."""
    return a + b


def subtract(a: Array, b: Array) -> Array:
    """A − b."""
    return a - b


def multiply(a: Array, b: Array) -> Array:
    """a·b."""
    return a * b


def divide(a: Array, b: Array) -> Array:
    """A / b, and 0 where b is 0."""
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
    """V where a = b, else 0."""
    return np.where(a == b, v, v.dtype.type(0))


def keep_where_positive(a: Array, v: Array) -> Array:
    """V where a > 0, else 0."""
    return np.where(a > 0, v, v.dtype.type(0))


def any_nonzero(v: Array) -> bool:
    """True where some sample is not 0 (NaN is not 0)."""
    return bool(np.any(v != 0))


def total(v: Array) -> Any:
    """The sum over the samples."""
    return v.sum(dtype=v.dtype)
