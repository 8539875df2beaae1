"""What the processor can do that kernels are compiled for."""

from __future__ import annotations

import functools

import llvmlite.binding
import numba
from numba.core.codegen import get_host_cpu_features


def has(feature: str) -> bool:
    """Whether it has a feature, by LLVM's name; ``NUMBA_CPU_FEATURES`` overrules the machine, as it does for Numba."""
    given = getattr(numba.config, "CPU_FEATURES", None)
    if given is not None:
        return f"+{feature}" in str(given).split(",")
    return bool(llvmlite.binding.get_host_cpu_features().get(feature, False))


@functools.cache
def described() -> tuple[str, str, str]:
    """What code is made for, as Numba tells LLVM: the system, the processor's name, and its features."""
    name, features = (getattr(numba.config, word, None) for word in ("CPU_NAME", "CPU_FEATURES"))
    triple = llvmlite.binding.get_process_triple()
    return (
        triple,
        name or llvmlite.binding.get_host_cpu_name(),
        get_host_cpu_features() if features is None else features,
    )
