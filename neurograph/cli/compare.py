"""`neurograph explain --compare`: one neuron's or weight's numbers from both engines and from finite differences, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurograph.errors import UsageError
from neurograph.inspector.cards import plain
from neurograph.inspector.parts import Grid, Prose, Sheet
from neurograph.inspector.shown import Shown
from neurograph.inspector.table import number
from neurograph.verification.compare import DIFFERENCE, TEXTBOOK, Way, compare_neuron, compare_weight
from neurograph.verification.consistency import Given

if TYPE_CHECKING:
    from neurograph.cli.examined import Examined

NAMES = {"z": "z", "a": "a", "delta": "δ", "gradient": "gradient"}


@dataclass(frozen=True)
class Comparison(Shown):
    """The same numbers, several ways."""

    name: str
    ways: tuple[Way, ...]

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """A table for every quantity, and what its columns mean."""
        sheet: Sheet = [f"{self.name}: the same numbers, several ways"]
        for quantity in dict.fromkeys(way.quantity for way in self.ways):
            here = [way for way in self.ways if way.quantity == quantity]
            first = here[0].value
            rows = [
                [way.by, number(way.value, max(digits, 10)), _off(way), _apart(way.value, first, digits)]
                for way in here
            ]
            heads = ["who", NAMES[quantity], "off by", "apart"]
            sheet += ["", Grid(f"{NAMES[quantity]}, several ways", heads, rows)]
        return [*sheet, "", *self._remarks()]

    def _remarks(self) -> list[Prose]:
        lines = [
            "Off by: how far a number is from what the numbers beside it make of it, in units of what rounding may do,",
            "(n + 2)·u·Σ|terms|; of a finite difference, in units of its own error. Up to 1 is agreement.",
            "Apart: from the first row.",
        ]
        remarks = [Prose(tuple(lines))]
        if any(way.by == DIFFERENCE and way.value is None for way in self.ways):
            remarks.append(
                Prose(("No finite difference: the loss has a kink here (a ReLU at 0, or a maximum with ties).",))
            )
        if not any(way.by == TEXTBOOK for way in self.ways):
            remarks.append(Prose(("The network is too large for the textbook engine; the program stands alone.",)))
        return remarks

    def as_json(self) -> dict[str, Any]:
        """The numbers as plain data."""
        found: dict[str, Any] = plain({"compared": self.name, "ways": [dict(vars(way)) for way in self.ways]})
        return found


def compare(found: Examined, what: str, is_weight: bool) -> Comparison:
    """Compare the engines on what was looked into.

    Raises
    ------
    UnknownName
        If there is no such neuron or weight.
    UsageError
        If a weight is asked about without a target.
    """
    inspector = found.inspector
    assert inspector is not None
    assert found.params is not None
    trace = inspector.trace
    given = Given(
        {port.name: _read_back(trace.a, port) for port in trace.layout.inputs},
        inspector.targets,
        inspector.upstream if inspector.targets is None else None,
        inspector.reduction,
    )
    if is_weight and not inspector.has_delta:
        raise UsageError(f"--compare {what}: nothing is asked of a weight without a target. Give one, with --target.")
    if is_weight:
        ways = compare_weight(found.topology, found.params, given, trace.reference(what))
    else:
        ways = compare_neuron(found.topology, found.params, given, trace.layout.place(what), inspector.sample)
    return Comparison(what, tuple(way for way in ways if inspector.has_delta or way.quantity != "delta"))


def _read_back(a: Any, port: Any) -> Any:
    """A batch as the inspector ran it."""
    import numpy as np

    if port.members is None:
        return np.asarray(a[port.name], dtype=np.float64)
    return np.stack(
        [np.asarray(a[name][(slice(None), *index)], dtype=np.float64) for name, index in port.members], axis=1
    )


def _off(way: Way) -> str:
    return "-" if way.units is None else f"{way.units:.2g}" if way.units else "0"


def _apart(value: float | None, first: float | None, digits: int) -> str:
    if value is None or first is None:
        return "-"
    return number(value - first, min(digits, 3))
