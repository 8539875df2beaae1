"""Run folders: everything needed to read a training again, to go on with it, or to use its network.

A folder holds ``spec.toml``, ``arguments.json``, ``history.jsonl``, and the checkpoints ``last``, ``previous`` and ``best``
(.safetensors). It appears by one rename, complete, with the checkpoint of step 0.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurograph.errors import RunError
from neurograph.parameters import Parameters, write_atomically
from neurograph.training.checkpoints import Checkpoint
from neurograph.training.history import History

if TYPE_CHECKING:
    from neurograph.compiler import Program
    from neurograph.spec import Spec

SPEC, ARGUMENTS, HISTORY = "spec.toml", "arguments.json", "history.jsonl"
LAST, PREVIOUS, BEST = "last.safetensors", "previous.safetensors", "best.safetensors"


class Run:
    """A run folder.

    Parameters
    ----------
    folder : path
    checkpoint : str
        Which weights `parameters` and `program` have: ``"last"``, ``"previous"`` or ``"best"``.
    """

    def __init__(self, folder: str | os.PathLike[str], checkpoint: str = "last") -> None:
        self.folder = Path(folder)
        self.name = checkpoint
        if not (self.folder / SPEC).is_file() or not (self.folder / ARGUMENTS).is_file():
            raise RunError(f"{self.folder}: not a run folder: {SPEC} and {ARGUMENTS} are expected in it.")
        if checkpoint not in ("last", "previous", "best"):
            raise RunError(f"{self.folder}: unknown checkpoint '{checkpoint}' (known: last, previous, best)")
        self.notice: str | None = None
        """What had to be done to read it: a damaged last checkpoint, for which the previous one stands in."""

    # -- writing ------------------------------------------------------------------------------------------------------
    @classmethod
    def create(
        cls, folder: str | os.PathLike[str], spec_text: str, arguments: Mapping[str, Any], params: Parameters
    ) -> Run:
        """Make a new run folder, complete with the checkpoint of step 0; it appears at once or not at all.

        Raises
        ------
        RunError
            If the folder is there already and not empty, or cannot be made.
        """
        folder = Path(folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunError(
                f"{folder}: is there already. Choose another --out, or go on with it: train --resume {folder}"
            )
        making = folder.resolve().with_name(f".{folder.resolve().name}.{os.getpid()}.tmp")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            making.mkdir()
            write_atomically(making / SPEC, spec_text.encode())
            write_atomically(making / ARGUMENTS, (json.dumps(dict(arguments), indent=2) + "\n").encode())
            write_atomically(making / HISTORY, b"")
            Checkpoint.of(params, {}, History(), _sha256(spec_text)).write(making / LAST)
            os.replace(making, folder)
        except OSError as error:
            raise RunError(f"{folder}: the run folder cannot be made: {error.strerror or error}.") from None
        finally:
            shutil.rmtree(making, ignore_errors=True)
        return cls(folder)

    def save(self, params: Parameters, optimizer: Mapping[str, Any], history: History) -> None:
        """Keep the present moment as the last checkpoint, and as the best if no epoch was better.

        Raises
        ------
        RunError
            If it cannot be written; what was there stays as it was.
        """
        checkpoint = Checkpoint.of(params, optimizer, history, _sha256(self.spec_text))
        try:
            if history.epochs and history.best is history.epochs[-1]:
                checkpoint.write(
                    self.folder / BEST
                )  # first: who is stopped here does this epoch again, to the same bits
            if (self.folder / LAST).is_file():
                _link(self.folder / LAST, self.folder / PREVIOUS)
            checkpoint.write(self.folder / LAST)
            write_atomically(self.folder / HISTORY, "".join(f"{line}\n" for line in history.lines()).encode())
        except OSError as error:
            raise RunError(f"{self.folder}: the checkpoint cannot be written: {error.strerror or error}.") from None
        self.__dict__.pop("checkpoint", None)

    # -- reading ------------------------------------------------------------------------------------------------------
    @cached_property
    def spec_text(self) -> str:
        """The spec, as it was written."""
        return (self.folder / SPEC).read_bytes().decode()

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """How it was trained."""
        try:
            arguments: dict[str, Any] = json.loads((self.folder / ARGUMENTS).read_text(encoding="utf-8"))
        except ValueError as error:
            raise RunError(f"{self.folder / ARGUMENTS}: damaged: {error}.") from None
        return arguments

    @cached_property
    def spec(self) -> Spec:
        """The network's declaration."""
        from neurograph.spec import load

        is_json = self.spec_text.lstrip().startswith("{")
        return load(self.spec_text if is_json else str(self.folder / SPEC))

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The chosen checkpoint; where the last one is damaged or gone, the previous one, with a `notice`."""
        try:
            return self._read(self.folder / f"{self.name}.safetensors")
        except RunError as error:
            if self.name != "last" or not (self.folder / PREVIOUS).is_file():
                raise
            checkpoint = self._read(self.folder / PREVIOUS)
            self.notice = f"{error} The one before it is whole and takes its place: {PREVIOUS}."
            return checkpoint

    @property
    def history(self) -> History:
        """Epochs done, as of the chosen checkpoint."""
        return self.checkpoint.history

    @cached_property
    def parameters(self) -> Parameters:
        """The weights of the chosen checkpoint, checked against the spec."""
        from neurograph.graph.lay_out import lay_out

        params = self.checkpoint.parameters()
        wanted = {name: declared.shape for name, declared in lay_out(self.spec).parameters.items()}
        found = {name: params[name].shape for name in params}
        if found != wanted:
            differing = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
            first = differing[0]
            raise RunError(
                f"{self.folder / self.name}.safetensors: weights of another network: '{first}' is "
                f"{found.get(first, 'missing')}, the spec has {wanted.get(first, 'no such parameter')}."
            )
        return params

    @cached_property
    def program(self) -> Program:
        """The compiled network with these weights."""
        from neurograph.compiler import compile
        from neurograph.graph.lay_out import lay_out

        arguments = self.arguments
        return compile(lay_out(self.spec), self.parameters, dtype=arguments.get("dtype", "float32"))

    def _read(self, path: Path) -> Checkpoint:
        checkpoint = Checkpoint.read(path)
        if checkpoint.spec_sha256 != _sha256(self.spec_text):
            raise RunError(f"{path}: belongs to another spec than {SPEC} beside it (SHA-256 differs).")
        return checkpoint

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}, {self.name!r})"


def load_run(folder: str | os.PathLike[str], checkpoint: str = "last") -> Run:
    """A training run: its spec, program and history.

    Parameters
    ----------
    folder : path
    checkpoint : str
        ``"last"`` (default), ``"previous"``, or ``"best"``: the epoch that did best on what was watched, which makes that
        score an optimistic one.

    Raises
    ------
    RunError
        If it is not a run folder, or the checkpoint is missing or damaged.
    """
    run = Run(folder, checkpoint)
    run.checkpoint  # noqa: B018  a damaged one is refused now, not later
    return run


def _link(source: Path, target: Path) -> None:
    """Let `target` be what `source` is now, at once; a copy where the file system has no links."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
