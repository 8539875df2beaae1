"""The operations of `tiles` in LLVM: inner loops that keep their sums in registers. What they mean stands in `tiles_numpy`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba import types

from neurograph.kernels.operation import intrinsic
from neurograph.kernels.simd_llvm import CONTRACT, _constant, _fma, _takes_over
from neurograph.kernels.tiles_numpy import ROWS, TILE, WINDOW
from neurograph.kernels.vectors_llvm import INTEGERS, Vectors, integer, loop, numbers_of, read, totals, turned


@intrinsic
def tile(
    typingctx: Any, out: Any, x: Any, bases: Any, w: Any, offsets: Any, rows: Any, step: Any, count: Any, like: Any
) -> Any:
    """``out[p] = begin + Σ_k x[bases[p] + offsets[k·step]] · w[rows[k·step] …]`` for p < `TILE`."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, x, bases, w, offsets, rows, step, count, begin = args
        vectors = Vectors(target, builder, like)
        starts = [builder.gep(x, [read(builder, bases, integer(p))]) for p in range(TILE)]

        def body(i: Any, carried: Sequence[Any]) -> Sequence[Any]:
            at, *sums = carried
            offset = read(builder, offsets, at)
            v = vectors.load(w, read(builder, rows, at))
            new = [
                _fma(builder, vectors.splat(read(builder, start, offset)), v, s)
                for start, s in zip(starts, sums, strict=True)
            ]
            return [builder.add(at, step), *new]

        _, *sums = loop(builder, count, [integer(0), *[begin] * TILE], body)
        for p, value in enumerate(sums):
            vectors.store(out, integer(p * vectors.width), value)
        return target.get_dummy_value()

    numbers = numbers_of(like)
    given = (numbers, numbers, INTEGERS, numbers, INTEGERS, INTEGERS, types.int64, types.int64, like)
    return types.void(*given), make


@intrinsic
def inner_products(
    typingctx: Any, out: Any, x: Any, bases: Any, w: Any, first: Any, second: Any, count: Any, like: Any
) -> Any:
    """``out[p] = Σ_{i < count} x[bases[p] + i] · w[first + i]`` for p < `TILE`; with two `ROWS`, those of `second` behind them."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, x, bases, w, first, second, count, _ = args
        vectors = Vectors(target, builder, like)
        starts = [builder.gep(x, [read(builder, bases, integer(p))]) for p in range(TILE)]
        rows = [builder.gep(w, [at]) for at in (first, second)[:ROWS]]
        whole = builder.sdiv(count, integer(vectors.width))

        def added(sums: Sequence[Any], load: Callable[[Any], Any]) -> list[Any]:
            numbers, weights = [load(start) for start in starts], [load(row) for row in rows]
            pairs = [(a, v) for v in weights for a in numbers]
            return [_fma(builder, a, v, s) for (a, v), s in zip(pairs, sums, strict=True)]

        def body(i: Any, sums: Sequence[Any]) -> Sequence[Any]:
            here = builder.mul(i, integer(vectors.width))
            return added(sums, lambda base: vectors.load(base, here))

        sums = loop(builder, whole, [vectors.zero()] * (ROWS * TILE), body)
        here = builder.mul(whole, integer(vectors.width))
        rest = builder.sub(count, here)

        def tail(i: Any, sums: Sequence[Any]) -> Sequence[Any]:
            mask = vectors.mask(rest)
            return added(sums, lambda base: vectors.load_some(base, here, mask))

        some = builder.select(builder.icmp_signed(">", rest, integer(0)), integer(1), integer(0))
        found = totals(builder, loop(builder, some, sums, tail))
        builder.store(found, builder.bitcast(out, found.type.as_pointer()), align=vectors.bytes)
        return target.get_dummy_value()

    numbers, where = numbers_of(like), types.int64
    return types.void(numbers, numbers, INTEGERS, numbers, where, where, where, like), make


def _row_of_weights(remembers: bool) -> Any:
    """`plain_row`, or `momentum_row`."""

    def row(typingctx: Any, w: Any, state: Any, delta: Any, a: Any, rate: Any, kept: Any, count: Any) -> Any:
        def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            w, state, delta, source, rate, kept, count = args
            vectors = Vectors(target, builder, a)

            def body(i: Any, carried: Sequence[Any]) -> Sequence[Any]:
                here = builder.mul(i, integer(vectors.width))
                d, old = vectors.load(delta, here), vectors.load(w, here)
                v = builder.fmul(source, d)
                if remembers:
                    v = builder.fadd(builder.fmul(kept, vectors.load(state, here)), v)
                    vectors.store(state, here, v)
                vectors.store(w, here, builder.fsub(old, builder.fmul(rate, v)))
                return [_fma(builder, old, d, carried[0])]

            return loop(builder, count, [vectors.zero()], body)[0]

        numbers = numbers_of(a)
        return a(numbers, numbers, numbers, a, a, a, types.int64), make

    row.__doc__ = "One row of weights after a step, and its error: see `tiles_numpy`."
    return intrinsic(row)


plain_row = _row_of_weights(remembers=False)
momentum_row = _row_of_weights(remembers=True)


@intrinsic
def turn(typingctx: Any, out: Any, x: Any, places: Any, like: Any) -> Any:
    """``out[l·V + i] = x[places[i] + l]`` for i, l < V: V rows become columns, of zeros where a place is negative."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, x, places, _ = args
        vectors = Vectors(target, builder, like)
        rows = []
        for i in range(vectors.width):
            place = read(builder, places, integer(i))
            known = builder.icmp_signed(">=", place, integer(0))
            row = vectors.load(x, builder.select(known, place, integer(0)))
            rows.append(builder.select(known, row, vectors.zero()))
        for lane, column in enumerate(turned(builder, rows)):
            vectors.store(out, integer(lane * vectors.width), column)
        return target.get_dummy_value()

    numbers = numbers_of(like)
    return types.void(numbers, numbers, INTEGERS, like), make


