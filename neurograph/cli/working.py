"""A word to whoever waits: what a slow command is working on, once some seconds have passed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

PATIENCE = 3.0
"""Seconds before the word."""


@contextmanager
def working(on: str, quiet: bool = False) -> Iterator[None]:
    """Say on stderr what is being worked on if it takes more than `PATIENCE` seconds; only in a terminal.

    Parameters
    ----------
    on : str
        Such as ``both engines on 4 samples``.
    quiet : bool
        True to say nothing: under --quiet and --json.

    Examples
    --------
    >>> with working("a sum of two numbers"):
    ...     print(1 + 1)
    2
    """
    if quiet or not sys.stderr.isatty():
        yield
        return
    timer = Timer(PATIENCE, lambda: print(f"still working: {on} …", file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # so that a line half written comes before what is printed next
