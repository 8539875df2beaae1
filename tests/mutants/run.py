"""Plant one bug after another in a copy of the project and demand that the tests notice: `python -m tests.mutants [WORD ...]`.

With words, only mutants whose name or file contains one of them. Exit code 1 if a mutant survives.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.mutant import Mutant
from tests.mutants.planted import MUTANTS

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("neurograph", "viz", "specs", "tests", "docs", "pyproject.toml", "README.md")
TIMEOUT = 300
KILLED, SURVIVED, BROKEN = "killed", "SURVIVED", "BROKEN"


def copy_tree(to: Path) -> None:
    """Copy what tests need, without anything compiled."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
        elif source.is_file():
            shutil.copy(source, to / name)


def plant(mutant: Mutant, tree: Path) -> str:
    """Change the file; returns what stood there before.

    Raises
    ------
    ValueError
        If `old` does not stand there exactly once.
    """
    path = tree / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: {mutant.file} has {text.count(mutant.old)} places to change, not one.")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return text


def environment(tree: Path, cache: Path, jit: bool) -> dict[str, str]:
    """Variables under which nothing compiled survives a mutant: no byte code, and machine code in a folder of its own."""
    kept = {name: value for name, value in os.environ.items() if name != "HYPOTHESIS_PROFILE"}
    own = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": str(cache)}
    return {**kept, **own, "NUMBA_DISABLE_JIT": "0" if jit else "1"}


def run_tests(tests: Iterable[str], tree: Path, jit: bool) -> int:
    """Run pytest in the tree, stopping at the first failure; returns its exit code."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=line", *tests]
    with tempfile.TemporaryDirectory() as cache:
        try:
            done = subprocess.run(
                command,
                cwd=tree,
                env=environment(tree, Path(cache), jit),
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 1  # a bug that never ends is noticed too
    return done.returncode


def verdict(mutant: Mutant, tree: Path) -> str:
    """Plant, test, and take the bug out again."""
    before = plant(mutant, tree)
    try:
        code = run_tests(mutant.tests, tree, mutant.jit)
    finally:
        (tree / mutant.file).write_text(before, encoding="utf-8")
    return {0: SURVIVED, 1: KILLED}.get(code, BROKEN)


def chosen(words: list[str]) -> list[Mutant]:
    """Mutants whose name or file contains one of the words; all without words."""
    return [m for m in MUTANTS if not words or any(word in f"{m.name} {m.file}" for word in words)]


def unharmed(mutants: list[Mutant], tree: Path) -> list[str]:
    """Test selections that fail without any bug, so that their killing would mean nothing."""
    selections = dict.fromkeys((mutant.tests, mutant.jit) for mutant in mutants)
    return [" ".join(tests) for tests, jit in selections if run_tests(tests, tree, jit) != 0]


def main(words: list[str]) -> int:
    """Run the chosen mutants; prints a line for each."""
    mutants = chosen(words)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy_tree(tree)
        failing = unharmed(mutants, tree)
        for selection in failing:
            print(f"FAILS WITHOUT A BUG  {selection}", flush=True)  # noqa: T201
        verdicts = []
        for mutant in mutants:
            begin = time.perf_counter()
            verdicts.append(verdict(mutant, tree))
            print(f"{verdicts[-1]:<9} {time.perf_counter() - begin:5.1f} s  {mutant.name}  ({mutant.file})", flush=True)  # noqa: T201
    killed = verdicts.count(KILLED)
    print(f"{killed} of {len(mutants)} mutants killed.")  # noqa: T201
    return 0 if killed == len(mutants) and mutants and not failing else 1
