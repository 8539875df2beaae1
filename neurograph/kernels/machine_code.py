"""From the object file of a kernel to an address that can be called. What it needs is LLVM; Numba's compiler is not asked."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from llvmlite import binding

from neurograph.kernels import processor

NAME = "kernel"
"""What the machine code of a kernel is called in its object file."""

_alive: list[Any] = []
"""Machine code lives as long as what loaded it."""


@dataclass(frozen=True)
class ObjectFile:
    """An object file that has a function `NAME`. LLVM believes what it is told and ends the process over any other."""

    code: bytes


def address_of(kernel: ObjectFile) -> int:
    """Load an object file; the address of its kernel."""
    _start()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(kernel.code))
    engine.finalize_object()
    _alive.append(engine)
    return int(engine.get_function_address(NAME))


@functools.cache
def _start() -> None:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()


def _machine() -> Any:
    """What an engine wants to be told of the machine; each keeps its own."""
    _, name, features = processor.described()
    triple = binding.Target.from_triple(binding.get_process_triple())
    return triple.create_target_machine(cpu=name, features=features, jit=True)
