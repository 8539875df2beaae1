"""Hyperparameters are checked at birth: a wrong one is refused with what would be right."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurograph.errors import UsageError


def positive(name: str, value: Any) -> float:
    """A finite number above 0."""
    if not _is_number(value) or not 0 < value < float("inf"):
        raise UsageError(f"{name}: found {value!r}; expected a finite number above 0.")
    return float(value)


def at_least_0(name: str, value: Any) -> float:
    """A finite number of at least 0."""
    if not _is_number(value) or not 0 <= value < float("inf"):
        raise UsageError(f"{name}: found {value!r}; expected a finite number of at least 0.")
    return float(value)


def fraction(name: str, value: Any) -> float:
    """A number of at least 0 and below 1."""
    if not _is_number(value) or not 0 <= value < 1:
        raise UsageError(f"{name}: found {value!r}; expected a number of at least 0 and below 1.")
    return float(value)


def whole(name: str, value: Any, least: int = 1) -> int:
    """A whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UsageError(f"{name}: found {value!r}; expected a whole number of at least {least}.")
    return int(value)


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float | np.number)
