"""The bundled specs."""

from __future__ import annotations

from pathlib import Path


def find_bundled(name: str) -> Path:
    """Path of a bundled spec."""
    return Path(__file__).resolve().parents[2] / "specs" / f"{name}.toml"
