"""Plots of trainings and trained networks: every one a function that returns a matplotlib figure, and `save` to keep it.

matplotlib is imported when the first one is drawn (extra `plot`); pyplot never is.
"""

from .confusion import confusion, matrix
from .curves import curves
from .figure import save
from .filters import filters
from .histograms import histograms
from .maps import maps
from .mistakes import mistakes
from .ratios import Ratios
from .receptive import receptive
from .updates import updates

__all__ = [
    "Ratios",
    "confusion",
    "curves",
    "filters",
    "histograms",
    "maps",
    "matrix",
    "mistakes",
    "receptive",
    "save",
    "updates",
]
