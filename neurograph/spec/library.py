"""The bundled specs: in the wheel they stand inside the package, in a checkout beside it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from neurograph.errors import SpecNotFound

_HERE = Path(__file__).resolve().parent


def folder() -> Path:
    """Where the bundled specs are.

    Raises
    ------
    SpecNotFound
        If the installation has lost them.
    """
    for candidate in (_HERE.parent / "specs", _HERE.parent.parent / "specs"):
        if candidate.is_dir():
            return candidate
    raise SpecNotFound(f"the bundled specs are missing (looked in {_HERE.parent / 'specs'}). Install neurograph again.")


def find_bundled(name: str) -> Path | None:
    """Path of the bundled spec of that name, or None."""
    return folder() / f"{name}.toml" if name in names() else None


def names() -> tuple[str, ...]:
    """Names of the bundled specs, sorted."""
    return tuple(sorted(path.stem for path in folder().glob("*.toml")))


def bundled() -> Mapping[str, str]:
    """Name → one-line description of every bundled spec.

    Examples
    --------
    >>> bundled()["lenet5"]
    'LeNet-5 as the lectures give it: two convolutions, max pooling, 120-84-10, on 28×28 images.'
    """
    return {name: _description(folder() / f"{name}.toml") for name in names()}


def _description(path: Path) -> str:
    return str(tomllib.loads(path.read_text(encoding="utf-8")).get("description", ""))
