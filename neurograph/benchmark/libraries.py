"""How many threads other libraries use: most of them read that from the environment, once, when they are imported."""

from __future__ import annotations

import os
import sys

BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS")


def limit(threads: int) -> None:
    """Hold NumPy's and JAX's threads to as many as ours. Where NumPy is imported already nothing can be done, and nothing is."""
    if "numpy" in sys.modules:
        return
    for name in BLAS:
        os.environ.setdefault(name, str(threads))
    if threads == 1:
        os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")


def available() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
