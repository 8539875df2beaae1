"""The operations of `tiles` on lists of winners, in LLVM. What they mean stands in `tiles_numpy`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types

from neurograph.kernels.operation import intrinsic
from neurograph.kernels.simd_llvm import _fma, _spread
from neurograph.kernels.tiles_numpy import CHUNKS
from neurograph.kernels.vectors_llvm import INT, INTEGERS, Vectors, integer, loop, numbers_of, read


@intrinsic
def survivors(
    typingctx: Any,
    factors: Any,
    which: Any,
    x: Any,
    at: Any,
    plane: Any,
    first: Any,
    anyway: Any,
    count: Any,
    like: Any,
) -> Any:
    """δ of the first `count` maxima where it goes on, else 0; and the numbers of their winners: see `tiles_numpy`."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        factors, which, x, at, plane, first, anyway, count, _ = args
        vectors = Vectors(target, builder, like)
        mask, zero = vectors.mask(count), vectors.zero()
        places = [builder.add(at, builder.mul(plane, integer(k))) for k in (0, 2, 3)]
        a, d, winner = (vectors.load_some(x, place, mask) for place in places)
        always = _spread(builder, builder.icmp_signed("!=", anyway, integer(0)), mask.type)
        live = builder.or_(builder.fcmp_ordered(">", a, zero), always)
        live = builder.and_(builder.fcmp_unordered("!=", d, zero), live)
        vectors.store(factors, integer(0), builder.select(live, d, zero))
        short, whole = (ir.VectorType(kind, vectors.width) for kind in (ir.IntType(32), INT))
        number = builder.sext(builder.fptosi(winner, short), whole)
        number = builder.add(number, _spread(builder, first, whole))
        builder.store(number, builder.bitcast(which, whole.as_pointer()), align=8)
        return target.get_dummy_value()

    numbers, where = numbers_of(like), types.int64
    return types.void(numbers, INTEGERS, numbers, where, where, where, where, where, like), make


@intrinsic
def gather(typingctx: Any, out: Any, x: Any, places: Any, factors: Any, count: Any, chunks: Any, like: Any) -> Any:
    """``out[j·V …] += Σ_i factors[i] · x[places[i] + chunks[j] …]`` for j < `CHUNKS`."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, x, places, factors, count, chunks, _ = args
        vectors = Vectors(target, builder, like)
        _gathered(vectors, out, x, places, factors, count, chunks, lambda factor, at: None)
        return target.get_dummy_value()

    numbers = numbers_of(like)
    return types.void(numbers, numbers, INTEGERS, numbers, types.int64, INTEGERS, like), make


def _gathered(
    vectors: Vectors,
    out: Any,
    x: Any,
    places: Any,
    factors: Any,
    count: Any,
    chunks: Any,
    then: Callable[[Any, Sequence[Any]], None],
) -> None:
    """`gather`; with every winner besides what `then` does with its factor and its places."""
    builder = vectors.builder
    offsets = [read(builder, chunks, integer(j)) for j in range(CHUNKS)]
    sums = [vectors.load(out, integer(j * vectors.width)) for j in range(CHUNKS)]

    def body(i: Any, sums: Sequence[Any]) -> Sequence[Any]:
        place, factor = read(builder, places, i), vectors.splat(read(builder, factors, i))
        at = [builder.add(place, offset) for offset in offsets]
        new = [_fma(builder, factor, vectors.load(x, here), s) for here, s in zip(at, sums, strict=True)]
        then(factor, at)
        return new

    for j, value in enumerate(loop(builder, count, sums, body)):
        vectors.store(out, integer(j * vectors.width), value)


@intrinsic
def exchange(
    typingctx: Any,
    out: Any,
    w: Any,
    x: Any,
    behind: Any,
    places: Any,
    factors: Any,
    count: Any,
    chunks: Any,
    like: Any,
) -> Any:
    """`gather`, and ``x[behind + places[i] + chunks[j] …] += factors[i] · w[j·V …]`` for every i, and j < `CHUNKS`."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, w, x, behind, places, factors, count, chunks, _ = args
        vectors = Vectors(target, builder, like)
        errors = builder.gep(x, [behind])
        weights = [vectors.load(w, integer(j * vectors.width)) for j in range(CHUNKS)]

        def spread(factor: Any, at: Sequence[Any]) -> None:
            for here, v in zip(at, weights, strict=True):
                vectors.store(errors, here, _fma(builder, factor, v, vectors.load(errors, here)))

        _gathered(vectors, out, x, places, factors, count, chunks, spread)
        return target.get_dummy_value()

    numbers, where = numbers_of(like), types.int64
    return types.void(numbers, numbers, numbers, where, INTEGERS, numbers, where, INTEGERS, like), make
