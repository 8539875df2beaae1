"""The first time on a machine kernels are missing by the dozen: a second process compiles some of them, where a core idles.

Two processes walk one list from both ends. Each looks on disk first, so they meet in the middle; they need no other word with each other,
and whatever becomes of the second, the first has all that it needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from numba.core.dispatcher import Dispatcher

from neurograph.kernels.cache import cache_folder
from neurograph.kernels.interpret import function_of, interpreter, kernel, stretch
from neurograph.kernels.jit import COMPILED, is_kept
from neurograph.kernels.simd import context_type

MANY = 6
"""So many kernels take longer to compile than a process takes to start."""

LAUNCH = -1
"""The job of making the interpreter and what threads are handed; other jobs are operations."""

HELPER = "import json, sys; paths, *job = json.load(sys.stdin); sys.path[:] = paths; from neurograph.kernels.first_time import assist; assist(*job)"

LOADS = Path("/proc/loadavg")


def compile_at_once(operations: Sequence[int], dtype: str, width: int) -> None:
    """Compile what is missing, where it is much and a core idles; else leave it to `kernel`."""
    if not COMPILED or cache_folder() is None:
        return
    missing = [operation for operation in operations if not _is_kept(operation, dtype, width)]
    if len(missing) < MANY or not may_help() or not _core_idles():
        return
    jobs = [*_big_ones_outside(missing), LAUNCH]
    with _helper(jobs[::-1], dtype, width):
        for job in jobs:
            make(job, dtype, width)


def make(job: int, dtype: str, width: int) -> None:
    """Do one job: load what is on disk, compile what is not."""
    if job == LAUNCH:
        interpreter()
        stretch()
    else:
        kernel(job, dtype, width)


def assist(jobs: Sequence[int], dtype: str, width: int) -> None:
    """What the second process does; asked to end, it leaves no half a file."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    for job in jobs:
        if job == LAUNCH or not _is_kept(job, dtype, width):
            make(job, dtype, width)


def _is_kept(operation: int, dtype: str, width: int) -> bool:
    function, width = function_of(operation, width)
    return is_kept(function, context_type(dtype, width), instruction=True)


@contextlib.contextmanager
def _helper(jobs: Sequence[int], dtype: str, width: int) -> Iterator[None]:
    """A process that does jobs while this one does them from the other end."""
    bare = ["-B"] if sys.dont_write_bytecode else []
    nowhere = subprocess.DEVNULL
    try:
        command = [sys.executable, "-I", *bare, "-c", HELPER]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere)
    except OSError:  # where no process can be started, this one does all
        yield
        return
    try:
        _tell(process, [sys.path, jobs, dtype, width])
        yield
    finally:
        process.terminate()
        threading.Thread(target=process.wait, daemon=True).start()


def _tell(process: subprocess.Popen[bytes], what: Any) -> None:
    """Hand a process its job; one that has ended meanwhile is not missed."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(json.dumps(what).encode())


def may_help() -> bool:
    """Whether another Python may be started: not where ``sys.executable`` is a program that has Python inside."""
    return not getattr(sys, "frozen", False) and Path(sys.executable or "").stem.lower().startswith("python")


def _core_idles() -> bool:
    """Whether some core of this machine has nothing to do, by one look of several."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores > 1 and any(_running() < cores for _ in range(5))


def _running() -> int:
    """How many threads want a core, this one among them; 1 where the system does not say."""
    time.sleep(0.001)
    try:
        return int(LOADS.read_text().split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return 1


def _big_ones_outside(operations: Sequence[int]) -> list[int]:
    """In such an order that where two meet, little is done twice."""
    by_size = sorted(operations, key=lambda operation: -_size(function_of(operation, 1)[0], set()))
    return [*by_size[::2], *by_size[1::2][::-1]]


def _size(function: Callable[..., Any], seen: set[Any]) -> int:
    """Bytes of Python's code in a kernel and all that it calls, about in proportion to the time it takes to compile."""
    called = [function.__globals__.get(name) for name in function.__code__.co_names]
    inner = {found.py_func for found in called if isinstance(found, Dispatcher)} - seen
    seen |= inner
    return len(function.__code__.co_code) + sum(_size(found, seen) for found in inner)
