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

PADDED = "#e4e6ea"
"""Ground of padded positions, and of whatever is there but not read."""
FADED = "#7d8696"
"""Ink of what steps back: a δ that is 0."""
NOT_A_NUMBER = "#b8b8b8"
UNKNOWN = "#eef1f5"

TIES = ("#009988", "#cc3377", "#997700", "#5b2a9d", "#33bbee", "#117733", "#e69f00", "#7b4b2a", "#ff77aa")
"""Teal, magenta, olive, violet, sky, green, amber, brown, pink: none is the blue or red of the signed scale."""

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
    """Dark or white ink, whichever stands out more on this ground.

    Examples
    --------
    >>> ink_on("#ffffff"), ink_on("#2166ac")
    ('#1f2430', '#ffffff')
    """
    if ground is None:
        return INK
    return max((INK, PAPER), key=lambda ink: contrast(ink, ground))


def delta_on(ground: str) -> str:
    """Ink of δ on this ground: its own brown where that can be read, else the ink of everything else.

    Examples
    --------
    >>> delta_on("#ffffff"), delta_on("#d86038")
    ('#7a3b00', '#1f2430')
    """
    return DELTA if contrast(DELTA, ground) >= 3.2 else ink_on(ground)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours as accessibility guidelines measure it: 1 for equal ones, 21 for black on white.

    Examples
    --------
    >>> contrast("#000000", "#ffffff"), contrast("#d2522a", "#d2522a")
    (21.0, 1.0)
    """
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [part / 255 for part in _rgb(colour)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def tie_colour(number: int) -> str:
    """Colour of the n-th shared weight: nine that are easy to name, then hues a golden angle apart."""
    if number < len(TIES):
        return TIES[number]
    hue = (number * 0.61803398875) % 1
    parts = hls_to_rgb(hue, 0.36 + 0.12 * (number % 3), 0.62)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
