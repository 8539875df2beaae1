"""The next batch is made ready on a thread of its own while this one is trained on: kernels let go of Python's lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Make = Callable[[Rows, int], Any]
Key = tuple[int, int, int]


class Ahead:
    """Makes batches, one ahead of who asks for them.

    What comes out is what `make` gives, to the bit, whether it was ready or not: batches are pure functions of rows and epoch.

    Parameters
    ----------
    make : callable
        ``make(rows, epoch)`` gives a batch.

    Examples
    --------
    >>> with Ahead(lambda rows, epoch: rows.sum() + epoch) as batches:
    ...     for i in range(0, 6, 2):
    ...         batches.following = np.arange(i + 2, min(i + 4, 6))
    ...         print(batches(np.arange(i, i + 2), 0))
    1
    5
    9
    """

    def __init__(self, make: Make) -> None:
        self._make = make
        self._pool: ThreadPoolExecutor | None = None
        self._ready: tuple[Key, Future[Any]] | None = None
        self.following: Rows | None = None
        """Rows that are asked for next in the same epoch, if anybody knows; said anew before every call."""

    def __call__(self, rows: Rows, epoch: int) -> Any:
        """The batch of these rows; that of the `following` ones is begun."""
        ready, self._ready = self._ready, None
        following, self.following = self.following, None
        batch = ready[1].result() if ready is not None and ready[0] == _key(rows, epoch) else self._make(rows, epoch)
        if following is not None and len(following):
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="neurograph-ahead")
            self._ready = _key(following, epoch), self._pool.submit(self._make, following, epoch)
        return batch

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread; a batch that nobody wants any more is finished and dropped."""
        self._ready = None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _key(rows: Rows, epoch: int) -> Key:
    """Tells batches apart: in an epoch every row comes once."""
    return epoch, int(rows[0]), len(rows)
