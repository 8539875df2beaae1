"""Rows of contexts go to what is at an address, each once, by any number of threads; Numba's own number of threads stays."""

from __future__ import annotations

import ctypes
from typing import Any

import numba
import numpy as np
import pytest

from neurograph.compiler.launching import _parallel_for, run
from neurograph.kernels.interpret import run_stretch, stretch
from neurograph.kernels.jit import COMPILED

compiled_only = pytest.mark.skipif(not COMPILED, reason="plain Python has no addresses")
Called = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


@compiled_only
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("n", [1, 3, 4])
def test_every_row_is_run_once(n: int, before: bool, threads: int) -> None:
    rows, seen = np.arange(5 * 7).reshape(5, 7), []
    work = Called(lambda address: seen.append(ctypes.c_int64.from_address(address).value))
    usual = numba.get_num_threads()
    address = ctypes.cast(work, ctypes.c_void_p).value
    run(address, rows, n, threads, before=before)
    assert numba.get_num_threads() == usual
    first = [28] if before else []
    assert seen[: len(first)] == first
    assert sorted(seen[len(first) :]) == [7 * row for row in range(n)]


@compiled_only
@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one thread has nothing to share")
def test_numbas_own_number_of_threads_stays() -> None:
    rows, work = np.zeros((4, 2), np.int64), Called(lambda _: None)
    address = ctypes.cast(work, ctypes.c_void_p).value
    for usual in (1, 2):
        numba.set_num_threads(usual)
        run(address, rows, 4, 2)
        assert numba.get_num_threads() == usual


@compiled_only
def test_without_numbas_parallel_region_rows_run_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurograph.compiler.launching._address_of_parallel_for", lambda: None)
    _parallel_for.cache_clear()
    rows, seen = np.arange(4 * 2).reshape(4, 2), []
    work = Called(lambda address: seen.append(ctypes.c_int64.from_address(address).value))
    try:
        run(ctypes.cast(work, ctypes.c_void_p).value, rows, 4, 2)
    finally:
        _parallel_for.cache_clear()
    assert seen == [0, 2, 4, 6]


@compiled_only
def test_a_stretch_is_so_many_rows_so_far_apart() -> None:
    seen: list[int] = []
    work = Called(seen.append)
    handed = [(ctypes.c_int64 * 1)(value) for value in (1000, 3, 40)]
    kinds = (*[ctypes.c_void_p] * 3, ctypes.c_int64)
    ctypes.CFUNCTYPE(None, *kinds)(stretch())(*handed, ctypes.cast(work, ctypes.c_void_p).value)
    assert seen == [1000, 1040, 1080]


def test_in_plain_python_rows_run_one_after_the_other() -> None:
    if not COMPILED:
        seen: list[Any] = []
        run(seen.append, [[0], [1], [2], [3]], 2, 2, before=True)
        assert seen == [[3], [0], [1]]
        handed: list[int] = []
        run_stretch(np.array([5]), np.array([2]), np.array([10]), handed.append)
        assert handed == [5, 15]