@intrinsic
def load_some(typingctx: Any, pointer: Any, i: Any, count: Any, like: Any) -> Any:
    """The first `count` lanes of a vector, the others 0; nothing else is read."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = Vectors(target, builder, like)
        return vectors.load_some(args[0], args[1], vectors.mask(args[2]))

    return like(pointer, types.int64, types.int64, like), make


@intrinsic
def store_some(typingctx: Any, pointer: Any, i: Any, count: Any, v: Any) -> Any:
    """Write the first `count` lanes of a vector."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = Vectors(target, builder, v)
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
        vectors = Vectors(target, builder, like)

        def body(i: Any, carried: Sequence[Any]) -> Sequence[Any]:
            at, *sums = carried
            a = vectors.splat(read(builder, x, read(builder, offsets, at)))
            row = builder.gep(w, [read(builder, rows, at)])
            loaded = [vectors.load(row, integer(v * vectors.width)) for v in range(TILE)]
            return [builder.add(at, step), *[_fma(builder, a, v, s) for v, s in zip(loaded, sums, strict=True)]]

        given = [vectors.load(out, integer(v * vectors.width)) for v in range(TILE)]
        _, *sums = loop(builder, count, [integer(0), *given], body)
        for v, value in enumerate(sums):
            vectors.store(out, integer(v * vectors.width), value)
        return target.get_dummy_value()

    numbers = numbers_of(like)
    given = (numbers, numbers, numbers, INTEGERS, INTEGERS, types.int64, types.int64, like)
    return types.void(*given), make


def _over_panel(vectors: Vectors, starts: Sequence[Any], w: Any, offsets: Any, count: Any, begin: Any) -> list[Any]:
    """Sums of a tile whose weights stand one vector behind the other: two loads a tap besides the cells' numbers."""
    builder = vectors.builder

    def tap(k: Any, sums: Sequence[Any]) -> Sequence[Any]:
        offset, v = read(builder, offsets, k), vectors.load(w, builder.mul(k, integer(vectors.width)))
        numbers = [vectors.splat(read(builder, start, offset)) for start in starts]
        return [_fma(builder, a, v, s) for a, s in zip(numbers, sums, strict=True)]

    return loop(builder, count, [begin] * len(starts), tap)


