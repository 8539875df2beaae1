"""Text on a plot: any name comes out as the letters it is made of, never as mathematics or as a control character."""

from __future__ import annotations

import unicodedata

LONGEST = 60
"""Letters of one name at most."""


def plain(text: object, longest: int = LONGEST) -> str:
    r"""A name as matplotlib may be given it: no mathtext, one line, not too long.

    Control characters, marks that turn the direction of text, lone surrogates and unassigned code points become U+FFFD; of a
    name that is too long the middle is left out.

    Examples
    --------
    >>> print(plain("cost in $x^2$"), plain("two\nlines"), plain("a\x00b"))
    cost in \$x^2\$ two lines a�b
    >>> plain("x" * 100, 9)
    'xxxx…xxxx'
    """
    shown = "".join(_harmless(letter) for letter in str(text))
    if len(shown) > longest:
        half = (longest - 1) // 2
        shown = f"{shown[:half]}…{shown[-half:]}"
    return shown.replace("$", r"\$")


def _harmless(letter: str) -> str:
    if letter.isspace():
        return " "
    return "\ufffd" if unicodedata.category(letter)[0] == "C" else letter


def percent(share: float) -> str:
    """A share as a percentage, with as many decimals as it needs.

    Examples
    --------
    >>> percent(0.975), percent(0.99123), percent(1.0)
    ('97.5 %', '99.12 %', '100 %')
    """
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " %"


def several(names: list[str], most: int = 4) -> str:
    """Names in a row, the rest of them counted.

    Examples
    --------
    >>> several(["a", "b", "c"]), several(["a", "b", "c", "d", "e", "f"])
    ('a, b, c', 'a, b, c, d and 2 more')
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
