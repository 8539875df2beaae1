"""A census over many samples: units that never fired and why, saturated units, who won the pooling windows, edges without a δ."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from neurograph.errors import UnknownName
from neurograph.graph.address import Node, write_node
from neurograph.graph.layout import Layout

if TYPE_CHECKING:
    from neurograph.inspector.sheets import Sheet

Array = NDArray[Any]


class DeadUnit(NamedTuple):
    """A unit that was silent in every sample: `bound` is the largest z any input in range could give it, where that is known."""

    node: Node
    largest_z: float
    reason: str
    bound: float | None = None


class Winner(NamedTuple):
    """One input of a pooling window: samples in which it won, and in which it also handed on a δ other than 0."""

    source: Node
    wins: int
    paid: int


@dataclass(frozen=True, eq=False)
class WindowCensus:
    """The pooling windows of one layer.

    Attributes
    ----------
    windows : mapping
        Maximum → its inputs in fan-in order.
    positions : mapping or None
        Offset within the window, such as (0, 1) → (wins, paid), over all windows that no border clips; None where windows differ.
    n_tied, n_blank : int
        Windows × samples in which several inputs shared the maximum, so that the first in order won; in which it was 0.
    n_inputs, n_never : int
        Neurons that some window reads, and those among them that never won.
    """

    windows: Mapping[Node, tuple[Winner, ...]]
    positions: Mapping[tuple[int, ...], tuple[int, int]] | None
    n_tied: int
    n_blank: int
    n_inputs: int
    n_never: int


@dataclass(frozen=True, eq=False)
class LayerCensus:
    """One layer.

    Attributes
    ----------
    name : Hashable
    n_units, n_edges : int
        Its neurons, and the edges into them.
    fired, carried, flat : ndarray of int, in the layer's shape
        Samples with z > 0; with δ ≠ 0; with |f′(z)| below the threshold.
    largest_z : ndarray
    n_rectified : int
        Units that can be dead: those with a ReLU.
    dead : tuple of DeadUnit
    dead_groups : tuple of str
        Groups all of whose units are dead.
    n_saturating : int
        Units that can be saturated: sigmoid, tanh, scaled_tanh.
    n_idle : int
        Edges that never carried a δ.
    windows : WindowCensus or None
    """

    name: Hashable
    n_units: int
    n_edges: int
    fired: Array
    carried: Array
    flat: Array
    largest_z: Array
    n_rectified: int
    dead: tuple[DeadUnit, ...]
    dead_groups: tuple[str, ...]
    n_saturating: int
    n_idle: int
    windows: WindowCensus | None = None


@dataclass(frozen=True, eq=False)
class Census:
    """What many samples show of a network.

    Attributes
    ----------
    n_samples : int
    layers : mapping
        Layer → what was counted there; inputs are left out.
    inputs : mapping
        Input → its least and greatest value: as given, else as the samples showed.
    threshold : float
        A unit is saturated in a sample where |f′(z)| is below it.
    has_delta : bool
        False where there was neither target nor upstream gradient: nothing is said of δ then.
    ranges_known : bool
        Whether the largest possible sums were worked out; networks of very many edges go without.
    """

    layout: Layout
    n_samples: int
    layers: Mapping[Hashable, LayerCensus]
    inputs: Mapping[Hashable, tuple[float, float]]
    threshold: float
    has_delta: bool
    ranges_known: bool

    @property
    def dead(self) -> tuple[DeadUnit, ...]:
        """All dead units."""
        return tuple(unit for layer in self.layers.values() for unit in layer.dead)

    def window(self, neuron: Node) -> tuple[Winner, ...]:
        """How often each input of one pooling window won.

        Raises
        ------
        UnknownName
            If there is no such neuron, or it is no maximum.
        """
        name, index = self.layout.place(neuron)
        layer = self.layers.get(name)
        for node, winners in (layer.windows.windows if layer is not None and layer.windows is not None else {}).items():
            if self.layout.place(node) == (name, index):
                return winners
        pools = ", ".join(str(n) for n, layer in self.layers.items() if layer.windows is not None) or "none here"
        raise UnknownName(f"{write_node(neuron)} is no maximum: it has no window to win. Layers of maxima: {pools}.")

    def text(self, digits: int = 6, limit: int = 12) -> str:
        """The census as text; tables of more than `limit` rows are shortened, and the rest is counted."""
        from neurograph.inspector.text import as_text

        return as_text(self.sheet(digits, limit))

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """What the census says, before it is set as text, HTML or LaTeX."""
        from neurograph.inspector.census_sheet import census_sheet

        return census_sheet(self, digits, limit)

    def as_json(self) -> dict[str, Any]:
        """The census as plain data, neurons as written."""
        from neurograph.inspector.cards import plain

        found: dict[str, Any] = plain(
            {
                "n_samples": self.n_samples,
                "threshold": self.threshold,
                "inputs": {str(name): list(ends) for name, ends in self.inputs.items()},
                "layers": [_layer_as_json(layer, self) for layer in self.layers.values()],
            }
        )
        return found

    def _repr_html_(self) -> str:
        from neurograph.inspector.html import as_fragment

        return as_fragment(self.sheet())

    def __str__(self) -> str:
        return self.text()


def _layer_as_json(layer: LayerCensus, census: Census) -> dict[str, Any]:
    found: dict[str, Any] = {
        "layer": str(layer.name),
        "units": layer.n_units,
        "edges": layer.n_edges,
        "edges_without_delta": layer.n_idle if census.has_delta else None,
        "rectified": layer.n_rectified,
        "dead": [{**unit._asdict(), "node": write_node(unit.node)} for unit in layer.dead],
        "dead_groups": list(layer.dead_groups),
        "saturating": layer.n_saturating,
        "samples_saturated": layer.flat.tolist() if layer.n_saturating else None,
    }
    if layer.windows is not None:
        found["windows"] = _windows_as_json(layer.windows, census)
    return found


def _windows_as_json(found: WindowCensus, census: Census) -> dict[str, Any]:
    positions = None if found.positions is None else found.positions.items()
    return {
        "n_tied": found.n_tied,
        "n_tied_at_0": found.n_blank,
        "inputs": found.n_inputs,
        "inputs_that_never_won": found.n_never,
        "positions": positions and [{"offset": list(k), "wins": w, "with_delta": p} for k, (w, p) in positions],
        "windows": [
            {"neuron": write_node(node), "winners": [{**w._asdict(), "source": write_node(w.source)} for w in winners]}
            for node, winners in found.windows.items()
        ],
    }
