"""The one place where Numba's flags stand: how a kernel is compiled.

Kernels (`by_address`) are kept on disk (`neurograph.kernels.cache`); what kernels call (`inner`) is compiled into them. With
``NUMBA_DISABLE_JIT=1`` both return the Python function itself.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime.nrt import rtsys

from neurograph.kernels import processor
from neurograph.kernels.cache import KernelFiles, cache_folder, source_stamp
from neurograph.kernels.machine_code import ObjectFile, address_of
from neurograph.kernels.pipeline import InnerCompiler, KernelCompiler, without_collector

F = TypeVar("F", bound=Callable[..., Any])

FLAGS = frozenset({"reassoc", "contract", "nsz", "arcp"})
"""Sums may be reordered and fused; NaN and infinities keep their meaning (`fastmath=True` would delete every NaN check)."""

COMPILED = not bool(getattr(numba.config, "DISABLE_JIT", 0))
"""False where kernels run as plain Python."""


def inner(function: F) -> F:
    """Compile a kernel that other kernels call."""
    return numba.njit(function, fastmath=set(FLAGS), error_model="numpy", nogil=True, pipeline_class=InnerCompiler)


def exact(function: F) -> F:
    """Compile a formula whose order of operations matters: no reordering at all."""
    return numba.njit(function, fastmath=False, error_model="numpy", nogil=True, pipeline_class=InnerCompiler)


def own_thread(function: F) -> F:
    """Compile a kernel that Python calls and that runs on the calling thread, in a pass of its own; keep the machine code on disk."""
    compiled = numba.njit(function, fastmath=set(FLAGS), error_model="numpy", nogil=True)
    if COMPILED and cache_folder() is not None:
        compiled._cache = _Cache(compiled.py_func)
    return compiled


def by_address(function: Callable[..., Any], context: Any, *, instruction: bool) -> Any:
    """Compile a kernel of a context (and of an instruction) that is called by its address; those of this package are kept on disk.

    Without the JIT this is the function itself.
    """
    return address_with(function, _arguments(context, instruction))


def address_with(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """The same for a function of any arguments."""
    if not COMPILED:
        return function
    files, key = _kept(function, arguments)
    kept = None if files is None else files.load(key)
    if isinstance(kept, ObjectFile):
        return address_of(kept)
    if files is not None and kept is not None:
        files.discard(key)
    code = _compiled(function, arguments)
    if files is not None:
        files.save(key, code)
    return address_of(code)


def is_kept(function: Callable[..., Any], context: Any, *, instruction: bool) -> bool:
    """Whether there is a file for what `by_address` would load."""
    files, key = _kept(function, _arguments(context, instruction))
    return files is not None and files.path(key).exists()


def _arguments(context: Any, instruction: bool) -> tuple[Any, ...]:
    return (context, types.CPointer(types.int64)) if instruction else (context,)


def _kept(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[KernelFiles | None, Any]:
    """Where machine code is kept, and under which key: that of this package alone, whose sources are part of files' names."""
    folder, (package, _, module) = cache_folder(), function.__module__.rpartition(".")
    if folder is None or package != __package__:
        return None, None
    return KernelFiles(folder, f"{module}.{function.__qualname__}"), (str(arguments), *processor.described())


def _compiled(function: Callable[..., Any], arguments: tuple[Any, ...]) -> ObjectFile:
    """The object file of a kernel."""
    options = {"fastmath": set(FLAGS), "error_model": "numpy"}
    compiler: Any = KernelCompiler
    kernel: Any = CFunc(function, (arguments, types.void), locals={}, options=options, pipeline_class=compiler)
    with global_compiler_lock, without_collector():
        return ObjectFile(kernel._compile_uncached().library.machine_code())


@functools.cache
def start_threads() -> int:
    """Start Numba's threads, once, so that they soon sleep while they wait; returns how many there are.

    OpenMP's threads spin for milliseconds by default, which beside a busy neighbour costs up to nine tenths of the speed; asleep at once
    they take 50 µs to wake, a good part of a step. These spin for some 20 µs. The policy is read when the library loads; one that the
    user has set is kept, and the environment is left as it was.
    """
    wanted = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "10000"}
    set_here = {} if wanted.keys() & os.environ.keys() else wanted
    os.environ.update(set_here)
    try:
        numba.get_num_threads()
    finally:
        for name in set_here:
            del os.environ[name]
    return int(getattr(numba.config, "NUMBA_NUM_THREADS", 1))


# -- Numba's side of the cache ----------------------------------------------------------------------------------------
class _Locator(_CacheLocator):
    """Tells Numba where kernels lie; `KernelFiles` knows the rest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ensure_cache_path(self) -> None:
        """Nothing: a folder that cannot be written is noticed when a file is."""

    def get_cache_path(self) -> str:
        return os.fspath(self._folder)

    def get_source_stamp(self) -> str:
        return source_stamp()

    def get_disambiguator(self) -> str:
        return source_stamp()

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _Locator | None:
        folder = cache_folder()
        return None if folder is None else cls(folder)


class _CacheImpl(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # type: ignore[list-item]  # noqa: RUF012


class _Cache(FunctionCache):
    """Numba's cache of one function, over our files; a damaged file costs one compilation, not every later run.

    Machine code needs Numba's runtime and nothing else. So what Numba needs to compile (a third of a second: its registries, and
    SciPy where that is installed) is loaded only where something is compiled.
    """

    _impl_class = _CacheImpl

    def __init__(self, py_func: Callable[..., Any]) -> None:
        super().__init__(py_func)
        module = py_func.__module__.rpartition(".")[2]
        self._kept = KernelFiles(Path(self.cache_path), f"{module}.{py_func.__qualname__}")
        self._cache_file = self._kept  # type: ignore[assignment]  # load, save and flush are all that Numba asks of it

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            rtsys.initialize(target_context)
            return self._load_overload(sig, target_context)
        except Exception:  # what has the right checksum and still cannot be rebuilt may raise anything at all
            self._kept.discard(self._index_key(sig, target_context.codegen()))
            return None
