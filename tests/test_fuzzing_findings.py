"""What fuzzing has found, one test each, by hand: the input at its smallest, and what it did before it was refused."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from small_runs import history, params, spec_text

import neurograph as ng
from neurograph.data.npz import read_npz
from neurograph.errors import DataError, ParameterError, RunError, SpecError
from neurograph.parameters import Parameters
from neurograph.training import History, tensors
from neurograph.training.checkpoints import Checkpoint


def resealed(path: Path, **texts: object) -> Path:
    """A checkpoint whose texts were changed, sealed rightly, as only another program makes it."""
    Checkpoint.of(params(), {}, history(0.5), spec_text()).write(path)
    arrays, old = tensors.read(path, lambda *_: None)
    path.write_bytes(b"".join(tensors.write(arrays, {**old, **texts})))  # type: ignore[dict-item]
    return path


@pytest.mark.parametrize("frozen", ["[[]]", "1e999", '{"out.bias": 1}', "[" * 3000])
def test_a_checkpoint_that_freezes_no_names_is_refused(tmp_path: Path, frozen: str) -> None:
    """It was read, and a TypeError came when its weights were asked for."""
    path = resealed(tmp_path / "c", frozen=frozen)
    with pytest.raises(RunError, match="not a checkpoint that neurograph made"):
        Checkpoint.read(path)
    with pytest.raises(ParameterError, match="not a readable safetensors file"):
        Parameters.load(path)


def test_a_checkpoint_with_a_number_beyond_all_floats_is_refused(tmp_path: Path) -> None:
    """It was read, and an OverflowError came when its history was shown."""
    row = json.dumps({"epoch": 1, "step": 1, "loss": 0.5, "seconds": 10**400})
    with pytest.raises(RunError, match="not a row of a history"):
        Checkpoint.read(resealed(tmp_path / "c", history=row))
    with pytest.raises(RunError, match="not a row of a history"):
        History.from_lines([row])


def test_a_checkpoint_whose_texts_are_no_texts_is_refused(tmp_path: Path) -> None:
    """It was read with a table for a version, and what was written from it could not be read again."""
    with pytest.raises(RunError, match="not a checkpoint that neurograph made"):
        Checkpoint.read(resealed(tmp_path / "c", version={"sha256": "0"}))


@pytest.mark.parametrize("header", ["{", "'''", "(\\\n", "{'descr': '\\q', 'shape': (10L,)"])
def test_an_array_whose_header_does_not_end_is_refused(tmp_path: Path, header: str) -> None:
    """A TokenError of Python's tokenizer came out, and warnings of its compiler."""
    path = tmp_path / "d.npz"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode())
        whole = io.BytesIO()
        np.save(whole, np.zeros(2))
        archive.writestr("y.npy", whole.getvalue())
    path.write_bytes(out.getvalue())
    with pytest.raises(DataError, match="'x': no array: "):
        read_npz(path)


def test_an_upstream_gradient_without_any_layer_is_one_of_the_faults() -> None:
    """A StopIteration came out: a sample's gradient was held against the first of no heads."""
    with pytest.raises(SpecError, match="no network"):
        ng.load("input = [4]\n[[sample]]\ninput = [1, 2, 3, 4]\nupstream = [0.5]\n")
