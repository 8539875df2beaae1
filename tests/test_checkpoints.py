"""Checkpoint files: whole to the last bit, or refused; of this network, or refused with the difference."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_runs import content, history, params, spec_text

from neurograph.errors import RunError
from neurograph.parameters import Parameters
from neurograph.training import History, tensors
from neurograph.training.checkpoints import Checkpoint
from neurograph.training.history import Begun


def checkpoint() -> Checkpoint:
    state = {"velocity/out.weight": np.ones((2, 3), np.float32), "steps/out.weight": np.array(7)}
    begun = Begun(3, 23, 3, 24, 1 / 3, 0.25)
    return Checkpoint.of(params(), state, History(history(0.5, 0.75).epochs, "loss", 0.125), spec_text(), begun)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "c.safetensors"
    checkpoint().write(path)
    return path


def shapes() -> dict[str, tuple[int, ...]]:
    return {"out.weight": (2, 3), "out.bias": (2,)}


def test_a_checkpoint_comes_back_bit_by_bit(path: Path) -> None:
    read = Checkpoint.read(path, spec_text(), shapes)
    assert content(read) == content(checkpoint())
    assert read.history == checkpoint().history
    assert (read.frozen, read.step, read.version) == (("out.bias",), 23, "0.1.0")
    assert read.parameters().trainable == {"out.weight": True, "out.bias": False}


def test_equal_checkpoints_are_equal_files(path: Path, tmp_path: Path) -> None:
    checkpoint().write(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_other_readers_of_safetensors_read_it_too(path: Path) -> None:
    from safetensors.numpy import load

    found = load(path.read_bytes())
    assert found["out.weight"].tolist() == params()["out.weight"].tolist()
    assert found["optimizer:steps/out.weight"].tolist() == 7
    read = Parameters.load(path)
    assert read["out.bias"].tolist() == [0.0, 0.5]
    assert read.trainable["out.bias"] is False


@pytest.mark.parametrize("every", [17, pytest.param(1, marks=pytest.mark.slow)])
def test_every_truncation_is_refused(path: Path, every: int) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole), every):
        path.write_bytes(whole[:length])
        with pytest.raises(RunError, match="damaged"):
            Checkpoint.read(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(RunError, match="damaged"):
        Checkpoint.read(path)


@pytest.mark.parametrize("every", [29, pytest.param(1, marks=pytest.mark.slow)])
def test_every_bit_flip_is_refused(path: Path, every: int) -> None:
    whole = path.read_bytes()
    for bit in range(0, 8 * len(whole), every):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(flipped))
        with pytest.raises(RunError):
            Checkpoint.read(path)


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.safetensors"
    params().save(path)
    with pytest.raises(RunError) as caught:
        Checkpoint.read(path)
    assert str(caught.value) == f"{path}: damaged, or not a checkpoint of neurograph: it has no seal."
    with pytest.raises(RunError) as caught:
        Checkpoint.read(tmp_path)
    assert str(caught.value) == f"{tmp_path}: not a file."
    with pytest.raises(RunError) as caught:
        Checkpoint.read(tmp_path / "none")
    assert str(caught.value) == f"{tmp_path / 'none'}: no such checkpoint."


def test_another_format_is_refused_with_the_version_that_wrote_it(tmp_path: Path) -> None:
    texts = {"format": "neurograph checkpoint 9", "version": "7.0.0"}
    (tmp_path / "c").write_bytes(b"".join(tensors.write({}, texts)))
    with pytest.raises(RunError) as caught:
        Checkpoint.read(tmp_path / "c")
    assert str(caught.value) == (
        f"{tmp_path / 'c'}: not a checkpoint this version (0.1.0) can read: found 'neurograph checkpoint 9', written by "
        f"neurograph 7.0.0; expected 'neurograph checkpoint 2'."
    )


def test_another_spec_is_refused_with_the_first_line_that_differs(path: Path) -> None:
    with pytest.raises(RunError) as caught:
        Checkpoint.read(path, spec_text(n_units=4), shapes)
    assert str(caught.value) == (
        f"{path}: belongs to another spec than the one beside it; line 6: 'units = 4' here, 'units = 2' there. "
        f"Put the spec back as it was, or begin a new run."
    )


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"out.weight": (2, 3)}, "'out.bias' is 2 there, missing in the spec"),
        ({"out.weight": (2, 4), "out.bias": (2,)}, "'out.weight' is 2×3 there, 2×4 in the spec"),
        ({"out.weight": (2, 3), "out.bias": ()}, "'out.bias' is 2 there, a single number in the spec"),
        ({"out.weight": (2, 3), "out.bias": (2,), "z": (1,)}, "'z' is missing there, 1 in the spec"),
    ],
)
def test_weights_of_another_network_are_refused_by_name(
    path: Path, wanted: dict[str, tuple[int, ...]], told: str
) -> None:
    with pytest.raises(RunError) as caught:
        Checkpoint.read(path, None, lambda: wanted)
    assert str(caught.value) == (
        f"{path}: weights of another network: {told}. Name the run of this network, or begin a new one."
    )


def test_sizes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    """A gigabyte of zeros that costs no disk, rightly sealed, is refused by its shape: no array of it is made."""
    path = tmp_path / "huge"
    state = {"velocity/out.weight": np.zeros((2, 3))}
    Checkpoint.of(params(), state, History(), spec_text()).write(path)
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    n = 1 << 27
    claims = {"optimizer:velocity/out.weight": ([n], n * 8, n * 8)}
    path.write_bytes(_sealed(header, claims))
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size + 8 * n + 64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "empty", lambda *_: pytest.fail("read before it was checked"))
        with pytest.raises(RunError, match=f"optimizer state of another network: 'velocity/out.weight' is {n}, its"):
            Checkpoint.read(path, None, shapes)


def _sealed(header: dict[str, dict[str, object]], claims: dict[str, tuple[list[int], int, int]]) -> bytes:
    """A file as an attacker makes it: with other claims, and the seal set anew."""
    import hashlib

    for name, (shape, _, _) in claims.items():
        header[name]["shape"] = shape
    place = 0
    for name, entry in header.items():
        if name != "__metadata__":
            size = 8 * int(np.prod(entry["shape"], dtype=object))
            entry["data_offsets"] = [place, place + size]
            place += size
    header["__metadata__"]["sha256"] = "0" * 64
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    whole = len(text).to_bytes(8, "little") + text
    return whole.replace(b'"sha256":"' + b"0" * 64, b'"sha256":"' + hashlib.sha256(whole).hexdigest().encode())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("history", '{"epoch": "one"}'),
        ("history", "[" * 100_000),
        ("begun", '{"epoch": 1, "step": true}'),
        ("begun", '{"epoch": 1, "stop": 1}'),
        ("judged", '["beauty", 0]'),
        ("frozen", "7"),
        ("tensors", "{}"),
    ],
)
def test_what_is_sealed_and_makes_no_sense_is_refused(tmp_path: Path, text: str, value: str) -> None:
    path = tmp_path / "c"
    checkpoint().write(path)
    arrays, texts = tensors.read(path, lambda *_: None)
    written = b"".join(tensors.write(arrays, {**texts, text: value}))
    if text == "tensors":
        written = _without_digests(written)
    path.write_bytes(written)
    with pytest.raises(RunError) as caught:
        Checkpoint.read(path)
    assert str(caught.value).startswith(str(path))


def _without_digests(written: bytes) -> bytes:
    length = int.from_bytes(written[:8], "little")
    header = json.loads(written[8 : 8 + length])
    header["__metadata__"]["tensors"] = "{}"
    sizes = {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
    assert sizes
    return _sealed(header, {}) + written[8 + length :]
