"""What formulas run on: LLVM's vectors while code is emitted, and NumPy's arrays in runs without the JIT.

`Lanes` lets a vector of LLVM be written like a number, so that `exponentials` and `formulas` read as mathematics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from neurograph.kernels.exponentials import Number
from neurograph.kernels.jit import COMPILED
from neurograph.kernels.operation import intrinsic

FLAGS = ("contract",)
"""Products that feed sums may be fused. The order of sums is kept, whatever the kernel around them permits."""

MANTISSA = {False: 23, True: 52}
BIAS = {False: 127, True: 1023}


class Lanes:
    """One vector value while code is emitted; Python's numbers become constants of its type."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def of(self, x: Any) -> Any:
        """The LLVM value of another operand."""
        kind = self.value.type
        return x.value if isinstance(x, Lanes) else ir.Constant(kind, [float(x)] * kind.count)

    def _made(self, name: str, a: Any, b: Any) -> Lanes:
        return Lanes(self.builder, getattr(self.builder, name)(a, b, flags=FLAGS))

    def __add__(self, other: Any) -> Lanes:
        return self._made("fadd", self.value, self.of(other))

    def __sub__(self, other: Any) -> Lanes:
        return self._made("fsub", self.value, self.of(other))

    def __rsub__(self, other: Any) -> Lanes:
        return self._made("fsub", self.of(other), self.value)

    def __mul__(self, other: Any) -> Lanes:
        return self._made("fmul", self.value, self.of(other))

    def __rmul__(self, other: Any) -> Lanes:
        return self._made("fmul", self.of(other), self.value)

    def __truediv__(self, other: Any) -> Lanes:
        return self._made("fdiv", self.value, self.of(other))

    def __neg__(self) -> Lanes:
        return Lanes(self.builder, self.builder.fneg(self.value))

    def __lt__(self, other: Any) -> Any:
        return self.builder.fcmp_ordered("<", self.value, self.of(other), flags=FLAGS)

    def __gt__(self, other: Any) -> Any:
        return self.builder.fcmp_ordered(">", self.value, self.of(other), flags=FLAGS)


class LaneMachine:
    """What `exponentials` needs besides arithmetic (see there), for vectors of one type.

    An exponent is the integer n in the low bits of a number that is so large that it has no room for fractions.
    """

    def __init__(self, builder: Any, like: Any) -> None:
        self.is_double = isinstance(like.type.element, ir.DoubleType)
        self._builder, self._like = builder, Lanes(builder, like)
        self._mantissa, bits = MANTISSA[self.is_double], 64 if self.is_double else 32
        self._integers = ir.VectorType(ir.IntType(bits), like.type.count)
        self._large = 1.5 * 2.0**self._mantissa

    def where(self, condition: Any, yes: Any, no: Any) -> Lanes:
        return Lanes(self._builder, self._builder.select(condition, self._like.of(yes), self._like.of(no)))

    def size(self, x: Lanes) -> Lanes:
        return self._call("fabs", x)

    def with_sign(self, x: Lanes, sign: Lanes) -> Lanes:
        return self._call("copysign", x, sign)

    def nearest(self, x: Lanes) -> tuple[Lanes, Any]:
        large = x + self._large
        return large - self._large, large

    def power(self, exponent: Lanes) -> Lanes:
        return self._power(self._bits(exponent))

    def scaled(self, x: Lanes, exponent: Lanes) -> Lanes:
        """In two steps, since 2ⁿ itself may be no number."""
        half = (exponent - self._large) * 0.5 + self._large
        rest = self._builder.sub(self._bits(exponent), self._bits(half))
        return x * self._power(self._bits(half)) * self._power(rest)

    def _bits(self, x: Lanes) -> Any:
        return self._builder.bitcast(x.value, self._integers)

    def _power(self, n: Any) -> Lanes:
        shifted = self._builder.shl(n, self._integer(self._mantissa))
        bits = self._builder.add(shifted, self._integer(BIAS[self.is_double] << self._mantissa))
        return Lanes(self._builder, self._builder.bitcast(bits, self._like.value.type))

    def _integer(self, value: int) -> Any:
        return ir.Constant(self._integers, [value] * self._integers.count)

    def _call(self, name: str, *numbers: Lanes) -> Lanes:
        kind = self._like.value.type
        full = f"llvm.{name}.v{kind.count}{'f64' if self.is_double else 'f32'}"
        function = cgutils.get_or_insert_function(
            self._builder.module, ir.FunctionType(kind, [kind] * len(numbers)), full
        )
        return Lanes(self._builder, self._builder.call(function, [number.value for number in numbers]))


class ArrayMachine:
    """The same for arrays of one precision."""

    def __init__(self, like: Any) -> None:
        self.is_double = like.dtype == np.float64
        self._number = like.dtype.type

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        yes, no = (self._number(x) if isinstance(x, float) else x for x in (yes, no))
        return np.where(condition, yes, no)

    def size(self, x: Any) -> Any:
        return np.abs(x)

    def with_sign(self, x: Any, sign: Any) -> Any:
        return np.copysign(x, sign)

    def nearest(self, x: Any) -> tuple[Any, Any]:
        n = np.rint(x)
        return n, np.nan_to_num(n).astype(np.int32)

    def power(self, exponent: Any) -> Any:
        return np.ldexp(self._number(1), exponent)

    def scaled(self, x: Any, exponent: Any) -> Any:
        return np.ldexp(x, exponent)


def one_of(formulas: Mapping[int, Callable[..., Number]], default: Callable[..., Number]) -> Any:
    """An operation ``(code, x, y)`` on vectors that carries out the formula of a code, known only when it runs.

    As one operation, since Numba takes its time for every name in a kernel.
    """
    if not COMPILED:
        return lambda code, x, y: formulas.get(int(code), default)(ArrayMachine(x), x, y)

    def chosen(typingctx: Any, code: Any, x: Any, y: Any) -> Any:
        def make(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _switch(builder, args[0], formulas, default, args[1], args[2])

        return x(types.int64, x, y), make

    return intrinsic(chosen)


def _switch(builder: Any, code: Any, formulas: Mapping[int, Any], default: Any, x: Any, y: Any) -> Any:
    machine, end, found = LaneMachine(builder, x), builder.append_basic_block("end"), []
    blocks = [(number, formula, builder.append_basic_block("formula")) for number, formula in formulas.items()]
    otherwise = builder.append_basic_block("otherwise")
    switch = builder.switch(code, otherwise)
    for number, _, block in blocks:
        switch.add_case(ir.Constant(code.type, number), block)
    for _, formula, block in [*blocks, (None, default, otherwise)]:
        builder.position_at_end(block)
        found.append((formula(machine, Lanes(builder, x), Lanes(builder, y)).value, builder.block))
        builder.branch(end)
    builder.position_at_end(end)
    result = builder.phi(x.type)
    for made, block in found:
        result.add_incoming(made, block)
    return result
