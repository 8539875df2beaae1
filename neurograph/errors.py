"""Every error neurograph raises on purpose: one class per situation.

A message reads *where: what was found; what is allowed; what to do.* It is plain text of at most one screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class NeurographError(Exception):
    """Base class of every error that neurograph raises on purpose."""

    exit_code = 2
    """What the command line ends with: 2 for a mistake of the user."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a spec: where it stands and what is wrong with it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class SpecError(NeurographError):
    """A spec that cannot be read; carries every fault found, in file order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SpecNotFound(NeurographError):
    """No spec of that name or path."""


class LayerError(NeurographError):
    """A layer whose options do not fit its inputs; `lay_out` adds where it stands."""


class GraphError(NeurographError):
    """A neuron graph that breaks a rule; carries every broken rule."""

    def __init__(self, broken: str | Iterable[str]) -> None:
        self.broken = (broken,) if isinstance(broken, str) else tuple(broken)
        super().__init__("\n".join(self.broken))


class GraphTooLarge(NeurographError):
    """A graph that would not fit in memory when written out neuron by neuron."""


class UnknownName(NeurographError, KeyError):
    """A neuron, weight, layer or parameter that does not exist."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ParameterError(NeurographError, ValueError):
    """A weight that cannot take the value given: wrong shape, not a number, or fixed."""


class BatchError(NeurographError, ValueError):
    """Inputs or targets that do not fit the network."""


class LossError(NeurographError, ValueError):
    """A loss that does not fit its head, or is missing."""


class DataError(NeurographError):
    """A data set that is missing, damaged or of another form."""


class RunError(NeurographError):
    """A run folder or checkpoint that cannot be used."""


class SaveError(RunError):
    """A checkpoint that cannot be written; what was written before is intact."""

    exit_code = 1


class TrainingError(NeurographError):
    """Training that cannot go on, such as a loss that left the finite range."""


class DrawingError(NeurographError):
    """A picture that cannot be drawn as asked."""


class UsageError(NeurographError):
    """A command line or an argument that cannot be understood."""


def check_type(where: str, value: object, *expected: type) -> None:
    """Refuse a value of another type than `expected`, with the step of the pipeline that was left out.

    Examples
    --------
    >>> check_type("build", 5, str)
    Traceback (most recent call last):
    neurograph.errors.UsageError: build: found int; expected str.
    """
    if isinstance(value, expected):
        return
    found = type(value).__name__
    way_out = {"str": " Read it with ng.load first.", "Spec": " Lay it out with ng.lay_out first."}.get(found, "")
    raise UsageError(f"{where}: found {found}; expected {' or '.join(kind.__name__ for kind in expected)}.{way_out}")


SYNONYMS = {
    "channels": "filters",
    "eta": "learning_rate",
    "lr": "learning_rate",
    "neurons": "units",
    "out_channels": "filters",
    "out_features": "units",
    "pool_size": "window",
    "size": "window",
    "wd": "weight_decay",
}
"""What other libraries and books call our options."""


def suggest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the nearest known word, or an empty string.

    Examples
    --------
    >>> suggest("covn", ["conv", "dense"])
    "; did you mean 'conv'?"
    >>> suggest("Relu", ["elu", "relu"])
    "; did you mean 'relu'?"
    >>> suggest("train.lr", ["train.l2", "train.learning_rate"])
    "; did you mean 'train.learning_rate'?"
    >>> suggest("zebra", ["conv", "dense"])
    ''
    """
    import difflib

    known = list(known)
    table, dot, last = word.rpartition(".")
    if (ours := f"{table}{dot}{SYNONYMS.get(last.lower())}") in known:
        return f"; did you mean '{ours}'?"
    by_lower_case = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower_case, n=1, cutoff=0.6)
    return f"; did you mean '{by_lower_case[near[0]]}'?" if near else ""
