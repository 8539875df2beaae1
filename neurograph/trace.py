"""What one forward and backward pass leaves behind: the same object from both engines."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import UnknownName, suggest
from neurograph.graph.address import Node, parse_address
from neurograph.graph.layout import Layout

if TYPE_CHECKING:
    from neurograph.graph.neuron_graph import NeuronGraph
    from neurograph.graph.topology import Topology

Array = NDArray[Any]


def column(array: Any, index: tuple[int, ...]) -> Array:
    """The values of one neuron over the batch: ``array[:, *index]``, shape (batch,)."""
    values: Array = array[(slice(None), *index)]
    return values


class Values(Mapping[Hashable, Array]):
    """One number per neuron and sample.

    ``values["conv1"]`` is an array of shape (batch, channels, rows, columns); ``values["conv1[0,3,4]"]`` and
    ``values["conv1", 0, 3, 4]`` are arrays of shape (batch,).

    Parameters
    ----------
    layout : Layout
    arrays : mapping
        Population → array of shape (batch, *shape).
    """

    def __init__(self, layout: Layout, arrays: Mapping[Hashable, Array]) -> None:
        self._layout = layout
        self._arrays = arrays

    def __getitem__(self, key: Any) -> Array:
        try:
            return self._arrays[key]
        except (KeyError, TypeError):
            name, index = self._layout.place(key)
        if name not in self._arrays:
            raise UnknownName(f"nothing was recorded for '{name}'.")
        return column(self._arrays[name], index)

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return f"Values({', '.join(f'{name}{array.shape}' for name, array in self._arrays.items()):.300})"


class Borrowed(Mapping[str, Array]):
    """Arrays that stand in an engine's own memory: copied when somebody takes one, and all at the latest before the engine writes there.

    So a trace never changes, and a card that needs three numbers of AlexNet's weights copies none of its 61 million.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Views of the engine's memory.
    shared : bool
        Whether several traces hold it; its arrays are then read-only.

    Examples
    --------
    >>> memory = np.array([1.0, 2.0])
    >>> seen = Borrowed({"w": memory})
    >>> seen.keep()
    >>> memory[:] = 7.0
    >>> seen["w"].tolist()
    [1.0, 2.0]
    """

    def __init__(self, arrays: Mapping[str, Array], shared: bool = False) -> None:
        self._arrays = dict(arrays)
        self._borrowed = set(self._arrays)
        self._shared = shared

    def __getitem__(self, name: str) -> Array:
        if name in self._borrowed:
            self._arrays[name] = self._arrays[name].copy()
            self._arrays[name].flags.writeable = not self._shared
            self._borrowed.remove(name)
        return self._arrays[name]

    def __contains__(self, name: object) -> bool:
        return name in self._arrays  # a Mapping would take the array to see whether it is there

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def keep(self) -> None:
        """Copy what is still borrowed: the engine is about to write there."""
        for name in tuple(self._borrowed):
            self[name]

    def glance(self, name: str) -> Array:
        """An array where it stands, to read from at once and not to hold on to."""
        return self._arrays[name]


def glance(arrays: Mapping[str, Array], name: str) -> Array:
    """One of a trace's arrays, to read from at once and not to hold on to: nothing is copied for it."""
    return arrays.glance(name) if isinstance(arrays, Borrowed) else arrays[name]


def number_in(arrays: Mapping[str, Array], reference: tuple[str, int]) -> float:
    """The number behind one reference (parameter, flat index)."""
    name, index = reference
    return float(glance(arrays, name).flat[index])


class Contribution(NamedTuple):
    """One addend of a weight's gradient: what one edge asked for in one sample (`product` = δ_target·∂z_target/∂w)."""

    source: Node
    target: Node
    sample: int
    a: float
    delta: float
    product: float


@dataclass(frozen=True)
class Trace:
    """One forward (and backward) pass over a batch.

    Attributes
    ----------
    z, a, delta : Values
        Pre-activation, activation and ∂(sum of the samples' losses)/∂z, per neuron and sample. `delta` is empty after a
        forward pass alone.
    gradient : mapping of str to ndarray
        Parameter → gradient, in the parameter's shape; divided by the batch where ``reduction="mean"``.
    loss : float or None
        None where an upstream gradient took the loss's place.
    masks : mapping of str to ndarray
        Dropout layer → 0/1 per sample and position of what the layer reads, (batch, *shape); empty without dropout.
    winners : mapping
        Max pool → array (batch, *shape) of the winning in-edge's number in fan-in order.
    """

    layout: Layout
    network: NeuronGraph | Topology
    z: Values
    a: Values
    delta: Values
    gradient: Mapping[str, Array]
    loss: float | None = None
    masks: Mapping[str, Array] = field(default_factory=dict)
    winners: Mapping[Hashable, Array] = field(default_factory=dict)
    weights: Mapping[str, Array] = field(default_factory=dict)
    """The weights that were used, as the engine saw them."""

    @property
    def batch(self) -> int:
        """Number of samples."""
        return len(next(iter(self.a.values())))

    def contributions(self, weight: str) -> list[Contribution]:
        """The addends of one weight's or bias's gradient: one per edge and sample, before any reduction.

        Parameters
        ----------
        weight : str
            Such as ``"conv1.weight[0,0,2,1]"``, or a hand-given name.

        Raises
        ------
        UnknownName
            If there is no such weight.
        """
        from neurograph.graph.neighbourhood import contributions

        return contributions(self, weight)

    def reference(self, weight: str) -> tuple[str, int]:
        """Parse a written weight into its reference (parameter name, flat index).

        Raises
        ------
        UnknownName
            With the valid ranges, or the nearest known name.
        """
        return parse_weight(weight, {name: glance(self.weights, name).shape for name in self.weights})


def parse_weight(weight: str, shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, int]:
    """Parse a written weight such as ``"conv1.weight[0,0,2,1]"`` into (parameter name, flat index).

    Raises
    ------
    UnknownName
        With the valid ranges and the nearest slot, or the nearest known name.
    """
    if shapes.get(weight) == ():
        return weight, 0
    name, index = parse_address(weight) or (weight, ())
    if name not in shapes:
        raise UnknownName(f"no weight '{weight}'{suggest(name, shapes)} (known: {', '.join(list(shapes)[:20])})")
    shape = shapes[name]
    if len(index) != len(shape) or not all(0 <= i < n for i, n in zip(index, shape, strict=False)):
        ranges = ",".join(f"0…{n - 1}" for n in shape)
        clipped = ",".join(str(min(max(i, 0), n - 1)) for i, n in zip(index, shape, strict=False))
        nearest = f" The nearest is {name}[{clipped}]." if len(index) == len(shape) and shape else ""
        raise UnknownName(f"no weight '{weight}': '{name}' has slots {name}[{ranges}].{nearest}")
    return name, int(np.ravel_multi_index(index, shape)) if index else 0
