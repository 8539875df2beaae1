"""What is timed: something that trains and infers on batches in arrays of its own kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neurograph.spec import Spec

Array = NDArray[Any]
LEARNING_RATE, MOMENTUM = 0.01, 0.9
"""Of everybody."""


class Contender(Protocol):
    """A network in some tool, trained by gradient descent with momentum."""

    name: str

    def ready(self, x: Array, y: Array) -> Any:
        """A batch in its own arrays."""

    def train(self, batch: Any) -> Any:
        """One step; returns the mean loss before it, as anything that `float` reads."""

    def infer(self, batch: Any) -> Any:
        """Outputs."""

    def wait(self) -> None:
        """Return when everything asked for is done."""


@runtime_checkable
class InTurn(Protocol):
    """A contender that takes several steps in one call, as its users have them taken."""

    def in_turn(self, given: Sequence[Any]) -> list[Any]:
        """Batches, several of them in one."""

    def train_steps(self, batches: Any, size: int) -> Any:
        """A step for every batch of so many samples; returns their mean loss."""


class Maker(Protocol):
    """Makes a contender of a network and its first weights."""

    def __call__(self, spec: Spec, weights: Mapping[str, Array], threads: int) -> Contender: ...


def in_float32(weights: Mapping[str, Array]) -> dict[str, Array]:
    """Copies of the weights in the precision in which everybody computes."""
    return {name: np.array(value, dtype=np.float32) for name, value in weights.items()}
