"""The operations of `tiles` in LLVM: inner loops that keep their sums in registers. What they mean stands in `tiles_numpy`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from neurograph.kernels.operation import intrinsic
from neurograph.kernels.simd_llvm import (
    CONTRACT,
    _constant,
    _fma,
    _llvm_name,
    _spread,
    _takes_over,
    _vector_pointer,
)
from neurograph.kernels.tiles_numpy import CHUNKS, TILE, WINDOW

INT = ir.IntType(64)


def _integer(value: int) -> Any:
    return ir.Constant(INT, value)


def _at(builder: Any, pointer: Any, i: Any) -> Any:
    return builder.load(builder.gep(pointer, [i]))


def _loop(
    builder: Any, count: Any, carried: Sequence[Any], body: Callable[[Any, Sequence[Any]], Sequence[Any]]
) -> list[Any]:
    """``for i in range(count): carried = body(i, carried)``, the carried values in registers."""
    before = builder.basic_block
    head, inside, after = (builder.append_basic_block(name) for name in ("head", "body", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    i = builder.phi(INT)
    kept = [builder.phi(value.type) for value in carried]
    i.add_incoming(_integer(0), before)
    for phi, value in zip(kept, carried, strict=True):
        phi.add_incoming(value, before)
    builder.cbranch(builder.icmp_signed("<", i, count), inside, after)
    builder.position_at_end(inside)
    new = body(i, kept)
    end = builder.basic_block
    i.add_incoming(builder.add(i, _integer(1)), end)
    for phi, value in zip(kept, new, strict=True):
        phi.add_incoming(value, end)
    builder.branch(head)
    builder.position_at_end(after)
    return list(kept)


class _Vectors:
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


def _totals(builder: Any, vectors: Sequence[Any]) -> Any:
    """The sums over the lanes of `TILE` vectors, as one vector of `TILE`: halves are added until one lane of each is left."""
    held, width = list(vectors), vectors[0].type.count
    length = width
    while length > 1:
        half = length // 2
        starts = range(0, width * min(2, len(held)), length)
        low, high = ([s + shift + i for s in starts for i in range(half)] for shift in (0, half))
        pairs = list(zip(held[::2], held[1::2], strict=True)) if len(held) > 1 else [(held[0], held[0])]
        held = [builder.fadd(_pick(builder, pair, low), _pick(builder, pair, high), flags=CONTRACT) for pair in pairs]
        width, length = len(low), half
    return held[0]


def _pick(builder: Any, pair: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(*pair, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))


def _numbers(like: Any) -> Any:
    return types.CPointer(like.dtype)


INTEGERS = types.CPointer(types.int64)


@intrinsic
def tile(
    typingctx: Any, out: Any, x: Any, bases: Any, w: Any, offsets: Any, rows: Any, step: Any, count: Any, like: Any
) -> Any:
    """``out[p] = begin + Σ_k x[bases[p] + offsets[k·step]] · w[rows[k·step] …]`` for p < `TILE`."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, x, bases, w, offsets, rows, step, count, begin = args
        vectors = _Vectors(target, builder, like)
        starts = [builder.gep(x, [_at(builder, bases, _integer(p))]) for p in range(TILE)]

        def body(i: Any, carried: Sequence[Any]) -> Sequence[Any]:
            at, *sums = carried
            offset = _at(builder, offsets, at)
            v = vectors.load(w, _at(builder, rows, at))
            new = [
                _fma(builder, vectors.splat(_at(builder, start, offset)), v, s)
                for start, s in zip(starts, sums, strict=True)
            ]
            return [builder.add(at, step), *new]

        _, *sums = _loop(builder, count, [_integer(0), *[begin] * TILE], body)
        for p, value in enumerate(sums):
            vectors.store(out, _integer(p * vectors.width), value)
        return target.get_dummy_value()

    numbers = _numbers(like)
    given = (numbers, numbers, INTEGERS, numbers, INTEGERS, INTEGERS, types.int64, types.int64, like)
    return types.void(*given), make


