"""The operations of `simd` in LLVM: one intrinsic each. What they mean stands in `simd_numpy`, word for word.

Products that feed a sum carry the flag `contract`, so that processors with fused multiply-add use it and others need not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, register_model

from neurograph.kernels.operation import intrinsic

CONTRACT = ("contract", "reassoc", "nsz")


class VectorType(types.Type):
    """Numba's type of a vector of samples."""

    def __init__(self, dtype: Any, width: int) -> None:
        self.dtype, self.width = dtype, width
        super().__init__(name=f"samples({dtype}, {width})")


@register_model(VectorType)
class VectorModel(models.PrimitiveModel):
    """How LLVM holds it."""

    def __init__(self, manager: Any, vector: VectorType) -> None:
        number = ir.DoubleType() if vector.dtype == types.float64 else ir.FloatType()
        super().__init__(manager, vector, ir.VectorType(number, vector.width))


def _constant(kind: Any, value: float) -> Any:
    return ir.Constant(kind, [value] * kind.count)


def _bytes(vector: VectorType) -> int:
    return int(vector.dtype.bitwidth) // 8


def _spread(builder: Any, number: Any, kind: Any) -> Any:
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), lanes)


# -- contexts and pointers --------------------------------------------------------------------------------------------
# A context is an array of 64-bit fields. Kernels see it as a pointer to vectors, which is how they know precision and width.
def context_type(dtype: str, width: int) -> Any:
    """The type of a context: it says precision and width."""
    return types.CPointer(VectorType(types.float64 if dtype == "float64" else types.float32, width))


@intrinsic
def zero(typingctx: Any, context: Any) -> Any:
    """A vector of zeros, of the precision and width that the context stands for."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _constant(target.get_value_type(signature.return_type), 0.0)

    return context.dtype(context), make


@intrinsic
def width(typingctx: Any, like: Any) -> Any:
    """Number of samples in a vector."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(ir.IntType(64), like.width)

    return types.int64(like), make


def _field(target: Any, builder: Any, signature: Any, args: Any) -> Any:
    fields = builder.bitcast(args[0], ir.IntType(64).as_pointer())
    return builder.load(builder.gep(fields, [args[1]]))


