"""What may be asked of an augmentation: its options, their limits, and named presets."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from neurograph.errors import UsageError

EDGE = "edge"

PRESETS: dict[str, dict[str, Any]] = {
    # what writers differ in; MNIST's digits are centred, so shifts stay small
    "digits": {"rotation": 10.0, "shear": 8.0, "rescale": 1.1, "stretch": 1.06, "translation": 1.5},
    # what hardly any photograph minds: a mirror, and a margin of four pixels cropped at random (He et al. 2015, section 4.2)
    "photos": {"flip_horizontal": True, "crop": 4},
    # the lectures', after Dieleman et al. 2015: made for galaxies, which have neither top nor bottom nor a side to write from
    "lecture": {
        "rotation": (0.0, 360.0),
        "translation": 10.0,
        "rescale": 1.6,
        "flip_horizontal": True,
        "flip_vertical": True,
        "shear": 20.0,
        "stretch": 1.3,
    },
}

NOTHING: dict[str, Any] = {
    "rotation": 0.0,
    "translation": 0.0,
    "rescale": 1.0,
    "stretch": 1.0,
    "shear": 0.0,
    "flip_horizontal": False,
    "flip_vertical": False,
    "crop": 0,
    "elastic": 0.0,
    "elastic_sigma": 4.0,
    "noise": 0.0,
}
SHAPES = (
    "rotation",
    "translation",
    "rescale",
    "stretch",
    "shear",
    "flip_horizontal",
    "flip_vertical",
    "crop",
    "elastic",
)
"""Options that move pixels."""
FACTORS = ("rescale", "stretch")
LIMITS = {"rotation": 3600.0, "translation": 10_000.0, "rescale": 100.0, "stretch": 100.0, "shear": 80.0}
CHARACTERS = ("digits", "mnist", "kmnist")
"""Data sets of figures and letters."""


def checked(name: str, value: Any) -> Any:
    """An option's value in the one form it is kept in."""
    if name in LIMITS:
        return _range(name, value)
    if name in ("flip_horizontal", "flip_vertical"):
        _demand(isinstance(value, bool | np.bool_), name, value, "true or false")
        return bool(value)
    if name in ("crop", "seed"):
        _demand(_is_whole(value) and value >= 0, name, value, "a whole number of at least 0")
        return int(value)
    if name in ("elastic", "elastic_sigma", "noise"):
        least = 0.0 if name != "elastic_sigma" else 0.1
        _demand(_is_number(value) and least <= value <= 1000, name, value, f"a number from {least:g} to 1000")
        return float(value)
    if name == "fill":
        _demand(value == EDGE or _is_number(value), name, value, 'a number, or "edge"')
        return value if value == EDGE else float(value)
    return value


def _range(name: str, value: Any) -> tuple[float, float]:
    limit, is_factor = LIMITS[name], name in FACTORS
    words = f"one number from {1 if is_factor else 0} to {limit:g}, or two (least, most)"
    if _is_number(value):
        _demand((1 if is_factor else 0) <= value <= limit, name, value, words)
        return (1 / float(value), float(value)) if is_factor else (-float(value), float(value))
    _demand(isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value)), name, value, words)
    least, most = (float(number) for number in value)
    is_inside = 1 / limit <= least and most <= limit if is_factor else -limit <= least and most <= limit
    _demand(least <= most and is_inside, name, list(value), words)
    return least, most


def _demand(is_right: Any, name: str, value: Any, words: str) -> None:
    if not is_right:
        raise UsageError(f"augment: {name} = {value!r}; expected {words}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