@intrinsic
def tile_into(
    typingctx: Any, where: Any, to: Any, x: Any, bases: Any, step: Any, w: Any, offsets: Any, count: Any, end: Any
) -> Any:
    """`tile` over cells of one sample, finished and written: see `tiles_numpy`."""
    like = end[0]

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, to, x, bases, step, w, offsets, count, end = args
        vectors = Vectors(target, builder, like)
        begin, floor, lanes, keep = (builder.extract_value(end, i) for i in range(4))
        at = [builder.mul(step, integer(p)) for p in range(TILE)]
        starts = [builder.gep(x, [read(builder, bases, i)]) for i in at]

        mask = vectors.mask(lanes)
        sums = _over_panel(vectors, starts, w, offsets, count, begin)
        places = [read(builder, to, i) for i in at]
        for where, z in zip(places, sums, strict=True):
            a = builder.select(builder.fcmp_ordered("<=", z, floor), floor, z)
            vectors.store_some(out, where, mask, a)
        with builder.if_then(builder.icmp_signed("!=", keep, integer(0))):
            for where, z in zip(places, sums, strict=True):
                vectors.store_some(out, builder.add(where, keep), mask, z)
        return target.get_dummy_value()

    numbers = numbers_of(like)
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
        vectors = Vectors(target, builder, like)
        stride, count = (builder.extract_value(walk, i) for i in range(2))
        at = [builder.mul(step, integer(p)) for p in range(TILE)]
        starts = [builder.gep(x, [read(builder, bases, i)]) for i in at]

        def body(i: Any, carried: Sequence[Any]) -> Sequence[Any]:
            here, *sums = carried
            offset = read(builder, offsets, here)
            v = vectors.load(w, read(builder, rows, here))
            new = [
                _fma(builder, vectors.splat(read(builder, start, offset)), v, s)
                for start, s in zip(starts, sums, strict=True)
            ]
            return [builder.add(here, stride), *new]

        _, *sums = loop(builder, count, [integer(0), *[vectors.zero()] * TILE], body)
        mask = vectors.mask(lanes)
        for i, value in zip(at, sums, strict=True):
            where = read(builder, to, i)
            vectors.store_some(out, where, mask, builder.fadd(vectors.load(out, where), value, flags=CONTRACT))
        return target.get_dummy_value()

    numbers, walking = numbers_of(like), types.UniTuple(types.int64, 2)
    given = (numbers, INTEGERS, numbers, INTEGERS, types.int64, numbers, INTEGERS, INTEGERS, walking, types.int64, like)
    return types.void(*given), make


@intrinsic
def tile_pooled(
    typingctx: Any, out: Any, to: Any, winners: Any, x: Any, bases: Any, w: Any, offsets: Any, count: Any, end: Any
) -> Any:
    """`tile` over the cells of windows, of which only the largest is written: see `tiles_numpy`."""
    like = end[0]

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, to, winners, x, bases, w, offsets, count, end = args
        vectors = Vectors(target, builder, like)
        begin, floor, lanes = (builder.extract_value(end, i) for i in range(3))
        starts = [builder.gep(x, [read(builder, bases, integer(p))]) for p in range(TILE)]

        mask = vectors.mask(lanes)
        sums = _over_panel(vectors, starts, w, offsets, count, begin)
        values = [builder.select(builder.fcmp_ordered("<=", z, floor), floor, z) for z in sums]
        for window in range(TILE // WINDOW):
            best, winner = values[window * WINDOW], vectors.zero()
            for i in range(1, WINDOW):
                a = values[window * WINDOW + i]
                takes = _takes_over(builder, best, a)
                winner = builder.select(takes, _constant(vectors.kind, float(i)), winner)
                best = builder.select(takes, a, best)
            where = read(builder, to, integer(window))
            vectors.store_some(out, where, mask, best)
            vectors.store_some(out, builder.add(where, winners), mask, winner)
        return target.get_dummy_value()

    numbers = numbers_of(like)
    given = (numbers, INTEGERS, types.int64, numbers, INTEGERS, numbers, INTEGERS, types.int64, end)
    return types.void(*given), make
