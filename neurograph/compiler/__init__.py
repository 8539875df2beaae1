"""The compiler: from a graph or a topology to a plan (`plan`), from a plan to a program (`bind`)."""

from __future__ import annotations

from neurograph.compiler.fold import discover
from neurograph.compiler.from_graph import from_graph
from neurograph.compiler.plan import Plan
from neurograph.graph.neuron_graph import NeuronGraph

__all__ = ["Plan", "plan"]


def plan(network: NeuronGraph, optimise: bool = True) -> Plan:
    """Find the loop nests in a network.

    Parameters
    ----------
    network : NeuronGraph
        What to plan.
    optimise : bool
        False: stop after the passes that must be right, before those that only make things faster.

    Returns
    -------
    Plan
    """
    return from_graph(network, discover)
