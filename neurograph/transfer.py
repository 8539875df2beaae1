"""Transfer learning: which values a network takes from another one, and which of its parameters stay as they are.

Names and shapes decide, nothing else: what both networks call the same and give the same shape is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import ParameterError, UnknownName, suggest

Array = NDArray[Any]


@dataclass(frozen=True)
class Taken:
    """What came of `Parameters.take_from`.

    Attributes
    ----------
    taken : tuple of str
        Parameters whose values are the other network's now.
    fresh : mapping of str to str
        Those that kept theirs, and why.
    unused : tuple of str
        Those of the other network that found no place.
    """

    taken: tuple[str, ...]
    fresh: Mapping[str, str]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"taken: {', '.join(self.taken) or 'nothing'}"]
        lines += [f"fresh: {name} ({why})" for name, why in self.fresh.items()]
        return "\n".join(lines)


def fitting(here: Mapping[str, Array], other: Mapping[str, Array], leave: Collection[str]) -> Taken:
    """Compare two networks' parameters by name and shape.

    Examples
    --------
    >>> body, head = np.zeros((2, 3)), np.zeros(4)
    >>> fitting({"a": body, "b": head}, {"a": body, "b": np.zeros(5), "c": body}, ())
    Taken(taken=('a',), fresh={'b': 'its shape is 4 here and 5 there'}, unused=('b', 'c'))
    """
    fresh = {}
    for name, values in here.items():
        if name in leave:
            fresh[name] = leave[name] if isinstance(leave, Mapping) else "it was to be left"
        elif name not in other:
            fresh[name] = "there is none of this name"
        elif other[name].shape != values.shape:
            fresh[name] = f"its shape is {_written(values.shape)} here and {_written(other[name].shape)} there"
    taken = tuple(name for name in here if name not in fresh)
    return Taken(taken, fresh, tuple(name for name in other if name not in taken))


def members_of(asked: Iterable[str], known: Collection[str]) -> list[str]:
    """Parameters by their own names or by those of their layers: "conv1" is conv1.weight and conv1.bias.

    Raises
    ------
    UnknownName
        With the nearest name known.

    Examples
    --------
    >>> members_of(["conv1", "fc.bias"], ["conv1.weight", "conv1.bias", "fc.weight", "fc.bias"])
    ['conv1.weight', 'conv1.bias', 'fc.bias']
    """
    layers = dict.fromkeys(name.rpartition(".")[0] for name in known if "." in name)
    found: dict[str, None] = {}
    for name in asked:
        mine = [name] if name in known else [other for other in known if other.rpartition(".")[0] == name]
        if not mine:
            some = ", ".join([*layers] or [*known][:12])
            raise UnknownName(
                f"no layer or parameter '{name}' with weights of its own{suggest(name, [*layers, *known])} (known: {some})"
            )
        found |= dict.fromkeys(mine)
    return list(found)


def masked(name: str, values: Array, used: Array | None) -> Array:
    """Values to be taken, 0 in slots that no edge uses here.

    Raises
    ------
    ParameterError
        If a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ParameterError(f"{name}: the values to be taken are not all finite; that training had come to nothing.")
    return values if used is None else np.where(used, values, 0.0)


def _written(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
