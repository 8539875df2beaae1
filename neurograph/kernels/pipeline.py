"""The short way through Numba's compiler that kernels take: a third of the time of the usual one.

Kernels are plain loops over numbers and pointers. So passes that look for arrays, closures, literal unrolling or generators are left out;
and what kernels call is neither optimised nor made into machine code by itself, since that happens inside the kernel it is linked into.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

from numba.core import compiler_machinery, typed_passes, untyped_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase

SHORT = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.GenericRewrites,
    untyped_passes.ReconstructSSA,
    typed_passes.NopythonTypeInference,
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

    def _optimize_functions(self, ll_module: Any) -> None:
        """Nothing but the layout of data."""
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        """All of LLVM's passes, once."""
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


@compiler_machinery.register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(typed_passes.NativeLowering):
    """Lowers a kernel with all that it calls."""

    _name = "kernel_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower into such code; it is kept on disk."""
        state.library = _Kernel(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


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
