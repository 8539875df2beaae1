"""Results for machines: one JSON document a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from neurograph.benchmark.peak import Machine
from neurograph.benchmark.race import Setting
from neurograph.benchmark.results import Result
from neurograph.version import __version__

PACKAGES = ("numpy", "numba", "llvmlite", "torch", "jax")


def document(setting: Setting, results: Sequence[Result], machine: Machine | None) -> dict[str, Any]:
    """Everything measured, and what is needed to understand it.

    Notes
    -----
    ``results`` holds objects of two types. ``"speed"``: key, network, mode, batch, threads, samples_per_second (median, low, high),
    peak (share of the measured peak), target (least ratio to PyTorch), verdict, and ``against``: per peer samples_per_second, ratio,
    difference (of its losses from ours), note. ``"quantity"``: key, what, value, unit, target, at_least, verdict, note.
    """
    return {
        "neurograph": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "machine": None if machine is None else asdict(machine),
        "settings": {"threads": setting.threads, "peers": list(setting.peers), **asdict(setting.pace)},
        "results": [result.as_dict() for result in results],
    }


def write(path: Path, made: dict[str, Any]) -> None:
    """Write the document."""
    path.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
