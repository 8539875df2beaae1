"""What inner loops in LLVM are made of: loops whose values stay in registers, loads and stores of vectors and of parts of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from neurograph.kernels.simd_llvm import CONTRACT, _constant, _llvm_name, _spread, _vector_pointer

INT = ir.IntType(64)


def integer(value: int) -> Any:
    """An integer that is known already."""
    return ir.Constant(INT, value)


def read(builder: Any, pointer: Any, i: Any) -> Any:
    """What stands `i` places behind a pointer."""
    return builder.load(builder.gep(pointer, [i]))


def loop(
    builder: Any, count: Any, carried: Sequence[Any], body: Callable[[Any, Sequence[Any]], Sequence[Any]]
) -> list[Any]:
    """``for i in range(count): carried = body(i, carried)``, the carried values in registers."""
    before = builder.basic_block
    head, inside, after = (builder.append_basic_block(name) for name in ("head", "body", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    i = builder.phi(INT)
    kept = [builder.phi(value.type) for value in carried]
    i.add_incoming(integer(0), before)
    for phi, value in zip(kept, carried, strict=True):
        phi.add_incoming(value, before)
    builder.cbranch(builder.icmp_signed("<", i, count), inside, after)
    builder.position_at_end(inside)
    new = body(i, kept)
    end = builder.basic_block
    i.add_incoming(builder.add(i, integer(1)), end)
    for phi, value in zip(kept, new, strict=True):
        phi.add_incoming(value, end)
    builder.branch(head)
    builder.position_at_end(after)
    return list(kept)


class Vectors:
    """Loads and stores of one vector type."""

    def __init__(self, target: Any, builder: Any, like: Any) -> None:
        self.target, self.builder, self.like = target, builder, like
        self.kind = target.get_value_type(like)
        self.width, self.bytes = like.width, int(like.dtype.bitwidth) // 8

    def pointer(self, base: Any, i: Any) -> Any:
        return _vector_pointer(self.target, self.builder, (base, i), self.like)

    def load(self, base: Any, i: Any) -> Any:
        return self.builder.load(self.pointer(base, i), align=self.bytes)

    def store(self, base: Any, i: Any, value: Any) -> None:
        self.builder.store(value, self.pointer(base, i), align=self.bytes)

    def splat(self, number: Any) -> Any:
        return _spread(self.builder, number, self.kind)

    def zero(self) -> Any:
        return _constant(self.kind, 0.0)

    def mask(self, count: Any) -> Any:
        """Lanes below `count`."""
        lanes = ir.Constant(ir.VectorType(INT, self.width), list(range(self.width)))
        return self.builder.icmp_signed("<", lanes, _spread(self.builder, count, lanes.type))

    def load_some(self, base: Any, i: Any, mask: Any) -> Any:
        """What the mask names, 0 elsewhere; nothing else is read."""
        where = self.pointer(base, i)
        kinds = [where.type, ir.IntType(32), mask.type, self.kind]
        name = f"llvm.masked.load.{_llvm_name('', self.kind)[6:]}.p0"
        function = cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(self.kind, kinds), name)
        return self.builder.call(function, [where, ir.Constant(ir.IntType(32), self.bytes), mask, self.zero()])

    def store_some(self, base: Any, i: Any, mask: Any, value: Any) -> None:
        where = self.pointer(base, i)
        kinds = [self.kind, where.type, ir.IntType(32), mask.type]
        name = f"llvm.masked.store.{_llvm_name('', self.kind)[6:]}.p0"
        function = cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(ir.VoidType(), kinds), name)
        self.builder.call(function, [value, where, ir.Constant(ir.IntType(32), self.bytes), mask])

    def total(self, value: Any) -> Any:
        name = _llvm_name("vector.reduce.fadd", self.kind)
        kind = ir.FunctionType(self.kind.element, [self.kind.element, self.kind])
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [ir.Constant(self.kind.element, -0.0), value], fastmath=CONTRACT)


def totals(builder: Any, vectors: Sequence[Any]) -> Any:
    """The sums over the lanes of some vectors, side by side: halves are added until one lane of each is left."""
    held, width = list(vectors), vectors[0].type.count
    length = width
    while length > 1:
        half = length // 2
        starts = range(0, width * min(2, len(held)), length)
        low, high = ([s + shift + i for s in starts for i in range(half)] for shift in (0, half))
        pairs = list(zip(held[::2], held[1::2], strict=True)) if len(held) > 1 else [(held[0], held[0])]
        held = [builder.fadd(_pick(builder, pair, low), _pick(builder, pair, high), flags=CONTRACT) for pair in pairs]
        width, length = len(low), half
    while len(held) > 1:
        both = list(range(2 * held[0].type.count))
        held = [_pick(builder, pair, both) for pair in zip(held[::2], held[1::2], strict=True)]
    return held[0]


def turned(builder: Any, vectors: Sequence[Any]) -> list[Any]:
    """V vectors of V lanes, rows and columns exchanged: a square of halves, whose quarters change places, log₂ V times."""
    held, half = list(vectors), len(vectors) // 2
    n = len(held)
    while half:
        low = [lane + (lane & half) // half * (n - half) for lane in range(n)]
        high = [lane + half for lane in low]
        for i in range(n):
            if not i & half:
                pair = held[i], held[i + half]
                held[i], held[i + half] = _pick(builder, pair, low), _pick(builder, pair, high)
        half //= 2
    return held


def _pick(builder: Any, pair: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(*pair, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))


def numbers_of(like: Any) -> Any:
    """The type of a pointer to what vectors are made of."""
    return types.CPointer(like.dtype)


INTEGERS = types.CPointer(types.int64)