@intrinsic
def inner_products(typingctx: Any, out: Any, x: Any, bases: Any, w: Any, at: Any, count: Any, like: Any) -> Any:
    """``out[p] = Σ_{i < count} x[bases[p] + i] · w[at + i]`` for p < `TILE`; nothing beyond `count` is read."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, x, bases, w, at, count, _ = args
        vectors = _Vectors(target, builder, like)
        starts = [builder.gep(x, [_at(builder, bases, _integer(p))]) for p in range(TILE)]
        w = builder.gep(w, [at])
        whole = builder.sdiv(count, _integer(vectors.width))

        def body(i: Any, sums: Sequence[Any]) -> Sequence[Any]:
            here = builder.mul(i, _integer(vectors.width))
            v = vectors.load(w, here)
            return [_fma(builder, vectors.load(start, here), v, s) for start, s in zip(starts, sums, strict=True)]

        sums = _loop(builder, whole, [vectors.zero()] * TILE, body)
        here = builder.mul(whole, _integer(vectors.width))
        rest = builder.sub(count, here)

        def tail(i: Any, sums: Sequence[Any]) -> Sequence[Any]:
            mask = vectors.mask(rest)
            v = vectors.load_some(w, here, mask)
            return [
                _fma(builder, vectors.load_some(start, here, mask), v, s) for start, s in zip(starts, sums, strict=True)
            ]

        some = builder.select(builder.icmp_signed(">", rest, _integer(0)), _integer(1), _integer(0))
        found = _totals(builder, _loop(builder, some, sums, tail))
        builder.store(found, builder.bitcast(out, found.type.as_pointer()), align=vectors.bytes)
        return target.get_dummy_value()

    numbers = _numbers(like)
    return types.void(numbers, numbers, INTEGERS, numbers, types.int64, types.int64, like), make


@intrinsic
def gather(
    typingctx: Any, out: Any, start: Any, x: Any, places: Any, factors: Any, count: Any, chunks: Any, like: Any
) -> Any:
    """``out[start + j·V …] += Σ_i factors[i] · x[places[i] + chunks[j] …]`` for j < `CHUNKS`."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, start, x, places, factors, count, chunks, _ = args
        vectors = _Vectors(target, builder, like)
        out = builder.gep(out, [start])
        begins = [builder.gep(x, [_at(builder, chunks, _integer(j))]) for j in range(CHUNKS)]
        sums = [vectors.load(out, _integer(j * vectors.width)) for j in range(CHUNKS)]

        def body(i: Any, sums: Sequence[Any]) -> Sequence[Any]:
            place, factor = _at(builder, places, i), vectors.splat(_at(builder, factors, i))
            return [_fma(builder, factor, vectors.load(b, place), s) for b, s in zip(begins, sums, strict=True)]

        for j, value in enumerate(_loop(builder, count, sums, body)):
            vectors.store(out, _integer(j * vectors.width), value)
        return target.get_dummy_value()

    numbers = _numbers(like)
    given = (numbers, types.int64, numbers, INTEGERS, numbers, types.int64, INTEGERS, like)
    return types.void(*given), make


@intrinsic
def scatter(
    typingctx: Any, x: Any, places: Any, factors: Any, count: Any, w: Any, start: Any, chunks: Any, like: Any
) -> Any:
    """``x[places[i] + chunks[j] …] += factors[i] · w[start + j·V …]`` for every i, and j < `CHUNKS`."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, places, factors, count, w, start, chunks, _ = args
        vectors = _Vectors(target, builder, like)
        w = builder.gep(w, [start])
        begins = [builder.gep(x, [_at(builder, chunks, _integer(j))]) for j in range(CHUNKS)]
        kept = [vectors.load(w, _integer(j * vectors.width)) for j in range(CHUNKS)]

        def body(i: Any, _: Sequence[Any]) -> Sequence[Any]:
            place, factor = _at(builder, places, i), vectors.splat(_at(builder, factors, i))
            for begin, v in zip(begins, kept, strict=True):
                vectors.store(begin, place, _fma(builder, factor, v, vectors.load(begin, place)))
            return []

        _loop(builder, count, [], body)
        return target.get_dummy_value()

    numbers = _numbers(like)
    given = (numbers, INTEGERS, numbers, types.int64, numbers, types.int64, INTEGERS, like)
    return types.void(*given), make


@intrinsic
def load_some(typingctx: Any, pointer: Any, i: Any, count: Any, like: Any) -> Any:
    """The first `count` lanes of a vector, the others 0; nothing else is read."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = _Vectors(target, builder, like)
        return vectors.load_some(args[0], args[1], vectors.mask(args[2]))

    return like(pointer, types.int64, types.int64, like), make


