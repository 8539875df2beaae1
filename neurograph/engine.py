"""The contract of both engines: what goes in, what comes out, and what an answer means.

Shared here are definitions (how a batch or a target is read, what a prediction is); each engine computes alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurograph.errors import BatchError, LossError
from neurograph.graph.layout import Layout, Port
from neurograph.graph.losses import Loss
from neurograph.parameters import Parameters
from neurograph.trace import Trace

Array = NDArray[Any]
Batch = ArrayLike | Mapping[Any, ArrayLike]


class Optimizer(Protocol):
    """What an engine needs of an optimiser (see `neurograph.training.optimizers`)."""

    def step(self, values: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Change `values` in place by one update."""


class Engine(Protocol):
    """Runs a network. Both `ReferenceEngine` and `Program` are engines."""

    layout: Layout
    params: Parameters

    def forward(self, x: Batch, *, training: bool = False, seed: int | None = None) -> Any:
        """Outputs of the head (several heads: a dictionary), shape (batch, *head shape)."""

    def backprop(
        self,
        x: Batch,
        target: Batch | None = None,
        *,
        upstream: Batch | None = None,
        reduction: str = "mean",
        training: bool = False,
        seed: int | None = None,
    ) -> Trace:
        """One forward and backward pass, with everything recorded."""

    def train_step(
        self, x: Batch, target: Batch, optimizer: Optimizer, reduction: str = "mean", seed: int | None = None
    ) -> float:
        """Forward, backward, simultaneous update; returns the loss before the update."""


@dataclass(frozen=True)
class Evaluation:
    """How well a network does on a data set: mean loss per sample, and the share of right labels (None without classes)."""

    loss: float
    accuracy: float | None
    n_samples: int


def read_batch(x: Batch, ports: tuple[Port, ...], dtype: Any = np.float64, what: str = "x") -> dict[Hashable, Array]:
    """Arrays by port name, each (batch, *shape) and contiguous; the caller's arrays are never changed.

    Raises
    ------
    BatchError
        Naming the port, the shape found and the shape wanted.
    """
    given: Mapping[Any, Any]
    if isinstance(x, Mapping):
        given = x
    elif len(ports) == 1:
        given = {ports[0].name: x}
    else:
        raise BatchError(f"{what}: this network has several ({_names(ports)}); give a dictionary by name.")
    if set(given) != {port.name for port in ports}:
        raise BatchError(f"{what}: found {sorted(map(str, given))}; expected {_names(ports)}.")
    arrays = {port.name: _read_array(given[port.name], port, dtype, what) for port in ports}
    sizes = {len(array) for array in arrays.values()}
    if len(sizes) > 1:
        raise BatchError(f"{what}: arrays of different batch sizes {sorted(sizes)}.")
    if sizes == {0}:
        raise BatchError(f"{what}: the batch is empty.")
    return arrays


def _read_array(value: ArrayLike, port: Port, dtype: Any, what: str) -> Array:
    array = _numbers(value, f"{what}: {port.name}" if port.name is not None else what)
    if array.shape[1:] != port.shape:
        wanted = ", ".join(map(str, ("batch", *port.shape)))
        raise BatchError(f"{what}: shape {array.shape}; '{port.name or 'the output'}' needs ({wanted}).")
    return np.ascontiguousarray(array, dtype=dtype)


def _numbers(value: ArrayLike, what: str) -> Array:
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiubc":
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise BatchError(f"{what}: expected an array of numbers, found {type(value).__name__}.") from None
    if array.dtype.kind == "c":
        raise BatchError(f"{what}: complex numbers; neurons compute with real ones. Pass their parts as two channels.")
    return array


def read_targets(target: Batch, heads: tuple[Port, ...], batch: int) -> dict[Hashable, Array]:
    """Target values by head, float64, shape (batch, *head shape): classes become one-hot rows with the loss's off and on values.

    Integer arrays without the head's first axis are classes if the head has at least two units, values otherwise.

    Raises
    ------
    BatchError
        If shapes or class numbers do not fit.
    LossError
        If a head has no loss.
    """
    for head in heads:
        if head.loss is None:
            raise LossError(
                f"'{head.name or 'the output'}' has no loss; add [loss] to the spec, or pass upstream instead of a target."
            )
        head.loss.check_resolved(str(head.name or "the output"))
    if isinstance(target, Mapping):
        if set(target) != {head.name for head in heads}:
            raise BatchError(f"target: found {sorted(map(str, target))}; expected {_names(heads)}.")
        given: Mapping[Any, Any] = target
    elif len(heads) == 1:
        given = {heads[0].name: target}
    else:
        raise BatchError(f"target: this network has several heads ({_names(heads)}); give a dictionary by name.")
    return {head.name: _read_target(given[head.name], head, batch) for head in heads}


