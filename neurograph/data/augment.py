"""Augmentation: training images changed a little at random, anew in every epoch, so that a network sees each differently every time.

What becomes of a sample is a function of the seed, the epoch and the sample's row number alone: not of the batch it is in, of threads,
or of how often training was interrupted. All changes of shape are one affine map, so an image is interpolated once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.data.affine import inverse_maps
from neurograph.data.augment_options import CHARACTERS, EDGE, NOTHING, PRESETS, SHAPES, checked
from neurograph.errors import BatchError, UsageError, suggest

Array = NDArray[Any]
Range = float | Sequence[float]

STREAM = 2
"""Keeps these random numbers apart from others of the same seed (order of samples 0, dropout 1)."""
PURPOSES = (
    "rotation", "columns", "rows", "rescale", "stretch", "shear", "mirror", "upside_down", "crop_columns", "crop_rows", "elastic", "noise",
)  # fmt: skip
"""Numbers drawn for each sample and epoch, asked for or not: what one option does never depends on another."""


@dataclass(frozen=True)
class Augment:
    """Random changes of images; an object to call, and what `fit(augment=…)` takes.

    A range is one number r, for −r…r (factors: 1/r…r), or two, (least, most). Angles and shifts are drawn uniformly, factors so that
    twice and half as large are equally likely. Without any option nothing changes.

    Parameters
    ----------
    rotation : float or (float, float)
        Degrees, counter-clockwise.
    translation : float or (float, float)
        Pixels, along rows and along columns, fractions included.
    rescale : float or (float, float)
        Factor of the size, 1 or more (or a range of factors).
    stretch : float or (float, float)
        Factor of the width, by which the height is divided.
    shear : float or (float, float)
        Degrees by which upright lines lean.
    flip_horizontal, flip_vertical : bool
        Mirror every second image, left to right, top to bottom.
    crop : int
        Pad by so many pixels on each side and cut the image's own size out anywhere: a shift by whole pixels.
    elastic : float
        Simard's α in pixels: neighbouring pixels are displaced alike, by α times uniform noise blurred by `elastic_sigma` pixels.
        34 is usual for 28×28 digits.
    elastic_sigma : float
    noise : float
        Standard deviation of noise added to every value, where black to white is 1.
    fill : float or "edge"
        What lies outside the image, or its border goes on.
    seed : int
    preset : str, optional
        ``"digits"``, ``"photos"`` or ``"lecture"``: ranges for what is not given. The lectures' ranges, made for galaxies, turn a 6
        into a 9; see `cautions`.

    Raises
    ------
    UsageError
        If an option has a value that is not allowed.

    Examples
    --------
    >>> augment = Augment(rotation=90, seed=1)
    >>> x = np.arange(2 * 8 * 8, dtype=np.float32).reshape(2, 1, 8, 8)
    >>> changed = augment(x, rows=np.array([5, 9]), epoch=0)
    >>> changed.shape, bool((augment(x[1:], np.array([9]), 0) == changed[1:]).all())
    ((2, 1, 8, 8), True)
    >>> bool((augment(x, np.array([5, 9]), epoch=1) == changed).all())
    False

    References
    ----------
    P. Y. Simard, D. Steinkraus & J. C. Platt, "Best practices for convolutional neural networks", ICDAR (2003).
    S. Dieleman, K. W. Willett & J. Dambre, "Rotation-invariant convolutional neural networks for galaxy morphology prediction",
    Mon. Not. R. Astron. Soc. 450 (2015), section 7.3.
    """

    rotation: Range | None = None
    translation: Range | None = None
    rescale: Range | None = None
    stretch: Range | None = None
    shear: Range | None = None
    flip_horizontal: bool | None = None
    flip_vertical: bool | None = None
    crop: int | None = None
    elastic: float | None = None
    elastic_sigma: float | None = None
    noise: float | None = None
    fill: float | str = 0.0
    seed: int = 0
    preset: str | None = None

    def __post_init__(self) -> None:
        if self.preset is not None and self.preset not in PRESETS:
            raise UsageError(
                f"augment: unknown preset '{self.preset}'{suggest(str(self.preset), PRESETS)} (known: {', '.join(PRESETS)})"
            )
        defaults = {**NOTHING, **PRESETS.get(self.preset or "", {})}
        for field in fields(self):
            value = getattr(self, field.name)
            value = defaults[field.name] if value is None and field.name in defaults else value
            object.__setattr__(self, field.name, checked(field.name, value))

    @classmethod
    def of(cls, options: Mapping[str, Any], seed: int = 0) -> Augment:
        """Augmentation as a spec's [augment] table says it.

        Examples
        --------
        >>> Augment.of({"preset": "digits", "rotation": 5}, seed=3).rotation
        (-5.0, 5.0)
        """
        given = {key: value for key, value in options.items() if value is not None}
        return cls(**{"seed": seed, **given})

    @property
    def changes_nothing(self) -> bool:
        """True without any option."""
        return self.keeps_shape and not self.noise

    @property
    def keeps_shape(self) -> bool:
        """True where pixels stay where they are."""
        return all(getattr(self, name) == checked(name, NOTHING[name]) for name in SHAPES)

    def __call__(self, x: Array, rows: Array, epoch: int) -> Array:
        """Changed copies of images; the given array is never changed.

        Parameters
        ----------
        x : ndarray of float32 or float64, shape (n, channels, rows, columns)
        rows : ndarray of int, shape (n,)
            Which sample each is.
        epoch : int
            Epochs done.

        Raises
        ------
        BatchError
            If x does not hold images.
        """
        channels = np.shape(x)[1] if np.ndim(x) == 4 else 1
        fill = 0.0 if self.fill == EDGE else self.fill
        return self.applied(x, rows, epoch, np.full(channels, fill), np.full(channels, self.noise))

    def applied(self, x: Array, rows: Array, epoch: int, fill: Array, noise: Array) -> Array:
        """The same, with what lies outside and the noise's strength for each channel, shape (channels,)."""
        from neurograph.kernels import resample

        _check_images(x)
        if self.changes_nothing or not len(x):
            return x
        drawn = self._drawn(np.asarray(rows), epoch)
        if self.keeps_shape:
            x = x.copy()
        else:
            maps = self.maps(x.shape[2:], drawn)
            displaced = self._displacements(x.shape[2:], drawn) if self.elastic else None
            x = resample.resampled(np.ascontiguousarray(x), maps, displaced, fill.astype(x.dtype), self.fill == EDGE)
        if self.noise:
            resample.add_noise(x, drawn["noise"], noise.astype(x.dtype))
        return x

    def maps(self, shape: tuple[int, int], drawn: Mapping[str, Array]) -> Array:
        """The affine maps of samples, shape (n, 6), from their 64 random bits for each purpose (see `inverse_maps`)."""
        u = {name: (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53 for name, bits in drawn.items()}
        size = _factor(self.rescale, u["rescale"])
        stretch = _factor(self.stretch, u["stretch"])
        mirror = np.where(u["mirror"] < 0.5, -1.0, 1.0) if self.flip_horizontal else 1.0
        upside_down = np.where(u["upside_down"] < 0.5, -1.0, 1.0) if self.flip_vertical else 1.0
        crop = self.crop or 0
        return inverse_maps(
            shape,
            angle=_between(self.rotation, u["rotation"]),
            shear=_between(self.shear, u["shear"]),
            width=size * stretch * mirror,
            height=size / stretch * upside_down,
            columns=_between(self.translation, u["columns"]) + np.floor(u["crop_columns"] * (2 * crop + 1)) - crop,
            rows=_between(self.translation, u["rows"]) + np.floor(u["crop_rows"] * (2 * crop + 1)) - crop,
        )

    def cautions(self, data: str | None, shape: tuple[int, int] | None = None) -> list[str]:
        """What of this does not fit a data set of figures or letters, or images of that size (rows, columns); a line each.

        Examples
        --------
        >>> for line in Augment(preset="lecture").cautions("mnist", (28, 28)):
        ...     print(line)
        augment: flips make other characters of characters (mnist): set flip_horizontal = false and flip_vertical = false.
        augment: rotation up to 360° makes a 9 of a 6 (mnist): stay within 20°.
        augment: translation up to 10 pixels can push most of an image of 28×28 out of the picture: stay within 7.
        """
        lines = []
        if data in CHARACTERS:
            flips = [name for name in ("flip_horizontal", "flip_vertical") if getattr(self, name)]
            if flips:
                away = " and ".join(f"{name} = false" for name in flips)
                lines.append(f"augment: flips make other characters of characters ({data}): set {away}.")
            angle = _largest(self.rotation)
            if angle > 45:
                lines.append(f"augment: rotation up to {angle:g}° makes a 9 of a 6 ({data}): stay within 20°.")
        shift = _largest(self.translation) + (self.crop or 0)
        if shape is not None and shift > min(shape) / 4:
            lines.append(
                f"augment: translation up to {shift:g} pixels can push most of an image of {shape[0]}×{shape[1]} out of the picture: "
                f"stay within {min(shape) // 4}."
            )
        return lines

    def _drawn(self, rows: Array, epoch: int) -> dict[str, Array]:
        """Sixty-four random bits for each purpose and sample; arrays of uint64, shape (n,)."""
        from neurograph.kernels.resample_numpy import drawn, mix

        keys = mix(_epoch_key(self.seed, int(epoch)) ^ mix(rows.astype(np.uint64)))
        return dict(zip(PURPOSES, np.ascontiguousarray(drawn(keys, (len(PURPOSES),)).T), strict=True))

    def _displacements(self, shape: tuple[int, int], drawn: Mapping[str, Array]) -> Array:
        from neurograph.kernels.resample import displacements

        return displacements(drawn["elastic"], shape, _gaussian(self.elastic_sigma or 0.0), self.elastic or 0.0)


# -- numbers -----------------------------------------------------------------------------------------------------------
def _between(ends: Any, u: Array) -> Array:
    least, most = ends
    return np.asarray(least + (most - least) * u)


def _factor(ends: Any, u: Array) -> Array:
    """A factor, drawn so that its logarithm is uniform."""
    least, most = ends
    return np.asarray(least * np.exp(u * np.log(most / least)))


def _largest(ends: Any) -> float:
    return float(max(abs(ends[0]), abs(ends[1])))


def _gaussian(sigma: float) -> Array:
    """A bell of three standard deviations to either side that adds up to 1."""
    radius = max(1, int(3 * sigma + 0.5))
    bell = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps: Array = (bell / bell.sum()).astype(np.float32)
    return taps


@lru_cache(maxsize=16)
def _epoch_key(seed: int, epoch: int) -> np.uint64:
    key: np.uint64 = np.random.SeedSequence([STREAM, seed, epoch]).generate_state(1, np.uint64)[0]
    return key


def _check_images(x: Any) -> None:
    if not isinstance(x, np.ndarray) or x.ndim != 4 or x.dtype not in (np.float32, np.float64):
        found = f"{x.dtype} of shape {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise BatchError(
            f"augment: found {found}; only images can be augmented: float32, shape (n, channels, rows, columns). Reshape them, or train "
            f"without augment."
        )
