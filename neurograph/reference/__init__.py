"""The textbook engine: plain Python over the neuron graph, readable beside the page it comes from."""

from neurograph.reference.engine import ReferenceEngine

__all__ = ["ReferenceEngine"]
