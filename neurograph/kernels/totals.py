"""Totals of four vectors at once: one tree of shuffles where four sums over samples would each need their own."""

from __future__ import annotations

from typing import Any

from neurograph.kernels.jit import COMPILED
from neurograph.kernels.simd import Pointer, get, put, total


def _add_totals(pointer: Pointer, a: int, b: int, c: int, d: int, u: Any, v: Any, w: Any, x: Any) -> None:
    """Add the sum over the samples of u to what stands `a` places behind a pointer, of v to b, w to c, and x to d."""
    for place, vector in ((a, u), (b, v), (c, w), (d, x)):
        put(pointer, place, get(pointer, place) + total(vector))


add_totals: Any = _add_totals

if COMPILED:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    from neurograph.kernels.simd_llvm import CONTRACT

    QUAD = 4
    """Lanes within which the first two levels of the tree stay: what one instruction can shuffle."""

    def _shuffled(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
        return builder.shuffle_vector(a, b, mask)

    def _pairwise(builder: Any, a: Any, b: Any) -> Any:
        """In every quad: sums of neighbours in a, then of those in b."""
        n = a.type.count
        even = [at for quad in range(0, n, QUAD) for at in (quad, quad + 2, n + quad, n + quad + 2)]
        odd = [at + 1 for at in even]
        return builder.fadd(_shuffled(builder, a, b, even), _shuffled(builder, a, b, odd), flags=CONTRACT)

    @intrinsic
    def _compiled(typingctx: Any, pointer: Any, a: Any, b: Any, c: Any, d: Any, u: Any, v: Any, w: Any, x: Any) -> Any:
        """The same, as one tree."""

        def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            places, vectors = args[1:5], args[5:]
            tree = _pairwise(builder, _pairwise(builder, *vectors[:2]), _pairwise(builder, *vectors[2:]))
            while tree.type.count > QUAD:
                half = tree.type.count // 2
                low = _shuffled(builder, tree, tree, list(range(half)))
                tree = builder.fadd(low, _shuffled(builder, tree, tree, list(range(half, 2 * half))), flags=CONTRACT)
            for lane, place in enumerate(places):
                where = builder.gep(args[0], [place])
                one = builder.extract_element(tree, ir.Constant(ir.IntType(32), lane))
                builder.store(builder.fadd(builder.load(where), one, flags=CONTRACT), where)
            return target.get_dummy_value()

        place = types.int64
        return types.void(pointer, place, place, place, place, u, u, u, u), make

    add_totals = _compiled
