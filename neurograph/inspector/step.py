"""What an optimiser makes of one weight's gradient: its rule with the numbers put in, the weight before and after."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Optimizer
from neurograph.inspector.equations import Equation
from neurograph.inspector.step_equations import equations_of

Array = NDArray[Any]

OURS = "neurograph.training.optimizers."
"""Where optimisers are defined whose formulas can be written out."""


@dataclass(frozen=True)
class Step:
    """One update of one weight.

    Attributes
    ----------
    rule : str
        The optimiser with its settings.
    before, after : float
        The weight.
    gradient : float
    kept : tuple of (name, before, after)
        What the optimiser remembers of this weight, such as its velocity.
    options : mapping
        The optimiser's settings, by name.
    kind : str
        Its name, where its formula is known; else empty.
    penalised, clipped : float or None
        The gradient with that of the penalties, and clipped; None where nothing is added or cut off.
    decayed : float or None
        The weight that the rule changes, where decay comes before it.
    """

    rule: str
    before: float
    after: float
    gradient: float
    kept: tuple[tuple[str, float, float], ...]
    options: dict[str, Any]
    kind: str = "SGD"
    penalised: float | None = None
    clipped: float | None = None
    decayed: float | None = None

    def equations(self, digits: int) -> list[Equation]:
        """The rule, the rule with its numbers, the result; of an unknown optimiser the result alone."""
        return equations_of(self, digits)


def plain_rate(optimizer: Any) -> float | None:
    """The rate η of an optimiser whose steps are w − η·gradient and nothing else; None of any other."""
    options: dict[str, Any] = getattr(optimizer, "options", {})
    others = ("l1", "l2", "weight_decay", "clip_norm", "clip_value")
    plain = options.get("momentum") == 0 and "form" in options and not any(options.get(key) for key in others)
    return getattr(optimizer, "rate", None) if plain else None


def take_step(optimizer: Optimizer, name: str, values: Array, gradient: Array, index: int) -> Step:
    """What an optimiser would do next to one entry of a parameter; the optimiser itself stays where it is.

    Parameters
    ----------
    name : str
        The parameter.
    values, gradient : ndarray
        The whole parameter's, of the same shape.
    index : int
        The entry's flat index.
    """
    w, g = float(values.flat[index]), float(gradient.flat[index])
    if not getattr(optimizer, "each_weight_alone", False):
        return take_step_together(optimizer, {name: values}, {name: gradient}, name, index)
    trial: Any = copy(optimizer)
    trial.load_state(_of_entry(trial.state(), name, values.size, index))
    return _taken(optimizer, trial, {name: np.array(w)}, {name: np.array(g)}, name, 0)


def take_step_together(
    optimizer: Optimizer, values: Mapping[str, Array], gradients: Mapping[str, Array], name: str, index: int
) -> Step:
    """The same, with the gradients of all parameters: for optimisers that look at all of them before any weight moves."""
    before = {key: np.array(values[key], dtype=np.float64) for key in gradients}
    ready = {key: np.array(gradient, dtype=np.float64) for key, gradient in gradients.items()}
    return _taken(optimizer, deepcopy(optimizer), before, ready, name, index)


def _taken(
    optimizer: Any, trial: Any, values: dict[str, Array], gradients: dict[str, Array], name: str, index: int
) -> Step:
    w, g = float(values[name].reshape(-1)[index]), float(gradients[name].reshape(-1)[index])
    before = _remembered(trial, name, index)
    options = dict(getattr(trial, "options", {})) | {"rate": getattr(trial, "rate", None)}
    kind = type(optimizer).__name__ if type(optimizer).__module__.startswith(OURS) else ""
    on_the_way = _on_the_way(trial, values, gradients, name, index) if kind else {}
    trial.step(values, gradients)
    after = _remembered(trial, name, index)
    kept = tuple((key, before.get(key, 0.0), value) for key, value in after.items())
    new = float(values[name].reshape(-1)[index])
    if kind:
        options |= {"m": trial.penalty.m}
    return Step(repr(optimizer), w, new, g, kept, options, kind, **on_the_way)


def _on_the_way(
    trial: Any, values: Mapping[str, Array], gradients: Mapping[str, Array], name: str, index: int
) -> dict[str, float]:
    """What comes before the rule, where there is anything."""
    found: dict[str, float] = {}
    is_bias = name in trial.biases
    if trial.penalty and not is_bias:
        found["penalised"] = float(trial.penalty.added(values[name], gradients[name]).reshape(-1)[index])
    if trial.clip_norm is not None or trial.clip_value is not None:
        found["clipped"] = float(np.asarray(trial.prepared(values, gradients)[name]).reshape(-1)[index])
    if trial.weight_decay and not is_bias:
        found["decayed"] = float(values[name].reshape(-1)[index]) * (1 - trial.rate * trial.weight_decay)
    return found


def _of_entry(state: Mapping[str, Array], name: str, size: int, index: int) -> dict[str, Array]:
    """What an optimiser remembers of one entry of one parameter, as it would of a weight that stands alone."""
    own = {key: array for key, array in state.items() if key.partition("/")[2] == name}
    return {key: np.array(array.flat[index if array.size == size else 0]) for key, array in own.items()}


def _remembered(optimizer: Any, name: str, index: int) -> dict[str, float]:
    """What an optimiser keeps of one entry, by name; what it keeps of the whole parameter, such as a count, too."""
    state = optimizer.state() if hasattr(optimizer, "state") else {}
    found = {}
    for key, array in state.items():
        kind, _, owner = key.partition("/")
        if owner == name:
            found[kind] = float(np.asarray(array).reshape(-1)[index if np.size(array) > 1 else 0])
    return found
