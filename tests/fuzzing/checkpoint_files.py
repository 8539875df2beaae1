"""Checkpoints: flipped, cut, re-ordered and rewritten, with wrong seals, and with right ones over contents that nobody wrote."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fuzzing.watch import demand
from small_runs import history, params, run_at, spec_text

from neurograph.errors import RunError
from neurograph.parameters import Parameters
from neurograph.training import History, tensors
from neurograph.training.checkpoints import Checkpoint
from neurograph.training.history import Begun
from neurograph.training.runs import load_run

SHAPES = {"out.weight": (2, 3), "out.bias": (2,)}
HOSTILE = [
    None, True, False, 0, -1, 1.5, 2**31, 2**63, 2**64, 10**400, "", "a", "\0", "nan", "F32", "X9", [], [0], [-1, 1], [2**40, 2**40],
    [2**62, 4], [[]], {}, {"a": 1}, "[]", "[" * 3000, '{"a": 1}', "NaN", "1e999", "9" * 5000, "\ud800", [0, 48], [48, 0], [1.0, 2.0],
    [True], ["a"], "neurograph checkpoint 1", "neurograph checkpoint 99",
]  # fmt: skip
"""Values to put anywhere into a header."""


@dataclass(frozen=True)
class File:
    """Bytes of a checkpoint; whether its header was sealed anew after it was changed; and what else was done to its run."""

    content: bytes
    sealed: bool
    arguments: str | None = None


class CheckpointFiles:
    """A small checkpoint, with optimiser state and amid an epoch, changed in some way."""

    def __init__(self, folder: Path) -> None:
        self.path, self.run_folder = folder / "c.safetensors", folder / "run"
        state = {"velocity/out.weight": np.ones((2, 3), np.float32), "steps/out.weight": np.array(7)}
        begun = Begun(3, 23, 3, 24, 1 / 3, 0.25)
        self.checkpoint = Checkpoint.of(
            params(), state, History(history(0.5, 0.75).epochs, "loss", 0.125), spec_text(), begun
        )
        self.checkpoint.write(self.path)
        self.whole = self.path.read_bytes()
        self.begun_run = folder / "begun"
        run_at(self.begun_run, epochs=1).write(self.checkpoint, self.checkpoint)

    def make(self, random: Random) -> File:
        """A changed file."""
        arguments = _arguments(random) if random.random() < 0.05 else None
        chance = random.random()
        if chance < 0.4:
            return File(_harmed_bytes(random, self.whole), sealed=False, arguments=arguments)
        if chance < 0.5:
            return File(_other_file(random, self.whole), sealed=False, arguments=arguments)
        header, body = _split(self.whole)
        for _ in range(random.choice((1, 1, 2, 3))):
            header, body = _rewritten(random, header, body)
        sealed = random.random() < 0.9
        return File(_joined(header, body, sealed), sealed, arguments)

    def run(self, made: File) -> str:
        """Read it as a checkpoint, as weights, and every tenth time as the last of a run; what is read can be used."""
        self.path.write_bytes(made.content)
        outcome = "refused"
        try:
            found = Checkpoint.read(self.path, spec_text(), lambda: SHAPES)
            assert made.sealed or made.content == self.whole, "read, though it is not as it was written"
            assert {name: array.shape for name, array in found.values.items()} == SHAPES, "other shapes"
            assert str(found.history), "a history that cannot be shown"
            found.parameters()
            _ = found.step, found.history.best if found.history.epochs else None
            again = self.path.with_suffix(".again")
            found.write(again)
            Checkpoint.read(again, spec_text(), lambda: SHAPES)
            outcome = "read"
        except RunError as error:
            demand(str(self.path) in str(error), f"no file named: {error}")
        if made.arguments is not None or len(made.content) % 10 == 0:
            self._as_run(made)
        else:
            self._as_weights()
        return outcome

    def _as_run(self, made: File) -> None:
        """Every checkpoint of a run damaged alike, or its list of arguments."""
        shutil.rmtree(self.run_folder, ignore_errors=True)
        shutil.copytree(self.begun_run, self.run_folder)
        for path in self.run_folder.glob("*.safetensors"):
            if made.arguments is None or path.name == "last.safetensors":
                path.write_bytes(made.content)
        if made.arguments is not None:
            (self.run_folder / "arguments.json").write_text(made.arguments, "utf-8", "surrogatepass")
        try:
            load_run(self.run_folder)
        except RunError as error:
            demand(str(self.run_folder) in str(error), f"no folder named: {error}")

    def _as_weights(self) -> None:
        from neurograph.errors import NeurographError

        try:
            Parameters.load(self.path)
        except NeurographError as error:
            demand(str(error).strip(), "refused without a word")

    def shown(self, made: File) -> str:
        """The file as Python."""
        return repr(made)


# -- without a seal ----------------------------------------------------------------------------------------------------
def _harmed_bytes(random: Random, content: bytes) -> bytes:
    """Bits flipped, cut, lengthened, parts exchanged."""
    if not content:
        return random.randbytes(8)
    at, end = sorted(random.randrange(len(content) + 1) for _ in range(2))
    match random.randrange(6):
        case 0 | 1:
            flipped = bytearray(content)
            for _ in range(random.choice((1, 1, 2, 8))):
                flipped[random.randrange(len(content))] ^= 1 << random.randrange(8)
            return bytes(flipped)
        case 2:
            return content[:at]
        case 3:
            return content[:at] + content[end:]
        case 4:
            return content + random.randbytes(random.choice((1, 8, 100)))
        case _:
            return content[:at] + random.randbytes(end - at) + content[end:]


def _other_file(random: Random, content: bytes) -> bytes:
    """Another header length, or something else altogether."""
    if random.random() < 0.5:
        length = random.choice(
            (0, 1, 2, 100_000_000, 100_000_001, 2**31, 2**32, 2**63, 2**64 - 1, len(content), len(content) - 8)
        )
        return length.to_bytes(8, "little") + content[8:]
    return random.choice(
        (
            b"",
            b"\0" * 8,
            b"{}",
            b"\x80\x04K\x01.",
            b"PK\3\4" + bytes(50),
            bytes(200),
            random.randbytes(300),
            tensors.SEAL * 20,
        )
    )


# -- rewritten ---------------------------------------------------------------------------------------------------------
def _split(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def _joined(header: dict[str, Any], body: bytes, sealed: bool) -> bytes:
    """A file of a header; sealed as `tensors.write` does it, or with the old seal."""
    texts = header.get("__metadata__")
    if sealed and isinstance(texts, dict):
        texts["sha256"] = tensors.UNSEALED.decode()
    written = json.dumps(header, separators=(",", ":")).encode()
    written += b" " * (-len(written) % 8)
    whole = len(written).to_bytes(8, "little") + written
    if sealed:
        whole = whole.replace(
            tensors.SEAL + tensors.UNSEALED, tensors.SEAL + hashlib.sha256(whole).hexdigest().encode(), 1
        )
    return whole + body


def _rewritten(random: Random, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """One entry changed: of a text, of what a text says, or of a tensor."""
    entries = [name for name in header if name != "__metadata__"]
    texts = header.get("__metadata__")
    match random.randrange(8):
        case 0 | 1 if isinstance(texts, dict) and texts:
            key = random.choice(list(texts))
            if random.random() < 0.2:
                del texts[key]
            else:
                texts[key] = (
                    _changed_text(random, texts[key]) if isinstance(texts[key], str) else random.choice(HOSTILE)
                )
        case 2 | 3 if entries:
            entry = header[random.choice(entries)]
            if isinstance(entry, dict) and entry:
                entry[random.choice(list(entry))] = random.choice(HOSTILE)
        case 4 if len(entries) > 1:
            first, second = random.sample(entries, 2)
            header[first], header[second] = header[second], header[first]
        case 5 if entries:
            name = random.choice(entries)
            header[
                random.choice(("optimizer:", "", "\ud800", "__metadata__", "optimizer:velocity/none", "a" * 5000))
            ] = header.pop(name)
        case 6:
            header[random.choice(("__metadata__", "new", *entries))] = random.choice(HOSTILE)
        case _:
            body = _harmed_bytes(random, body)
    return header, body


def _changed_text(random: Random, text: str) -> Any:
    """JSON with another value somewhere in it, or other characters."""
    try:
        said = json.loads(text.splitlines()[0])
    except (ValueError, IndexError):
        said = None
    if random.random() < 0.6 and said and isinstance(said, dict | list):
        spot = random.choice(list(said)) if isinstance(said, dict) else random.randrange(len(said))
        said[spot] = random.choice(HOSTILE)
        return "\n".join([json.dumps(said), *text.splitlines()[1:]])
    at = random.randrange(len(text) + 1)
    return random.choice(
        (
            random.choice(HOSTILE),
            text[:at],
            text[:at] + random.choice(("\0", "[", "9" * 5000, "é", "\n")) + text[at:],
            text * 2,
        )
    )


def _arguments(random: Random) -> str:
    """What `arguments.json` may be found to hold."""
    value = json.dumps(random.choice(HOSTILE))
    return random.choice(
        (
            value,
            "",
            "{",
            "[" * 5000,
            f'{{"epochs": {value}}}',
            f'{{"format": {value}, "epochs": 1}}',
            '{"a": 1, "a": 2}',
            "\ufeff{}",
            "{}\ud800",
        )
    )
