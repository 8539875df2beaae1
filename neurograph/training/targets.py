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


def labels_by_head(spec: Spec, layout: Layout) -> dict[Any, Array]:
    """Head → which of its classes each class of the data is, for heads whose loss says `labels`."""
    found: dict[Any, Array] = {}
    for head in layout.heads:
        declared = _loss_of(spec, head.name)
        if declared is not None and declared.labels is not None:
            found[head.name] = np.array(declared.labels, dtype=np.int64)
    return found


def check_labels(labels: Mapping[Any, Array], n_classes: int) -> None:
    """Raise DataError where labels do not say something of every class of the data."""
    for head, given in labels.items():
        if len(given) < n_classes:
            raise DataError(
                f"[loss] of '{head or 'the outputs'}': labels has {len(given)} numbers, the data {n_classes} classes. Say of every "
                f"class of the data which one it is there."
            )


def targets_of(layout: Layout, labels: Mapping[Any, Array], given: Batch) -> Batch:
    """Targets by head (of a single head, its own): the data's labels, or what a head calls them.

    Examples
    --------
    >>> from neurograph.graph.layout import Port
    >>> layout = Layout({}, (), (Port("digit", (4,)), Port("parity", (2,))))
    >>> found = targets_of(layout, {"parity": np.array([0, 1, 0, 1])}, np.array([2, 3, 3]))
    >>> found["digit"].tolist(), found["parity"].tolist()
    ([2, 3, 3], [0, 1, 1])
    """
    y = np.asarray(given)
    found = {head.name: labels[head.name][y] if head.name in labels else y for head in layout.heads}
    return found if len(found) > 1 else next(iter(found.values()), y)


def _loss_of(spec: Spec, head: Any) -> LossSpec | None:
    return next((loss for loss in spec.losses if loss.of in (None, head)), None)
