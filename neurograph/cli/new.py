"""`neurograph new`: a commented spec to start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from neurograph.errors import UsageError, suggest

EXAMPLES = """
neurograph new mynet.toml
neurograph new mynet.toml --template neurons
"""

TEMPLATES = {
    "conv": "convolution, pooling and a dense head, for the bundled digits",
    "dense": "a multilayer perceptron, for the bundled digits",
    "branches": "branches, a skip connection and two heads",
    "neurons": "drawn by hand, neuron by neuron, with shared weights",
}
FOLDER = Path(__file__).resolve().parent / "templates"
LONGEST_NAME = 64


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="File to write; .toml is added where it is missing.")],
    template: Annotated[
        str,
        typer.Option("--template", "-t", help="; ".join(f"{word}: {what}" for word, what in TEMPLATES.items()) + "."),
    ] = "conv",
) -> None:
    """Write a commented spec to start from; a file that is there already is never overwritten."""
    path = _path(name)
    content = fill(template, path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise UsageError(
            f"{path}: there already, and not overwritten. Choose another name, or remove it first."
        ) from None
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{path}: the folder '{path.parent}' does not exist. Create it first, or choose another."
        ) from None
    print(_next_steps(path, template))


def fill(template: str, path: Path) -> str:
    """The text of a template, with its name and file filled in.

    Raises
    ------
    UsageError
        If there is no such template.
    """
    if template not in TEMPLATES:
        raise UsageError(f"new: no template '{template}'{suggest(template, TEMPLATES)} (known: {', '.join(TEMPLATES)})")
    text = (FOLDER / f"{template}.toml").read_text(encoding="utf-8")
    return text.replace("{name}", json.dumps(path.stem, ensure_ascii=False)).replace("{file}", str(path))


def _path(name: str) -> Path:
    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    if not path.stem or path.stem == ".toml":
        raise UsageError(f"new: '{name}' names no file. Say for example: neurograph new mynet.toml")
    if not str(path).isprintable():
        raise UsageError(f"new: {name!a:.80} is no name that a text can hold. Choose letters, digits, - and _.")
    if len(path.stem) > LONGEST_NAME:
        raise UsageError(f"new: a name of {len(path.stem)} characters; use at most {LONGEST_NAME}.")
    return path


def _next_steps(path: Path, template: str) -> str:
    train = f"neurograph train {path}" + (" --engine textbook --steps 1" if template == "neurons" else "")
    steps = [f"neurograph summary {path}", train]
    steps += [f"neurograph verify {path}", f"neurograph draw {path} -o {path.stem}.svg"]
    lines = [f"Wrote {path} ({TEMPLATES[template]}). Next:", *(f"    {step}" for step in steps)]
    return "\n".join([*lines, "For completion in your editor:", "    neurograph schema -o neurograph.schema.json"])
