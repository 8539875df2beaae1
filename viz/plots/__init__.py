"""Plots of trainings and trained networks: every one a function that returns a matplotlib figure, and `save` to keep it.

matplotlib is imported when the first one is drawn (extra `plot`); pyplot never is.
"""

from .confusion import confusion, matrix
from .curves import curves
from .figure import FORMS, check_matplotlib, form_of, save
from .filters import filters
from .histograms import histograms
from .kernels import weighted
from .maps import maps
from .mistakes import mistakes
from .ratios import Ratios
from .receptive import receptive
from .strata import strata
from .updates import updates

__all__ = [
    "FORMS",
    "Ratios",
    "check_matplotlib",
    "confusion",
    "curves",
    "filters",
    "form_of",
    "histograms",
    "maps",
    "matrix",
    "mistakes",
    "receptive",
    "save",
    "strata",
    "updates",
    "weighted",
]
