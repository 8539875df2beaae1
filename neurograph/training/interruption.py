"""Ctrl-C as a wish: training stops at the next boundary between two updates, with everything kept, instead of amid one.

SIGTERM (a scheduler's or shutdown's) and SIGHUP (the terminal is gone) are the same wish. Asked a second time, it leaves at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
GRACE, AGAIN, LATER = 0.3, 0.1, 2.0
"""Seconds that a step or an evaluation is given to end by itself; between later looks at whether it may be broken off; after that."""


class Interrupted(KeyboardInterrupt):
    """Raised where breaking off loses nothing.

    Attributes
    ----------
    exit_code : int
        128 + the signal's number, as shells have it: 130 after Ctrl-C.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.exit_code = 128 + number


class Leave(Interrupted):
    """The second wish: leave at once."""


class Interruption:
    """While it is entered, a signal only sets `asked`; what runs `freely` is broken off if it takes too long.

    Attributes
    ----------
    asked : int
        The signal that came, 0 before.

    Examples
    --------
    >>> with Interruption() as interruption:
    ...     signal.raise_signal(signal.SIGINT)
    ...     print("goes on to a boundary:", interruption.asked == signal.SIGINT)
    goes on to a boundary: True
    """

    def __init__(self) -> None:
        self.asked = 0
        self._is_free = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():  # elsewhere no signals arrive
            handlers = {getattr(signal, name): self._ask for name in SIGNALS if hasattr(signal, name)}
            if hasattr(signal, "SIGALRM"):
                handlers[signal.SIGALRM] = self._break_off
            for number, handler in handlers.items():
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
                    self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        if signal.SIGINT in self._before and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    @contextmanager
    def freely(self) -> Iterator[None]:
        """What runs in here may be broken off: nothing is lost by it."""
        self._is_free = True
        try:
            yield
        finally:
            self._is_free = False

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise Leave(number)
        self.asked = number
        if signal.SIGALRM in self._before if hasattr(signal, "SIGALRM") else False:
            signal.setitimer(signal.ITIMER_REAL, GRACE, AGAIN)

    def _break_off(self, number: int, frame: FrameType | None) -> None:
        if self._is_free:
            signal.setitimer(signal.ITIMER_REAL, LATER, LATER)  # again, should nobody have heard it: callbacks swallow
            raise Interrupted(self.asked)
