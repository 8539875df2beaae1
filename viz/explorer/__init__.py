"""The explorer: a network as one page that computes, to be clicked, edited and stepped through; without network access."""

from .drawing import paper_for
from .page import Page, explore, inspected
from .sample import Sample
from .size import check_size as fits

__all__ = ["Page", "Sample", "explore", "fits", "inspected", "paper_for"]
