"""Run folders: everything needed to read a training again, to go on with it, or to use its network.

A folder holds ``spec.toml``, ``arguments.json``, ``history.jsonl``, and the checkpoints ``last``, ``previous`` and ``best``
(.safetensors). It appears by one rename, complete, with the checkpoint of step 0. docs/training.md is the page for users.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from functools import cached_property
from glob import escape as glob_escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurograph.errors import RunError, SaveError
from neurograph.parameters import Parameters, sync_folder, write_atomically
from neurograph.training.checkpoints import Checkpoint
from neurograph.training.history import Begun, History
from neurograph.training.locks import Lock

if TYPE_CHECKING:
    from neurograph.compiler import Program
    from neurograph.graph.topology import Topology
    from neurograph.spec import Spec

SPEC, ARGUMENTS, HISTORY = "spec.toml", "arguments.json", "history.jsonl"
LAST, PREVIOUS, BEST = "last.safetensors", "previous.safetensors", "best.safetensors"


class Run:
    """A run folder.

    Parameters
    ----------
    folder : path
    checkpoint : str, optional
        Which weights `parameters` and `program` have: ``"last"``, ``"previous"`` or ``"best"``; default: those that its training
        was told to keep (``--keep``), the last ones if it was told nothing.
    """

    def __init__(self, folder: str | os.PathLike[str], checkpoint: str | None = None) -> None:
        self.folder, self.name = Path(folder), checkpoint or "last"
        if not (self.folder / SPEC).is_file() or not (self.folder / ARGUMENTS).is_file():
            raise RunError(f"{self.folder}: not a run folder: {SPEC} and {ARGUMENTS} are expected in it.")
        if checkpoint not in (None, "last", "previous", "best"):
            raise RunError(f"{self.folder}: unknown checkpoint '{checkpoint}' (known: last, previous, best)")
        self.name = checkpoint or self._kept()
        self.notice: str | None = None
        """What had to be done to read it: a damaged last checkpoint, for which the previous one stands in."""

    def _kept(self) -> str:
        told = self.arguments.get("settings")
        settings: Mapping[str, Any] = told if isinstance(told, dict) else {}
        wants_best = settings.get("keep") == "best" or (settings.get("keep") is None and settings.get("patience"))
        return "best" if wants_best and (self.folder / BEST).is_file() else "last"

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
        check_free(folder)
        place = Path(os.path.realpath(folder))  # which, unlike resolve, takes a link that leads to itself
        making = place.with_name(f".{place.name}.{os.getpid()}.tmp")
        try:
            for stale in making.parent.glob(f".{glob_escape(place.name)}.*.tmp"):
                shutil.rmtree(stale)  # of one who was stopped before his folder was there
            folder.parent.mkdir(parents=True, exist_ok=True)
            making.mkdir()
            write_atomically(making / SPEC, spec_text.encode())
            write_atomically(making / ARGUMENTS, _sealed(arguments))
            write_atomically(making / HISTORY, b"")
            Checkpoint.of(params, {}, History(), spec_text).write(making / LAST)
            os.replace(making, folder)
            sync_folder(folder.parent)
        except OSError as error:
            raise RunError(f"{folder}: the run folder cannot be made: {error.strerror or error}.") from None
        finally:
            shutil.rmtree(making, ignore_errors=True)
        return cls(folder)

    def lock(self) -> RunLock:
        """Entered by who trains here: refuses a second one, and clears away what a killed one left unfinished.

        Raises
        ------
        RunError
            If another process trains here (it is named), or nothing can be written.
        """
        return RunLock(self.folder)

    def save(
        self, params: Parameters, optimizer: Mapping[str, Any], history: History, begun: Begun | None = None
    ) -> None:
        """Keep the present moment as the last checkpoint, and as the best if no epoch was better.

        Parameters
        ----------
        params : Parameters
        optimizer : mapping of str to ndarray
            `Optimizer.state`.
        history : History
        begun : Begun, optional
            The epoch that has begun and is not over.

        Raises
        ------
        SaveError
            If it cannot be written; what was there stays as it was.
        """
        now = self.moment(params, optimizer, history, begun)
        is_best = begun is None and bool(history.epochs) and history.best is history.epochs[-1]
        self.write(now, now if is_best else None)

    def moment(
        self, params: Parameters, optimizer: Mapping[str, Any], history: History, begun: Begun | None = None
    ) -> Checkpoint:
        """The present moment, to be written now or later."""
        return Checkpoint.of(params, optimizer, history, self.spec_text, begun)

    def write(self, last: Checkpoint, best: Checkpoint | None = None) -> None:
        """Write checkpoints; see `save`."""
        try:
            if best is not None:
                best.write(self.folder / BEST)  # first: who is stopped here comes to it again, to the same bits
            if (self.folder / LAST).is_file():
                _link(self.folder / LAST, self.folder / PREVIOUS)
            last.write(self.folder / LAST)
            self.write_history(last.history)
        except OSError as error:
            if not self.folder.exists():
                raise SaveError(f"{self.folder}: the run folder is gone: it was renamed, moved or removed.") from None
            raise SaveError(f"{self.folder}: the checkpoint cannot be written: {error.strerror or error}.") from None
        self.__dict__.pop("checkpoint", None)

    def write_history(self, history: History) -> None:
        """Write the rows anew, if they are not what stands there."""
        rows = "".join(f"{line}\n" for line in history.lines()).encode()
        if (self.folder / HISTORY).is_file() and (self.folder / HISTORY).read_bytes() == rows:
            return
        write_atomically(self.folder / HISTORY, rows)

    def change_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Say anew how it is trained."""
        try:
            write_atomically(self.folder / ARGUMENTS, _sealed(arguments))
        except OSError as error:
            raise SaveError(f"{self.folder}: nothing can be written here: {error.strerror or error}.") from None
        self.__dict__.pop("arguments", None)

    # -- reading ------------------------------------------------------------------------------------------------------
    @cached_property
    def spec_text(self) -> str:
        """The spec, as it was written."""
        try:
            return (self.folder / SPEC).read_bytes().decode()
        except (OSError, ValueError) as error:
            raise RunError(f"{self.folder / SPEC}: cannot be read: {error}.") from None

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """How it was trained."""
        path = self.folder / ARGUMENTS
        try:
            arguments: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            seal = arguments.pop("sha256")
        except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise RunError(f"{path}: damaged: {type(error).__name__}: {error}.") from None
        if seal != _sha256(json.dumps(arguments)):
            raise RunError(
                f"{path}: damaged, or edited by hand (SHA-256 differs). Put it back as it was; what may change is told by options, "
                f"such as: train --resume {self.folder} --epochs 20"
            )
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

    @cached_property
    def history(self) -> History:
        """Epochs done: all of them, also where the chosen checkpoint is the best."""
        return self.checkpoint.history if self.name != "best" else Run(self.folder, "last").checkpoint.history

    @cached_property
    def parameters(self) -> Parameters:
        """The weights of the chosen checkpoint."""
        return self.checkpoint.parameters()

    @cached_property
    def program(self) -> Program:
        """The compiled network with these weights."""
        from neurograph.compiler import compile

        return compile(self.topology, self.parameters, dtype=self.arguments.get("dtype", "float32"))

    @cached_property
    def topology(self) -> Topology:
        """The network, with the class weights that its training counted."""
        from neurograph.graph.balancing import with_class_weights
        from neurograph.graph.lay_out import lay_out

        return with_class_weights(lay_out(self.spec), self.arguments.get("class_weights", {}))

    def _read(self, path: Path) -> Checkpoint:
        return Checkpoint.read(path, self.spec_text, self._shapes)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        from neurograph.graph.lay_out import lay_out

        return {name: declared.shape for name, declared in lay_out(self.spec).parameters.items()}

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}, {self.name!r})"


