"""Everything a training is asked to do, in one frozen record: from a spec's tables, options, and a run folder."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from neurograph.errors import UsageError, suggest
from neurograph.spec.lines import too_deep
from neurograph.spec.update import DESCENT, HYPERPARAMETERS, OWN, SCHEDULE_KEYS, SHARED, wrong_together
from neurograph.training.optimizers import Optimizer, choose
from neurograph.training.schedules import Schedule, schedule_from

if TYPE_CHECKING:
    from neurograph.spec import Spec

ENGINES = ("compiled", "textbook")
KEEPS = ("best", "last")


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes
    ----------
    data : str or None
        A data set by name (``"mnist"``), a folder or an .npz file; None: the spec's own samples.
    prepare : mapping
        pad, resize, low, high (see `neurograph.data.prepare`), validation, normalise (see `neurograph.training.samples`).
    augment : mapping
        Options of `neurograph.data.Augment`; empty: training images stay as they are.
    epochs, batch_size, seed : int
    optimizer : str
    learning_rate : float
    momentum, beta1, beta2, rho, epsilon : float or None
        Of the optimizer; None: its default (see `neurograph.spec.update`).
    l1, l2, weight_decay, clip_norm, clip_value : float or None
    schedule : str
    schedule_every, schedule_gamma, schedule_patience, schedule_floor : number or None
    warmup_steps : int
    reduction : str
    engine : str
        ``"compiled"`` or ``"textbook"``.
    threads, steps, limit : int or None
    patience : int or None
        Epochs without a better one after which training stops.
    min_delta : float
    watch : str or None
    keep : str or None
        ``"best"`` or ``"last"``: the weights that the training ends with.
    """

    data: str | None = None
    prepare: Mapping[str, Any] = field(default_factory=dict)
    augment: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 10
    batch_size: int = 32
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: float | None = None
    beta1: float | None = None
    beta2: float | None = None
    rho: float | None = None
    epsilon: float | None = None
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float | None = None
    clip_norm: float | None = None
    clip_value: float | None = None
    schedule: str = "constant"
    schedule_every: int | None = None
    schedule_gamma: float | None = None
    schedule_patience: int | None = None
    schedule_floor: float | None = None
    warmup_steps: int = 0
    reduction: str = "mean"
    seed: int = 0
    engine: str = "compiled"
    threads: int | None = None
    steps: int | None = None
    limit: int | None = None
    patience: int | None = None
    min_delta: float = 0.0
    watch: str | None = None
    keep: str | None = None

    @classmethod
    def of(cls, spec: Spec, assignments: Iterable[str] = (), **options: Any) -> Settings:
        """Settings of a spec, changed by assignments (``"train.learning_rate=0.05"``), then by options that are not None.

        Raises
        ------
        UsageError
            If an assignment or option names nothing, or has a value that is not allowed.
        """
        tables = _changed(spec, tuple(assignments), options)
        train, data = tables["train"], tables["data"]
        if train["learning_rate"] is None:
            train["learning_rate"] = HYPERPARAMETERS[train["optimizer"]]["learning_rate"]
        name = data.pop("set", None)
        prepare, augment = ({k: v for k, v in tables[t].items() if v is not None} for t in ("data", "augment"))
        found = {**train, "data": name, "prepare": prepare, "augment": augment}
        settings = cls(**{**found, **{key: value for key, value in options.items() if value is not None}})
        if settings.engine not in ENGINES:
            near = suggest(settings.engine, ENGINES)
            raise UsageError(f"--engine: unknown engine '{settings.engine}'{near} (known: {', '.join(ENGINES)})")
        if settings.keep not in (None, *KEEPS):
            near = suggest(str(settings.keep), KEEPS)
            raise UsageError(f"--keep: unknown choice '{settings.keep}'{near} (known: {', '.join(KEEPS)})")
        return settings

    @property
    def keeps_best(self) -> bool:
        """Whether it ends with the weights of its best epoch; by default where it stops early."""
        return self.keep == "best" or (self.keep is None and self.patience is not None)

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
        return self.optimizer_with(self.optimizer, {})

    def optimizer_with(self, name: str, given: Mapping[str, Any]) -> Optimizer:
        """A fresh optimizer of another name or with other numbers; of another kind, nothing that was said of this one holds."""
        kept = list(SHARED)
        if name == self.optimizer or {name, self.optimizer} <= set(DESCENT):
            kept += [key for key in ("learning_rate", *OWN) if key in HYPERPARAMETERS[name]]
        return choose(name, **{**{key: getattr(self, key) for key in kept}, **given})

    def make_schedule(self) -> Schedule:
        """What becomes of its learning rate."""
        return schedule_from(self.as_dict())

    def for_fit(self) -> dict[str, Any]:
        """What `neurograph.training.fit` is told of them, by name; samples and optimizer are made apart."""
        same = ("epochs", "batch_size", "seed", "reduction", "steps", "patience", "min_delta", "watch")
        told = {key: getattr(self, key) for key in same}
        return {**told, "schedule": self.make_schedule(), "restore_best": self.keeps_best}

    def for_samples(self, n: int) -> Settings:
        """The same with batches of all n samples, where the optimizer is gradient descent."""
        return replace(self, batch_size=n) if self.optimizer == "gd" else self


