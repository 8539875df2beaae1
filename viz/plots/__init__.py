"""Plots of trainings and trained networks: every one a function that returns a matplotlib figure, and `save` to keep it.

matplotlib is imported when the first one is drawn (extra `plot`); pyplot never is.
"""

from .curves import curves
from .figure import save

__all__ = ["curves", "save"]
