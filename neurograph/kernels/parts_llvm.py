"""Vectors that memory fills in part, or number by number: `load_part` and `store_part` of `simd`, in LLVM."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from neurograph.kernels.operation import intrinsic
from neurograph.kernels.simd_llvm import _bytes, _constant


def _part_function(builder: Any, kind: Any, is_load: bool) -> Any:
    """The function that copies numbers one by one between memory, `step` apart, and a vector: ``(first, step, count[, v])``.

    It stands once in a kernel, and apart, since few vectors need it.
    """
    module, integer, pointer = builder.module, ir.IntType(64), kind.element.as_pointer()
    name = f"{'load' if is_load else 'store'}_part.{kind.count}.{kind.element}"
    if name in module.globals:
        return module.globals[name]
    types_of = [pointer, integer, integer] + ([] if is_load else [kind])
    function = ir.Function(module, ir.FunctionType(kind if is_load else ir.VoidType(), types_of), name)
    function.linkage = "private"
    function.attributes.add("noinline")
    inside = ir.IRBuilder(function.append_basic_block())
    part = inside.alloca(kind)
    inside.store(_constant(kind, 0.0) if is_load else function.args[3], part)
    lanes, (first, step, count) = inside.bitcast(part, pointer), function.args[:3]
    room = ir.Constant(integer, kind.count)
    with cgutils.for_range(inside, inside.select(inside.icmp_signed("<", count, room), count, room)) as loop:
        lane, place = inside.gep(lanes, [loop.index]), inside.gep(first, [inside.mul(loop.index, step)])
        source, target = (place, lane) if is_load else (lane, place)
        inside.store(inside.load(source), target)
    if is_load:
        inside.ret(inside.load(part))
    else:
        inside.ret_void()
    return function


def _is_whole(builder: Any, step: Any, count: Any, most: int) -> Any:
    beside = builder.icmp_signed("==", step, ir.Constant(step.type, 1))
    return builder.and_(beside, builder.icmp_signed(">=", count, ir.Constant(count.type, most)))


@intrinsic
def load_part(typingctx: Any, pointer: Any, i: Any, step: Any, count: Any, like: Any) -> Any:
    """A vector whose first `count` numbers stand `step` apart, unchecked; 0 behind them."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, (_, _, step, count, _) = target.get_value_type(like), args
        first = builder.gep(args[0], [args[1]])
        with builder.if_else(_is_whole(builder, step, count, like.width)) as (then, otherwise):
            with then:
                whole = builder.load(builder.bitcast(first, kind.as_pointer()), align=_bytes(like))
                whole_from = builder.block
            with otherwise:
                some = builder.call(_part_function(builder, kind, True), [first, step, count])
                some_from = builder.block
        found = builder.phi(kind)
        found.add_incoming(whole, whole_from)
        found.add_incoming(some, some_from)
        return found

    return like(pointer, types.int64, types.int64, types.int64, like), make


@intrinsic
def store_part(typingctx: Any, pointer: Any, i: Any, step: Any, count: Any, v: Any) -> Any:
    """Write the first `count` numbers of a vector, `step` apart, unchecked."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, (_, _, step, count, vector) = target.get_value_type(v), args
        first = builder.gep(args[0], [args[1]])
        with builder.if_else(_is_whole(builder, step, count, v.width)) as (then, otherwise):
            with then:
                builder.store(vector, builder.bitcast(first, kind.as_pointer()), align=_bytes(v))
            with otherwise:
                builder.call(_part_function(builder, kind, False), [first, step, count, vector])
        return target.get_dummy_value()

    return types.void(pointer, types.int64, types.int64, types.int64, v), make
