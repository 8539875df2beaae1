"""What traces borrow of a program's memory, and who copies it before the program writes there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import ref

from numpy.typing import NDArray

from neurograph.trace import Borrowed

Array = NDArray[Any]


class Lending:
    """Lends a program's weights and gradient to traces; a trace that is gone costs nothing.

    Examples
    --------
    >>> import numpy as np
    >>> memory, lending = np.array([1.0]), Lending()
    >>> seen = lending.gradient({"w": memory})
    >>> lending.before_gradient()
    >>> memory[0] = 2.0
    >>> seen["w"].tolist()
    [1.0]
    """

    def __init__(self) -> None:
        self._weights: ref[Borrowed] | None = None
        self._gradient: ref[Borrowed] | None = None

    def weights(self, views: Mapping[str, Array]) -> Borrowed:
        """The weights for one more trace: traces between two changes share them."""
        shared = None if self._weights is None else self._weights()
        if shared is None:
            shared = Borrowed(views, shared=True)
            self._weights = ref(shared)
        return shared

    def gradient(self, views: Mapping[str, Array]) -> Borrowed:
        """The gradient of the pass that just ended."""
        borrowed = Borrowed(views)
        self._gradient = ref(borrowed)
        return borrowed

    def before_weights(self) -> None:
        """Call before weights change."""
        _keep(self._weights)
        self._weights = None

    def before_gradient(self) -> None:
        """Call before a backward pass."""
        _keep(self._gradient)
        self._gradient = None

    def before_update(self) -> None:
        """Call before a step of training, which writes both."""
        self.before_gradient()
        self.before_weights()


def _keep(lent: ref[Borrowed] | None) -> None:
    borrowed = None if lent is None else lent()
    if borrowed is not None:
        borrowed.keep()
