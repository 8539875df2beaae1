"""The words of the language that are not layer kinds: neuron kinds, activations, losses, initialisations.

Only names live here. Each engine writes its own formulas: `reference/rules.py` for the textbook, `kernels/` for the compiler.
"""

from __future__ import annotations

NEURON_KINDS = ("input", "weighted", "max", "mean", "l2", "sum", "rbf", "constant")
"""What a node can be. `constant` is a padded position that holds a fixed value."""

POOL_KINDS = ("max", "mean", "l2")
"""Kinds that read a window without weights; fixed pools are not counted as units."""

WEIGHTED_KINDS = ("weighted", "rbf")
"""Kinds whose every in-edge must carry a weight."""

ACTIVATIONS = (
    "identity",
    "relu",
    "leaky_relu",
    "elu",
    "softplus",
    "gelu",
    "silu",
    "sigmoid",
    "tanh",
    "scaled_tanh",
    "softmax",
)
LEAK = 0.01
"""Slope of leaky_relu left of zero, and at zero."""

LOSSES = ("cross_entropy", "binary_cross_entropy", "mse", "rbf_map")
MSE_FORMS = ("mean", "half_sum")
BALANCED = "balanced"
"""Class weights that are counted from training labels."""
INITIALISATIONS = ("he", "glorot", "lecun", "uniform", "zeros", "ones")
