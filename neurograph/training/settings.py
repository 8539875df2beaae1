"""Everything a training is asked to do, in one frozen record: from a spec's [data] and [train], options, and a run folder."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from neurograph.errors import UsageError, suggest
from neurograph.training.optimizers import OPTIMIZERS, Optimizer

if TYPE_CHECKING:
    from neurograph.spec import Spec

ENGINES = ("compiled", "textbook")


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes
    ----------
    data : str or None
        ``"digits"``, ``"mnist"``, a folder of IDX files; None: the spec's own samples.
    prepare : mapping
        pad, resize, low, high (see `neurograph.data.prepare`).
    epochs, batch_size, seed : int
    optimizer : str
    learning_rate, momentum : float
    schedule, reduction : str
    engine : str
        ``"compiled"`` or ``"textbook"``.
    threads, steps, limit : int or None
    """

    data: str | None = None
    prepare: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 10
    batch_size: int = 32
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.0
    schedule: str = "constant"
    reduction: str = "mean"
    seed: int = 0
    engine: str = "compiled"
    threads: int | None = None
    steps: int | None = None
    limit: int | None = None

    @classmethod
    def of(cls, spec: Spec, assignments: Iterable[str] = (), **options: Any) -> Settings:
        """Settings of a spec, changed by assignments (``"train.learning_rate=0.05"``), then by options that are not None.

        Raises
        ------
        UsageError
            If an assignment or option names nothing, or has a value that is not allowed.
        """
        tables = _changed(spec, assignments)
        train, data = tables["train"], tables["data"]
        if train["learning_rate"] is None:
            train["learning_rate"] = 0.1 if train["optimizer"] == "sgd" else 0.001
        name = data.pop("set", None)
        found = {**train, "data": name, "prepare": {key: value for key, value in data.items() if value is not None}}
        settings = cls(**{**found, **{key: value for key, value in options.items() if value is not None}})
        if settings.engine not in ENGINES:
            near = suggest(settings.engine, ENGINES)
            raise UsageError(f"--engine: unknown engine '{settings.engine}'{near} (known: {', '.join(ENGINES)})")
        return settings

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Settings:
        """Settings as `as_dict` gave them."""
        known = {f.name for f in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})

    def as_dict(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)

    def make_optimizer(self) -> Optimizer:
        """A fresh optimizer."""
        if self.optimizer == "adam":
            return OPTIMIZERS["adam"](self.learning_rate)
        return OPTIMIZERS["sgd"](self.learning_rate, self.momentum)


def _changed(spec: Spec, assignments: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The tables [train] and [data] of a spec with assignments laid over, checked as the spec itself was."""
    from neurograph.spec.model import DataSpec, TrainSpec

    models: dict[str, type[TrainSpec] | type[DataSpec]] = {"train": TrainSpec, "data": DataSpec}
    tables = {"train": spec.train.model_dump(), "data": (spec.data or DataSpec.model_validate({})).model_dump()}
    for assignment in assignments:
        table, key, value = _parsed(assignment, {name: list(model.model_fields) for name, model in models.items()})
        tables[table][key] = value
        _check(assignment, models[table], tables[table])
    return tables


def _parsed(assignment: str, known: Mapping[str, list[str]]) -> tuple[str, str, Any]:
    name, equals, text = assignment.partition("=")
    table, _, key = name.strip().partition(".")
    if not equals or table not in known or key not in known.get(table, []):
        names = [f"{t}.{k}" for t, keys in known.items() for k in keys]
        raise UsageError(
            f"--set {assignment}: expected KEY=VALUE{suggest(name.strip(), names)} (known: {', '.join(names)})"
        )
    try:
        return table, key, tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return table, key, text.strip()


def _check(assignment: str, model: Any, values: Mapping[str, Any]) -> None:
    from pydantic import ValidationError

    try:
        model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"--set {assignment}: {first['msg'][:1].lower()}{first['msg'][1:]}.") from None
