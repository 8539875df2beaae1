"""Options in words: what an option may be, and what was found, as a student would say it."""

from __future__ import annotations

import types
from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from neurograph.ops.base import LARGEST, NAME_PATTERN

MOST_SHOWN = 60
"""Characters of a value shown at most."""

MOST_NAMED = 12
"""Names listed at most."""

_NAME = "letters, digits, _ and -, beginning with a letter or _ (at most 64 characters)"
_LAYER = "the name of a layer"
_SPECIAL = {
    "padding": "a whole number ≥ 0, one per axis, a pair per axis such as [[0, 1], [0, 1]], 'valid', 'same' or 'full'",
    "weights": "numbers in lists",
    "sources": f"{_LAYER}, or a list of them",
    "weights_from": _LAYER,
    "input": "numbers in lists",
    "target": "numbers in lists, or the number of a class",
    "upstream": "numbers in lists",
    "targets": "two numbers, off and on",
    "labels": "whole numbers ≥ 0, one a class of the data, or 'input'",
    "class_weights": "numbers ≥ 0, one a class, or 'balanced'",
    "resize": "one whole number ≥ 1, or two (rows and columns)",
    "set": "'digits', 'mnist' or the path of a folder",
    "trainable": "true, false, or a list such as ['weight']",
}
"""Fields whose types do not say it well."""


def what_may_be(model: type[BaseModel], option: str) -> str:
    """What an option of a table may be, in words; `option` is the key as written in a file.

    Examples
    --------
    >>> from neurograph.ops.conv import Conv
    >>> what_may_be(Conv, "kernel")
    'a whole number ≥ 1 or a list of them'
    >>> what_may_be(Conv, "tie")
    "'map' or 'none'"
    """
    name = next(name for name, field in model.model_fields.items() if option == (field.alias or name))
    field = model.model_fields[name]
    special = _SPECIAL.get(name) if field.annotation not in (bool, str) else None
    return special or _or(_options(field.annotation, field.metadata))


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields of a table by the key that a file uses."""
    return {str(field.alias or name): field for name, field in model.model_fields.items()}


def choices_of(model: type[BaseModel], option: str) -> list[str]:
    """The words an option may be, if words are among what it may be."""
    return list(_literals(fields_of(model)[option].annotation))


def _literals(annotation: Any) -> Iterable[str]:
    if get_origin(annotation) is Literal:
        yield from (word for word in get_args(annotation) if isinstance(word, str))
    elif get_origin(annotation) in (Union, types.UnionType, Annotated):
        for part in get_args(annotation):
            yield from _literals(part)


def _options(annotation: Any, metadata: Iterable[Any] = ()) -> list[str]:
    """What a type admits, one entry for each alternative."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is bool:
        return ["true", "false"]
    if origin is Annotated:
        return _options(inner[0], [*_flat(inner[1:]), *metadata])
    if origin is Literal:
        return [found(word) for word in inner]
    if origin in (Union, types.UnionType):
        return _alternatives([part for part in inner if part is not type(None)], metadata)
    if origin is list:
        return [f"a list of {_plural(_or(_options(inner[0])))}{_length(metadata)}"]
    return [_of_type(annotation, list(metadata))]


def _alternatives(parts: list[Any], metadata: Iterable[Any]) -> list[str]:
    """Words for each alternative; a list of what stands before it is "a list of them"."""
    words: list[str] = []
    for part in parts:
        inner = _or(_options(get_args(part)[0])) if get_origin(part) is list else None
        words += ["a list of them"] if inner in words else _options(part, metadata if len(parts) == 1 else ())
    return words


def _flat(metadata: Iterable[Any]) -> Iterable[Any]:
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _of_type(annotation: Any, metadata: list[Any]) -> str:
    if annotation is str:
        pattern = next((item.pattern for item in metadata if getattr(item, "pattern", None)), None)
        return _NAME if pattern == NAME_PATTERN else f"text{_length(metadata)}"
    if annotation in (int, float):
        return ("a whole number" if annotation is int else "a number") + _bounds(metadata)
    return "a table" if isinstance(annotation, type) and issubclass(annotation, BaseModel) else "a value"


def _bounds(metadata: Iterable[Any]) -> str:
    signs = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
    bounds = [(sign, getattr(item, word)) for item in metadata for word, sign in signs if hasattr(item, word)]
    shown = [f"{sign} {limit}" for sign, limit in bounds if limit != LARGEST]
    return f" {' and '.join(shown)}" if shown else ""


def _length(metadata: Iterable[Any]) -> str:
    least = next((item.min_length for item in metadata if hasattr(item, "min_length")), None)
    most = next((item.max_length for item in metadata if hasattr(item, "max_length")), None)
    if least is not None and least == most:
        return f", exactly {least}"
    if least is not None and most is not None:
        return f", {least} to {most} of them" if least > 0 else ""
    return f", at least {least}" if least else f" of at most {most} characters" if most else ""


def _plural(words: str) -> str:
    for one, many in (
        ("a whole number", "whole numbers"),
        ("a number", "numbers"),
        ("a list of", "lists of"),
        ("a table", "tables"),
    ):
        if words.startswith(one):
            return many + words[len(one) :]
    return words


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def first_of(names: Iterable[str]) -> str:
    """Names in a row, shortened.

    Examples
    --------
    >>> first_of(["a", "b"]), first_of([]), first_of(map(str, range(100)))
    ('a, b', 'none', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …')
    """
    listed = list(islice(names, MOST_NAMED + 1))
    return ", ".join(listed[:MOST_NAMED] + ["…"] * (len(listed) > MOST_NAMED)) or "none"


def found(value: Any) -> str:
    """A value as a spec writes it, shortened.

    Examples
    --------
    >>> found("big"), found(True), found([1, 2.5]), found({"a": 1}), found(10**40)
    ("'big'", 'true', '[1, 2.5]', 'a table', 'a number of 41 digits')
    """
    text = _written(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def _written(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{value[:MOST_SHOWN]}'" if value.isprintable() else repr(value[:MOST_SHOWN])
    if isinstance(value, int) and abs(value) > 10 * LARGEST:
        return f"a number of {len(str(abs(value))) if value.bit_length() < 10_000 else 'thousands of'} digits"
    if isinstance(value, list):
        return f"[{', '.join(_written(item) for item in value[:MOST_SHOWN])}]"
    return "a table" if isinstance(value, dict) else str(value)
