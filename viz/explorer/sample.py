"""One sample of the page: what goes in, and what is wanted."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from neurograph.engine import Batch, read_batch, read_targets
from neurograph.graph.layout import Layout, Port

from .packing import Packed, pack


@dataclass(frozen=True)
class Sample:
    """A batch of one, with a target or an upstream gradient or neither.

    Attributes
    ----------
    x, target, upstream : array_like or mapping
        As `backprop` takes them, with a batch axis of 1.
    label : str
        What it is, in words.
    """

    x: Batch
    target: Batch | None = None
    upstream: Batch | None = None
    label: str = ""

    def packed(self, layout: Layout) -> dict[str, Any]:
        """As the page holds it: one packed array a port, in their order.

        Raises
        ------
        BatchError
            If it does not fit the network.
        """
        x = read_batch(self.x, layout.inputs)
        n = len(next(iter(x.values())))
        target = None if self.target is None else read_targets(self.target, layout.heads, n)
        upstream = None if self.upstream is None else read_batch(self.upstream, layout.heads, what="upstream")
        return {
            "x": _packed(x, layout.inputs),
            "t": None if target is None else _packed(target, layout.heads),
            "g": None if upstream is None else _packed(upstream, layout.heads),
            "label": self.label,
        }


def _packed(values: Mapping[Hashable, Any], ports: tuple[Port, ...]) -> list[Packed]:
    return [pack(values[port.name][0]) for port in ports]
