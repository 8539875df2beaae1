"""What `verify` answers: one row per layer and quantity, each with its largest disagreement and the neuron that shows it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Any

from neurograph.graph.address import write_node
from neurograph.notebook import html_table

PARTS = ("integer", "float64", "float32", "differences")
"""The parts of a verification, in the order of the report's columns."""


@dataclass(frozen=True)
class Row:
    """One comparison: a quantity of one layer, in one part.

    Attributes
    ----------
    layer : hashable
        A population or a parameter.
    quantity : str
        ``z``, ``a``, ``delta``, ``gradient``, ``weights``, ``loss``, ``masks`` or ``winners``.
    part : str
        ``integer`` (disagreement is the plain difference; 0 is asked), ``float64`` and ``float32`` (in units of the bound; at
        most 1 is asked) or ``differences`` (finite differences, in units of their own error bound).
    worst : float
        The largest disagreement.
    where : str
        The neuron, weight or sample that shows it.
    checked : int
        How many numbers were compared.
    engine : str
        Whose numbers: ``program``, ``textbook``, or ``both`` where the two are compared.
    """

    layer: Hashable
    quantity: str
    part: str
    worst: float
    where: str = ""
    checked: int = 0
    engine: str = "program"

    @property
    def limit(self) -> float:
        """The largest disagreement permitted."""
        return 0.0 if self.part == "integer" else 1.0

    @property
    def ok(self) -> bool:
        """True where the disagreement is within the limit."""
        return self.worst <= self.limit

    def __str__(self) -> str:
        layer = self.layer if isinstance(self.layer, str) else write_node(self.layer)
        unit = "off by" if self.part == "integer" else "units of the bound:"
        where = f" at {self.where}" if self.where else ""
        return f"{self.engine}, {self.part}: {self.quantity} of {layer}{where}, {unit} {self.worst:.3g}"


@dataclass
class Report:
    """Whether the engines agree, and how closely.

    Attributes
    ----------
    name : str
        The network's.
    rows : list of Row
    notes : list of str
        What was run, and what was not and why.
    """

    name: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True if something was compared and every comparison is within its limit."""
        return bool(self.rows) and all(row.ok for row in self.rows)

    @property
    def worst(self) -> Row | None:
        """The comparison that is furthest out: a failed one if there is any."""
        return max(self.rows, key=lambda row: (not row.ok, row.worst), default=None)

    @property
    def failures(self) -> list[Row]:
        """Comparisons beyond their limit."""
        return [row for row in self.rows if not row.ok]

    def add(self, rows: Iterable[Row]) -> None:
        """Take up more comparisons."""
        self.rows.extend(rows)

    def note(self, text: str) -> None:
        """Say once what was or was not run."""
        if text not in self.notes:
            self.notes.append(text)

    def table(self) -> list[tuple[Hashable, dict[str, float]]]:
        """Per layer: part → largest disagreement. A parameter belongs to the layer it is named after."""
        layers: dict[Hashable, dict[str, float]] = {}
        for row in self.rows:
            layer = row.layer
            if isinstance(layer, str) and row.quantity in ("gradient", "weights"):
                layer = layer.removesuffix(".weight").removesuffix(".bias")
            parts = layers.setdefault(layer, {})
            parts[row.part] = max(parts.get(row.part, 0.0), row.worst)
        return list(layers.items())

    def as_dict(self) -> dict[str, Any]:
        """For machines; an infinite disagreement is written as a string."""
        rows = [
            {
                "layer": row.layer if isinstance(row.layer, str) else write_node(row.layer),
                "quantity": row.quantity,
                "part": row.part,
                "engine": row.engine,
                "worst": row.worst if abs(row.worst) < inf else str(row.worst),
                "where": row.where,
                "checked": row.checked,
                "ok": row.ok,
            }
            for row in self.rows
        ]
        return {"name": self.name, "ok": self.ok, "rows": rows, "notes": list(self.notes)}

    def __str__(self) -> str:
        lines = self._lines()
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        shown = [
            "  ".join(
                f"{word:<{w}}" if i == 0 else f"{word:>{w}}"
                for i, (word, w) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        shown.insert(1, "-" * len(shown[0]))
        return "\n".join([*shown, "", *self._verdict(), *self.notes])

    def __repr__(self) -> str:
        n = len(self.rows)
        said = f"{len(self.failures):,} beyond their limit" if self.failures else "all within their limits"
        told = f"{n:,} comparison{'s' * (n != 1)}, {said}" if n else "nothing compared"
        return f"<Report of {self.name}: {told}>"

    def _repr_html_(self) -> str:
        return html_table(self._lines(), [*self._verdict(), *self.notes])

    def _lines(self) -> list[tuple[str, ...]]:
        """The table: its head, and a row a layer."""
        parts = [part for part in PARTS if any(row.part == part for row in self.rows)]
        lines: list[tuple[str, ...]] = [("layer", *parts)]
        for layer, found in self.table():
            name = layer if isinstance(layer, str) else write_node(layer)
            lines.append((name, *(_written(found.get(part)) for part in parts)))
        return lines

    def _verdict(self) -> list[str]:
        checked = sum(row.checked for row in self.rows)
        if self.ok:
            both = any(row.engine != "program" for row in self.rows)
            said = "the engines agree" if both else "the program agrees with itself"
            return [
                f"{self.name}: {said} on {checked:,} numbers. Integers must be equal; floats are in units of their error bound (limit 1)."
            ]
        shown = sorted(self.failures, key=lambda row: row.worst, reverse=True)
        more = [f"… and {len(shown) - 8} more."] if len(shown) > 8 else []
        return [f"{self.name}: the engines DISAGREE.", *map(str, shown[:8]), *more]


def _written(value: float | None) -> str:
    return "" if value is None else "0" if value == 0 else f"{value:.2g}"
