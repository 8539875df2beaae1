"""Running Graphviz: the system's `dot`, else the one inside pygraphviz, always in a child process with a time limit."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from neurograph.errors import DrawingError

TIMEOUT = 60.0
_CHILD = """
import sys, pygraphviz
source, engine, form, extra, target = sys.argv[1:]
graph = pygraphviz.AGraph(string=open(source, encoding="utf-8").read())
graph.draw(target, prog=engine, format=form, args=extra)
"""


def find() -> str | None:
    """Which Graphviz there is: ``"dot"``, ``"pygraphviz"`` or None."""
    from importlib.util import find_spec

    if shutil.which("dot"):
        return "dot"
    return "pygraphviz" if find_spec("pygraphviz") else None


def run(
    dot: str, form: str, engine: str = "dot", options: tuple[str, ...] = (), timeout: float = TIMEOUT
) -> bytes | None:
    """What Graphviz makes of a DOT text; None where there is no Graphviz.

    Parameters
    ----------
    dot : str
    form : str
        ``svg``, ``png``, ``pdf``, ``plain``.
    engine : str
        Layout engine: ``dot``, or ``neato`` for graphs that carry their own places.
    options : tuple of str
        Such as ``("-n2",)``.

    Raises
    ------
    DrawingError
        If Graphviz fails or takes too long.
    """
    which = find()
    if which is None:
        return None
    with tempfile.TemporaryDirectory(prefix="neurograph-") as folder:
        source, target = Path(folder, "network.dot"), Path(folder, f"network.{form}")
        source.write_text(dot, encoding="utf-8")
        _call(_command(which, source, target, form, engine, options), timeout)
        if not target.is_file():
            raise DrawingError(
                f"Graphviz ({which}) wrote no {form}; try -o with the ending .svg, or write .dot and run Graphviz yourself."
            )
        return target.read_bytes()


def _command(which: str, source: Path, target: Path, form: str, engine: str, options: tuple[str, ...]) -> list[str]:
    if which == "dot":
        program = shutil.which(engine)
        chosen = [program] if program else [str(shutil.which("dot")), f"-K{engine}"]
        return [*chosen, *options, f"-T{form}", "-o", str(target), str(source)]
    return [sys.executable, "-c", _CHILD, str(source), engine, form, " ".join(options), str(target)]


def _call(command: list[str], timeout: float) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise DrawingError(
            f"Graphviz took longer than {timeout:g} s and was stopped; draw less, or use --view layers."
        ) from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DrawingError(f"Graphviz failed (exit code {done.returncode}): {said[-1] if said else 'no message'}")
