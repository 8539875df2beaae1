"""Which samples make a mini-batch: seeded, and a pure function of seed and epoch, so that any epoch can be begun again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Batch
from neurograph.errors import BatchError

SHUFFLE, DROPOUT = 0, 1
"""What a stream of random numbers is for; keeps streams of one seed apart."""
PORTION = 4096
"""Samples looked at at once."""


def batches(n: int, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    """Row numbers of every mini-batch of an epoch, in a new order each epoch; the last may be smaller.

    Examples
    --------
    >>> [len(rows) for rows in batches(10, 4, seed=0, epoch=0)]
    [4, 4, 2]
    """
    rows = order(n, seed, epoch)
    for start in range(0, n, batch_size):
        yield rows[start : start + batch_size]


def order(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Row numbers of all samples as an epoch takes them; epochs count from 0."""
    return np.random.default_rng([SHUFFLE, seed, epoch]).permutation(n)


def dropout_seed(seed: int, step: int) -> int:
    """Seed of the dropout masks of one step."""
    return int(np.random.SeedSequence([DROPOUT, seed, step]).generate_state(1)[0])


def count(x: Batch, y: Batch) -> int:
    """Number of samples.

    Raises
    ------
    BatchError
        If there are none, or inputs and targets differ in number.
    """
    sizes = {name: len(array) for name, array in _parts(x, "x") + _parts(y, "y")}
    if len(set(sizes.values())) > 1:
        raise BatchError(
            f"as many inputs as targets are needed; found {', '.join(f'{k}: {n:,}' for k, n in sizes.items())}."
        )
    n = next(iter(sizes.values()))
    if n == 0:
        raise BatchError("there are no samples to train on.")
    return n


def check_finite(x: Batch, y: Batch) -> None:
    """Raise BatchError for the first value that is not a finite number, with its sample and place."""
    for what, array in _parts(x, "x") + _parts(y, "y"):
        for start in range(0, len(array) if array.dtype.kind == "f" else 0, PORTION):
            portion = array[start : start + PORTION]
            if not np.isfinite(portion).all():
                place = tuple(int(i) for i in np.argwhere(~np.isfinite(portion))[0])
                written = f"{what}[{', '.join(map(str, (start + place[0], *place[1:])))}]"
                raise BatchError(
                    f"{written}: found {portion[place]}; training needs finite numbers. Mend or leave out that sample."
                )


def take(samples: Batch, rows: Any) -> Any:
    """Some rows of an array, or of each array of a mapping."""
    if isinstance(samples, Mapping):
        return {name: np.asarray(array)[rows] for name, array in samples.items()}
    return np.asarray(samples)[rows]


def _parts(samples: Batch, what: str) -> list[tuple[str, Any]]:
    if isinstance(samples, Mapping):
        return [(f"{what}['{name}']", np.asarray(array)) for name, array in samples.items()]
    array = np.asarray(samples)
    if array.ndim == 0:
        raise BatchError(f"{what}: expected an array with one entry a sample, found a single {type(samples).__name__}.")
    return [(what, array)]
