"""The compiler: from a graph or a topology to a plan (`plan`), from a plan to a program (`bind`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurograph.compiler.bind import bind, compile
from neurograph.compiler.fold import discover
from neurograph.compiler.from_graph import from_graph
from neurograph.compiler.from_topology import from_topology
from neurograph.compiler.pad import pad
from neurograph.compiler.plan import Plan
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology

if TYPE_CHECKING:
    from neurograph.compiler.program import Program

__all__ = ["Plan", "Program", "bind", "compile", "plan"]


def plan(network: NeuronGraph | Topology, optimise: bool = True) -> Plan:
    """Find the loop nests in a network.

    Parameters
    ----------
    network : NeuronGraph or Topology
        A graph is read edge by edge; a topology is planned in closed form, whatever its size.
    optimise : bool
        False: stop after the passes that must be right, before those that only make things faster.

    Returns
    -------
    Plan

    Raises
    ------
    GraphError
        If the graph cannot be computed.

    Examples
    --------
    >>> import neurograph as ng
    >>> topology = ng.lay_out(ng.load("lenet5"))
    >>> plan(topology, optimise=False) == plan(ng.build(topology), optimise=False)
    True
    """
    exact = from_topology(network) if isinstance(network, Topology) else from_graph(network, discover)
    return pad(exact) if optimise else exact


def __getattr__(name: str) -> object:
    """`Program` on first use: it brings Numba, which planning does not need."""
    if name == "Program":
        from neurograph.compiler.program import Program

        return Program
    raise AttributeError(f"module 'neurograph.compiler' has no attribute '{name}'")
