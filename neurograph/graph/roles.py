"""Which parameters of a network are biases, and who is told: penalties on weights leave biases alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurograph.graph.topology import Topology

if TYPE_CHECKING:
    from neurograph.graph.neuron_graph import NeuronGraph


def biases_of(network: Topology | NeuronGraph) -> frozenset[str]:
    """Names of the parameters that were declared as biases.

    Examples
    --------
    >>> from neurograph.graph.lay_out import lay_out
    >>> from neurograph.spec import load
    >>> sorted(biases_of(lay_out(load("mlp"))))
    ['hidden.bias', 'out.bias']
    """
    return frozenset(name for name, spec in network.parameters.items() if spec.role == "bias")


def spare_biases(optimizer: Any, biases: frozenset[str]) -> None:
    """Tell an optimiser which parameters are biases, if it asks (has a method `spare`)."""
    spare = getattr(optimizer, "spare", None)
    if spare is not None:
        spare(biases)
