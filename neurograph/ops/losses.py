"""What a head is trained for: the declaration of a loss, and which heads it fits. Formulas live in the engines."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from neurograph.errors import LossError, suggest
from neurograph.ops.words import LOSSES, MSE_FORMS


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
    """

    kind: str
    of: Hashable | None = None
    weight: float = 1.0
    form: str = "mean"
    targets: tuple[float, float] = (0.0, 1.0)
    j: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in LOSSES:
            raise LossError(f"unknown loss '{self.kind}'{suggest(self.kind, LOSSES)} (known: {', '.join(LOSSES)})")
        if self.form not in MSE_FORMS:
            raise LossError(
                f"unknown form '{self.form}' of mse{suggest(self.form, MSE_FORMS)} (known: {', '.join(MSE_FORMS)})"
            )

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
