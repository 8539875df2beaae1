"""The one function that every text of a picture goes through, for DOT's HTML-like labels and for SVG alike."""

from __future__ import annotations

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


def escape(text: str, dot: bool = False) -> str:
    r"""Make any text harmless: what comes in as letters goes out as letters, never as markup.

    Control characters, lone surrogates and other code points that XML refuses become U+FFFD, line breaks spaces. In DOT a
    backslash is doubled, or it would begin an escape such as ``\N``.

    Examples
    --------
    >>> escape('<b>"&"</b>'), escape("a\nb\x00")
    ('&lt;b&gt;&quot;&amp;&quot;&lt;/b&gt;', 'a b�')
    >>> print(escape(r"\N", dot=True))
    \\N
    """
    return "".join(_harmless(letter, dot) for letter in text)


def _harmless(letter: str, dot: bool) -> str:
    if letter in "\t\n\r\x0b\x0c\x85\u2028\u2029":
        return " "
    if letter in _ENTITIES:
        return _ENTITIES[letter]
    if dot and letter == "\\":
        return "\\\\"
    code = ord(letter)
    if (
        code < 0x20
        or 0x7F <= code < 0xA0
        or 0xD800 <= code <= 0xDFFF
        or 0xFDD0 <= code <= 0xFDEF
        or code & 0xFFFE == 0xFFFE
    ):
        return "\ufffd"
    if code in _DIRECTIONS:
        return "\ufffd"
    return letter


_DIRECTIONS = {0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
"""Marks that turn the direction of text: a name must not rewrite its surroundings."""
