"""From tables to a `Spec`: every table is read for itself, so that all faults come at once and the rest can still be checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from neurograph.errors import Fault, suggest
from neurograph.ops import KIND_NAMES, KINDS
from neurograph.ops.base import LayerSpec, Name, Options
from neurograph.spec.data import AugmentSpec, DataSpec
from neurograph.spec.model import (
    MOST_FAULTS,
    EdgeSpec,
    Extents,
    InputSpec,
    LossSpec,
    NamedParameter,
    NeuronSpec,
    Origin,
    SampleSpec,
    Spec,
    TrainSpec,
    Unreadable,
)
from neurograph.spec.wording import choices_of, fields_of, found, what_may_be

LISTS: Mapping[str, type[Options]] = {
    "neuron": NeuronSpec,
    "edge": EdgeSpec,
    "parameter": NamedParameter,
    "loss": LossSpec,
    "sample": SampleSpec,
}
"""Keys that hold lists of tables, besides layers (whose type depends on their kind)."""

TABLES: Mapping[str, type[Options]] = {"data": DataSpec, "augment": AugmentSpec, "train": TrainSpec}
BY_KIND = dict(zip(KIND_NAMES, KINDS, strict=True))
_EXTENTS: TypeAdapter[list[int]] = TypeAdapter(Extents)
_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass
class Reading:
    """What could be read of a file, and the faults of the rest.

    `unread` names the keys of which something could not be read: what depends on them is not checked.
    """

    origin: Origin
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def spec(self) -> Spec:
        """The spec of what could be read; validated as a whole where all could."""
        spec = Spec.model_construct(**self.values) if self.faults else Spec.model_validate(self.values)
        return spec.from_origin(replace(self.origin, lines={**self.origin.lines, **self.lines}))

    def fault(self, what: str, *location: str | int) -> None:
        """Note a fault of a table or key."""
        self.faults.append(Fault(self.origin.where(*location), what))


def read_tables(data: Mapping[str, Any], origin: Origin) -> Reading:
    """Read every table of a file.

    Parameters
    ----------
    data : mapping
        As the parser returned it.
    origin : Origin
        Which knows the lines.
    """
    reading = Reading(origin)
    known = fields_of(Spec)
    for key, value in data.items():
        if len(reading.faults) >= MOST_FAULTS:
            break
        if key not in known:
            what = f"unknown key '{_short(key)}'{suggest(key, known)} (known: {', '.join(known)})"
            reading.fault(what, key, 0)
            reading.unread.update(name for name in known if f"'{name}'?" in what)  # probably meant, so not missing
        elif key == "layer":
            _read_list(reading, key, value, _layer)
        elif key in LISTS:
            _read_list(reading, key, [value] if key == "loss" and isinstance(value, dict) else value, _item)
        elif key == "input":
            _read_input(reading, value)
        else:
            _read_value(reading, key, value)
    return reading


# -- lists of tables ---------------------------------------------------------------------------------------------------
def _read_list(reading: Reading, key: str, value: Any, read: Any) -> None:
    """Read the tables of a list, keeping those that can be read and the lines on which they stand."""
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        reading.unread.add(key)
        what = f"write [[{key}]] with two brackets; every {key} is a table of its own."
        return reading.fault(
            what if isinstance(value, dict) else f"{key} must be [[{key}]] tables; found {found(value)}.", key
        )
    kept: list[Options] = []
    moved: dict[str | int, int] = {}
    for number, table in enumerate(value):
        if len(reading.faults) >= MOST_FAULTS:
            break
        item = read(reading, key, number, table)
        if item is None:
            continue
        if len(kept) != number:
            moved[number] = len(kept)
        kept.append(item)
    reading.values[key] = kept
    for location, line in reading.origin.lines.items() if moved else ():
        if location[0] == key and location[1:] and location[1] in moved:
            reading.lines[key, moved[location[1]], *location[2:]] = line
    return None


def _layer(reading: Reading, key: str, number: int, table: Mapping[str, Any]) -> Options:
    """A layer of the kind that it names, or a stand-in."""
    kind = table.get("kind")
    model = BY_KIND.get(kind) if isinstance(kind, str) else None
    name = table.get("name")
    if model is None:
        known = ", ".join(sorted(BY_KIND))
        if kind is None:
            what = f"layer {_title(name, number)} has no kind (known: {known})"
        else:
            what = f"unknown layer kind {found(kind)}{suggest(str(kind), BY_KIND)} (known: {known})"
        reading.fault(what, key, number, "kind")
    title = _title(name, number) if isinstance(name, str) and name else f"layer {number + 1}"
    layer = _validated(reading, model, table, f"{kind} {title}", key, number) if model else None
    if layer is not None:
        return layer
    reading.unread.add(key)
    sources = table.get("from")
    sources = [sources] if isinstance(sources, str) else sources
    listed = isinstance(sources, list) and bool(sources) and all(isinstance(source, str) for source in sources)
    stand_in = str(name) if _is_name(name) else f"layer {number + 1}"
    return Unreadable.model_construct(name=stand_in, kind="layer", sources=sources if listed else None, label=None)


def _item(reading: Reading, key: str, number: int, table: Mapping[str, Any]) -> Options | None:
    item = _validated(reading, LISTS[key], table, _subject(key, number, table), key, number)
    if item is None:
        reading.unread.add(key)
        if key == "neuron" and _is_name(table.get("id")):
            return NeuronSpec.model_construct(id=table["id"], output=table.get("output") is True)
    return item


def _subject(key: str, number: int, table: Mapping[str, Any]) -> str:
    """How a message calls a table: by its name if it has one."""
    if key == "edge" and isinstance(table.get("from"), str) and isinstance(table.get("to"), str):
        return f"edge {_short(table['from'])} → {_short(table['to'])}"
    if key == "loss":
        return "[loss]"
    return f"{key} {_title(table.get('id', table.get('name')), number, start=0 if key == 'sample' else 1)}"


def _title(name: Any, number: int, start: int = 1) -> str:
    return f"'{_short(name)}'" if isinstance(name, str) and name else str(number + start)


def _short(name: str) -> str:
    return name if len(name) <= 64 and name.isprintable() else found(name)[1:-1]


def _is_name(value: Any) -> bool:
    try:
        return bool(_NAME.validate_python(value))
    except ValidationError:
        return False


# -- the rest of a file ------------------------------------------------------------------------------------------------
def _read_input(reading: Reading, value: Any) -> None:
    """The input's shape, or [[input]] tables."""
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(table, dict) for table in value)):
        tables = list(value) if isinstance(value, list) else value
        _read_list(reading, "input", tables, _input)
    else:
        try:
            reading.values["input"] = _EXTENTS.validate_python(value)
        except ValidationError:
            allowed = "1 to 3 whole numbers ≥ 1, such as [1, 28, 28] (channels, rows, columns)"
            reading.fault(f"input must be {allowed}; found {found(value)}.", "input")
            reading.unread.add("input")


