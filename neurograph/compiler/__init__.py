"""The compiler: from a graph or a topology to a plan (`plan`), from a plan to a program (`bind`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurograph.compiler.bind import bind, compile
from neurograph.compiler.fold import discover
from neurograph.compiler.from_graph import from_graph
from neurograph.compiler.from_topology import from_topology
from neurograph.compiler.fuse import fuse
from neurograph.compiler.pad import pad
from neurograph.compiler.plan import Plan
from neurograph.compiler.route import route
from neurograph.errors import UsageError, check_type, suggest
from neurograph.graph.topology import Topology

if TYPE_CHECKING:
    from neurograph.compiler.program import Program
    from neurograph.graph.neuron_graph import NeuronGraph

__all__ = ["PASSES", "Plan", "Program", "bind", "compile", "plan"]


PASSES = ("fold", "pad", "fuse", "route")
"""Where `plan` may stop: after `fold` a plan is right, each later pass only makes it faster."""


def plan(network: NeuronGraph | Topology, until: str = "route") -> Plan:
    """Find the loop nests in a network, and what can be done in one go.

    Parameters
    ----------
    network : NeuronGraph or Topology
        A graph is read edge by edge; a topology is planned in closed form, whatever its size.
    until : str
        The last pass, one of `PASSES`.

    Returns
    -------
    Plan

    Raises
    ------
    GraphError
        If the graph cannot be computed.
    UsageError
        If there is no such pass.

    Examples
    --------
    >>> import neurograph as ng
    >>> topology = ng.lay_out(ng.load("lenet5"))
    >>> plan(topology, until="fold") == plan(ng.build(topology), until="fold")
    True
    """
    if until not in PASSES:
        raise UsageError(f"plan: no pass '{until}'{suggest(until, PASSES)} (known: {', '.join(PASSES)})")
    made = from_topology(network) if isinstance(network, Topology) else _from_graph(network)
    for optimise in (pad, fuse, route)[: PASSES.index(until)]:
        made = optimise(made)
    return made


def _from_graph(graph: NeuronGraph) -> Plan:
    from neurograph.graph.neuron_graph import NeuronGraph  # late: a topology needs no NetworkX

    check_type("plan", graph, Topology, NeuronGraph)
    return from_graph(graph, discover)


def __getattr__(name: str) -> object:
    """`Program` on first use: it brings Numba, which planning does not need."""
    if name == "Program":
        from neurograph.compiler.program import Program

        return Program
    raise AttributeError(f"module 'neurograph.compiler' has no attribute '{name}'")
