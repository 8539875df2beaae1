"""Pictures of networks: layers, maps, neurons, filters, matrices; drawn by Graphviz, or without it."""

from . import plots as plots
from .explorer import Page, Sample, explore, fits, inspected, paper_for
from .picture import FORMS, Drawn, check, draw, needs_numbers
from .views import VIEWS, Wish

__all__ = [
    "FORMS",
    "VIEWS",
    "Drawn",
    "Page",
    "Sample",
    "Wish",
    "check",
    "draw",
    "explore",
    "fits",
    "inspected",
    "needs_numbers",
    "paper_for",
    "plots",
]
