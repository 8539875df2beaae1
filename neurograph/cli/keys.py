"""Single keys from a terminal, on Unix and on Windows: characters as they are, others by name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SEQUENCES = {
    b"\x1b[C": "right", b"\x1bOC": "right", b"\x1b[6~": "right",
    b"\x1b[D": "left", b"\x1bOD": "left", b"\x1b[5~": "left",
    b"\x1b[A": "up", b"\x1bOA": "up", b"\x1b[B": "down", b"\x1bOB": "down",
    b"\x1b[H": "home", b"\x1bOH": "home", b"\x1b[1~": "home",
    b"\x1b[F": "end", b"\x1bOF": "end", b"\x1b[4~": "end",
}  # fmt: skip
"""What terminals send for keys without a character."""
NAMES = {"\r": "enter", "\n": "enter", " ": "space", "\x7f": "backspace", "\x08": "backspace"}
WINDOWS = {"M": "right", "Q": "right", "K": "left", "I": "left", "H": "up", "P": "down", "G": "home", "O": "end"}


@contextmanager
def keys_of_terminal() -> Iterator[Iterator[str]]:
    """Keys as they are pressed; the terminal is put back as it was afterwards. Ctrl-C stays an interruption."""
    if sys.platform == "win32":
        yield _on_windows()
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield _on_unix(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _on_unix(terminal: int) -> Iterator[str]:
    while pressed := os.read(terminal, 64):
        yield from named(pressed)


def named(pressed: bytes) -> Iterator[str]:
    r"""The keys in what a terminal has sent; sequences it does not know are one key without a name.

    Examples
    --------
    >>> list(named(b"n\x1b[C12\r")), list(named(b"\x1b[3~q"))
    (['n', 'right', '1', '2', 'enter'], ['', 'q'])
    """
    while pressed:
        sequence = next((known for known in SEQUENCES if pressed.startswith(known)), None)
        if sequence is not None:
            yield SEQUENCES[sequence]
            pressed = pressed[len(sequence) :]
        elif pressed.startswith(b"\x1b"):
            yield ""
            pressed = _behind(pressed)
        else:
            letter = pressed[:1].decode("ascii", errors="replace")
            yield NAMES.get(letter, letter)
            pressed = pressed[1:]


def _behind(pressed: bytes) -> bytes:
    """What follows an unknown sequence: escape, a bracket, parameters, one last letter or tilde."""
    end = 2 if pressed[1:2] in (b"[", b"O") else 1
    while end > 1 and end < len(pressed) and not 64 <= pressed[end] <= 126:
        end += 1
    return pressed[end + 1 :] if end > 1 else pressed[1:]


def _on_windows() -> Iterator[str]:
    import msvcrt

    while True:
        key = msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
        if key == "\x03":
            raise KeyboardInterrupt
        if key in ("\x00", "\xe0"):
            yield WINDOWS.get(msvcrt.getwch(), "")  # type: ignore[attr-defined,unused-ignore]
        else:
            yield NAMES.get(key, key)
