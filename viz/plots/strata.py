"""What one sample makes of every layer, as images: one stratum a layer, or one for the neurons of equal depth in a drawn network."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import UnknownName, UsageError, suggest
from neurograph.graph.address import write_node
from neurograph.graph.topology import Topology
from neurograph.shapes import times
from neurograph.trace import Trace

Array = NDArray[Any]


@dataclass(frozen=True)
class Stratum:
    """A layer of a pass.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Its natural shape; (neurons,) of neurons drawn one by one.
    values : ndarray, shape (maps, rows, columns)
        Neurons without rows and columns are one map of one row.
    neurons : tuple of str
        Names of neurons drawn one by one.
    """

    name: str
    shape: tuple[int, ...]
    values: Array
    neurons: tuple[str, ...] = ()

    @property
    def has_places(self) -> bool:
        """Whether neurons stand in rows and columns (1×1 is no place)."""
        return any(extent > 1 for extent in self.shape[1:])

    @property
    def title(self) -> str:
        """Name and shape."""
        return self.name if self.neurons else f"{self.name}  {times(self.shape)}"


def strata(trace: Trace, sample: int = 0, what: str = "a") -> list[Stratum]:
    """The layers of a pass, inputs first.

    Parameters
    ----------
    trace : Trace
    sample : int
        Whose numbers.
    what : str
        ``"a"``, ``"z"`` or ``"delta"``.

    Raises
    ------
    UsageError
        If the trace has no such sample.
    """
    if not 0 <= sample < trace.batch:
        raise UsageError(f"sample {sample}: the trace has the samples 0…{trace.batch - 1}.")
    values = getattr(trace, what)
    found = []
    for name, members in strata_names(trace).items():
        if members == [name] and trace.layout.shapes[name] != ():
            shape = trace.layout.shapes[name]
            found.append(Stratum(name, shape, _images(np.asarray(values[name])[sample], shape)))
        else:
            numbers = np.array([np.asarray(values[member])[sample] for member in members], dtype=np.float64)
            neurons = tuple(write_node(member) for member in members)
            found.append(Stratum(name, (len(members),), numbers.reshape(1, 1, -1), neurons))
    return found


def strata_names(trace: Trace) -> dict[str, list[Hashable]]:
    """What belongs together: a layer alone, or the single neurons at equal depth ("inputs", "depth 1", …, "outputs")."""
    shapes = trace.layout.shapes
    if all(shape != () for shape in shapes.values()):
        return {str(name): [name] for name in shapes}
    depths = _depths(trace)
    deepest = max(depths.values())
    found: dict[str, list[Hashable]] = {}
    for name, shape in shapes.items():
        depth = depths[name]
        together = "inputs" if depth == 0 else "outputs" if depth == deepest else f"depth {depth}"
        found.setdefault(together if shape == () else str(name), []).append(name)
    return found


def stratum(trace: Trace, layer: str, sample: int = 0, what: str = "a") -> Stratum:
    """One layer of a pass.

    Raises
    ------
    UnknownName
        With the nearest known name.
    """
    found = {one.name: one for one in strata(trace, sample, what)}
    if layer not in found:
        raise UnknownName(f"no layer '{layer}'{suggest(layer, found)} (known: {', '.join(list(found)[:20])})")
    return found[layer]


def _images(values: Array, shape: tuple[int, ...]) -> Array:
    if len(shape) == 3:
        return values
    return values.reshape(1, *shape) if len(shape) == 2 else values.reshape(1, 1, -1)


def _depths(trace: Trace) -> dict[Hashable, int]:
    """The longest way from an input to each population."""
    depths: dict[Hashable, int] = {}
    sources: dict[Hashable, set[Hashable]] = {name: set() for name in trace.layout.shapes}
    network = trace.network
    if isinstance(network, Topology):
        for projection in network.projections:
            sources[projection.target].add(projection.source)
    else:
        for u, v in network.edges:
            if network.nodes[u].get("kind") != "constant":
                sources[trace.layout.place(v)[0]].add(trace.layout.place(u)[0])
    for name in trace.layout.shapes:  # in topological order
        depths[name] = 1 + max((depths.get(source, 0) for source in sources[name] - {name}), default=-1)
    return depths
