"""How a spec says in [train] by which optimiser weights change, and along which schedule; and what does not go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from neurograph.ops.base import Count, Options, Whole

OptimizerWord = Literal["gd", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]
ScheduleWord = Literal["constant", "linear", "step", "plateau", "cosine", "exponential"]

HYPERPARAMETERS: dict[str, dict[str, float]] = {
    "gd": {"learning_rate": 0.1},
    "sgd": {"learning_rate": 0.1, "momentum": 0.0},
    "momentum": {"learning_rate": 0.01, "momentum": 0.9},
    "nesterov": {"learning_rate": 0.01, "momentum": 0.9},
    "adagrad": {"learning_rate": 0.01, "epsilon": 1e-10},
    "rmsprop": {"learning_rate": 0.01, "rho": 0.99, "epsilon": 1e-8, "momentum": 0.0},
    "adam": {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "adamw": {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01},
}
"""What each optimiser takes besides what all take, with defaults: PyTorch's, but for the rates of descent."""

OWN = ("momentum", "beta1", "beta2", "rho", "epsilon")
"""Hyperparameters that only some optimisers have."""

SHARED = ("l1", "l2", "weight_decay", "clip_norm", "clip_value")
"""Those that all have."""

DESCENT = ("gd", "sgd", "momentum", "nesterov")
"""Optimisers whose learning rates mean the same."""

SCHEDULE_KEYS: dict[str, tuple[str, ...]] = {
    "constant": (),
    "linear": ("schedule_floor",),
    "step": ("schedule_every", "schedule_gamma"),
    "plateau": ("schedule_patience", "schedule_gamma"),
    "cosine": ("schedule_floor",),
    "exponential": ("schedule_gamma",),
}
"""What each schedule may be told."""

Part = Annotated[float, Field(strict=True, ge=0, lt=1)]
Above0 = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
AtLeast0 = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class UpdateSpec(Options):
    """The keys of [train] that say how gradients change weights."""

    optimizer: OptimizerWord = Field(
        default="sgd", description="How gradients change weights; gd takes all samples at once."
    )
    learning_rate: Above0 | None = Field(
        default=None,
        description="Default: 0.1 for gd and sgd, 0.01 for momentum, nesterov, adagrad and rmsprop, 0.001 for adam and adamw.",
    )
    momentum: Part | None = Field(
        default=None, description="Of sgd and rmsprop (default 0), momentum and nesterov (default 0.9)."
    )
    beta1: Part | None = Field(default=None, description="Of adam and adamw: how much of the mean is kept (0.9).")
    beta2: Part | None = Field(
        default=None, description="Of adam and adamw: how much of the mean square is kept (0.999)."
    )
    rho: Part | None = Field(default=None, description="Of rmsprop: how much of the mean square is kept (0.99).")
    epsilon: Above0 | None = Field(
        default=None, description="Added to the root that steps are divided by (1e-8; adagrad 1e-10)."
    )
    l1: AtLeast0 = Field(default=0.0, description="λ of (λ/m)·Σ|w| in the loss, m the training samples; not of biases.")
    l2: AtLeast0 = Field(default=0.0, description="λ of (λ/m)·Σw² in the loss; not of biases.")
    weight_decay: AtLeast0 | None = Field(
        default=None, description="d of w ← (1 − η·d)·w before each step, apart from the gradient (0; adamw 0.01)."
    )
    clip_norm: Above0 | None = Field(default=None, description="The most that all gradients together may be long.")
    clip_value: Above0 | None = Field(default=None, description="The most that any number of a gradient may be.")
    schedule: ScheduleWord = Field(default="constant", description="What becomes of the learning rate.")
    schedule_every: Count | None = Field(default=None, description="Of step: after so many epochs each (10).")
    schedule_gamma: Annotated[float, Field(strict=True, gt=0, le=1)] | None = Field(
        default=None, description="Factor of step and plateau (0.1), of exponential an epoch (0.95)."
    )
    schedule_patience: Count | None = Field(
        default=None, description="Of plateau: after so many epochs without a better validation loss (5)."
    )
    schedule_floor: Part | None = Field(
        default=None, description="Of linear and cosine: the part of the rate they end at (0)."
    )
    warmup_steps: Whole = Field(
        default=0, description="Steps over which the rate first rises; the schedule comes behind."
    )


def wrong_together(train: Mapping[str, Any], given: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Keys of [train] that the chosen optimiser or schedule has no use for, each with what to do.

    Parameters
    ----------
    train : mapping
        Values of all keys.
    given : frozenset of str
        Those that somebody wrote.

    Examples
    --------
    >>> train = UpdateSpec(optimizer="adam", momentum=0.9)
    >>> for key, what in wrong_together(train.model_dump(), frozenset({"momentum"})):
    ...     print(key, "-", what)
    momentum - momentum is not of optimizer 'adam', which takes beta1, beta2, epsilon. Leave it out, or choose momentum, nesterov, rmsprop or sgd.
    """
    word, schedule = train["optimizer"], train["schedule"]
    own = [key for key in HYPERPARAMETERS[word] if key in OWN]
    for key in OWN:
        if key in given and train[key] is not None and key not in own:
            others = sorted(name for name, keys in HYPERPARAMETERS.items() if key in keys)
            takes = f"which takes {', '.join(own)}" if own else "which takes a learning_rate only"
            yield key, f"{key} is not of optimizer '{word}', {takes}. Leave it out, or choose {_or(others)}."
    if word in ("momentum", "nesterov") and train["momentum"] == 0:
        yield "momentum", f"momentum 0 is no '{word}'; give more than 0, or choose sgd."
    if word == "gd" and "batch_size" in given:
        yield "batch_size", "optimizer 'gd' takes all samples at once. Leave out batch_size, or choose sgd."
    if train["clip_norm"] is not None and train["clip_value"] is not None:
        yield "clip_value", "clip_norm and clip_value: a gradient is clipped by one of them. Leave one out."
    for key in sorted({key for keys in SCHEDULE_KEYS.values() for key in keys}):
        if key in given and train[key] is not None and key not in SCHEDULE_KEYS[schedule]:
            others = [name for name, keys in SCHEDULE_KEYS.items() if key in keys]
            yield key, f"{key} is not of schedule '{schedule}'. Leave it out, or choose {_or(others)}."


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