def _input(reading: Reading, key: str, number: int, table: Mapping[str, Any]) -> Options | None:
    item = _validated(reading, InputSpec, table, _subject(key, number, table), key, number)
    if item is None:
        reading.unread.add(key)
    return item


def _read_value(reading: Reading, key: str, value: Any) -> None:
    """A table that stands once ([data], [train]), or a plain text."""
    if key in TABLES and isinstance(value, dict):
        item = _validated(reading, TABLES[key], value, f"[{key}]", key)
        if item is not None:
            reading.values[key] = item
    elif key in TABLES:
        reading.fault(f"{key} must be a table; write [{key}]; found {found(value)}.", key)
    elif isinstance(value, str) and (key != "name" or 0 < len(value) <= 64):
        reading.values[key] = value
    else:
        allowed = "text of 1 to 64 characters" if key == "name" else "text in quotes"
        reading.fault(f"{key} must be {allowed}; found {found(value)}.", key)


# -- one table ---------------------------------------------------------------------------------------------------------
def _validated(
    reading: Reading, model: type[Options], table: Mapping[str, Any], subject: str, *location: str | int
) -> Options | None:
    """The table as its type, or None after noting everything that is wrong with it."""
    wrong_names = [key for key in table if key not in fields_of(model)]
    try:
        item = model.model_validate(dict(table))
    except ValidationError as error:
        for option, what in islice(_problems(error, model, table), MOST_FAULTS):
            reading.fault(f"{subject}: {what}", *location, *([option] if option else []))
        return None
    for key in wrong_names:  # a field's own name where the file has another word for it
        reading.fault(f"{subject}: {_unknown(key, model, table)}", *location, key)
    return None if wrong_names else item


def _problems(error: ValidationError, model: type[BaseModel], table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each wrong option once, in the order of the file: the option and what is wrong with it."""
    details = error.errors(include_url=False, include_input=False)
    first: dict[str, Mapping[str, Any]] = {}
    for detail in details:
        first.setdefault(str(detail["loc"][0]) if detail["loc"] else "", detail)
    rank = {key: number for number, key in enumerate(table)}
    for option in sorted(first, key=lambda key: rank.get(key, -1)):
        yield option, _problem(option, first[option], model, table)


def _problem(option: str, detail: Mapping[str, Any], model: type[BaseModel], table: Mapping[str, Any]) -> str:
    if not option:
        return f"{detail['ctx']['error']}." if "ctx" in detail else str(detail["msg"])
    if detail["type"] == "extra_forbidden":
        return _unknown(option, model, table)
    allowed = what_may_be(model, option)
    if detail["type"] == "missing":
        return f"{option} is missing; it must be {allowed}."
    value = table[option]
    near = suggest(value, choices_of(model, option)) if isinstance(value, str) else ""
    large = " (whole numbers end at 2⁶³ − 1)" if _is_huge(value) else ""
    return f"{option} must be {allowed}; found {found(value)}{large}{near or '.'}"


def _is_huge(value: Any) -> bool:
    from neurograph.ops.base import LARGEST

    if isinstance(value, list):
        return any(map(_is_huge, value))
    return isinstance(value, int) and value > LARGEST


def _unknown(option: str, model: type[BaseModel], table: Mapping[str, Any]) -> str:
    known = list(fields_of(model))
    whose = f"{table['kind']} knows" if issubclass(model, LayerSpec) else "known"
    near = suggest(option, known)
    if model in TABLES.values():
        near = next((f"; it belongs in [{key}]" for key, other in TABLES.items() if option in fields_of(other)), near)
    return f"unknown option '{_short(option)}'{near} ({whose}: {', '.join(known)})"
