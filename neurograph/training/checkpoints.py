"""Checkpoints: weights, optimizer state and where training stood, in one safetensors file that is whole or refused.

A safetensors file notices only some damage; so its metadata carries a SHA-256 per tensor and one over the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import RunError
from neurograph.parameters import Parameters, write_atomically
from neurograph.training.history import History

Array = NDArray[Any]

FORMAT = "neurograph checkpoint 1"
STATE = "optimizer:"
"""Prefix of optimizer state among the tensors; no parameter's name has a colon."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """One moment of a training.

    Attributes
    ----------
    values : mapping of str to ndarray
        Parameters, float64.
    frozen : tuple of str
        Those that training may not change.
    optimizer : mapping of str to ndarray
        State of the optimizer (`Optimizer.state`).
    history : History
        Epochs done; order of samples and dropout follow from the seed and the numbers of epoch and step alone.
    spec_sha256 : str
        Of the spec's text.
    """

    values: Mapping[str, Array]
    frozen: tuple[str, ...] = ()
    optimizer: Mapping[str, Array] = field(default_factory=dict)
    history: History = field(default_factory=History)
    spec_sha256: str = ""

    @classmethod
    def of(cls, params: Parameters, optimizer: Mapping[str, Array], history: History, spec_sha256: str) -> Checkpoint:
        """The present moment; later training does not change it."""
        frozen = tuple(name for name, trainable in params.trainable.items() if not trainable)
        return cls(dict(params), frozen, dict(optimizer), History(list(history.epochs)), spec_sha256)

    def parameters(self) -> Parameters:
        """A store with these values."""
        return Parameters(self.values, dict.fromkeys(self.frozen, False))

    def write(self, path: Path) -> None:
        """Replace the file at `path`, at once or not at all."""
        from safetensors.numpy import save

        tensors = {**self.values, **{STATE + name: array for name, array in self.optimizer.items()}}
        tensors = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in tensors.items()}
        facts = {
            "format": FORMAT,
            "frozen": json.dumps(list(self.frozen)),
            "history": "\n".join(self.history.lines()),
            "spec_sha256": self.spec_sha256,
            "tensors": json.dumps({name: _digest(array) for name, array in sorted(tensors.items())}),
        }
        write_atomically(path, save(tensors, {**facts, "sha256": _seal(facts)}))

    @classmethod
    def read(cls, path: Path) -> Checkpoint:
        """Read a file written by `write`.

        Raises
        ------
        RunError
            If it is missing, not a checkpoint, or differs in a single bit from what was written.
        """
        tensors, facts = _open(path)
        if facts.get("format") != FORMAT:
            found = facts.get("format", "another program's")
            raise RunError(f"{path}: not a checkpoint this version can read: found '{found:.40}'; expected '{FORMAT}'.")
        seal = facts.pop("sha256", "")
        digests = {name: _digest(array) for name, array in sorted(tensors.items())}
        if seal != _seal(facts) or json.dumps(digests) != facts["tensors"]:
            raise RunError(f"{path}: damaged: its contents are not those that were written (SHA-256 differs).")
        return cls(
            {name: array for name, array in tensors.items() if not name.startswith(STATE)},
            tuple(json.loads(facts["frozen"])),
            {name.removeprefix(STATE): array for name, array in tensors.items() if name.startswith(STATE)},
            History.from_lines(facts["history"].splitlines(), str(path)),
            facts["spec_sha256"],
        )


def _open(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except FileNotFoundError:
        raise RunError(f"{path}: no such checkpoint.") from None
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"{path}: damaged: not a readable safetensors file ({error}).") from None


def _digest(array: Array) -> str:
    return hashlib.sha256(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes()).hexdigest()


def _seal(facts: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(sorted(facts.items()))).encode()).hexdigest()
