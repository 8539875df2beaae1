"""How a loss counts targets and samples: smoothed targets t′ and the weight w of a sample's class, in numbers and in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.layout import Port
from neurograph.graph.losses import Loss

Array = NDArray[Any]
PLAIN = {
    "cross_entropy": "Σ −t·log p",
    "binary_cross_entropy": "Σ −t·log σ(z) − (1 − t)·log(1 − σ(z))",
    "mse": "Σ (a − t)² / n",
    "half_sum": "½ Σ (a − t)²",
    "rbf_map": "Σ t·y + log(e^−j + Σ e^−y)",
}
"""Loss → how it adds up."""
WEIGHTED = {
    "cross_entropy": "Σ −w·t·log p",
    "binary_cross_entropy": "Σ w·(−t·log σ(z) − (1 − t)·log(1 − σ(z)))",
    "mse": "Σ w·(a − t)² / n",
    "half_sum": "½ Σ w·(a − t)²",
    "rbf_map": "w·(Σ t·y + log(e^−j + Σ e^−y))",
}
"""The same with class weights."""


def formula_of(loss: Loss) -> str:
    """A head's loss in symbols.

    Examples
    --------
    >>> formula_of(Loss("cross_entropy")), formula_of(Loss("cross_entropy", label_smoothing=0.1, class_weights=(1.0, 2.0)))
    ('Σ −t·log p', 'Σ −w·t′·log p')
    """
    form = "half_sum" if loss.kind == "mse" and loss.form == "half_sum" else loss.kind
    written = (PLAIN if loss.class_weights is None else WEIGHTED)[form]
    return written.replace("t·", "t′·").replace("− t)", "− t′)") if loss.label_smoothing else written


def notes_of(port: Port, there: NDArray[np.bool_]) -> tuple[str, ...]:
    """What t′ and w in the formula are."""
    loss, notes = port.loss, []
    assert loss is not None
    if loss.label_smoothing:
        n = 2 if loss.kind == "binary_cross_entropy" else int(there.reshape(len(there), -1).sum(axis=0).max())
        notes.append(f"t′ = (1 − ε)·t + ε/K, label smoothing with ε = {loss.label_smoothing:g}, K = {n}")
    if isinstance(loss.class_weights, tuple):
        notes.append(
            f"w is the weight of the class; the weights are {', '.join(f'{w:.6g}' for w in loss.class_weights)}"
        )
    return tuple(notes)


def smoothed_targets(loss: Loss, targets: Array, there: NDArray[np.bool_]) -> Array:
    """t′ in the head's shape; K is the number of units at a position, 2 for a binary head."""
    if not loss.label_smoothing:
        return targets
    n_classes = 2 if loss.kind == "binary_cross_entropy" else np.maximum(there.sum(axis=0), 1)
    return np.asarray((1 - loss.label_smoothing) * targets + loss.label_smoothing / n_classes)


def class_factors(port: Port, targets: Array, there: NDArray[np.bool_], number: Callable[[Any], Any] = float) -> Array:
    """The weight w of every unit in the head's shape, from unsmoothed targets; 1 without class weights.

    Parameters
    ----------
    number : callable
        What numbers are: float, or exact fractions.
    """
    loss = port.loss
    assert loss is not None
    factors = np.full(targets.shape, number(1), dtype=object)
    if isinstance(loss.class_weights, tuple):
        off, on = map(number, loss.targets)
        for index in np.ndindex(*targets.shape):
            units = [index[0]] if loss.kind == "binary_cross_entropy" else range(targets.shape[0])
            places = [(unit, *index[1:]) for unit in units]
            shares = [(number(targets[p]) - off) / (on - off) for p in places if there[p]]
            pairs = [_pair(loss, p[0], port.shape[0], number) for p in places if there[p]]
            terms = [absent * (1 - s) + here * s for (absent, here), s in zip(pairs, shares, strict=True)]
            factors[index] = sum(terms, number(0))
    return factors if number is not float else factors.astype(np.float64)


def _pair(loss: Loss, unit: int, n_units: int, number: Callable[[Any], Any]) -> tuple[Any, Any]:
    """What a unit's target counts where it is off, and where it is on."""
    assert isinstance(loss.class_weights, tuple)
    if loss.kind == "binary_cross_entropy":
        absent, here = loss.unit_weights(unit, n_units)
        return number(absent), number(here)
    return number(0), number(loss.class_weights[unit])
