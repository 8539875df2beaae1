"""What the inspector says of many neurons at once: a layer, or one of its groups, the neurons that share one set of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import UnknownName
from neurograph.graph.address import parse_address, write_node
from neurograph.graph.layout import Place
from neurograph.graph.neighbourhood import fan_in
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.inspector.neuron import at, node_at
from neurograph.inspector.shown import Shown
from neurograph.shapes import times
from neurograph.trace import glance, number_in

if TYPE_CHECKING:
    from neurograph.inspector.parts import Sheet
    from neurograph.trace import Trace

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Kernel:
    """The weights of one group, and what the pass asks of them: arrays of the same shape."""

    name: str
    w: Array
    gradient: Array | None


@dataclass(frozen=True, eq=False)
class LayerCard(Shown):
    """A layer, or a group of it, in one sample.

    Attributes
    ----------
    name : str
        Such as ``conv1``, or ``conv1[0]`` for a group.
    kind, activation : str
        Of its first neuron.
    z, a : ndarray
        In the layer's shape; NaN where a neuron was removed. Of a group, without the first axis.
    delta : ndarray or None
    kernels : tuple of Kernel
        Of a group: its weights, by parameter.
    bias : float or None
        Of a group whose neurons share one.
    """

    name: str
    kind: str
    activation: str
    sample: int
    z: Array
    a: Array
    delta: Array | None
    is_group: bool = False
    kernels: tuple[Kernel, ...] = ()
    bias: float | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the layer, or of the group's map."""
        return self.a.shape

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """What the card says, before it is set as text, HTML or LaTeX."""
        from neurograph.inspector.layer_sheets import layer_sheet

        return layer_sheet(self, digits, limit)

    def as_json(self) -> dict[str, Any]:
        """The card as plain data."""
        from neurograph.inspector.cards import plain

        kernels = {
            kernel.name: {
                "w": kernel.w.tolist(),
                "gradient": None if kernel.gradient is None else kernel.gradient.tolist(),
            }
            for kernel in self.kernels
        }
        card: dict[str, Any] = plain(
            {
                ("group" if self.is_group else "layer"): self.name,
                "kind": self.kind,
                "activation": self.activation,
                "sample": self.sample,
                "shape": list(self.shape),
                "z": self.z.tolist(),
                "a": self.a.tolist(),
                "delta": None if self.delta is None else self.delta.tolist(),
                "bias": self.bias,
                "kernels": kernels,
            }
        )
        return card


def layer_card(trace: Trace, what: str, sample: int, has_delta: bool) -> LayerCard:
    """The card of a layer (``"conv1"``) or of one of its groups (``"conv1[0]"``).

    Raises
    ------
    UnknownName
        If there is no such layer or group, with what there is.
    """
    name, index = _parsed(trace, what)
    z, a, delta = (np.asarray(getattr(trace, part)[name][sample], np.float64)[index] for part in ("z", "a", "delta"))
    neuron = at(trace.network, trace.layout, _there(trace, name, index))
    return LayerCard(
        name=write_node((name, *index)) if index else name,
        kind=neuron.kind,
        activation=neuron.activation,
        sample=sample,
        z=z,
        a=a,
        delta=delta if has_delta else None,
        is_group=bool(index),
        kernels=_kernels(trace, neuron.place, has_delta) if index else (),
        bias=None if not index or neuron.bias is None else number_in(trace.weights, neuron.bias),
    )


def names_a_layer(shapes: Any, what: str) -> bool:
    """Whether the text names a layer or a group, not a neuron."""
    base, index = parse_address(what) or (what, ())
    shape = shapes.get(base)
    return bool(shape) and len(index) < len(shape) and len(index) <= 1


def _parsed(trace: Trace, what: str) -> tuple[str, tuple[int, ...]]:
    shapes = trace.layout.shapes
    if not names_a_layer(shapes, what):
        trace.layout.place(what)  # says what is wrong with the name, if anything is
        raise UnknownName(f"'{what}' is one neuron, no layer or group.")
    name, index = parse_address(what) or (what, ())
    n = shapes[name][0]
    if index and not 0 <= index[0] < n:
        raise UnknownName(f"no group {what}: '{name}' of shape {times(shapes[name])} has groups {name}[0…{n - 1}].")
    return name, index


def _there(trace: Trace, name: str, index: tuple[int, ...]) -> Place:
    """A neuron of the layer or group that speaks for all: the middle one, where it was not removed from the graph."""
    network, rest = trace.network, trace.layout.shapes[name][len(index) :]
    middle = (name, (*index, *(n // 2 for n in rest)))
    if isinstance(network, Topology) or node_at(trace.layout, middle) in network:
        return middle
    others = ((name, (*index, *other)) for other in np.ndindex(*rest))
    return next((other for other in others if node_at(trace.layout, other) in network), middle)


def _kernels(trace: Trace, place: Place, has_delta: bool) -> tuple[Kernel, ...]:
    """The slices of parameters that belong to a neuron's group: those whose first axis numbers the layer's groups."""
    name, index = place
    n_groups = trace.layout.shapes[name][0]
    network: Topology | NeuronGraph = trace.network
    wires = fan_in(network, node_at(trace.layout, place))
    parameters = dict.fromkeys(wire.param[0] for wire in wires if wire.param is not None)
    found = []
    for parameter in parameters:
        w = glance(trace.weights, parameter)
        if w.ndim > 1 and w.shape[0] == n_groups:
            learns = has_delta and parameter in trace.gradient
            asked = np.array(glance(trace.gradient, parameter)[index[0]], np.float64) if learns else None
            found.append(Kernel(f"{parameter}[{index[0]}]", np.array(w[index[0]], np.float64), asked))
    return tuple(found)
