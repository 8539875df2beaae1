"""Which networks a page can hold: it computes every neuron again at every touch."""

from __future__ import annotations

from math import prod

from neurograph.errors import DrawingError
from neurograph.graph.layout import Layout, is_graph
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology

MOST_EDGES = 2_000_000
MOST_WEIGHTS = 1_500_000
EXACT_WEIGHTS = 130_000
"""Up to here weights are kept in float64, where that is needed; above in float32, so that the page stays small."""


def check_size(name: str, network: Topology | NeuronGraph, layout: Layout) -> None:
    """Refuse what is too large to be computed in a page.

    Raises
    ------
    DrawingError
        With the counts, the limits, and what to do instead.
    """
    n_edges = network.number_of_edges() if is_graph(network) else network.n_edges
    n_weights = sum(prod(spec.shape) for spec in network.parameters.values())
    if n_edges <= MOST_EDGES and n_weights <= MOST_WEIGHTS:
        return
    last = next((str(head.name) for head in layout.heads if head.name is not None), "NEURON")
    index = ",".join("0" for _ in layout.heads[0].shape) if layout.heads else ""
    neuron = f"{last}[{index}]" if index else last
    raise DrawingError(
        f"{name}: too large for a page: {n_edges:,} edges and {n_weights:,} weights. The page computes every neuron itself, "
        f"forward and backward, at every touch; it holds at most {MOST_EDGES:,} edges and {MOST_WEIGHTS:,} weights. Look at one "
        f'neuron instead: neurograph explain {name} "{neuron}", or neurograph draw {name} --around "{neuron}" -o neuron.svg.'
    )
