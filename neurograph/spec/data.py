"""How a spec says in [data] which samples a network learns from, and in [augment] how training images are changed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from neurograph.ops.base import Count, Number, Options, Whole

Fraction = Annotated[float, Field(strict=True, gt=0, lt=1)]
Positive = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]


class DataSpec(Options):
    """Which data set, how its images are made to fit, and which samples are held out."""

    set: str | None = Field(
        None,
        description="digits, mnist, fashion-mnist, kmnist, cifar-10, an .npz file, or a folder of IDX or CIFAR-10 files.",
    )
    pad: Whole = Field(0, description="Pixels of background added on every side.")
    resize: Count | Annotated[list[Count], Field(min_length=2, max_length=2)] | None = Field(
        None, description="New rows and columns, one number or two."
    )
    low: Number = Field(0.0, description="What a pixel of 0 becomes.")
    high: Number = Field(1.0, description="What a pixel of 1 becomes.")
    validation: Fraction | Count | None = Field(
        None, description="Training samples held out to watch: a fraction such as 0.1, or how many."
    )
    normalise: Literal["standard", "pixel", "centre"] | None = Field(
        None,
        description="Subtract the mean and divide by the standard deviation of the training samples: of each channel or feature "
        "(standard) or of each position (pixel); or subtract the mean of each position (centre).",
    )


class AugmentSpec(Options):
    """Random changes of training images, anew in every epoch; a range r is -r…r (factors: 1/r…r), or [least, most]."""

    preset: Literal["digits", "photos", "lecture"] | None = Field(None, description="Ranges for what is not given.")
    rotation: Positive | Pair | None = Field(None, description="Degrees, counter-clockwise.")
    translation: Positive | Pair | None = Field(None, description="Pixels, along rows and columns.")
    rescale: Positive | Pair | None = Field(None, description="Factor of the size.")
    stretch: Positive | Pair | None = Field(None, description="Factor of the width, by which the height is divided.")
    shear: Positive | Pair | None = Field(None, description="Degrees by which upright lines lean.")
    flip_horizontal: bool | None = Field(None, description="Mirror every second image, left to right.")
    flip_vertical: bool | None = Field(None, description="Mirror every second image, top to bottom.")
    crop: Whole | None = Field(None, description="Pad by so many pixels and crop anywhere.")
    elastic: Positive | None = Field(None, description="Simard's α: neighbouring pixels are displaced alike.")
    elastic_sigma: Positive | None = Field(None, description="Pixels over which displacements are alike.")
    noise: Positive | None = Field(None, description="Standard deviation of noise; black to white is 1.")
    fill: Number | Literal["edge"] = Field(0.0, description="What lies outside an image; edge: its border goes on.")
    seed: Whole | None = Field(None, description="Default: that of [train].")
