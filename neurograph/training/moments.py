"""A moment between two updates that a training can be put back to, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Engine
from neurograph.training.history import Begun
from neurograph.training.optimizers import Optimizer

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Moment:
    """Weights and the optimizer's state; with what a batch is made of, all that the steps to come depend on."""

    begun: Begun
    values: Mapping[str, Array]
    state: Mapping[str, Array]

    @classmethod
    def of(cls, engine: Engine, optimizer: Optimizer, begun: Begun) -> Moment:
        """The present one; later steps do not change it."""
        return cls(begun, dict(engine.params), optimizer.state())

    def restore(self, engine: Engine, optimizer: Optimizer) -> None:
        """Put engine and optimizer back to it."""
        engine.params.update(self.values)
        optimizer.load_state(self.state)

    @property
    def is_finite(self) -> bool:
        """Whether every weight is a finite number."""
        return all(np.isfinite(value).all() for value in self.values.values())
