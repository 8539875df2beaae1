"""Checkpoints: weights, optimizer state and where training stood, in one file that is whole or refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from neurograph.errors import RunError, UsageError
from neurograph.parameters import Parameters, names_in, write_atomically
from neurograph.training import tensors
from neurograph.training.history import Begun, History
from neurograph.version import __version__

Array = NDArray[Any]

FORMAT = "neurograph checkpoint 2"
STATE = "optimizer:"
"""Prefix of optimizer state among the tensors; no parameter's name has a colon."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """One moment of a training, always between two updates.

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
    begun : Begun or None
        The epoch that had begun, if it was amid one.
    spec : str
        The spec's text.
    version : str
        Of the neurograph that wrote it.
    """

    values: Mapping[str, Array]
    frozen: tuple[str, ...] = ()
    optimizer: Mapping[str, Array] = field(default_factory=dict)
    history: History = field(default_factory=History)
    begun: Begun | None = None
    spec: str = ""
    version: str = __version__

    @classmethod
    def of(
        cls,
        params: Parameters,
        optimizer: Mapping[str, Array],
        history: History,
        spec: str,
        begun: Begun | None = None,
    ) -> Checkpoint:
        """The present moment; later training does not change it."""
        frozen = tuple(name for name, trainable in params.trainable.items() if not trainable)
        return cls(dict(params), frozen, dict(optimizer), history.copy(), begun, spec)

    @property
    def step(self) -> int:
        """Updates done."""
        return self.history.step if self.begun is None else self.begun.step

    def parameters(self) -> Parameters:
        """A store with these values."""
        return Parameters(self.values, dict.fromkeys(self.frozen, False))

    def write(self, path: Path) -> None:
        """Replace the file at `path`, at once or not at all.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        state = {STATE + name: array for name, array in self.optimizer.items()}
        texts = {
            "format": FORMAT,
            "version": self.version,
            "frozen": json.dumps(list(self.frozen)),
            "history": "\n".join(self.history.lines()),
            "judged": json.dumps([self.history.watch, self.history.min_delta]),
            "begun": json.dumps(None if self.begun is None else vars(self.begun)),
            "spec": self.spec,
        }
        write_atomically(path, tensors.write({**self.values, **state}, texts))

    @classmethod
    def read(
        cls, path: Path, spec: str | None = None, shapes: Callable[[], tensors.Shapes] | None = None
    ) -> Checkpoint:
        """Read a file written by `write`.

        Parameters
        ----------
        path : Path
        spec : str, optional
            The spec it must belong to.
        shapes : callable, optional
            Gives the shapes of the parameters it must hold, by name; what has another size is refused before it is read.

        Raises
        ------
        RunError
            If it is missing, not a checkpoint, differs in a single bit from what was written, or belongs to another network.
        """

        def check(found: tensors.Shapes, texts: Mapping[str, str]) -> None:
            _check_format(path, texts)
            if spec is not None:
                _check_spec(path, spec, texts["spec"])
            if shapes is not None:
                _check_shapes(path, found, shapes())

        arrays, texts = tensors.read(path, check)
        try:
            watch, min_delta = json.loads(texts["judged"])
            history = History.from_lines(texts["history"].splitlines(), str(path))
            begun = json.loads(texts["begun"])
            return cls(
                {name: array for name, array in arrays.items() if not name.startswith(STATE)},
                tuple(names_in(texts["frozen"])),
                {name.removeprefix(STATE): array for name, array in arrays.items() if name.startswith(STATE)},
                History(history.epochs, watch, min_delta),
                None if begun is None else Begun(**begun),
                texts["spec"],
                texts["version"],
            )
        except (*tensors.MISMADE, UsageError) as error:
            raise RunError(
                f"{path}: not a checkpoint that neurograph made ({type(error).__name__}: {error})."
            ) from None


def first_difference(here: str, there: str) -> str:
    r"""The first line in which two texts differ.

    Examples
    --------
    >>> first_difference("a\nb", "a\nc")
    "line 2: 'b' here, 'c' there"
    >>> first_difference("a", "a\nc")
    "line 2: nothing here, 'c' there"
    """
    pairs = zip_longest(here.splitlines(), there.splitlines())
    for number, (ours, theirs) in enumerate(pairs, 1):
        if ours != theirs:
            told = ["nothing" if line is None else f"'{line.strip():.60}'" for line in (ours, theirs)]
            return f"line {number}: {told[0]} here, {told[1]} there"
    return "only line ends differ"


def _check_format(path: Path, texts: Mapping[str, str]) -> None:
    if texts.get("format") != FORMAT:
        found, version = texts.get("format", "another program's"), texts.get("version")
        by = f", written by neurograph {version:.20}" if version else ""
        raise RunError(
            f"{path}: not a checkpoint this version ({__version__}) can read: found '{found:.40}'{by}; expected '{FORMAT}'."
        )


def _check_spec(path: Path, here: str, there: str) -> None:
    if here != there:
        raise RunError(
            f"{path}: belongs to another spec than the one beside it; {first_difference(here, there)}. "
            f"Put the spec back as it was, or begin a new run."
        )


def _check_shapes(path: Path, found: tensors.Shapes, wanted: tensors.Shapes) -> None:
    """Refuse other parameters than `wanted`, and state that is neither of a parameter's shape nor a single number."""
    values = {name: shape for name, shape in found.items() if not name.startswith(STATE)}
    for name in sorted({*wanted, *values}):
        if values.get(name) != wanted.get(name):
            here, there = (_written(shapes.get(name)) for shapes in (wanted, values))
            raise RunError(
                f"{path}: weights of another network: '{name}' is {there} there, {here} in the spec. "
                f"Name the run of this network, or begin a new one."
            )
    for key in found.keys() - values.keys():
        name = key.partition("/")[2]
        if found[key] not in ((), wanted.get(name)):
            raise RunError(
                f"{path}: optimizer state of another network: '{key.removeprefix(STATE)}' is {_written(found[key])}, "
                f"its parameter {_written(wanted.get(name))}."
            )


def _written(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else "a single number" if shape == () else "×".join(map(str, shape))
