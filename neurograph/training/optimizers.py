"""Optimisers: how gradients change the weights. Formulas as PyTorch has them, or as the lectures write them.

Hyperparameters are fixed at birth; `scale` is the one number a schedule may turn. State is kept per parameter name, in the
dtype of the values it belongs to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import RunError, UsageError, suggest

Array = NDArray[Any]

FORMS = ("pytorch", "classical")


@dataclass(frozen=True)
class Rule:
    """A step in the form that compiled kernels take it (`neurograph.kernels.update`).

    Attributes
    ----------
    kernel : str
        ``"sgd"``, ``"momentum"`` or ``"adam"``.
    numbers : tuple of float
        What that kernel is given.
    remembers : tuple of str
        Kinds of arrays it works on.
    """

    kernel: str
    numbers: tuple[float, ...]
    remembers: tuple[str, ...] = ()


class Optimizer(ABC):
    """Changes values in place by one update.

    Attributes
    ----------
    learning_rate : float
        As given.
    scale : float
        Factor that a schedule lays over it.
    """

    learning_rate: float
    is_steady = False
    """Whether `rule` answers the same until a schedule turns `scale`."""
    each_weight_alone = False
    """Whether a weight's step needs nothing but its own gradient and what is remembered of it."""

    def __init__(self, learning_rate: float = 0.1) -> None:
        self.learning_rate = _positive("learning_rate", learning_rate)
        self.scale = 1.0
        self._state: dict[str, dict[str, Array]] = {}

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.learning_rate * self.scale

    def step(self, values: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Update every array of `values` in place with its gradient; all computing is in the array's dtype."""
        for name, value in values.items():
            state = self._state.setdefault(name, {})
            self._update(value, gradients[name], state)

    @abstractmethod
    def _update(self, value: Array, gradient: Array, state: dict[str, Array]) -> None:
        """Update one array."""

    def rule(self, names: Iterable[str]) -> Rule | None:
        """The next step as a compiled kernel may take it, counted as taken; None where only `step` knows it.

        Whoever asks takes the step on all of `names`, in arrays that `hold` has shared.
        """
        return None

    def hold(self, kind: str, arrays: Mapping[str, Array]) -> None:
        """Keep one kind of remembered arrays in these from now on (a program's own), with what they hold now."""
        for name, array in arrays.items():
            state = self._state.setdefault(name, {})
            if state.get(kind) is not array:
                array[...] = state.get(kind, 0)
                state[kind] = array

    @property
    def options(self) -> dict[str, Any]:
        """Hyperparameters by name, as a run folder keeps them."""
        return {"learning_rate": self.learning_rate}

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


class SGD(Optimizer):
    """Gradient descent, with momentum if asked.

    Parameters
    ----------
    learning_rate : float
        η > 0.
    momentum : float
        μ in [0, 1).
    form : str
        ``"pytorch"``: v ← μv + g, w ← w − ηv. ``"classical"``: v ← μv − ηg, w ← w + v (Polyak; the lectures' form).
        Both agree as long as η stays the same.

    Examples
    --------
    >>> w, optimizer = np.array([1.0]), SGD(0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.step({"w": w}, {"w": np.array([1.0])})
    >>> w  # 1 − 0.5·1 − 0.5·1.5
    array([-0.25])
    """

    def __init__(self, learning_rate: float = 0.1, momentum: float = 0.0, form: str = "pytorch") -> None:
        super().__init__(learning_rate)
        self.momentum = _fraction("momentum", momentum)
        if form not in FORMS:
            raise UsageError(f"SGD: unknown form '{form}'{suggest(form, FORMS)} (known: {', '.join(FORMS)})")
        self.form = form

    def _update(self, value: Array, gradient: Array, state: dict[str, Array]) -> None:
        if self.momentum == 0:
            value -= self.rate * gradient
            return
        velocity = _kept(state, "velocity", value)
        velocity *= self.momentum
        if self.form == "classical":
            velocity -= self.rate * gradient
            value += velocity
        else:
            velocity += gradient
            value -= self.rate * velocity

    is_steady = True
    each_weight_alone = True

    def rule(self, names: Iterable[str]) -> Rule | None:
        if self.momentum == 0:
            return Rule("sgd", (self.rate,))
        return Rule("momentum", (self.rate, self.momentum, float(self.form == "classical")), ("velocity",))

    @property
    def options(self) -> dict[str, Any]:
        return {"learning_rate": self.learning_rate, "momentum": self.momentum, "form": self.form}

    def _remembers(self) -> tuple[str, ...]:
        return ("velocity",)


class Adam(Optimizer):
    """Adam: steps scaled by running means of the gradient and of its square, both corrected for their start at 0.

    Parameters
    ----------
    learning_rate : float
        η > 0.
    beta1, beta2 : float
        How much of the means is kept, in [0, 1).
    epsilon : float
        Added to the root in the denominator, > 0.

    References
    ----------
    D. P. Kingma, J. Ba: Adam, a method for stochastic optimization. ICLR 2015, algorithm 1 (ε outside the root, as in PyTorch).
    """

    def __init__(
        self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        super().__init__(learning_rate)
        self.beta1 = _fraction("beta1", beta1)
        self.beta2 = _fraction("beta2", beta2)
        self.epsilon = _positive("epsilon", epsilon)

    def _update(self, value: Array, gradient: Array, state: dict[str, Array]) -> None:
        m = _kept(state, "mean", value)
        v = _kept(state, "square", value)
        steps = _kept(state, "steps", np.zeros((), np.int64))
        steps += 1
        m *= self.beta1
        m += (1 - self.beta1) * gradient
        v *= self.beta2
        v += (1 - self.beta2) * np.square(gradient)
        t = int(steps)
        denominator = np.sqrt(v) / float(np.sqrt(1 - self.beta2**t)) + self.epsilon
        value -= (self.rate / (1 - self.beta1**t)) * m / denominator

    each_weight_alone = True

    def rule(self, names: Iterable[str]) -> Rule | None:
        counters = [_kept(self._state.setdefault(name, {}), "steps", np.zeros((), np.int64)) for name in names]
        taken = {int(counter) for counter in counters}
        if len(taken) > 1:  # weights that joined later are at another step
            return None
        for counter in counters:
            counter[...] = counter + 1
        t = taken.pop() + 1 if taken else 1
        below = float(np.sqrt(1 - self.beta2**t))
        means = self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2
        return Rule("adam", (self.rate / (1 - self.beta1**t), *means, below, self.epsilon), ("mean", "square"))

    @property
    def options(self) -> dict[str, Any]:
        own = {"beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon}
        return {"learning_rate": self.learning_rate, **own}

    def _remembers(self) -> tuple[str, ...]:
        return ("mean", "square", "steps")


OPTIMIZERS: dict[str, type[SGD] | type[Adam]] = {"sgd": SGD, "adam": Adam}


def _kept(state: dict[str, Array], key: str, like: Array) -> Array:
    """The remembered array, zeros at first."""
    if key not in state:
        state[key] = np.zeros_like(like)
    return state[key]


def _positive(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < float("inf"):
        raise UsageError(f"{name}: found {value!r}; expected a finite number above 0.")
    return float(value)


def _fraction(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value < 1:
        raise UsageError(f"{name}: found {value!r}; expected a number of at least 0 and below 1.")
    return float(value)
