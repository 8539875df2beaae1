"""Kernels become object files, and these addresses; a kept file that is no object file is compiled anew."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
from llvmlite import binding
from numba import types

from neurograph.kernels import cache, jit
from neurograph.kernels import code as c
from neurograph.kernels.interpret import KERNELS
from neurograph.kernels.machine_code import NAME, ObjectFile, address_of
from neurograph.kernels.simd import context_type

pytestmark = pytest.mark.skipif(not jit.COMPILED, reason="plain Python has no machine code")


def object_file() -> ObjectFile:
    """An object file with one function, which returns 7."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    module = binding.parse_assembly(f"define i64 @{NAME}() {{ ret i64 7 }}")
    triple = binding.Target.from_triple(binding.get_process_triple())
    return ObjectFile(triple.create_target_machine(jit=True).emit_object(module))


def test_function_of_an_object_file_is_called_by_its_address() -> None:
    assert ctypes.CFUNCTYPE(ctypes.c_int64)(address_of(object_file()))() == 7


@pytest.mark.parametrize("planted", [b"no object file", ("of", "an older version")])
def test_kept_file_that_cannot_be_loaded_is_compiled_anew(
    planted: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jit, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(cache, "_said", set())
    kernel, context = KERNELS[c.CLEAR], context_type("float64", 4)
    kept, key = jit._kept(kernel, (context, types.CPointer(types.int64)))
    assert kept is not None
    kept.save(key, planted)
    assert jit.is_kept(kernel, context, instruction=True)
    address = jit.by_address(kernel, context, instruction=True)
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: damaged kernels were deleted and are compiled anew."
    ]
    assert isinstance(kept.load(key), ObjectFile)
    gradient, ranges, row = np.ones(8), np.array([1, 7], np.int64), np.zeros(c.FIELDS, np.int64)
    fields = np.zeros(c.N_CONTEXT, np.int64)
    fields[c.GRADIENT], fields[c.TABLES], row[c.COUNT] = gradient.ctypes.data, ranges.ctypes.data, 1
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(address)(fields.ctypes.data, row.ctypes.data)
    assert gradient.tolist() == [1, 0, 0, 0, 0, 0, 0, 1]


def test_kernels_of_somebody_else_are_not_kept() -> None:
    def mine(context: object, row: object) -> None:
        """Nothing."""

    assert not jit.is_kept(mine, context_type("float32", 4), instruction=True)
    assert jit._kept(mine, ())[0] is None
