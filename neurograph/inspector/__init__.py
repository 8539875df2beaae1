"""Where every number comes from: the card of a neuron, a weight, a layer, the loss; a pass as a story; what if, and untied."""

from neurograph.inspector.cards import FromLoss, Influence, NeuronCard, Term, Use, WeightCard
from neurograph.inspector.change import Change
from neurograph.inspector.drift import Drift
from neurograph.inspector.frames import Frame, Story
from neurograph.inspector.inspector import Inspector
from neurograph.inspector.layers import LayerCard
from neurograph.inspector.loss import LossCard

__all__ = [
    "Change",
    "Drift",
    "Frame",
    "FromLoss",
    "Influence",
    "Inspector",
    "LayerCard",
    "LossCard",
    "NeuronCard",
    "Story",
    "Term",
    "Use",
    "WeightCard",
]
