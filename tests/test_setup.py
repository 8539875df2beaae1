"""`make train` on a machine that lacks something: what is missing is said, with what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NONE_FOUND = """\
neurograph needs Python 3.11 or newer; none found. Tried:
    python3.13: not there
    python3.12: not there
    python3.11: not there
    python3: {version}
Install one (Debian, Ubuntu: sudo apt install python3 python3-venv), or name it: make train PYTHON=/path/to/python
"""
NO_VENV = """\
Python {version} ({path}) cannot make a virtual environment: its venv or ensurepip module is missing.
Debian and Ubuntu keep them in a package of their own:  sudo apt install python{version}-venv
Or name another Python:  make train PYTHON=/path/to/python
"""
VERSION = "{}.{}".format(*sys.version_info[:2])


def run_venv(folder: Path, *, fake: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run .ci/venv in an empty folder, on a machine whose only Python is `fake`, a shell script."""
    commands = folder / "bin"
    commands.mkdir()
    if fake is not None:
        (commands / "python3").write_text(f"#!/bin/sh\n{fake}\n")
        (commands / "python3").chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(ROOT / ".ci" / "venv")],
        cwd=folder,
        env={"PATH": str(commands), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_no_python_at_all(tmp_path: Path) -> None:
    done = run_venv(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", NONE_FOUND.format(version="not there"))


def test_python_too_old(tmp_path: Path) -> None:
    done = run_venv(tmp_path, fake='[ "$1" = --version ] && echo "Python 3.9.2" || exit 1')
    assert (done.returncode, done.stdout, done.stderr) == (1, "", NONE_FOUND.format(version="Python 3.9.2"))


def test_python_without_venv(tmp_path: Path) -> None:
    done = run_venv(tmp_path, fake=f'case "$*" in *ensurepip*) exit 1 ;; *) exec {sys.executable} "$@" ;; esac')
    message = NO_VENV.format(version=VERSION, path=tmp_path / "bin" / "python3")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)
    assert not (tmp_path / ".venv").exists()


def test_a_named_python_that_is_not_there(tmp_path: Path) -> None:
    done = run_venv(tmp_path, PYTHON="/no/such/python")
    assert done.returncode == 1
    assert "    /no/such/python: not there\n" in done.stderr


def test_a_named_python_is_used_once(tmp_path: Path) -> None:
    pytest.importorskip("ensurepip", reason="this Python cannot make environments")
    made = run_venv(tmp_path, PYTHON=sys.executable)
    assert (made.returncode, made.stdout, made.stderr) == (0, f"Creating .venv with Python {VERSION} ...\n", "")
    marker = tmp_path / ".venv" / "mine"
    marker.touch()
    (tmp_path / "bin").rmdir()
    again = run_venv(tmp_path, PYTHON=sys.executable)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert marker.exists(), "a working environment was made anew"


def test_a_broken_environment_is_made_anew(tmp_path: Path) -> None:
    pytest.importorskip("ensurepip", reason="this Python cannot make environments")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to("/no/such/python")
    done = run_venv(tmp_path, PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".venv" / "bin" / "pip").exists()
