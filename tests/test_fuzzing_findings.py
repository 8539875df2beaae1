"""What fuzzing has found, one test each, by hand: the input at its smallest, and what it did before it was refused."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from small_runs import history, params, spec_text

import neurograph as ng
from neurograph.cli import main
from neurograph.cli.input_file import read_input
from neurograph.data.idx import read_images
from neurograph.data.npz import read_npz
from neurograph.errors import DataError, ParameterError, RunError, SpecError, UsageError
from neurograph.graph.layout import layout_of
from neurograph.parameters import Parameters
from neurograph.training import History, tensors
from neurograph.training.checkpoints import Checkpoint
from neurograph.training.settings import Settings


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


@pytest.mark.parametrize(
    "text",
    [
        '[[edge]]\nfrom = 1\n' + '[[edge]]\nfrom = "a"\nto = "b"\n' * 4_000,
        "".join(f'[[input]]\nname = "i{i}"\nshape = [1]\n' for i in range(8_000)),
        "\n" * 2**20,
    ],
    ids=["a bad edge before many", "many inputs", "a mebibyte of nothing"],
)  # fmt: skip
def test_long_texts_take_time_in_proportion(text: str) -> None:
    """They took five minutes a mebibyte, ten seconds, and three: lines were gone through once a table, names once an input."""
    started = time.process_time()
    with pytest.raises(SpecError):
        ng.load(text)
    assert time.process_time() - started < 4.0


def test_where_an_edge_ends_is_asked_for_in_its_own_words() -> None:
    """It was said to be "numbers in lists, or the number of a class", as the target of a sample is."""
    with pytest.raises(SpecError, match="edge 1: to is missing; it must be letters, digits, _ and -"):
        ng.load('[[edge]]\nfrom = "a"\n')


def test_lines_of_tables_behind_an_unreadable_one_are_right() -> None:
    """Not found by fuzzing, but at stake when the first of these was mended."""
    with pytest.raises(SpecError) as caught:
        ng.load(
            '[[edge]]\nfrom = 1\n\n# a comment\n\n[[edge]]\nfrom = "a"\nto = "a"\n\n[[neuron]]\nid = "a"\noutput = true\n'
        )
    assert [fault.where for fault in caught.value.faults][:3] == ["<text>:1", "<text>:2", "<text>:6"]


@pytest.mark.parametrize("value", ["[" * 5_000, "{a=" * 2_000, "a." * 50_000 + "b = 1", "1\nepochs = 2", "9" * 5_000])
def test_an_assignment_is_one_value_of_a_line(value: str) -> None:
    """RecursionError, a minute of parsing, a second line left out without a word, a screen full of nines."""
    with pytest.raises(UsageError, match=r"^--set train\.epochs=") as caught:
        Settings.of(ng.load("xor"), [f"train.epochs={value}"])
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("what", ["/dev/zero", "pipe", "bomb.npz", "empty.npz", "short.npy", "open.npy"])
def test_a_sample_that_has_no_end_is_refused_at_once(tmp_path: Path, what: str) -> None:
    """All memory was taken by what a device gives, or an archive unpacks to; a pipe was waited for; EOFError, TokenError."""
    path = Path(what) if what[0] == "/" else tmp_path / what
    if what[0] == "/" and not path.exists():
        pytest.skip(f"no {what} here")
    if what == "pipe":
        os.mkfifo(path)
    elif what == "bomb.npz":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("input.npy", bytes(2**26 + 1))
    elif what[0] != "/":
        header = b"{" if what == "open.npy" else b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,)}"
        path.write_bytes(b"" if what == "empty.npz" else b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header)
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: "):
        read_input(path, layout_of(ng.lay_out(ng.load("four"))))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_place_of_a_data_file_is_not_waited_for(tmp_path: Path) -> None:
    """Opening it waited for ever for somebody to write."""
    os.mkfifo(tmp_path / "pipe")
    for read in (read_npz, read_images):
        with pytest.raises(DataError, match="pipe: not an ordinary file"):
            read(tmp_path / "pipe")


COMMAND_LINES = [
    (["new", "\0"], "neurograph: an argument holds a null character"),
    (["new", "a\nb"], "new: 'a\\nb' is no name that a text can hold"),
    (["new", "é\udcff"], "new: '\\xe9\\udcff' is no name that a text can hold"),
    (["verify", "xor", "--samples", "9" * 30], "neurograph verify: Invalid value for '--samples'"),
    (["train", "xor", "--engine", "textbook", "--steps", "1", "-q", "--out", "loop"], "loop: the run folder cannot be made"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), COMMAND_LINES, ids=[" ".join(line)[:20] for line, _ in COMMAND_LINES])
def test_a_command_line_is_refused_in_words(
    line: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each was told as a fault of the program; `new` left a spec behind that no editor could open."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    assert main(line) == 2
    assert capsys.readouterr().err.startswith(message)
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


def test_weights_that_are_nan_of_the_signalling_kind_are_read_without_a_warning(tmp_path: Path) -> None:
    """NumPy warned of "invalid value encountered in cast"; any other NaN was read in silence."""
    from safetensors.numpy import save_file

    save_file({"w": np.array([0x7F800001], np.uint32).view(np.float32)}, tmp_path / "w")
    assert np.isnan(Parameters.load(tmp_path / "w")["w"]).all()
