"""Layers that use the weights of another layer: ``weights_from``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from neurograph.errors import LayerError, suggest
from neurograph.ops.base import Laid, WeightedLayer
from neurograph.parameters import ParameterSpec
from neurograph.shapes import times
from neurograph.spec.wording import first_of


def share(
    layer: WeightedLayer,
    laid: Laid,
    parameters: Mapping[str, ParameterSpec],
    borrowed: Mapping[str, str],
    unread: frozenset[str] = frozenset(),
) -> Laid:
    """Drop from a laid-out layer what the owner of its weights declares already.

    Parameters
    ----------
    parameters : mapping of str to ParameterSpec
        What the layers before it have declared.
    borrowed : mapping of str to str
        The layers before it that use weights of another, and whose.

    Raises
    ------
    LayerError
        If there is no such owner, or its weights have another shape or other unused slots.
    """
    owner = str(layer.weights_from)
    if f"{owner}.weight" not in parameters:
        if "layer" in unread:  # the owner may be among the layers that could not be read
            return replace(laid, parameters=())
        if owner in borrowed:
            raise LayerError(
                f"weights_from '{owner}', which itself uses the weights of '{borrowed[owner]}'. Name '{borrowed[owner]}'."
            )
        known = [name.removesuffix(".weight") for name in parameters if name.endswith(".weight")]
        hint = suggest(str(owner), known)
        raise LayerError(
            f"weights_from '{owner}', which has no weights of its own before this layer{hint} (known: {first_of(known)})"
        )
    kept = []
    for spec in laid.parameters:
        if not spec.name.startswith(f"{owner}."):
            kept.append(spec)
        elif spec.name not in parameters:
            laid = replace(laid, bias=None)  # the owner has none
        else:
            _check_equal(str(owner), parameters[spec.name], spec)
    return replace(laid, parameters=tuple(kept))


def _check_equal(owner: str, original: ParameterSpec, wanted: ParameterSpec) -> None:
    if original.shape != wanted.shape:
        raise LayerError(
            f"weights_from '{owner}': its {wanted.role} has the shape {times(original.shape)}, this layer needs {times(wanted.shape)}."
        )
    if not np.array_equal(_used(original), _used(wanted)):
        raise LayerError(f"weights_from '{owner}': its connections differ from those of this layer.")


def _used(spec: ParameterSpec) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return spec.used if spec.used is not None else np.ones((), dtype=bool)
