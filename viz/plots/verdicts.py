"""What a network says of samples whose classes are known: the class it takes each for, how sure it is, and how wrong."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Batch, Engine, labels_of, read_targets
from neurograph.errors import DrawingError, UnknownName, suggest
from neurograph.graph.layout import Port

Array = NDArray[Any]

PORTION = 500
"""Samples run at once."""


@dataclass(frozen=True)
class Verdicts:
    """One head's answers.

    Attributes
    ----------
    head : str
        Its name; empty where the network has no other.
    true, predicted : ndarray of int, shape (n, ...)
        Classes; with further axes where every position has one.
    sureness : ndarray, shape (n, classes) or None
        Probabilities, or the outputs where the head makes none (rbf: minus the distances); None where every position has a class.
    are_probabilities : bool
    n_classes : int
    """

    head: str
    true: Array
    predicted: Array
    sureness: Array | None
    are_probabilities: bool
    n_classes: int

    def counts(self) -> Array:
        """Shape (classes, classes): how many of class i were taken for class j."""
        counts = np.zeros((self.n_classes, self.n_classes), dtype=np.int64)
        np.add.at(counts, (self.true.reshape(-1), self.predicted.reshape(-1)), 1)
        return counts

    def worst_first(self) -> Array:
        """Numbers of the samples that got the wrong label, the worst first.

        Worst is what gave its true class the least probability; without probabilities, whose output for it fell farthest behind
        the output that won.
        """
        assert self.sureness is not None
        wrong = np.flatnonzero(self.true != self.predicted)
        of_true = self.sureness[wrong, self.true[wrong]]
        behind = 0.0 if self.are_probabilities else self.sureness[wrong, self.predicted[wrong]]
        order: Array = wrong[np.argsort(of_true - behind, kind="stable")]
        return order


def judge(engine: Engine, x: Batch, y: Batch, head: Hashable | None = None) -> Verdicts:
    """What a network says of samples.

    Parameters
    ----------
    engine : Program or ReferenceEngine
    x, y : array_like or mapping
        Samples, and their classes (or one-hot targets).
    head : str, optional
        Which head; needed only where there are several.

    Raises
    ------
    DrawingError
        If the head has no classes: it is a regression.
    UnknownName
        If there is no such head.
    """
    port = _head(engine, head)
    outputs = np.concatenate([_outputs(engine, part, port) for part in _portions(x)])
    target = {port.name: y[port.name]} if isinstance(y, Mapping) and port.name in y else y
    wanted = read_targets(target, (port,), len(outputs))[port.name]
    true = _classes(port, wanted)
    predicted = np.asarray(labels_of(outputs, port), dtype=np.int64).reshape(true.shape)
    n_classes = 2 if port.size == 1 else port.shape[0]
    sureness, are_probabilities = _sureness(outputs, port) if true.ndim == 1 else (None, False)
    name = str(port.name or "output") if len(engine.layout.heads) > 1 else ""
    return Verdicts(name, true, predicted, sureness, are_probabilities, n_classes)


def _head(engine: Engine, head: Hashable | None) -> Port:
    heads = {port.name: port for port in engine.layout.heads}
    if head is None and len(heads) == 1:
        return engine.layout.heads[0]
    if head in heads:
        return heads[head]
    if head is None:
        raise DrawingError(f"several heads ({', '.join(map(str, heads))}); name one of them, as head.")
    raise UnknownName(f"no head '{head}'{suggest(str(head), map(str, heads))} (known: {', '.join(map(str, heads))})")


def _portions(x: Batch) -> list[Any]:
    arrays = x if isinstance(x, Mapping) else {None: x}
    n = len(np.asarray(next(iter(arrays.values()))))
    cut = [{name: np.asarray(array)[i : i + PORTION] for name, array in arrays.items()} for i in range(0, n, PORTION)]
    return cut if isinstance(x, Mapping) else [part[None] for part in cut]


def _outputs(engine: Engine, x: Any, port: Port) -> Array:
    found = engine.forward(x)
    return np.asarray(found[port.name] if isinstance(found, Mapping) else found, dtype=np.float64)


def _classes(port: Port, wanted: Array) -> Array:
    """True classes from targets as `read_targets` gives them."""
    kind = port.loss.kind if port.loss is not None else None
    name = port.name or "the output"
    if kind == "binary_cross_entropy" and port.size == 1:
        return (wanted.reshape(len(wanted)) >= 0.5).astype(np.int64)
    if port.size > 1 and port.shape[0] > 1 and kind != "binary_cross_entropy":
        off, on = port.loss.targets if port.loss is not None else (0.0, 1.0)
        if np.all((wanted == off) | (wanted == on)) and np.all(np.sum(wanted == on, axis=1) == 1):
            classes: Array = np.argmax(wanted, axis=1)
            return classes.reshape(len(classes)) if prod(port.shape[1:]) == 1 else classes
    raise DrawingError(
        f"'{name}': its targets are numbers, not classes ({kind}), so nothing is mistaken for another: no confusion matrix and no "
        f"mistakes. Plot curves or histograms."
    )


def _sureness(outputs: Array, port: Port) -> tuple[Array, bool]:
    """A column a class: probabilities where the head has them."""
    flat = outputs.reshape(len(outputs), -1)
    kind = port.loss.kind if port.loss is not None else None
    if port.size == 1:
        p = flat if port.activation == "sigmoid" else 1 / (1 + np.exp(-np.clip(flat, -700, 700)))
        return np.hstack([1 - p, p]), True
    if port.activation == "softmax":
        return flat, True
    if kind == "cross_entropy":
        powers = np.exp(flat - flat.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True), True
    return (-flat if port.kind == "rbf" else flat), False