@intrinsic
def store_some(typingctx: Any, pointer: Any, i: Any, count: Any, v: Any) -> Any:
    """Write the first `count` lanes of a vector."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = _Vectors(target, builder, v)
        vectors.store_some(args[0], args[1], vectors.mask(args[2]), args[3])
        return target.get_dummy_value()

    return types.void(pointer, types.int64, types.int64, v), make


def _plainly(name: str, doc: str) -> Any:
    """An operation on two vectors that is rounded by itself, never fused with another."""

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, name)(args[0], args[1])

    def binary(typingctx: Any, a: Any, b: Any) -> Any:
        return a(a, b), make

    binary.__doc__ = doc
    return intrinsic(binary)


times = _plainly("fmul", "a·b, rounded")
plus = _plainly("fadd", "a + b, rounded")
minus = _plainly("fsub", "a − b, rounded")
ratio = _plainly("fdiv", "a / b, rounded")


@intrinsic
def row_tile(
    typingctx: Any, out: Any, x: Any, w: Any, offsets: Any, rows: Any, step: Any, count: Any, like: Any
) -> Any:
    """``out[v·V …] += Σ_k x[offsets[k·step]] · w[rows[k·step] + v·V …]`` for v < `TILE`."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, x, w, offsets, rows, step, count, _ = args
        vectors = _Vectors(target, builder, like)

        def body(i: Any, carried: Sequence[Any]) -> Sequence[Any]:
            at, *sums = carried
            a = vectors.splat(_at(builder, x, _at(builder, offsets, at)))
            row = builder.gep(w, [_at(builder, rows, at)])
            loaded = [vectors.load(row, _integer(v * vectors.width)) for v in range(TILE)]
            return [builder.add(at, step), *[_fma(builder, a, v, s) for v, s in zip(loaded, sums, strict=True)]]

        given = [vectors.load(out, _integer(v * vectors.width)) for v in range(TILE)]
        _, *sums = _loop(builder, count, [_integer(0), *given], body)
        for v, value in enumerate(sums):
            vectors.store(out, _integer(v * vectors.width), value)
        return target.get_dummy_value()

    numbers = _numbers(like)
    given = (numbers, numbers, numbers, INTEGERS, INTEGERS, types.int64, types.int64, like)
    return types.void(*given), make


@intrinsic
def tile_into(
    typingctx: Any, where: Any, to: Any, x: Any, bases: Any, step: Any, w: Any, taps: Any, count: Any, end: Any
) -> Any:
    """`tile` over cells of one sample, finished and written: see `tiles_numpy`."""
    like = end[0]

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, to, x, bases, step, w, taps, count, end = args
        vectors = _Vectors(target, builder, like)
        begin, floor, lanes = (builder.extract_value(end, i) for i in range(3))
        at = [builder.mul(step, _integer(p)) for p in range(TILE)]
        starts = [builder.gep(x, [_at(builder, bases, i)]) for i in at]

        def body(i: Any, sums: Sequence[Any]) -> Sequence[Any]:
            pair = builder.gep(taps, [builder.shl(i, _integer(1))])
            offset = builder.load(pair)
            v = vectors.load(w, _at(builder, pair, _integer(1)))
            return [
                _fma(builder, vectors.splat(_at(builder, start, offset)), v, s)
                for start, s in zip(starts, sums, strict=True)
            ]

        mask = vectors.mask(lanes)
        for i, z in zip(at, _loop(builder, count, [begin] * TILE, body), strict=True):
            a = builder.select(builder.fcmp_ordered("<=", z, floor), floor, z)
            vectors.store_some(out, _at(builder, to, i), mask, a)
        return target.get_dummy_value()

    numbers = _numbers(like)
    given = (numbers, INTEGERS, numbers, INTEGERS, types.int64, numbers, INTEGERS, types.int64, end)
    return types.void(*given), make


