"""The one place where Numba's flags stand: how a kernel is compiled, and where compiled code is kept.

Entry points (`entry`) are cached on disk in a folder of our own that only its owner may write; what they call (`inner`) is compiled
into them. With ``NUMBA_DISABLE_JIT=1`` both return the Python function itself.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.ccallback import CFunc

F = TypeVar("F", bound=Callable[..., Any])

FLAGS = frozenset({"reassoc", "contract", "nsz", "arcp"})
"""Sums may be reordered and fused; NaN and infinities keep their meaning (`fastmath=True` would delete every NaN check)."""

COMPILED = not bool(getattr(numba.config, "DISABLE_JIT", 0))
"""False where kernels run as plain Python."""


def inner(function: F) -> F:
    """Compile a kernel that other kernels call."""
    return numba.njit(function, fastmath=set(FLAGS), error_model="numpy", nogil=True)


def exact(function: F) -> F:
    """Compile a formula whose order of operations matters: no reordering at all."""
    return numba.njit(function, fastmath=False, error_model="numpy", nogil=True)


def entry(function: F) -> F:
    """Compile a parallel kernel that Python calls, and keep the machine code on disk."""
    compiled = numba.njit(function, fastmath=set(FLAGS), error_model="numpy", nogil=True, parallel=True)
    if COMPILED and cache_folder() is not None:
        compiled._cache = _Cache(compiled.py_func)
    return compiled


def stored(function: F) -> F:
    """Compile a serial kernel that Python calls, without any reordering, and keep the machine code on disk."""
    compiled = numba.njit(function, error_model="numpy", nogil=True)
    if COMPILED and cache_folder() is not None:
        compiled._cache = _Cache(compiled.py_func)
    return compiled


def by_address(function: Callable[..., Any], context: Any, *, instruction: bool) -> Any:
    """Compile a kernel of a context (and of an instruction) that is called by its address; keep the code on disk.

    Without the JIT this is the function itself.
    """
    if not COMPILED:
        return function
    arguments = (context, types.CPointer(types.int64)) if instruction else (context,)
    options = {"fastmath": set(FLAGS), "error_model": "numpy"}
    compiled: Any = CFunc(function, (arguments, types.void), locals={}, options=options)
    if cache_folder() is not None:
        compiled._cache = _Cache(function)
    compiled.compile()
    _alive.append(compiled)
    return compiled.address


_alive: list[Any] = []
"""Machine code lives as long as what compiled it."""


@functools.cache
def start_threads() -> int:
    """Start Numba's threads, once, so that they sleep while they wait; returns how many there are.

    OpenMP's threads spin by default, which beside a busy neighbour costs up to nine tenths of the speed. The policy is read when
    the library loads; a policy that the user has set is kept, and the environment is left as it was.
    """
    policy = "OMP_WAIT_POLICY"
    unset = policy not in os.environ
    if unset:
        os.environ[policy] = "PASSIVE"
    try:
        numba.get_num_threads()
    finally:
        if unset:
            del os.environ[policy]
    return int(getattr(numba.config, "NUMBA_NUM_THREADS", 1))


@functools.cache
def cache_folder() -> Path | None:
    """The user's own folder for compiled kernels, or None (with one warning) where there cannot be one.

    Cached code is executed when it is loaded, so the folder must belong to this user and be closed to everyone else.
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(base) / "neurograph" / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        safe = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077 and _is_mine(found)
        problem = (
            None
            if safe and os.access(folder, os.W_OK)
            else "it is not a writable folder of this user alone (mode 0700)"
        )
    except OSError as error:
        problem = str(error)
    if problem is None:
        return folder
    warnings.warn(
        f"{folder}: compiled kernels are not kept, so every start compiles anew: {problem}.",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


def _is_mine(found: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or found.st_uid == os.getuid()


@functools.cache
def source_stamp() -> str:
    """A hash of every kernel's source: compiled code holds its helpers too, so any change makes all of it stale."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:20]


class _Locator(_CacheLocator):
    """Tells Numba where the files of a kernel lie, and when they are stale."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

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
    """Numba's cache of one function; a damaged file costs one compilation, not every later run."""

    _impl_class = _CacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # a pickle of foreign or damaged bytes may raise anything at all
            warnings.warn(
                f"{self.cache_path}: a damaged kernel was deleted and is compiled anew ({error}).",
                RuntimeWarning,
                stacklevel=2,
            )
            self._discard()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            warnings.warn(
                f"{self.cache_path}: a compiled kernel could not be kept ({error}).", RuntimeWarning, stacklevel=2
            )

    def _discard(self) -> None:
        for path in Path(self.cache_path).glob(f"{self._impl.filename_base}*"):
            path.unlink(missing_ok=True)
