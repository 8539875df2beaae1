"""The short way through Numba's compiler that kernels take: a quarter of the time of the usual one.

Kernels are plain loops over numbers and pointers. So passes that look for arrays, closures, literal unrolling or generators are left out;
and what kernels call is neither optimised nor made into machine code by itself, since that happens inside the kernel it is linked into.
Nothing that kernels do raises: so they come without Numba's runtime and without what would carry an exception to Python.
"""

from __future__ import annotations

import contextlib
import functools
import gc
from collections.abc import Iterator
from typing import Any, ClassVar

from llvmlite import binding, ir
from numba.core import compiler_machinery, typed_passes, types, untyped_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase
from numba.core.runtime.nrt import rtsys

from neurograph.kernels.machine_code import NAME


@compiler_machinery.register_pass(mutates_CFG=True, analysis_only=False)
class _Inference(typed_passes.NopythonTypeInference):
    """Finds types, and remembers what an operation makes of which types: Numba looks through all it knows every time."""

    _name = "remembering_inference"
    _known: ClassVar[dict[Any, Any]] = {}

    def run_pass(self, state: Any) -> bool:
        """Ask Numba's context through `_known` while it lasts (and while what is called is compiled)."""
        context = state.typingctx
        if "resolve_function_type" in vars(context):
            return bool(super().run_pass(state))
        context.resolve_function_type = functools.partial(self._remembered, context.resolve_function_type)
        try:
            return bool(super().run_pass(state))
        finally:
            del context.resolve_function_type

    def _remembered(self, resolve: Any, function: Any, arguments: Any, named: Any) -> Any:
        if named or isinstance(function, types.Dispatcher):
            return resolve(function, arguments, named)
        key = (function, tuple(arguments))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = resolve(function, arguments, named)
        return found


SHORT = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.GenericRewrites,
    untyped_passes.ReconstructSSA,
    _Inference,
    typed_passes.PreLowerStripPhis,
    typed_passes.IRLegalization,
    typed_passes.AnnotateTypes,
)
"""What remains of Numba's passes before lowering, in its order."""


@compiler_machinery.register_pass(mutates_CFG=True, analysis_only=False)
class _LinkedLowering(typed_passes.NativeLowering):
    """Lowers a function into code that others link into theirs, where it is optimised with them."""

    _name = "linked_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower, and make it known to callers under a key of its own: there is no function to call."""
        flags = state.flags
        flags.no_cpython_wrapper = flags.no_cfunc_wrapper = flags.no_compile = True
        state.library = _Linked(state.targetctx.codegen(), state.func_id.func_qualname)
        super().run_pass(state)
        key = [state.func_id.func_qualname].clear  # Numba asks for a built-in function; this one refuses arguments
        state.targetctx.insert_user_function(key, state.cr.fndesc, [state.library])
        state.cr = state.cr._replace(cfunc=key)
        return True


class _Linked(JITCodeLibrary):
    """What such a function is kept in: neither optimised nor made into machine code."""

    def _optimize_functions(self, ll_module: Any) -> None:
        """Nothing but the layout of data, on which modules that are linked must agree."""
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        """Nothing."""

    def _finalize_final_module(self) -> None:
        """No machine code."""
        self._finalize_dynamic_globals()
        self._finalized = True


class _Kernel(JITCodeLibrary):
    """What a kernel is kept in: optimised once, with all that it calls, where Numba would three times."""

    def add_linking_library(self, library: Any) -> None:
        """Numba hands its runtime to everybody; kernels have no arrays that somebody must free."""
        if library is not rtsys.library:
            super().add_linking_library(library)

    def _optimize_functions(self, ll_module: Any) -> None:
        """Nothing but the layout of data."""
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        """All of LLVM's passes, once; what nobody outside calls may be moved into its caller and forgotten."""
        for function in self._final_module.functions:
            if not function.is_declaration and function.name != NAME:
                function.linkage = binding.Linkage.internal
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)

    def _finalize_final_module(self) -> None:
        """Nothing: `machine_code` is asked for it."""
        self._finalized = True

    def machine_code(self) -> bytes:
        """An object file with the kernel in it."""
        self._ensure_finalized()
        return bytes(self._codegen._tm.emit_object(self._final_module))


@compiler_machinery.register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(typed_passes.NativeLowering):
    """Lowers a kernel with all that it calls."""

    _name = "kernel_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower, and put a function in front that takes the bare arguments."""
        state.flags.no_cpython_wrapper = state.flags.no_cfunc_wrapper = state.flags.no_compile = True
        state.library = _Kernel(state.targetctx.codegen(), state.func_id.func_qualname)
        super().run_pass(state)
        state.library.add_ir_module(_front(state.targetctx, state.cr.fndesc))
        return True


def _front(target: Any, kernel: Any) -> ir.Module:
    """The function `NAME`: a call of the kernel, whose status says nothing."""
    module, convention = target.create_module("front"), target.call_conv
    taken = [target.get_value_type(kind) for kind in kernel.argtypes]
    inside = ir.Function(module, convention.get_function_type(kernel.restype, kernel.argtypes), kernel.llvm_func_name)
    front = ir.Function(module, ir.FunctionType(ir.VoidType(), taken), NAME)
    builder = ir.IRBuilder(front.append_basic_block("entry"))
    convention.call_function(builder, inside, kernel.restype, kernel.argtypes, front.args)
    builder.ret_void()
    return module


class KernelCompiler(CompilerBase):
    """Compiles what is called by its address."""

    lowering: type[Any] = _KernelLowering

    def define_pipelines(self) -> list[Any]:
        """One list of passes."""
        passes = compiler_machinery.PassManager("kernel")
        for kind in (*SHORT, self.lowering, typed_passes.NoPythonBackend):
            passes.add_pass(kind, str(kind._name))
        passes.finalize()
        return [passes]


class InnerCompiler(KernelCompiler):
    """Compiles what only kernels call."""

    lowering = _LinkedLowering


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Compiling makes a million small objects, most of which stay: looking through them for cycles took a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
