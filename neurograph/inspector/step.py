"""What an optimiser makes of one weight's gradient: its rule with the numbers put in, the weight before and after."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Optimizer
from neurograph.inspector.equations import Equation, signed
from neurograph.inspector.table import number

Array = NDArray[Any]


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
    """

    rule: str
    before: float
    after: float
    gradient: float
    kept: tuple[tuple[str, float, float], ...]
    options: dict[str, Any]

    def equations(self, digits: int) -> list[Equation]:
        """The rule, the rule with its numbers, the result; of an unknown optimiser the result alone."""
        if "momentum" not in self.options:
            memory = [
                Equation(name, (f"{number(old, digits)} before, now {number(new, digits)}",))
                for name, old, new in self.kept
            ]
            return [
                *memory,
                Equation("w", (f"{number(self.before, digits)} before, now {number(self.after, digits)}",)),
            ]
        eta, mu = (number(self.options[key], digits) for key in ("rate", "momentum"))
        g, w, new = (number(value, digits) for value in (self.gradient, self.before, self.after))
        if not self.options["momentum"]:
            return [Equation("new w", ("w − η·gradient", f"{w} − {eta}·{signed(g)}", new))]
        ((_, old_v, new_v),) = self.kept
        v, v_new = number(old_v, digits), number(new_v, digits)
        if self.options.get("form") == "classical":
            velocity = Equation("new v", ("μ·v − η·gradient", f"{mu}·{signed(v)} − {eta}·{signed(g)}", v_new))
            return [velocity, Equation("new w", ("w + new v", f"{w} + {signed(v_new)}", new))]
        velocity = Equation("new v", ("μ·v + gradient", f"{mu}·{signed(v)} + {signed(g)}", v_new))
        return [velocity, Equation("new w", ("w − η·new v", f"{w} − {eta}·{signed(v_new)}", new))]


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
    trial: Any = optimizer
    if getattr(optimizer, "each_weight_alone", False):
        trial = copy(trial)
        trial.load_state(_of_entry(trial.state(), name, values.size, index))
        values, gradient, index = np.array(w), np.array(g), 0
    else:
        trial = deepcopy(trial)
    before = _remembered(trial, name, index)
    new = np.array(values, dtype=np.float64)
    trial.step({name: new}, {name: np.asarray(gradient, dtype=np.float64).reshape(new.shape)})
    after = _remembered(trial, name, index)
    kept = tuple((key, before.get(key, 0.0), value) for key, value in after.items())
    options = dict(getattr(trial, "options", {})) | {"rate": getattr(trial, "rate", None)}
    return Step(repr(optimizer), w, float(new.reshape(-1)[index]), g, kept, options)


def _of_entry(state: Mapping[str, Array], name: str, size: int, index: int) -> dict[str, Array]:
    """What an optimiser remembers of one entry of one parameter, as it would of a weight that stands alone."""
    own = {key: array for key, array in state.items() if key.partition("/")[2] == name}
    return {key: np.array(array.flat[index if array.size == size else 0]) for key, array in own.items()}


def _remembered(optimizer: Any, name: str, index: int) -> dict[str, float]:
    """What an optimiser keeps of one entry, by name."""
    state = optimizer.state() if hasattr(optimizer, "state") else {}
    found = {}
    for key, array in state.items():
        kind, _, owner = key.partition("/")
        if owner == name and np.size(array) > index:
            found[kind] = float(np.asarray(array).reshape(-1)[index])
    return found
