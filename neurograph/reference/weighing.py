"""Targets and samples as a loss counts them: label smoothing, and the factor of a sample's class."""

from __future__ import annotations

from collections.abc import Sequence

from neurograph.graph.losses import Loss

Numbers = Sequence[float]


def smoothed(t: Numbers, epsilon: float, n_classes: int) -> list[float]:
    """t′ = (1 − ε)·t + ε/K for K classes: Szegedy et al. 2016, section 7.

    Examples
    --------
    >>> smoothed([1.0, 0.0, 0.0, 0.0], 0.5, 4)
    [0.625, 0.125, 0.125, 0.125]
    """
    return [(1 - epsilon) * t_i + epsilon / n_classes for t_i in t] if epsilon else list(t)


def class_factor(loss: Loss, classes: Sequence[int], t: Numbers) -> float:
    """Σ_c w_c·s_c with s_c = (t_c − off)/(on − off): the weight of the class, where the target t is one-hot.

    Examples
    --------
    >>> loss = Loss("mse", targets=(-1, 1), class_weights=(1.0, 5.0, 1.0))
    >>> class_factor(loss, [0, 1, 2], [-1.0, 1.0, -1.0])
    5.0
    """
    if loss.class_weights is None:
        return 1.0
    off, spread = loss.off_and_spread
    return sum(float(loss.class_weights[c]) * (t_c - off) / spread for c, t_c in zip(classes, t, strict=True))


def unit_factor(loss: Loss, unit: int, n_units: int, t: float) -> float:
    """Of a unit under binary cross-entropy, the same with two classes: w_absent·(1 − s) + w_present·s.

    Examples
    --------
    >>> one, several = (Loss("binary_cross_entropy", class_weights=w) for w in [(0.5, 3.0), (2.0, 3.0, 4.0)])
    >>> unit_factor(one, 0, 1, 0.0), unit_factor(one, 0, 1, 1.0), unit_factor(several, 2, 3, 0.0), unit_factor(several, 2, 3, 1.0)
    (0.5, 3.0, 1.0, 4.0)
    """
    if loss.class_weights is None:
        return 1.0
    off, spread = loss.off_and_spread
    present = (t - off) / spread
    absent, here = loss.unit_weights(unit, n_units)
    return absent * (1 - present) + here * present
