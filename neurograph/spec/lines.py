"""Where in a TOML file every table and key stands, and what is refused before a parser sees the text.

The standard library's parser keeps no line numbers, and takes minutes for keys of very many parts; this scanner is linear.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

Location = tuple[str | int, ...]

MOST_KEY_PARTS = 8
MOST_BRACKETS = 16
"""How deep brackets may nest: a weight array has at most four axes."""

_STOPS = {True: re.compile(r"""["'#\n\[\]{}]"""), False: re.compile(r'["\n\[\]{}]')}
_LINE_ENDS = {True: re.compile(r"\n(?:[ \t\r]*(?:#[^\n]*)?\n)*"), False: re.compile(r"\n+")}
"""A line end, and those of the empty lines and comments that follow it: a file may be nothing else."""

_BARE = r"[A-Za-z0-9_-]+"
_PART = rf"(?:{_BARE}|\"[^\"]*\"|'[^']*')"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]")
_KEY = re.compile(rf"\s*({_PART})\s*[.=]")
_DEEP = re.compile(rf"(?<![\w-]){_BARE}(?:[ \t]*\.[ \t]*{_BARE}){{{MOST_KEY_PARTS}}}")

_LEADING = re.compile(r"""^\s*(?:"(?:[^"\\]|\\.)*"|'[^']*')""")
"""A text in quotes at the beginning of a plain run: a quoted key, or a value in a list."""


def lines_of(text: str) -> Mapping[Location, int]:
    r"""Line of every table and key of a TOML text, such as ``("layer", 2)``, ``("layer", 2, "kernel")``, ``("loss", "kind")``.

    Examples
    --------
    >>> lines = lines_of('name = "a"\n[[layer]]\nkind = "conv"\n')
    >>> lines["name",], lines["layer", 0], lines["layer", 0, "kind"]
    (1, 2, 3)
    """
    lines: dict[Location, int] = {}
    counts: Counter[str] = Counter()
    table: Location = ()
    for line, statement in _statements(text):
        header = _HEADER.match(statement)
        if header:
            table = _table(header[2], counts, is_list=header[1] == "[[")
        key = None if header else _KEY.match(statement)
        if header or key:
            lines.setdefault((*table, _bare(key[1])) if key else table, line)
    return lines


def _table(written: str, counts: Counter[str], is_list: bool) -> Location:
    """Location of the table that a header opens; of a dotted name the first two parts count."""
    first, *rest = (_bare(part) for part in re.findall(_PART, written))
    if is_list and not rest:
        counts[first] += 1
        return (first, counts[first] - 1)
    inside: Location = (first, counts[first] - 1) if counts[first] else (first,)
    return (*inside, *rest[:1])


def _bare(part: str) -> str:
    return part[1:-1] if part[0] in "\"'" else part


def too_deep(text: str, is_toml: bool = True) -> tuple[int, str] | None:
    """Line and reason where a text is nested deeper than any spec is; None where it is not.

    Examples
    --------
    >>> too_deep("x = " + "[" * 17)
    (1, 'brackets nested deeper than 16')
    >>> too_deep("a.b.c.d.e.f.g.h.i = 1")
    (1, 'a key of more than 8 parts')
    """
    depth = 0
    for line, mark in _marks(text, is_toml):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0)
        if depth > MOST_BRACKETS:
            return line, f"brackets nested deeper than {MOST_BRACKETS}"
        if is_toml and len(mark) > 2 * MOST_KEY_PARTS and _DEEP.search(_LEADING.sub("s", mark)):
            return line, f"a key of more than {MOST_KEY_PARTS} parts"
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """First line and text of every statement: a header, or a key with a value that may span lines."""
    pieces: list[str] = []
    depth, start = 0, 1
    for line, mark in _marks(text, is_toml=True):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0)
        if mark == "\n" and depth <= 0:
            yield start, "".join(pieces)
            pieces, depth, start = [], 0, line + 1
        elif mark != "\n":
            pieces.append(mark)
    yield start, "".join(pieces)


def _marks(text: str, is_toml: bool) -> Iterator[tuple[int, str]]:
    """Brackets, line ends, strings and runs of plain text, in order, each with its line; comments and empty lines are left out.

    A plain run that a string interrupts is joined with it (the string written as ``s``, or as it is at the beginning, where it
    may be a key), so that dotted keys stay in one piece.
    """
    stops, ends, line, at, plain = _STOPS[is_toml], _LINE_ENDS[is_toml], 1, 0, ""
    while at < len(text):
        stop = stops.search(text, at)
        end = stop.start() if stop else len(text)
        plain += text[at:end]
        mark = text[end : end + 1]
        if mark in ("'", '"'):
            at = _end_of_string(text, end, is_toml)
            inside = text[end:at]
            plain += inside if (not plain or plain.isspace()) and "\n" not in inside else "s"
            line += inside.count("\n")
            continue
        if plain:
            yield line, plain
            plain = ""
        at = end + 1
        if mark == "#":
            newline = text.find("\n", end)
            at = newline if newline >= 0 else len(text)
        elif mark == "\n":
            blank = ends.match(text, end)
            at = blank.end() if blank else at
            line += text.count("\n", end, at)
            yield line - 1, mark
        elif mark:
            yield line, mark
    if plain:
        yield line, plain


def _end_of_string(text: str, start: int, is_toml: bool) -> int:
    """Position after the string that starts at `start`; the end of the text (or line) where it is not closed."""
    quote = text[start]
    fence = quote * 3 if is_toml and text.startswith(quote * 3, start) else quote
    at = start + len(fence)
    while True:
        close = text.find(fence, at)
        newline = text.find("\n", at, close if close >= 0 else len(text)) if len(fence) == 1 else -1
        if newline >= 0:
            return newline
        if close < 0:
            return len(text)
        if quote == "'" or not _is_escaped(text, close, at):
            return _after_fence(text, close, fence)
        at = close + 1


def _is_escaped(text: str, position: int, start: int) -> bool:
    slashes = 0
    while position - slashes > start and text[position - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1


def _after_fence(text: str, close: int, fence: str) -> int:
    """Position after the closing quotes; up to two more may belong to a multi-line string."""
    end = close + len(fence)
    while len(fence) == 3 and end < close + 5 and text[end : end + 1] == fence[0]:
        end += 1
    return end
