"""The spec language as JSON Schema, for editors: pydantic's own, made to say what a TOML file may say."""

from __future__ import annotations

from typing import Any

from neurograph.ops import KINDS
from neurograph.spec.model import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def spec_schema() -> dict[str, Any]:
    """JSON Schema of a spec file.

    Notes
    -----
    Three things differ from what pydantic writes: TOML has no null, so optional keys are simply absent; ``from`` may be one name
    and ``loss`` one table; and a layer must say its ``kind``.

    Examples
    --------
    >>> schema = spec_schema()
    >>> schema["title"], sorted(schema["$defs"]["Dense"]["required"])
    ('neurograph spec', ['kind', 'name', 'units'])
    """
    schema: dict[str, Any] = _without_nulls(Spec.model_json_schema(by_alias=True))
    for kind in KINDS:
        layer = schema["$defs"][kind.__name__]
        layer["required"] = ["kind", *layer["required"]]
        layer["properties"]["from"] = _one_or_many(layer["properties"]["from"])
    schema["properties"]["loss"] = _one_or_many(schema["properties"]["loss"])
    schema.pop("title", None)
    return {"$schema": DIALECT, "title": "neurograph spec", **schema}


def _one_or_many(many: dict[str, Any]) -> dict[str, Any]:
    """A list, or its only item without brackets."""
    words = {key: value for key, value in many.items() if key in ("description", "default")}
    array = {key: value for key, value in many.items() if key not in words}
    return {**words, "anyOf": [many["items"], array]}


def _without_nulls(node: Any) -> Any:
    """Drop null from alternatives, null defaults, and the titles pydantic makes of key names."""
    if isinstance(node, list):
        return [_without_nulls(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _without_nulls(value) for key, value in node.items() if not _is_noise(key, value, node)}
    alternatives = kept.get("anyOf")
    if isinstance(alternatives, list):
        alternatives = [option for option in alternatives if option != {"type": "null"}]
        kept["anyOf"] = alternatives
        if len(alternatives) == 1:
            kept = {**{key: value for key, value in kept.items() if key != "anyOf"}, **alternatives[0]}
    return kept


def _is_noise(key: str, value: Any, node: dict[str, Any]) -> bool:
    return (key == "default" and value is None) or (
        key == "title" and isinstance(value, str) and "properties" not in node
    )
