"""A story in the terminal, one frame on the screen at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from neurograph.cli.keys import keys_of_terminal

if TYPE_CHECKING:
    from neurograph.inspector.frames import Story

CLEAR = "\x1b[2J\x1b[3J\x1b[H"
HELP = "n or → next · p or ← back · a number and Enter: jump · q leave"
NEXT, BACK = {"n", "right", "down", "space"}, {"p", "left", "up", "backspace"}


def step_through(story: Story, digits: int, about: str) -> None:
    """Show frames as keys ask for them, until one says to leave."""
    with keys_of_terminal() as keys:
        walk(story, digits, about, keys, _show)


def walk(story: Story, digits: int, about: str, keys: Iterator[str], show: Callable[[str], object]) -> None:
    """The same with keys from anywhere.

    Parameters
    ----------
    keys : iterator of str
        Characters and names, as `neurograph.cli.keys` gives them; their end is the end of the walk.
    show : callable
        Takes the whole screen.
    """
    now, typed = 0, ""
    while True:
        asked = f"  go to {typed}" if typed else ""
        show(f"{about}\n\n{story.screen(now, digits)}\n\n{HELP}{asked}\n")
        key = next(keys, "q")
        if key in ("q", "Q"):
            return
        typed, number = _number(key, typed)
        now = _moved(key, now, len(story)) if number is None else min(max(number, 1), len(story)) - 1


def _number(key: str, typed: str) -> tuple[str, int | None]:
    """Digits as they are typed, and the number they make when Enter is pressed."""
    if key.isdecimal():
        return typed + key, None
    return "", int(typed) if key == "enter" and typed else None


def _moved(key: str, now: int, n_frames: int) -> int:
    if key in NEXT or key == "enter":
        return min(now + 1, n_frames - 1)
    if key in BACK:
        return max(now - 1, 0)
    return {"home": 0, "end": n_frames - 1}.get(key, now)


def _show(screen: str) -> None:
    sys.stdout.write(CLEAR + screen)
    sys.stdout.flush()
