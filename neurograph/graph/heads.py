"""The outputs of a network: which layer, and what it is trained for."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from neurograph.graph.losses import Loss


@dataclass(frozen=True)
class HeadSpec:
    """One output of the network: its layer (None for hand-made outputs) and its loss, if it has one."""

    name: Hashable | None
    loss: Loss | None = None