def _pointer_field(target: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.inttoptr(_field(target, builder, signature, args), target.get_value_type(signature.return_type))


@intrinsic
def values(typingctx: Any, context: Any, field: Any) -> Any:
    """A pointer to numbers of the program's precision, from a field of the context."""
    return types.CPointer(context.dtype.dtype)(context, types.int64), _pointer_field


@intrinsic
def integers(typingctx: Any, context: Any, field: Any) -> Any:
    """A pointer to integers."""
    return types.CPointer(types.int64)(context, types.int64), _pointer_field


@intrinsic
def reals(typingctx: Any, context: Any, field: Any) -> Any:
    """A pointer to numbers of double precision."""
    return types.CPointer(types.float64)(context, types.int64), _pointer_field


@intrinsic
def number(typingctx: Any, context: Any, field: Any) -> Any:
    """An integer field of the context."""
    return types.int64(context, types.int64), _field


@intrinsic
def get(typingctx: Any, pointer: Any, i: Any) -> Any:
    """What stands `i` places behind a pointer, unchecked."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(builder.gep(args[0], [args[1]]))

    return pointer.dtype(pointer, types.int64), make


@intrinsic
def put(typingctx: Any, pointer: Any, i: Any, value: Any) -> Any:
    """Write `i` places behind a pointer, unchecked."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], builder.gep(args[0], [args[1]]))
        return target.get_dummy_value()

    return types.void(pointer, types.int64, pointer.dtype), make


@intrinsic
def offset(typingctx: Any, pointer: Any, i: Any) -> Any:
    """A pointer `i` places on."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return pointer(pointer, types.int64), make


def _call(builder: Any, address: Any, arguments: list[Any]) -> None:
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    builder.call(builder.inttoptr(address, kind.as_pointer()), arguments)


@intrinsic
def call_kernel(typingctx: Any, kernel: Any, context: Any, row: Any) -> Any:
    """Run one instruction: the kernel at an address."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        _call(builder, args[0], [args[1], args[2]])
        return target.get_dummy_value()

    return types.void(types.int64, context, row), make


@intrinsic
def call_slot(typingctx: Any, slot: Any, context: Any) -> Any:
    """Run the interpreter, at an address, for the context at another."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        _call(builder, args[0], [args[1]])
        return target.get_dummy_value()

    return types.void(types.int64, types.int64), make


@intrinsic
def call_parallel(typingctx: Any, parallel_for: Any, stretch: Any, words: Any, work: Any, threads: Any) -> Any:
    """Share rows of contexts among threads: see `neurograph.compiler.launching`. First row, count and step stand at `words`."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        parallel_for, stretch, words, work, threads = args
        arrays, counts, steps = (builder.add(words, ir.Constant(words.type, 8 * i)) for i in range(3))
        dimensions, n_arrays = (ir.Constant(words.type, i) for i in range(2))
        so_many = builder.trunc(threads, ir.IntType(32))
        _call(builder, parallel_for, [stretch, arrays, counts, steps, work, dimensions, n_arrays, so_many])
        return target.get_dummy_value()

    return types.void(*[types.int64] * 5), make


# -- vectors ----------------------------------------------------------------------------------------------------------
def _vector_pointer(target: Any, builder: Any, args: Any, vector: Any) -> Any:
    return builder.bitcast(builder.gep(args[0], [args[1]]), target.get_value_type(vector).as_pointer())


@intrinsic
def load(typingctx: Any, pointer: Any, i: Any, like: Any) -> Any:
    """The vector that starts `i` places behind a pointer, unchecked."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_vector_pointer(target, builder, args, like), align=_bytes(like))

    return like(pointer, types.int64, like), make


@intrinsic
def store(typingctx: Any, pointer: Any, i: Any, v: Any) -> Any:
    """Write a vector, unchecked."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _vector_pointer(target, builder, args, v), align=_bytes(v))
        return target.get_dummy_value()

    return types.void(pointer, types.int64, v), make


@intrinsic
def spread(typingctx: Any, x: Any, like: Any) -> Any:
    """One number, rounded to the vector's precision, in every place."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = target.get_value_type(like)
        narrow = isinstance(kind.element, ir.FloatType)
        return _spread(builder, builder.fptrunc(args[0], kind.element) if narrow else args[0], kind)

    return like(types.float64, like), make


@intrinsic
def splat(typingctx: Any, pointer: Any, i: Any, like: Any) -> Any:
    """One number in every sample."""

    def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _spread(builder, builder.load(builder.gep(args[0], [args[1]])), target.get_value_type(like))

    return like(pointer, types.int64, like), make


def _operation(n_args: int, body: Callable[..., Any]) -> Any:
    """An intrinsic from vectors of one type to a vector of that type; `body(builder, *values)` emits it."""

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return body(builder, *args)

    def unary(typingctx: Any, a: Any) -> Any:
        return a(a), make

    def binary(typingctx: Any, a: Any, b: Any) -> Any:
        return a(a, b), make

    def ternary(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
        return a(a, b, c), make

    def quaternary(typingctx: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        return a(a, b, c, d), make

    return intrinsic([unary, binary, ternary, quaternary][n_args - 1])


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return builder.fadd(c, builder.fmul(a, b, flags=CONTRACT), flags=CONTRACT)


def _is_nonzero(builder: Any, a: Any) -> Any:
    return builder.fcmp_unordered("!=", a, _constant(a.type, 0.0))


def _divide(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(_is_nonzero(builder, b), builder.fdiv(a, b), _constant(a.type, 0.0))


def _fma_where(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return builder.select(_is_nonzero(builder, a), _fma(builder, a, b, c), c)


def _relu(builder: Any, z: Any) -> Any:
    zero = _constant(z.type, 0.0)
    return builder.select(builder.fcmp_ordered("<=", z, zero), zero, z)


def _takes_over(builder: Any, m: Any, x: Any) -> Any:
    return builder.and_(builder.fcmp_unordered(">", x, m), builder.fcmp_ordered("ord", m, m))


def _first_max(builder: Any, m: Any, x: Any) -> Any:
    return builder.select(_takes_over(builder, m, x), x, m)


def _first_max_at(builder: Any, m: Any, x: Any, where: Any, here: Any) -> Any:
    return builder.select(_takes_over(builder, m, x), here, where)


def _keep_where_equal(builder: Any, a: Any, b: Any, v: Any) -> Any:
    return builder.select(builder.fcmp_ordered("==", a, b), v, _constant(v.type, 0.0))


def _keep_where_positive(builder: Any, a: Any, v: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, _constant(a.type, 0.0)), v, _constant(v.type, 0.0))


def _llvm_name(name: str, kind: Any) -> str:
    return f"llvm.{name}.v{kind.count}{'f64' if isinstance(kind.element, ir.DoubleType) else 'f32'}"


def _root(builder: Any, v: Any) -> Any:
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(v.type, [v.type]), _llvm_name("sqrt", v.type)
    )
    return builder.call(function, [v])


add = _operation(2, lambda builder, a, b: builder.fadd(a, b, flags=CONTRACT))
subtract = _operation(2, lambda builder, a, b: builder.fsub(a, b, flags=CONTRACT))
multiply = _operation(2, lambda builder, a, b: builder.fmul(a, b, flags=CONTRACT))
divide = _operation(2, _divide)
fma = _operation(3, _fma)
fma_where = _operation(3, _fma_where)
relu = _operation(1, _relu)
root = _operation(1, _root)
first_max = _operation(2, _first_max)
first_max_at = _operation(4, _first_max_at)
keep_where_equal = _operation(3, _keep_where_equal)
keep_where_positive = _operation(2, _keep_where_positive)


@intrinsic
def any_nonzero(typingctx: Any, v: Any) -> Any:
    """True where some sample is not 0."""

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(_is_nonzero(builder, args[0]), ir.IntType(v.width))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(v), make


@intrinsic
def total(typingctx: Any, v: Any) -> Any:
    """The sum over the samples."""

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = args[0].type
        name = _llvm_name("vector.reduce.fadd", kind)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind.element, [kind.element, kind]), name
        )
        return builder.call(function, [ir.Constant(kind.element, -0.0), args[0]], fastmath=CONTRACT)

    return v.dtype(v), make