def load_run(folder: str | os.PathLike[str], checkpoint: str | None = None) -> Run:
    """A training run: its spec, program and history.

    Parameters
    ----------
    folder : path
    checkpoint : str, optional
        ``"last"``, ``"previous"``, or ``"best"``: the epoch that did best on what was watched, which makes that score an optimistic
        one. Default: what its training was told to keep, the last if it was told nothing.

    Raises
    ------
    RunError
        If it is not a run folder, or the checkpoint is missing, damaged, or of another network.
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


def check_free(folder: Path) -> None:
    """Raise RunError where no new run folder can be made, and say what stands there."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file; a run is kept in a folder of its own. Choose another --out.")
    if (folder / SPEC).is_file() and (folder / ARGUMENTS).is_file():
        raise RunError(f"{folder}: is there already. Choose another --out, or go on with it: train --resume {folder}")
    if folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder}: is there already, and no run is kept in it. Choose another --out.")
    if folder.parent.exists() and not folder.parent.is_dir():
        raise RunError(f"{folder}: the run folder cannot be made: {folder.parent} is not a folder.")


class RunLock(Lock):
    """The lock of a run folder."""

    def __enter__(self) -> RunLock:
        super().__enter__()
        for stale in self.folder.glob(".*.tmp"):  # whoever was writing them is no more
            if stale.is_file():
                stale.unlink(missing_ok=True)
        return self


def _sealed(arguments: Mapping[str, Any]) -> bytes:
    plain = json.loads(json.dumps(dict(arguments)))
    return (json.dumps({**plain, "sha256": _sha256(json.dumps(plain))}, indent=2) + "\n").encode()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
