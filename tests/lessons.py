"""The lessons in docs/lessons, and docs/compiler.md, are pages that run: below every Python block stands what it prints, and tests compare.

``python -m tests.lessons`` says which pages are out of date; with ``--write`` it writes their output and pictures anew. The blocks of
a page share one namespace, as the cells of a notebook do. A picture is made by the command in the comment above it, a plot is the figure
that the comment names.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "lessons"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
COMPILER = FOLDER.parent / "compiler.md"
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n.*?^```\n)?", re.M | re.S)
PICTURE = re.compile(r"^<!-- (?P<command>neurograph draw .*?) -->\n!\[.+?\]\((?P<file>[^)]+\.svg)\)$", re.M)
PLOT = re.compile(r"^<!-- plot (?P<name>\w+) -->\n!\[.+?\]\((?P<file>[^)]+\.(?:svg|png))\)$", re.M)


def refreshed(page: str, name: str = "lesson", figures: Path | None = None) -> str:
    """A page with the output of every block as it is today; with `figures`, its plots are written anew in that folder."""
    namespace: dict[str, Any] = {"__name__": "lesson"}

    def run(block: re.Match[str]) -> str:
        printed = io.StringIO()
        line = page[: block.start("code")].count("\n")
        with redirect_stdout(printed):
            exec(compile("\n" * line + block["code"], name, "exec"), namespace)
        output = "".join(f"{text.rstrip()}\n" for text in printed.getvalue().rstrip("\n").splitlines())
        return f"```python\n{block['code']}```\n" + (f"\n```text\n{output}```\n" if output else "")

    written = BLOCK.sub(run, page)
    for plot in PLOT.finditer(page) if figures is not None else ():
        from neurograph.viz import plots

        plots.save(namespace[plot["name"]], figures / plot["file"])
    return written


def pictures(page: str) -> list[tuple[list[str], str]]:
    """The commands that draw a page's own pictures, and the files they make."""
    return [(shlex.split(found["command"])[1:], found["file"]) for found in PICTURE.finditer(page)]


def main(arguments: list[str]) -> int:
    """Compare or write; returns how many pages differ."""
    from neurograph.cli import main as neurograph

    outdated = 0
    for path in (*PAGES, COMPILER):
        page = path.read_text(encoding="utf-8")
        found = refreshed(page, str(path), FOLDER if "--write" in arguments else None)
        outdated += found != page
        if found != page:
            sys.stdout.write(f"{path.name}: {'written' if '--write' in arguments else 'out of date'}\n")
        if "--write" in arguments:
            path.write_text(found, encoding="utf-8")
            for command, file in pictures(page):
                neurograph([*command, "-o", str(FOLDER / file)])
    return 0 if "--write" in arguments else outdated


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
