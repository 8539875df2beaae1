"""Batches to come are made ready on a thread of their own while one is trained on: kernels let go of Python's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurograph.training.batches import take

if TYPE_CHECKING:
    # loaded where augmentation begins: every start would pay for it
    from concurrent.futures import Future, ThreadPoolExecutor

Rows = NDArray[np.int64]
Make = Callable[[Rows, int], tuple[Any, Any]]

AT_ONCE, BYTES = 256, 4 << 20
"""Samples that are made in one go, and what they may take: small batches are not worth a call each."""


class Block(NamedTuple):
    """Samples made in one go: several batches that follow upon each other."""

    epoch: int
    rows: Rows
    made: Future[tuple[Any, Any]]

    def starts_with(self, rows: Rows, epoch: int) -> bool:
        return self.epoch == epoch and np.array_equal(self.rows[: len(rows)], rows)


class Ahead:
    """Makes batches, some ahead of who asks for them.

    What comes out is what `make` gives, to the bit, whether it was ready or not: samples are pure functions of row and epoch.

    Parameters
    ----------
    make : callable
        ``make(rows, epoch)`` gives inputs and targets of some rows, sample by sample.

    Examples
    --------
    >>> rows = np.arange(6)
    >>> with Ahead(lambda rows, epoch: (rows + epoch, rows % 2)) as batches:
    ...     for i in range(0, 6, 2):
    ...         batches.following = rows[i + 2 :]
    ...         print(*batches(rows[i : i + 2], 0))
    [0 1] [0 1]
    [2 3] [0 1]
    [4 5] [0 1]
    """

    def __init__(self, make: Make) -> None:
        self._make = make
        self._pool: ThreadPoolExecutor | None = None
        self._now: Block | None = None
        self._next: Block | None = None
        self._most = 1
        self.following: Rows | None = None
        """Rows that are asked for behind these in the same epoch, if anybody knows; said anew before every call."""

    def __call__(self, rows: Rows, epoch: int) -> tuple[Any, Any]:
        """The batch of these rows; some of the `following` ones are begun."""
        following, self.following = self.following, None
        if self._now is None or not self._now.starts_with(rows, epoch):
            self._now, self._next = self._next, None
        if self._now is None or not self._now.starts_with(rows, epoch):
            self._now = self._next = None
            x, y = self._make(rows, epoch)
            size = sum(part.nbytes for part in (x.values() if isinstance(x, dict) else [x])) // len(rows)
            self._most = max(1, min(AT_ONCE, BYTES // max(size, 1)))
            behind = following
        else:
            block, n = self._now, len(rows)
            x, y = (take(part, slice(n)) for part in block.made.result())
            behind = None if following is None else following[len(block.rows) - n :]
            self._now = self._behind(block, n)
        if self._next is None and behind is not None and len(behind):
            self._next = self._begun(behind[: max(1, self._most // len(rows)) * len(rows)], epoch)
        return x, y

    def _behind(self, block: Block, n: int) -> Block | None:
        """What is left of a block without its first n samples."""
        if len(block.rows) <= n:
            return None
        from concurrent.futures import Future

        left: Future[tuple[Any, Any]] = Future()
        x, y = block.made.result()
        left.set_result((take(x, slice(n, None)), take(y, slice(n, None))))
        return Block(block.epoch, block.rows[n:], left)

    def _begun(self, rows: Rows, epoch: int) -> Block:
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(1, thread_name_prefix="neurograph-ahead")
        return Block(epoch, rows, self._pool.submit(self._make, rows, epoch))

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread; samples that nobody wants any more are finished and dropped."""
        self._now = self._next = None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
