"""What an inspector asked its engine, so that it can be asked again with one thing changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurograph.engine import Batch, Engine
from neurograph.parameters import Parameters
from neurograph.trace import Trace


@dataclass(frozen=True)
class Asked:
    """One call of `backprop`: the engine and what it was given."""

    engine: Engine
    x: Batch
    target: Batch | None
    upstream: Batch | None
    reduction: str

    def run(self, engine: Engine | None = None, x: Batch | None = None) -> Trace:
        """The pass, with another engine or another batch if one is given."""
        found = self.engine if engine is None else engine
        given = self.x if x is None else x
        return found.backprop(given, self.target, upstream=self.upstream, reduction=self.reduction)


@contextmanager
def lent_weights(params: Parameters, values: Mapping[str, Any]) -> Iterator[None]:
    """Other values for a while; afterwards everything is as it was.

    Examples
    --------
    >>> params = Parameters({"w": 2.0})
    >>> with lent_weights(params, {"w": 3.0}):
    ...     print(float(params["w"]))
    3.0
    >>> float(params["w"])
    2.0
    """
    changed = {name: value for name, value in values.items() if not np.array_equal(params[name], value)}
    before = {name: params[name] for name in changed}
    try:
        params.update(changed)
        yield
    finally:
        params.update(before)
