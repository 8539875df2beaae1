"""What the processor can do that kernels are compiled for."""

from __future__ import annotations

import llvmlite.binding
import numba


def has(feature: str) -> bool:
    """Whether it has a feature, by LLVM's name; ``NUMBA_CPU_FEATURES`` overrules the machine, as it does for Numba."""
    given = getattr(numba.config, "CPU_FEATURES", None)
    if given is not None:
        return f"+{feature}" in str(given).split(",")
    return bool(llvmlite.binding.get_host_cpu_features().get(feature, False))
