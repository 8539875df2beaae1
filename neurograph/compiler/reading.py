"""What a program is given, as flat arrays of its own precision: usual batches at once, all others with every check."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Batch, read_batch, read_targets
from neurograph.errors import BatchError, LossError
from neurograph.graph.layout import Layout, Port
from neurograph.kernels import code as c

Array = NDArray[Any]


class Reading:
    """Reads batches for one program.

    Parameters
    ----------
    layout : Layout
    dtype : dtype
    """

    def __init__(self, layout: Layout, dtype: Any) -> None:
        self.layout, self.dtype = layout, np.dtype(dtype)
        self._rows: Array | None = None

    def given(self, x: Batch) -> Array:
        """Inputs, shape (batch, columns)."""
        if isinstance(x, np.ndarray) and x.dtype == self.dtype and x.flags.c_contiguous and len(x):
            ports = self.layout.inputs
            if len(ports) == 1 and x.shape[1:] == ports[0].shape:
                return x.reshape(len(x), -1)
        arrays = read_batch(x, self.layout.inputs, self.dtype)
        return joined([arrays[port.name] for port in self.layout.inputs])

    def wanted(self, target: Batch | None, upstream: Batch | None, batch: int) -> tuple[Array, int]:
        """Targets or upstream gradients, shape (batch, columns), and the mode that says which."""
        heads = self.heads_to_train()
        if upstream is None and isinstance(target, np.ndarray) and target.shape == (batch,):
            found = self._one_hot(target)
            if found is not None:
                return found, c.TARGETS
        if (target is None) == (upstream is None):
            raise LossError("backprop needs either a target or an upstream gradient; give exactly one of them.")
        if target is not None:
            return self._wanted_with_care(target, batch), c.TARGETS
        assert upstream is not None
        arrays = read_batch(upstream, heads, self.dtype, what="upstream")
        if any(len(array) != batch for array in arrays.values()):
            raise BatchError(f"upstream: {len(next(iter(arrays.values())))} samples; x has {batch}.")
        return joined([arrays[head.name] for head in heads]), c.UPSTREAM

    def _one_hot(self, classes: Array) -> Array | None:
        """Targets of valid classes for a single head, the usual case; None: read them with care."""
        if self._rows is None:
            head = self.layout.heads[0]
            plain = len(self.layout.heads) == 1 and len(head.shape) == 1 and head.shape[0] > 1 and head.loss is not None
            every = np.arange(head.shape[0] if plain else 0)
            self._rows = self._wanted_with_care(every, len(every)) if plain else np.zeros((0, 0), self.dtype)
        n = len(self._rows)
        if classes.dtype.kind not in "iu" or not classes.dtype.isnative or not n:
            return None
        if len(classes) == 1:
            return self._rows.take(classes, axis=0) if 0 <= classes.item() < n else None
        # Without their sign, negative ones are larger than any class.
        largest = classes.view(f"u{classes.itemsize}").max()
        return self._rows.take(classes, axis=0) if largest < n else None

    def _wanted_with_care(self, target: Batch, batch: int) -> Array:
        heads = self.heads_to_train()
        targets = read_targets(target, heads, batch)
        return joined([targets[head.name] for head in heads]).astype(self.dtype)

    def heads_to_train(self) -> tuple[Port, ...]:
        """All heads; a network without any cannot be trained."""
        if not self.layout.heads:
            raise LossError("this network has no outputs, so nothing to train; name them with set_outputs.")
        return self.layout.heads


def joined(arrays: list[Array]) -> Array:
    """Arrays side by side, one row a sample."""
    flat = [array.reshape(len(array), -1) for array in arrays]
    return flat[0] if len(flat) == 1 else np.ascontiguousarray(np.concatenate(flat, axis=1))
