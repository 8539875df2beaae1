"""What a what-if finds: every neuron whose z, a or δ is another number than before, layer by layer."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import Node, write_node
from neurograph.graph.layout import Layout, Place
from neurograph.inspector.alterations import Alteration
from neurograph.inspector.cards import plain
from neurograph.inspector.neuron import node_at
from neurograph.inspector.sheets import Sheet

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Pair = tuple[float, float]


class Moved(NamedTuple):
    """One neuron, each number before and after; `delta` is None where there was nothing to go back from."""

    node: Node
    z: Pair
    a: Pair
    delta: Pair | None


@dataclass(frozen=True, eq=False)
class LayerChange:
    """One population.

    Attributes
    ----------
    pairs : mapping
        ``"z"``, ``"a"``, ``"delta"`` → the arrays before and after, in the population's shape; NaN where a neuron was removed.
    could : mapping
        The same → which neurons the change could reach, whatever the numbers.
    there : ndarray of bool
        Which neurons the network has: of an edited graph some may be gone.
    """

    name: Hashable
    pairs: Mapping[str, tuple[Floats, Floats]]
    could: Mapping[str, Mask]
    there: Mask

    def changed(self, what: str) -> Mask:
        """Which neurons have another z, a or δ, to the last bit."""
        if what not in self.pairs:
            return np.zeros(self.pairs["z"][0].shape, dtype=bool)
        before, after = self.pairs[what]
        different: Mask = (before != after) & ~(np.isnan(before) & np.isnan(after))
        return different

    def reached(self, what: str) -> int:
        """How many neurons could have changed."""
        return int(np.count_nonzero(self.could[what] & self.there | self.changed(what)))

    @property
    def any(self) -> Mask:
        """Which neurons changed in anything."""
        changed: Mask = np.logical_or.reduce([self.changed(what) for what in self.pairs])
        return changed

    def moved(self, layout: Layout, mask: Mask | None = None) -> Iterator[Moved]:
        """The changed neurons in order, or those of a mask."""
        for index in np.argwhere(self.any if mask is None else mask):
            place = tuple(int(i) for i in index)
            numbers = {what: (float(old[place]), float(new[place])) for what, (old, new) in self.pairs.items()}
            yield Moved(node_at(layout, (self.name, place)), numbers["z"], numbers["a"], numbers.get("delta"))


@dataclass(frozen=True, eq=False)
class Change:
    """The difference between two passes of one sample.

    Attributes
    ----------
    alterations : tuple of Alteration
        What was changed.
    layers : mapping
        Population → its `LayerChange`; those without any change too.
    loss : (float, float) or None
        Of the batch, before and after.
    labels : mapping
        Head → the class it names before and after.
    held : mapping
        Place of a held activation → ∂loss/∂a there, after the change.
    """

    alterations: tuple[Alteration, ...]
    sample: int
    batch: int
    layers: Mapping[Hashable, LayerChange]
    loss: Pair | None
    labels: Mapping[Hashable, tuple[int, int]]
    layout: Layout = field(repr=False)
    held: Mapping[Place, float] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Moved]:
        """Every neuron that changed, layer by layer, in order."""
        for layer in self.layers.values():
            yield from layer.moved(self.layout)

    def __len__(self) -> int:
        return sum(int(np.count_nonzero(layer.any)) for layer in self.layers.values())

    def __getitem__(self, neuron: Node) -> Moved:
        """One neuron, changed or not, given as node id or as written."""
        name, index = self.layout.place(neuron)
        layer = self.layers[name]
        mask = np.zeros(layer.pairs["z"][0].shape, dtype=bool)
        mask[index] = True
        return next(layer.moved(self.layout, mask))

    @property
    def name(self) -> str:
        """The change as written."""
        return ", ".join(f"{a.name} = {a.after:g}" for a in self.alterations)

    def text(self, digits: int = 6, limit: int = 8) -> str:
        """As text; tables of more than `limit` rows keep the largest changes and count the rest."""
        from neurograph.inspector.text import as_text

        return as_text(self.sheet(digits, limit))

    def sheet(self, digits: int = 6, limit: int = 8) -> Sheet:
        """What the comparison says, before it is set as text, HTML or LaTeX."""
        from neurograph.inspector.change_sheet import change_sheet

        return change_sheet(self, digits, limit)

    def as_json(self) -> dict[str, Any]:
        """As plain data, with every neuron that changed."""
        found: dict[str, Any] = plain(
            {
                "changes": [
                    {"kind": a.kind, "name": a.name, "before": a.before, "after": a.after} for a in self.alterations
                ],
                "sample": self.sample,
                "loss": None if self.loss is None else list(self.loss),
                "labels": {str(head): list(pair) for head, pair in self.labels.items()},
                "layers": [self._layer_as_json(layer) for layer in self.layers.values()],
            }
        )
        return found

    def _layer_as_json(self, layer: LayerChange) -> dict[str, Any]:
        counts = {
            what: {"changed": int(np.count_nonzero(layer.changed(what))), "could": layer.reached(what)}
            for what in layer.pairs
        }
        neurons = [
            {
                "neuron": write_node(m.node),
                "z": list(m.z),
                "a": list(m.a),
                "delta": None if m.delta is None else list(m.delta),
            }
            for m in layer.moved(self.layout)
        ]
        return {"layer": write_node(layer.name), **counts, "neurons": neurons}

    def _repr_html_(self) -> str:
        from neurograph.inspector.html import as_fragment

        return as_fragment(self.sheet())

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Change {self.name}: {len(self):,} neurons differ>"
