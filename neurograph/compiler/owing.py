"""What kernels are told about a head's loss: which instruction, and its numbers (`neurograph.kernels.losses` names them)."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.layout import Port
from neurograph.graph.losses import Loss
from neurograph.kernels import code as c

LOSS_OPS = {
    "cross_entropy": c.CROSS_ENTROPY,
    "binary_cross_entropy": c.BINARY_CROSS_ENTROPY,
    "mse": c.SQUARED,
    "rbf_map": c.RBF_MAP,
}


def loss_numbers(loss: Loss, factors: tuple[float, float], port: Port, columns: list[NDArray[np.int64]]) -> list[float]:
    """A loss as numbers: those that `neurograph.kernels.losses` names, then the class weights.

    Parameters
    ----------
    factors : (loss, error)
        What squares are multiplied by: their mean over n outputs, or half their sum.
    port : Port
        The head.
    columns : list of ndarray
        Per group, which columns of the head's array its outputs are; a removed output is missing.

    Notes
    -----
    Class weights that wait for training labels are left out: nobody trains with them (`Loss.check_resolved`).

    Examples
    --------
    >>> loss = Loss("mse", targets=(-1, 1), class_weights=(1.0, 5.0))
    >>> loss_numbers(loss, (0.5, 1.0), Port(None, (2, 3)), [np.array([1, 4])])
    [1.0, 0.5, 1.0, 1.0, 0.0, -1.0, 2.0, 1.0, 1.0, 5.0]
    """
    spread = 1 if port.members is not None else prod(port.shape[1:])
    classes = [int(column) // spread for group in columns for column in group]
    is_weighted = loss.class_weights is not None and loss.is_resolved
    off, apart = loss.off_and_spread
    numbers = [loss.weight, *factors, loss.j, loss.label_smoothing, float(off), float(apart), float(is_weighted)]
    if not is_weighted:
        return numbers
    if loss.kind == "binary_cross_entropy":
        return numbers + [float(w) for unit in classes for w in loss.unit_weights(unit, port.shape[0])]
    assert isinstance(loss.class_weights, tuple)
    return numbers + [float(loss.class_weights[unit]) for unit in classes]
