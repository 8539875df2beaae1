"""What each head of a network is to learn from a data set's labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Batch
from neurograph.errors import DataError
from neurograph.graph.layout import Layout

if TYPE_CHECKING:
    from neurograph.spec import Spec
    from neurograph.spec.model import LossSpec

Array = NDArray[Any]


Labels = Mapping[Any, Array | None]
"""Head → which of its classes each class of the data is; None where the head is to give the input again."""


def labels_by_head(spec: Spec, layout: Layout) -> Labels:
    """What heads make of a data set's labels, for those whose loss says `labels`.

    Raises
    ------
    DataError
        If a head that is to give the input again has another size, or one among several heads learns values and nothing says which.
    """
    found: dict[Any, Array | None] = {}
    for head in layout.heads:
        declared = _loss_of(spec, head.name)
        if declared is None or declared.labels is None:
            continue
        if declared.labels == "input" and head.size != layout.inputs[0].size:
            raise DataError(
                f"[loss] of '{head.name or 'the outputs'}': labels = \"input\", but it has {head.size:,} units and the input "
                f"{layout.inputs[0].size:,} values. Give it as many."
            )
        found[head.name] = None if declared.labels == "input" else np.array(declared.labels, dtype=np.int64)
    return found


def check_labels(layout: Layout, labels: Labels, n_classes: int) -> None:
    """Raise DataError where it is not said of every head what it learns from so many classes."""
    for head in layout.heads:
        given, name = labels.get(head.name), head.name or "the outputs"
        if given is not None and len(given) < n_classes:
            raise DataError(
                f"[loss] of '{name}': labels has {len(given)} numbers, the data {n_classes} classes. Say of every class of the "
                f"data which one it is there."
            )
        is_plain = head.name not in labels and len(layout.heads) > 1
        if is_plain and head.loss is not None and head.loss.kind in ("mse", "binary_cross_entropy"):
            raise DataError(
                f"'{name}' learns values ({head.loss.kind}), and the data has classes. Say in its [[loss]] what it learns: labels, "
                f'one number a class, or labels = "input".'
            )


def targets_of(layout: Layout, labels: Labels, x: Batch, given: Batch) -> Batch:
    """Targets by head (of a single head, its own): the data's labels, what a head calls them, or the input.

    Examples
    --------
    >>> from neurograph.graph.layout import Port
    >>> layout = Layout({}, (), (Port("digit", (4,)), Port("parity", (2,)), Port("again", (2,))))
    >>> labels = {"parity": np.array([0, 1, 0, 1]), "again": None}
    >>> found = targets_of(layout, labels, np.array([[[0.5, 1.0]], [[0.0, 0.0]]]), np.array([2, 3]))
    >>> found["digit"].tolist(), found["parity"].tolist(), found["again"].tolist()
    ([2, 3], [0, 1], [[0.5, 1.0], [0.0, 0.0]])
    """
    images, y = np.asarray(x), np.asarray(given)
    found: dict[Any, Any] = {}
    for head in layout.heads:
        named = labels.get(head.name)
        again = head.name in labels and named is None
        found[head.name] = images.reshape(len(y), *head.shape) if again else y if named is None else named[y]
    return found if len(found) > 1 else next(iter(found.values()), y)


def _loss_of(spec: Spec, head: Any) -> LossSpec | None:
    return next((loss for loss in spec.losses if loss.of in (None, head)), None)
