"""docs/reliability.md promises a test for every row; and two rows that the source itself answers."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = [
    line
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith(("|-", "| **", "| event", "| kind"))
]
FORKS_OR_RUNS_TEXT = {"fork", "forkpty", "exec", "eval", "execv", "system", "popen", "run_path", "run_module"}


def names_in(name: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / name).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_names_tests_that_exist() -> None:
    events = [row for row in ROWS if "`test_" in row]
    assert len(events) >= 40
    named = re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", "\n".join(events))
    missing = [f"{file}::{test}" for file, test in named if test and test not in names_in(file)]
    assert not missing
    assert all((ROOT / "tests" / file).is_file() for file, _ in named)


def test_nothing_forks_or_runs_text() -> None:
    """A forked child of a process with threads may be killed; text of a spec must reach no compiler."""
    found = []
    for path in sorted(path for folder in ("neurograph", "viz") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                found += [f"{path.name}:{node.lineno} {name}"] if name in FORKS_OR_RUNS_TEXT else []
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path.name} imports {name}" for name in names if name.startswith("multiprocessing")]
    assert not found
