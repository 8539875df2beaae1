"""Read a spec: TOML (or JSON) text, a file, or a bundled name; every fault at once, with file and line."""

from __future__ import annotations

import tomllib
from pathlib import Path

from neurograph.spec.library import find_bundled
from neurograph.spec.model import Origin, Spec


def load(source: str | Path) -> Spec:
    """Load a spec from TOML text (has a newline), a path, or a bundled name."""
    text = str(source)
    if "\n" in text:
        return Spec.model_validate(tomllib.loads(text)).from_origin(Origin(text=text))
    path = (None if text.endswith(".toml") or "/" in text else find_bundled(text)) or Path(text)
    content = path.read_text()
    return Spec.model_validate(tomllib.loads(content)).from_origin(Origin(path=str(path), text=content))
