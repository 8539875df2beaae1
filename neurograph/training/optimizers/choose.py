"""An optimiser from the word of a spec or an option, with its defaults."""

from __future__ import annotations

from typing import Any

from neurograph.errors import UsageError, suggest
from neurograph.spec.update import HYPERPARAMETERS, OWN
from neurograph.training.optimizers.adam import Adam, AdamW
from neurograph.training.optimizers.adaptive import AdaGrad, RMSProp
from neurograph.training.optimizers.base import Optimizer
from neurograph.training.optimizers.descent import SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "gd": SGD,
    "sgd": SGD,
    "momentum": SGD,
    "nesterov": SGD,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}


def choose(name: str, **given: Any) -> Optimizer:
    """An optimiser by its word in specs.

    Parameters
    ----------
    name : str
        One of `OPTIMIZERS`.
    **given
        Hyperparameters by name; None stands for the default.

    Raises
    ------
    UsageError
        If there is no such optimiser, or it does not take one of them.

    Examples
    --------
    >>> choose("nesterov", learning_rate=0.05)
    SGD(learning_rate=0.05, momentum=0.9, nesterov=True)
    >>> choose("adamw", beta1=None, l2=0.5)
    AdamW(learning_rate=0.001, l2=0.5)
    >>> choose("adam", momentum=0.9)
    Traceback (most recent call last):
    neurograph.errors.UsageError: momentum: is not of 'adam', which takes learning_rate, beta1, beta2, epsilon.
    """
    if name not in OPTIMIZERS:
        raise UsageError(f"unknown optimizer '{name}'{suggest(name, OPTIMIZERS)} (known: {', '.join(OPTIMIZERS)})")
    usual = HYPERPARAMETERS[name]
    known = {key: value for key, value in given.items() if value is not None}
    for key in known:
        if key in OWN and key not in usual:
            takes = ", ".join(own for own in usual if own == "learning_rate" or own in OWN)
            raise UsageError(f"{key}: is not of '{name}', which takes {takes}.")
    fixed = {"nesterov": True} if name == "nesterov" else {}
    return OPTIMIZERS[name](**{**usual, **known, **fixed})


def optimizer_of(given: object) -> Optimizer:
    """An optimiser by its word, with its usual hyperparameters; one that is given as an object stays what it is; None is SGD.

    Raises
    ------
    UsageError
        If it is neither, or there is no such optimiser.

    Examples
    --------
    >>> optimizer_of("adam"), optimizer_of(None)
    (Adam(learning_rate=0.001), SGD(learning_rate=0.1))
    >>> optimizer_of(SGD)
    Traceback (most recent call last):
    neurograph.errors.UsageError: optimizer: found the class SGD; give an optimizer, such as SGD(), or a word, such as "adam".
    """
    if isinstance(given, str) or given is None:
        return choose(given or "sgd")
    if not callable(getattr(given, "train_on", None)) or isinstance(given, type):
        found = f"the class {given.__name__}" if isinstance(given, type) else repr(given)
        example = f"{given.__name__}()" if isinstance(given, type) else "Adam()"
        raise UsageError(f'optimizer: found {found}; give an optimizer, such as {example}, or a word, such as "adam".')
    return given  # type: ignore[return-value]