def _read_target(value: ArrayLike, head: Port, batch: int) -> Array:
    array = _numbers(value, "target")
    if len(array) != batch if array.ndim else True:
        raise BatchError(f"target: shape {array.shape}; the batch has {batch} samples.")
    if array.dtype.kind in "iub" and array.shape == (batch, *head.shape[1:]) and head.shape and head.shape[0] >= 2:
        return _one_hot(array, head)
    if array.size == batch * head.size and (head.size == 1 or array.shape == (batch, *head.shape)):
        return np.array(array, dtype=np.float64).reshape(batch, *head.shape)
    wanted = ", ".join(map(str, ("batch", *head.shape)))
    classes = " or integer classes of shape (batch,)" if head.size > 1 else ""
    hint = f"; found {array.dtype}. Classes: y.astype(int)" if classes and array.shape == (batch,) else ""
    raise BatchError(f"target: shape {array.shape}; '{head.name or 'the output'}' needs ({wanted}){classes}{hint}.")


def _one_hot(classes: Array, head: Port) -> Array:
    n_classes = head.shape[0]
    wrong = np.argwhere((classes < 0) | (classes >= n_classes))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise BatchError(
            f"target: class {classes[where]} at position {where[0]}; '{head.name or 'the output'}' has classes 0…{n_classes - 1}."
        )
    off, on = head.loss.targets if head.loss else (0.0, 1.0)
    return np.where(np.arange(n_classes).reshape(1, -1, *[1] * (classes.ndim - 1)) == classes[:, None], on, off)


def check_reduction(reduction: str) -> None:
    """Raise LossError unless `reduction` is "mean" or "sum"."""
    if reduction not in ("mean", "sum"):
        raise LossError(f"unknown reduction '{reduction}' (known: mean, sum)")


def labels_of(outputs: Array, head: Port) -> Array:
    """What a head predicts: argmax over its first axis (rbf: argmin), p ≥ ½ for one unit under binary cross-entropy, else the outputs."""
    loss: Loss | None = head.loss
    if loss is not None and loss.kind == "binary_cross_entropy" and head.size == 1:
        threshold = 0.5 if head.activation == "sigmoid" else 0.0
        return (outputs.reshape(len(outputs)) >= threshold).astype(np.int64)
    if head.size > 1 and head.shape[0] > 1 and (loss is None or loss.kind != "binary_cross_entropy"):
        score = -outputs if head.kind == "rbf" else outputs
        best: Array = np.argmax(np.where(np.isnan(score), -np.inf, score), axis=1)  # a removed output's place is NaN
        return best
    return outputs


def check_probabilities(head: Port) -> None:
    """Raise LossError unless the head's outputs stand for probabilities: softmax, or one of the two cross-entropies."""
    loss = head.loss.kind if head.loss is not None else None
    if loss in ("cross_entropy", "binary_cross_entropy") or (head.activation == "softmax" and loss != "rbf_map"):
        return
    name = head.name or "the output"
    raise LossError(
        f"'{name}' has no probabilities (activation {head.activation}, loss {loss}); they need activation softmax, or loss "
        f"cross_entropy or binary_cross_entropy. Use forward for the outputs, or predict for the labels."
    )


def count_right(outputs: Array, targets: Array, head: Port) -> tuple[int, int] | None:
    """How many labels of a head are right, and of how many; None where the targets are not classes.

    Parameters
    ----------
    outputs : ndarray, shape (batch, *head shape)
        As `forward` returns them.
    targets : ndarray, shape (batch, *head shape)
        As `read_targets` returns them. Under mse they are classes only where every row has one on and is off elsewhere.
    """
    if head.loss is None:
        return None
    if head.loss.kind == "binary_cross_entropy":
        wanted = (targets.reshape(len(targets)) >= 0.5) if head.size == 1 else None
    elif head.size == 1 or head.shape[0] < 2 or (head.loss.kind == "mse" and not _are_one_hot(targets, head.loss)):
        wanted = None
    else:
        wanted = np.argmax(targets, axis=1)
    return None if wanted is None else (int(np.sum(labels_of(outputs, head) == wanted)), wanted.size)


def _are_one_hot(targets: Array, loss: Loss) -> bool:
    off, on = loss.targets
    return bool(np.all((targets == off) | (targets == on)) and np.all(np.sum(targets == on, axis=1) == 1))


def _names(ports: tuple[Port, ...]) -> str:
    return ", ".join(str(port.name) for port in ports)
