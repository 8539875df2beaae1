"""What a run has taken out, as answers: outputs by head, and the probabilities they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.image import Head
from neurograph.graph.layout import Port
from neurograph.kernels.formulas import sigmoid

Array = NDArray[Any]


def by_head(out: Array, heads: Iterable[Head]) -> dict[Any, Array]:
    """Outputs of every head, shape (batch, *head shape), from the columns of all; NaN where a head has no neuron."""
    found = {}
    for head in heads:
        array = out[:, head.first_column : head.first_column + head.port.size]
        if len(head.columns) < head.port.size:
            whole = np.full(array.shape, np.nan, array.dtype)
            whole[:, head.columns] = array[:, head.columns]
            array = whole
        found[head.port.name] = np.ascontiguousarray(array).reshape(len(out), *head.port.shape)
    return found


def single(answers: Mapping[Any, Array]) -> Any:
    """The answer of the only head, or those of all by name."""
    return next(iter(answers.values())) if len(answers) == 1 else answers


def probabilities(outputs: Array, head: Port) -> Array:
    """Outputs that are probabilities already, or what the loss makes of logits."""
    if head.activation != "identity":
        return outputs
    assert head.loss is not None
    z = outputs.astype(np.float64)
    if head.loss.kind == "binary_cross_entropy":
        p = np.array([sigmoid(z_i) for z_i in z.reshape(-1)]).reshape(z.shape)
    else:
        e = np.exp(z - np.max(z, axis=1, keepdims=True, where=~np.isnan(z), initial=-np.inf))
        p = e / np.nansum(e, axis=1, keepdims=True)
    found: Array = p.astype(outputs.dtype)
    return found
