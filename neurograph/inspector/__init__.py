"""Where every number comes from: the card of a neuron, the card of a weight."""

from neurograph.inspector.cards import FromLoss, Influence, NeuronCard, Term, Use, WeightCard
from neurograph.inspector.inspector import Inspector

__all__ = ["FromLoss", "Influence", "Inspector", "NeuronCard", "Term", "Use", "WeightCard"]
