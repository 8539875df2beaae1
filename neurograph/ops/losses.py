"""What a head is trained for: the declaration of a loss, and which heads it fits. Formulas live in the engines."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import isfinite

from neurograph.errors import LossError, suggest
from neurograph.ops.words import BALANCED, LOSSES, MSE_FORMS

SMOOTHED = ("cross_entropy", "binary_cross_entropy")
"""Losses that know label smoothing; for the others `targets` says which values a class has."""


@dataclass(frozen=True)
class Loss:
    """The loss of one head.

    Parameters
    ----------
    kind : str
        ``cross_entropy``, ``binary_cross_entropy``, ``mse`` or ``rbf_map``.
    of : str, optional
        The head's layer name; None where there is only one head.
    weight : float
        Factor of this head in the total loss; it scales the head's δ.
    form : str
        For mse: ``"mean"`` (over the n outputs) or ``"half_sum"`` (½Σ, the textbook's).
    targets : pair of float
        Off and on values of one-hot targets.
    j : float
        For rbf_map: the constant class of LeNet-5 1998, equation 9.
    label_smoothing : float
        ε in [0, 1). For cross_entropy t′ = (1 − ε)·t + ε/K with K classes; for binary_cross_entropy K is 2.
    class_weights : tuple of float or "balanced", optional
        One factor a class for the loss and the δ of its samples. A target t counts as Σ_c w_c·s_c, with s_c = (t_c − off)/(on − off)
        before smoothing: w of its class where t is one-hot. For binary_cross_entropy of one unit: of class 0 and class 1; of
        several units: one factor a unit, for where it is present (PyTorch's ``pos_weight``). ``"balanced"`` stands for numbers
        that are counted from training labels (`neurograph.training.balanced`).

    Raises
    ------
    LossError
        If a word is unknown, or a number is outside its range or fits no loss of this kind.

    Notes
    -----
    ``reduction="mean"`` divides by the number of samples, weighted or not, as Keras does; PyTorch's CrossEntropyLoss divides by
    the sum of their weights, and weighs smoothed targets class by class.

    References
    ----------
    Szegedy et al. 2016, Rethinking the Inception Architecture for Computer Vision, section 7 (label smoothing).

    Examples
    --------
    >>> Loss("cross_entropy", label_smoothing=0.1, class_weights=(1.0, 2.0)).is_resolved
    True
    >>> Loss("mse", label_smoothing=0.1)
    Traceback (most recent call last):
    neurograph.errors.LossError: label_smoothing goes with cross_entropy and binary_cross_entropy; the loss is mse. Say targets = [off, on] instead.
    """

    kind: str
    of: Hashable | None = None
    weight: float = 1.0
    form: str = "mean"
    targets: tuple[float, float] = (0.0, 1.0)
    j: float = 1.0
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | str | None = None

    def __post_init__(self) -> None:
        if self.kind not in LOSSES:
            raise LossError(f"unknown loss '{self.kind}'{suggest(self.kind, LOSSES)} (known: {', '.join(LOSSES)})")
        if self.form not in MSE_FORMS:
            raise LossError(
                f"unknown form '{self.form}' of mse{suggest(self.form, MSE_FORMS)} (known: {', '.join(MSE_FORMS)})"
            )
        self._check_smoothing()
        if isinstance(self.class_weights, list):
            object.__setattr__(self, "class_weights", tuple(self.class_weights))
        if self.class_weights is not None:
            self._check_weights(self.class_weights)

    @property
    def is_resolved(self) -> bool:
        """False while class weights still wait for training labels."""
        return self.class_weights != BALANCED

    @property
    def off_and_spread(self) -> tuple[float, float]:
        """The off value of a one-hot target, and how far the on value is from it."""
        return self.targets[0], self.targets[1] - self.targets[0]

    def unit_weights(self, unit: int, n_units: int) -> tuple[float, float]:
        """Class weights of a unit under binary cross-entropy: where it is absent, and where it is present."""
        weights = self.class_weights
        assert isinstance(weights, tuple)
        return (weights[0], weights[1]) if n_units == 1 else (1.0, weights[unit])

    def check(self, head: str, kind: str, activation: str) -> None:
        """Raise LossError unless a head of this neuron kind and activation can have this loss."""
        allowed = {
            "cross_entropy": ("softmax", "identity"),
            "binary_cross_entropy": ("sigmoid", "identity"),
            "rbf_map": ("identity",),
        }.get(self.kind)
        if allowed is not None and activation not in allowed:
            raise LossError(
                f"loss {self.kind} needs a head with activation {' or '.join(allowed)}; '{head}' has {activation}. "
                f"Change the activation, or use loss mse."
            )
        if self.kind == "rbf_map" and kind != "rbf":
            raise LossError(f"loss rbf_map needs a head of kind rbf; '{head}' is {kind}.")

    def check_classes(self, head: str, n_units: int) -> None:
        """Raise LossError unless loss and class weights fit a head of so many units (channels, for a head of maps)."""
        if n_units == 1 and self.kind == "cross_entropy":
            raise LossError(
                f"kind: '{head}' has 1 unit, and the softmax of one unit is 1 whatever it computes. Use binary_cross_entropy, or "
                f"give it a unit for each class."
            )
        if self.class_weights is None:
            return
        wanted = 2 if n_units == 1 else n_units
        if n_units == 1 and self.kind != "binary_cross_entropy":
            raise LossError(
                f"class_weights: '{head}' has 1 unit, and no classes under {self.kind}. Leave them out, or use loss "
                f"binary_cross_entropy."
            )
        if not isinstance(self.class_weights, str) and len(self.class_weights) != wanted:
            raise LossError(
                f"class_weights: found {len(self.class_weights)} numbers; '{head}' has {wanted} classes. Give one number a class, "
                f'or "{BALANCED}".'
            )

    def check_resolved(self, head: str) -> None:
        """Raise LossError while the class weights wait for training labels."""
        if not self.is_resolved:
            raise LossError(
                f"'{head}': class_weights = \"{BALANCED}\" is counted from training labels, which are not known here. Train "
                f"with `neurograph train` and use the run; or make the network with neurograph.balanced(network, labels); or "
                f"give one number a class."
            )

    def _check_smoothing(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise LossError(f"label_smoothing: found {self.label_smoothing:g}; expected a number from 0 to below 1.")
        if not self.label_smoothing:
            return
        if self.kind not in SMOOTHED:
            raise LossError(
                f"label_smoothing goes with {' and '.join(SMOOTHED)}; the loss is {self.kind}. Say targets = [off, on] instead."
            )
        if self.targets != (0.0, 1.0):
            raise LossError(
                "label_smoothing and targets both say which values a class has; give one of them, not both."
            )

    def _check_weights(self, weights: tuple[float, ...] | str) -> None:
        if isinstance(weights, str):
            if weights != BALANCED:
                raise LossError(f'class_weights: found "{weights}"; expected one number a class, or "{BALANCED}".')
        elif not all(isfinite(w) and w >= 0 for w in weights) or not any(weights):
            written = ", ".join(f"{w:g}" for w in weights)
            raise LossError(
                f"class_weights: found [{written}]; expected finite numbers of at least 0, and not all of them 0."
            )
        if self.targets[0] == self.targets[1]:
            raise LossError(
                f"class_weights: targets = [{self.targets[0]:g}, {self.targets[1]:g}] does not tell classes apart. Give two values."
            )
