"""From what `load` is given to a dictionary of tables: find the text, read it safely, parse it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurograph.errors import Fault, SpecError, SpecNotFound, suggest
from neurograph.spec.library import find_bundled, names
from neurograph.spec.lines import lines_of, too_deep
from neurograph.spec.model import Origin

LARGEST_FILE = 2**20
"""Bytes of a spec at most."""

SUFFIXES = (".toml", ".json")


@dataclass(frozen=True)
class Source:
    """The text of a spec and where it came from."""

    text: str
    path: str = "<text>"
    is_json: bool = False

    def parse(self) -> tuple[dict[str, Any], Origin]:
        """Tables of the text, and the line of each.

        Raises
        ------
        SpecError
            If the text is neither TOML nor JSON, or nested deeper than any spec.
        """
        deep = too_deep(self.text, is_toml=not self.is_json)
        if deep is not None:
            line, what = deep
            raise _refused(f"{self.path}:{line}", f"{what}; no spec needs that.")
        data = _from_json(self) if self.is_json else _from_toml(self)
        return data, Origin(self.path, {} if self.is_json else lines_of(self.text), self.text)


def find(source: str | os.PathLike[str]) -> Source:
    """Find the text: TOML (has a newline) or JSON (begins with a brace) itself, a path, a bundled name, an existing path.

    Raises
    ------
    SpecNotFound
        If there is neither a file nor a bundled spec.
    SpecError
        If the file is no text of at most 1 MiB.
    """
    if not isinstance(source, str):
        return _read(Path(source), _printable(os.fspath(source)))
    is_json = source.lstrip().startswith("{")
    if "\n" in source or is_json:
        return _sized(Source(source, is_json=is_json))
    shown = _printable(source)
    if _is_path(source):
        return _read(Path(source), shown)
    path = find_bundled(source)
    if path is not None:
        return _read(path, _short(path))
    if _exists(source):
        return _read(Path(source), shown)
    raise SpecNotFound(
        f"no spec '{shown}'{suggest(source, names())} (bundled: {', '.join(names())}; or give a path such as ./my.toml)"
    )


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]


def _exists(source: str) -> bool:
    try:
        return bool(source) and Path(source).exists()
    except (OSError, ValueError):  # a name too long, or with a null in it
        return False


def _is_path(source: str) -> bool:
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return source.endswith(SUFFIXES) or any(separator in source for separator in separators)


def _short(path: Path) -> str:
    """The path from here, if it is below here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _read(path: Path, shown: str) -> Source:
    try:
        if path.is_dir():
            raise SpecNotFound(f"{shown}: a folder; a spec is a file.")
        if not path.exists():
            raise SpecNotFound(f"{shown}: no such file{_hint(path)}")
        if not path.is_file():
            raise SpecNotFound(f"{shown}: not an ordinary file.")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SpecNotFound(f"{shown}: cannot be read ({reason}).") from None
    text = _decoded(content, shown) if len(content) <= LARGEST_FILE else " " * len(content)
    return _sized(Source(text, shown, path.suffix == ".json" or text.lstrip().startswith("{")))


def _hint(path: Path) -> str:
    if path.stem in names() and path.name == path.stem + path.suffix:
        return f"; did you mean the bundled '{path.stem}'?"
    folder = path.parent
    files = (
        [file.name for file in sorted(folder.iterdir())[:1000] if file.suffix in SUFFIXES] if folder.is_dir() else []
    )
    return suggest(path.name, files) or "."


def _decoded(content: bytes, shown: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = content[error.start]
        raise _refused(
            f"{shown}:{line}", f"byte 0x{byte:02x} at offset {error.start} is not UTF-8 text. Save the file as UTF-8."
        ) from None


def _sized(source: Source) -> Source:
    if len(source.text.encode("utf-8", "replace")) > LARGEST_FILE:
        raise _refused(source.path, "more than 1 MiB of text; a spec is far smaller.")
    return source


_PLAIN = {
    "Illegal character '\\n'": "a text that does not end on its line; close its quotes",
    "Cannot overwrite a value": "a key that is set already",
    "Invalid value": "no value; a value is a number, true, false, text in quotes, or a list in brackets",
}
"""What the parser says, as one says it to a student."""


def _from_toml(source: Source) -> dict[str, Any]:
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(*_placed(str(error), source)) from None
    except ValueError:  # Python refuses to read numbers of thousands of digits
        digits = re.search(r"\d{4301}", source.text.replace("_", ""))
        line = source.text.replace("_", "").count("\n", 0, digits.start()) + 1 if digits else 1
        raise _refused(
            f"{source.path}:{line}", "a number of more than 4,300 digits; whole numbers end at 2⁶³ − 1."
        ) from None


def _placed(message: str, source: Source) -> tuple[str, str]:
    """Where and what from the parser's message, which ends in "(at line 3, column 7)" or "(at end of document)"."""
    message = next(
        (plain + message[len(terse) :] for terse, plain in _PLAIN.items() if message.startswith(terse)), message
    )
    at = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    what = message[: at.start()] if at else message
    line = int(at[1]) if at and at[1] else source.text.count("\n") + (not source.text.endswith("\n"))
    column = f" (column {at[2]})" if at and at[2] else " (at the end)"
    return f"{source.path}:{line}", f"not TOML: {what[:1].lower()}{what[1:]}{column}."


def _from_json(source: Source) -> dict[str, Any]:
    try:
        data = json.loads(source.text, object_pairs_hook=_once_each)
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]} (column {error.colno})."
        raise _refused(f"{source.path}:{error.lineno}", what) from None
    except ValueError as error:
        raise _refused(source.path, f"not JSON: {str(error).split(';')[0]}.") from None
    if not isinstance(data, dict):
        raise _refused(source.path, "a list; a spec is a table of keys such as name, input and layer.")
    return data


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key '{next(key for key in keys if keys.count(key) > 1)}' stands twice in one table")
    return table


def _refused(where: str, what: str) -> SpecError:
    return SpecError([Fault(where, what)])
