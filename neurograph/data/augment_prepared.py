"""Augmentation of samples that have already been brought to a network's input: mapped, normalised, perhaps flattened.

The images are changed as if that came afterwards: what lies outside is background, and noise has the strength that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.data.augment import Augment
from neurograph.data.augment_options import EDGE
from neurograph.data.normalise import Normaliser
from neurograph.errors import DataError

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class PreparedAugment:
    """An object to call as ``augment(x, rows, epoch)``, for samples of one data set.

    Parameters
    ----------
    augment : Augment
    picture : tuple of int
        Channels, rows and columns of a sample, whatever shape the network takes it in.
    low, high : float
        What 0 and 1 have become.
    normaliser : Normaliser, optional
        What was laid over the samples after that.

    Raises
    ------
    DataError
        If the samples are not images, or sequences that more than noise should change.
    """

    augment: Augment
    picture: tuple[int, ...]
    low: float = 0.0
    high: float = 1.0
    normaliser: Normaliser | None = None

    def __post_init__(self) -> None:
        if len(self.picture) != 3:
            found = "×".join(map(str, self.picture))
            raise DataError(
                f"augment: samples of shape {found}; only images (channels, rows, columns) can be augmented."
            )
        if min(self.picture[1:]) == 1 and not self.augment.keeps_shape:
            raise DataError(
                f"augment: samples of {self.picture[1]}×{self.picture[2]} are sequences; only images can be turned, moved or "
                f"stretched. Leave all but noise out of [augment]."
            )

    def __call__(self, x: Array, rows: Array, epoch: int) -> Array:
        """Changed copies; see `Augment`."""
        images, normaliser = x.reshape(len(x), *self.picture), self.normaliser
        is_by_position = normaliser is not None and normaliser.kind != "standard"
        if normaliser is not None and is_by_position:
            images = normaliser.undo(images)
        changed = self.augment.applied(images, rows, epoch, self._fill(), self._noise())
        if normaliser is not None and is_by_position:
            normaliser.apply(changed)
        return changed.reshape(x.shape)

    def _fill(self) -> Array:
        """Background, for each channel."""
        given = 0.0 if self.augment.fill == EDGE else float(self.augment.fill)
        fill = np.full(self.picture[0], self.low + given * (self.high - self.low))
        if self.normaliser is not None and self.normaliser.kind == "standard":
            fill = (fill - self.normaliser.mean.ravel()) / self.normaliser.deviation.ravel()
        return fill

    def _noise(self) -> Array:
        """Strength of noise, for each channel."""
        noise = np.full(self.picture[0], (self.augment.noise or 0.0) * abs(self.high - self.low))
        if self.normaliser is not None and self.normaliser.kind == "standard":
            noise = noise / self.normaliser.deviation.ravel()
        return noise