def _changed(spec: Spec, assignments: tuple[str, ...], options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables [train], [data] and [augment] of a spec with assignments laid over, checked as the spec itself was."""
    from neurograph.spec.data import AugmentSpec, DataSpec
    from neurograph.spec.model import TrainSpec

    models: dict[str, Any] = {"train": TrainSpec, "data": DataSpec, "augment": AugmentSpec}
    assigned: dict[str, str] = {}
    tables = {
        "train": spec.train.model_dump(),
        "data": (spec.data or DataSpec.model_validate({})).model_dump(),
        "augment": {} if spec.augment is None else spec.augment.model_dump(),
    }
    for assignment in assignments:
        table, key, value = _parsed(assignment, {name: list(model.model_fields) for name, model in models.items()})
        tables[table][key] = value
        _check(assignment, models[table], tables[table])
        assigned[f"{table}.{key}"] = assignment
    _check_once(tables, assigned, options)
    _check_together(spec, tables["train"], assigned, options)
    return tables


def _check_once(
    tables: Mapping[str, Mapping[str, Any]], assigned: Mapping[str, str], options: Mapping[str, Any]
) -> None:
    """Refuse what is said twice, by an option and by --set, and not the same."""
    for option, value in options.items():
        key = "data.set" if option == "data" else f"train.{option}"
        table, _, name = key.partition(".")
        if value is not None and key in assigned and tables[table][name] != value:
            raise UsageError(
                f"--{option.replace('_', '-')} {value}: --set {_short(assigned[key])} says otherwise; leave one of them out."
            )


def _check_together(spec: Spec, train: dict[str, Any], assigned: Mapping[str, str], options: Mapping[str, Any]) -> None:
    """Drop what the spec said of another optimizer or schedule than the chosen one, and refuse what does not go together."""
    dropped: set[str] = set()
    if train["optimizer"] != spec.train.optimizer:
        alike = {train["optimizer"], spec.train.optimizer} <= set(DESCENT)
        kept = HYPERPARAMETERS[train["optimizer"]] if alike else ()
        dropped |= {key for key in ("learning_rate", *OWN) if key not in kept}
        if train["optimizer"] == "gd":
            dropped.add("batch_size")
    if train["schedule"] != spec.train.schedule:
        dropped |= {key for keys in SCHEDULE_KEYS.values() for key in keys}
    dropped = {key for key in dropped if f"train.{key}" not in assigned}
    train.update(dict.fromkeys(dropped - {"batch_size"}))
    told = {name: f"--{name.replace('_', '-')} {value}" for name, value in options.items() if value is not None}
    given = (spec.train.model_fields_set - dropped) | {key.removeprefix("train.") for key in assigned} | told.keys()
    for key, what in wrong_together(train, frozenset(given)):
        said = next((assigned[name] for name in (f"train.{key}", "train.optimizer") if name in assigned), None)
        said = said or "".join(list(assigned.values())[-1:])
        raise UsageError(f"{told.get(key) or f'--set {said}'}: {what}")


def _parsed(assignment: str, known: Mapping[str, list[str]]) -> tuple[str, str, Any]:
    name, equals, text = assignment.partition("=")
    table, _, key = name.strip().partition(".")
    if not equals or table not in known or key not in known.get(table, []):
        names = [f"{t}.{k}" for t, keys in known.items() for k in keys]
        mine = [name for name in names if name.startswith(f"{table}.")] or [f"{t}.…" for t in known]
        found = f"unknown key '{name.strip()}'" if equals else "expected KEY=VALUE"
        there = [other for other, keys in known.items() if equals and table in known and key in keys]
        near = f"; it belongs in [{there[0]}]: {there[0]}.{key}" if there else suggest(name.strip(), names)
        raise UsageError(f"--set {_short(assignment)}: {found}{near} (known: {', '.join(mine)})")
    if too_deep(text):  # which a parser may take minutes for
        return table, key, text.strip()
    try:
        read = tomllib.loads(f"value = {text}")
    except ValueError:
        read = {}
    return table, key, read["value"] if set(read) == {"value"} else text.strip()


def _short(assignment: str) -> str:
    return assignment if len(assignment) <= 80 else f"{assignment[:79]}…"


def _check(assignment: str, model: Any, values: Mapping[str, Any]) -> None:
    from pydantic import ValidationError

    try:
        model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"--set {_short(assignment)}: {first['msg'][:1].lower()}{first['msg'][1:]}.") from None
