"""Where every number comes from: the card of a neuron, a weight, a layer, the loss."""

from neurograph.inspector.cards import FromLoss, Influence, NeuronCard, Term, Use, WeightCard
from neurograph.inspector.inspector import Inspector
from neurograph.inspector.layers import LayerCard
from neurograph.inspector.loss import LossCard

__all__ = ["FromLoss", "Influence", "Inspector", "LayerCard", "LossCard", "NeuronCard", "Term", "Use", "WeightCard"]
