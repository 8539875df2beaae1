"""The page's program: the modules of ``js/`` in one, in the order in which they need each other."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "js"
MODULES = (
    "unpack",
    "wiring",
    "activations",
    "network",
    "losses",
    "engine",
    "numbers",
    "colours",
    "model",
    "cards",
    "mathml",
    "formulas",
    "elements",
    "grid",
    "arrange",
    "overlay",
    "stage",
    "panel",
    "panel_weight",
    "story",
    "samples",
    "ink",
    "paper",
    "frame",
    "furniture",
    "keys",
    "main",
)
"""Every file of ``js/``; a file imports only from those before it."""

_IMPORT = re.compile(r"^import \{([^}]*)\} from \"\./([a-z_]+)\.js\";\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|function|class) )", re.MULTILINE)
_NAMES = re.compile(r"^export (?:const|function|class) (?:(\w+)|\[([^\]]*)\])", re.MULTILINE)


@cache
def program(modules: tuple[str, ...] = MODULES) -> str:
    """Modules as one: each in a scope of its own, which hands out what it exports."""
    return "\n".join(map(_scope, modules))


def source(name: str) -> str:
    """One module as it is written."""
    return (FOLDER / f"{name}.js").read_text(encoding="utf-8")


def needs(name: str) -> list[str]:
    """Which modules one imports."""
    return [found[1] for found in _IMPORT.findall(source(name))]


def _scope(name: str) -> str:
    written = source(name)
    exported = ", ".join(one or several for one, several in _NAMES.findall(written))
    body = _EXPORT.sub("", _IMPORT.sub(r"const {\1} = $\2;\n", written))
    return f"const ${name} = (() => {{\n{body}return {{ {exported} }};\n}})();"