@intrinsic
def tile_onto(
    typingctx: Any,
    out: Any,
    to: Any,
    x: Any,
    bases: Any,
    step: Any,
    w: Any,
    offsets: Any,
    rows: Any,
    walk: Any,
    lanes: Any,
    like: Any,
) -> Any:
    """`tile` onto what stands there already: see `tiles_numpy`."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, to, x, bases, step, w, offsets, rows, walk, lanes, _ = args
        vectors = _Vectors(target, builder, like)
        stride, count = (builder.extract_value(walk, i) for i in range(2))
        at = [builder.mul(step, _integer(p)) for p in range(TILE)]
        starts = [builder.gep(x, [_at(builder, bases, i)]) for i in at]

        def body(i: Any, carried: Sequence[Any]) -> Sequence[Any]:
            here, *sums = carried
            offset = _at(builder, offsets, here)
            v = vectors.load(w, _at(builder, rows, here))
            new = [
                _fma(builder, vectors.splat(_at(builder, start, offset)), v, s)
                for start, s in zip(starts, sums, strict=True)
            ]
            return [builder.add(here, stride), *new]

        _, *sums = _loop(builder, count, [_integer(0), *[vectors.zero()] * TILE], body)
        mask = vectors.mask(lanes)
        for i, value in zip(at, sums, strict=True):
            where = _at(builder, to, i)
            vectors.store_some(out, where, mask, builder.fadd(vectors.load(out, where), value, flags=CONTRACT))
        return target.get_dummy_value()

    numbers, walking = _numbers(like), types.UniTuple(types.int64, 2)
    given = (numbers, INTEGERS, numbers, INTEGERS, types.int64, numbers, INTEGERS, INTEGERS, walking, types.int64, like)
    return types.void(*given), make


@intrinsic
def tile_pooled(
    typingctx: Any, out: Any, to: Any, winners: Any, x: Any, bases: Any, w: Any, taps: Any, count: Any, end: Any
) -> Any:
    """`tile` over the cells of windows, of which only the largest is written: see `tiles_numpy`."""
    like = end[0]

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, to, winners, x, bases, w, taps, count, end = args
        vectors = _Vectors(target, builder, like)
        begin, floor, lanes = (builder.extract_value(end, i) for i in range(3))
        starts = [builder.gep(x, [_at(builder, bases, _integer(p))]) for p in range(TILE)]

        def body(i: Any, sums: Sequence[Any]) -> Sequence[Any]:
            pair = builder.gep(taps, [builder.shl(i, _integer(1))])
            offset = builder.load(pair)
            v = vectors.load(w, _at(builder, pair, _integer(1)))
            return [
                _fma(builder, vectors.splat(_at(builder, start, offset)), v, s)
                for start, s in zip(starts, sums, strict=True)
            ]

        mask = vectors.mask(lanes)
        sums = _loop(builder, count, [begin] * TILE, body)
        values = [builder.select(builder.fcmp_ordered("<=", z, floor), floor, z) for z in sums]
        for window in range(TILE // WINDOW):
            best, winner = values[window * WINDOW], vectors.zero()
            for i in range(1, WINDOW):
                a = values[window * WINDOW + i]
                takes = _takes_over(builder, best, a)
                winner = builder.select(takes, _constant(vectors.kind, float(i)), winner)
                best = builder.select(takes, a, best)
            where = _at(builder, to, _integer(window))
            vectors.store_some(out, where, mask, best)
            vectors.store_some(out, builder.add(where, winners), mask, winner)
        return target.get_dummy_value()

    numbers = _numbers(like)
    given = (numbers, INTEGERS, types.int64, numbers, INTEGERS, numbers, INTEGERS, types.int64, end)
    return types.void(*given), make
