"""`neurograph schema`: what it accepts and refuses, judged by a small validator of the keywords it uses."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from neurograph.cli import main
from neurograph.cli.new import FOLDER
from neurograph.ops import KIND_NAMES, KINDS
from neurograph.spec.schema import spec_schema

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = spec_schema()
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
KNOWN = {
    "$ref", "type", "enum", "const", "anyOf", "oneOf", "discriminator", "properties", "required", "additionalProperties", "items",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "minLength", "maxLength", "pattern",
    "default", "description", "title", "$defs", "$schema",
}  # fmt: skip


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value satisfies a schema made of KNOWN keywords."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        return accepts(SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], value)
    if "anyOf" in schema and not any(accepts(option, value) for option in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(accepts(option, value) for option in schema["oneOf"]) != 1:
        return False
    if "type" in schema and not _is_a(schema["type"], value):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    return _fits(schema, value)


def _is_a(word: str, value: Any) -> bool:
    return isinstance(value, TYPES[word]) and not (isinstance(value, bool) and word in ("integer", "number"))


def _fits(schema: dict[str, Any], value: Any) -> bool:
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, dict):
        known = schema.get("properties", {})
        closed = schema.get("additionalProperties", True) is False
        return (
            set(schema.get("required", [])) <= set(value)
            and not (closed and set(value) - set(known))
            and all(accepts(known[key], item) for key, item in value.items() if key in known)
        )
    if isinstance(value, list):
        size_fits = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return size_fits and all(accepts(schema.get("items", {}), item) for item in value)
    if isinstance(value, str):
        size_fits = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        return size_fits and re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (
            schema.get("minimum", value) <= value <= schema.get("maximum", value)
            and value > schema.get("exclusiveMinimum", value - 1)
            and value < schema.get("exclusiveMaximum", value + 1)
        )
    return True


def specs() -> list[Path]:
    return [*sorted((ROOT / "specs").glob("*.toml")), *sorted(FOLDER.glob("*.toml"))]


@pytest.mark.parametrize("path", specs(), ids=lambda path: path.stem)
def test_schema_accepts_every_bundled_spec_and_template(path: Path) -> None:
    assert accepts(SCHEMA, tomllib.loads(path.read_text().replace("{name}", '"x"')))


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_schema_knows_every_layer_kind_and_refuses_unknown_keys(kind: str) -> None:
    (definition,) = [SCHEMA["$defs"][k.__name__] for k in KINDS if k.model_fields["kind"].default == kind]
    layer: dict[str, Any] = {"name": "a", "kind": kind}
    samples = {"units": 3, "filters": 2, "kernel": 3, "window": 2, "weights": [[1.0]]}
    layer |= {key: samples[key] for key in definition["required"] if key not in layer}
    for one in (layer, layer | {"from": "b"}, layer | {"from": ["b"], "label": "text"}):
        assert accepts(SCHEMA, {"input": [4], "layer": [one]}), one
    assert not accepts(SCHEMA, {"input": [4], "layer": [layer | {"fliters": 3}]})
    assert not accepts(SCHEMA, {"input": [4], "layer": [{key: layer[key] for key in layer if key != "kind"}]})


@pytest.mark.parametrize(
    "wrong",
    [
        {"input": [0]},
        {"input": [True]},
        {"input": [1, 2, 3, 4]},
        {"layer": {"name": "a", "kind": "dense", "units": 1}},
        {"loss": {"kind": "crossentropy"}},
        {"train": {"learning_rate": 0}},
        {"layer": [{"name": "1a", "kind": "flatten"}]},
        {"neurons": []},
    ],
    ids=str,
)
def test_schema_refuses(wrong: dict[str, Any]) -> None:
    assert not accepts(SCHEMA, wrong)


def test_schema_has_no_null_because_toml_has_none() -> None:
    assert '"null"' not in json.dumps(SCHEMA)
    assert "null" not in json.dumps(SCHEMA)


def test_one_loss_needs_no_list() -> None:
    loss = {"kind": "mse", "form": "half_sum"}
    assert accepts(SCHEMA, {"loss": loss})
    assert accepts(SCHEMA, {"loss": [loss]})


def test_schema_command_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_schema_command_writes_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "my.schema.json"
    assert main(["schema", "-o", str(out)]) == 0
    assert json.loads(out.read_text(encoding="utf-8")) == SCHEMA
    message = (
        f"Wrote {out}. Specs that begin with the line\n    #:schema my.schema.json\nare now checked by your editor.\n"
    )
    assert capsys.readouterr() == (message, "")


def test_schema_command_into_a_missing_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "no" / "my.schema.json"
    assert main(["schema", "-o", str(out)]) == 2
    assert capsys.readouterr() == ("", f"{out}: No such file or directory.\n")
