"""What every optimiser shares: one step over all parameters, penalties, clipping, and what is remembered between steps.

A step takes the gradient g of each parameter, adds that of the penalties (weights only), clips, lets weights decay by
w ← (1 − η·d)·w, and hands both to the optimiser's own rule. Hyperparameters are fixed at birth; `scale` is the one number a schedule
may turn. State is kept per parameter name, in the dtype of the values it belongs to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import RunError, UsageError
from neurograph.training.optimizers.checked import at_least_0, positive, whole
from neurograph.training.optimizers.clipping import limited, shortening
from neurograph.training.optimizers.penalties import Penalty

Array = NDArray[Any]


class Common(TypedDict, total=False):
    """What every optimiser may be given besides its own numbers, all by name.

    ``l1, l2`` : λ ≥ 0 of the lectures' penalties (λ/m)Σ|w| and (λ/m)Σw² (see `penalties`).
    ``n_samples`` : their m; `fit` knows it by itself.
    ``weight_decay`` : d ≥ 0 of w ← (1 − η·d)·w before the step, apart from the gradient (Loshchilov and Hutter).
    ``clip_norm`` : the most that all gradients together may be long.
    ``clip_value`` : the most that any number of a gradient may be.
    """

    l1: float
    l2: float
    n_samples: int | None
    weight_decay: float
    clip_norm: float | None
    clip_value: float | None


@dataclass(frozen=True)
class Rule:
    """A step in the form that compiled kernels take it (`neurograph.kernels.update`).

    Attributes
    ----------
    kernel : str
        ``"plain"``, ``"momentum"``, ``"classical"``, ``"nesterov"``, ``"classical nesterov"``, ``"adagrad"``, ``"rmsprop"``,
        ``"rmsprop momentum"`` or ``"adam"``.
    numbers : tuple of float
        What that kernel is given.
    remembers : tuple of str
        Kinds of arrays it works on.
    l1, l2, clip, keep : float or None
        Before it, where not None: λ₁/m, 2λ₂/m, the most that a number of the gradient may be, and 1 − η·d. All but `clip` leave
        biases alone.
    """

    kernel: str
    numbers: tuple[float, ...]
    remembers: tuple[str, ...] = ()
    l1: float | None = None
    l2: float | None = None
    clip: float | None = None
    keep: float | None = None


class Optimizer(ABC):
    """Changes values in place by one update.

    Attributes
    ----------
    learning_rate : float
        As given.
    scale : float
        Factor that a schedule lays over it.

    References
    ----------
    I. Loshchilov, F. Hutter: Decoupled weight decay regularization. ICLR 2019.
    """

    is_steady: ClassVar[bool] = False
    """Whether `rule` answers the same until a schedule turns `scale`."""

    def __init__(
        self,
        learning_rate: float = 0.1,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        n_samples: int | None = None,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        self.learning_rate = positive("learning_rate", learning_rate)
        self.l1, self.l2 = at_least_0("l1", l1), at_least_0("l2", l2)
        self.n_samples = None if n_samples is None else whole("n_samples", n_samples)
        self.weight_decay = at_least_0("weight_decay", weight_decay)
        self.clip_norm = None if clip_norm is None else positive("clip_norm", clip_norm)
        self.clip_value = None if clip_value is None else positive("clip_value", clip_value)
        if self.clip_norm is not None and self.clip_value is not None:
            raise UsageError(
                "clip_norm and clip_value: found both; a gradient is clipped by one of them. Leave one out."
            )
        self.scale = 1.0
        self._told_samples: int | None = None
        self._biases: frozenset[str] = frozenset()
        self._state: dict[str, dict[str, Array]] = {}

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.learning_rate * self.scale

    @property
    def each_weight_alone(self) -> bool:
        """Whether a weight's step needs nothing but its own gradient and what is remembered of it."""
        return self.clip_norm is None

    # -- what others tell -----------------------------------------------------------------------------------------------
    def spare(self, biases: frozenset[str]) -> None:
        """Leave parameters of these names out of penalties and decay, from now on; engines name their biases."""
        self._biases = biases

    @property
    def biases(self) -> frozenset[str]:
        """Parameters that were named by `spare`."""
        return self._biases

    def train_on(self, n_samples: int) -> None:
        """Say how many training samples there are, unless `n_samples` was given; `fit` does."""
        self._told_samples = n_samples

    @property
    def penalty(self) -> Penalty:
        """L1 and L2 with their m.

        Raises
        ------
        UsageError
            If there is one, and nobody said how many training samples there are.
        """
        m = self.n_samples if self.n_samples is not None else self._told_samples
        if m is None and (self.l1 or self.l2):
            raise UsageError(
                f"{self!r}: (λ/m)Σ|w| and (λ/m)Σw² need m, the number of training samples. Give n_samples=…, or train with fit, "
                "which counts them."
            )
        return Penalty(self.l1, self.l2, m or 1)

    def penalty_loss(self, values: Mapping[str, Array]) -> float:
        """What the penalties add to the loss at these values, biases left out."""
        return self.penalty.loss({name: value for name, value in values.items() if name not in self._biases})

    # -- the step -----------------------------------------------------------------------------------------------------------
    def step(self, values: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Update every array of `values` in place with its gradient; all computing is in the array's dtype."""
        with np.errstate(all="ignore"):  # what leaves the finite range is told by whoever trains
            ready = self.prepared(values, gradients)
            for name, value in values.items():
                state = self._state.setdefault(name, {})
                if self.weight_decay and name not in self._biases:
                    np.multiply(value, self._keep, out=value)
                self._update(value, ready[name], state)

    def prepared(self, values: Mapping[str, Array], gradients: Mapping[str, Array]) -> dict[str, Array]:
        """The gradients with those of the penalties, clipped: what the rule is given."""
        penalty = self.penalty
        ready = {name: gradients[name] for name in values}
        if penalty:
            for name in values.keys() - self._biases:
                ready[name] = penalty.added(values[name], ready[name])
        if self.clip_norm is not None:
            factor = shortening(ready.values(), self.clip_norm)
            return {name: gradient * factor for name, gradient in ready.items()} if factor != 1 else ready
        if self.clip_value is not None:
            return {name: limited(gradient, self.clip_value) for name, gradient in ready.items()}
        return ready

    @abstractmethod
    def _update(self, value: Array, gradient: Array, state: dict[str, Array]) -> None:
        """Update one array."""

    @property
    def _keep(self) -> float:
        """What decay leaves of a weight in one step."""
        return 1 - self.rate * self.weight_decay

    # -- the step, compiled -------------------------------------------------------------------------------------------------
    def rule(self, names: Iterable[str]) -> Rule | None:
        """The next step as a compiled kernel may take it, counted as taken; None where only `step` knows it.

        Whoever asks takes the step on all of `names`, in arrays that `hold` has shared.
        """
        return None

    def _rule(self, kernel: str, numbers: tuple[float, ...], remembers: tuple[str, ...] = ()) -> Rule | None:
        """A rule with what comes before it; None where that needs the whole gradient first."""
        if self.clip_norm is not None:
            return None
        penalty = self.penalty
        return Rule(
            kernel,
            numbers,
            remembers,
            l1=penalty.of_sign or None,
            l2=penalty.of_weight or None,
            clip=self.clip_value,
            keep=self._keep if self.weight_decay else None,
        )

    def hold(self, kind: str, arrays: Mapping[str, Array]) -> None:
        """Keep one kind of remembered arrays in these from now on (a program's own), with what they hold now."""
        for name, array in arrays.items():
            state = self._state.setdefault(name, {})
            if state.get(kind) is not array:
                array[...] = state.get(kind, 0)
                state[kind] = array

    # -- what is kept ---------------------------------------------------------------------------------------------------------
    @property
    def options(self) -> dict[str, Any]:
        """Hyperparameters by name, as a run folder keeps them."""
        common = ("l1", "l2", "n_samples", "weight_decay", "clip_norm", "clip_value")
        return {
            "learning_rate": self.learning_rate,
            **self._own_options(),
            **{key: getattr(self, key) for key in common},
        }

    def _own_options(self) -> dict[str, Any]:
        """Hyperparameters that this kind has besides those of all."""
        return {}

    def state(self) -> dict[str, Array]:
        """Everything remembered between steps, as copies: ``"velocity/conv1.weight"`` and so on."""
        return {f"{key}/{name}": array.copy() for name, own in self._state.items() for key, array in own.items()}

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Continue where another optimiser of the same kind stood.

        Raises
        ------
        RunError
            If the state is not one of this kind of optimiser.
        """
        loaded: dict[str, dict[str, Array]] = {}
        for key, array in state.items():
            kind, _, name = key.partition("/")
            if kind not in self._remembers():
                known = ", ".join(self._remembers()) or "nothing"
                raise RunError(f"optimizer state '{key}' is not of {type(self).__name__}, which remembers {known}.")
            loaded.setdefault(name, {})[kind] = np.array(array)
        self._state = loaded

    def _remembers(self) -> tuple[str, ...]:
        """The kinds of arrays kept per parameter."""
        return ()

    def __repr__(self) -> str:
        usual = type(self)().options
        told = {key: value for key, value in self.options.items() if key == "learning_rate" or value != usual[key]}
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in told.items())})"


def kept(state: dict[str, Array], key: str, like: Array) -> Array:
    """The remembered array, zeros at first."""
    if key not in state:
        state[key] = np.zeros_like(like)
    return state[key]
