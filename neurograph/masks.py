"""Which neurons a dropout layer silences: a definition both engines share, so that their traces can be compared.

A mask is a pure function of the seed, the dropout layer, the source layer, the sample's number in the batch and the neuron's
place. It does not depend on the engine, the batch's size, the threads or the order in which anybody asks.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import UsageError

Array = NDArray[Any]


def mask_seed(seed: int | None) -> int:
    """The seed itself, or a fresh one for None; call it once a pass, so that all masks of the pass belong together.

    Raises
    ------
    UsageError
        If the seed is not an integer of at least 0.
    """
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"seed: found {seed!r}; a seed is an integer of at least 0, or None for a fresh one.")
    return int(seed)


def dropout_mask(seed: int, dropout: str, source: Hashable, batch: int, shape: tuple[int, ...], keep: float) -> Array:
    """The mask that one dropout layer lays over one population: 1 where a neuron is kept, 0 where it is silent.

    The engines divide what is kept by `keep` (inverted dropout); the mask itself is 0 and 1.

    Parameters
    ----------
    seed : int
        From `mask_seed`.
    dropout : str
        Name of the dropout layer.
    source : hashable
        Name of the population it reads, as in `Layout.shapes`; a hand-made neuron is a population of shape ().
    batch : int
    shape : tuple of int
        The population's shape.
    keep : float
        Probability to keep, in (0, 1].

    Returns
    -------
    ndarray of float64, shape (batch, *shape)

    Examples
    --------
    >>> mask = dropout_mask(7, "drop6", "fc6", batch=4, shape=(3,), keep=0.5)
    >>> mask.shape, sorted({float(m) for m in mask.reshape(-1)})
    ((4, 3), [0.0, 1.0])
    >>> bool((dropout_mask(7, "drop6", "fc6", batch=2, shape=(3,), keep=0.5) == mask[:2]).all())
    True
    """
    words = np.random.SeedSequence([seed, _number(dropout), _number(source)])
    draws = np.random.Generator(np.random.Philox(words)).random((batch, *shape))
    return (draws < keep).astype(np.float64)


def join_masks(masks: Mapping[Hashable, Array], order: Iterable[Hashable]) -> Array:
    """What `trace.masks` shows of one dropout layer: its sources' masks in the layout's order, joined along the channels.

    Sources whose rows and columns differ are flattened first (per sample, row-major); a population of shape () is one channel.

    Examples
    --------
    >>> join_masks({"b": np.ones((2, 3, 4, 4)), "a": np.zeros((2, 1, 4, 4))}, order=["a", "b", "c"]).shape
    (2, 4, 4, 4)
    >>> join_masks({"a": np.ones((2, 3, 4, 4))}, order=["a", "b"]).shape
    (2, 3, 4, 4)
    """
    parts = [masks[source] for source in order if source in masks]
    if len(parts) == 1:
        return parts[0]
    parts = [part.reshape(len(part), -1) if part.ndim == 1 else part for part in parts]
    if len({part.shape[2:] for part in parts}) > 1:
        parts = [part.reshape(len(part), -1) for part in parts]
    return np.concatenate(parts, axis=1)


def _number(name: Hashable) -> int:
    return zlib.crc32((name if isinstance(name, str) else repr(name)).encode())
