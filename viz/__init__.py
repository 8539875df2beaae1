"""Pictures of networks: layers, neurons, and the surroundings of one neuron; drawn by Graphviz, or without it."""

from . import plots as plots
from .picture import FORMS, VIEWS, Drawn, check, draw, needs_numbers

__all__ = ["FORMS", "VIEWS", "Drawn", "check", "draw", "needs_numbers", "plots"]
