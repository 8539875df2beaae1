"""Texts kept as files: a change shows in the diff, and is accepted by deleting the file and running the test once."""

from __future__ import annotations

from pathlib import Path

import pytest

SNAPSHOTS = Path(__file__).parent / "snapshots"


def check_kept(name: str, text: str) -> None:
    """Compare a text with the one kept under this name; a missing one is written, and the test fails."""
    kept = SNAPSHOTS / name
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(text + "\n", encoding="utf-8")
        pytest.fail(f"{kept.name} was missing and is now written; look at it, and commit it")
    assert text + "\n" == kept.read_text(encoding="utf-8")
