"""Every option of the language can be described and complained about in words, new kinds included."""

from __future__ import annotations

import json
from typing import Any

import pytest

import neurograph as ng
from neurograph.errors import SpecError
from neurograph.ops import KINDS
from neurograph.ops.base import LayerSpec, Options
from neurograph.spec.model import InputSpec, Spec
from neurograph.spec.schema import spec_schema
from neurograph.spec.tables import LISTS, TABLES
from neurograph.spec.wording import MOST_SHOWN, choices_of, fields_of, found, what_may_be

TABLE_TYPES: tuple[type[Options], ...] = (*KINDS, *LISTS.values(), *TABLES.values(), InputSpec)
OPTIONS = [(model, option) for model in TABLE_TYPES for option in fields_of(model)]
NONSENSE = [
    (kind, option, value)
    for kind in KINDS
    for option in fields_of(kind)
    for value in ({"a": 1}, [[["x"]]])
    if option not in ("kind", "name")
    and (option, value) != ("weights", [[["x"]]])  # any list may be weights at first sight
]


@pytest.mark.parametrize(("model", "option"), OPTIONS, ids=lambda part: getattr(part, "__name__", part))
def test_every_option_says_what_it_may_be(model: type[Options], option: str) -> None:
    words = what_may_be(model, option)
    assert words
    assert not {"value", "Any", "None", "Literal", "typing"} & set(words.split())


@pytest.mark.parametrize(("model", "option"), OPTIONS, ids=lambda part: getattr(part, "__name__", part))
def test_every_option_is_described_in_the_schema(model: type[Options], option: str) -> None:
    described = spec_schema()["$defs"][model.__name__]["properties"][option]
    assert option == "kind" or len(described["description"]) > 3


def test_every_table_is_in_the_schema() -> None:
    schema = spec_schema()
    assert set(schema["properties"]) == set(fields_of(Spec))
    assert {model.__name__ for model in TABLE_TYPES} == set(schema["$defs"])


@pytest.mark.parametrize(("kind", "option", "value"), NONSENSE, ids=lambda part: getattr(part, "__name__", str(part)))
def test_every_option_refuses_what_makes_no_sense(kind: type[LayerSpec], option: str, value: Any) -> None:
    layer = {"name": "it", "kind": kind.model_fields["kind"].default, option: value}
    with pytest.raises(SpecError) as raised:
        ng.load(json.dumps({"input": [4, 6, 6], "layer": [layer]}))
    expected = f"{layer['kind']} 'it': {option} must be {what_may_be(kind, option)}; found {found(value)}."
    assert expected in [fault.what for fault in raised.value.faults]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_missing_option_is_named(kind: type[LayerSpec]) -> None:
    required = [name for name, field in fields_of(kind).items() if field.is_required()]
    with pytest.raises(SpecError) as raised:
        ng.load(json.dumps({"input": [4, 6, 6], "layer": [{"kind": kind.model_fields["kind"].default}]}))
    text = str(raised.value)
    assert "name" in required
    assert all(f"layer 1: {option} is missing; it must be " in text for option in required)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        (3.0, "3.0"),
        (float("nan"), "nan"),
        ("it's", "'it's'"),
        ("a\nb", r"'a\nb'"),
        ("x" * 100, "'" + "x" * (MOST_SHOWN - 2) + "…"),
        ([1, [True, "a"]], "[1, [true, 'a']]"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, …"),
        ({"a": 1}, "a table"),
        (-(10**25), "a number of 26 digits"),
        (1 << 100_000, "a number of thousands of digits"),
    ],
    ids=range(12),
)
def test_values_are_shown_as_a_spec_writes_them(value: Any, text: str) -> None:
    assert found(value) == text


def test_choices_are_the_words_of_an_option() -> None:
    (conv,) = (kind for kind in KINDS if kind.__name__ == "Conv")
    assert choices_of(conv, "padding") == ["valid", "same", "full"]
    assert choices_of(conv, "tie_bias") == ["map", "none"]
    assert choices_of(conv, "kernel") == []
