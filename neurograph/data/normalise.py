"""Normalisation: numbers learned from the training samples alone, laid over every sample that the network sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import DataError

Array = NDArray[Any]
KINDS = ("standard", "pixel", "centre")
PORTION = 1024
"""Samples worked on at once."""
LEAST = 0.1
"""Of an image, no position is divided by less than this part of the largest deviation: a pixel that was inked twice would else blow up."""


@dataclass(frozen=True, eq=False)
class Normaliser:
    """What is subtracted from samples, and what they are then divided by.

    Attributes
    ----------
    kind : str
        ``"standard"``: mean and deviation of each channel (of plain features, of each); ``"pixel"``: of each position;
        ``"centre"``: the mean of each position, and nothing is divided.
    mean, deviation : ndarray of float64
        Broadcast over a sample.
    """

    kind: str
    mean: Array
    deviation: Array

    @classmethod
    def of(cls, x: Array, kind: str) -> Normaliser:
        """Learned from training samples.

        Parameters
        ----------
        x : ndarray, shape (n, channels, rows, columns) or (n, features)
        kind : str

        Examples
        --------
        >>> x = np.array([[[[0.0, 2.0]]], [[[4.0, 6.0]]]])
        >>> Normaliser.of(x, "standard").mean.ravel(), Normaliser.of(x, "pixel").mean.ravel()
        (array([3.]), array([2., 4.]))
        """
        axes = (0, *range(2, x.ndim)) if kind == "standard" else (0,)
        mean = _mean(x, axes, None)
        if kind == "centre":
            return cls(kind, mean, np.ones_like(mean))
        deviation = np.sqrt(_mean(x, axes, mean))
        if kind == "pixel" and x.ndim > 2:
            deviation = np.maximum(deviation, LEAST * deviation.max())
        return cls(kind, mean, np.where(deviation > 0, deviation, 1.0))

    def apply(self, x: Array) -> None:
        """Normalise samples in place."""
        mean, deviation = self.mean.astype(x.dtype), self.deviation.astype(x.dtype)
        for start in range(0, len(x), PORTION):
            portion = x[start : start + PORTION]
            portion -= mean
            portion /= deviation

    def undo(self, x: Array) -> Array:
        """Samples as they were before; a copy."""
        before: Array = x * self.deviation.astype(x.dtype) + self.mean.astype(x.dtype)
        return before

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as a run keeps them; `from_dict` gives back the same bits.

        Examples
        --------
        >>> kept = Normaliser.of(np.array([[0.1], [0.4]]), "standard").as_dict()
        >>> bool(Normaliser.from_dict(kept).mean[0] == kept["mean"][0] == 0.25)
        True
        """
        return {
            "kind": self.kind,
            "shape": list(self.mean.shape),
            "mean": self.mean.ravel().tolist(),
            "deviation": self.deviation.ravel().tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Normaliser:
        """What `as_dict` gave.

        Raises
        ------
        DataError
            If it is something else.
        """
        try:
            shape = tuple(values["shape"])
            mean, deviation = (np.array(values[key], dtype=np.float64).reshape(shape) for key in ("mean", "deviation"))
            is_right = values["kind"] in KINDS and np.isfinite(mean).all() and (deviation > 0).all()
        except (KeyError, TypeError, ValueError):
            is_right = False
        if not is_right:
            raise DataError("normalise: the numbers kept with the run are damaged; train again, or restore the run.")
        return cls(values["kind"], mean, deviation)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise DataError where samples of that shape cannot be normalised by it."""
        fits = len(shape) == self.mean.ndim and all(m in (1, n) for m, n in zip(self.mean.shape, shape, strict=True))
        if not fits:
            found, wanted = ("×".join(map(str, s)) for s in (shape, self.mean.shape))
            raise DataError(
                f"normalise: samples of shape {found}; those it was learned from need {wanted}. Use data of one form."
            )


def _mean(x: Array, axes: tuple[int, ...], about: Array | None) -> Array:
    """Mean, or mean square distance from `about`, in float64, a portion at a time; one entry for what is not averaged over."""
    total: Any = 0.0
    for start in range(0, len(x), PORTION):
        portion = x[start : start + PORTION].astype(np.float64)
        if about is not None:
            portion = (portion - about) ** 2
        total = total + portion.sum(axis=axes, keepdims=True)[0]
    mean: Array = total / (x.size / total.size)
    return mean
