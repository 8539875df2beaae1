"""Colours that colour-blind people tell apart and projectors keep: one scale for signed values, one list for shared weights."""

from __future__ import annotations

from colorsys import hls_to_rgb
from math import isfinite

INK = "#1f2430"
GREY = "#6b7280"
FAINT = "#d5d9e0"
PAPER = "#ffffff"
DELTA = "#7a3b00"
"""Ink of δ, on light ground."""

NEGATIVE, POSITIVE = "#2a6fb5", "#d2522a"
_SCALE = (NEGATIVE, "#7fb0dc", "#d3e5f4", "#ffffff", "#fde3d2", "#f5ab86", POSITIVE)
"""Blue, white, orange-red: the ends differ in hue for every kind of colour vision, and white is 0."""

NOT_A_NUMBER = "#b8b8b8"
UNKNOWN = "#eef1f5"

TIES = ("#0077bb", "#ee7733", "#009988", "#cc3311", "#ee3377", "#997700", "#332288", "#33bbee", "#117733")
"""After Paul Tol's vibrant and muted sets."""

KINDS = {
    "input": "#e8eaed",
    "conv": "#dbe9f9",
    "depthwise": "#dbe9f9",
    "maxpool": "#dcf1e4",
    "avgpool": "#dcf1e4",
    "l2pool": "#dcf1e4",
    "globalpool": "#dcf1e4",
    "subsample": "#dcf1e4",
    "dense": "#fdeccf",
    "rbf": "#fbdcd3",
    "add": "#eadff5",
    "activation": "#f1f1e6",
}
"""Layer kind → ground of its box."""


def signed(value: float, largest: float) -> str:
    """Colour of a value on the scale from −largest over 0 to +largest.

    Examples
    --------
    >>> signed(0, 5), signed(5, 5), signed(-9, 5), signed(float("nan"), 5)
    ('#ffffff', '#d2522a', '#2a6fb5', '#b8b8b8')
    """
    if not isfinite(value):
        return NOT_A_NUMBER
    share = max(-1.0, min(1.0, value / largest)) if largest > 0 else 0.0
    place = (share + 1) / 2 * (len(_SCALE) - 1)
    low = min(int(place), len(_SCALE) - 2)
    return mix(_SCALE[low], _SCALE[low + 1], place - low)


def mix(one: str, other: str, share: float) -> str:
    """The colour `share` of the way from one to the other.

    Examples
    --------
    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    parts = [round(a + (b - a) * share) for a, b in zip(_rgb(one), _rgb(other), strict=True)]
    return "#" + "".join(f"{part:02x}" for part in parts)


def ink_on(ground: str | None) -> str:
    """Dark or white ink, whichever can be read on this ground.

    Examples
    --------
    >>> ink_on("#ffffff"), ink_on("#2166ac")
    ('#1f2430', '#ffffff')
    """
    if ground is None:
        return INK
    red, green, blue = _rgb(ground)
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else PAPER


def tie_colour(number: int) -> str:
    """Colour of the n-th shared weight: nine that are easy to name, then hues a golden angle apart."""
    if number < len(TIES):
        return TIES[number]
    hue = (number * 0.61803398875) % 1
    parts = hls_to_rgb(hue, 0.36 + 0.12 * (number % 3), 0.62)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
