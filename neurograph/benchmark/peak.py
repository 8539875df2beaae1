"""What this machine can do at most: fused multiply-adds a second, and bytes a second. Measured, not looked up.

The loop for the peak keeps its sums in vector registers, enough of them that no addition waits for another, and reads no memory.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from neurograph.data.cache import cache_folder

SECONDS = 0.02
BYTES = 2**26
"""Of an array that no cache holds."""


@dataclass(frozen=True)
class Machine:
    """Measured limits of one core and of all threads asked for.

    Attributes
    ----------
    cpu, vector : str
        The processor's name to LLVM, and its widest vectors.
    threads : int
    core_flops, flops : float
        Floating-point operations a second, float32: of one core, of all threads together.
    bandwidth : float
        Bytes a second that all threads together read.
    """

    cpu: str
    vector: str
    threads: int
    core_flops: float
    flops: float
    bandwidth: float


def measure(threads: int) -> Machine | None:
    """Measure the machine; None where nothing can be compiled (``NUMBA_DISABLE_JIT``)."""
    from neurograph.kernels.jit import COMPILED

    if not COMPILED:
        return None
    from neurograph.benchmark.loops import SUMS, fma_loop, reader

    cpu, lanes = host()
    spin, read = fma_loop(lanes), reader()
    values = np.ones(BYTES // 4, dtype=np.float32)
    parts = np.array_split(values, threads)
    flop = 2 * lanes * SUMS

    def busy(n: int) -> Callable[[int], object]:
        return lambda _: spin(n)

    n = 20_000
    while (took := _best(busy(n), 1)) < SECONDS / 4:
        n *= 2
    n = int(n * SECONDS / took)
    core = flop * n / _best(busy(n), 1)
    every = core if threads == 1 else threads * flop * n / _best(busy(n), threads)
    bandwidth = values.nbytes / _best(lambda i: read(parts[i]), threads)
    return Machine(cpu, f"{lanes} float32", threads, core, every, bandwidth)


def host() -> tuple[str, int]:
    """The processor's name, and how many float32 its widest vector holds."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    lanes = 16 if features.get("avx512f") else 8 if features.get("avx") else 4
    return str(binding.get_host_cpu_name()), lanes


def _best(work: Callable[[int], object], threads: int, times: int = 15) -> float:
    """Seconds that all threads together need, the best of a few tries."""
    gate = threading.Barrier(threads)

    def timed(i: int) -> list[tuple[float, float]]:
        work(i)
        found = []
        for _ in range(times):
            gate.wait()
            begin = time.perf_counter()
            work(i)
            found.append((begin, time.perf_counter()))
        return found

    with ThreadPoolExecutor(threads) as pool:
        every = list(pool.map(timed, range(threads)))
    tries = zip(*every, strict=True)
    took: list[float] = [max(end for _, end in turn) - min(begin for begin, _ in turn) for turn in tries]
    return min(took)


def kept(threads: int) -> Machine | None:
    """The machine as this user measured it at its best, or measured now."""
    path = _path(threads)
    found = _read(path) if path.is_file() else None
    return found if found is not None and found.cpu == host()[0] else best(threads)


def best(threads: int) -> Machine | None:
    """Measure the machine, and keep the best ever seen: a neighbour can only make it slower."""
    now = measure(threads)
    if now is None:
        return None
    path = _path(threads)
    before = _read(path) if path.is_file() else None
    if before is not None and before.cpu == now.cpu:
        limits = ("core_flops", "flops", "bandwidth")
        now = replace(now, **{name: max(getattr(now, name), getattr(before, name)) for name in limits})
    with suppress(OSError):  # a home that cannot be written to costs a second each time, and nothing else
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(now)), encoding="utf-8")
    return now


def _path(threads: int) -> Path:
    return cache_folder() / f"machine-{threads}.json"


def _read(path: Path) -> Machine | None:
    """What a file says; None if it was written by another version or cut short, so that the machine is measured again."""
    try:
        return Machine(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return None
