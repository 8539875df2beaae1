"""Bundled digits as any network would read them, and what is wanted of outputs of which no data speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neurograph.data.prepare import made_shape
from neurograph.data.sets import prepare_options
from neurograph.errors import DataError

if TYPE_CHECKING:
    from neurograph.engine import Batch
    from neurograph.graph.layout import Layout
    from neurograph.spec import Spec
    from neurograph.training.samples import Samples

DIGIT = (1, 8, 8)
FIRST_CLASS = ", target: the first class"
"""Said where a target stands in for one that nothing speaks of."""


def fitted(layout: Layout, data: str, prepare: Mapping[str, Any]) -> Mapping[str, Any]:
    """How samples are prepared: as told; digits that would not fit an input for grey images so are resized to it."""
    shape = layout.inputs[0].shape
    if data != "digits" or len(layout.inputs) > 1 or len(shape) != 3 or shape[0] != 1 or _fits(shape, prepare):
        return prepare
    return {**{key: value for key, value in prepare.items() if key != "pad"}, "resize": list(shape[1:])}


def fits_digits(layout: Layout, prepare: Mapping[str, Any]) -> bool:
    """Whether digits can be brought to the network's input."""
    return len(layout.inputs) == 1 and _fits(layout.inputs[0].shape, fitted(layout, "digits", prepare))


def _fits(shape: tuple[int, ...], prepare: Mapping[str, Any]) -> bool:
    try:
        made_shape(DIGIT, shape, **prepare_options(prepare))
    except DataError:
        return False
    return True


def bundled_digits(
    spec: Spec, layout: Layout, prepare: Mapping[str, Any], normaliser: Any = None
) -> tuple[Samples, bool]:
    """The digits, and whether each head is told what to learn from them; where not, the classes are told for a header alone."""
    from neurograph.training.samples import samples_for
    from neurograph.training.targets import labels_by_head

    ready = fitted(layout, "digits", prepare)
    try:
        told = labels_by_head(spec, layout)
        if not any(head.name not in told and _asks_yes_or_no(head) for head in layout.heads):
            return samples_for(spec, layout, "digits", ready, normaliser=normaliser), True
    except DataError:
        pass  # the heads have other classes
    return samples_for(spec, replace(layout, heads=()), "digits", ready, normaliser=normaliser), False


def _asks_yes_or_no(head: Any) -> bool:
    """Whether a head is one unit that is right or wrong: ten classes say nothing of it."""
    return head.size == 1 and head.loss is not None and head.loss.kind == "binary_cross_entropy"


def first_class(layout: Layout) -> Batch | None:
    """Class 0 (or zeros) as a target for every head, so that there is a δ to look at."""
    if not all(head.loss is not None for head in layout.heads):
        return None
    zeros = {head.name: np.zeros((1, *head.shape)) for head in layout.heads}
    for head in layout.heads:
        if head.loss is not None and head.loss.kind == "cross_entropy":
            zeros[head.name][:, 0] = 1.0
    return zeros
